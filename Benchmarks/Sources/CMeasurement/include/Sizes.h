#pragma once

#include <stdint.h>

/// How many sizes are drawn before they repeat.
enum { TPB_SIZE_COUNT = 4096 };

/// Sizes of tensors from 1 to 128 KiB, spread evenly over their logarithm: the same ones in every process.
const int32_t *_Nonnull tpb_sizes(void);

/// A simple generator of numbers that look random: xorshift.
static inline uint64_t tpb_next_random(uint64_t *_Nonnull state) {
    uint64_t value = *state;
    value ^= value << 13;
    value ^= value >> 7;
    value ^= value << 17;
    return *state = value;
}
