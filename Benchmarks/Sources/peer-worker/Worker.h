#pragma once

#include <stdint.h>
#include <stdlib.h>

int run_trace(int count, char **arguments);
int run_pairs(int count, char **arguments);
int run_threads(int count, char **arguments);
int run_populate(int count, char **arguments);

/// Ends the process: no measurement goes on without memory.
_Noreturn void out_of_memory(int64_t byte_count);

/// A block as tensors are: 64-byte aligned.
static inline void *allocate_aligned(int64_t byte_count) {
    void *address;
    if (__builtin_expect(posix_memalign(&address, 64, (size_t)byte_count) != 0, 0)) out_of_memory(byte_count);
    return address;
}
