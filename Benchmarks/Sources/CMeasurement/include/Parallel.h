#pragma once

#include <stdint.h>

typedef struct {
    /// From when all threads were ready to when the last was done.
    int64_t wall_nanoseconds;
    /// Processor time of all threads together.
    int64_t processor_nanoseconds;
} tpb_parallel_time;

/// Runs a function on new threads, all starting together, each on a processor of its own as far as there are enough, and
/// waits for them. Before the start each thread warms up, if it is told how.
tpb_parallel_time tpb_parallel(
    int32_t thread_count, void (*_Nullable warm_up)(void *_Nonnull context, int32_t index),
    void (*_Nonnull body)(void *_Nonnull context, int32_t index), void *_Nonnull context);
