// A counter from which time can be told, cheaper than a clock.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#if defined(__x86_64__)
#include <x86intrin.h>
#endif

/// Whether ticks are those of the processor's time-stamp counter, which runs at one rate on all cores and in all power
/// states (CPUID 8000_0007h, EDX bit 8). If not, they are nanoseconds of CLOCK_MONOTONIC.
extern bool tensorpool_ticks_are_counted;

/// Nanoseconds of CLOCK_MONOTONIC.
uint64_t tensorpool_monotonic_nanoseconds(void);

static inline __attribute__((always_inline)) bool tensorpool_are_ticks_counted(void) {
    return tensorpool_ticks_are_counted;
}

/// For a test: ticks are the clock's from here on.
static inline void tensorpool_use_clock_for_ticks(void) { tensorpool_ticks_are_counted = false; }

/// The moment before what comes next: a store behind it is seen by other threads only later.
static inline __attribute__((always_inline)) uint64_t tensorpool_ticks_before(void) {
#if defined(__x86_64__)
    if (tensorpool_ticks_are_counted) {
        __atomic_signal_fence(__ATOMIC_SEQ_CST);
        const uint64_t ticks = __rdtsc();
        __atomic_signal_fence(__ATOMIC_SEQ_CST);
        return ticks;
    }
#endif
    return tensorpool_monotonic_nanoseconds();
}

/// The moment after all that was read before: without the fence, the counter may be read ahead of it.
static inline __attribute__((always_inline)) uint64_t tensorpool_ticks_after(void) {
#if defined(__x86_64__)
    if (tensorpool_ticks_are_counted) {
        __builtin_ia32_lfence();
        const uint64_t ticks = __rdtsc();
        __atomic_signal_fence(__ATOMIC_SEQ_CST);
        return ticks;
    }
#endif
    return tensorpool_monotonic_nanoseconds();
}
