#pragma once

#include <stdint.h>

/// Writes one byte in every 4 KiB page of a block: what it takes for the memory to be there.
static inline void tpb_touch_pages(void *_Nonnull address, int64_t byte_count) {
    // Volatile: the compiler may drop plain stores to memory that is about to be freed.
    volatile char *next = (volatile char *)address;
    volatile char *end = next + byte_count;
    while (next < end) {
        *next = 1;
        next = (volatile char *)(((uintptr_t)next + 4096) & ~(uintptr_t)4095);
    }
}

/// Writes the first byte of a block.
static inline void tpb_touch_first(void *_Nonnull address) { *(volatile char *)address = 1; }

/// Writes the first byte of a block so many times.
static inline void tpb_write_often(void *_Nonnull address, int64_t count) {
    volatile char *byte = (volatile char *)address;
    for (int64_t index = 0; index < count; index++) *byte = (char)(*byte + 1);
}

/// The same number, of which the compiler knows nothing: it cannot do ahead of a loop what depends on it.
static inline int64_t tpb_opaque(int64_t number) {
    __asm__ volatile("" : "+r"(number));
    return number;
}

/// Takes a value and forgets it, so that the compiler has to make it.
static inline void tpb_use(const void *_Nonnull address) { __asm__ volatile("" : : "r"(address) : "memory"); }
