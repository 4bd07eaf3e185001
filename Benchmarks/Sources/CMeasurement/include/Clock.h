#pragma once

#include <stdint.h>
#include <time.h>
#if defined(__x86_64__)
#include <x86intrin.h>
#endif

/// The monotonic clock.
static inline int64_t tpb_nanoseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/// Processor time of the calling thread: what other processes take from it does not count.
static inline int64_t tpb_processor_nanoseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/// The processor's counter before a single event: nothing later starts before it is read.
static inline uint64_t tpb_ticks_before(void) {
#if defined(__x86_64__)
    _mm_lfence();
    uint64_t ticks = __rdtsc();
    _mm_lfence();
    return ticks;
#else
    return (uint64_t)tpb_nanoseconds();
#endif
}

/// The processor's counter after a single event: everything earlier is done when it is read.
static inline uint64_t tpb_ticks_after(void) {
#if defined(__x86_64__)
    unsigned processor;
    uint64_t ticks = __rdtscp(&processor);
    _mm_lfence();
    return ticks;
#else
    return (uint64_t)tpb_nanoseconds();
#endif
}

/// Counter ticks a nanosecond, measured over 20 ms.
double tpb_ticks_per_nanosecond(void);

/// The median of what two readings in a row differ by: what timing one event adds to it, in ticks.
uint64_t tpb_ticks_overhead(void);
