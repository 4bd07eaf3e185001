#define _GNU_SOURCE
#include "Ticks.h"

#include <time.h>
#if defined(__x86_64__)
#include <cpuid.h>
#endif

bool tensorpool_ticks_are_counted;

/// Before any Swift code, so that every reading is of the same kind.
__attribute__((constructor)) static void look_for_counter(void) {
#if defined(__x86_64__)
    unsigned a, b, c, d;
    // Nothing is known of it where the processor has no such leaf.
    if (__get_cpuid(0x80000007, &a, &b, &c, &d)) tensorpool_ticks_are_counted = (d >> 8 & 1) != 0;
#endif
}

uint64_t tensorpool_monotonic_nanoseconds(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}
