#pragma once
#include <errno.h>
#include <stddef.h>
#include <stdint.h>

// jemalloc may be built with a prefix on its symbols (je_ is the default on macOS) or without one (Linux distributions).
// With JEMALLOC_NO_DEMANGLE its header keeps je_* as names that work in both builds; the functions below use only those.
#ifndef JEMALLOC_NO_DEMANGLE
#define JEMALLOC_NO_DEMANGLE
#endif
#include <jemalloc/jemalloc.h>

#define CJEMALLOC_INLINE static inline __attribute__((always_inline))

#pragma clang assume_nonnull begin

// The allocation functions.

CJEMALLOC_INLINE void *_Nullable cjemalloc_mallocx(size_t size, int flags) {
    return je_mallocx(size, flags);
}

CJEMALLOC_INLINE void *_Nullable cjemalloc_rallocx(void *pointer, size_t size, int flags) {
    return je_rallocx(pointer, size, flags);
}

CJEMALLOC_INLINE size_t cjemalloc_xallocx(void *pointer, size_t size, size_t extra, int flags) {
    return je_xallocx(pointer, size, extra, flags);
}

CJEMALLOC_INLINE size_t cjemalloc_sallocx(const void *pointer, int flags) {
    return je_sallocx(pointer, flags);
}

CJEMALLOC_INLINE size_t cjemalloc_nallocx(size_t size, int flags) {
    return je_nallocx(size, flags);
}

CJEMALLOC_INLINE void cjemalloc_dallocx(void *pointer, int flags) {
    je_dallocx(pointer, flags);
}

CJEMALLOC_INLINE void cjemalloc_sdallocx(void *pointer, size_t size, int flags) {
    je_sdallocx(pointer, size, flags);
}

// The flag macros, which Swift does not import because they take arguments or casts.

CJEMALLOC_INLINE int cjemalloc_flag_alignment(size_t alignment) {
    return MALLOCX_ALIGN(alignment);
}

CJEMALLOC_INLINE int cjemalloc_flag_zero(void) {
    return MALLOCX_ZERO;
}

CJEMALLOC_INLINE int cjemalloc_flag_arena(unsigned index) {
    return (int)((index + 1u) << 20); // MALLOCX_ARENA without its signed overflow from index 2047 up.
}

CJEMALLOC_INLINE int cjemalloc_flag_tcache(unsigned index) {
    return MALLOCX_TCACHE(index);
}

CJEMALLOC_INLINE int cjemalloc_flag_tcache_none(void) {
    return MALLOCX_TCACHE_NONE;
}

// The control interface and the report.

CJEMALLOC_INLINE int cjemalloc_name_to_mib(const char *name, size_t *mib, size_t *count) {
    return je_mallctlnametomib(name, mib, count);
}

CJEMALLOC_INLINE int cjemalloc_control(
    const size_t *mib, size_t count, void *_Nullable old_value, size_t *_Nullable old_size,
    void *_Nullable new_value, size_t new_size) {
    return je_mallctlbymib(mib, count, old_value, old_size, new_value, new_size);
}

CJEMALLOC_INLINE void cjemalloc_stats_print(
    void (*write)(void *_Nullable context, const char *_Nullable text), void *_Nullable context,
    const char *_Nullable options) {
    je_malloc_stats_print(write, context, options);
}

#pragma clang assume_nonnull end
