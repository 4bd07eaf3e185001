#include "CDebugging.h"

#if __has_include(<valgrind/memcheck.h>)
#include <valgrind/memcheck.h>
#define HAS_VALGRIND 1
#endif

#if defined(__ELF__)
// Null where the program is not linked with AddressSanitizer.
extern void __asan_poison_memory_region(void const volatile *start, size_t count) __attribute__((weak));
extern void __asan_unpoison_memory_region(void const volatile *start, size_t count) __attribute__((weak));
#define HAS_WEAK_SANITIZER 1
#endif

void tensorpool_forbid_bytes(const void *start, size_t count) {
#ifdef HAS_WEAK_SANITIZER
    if (__asan_poison_memory_region != NULL) __asan_poison_memory_region(start, count);
#endif
#ifdef HAS_VALGRIND
    (void)VALGRIND_MAKE_MEM_NOACCESS(start, count);
#endif
}

void tensorpool_allow_bytes(const void *start, size_t count) {
#ifdef HAS_WEAK_SANITIZER
    if (__asan_unpoison_memory_region != NULL) __asan_unpoison_memory_region(start, count);
#endif
#ifdef HAS_VALGRIND
    (void)VALGRIND_MAKE_MEM_DEFINED(start, count);
#endif
}

void tensorpool_tensor_begins(const void *start, size_t count, size_t guard_count, bool is_zeroed) {
#ifdef HAS_VALGRIND
    VALGRIND_MALLOCLIKE_BLOCK(start, count, guard_count, is_zeroed);
#endif
}

void tensorpool_tensor_ends(const void *start, size_t guard_count) {
#ifdef HAS_VALGRIND
    VALGRIND_FREELIKE_BLOCK(start, guard_count);
#endif
}

bool tensorpool_has_checker(void) {
#ifdef HAS_WEAK_SANITIZER
    if (__asan_poison_memory_region != NULL) return true;
#endif
#ifdef HAS_VALGRIND
    if (RUNNING_ON_VALGRIND) return true;
#endif
    return false;
}
