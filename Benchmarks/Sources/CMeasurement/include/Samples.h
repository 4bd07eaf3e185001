#pragma once

#include <stdint.h>

/// Durations of single events in counter ticks, all kept.
typedef struct {
    uint32_t *_Nonnull ticks;
    int64_t count;
    int64_t capacity;
} tpb_samples;

tpb_samples tpb_make_samples(int64_t capacity);

static inline void tpb_add_sample(tpb_samples *_Nonnull samples, uint64_t ticks) {
    if (samples->count < samples->capacity) {
        samples->ticks[samples->count++] = ticks > UINT32_MAX ? UINT32_MAX : (uint32_t)ticks;
    }
}

/// The median of each event over rounds that had the same events in the same order: what takes long by itself, and not once
/// by what interrupted it. To be asked before the samples are printed. Nothing where the rounds differ in length.
tpb_samples tpb_medians(const tpb_samples *_Nonnull samples, int64_t rounds);

/// Prints count, percentiles and maximum in nanoseconds, `overhead` ticks taken off each sample. Sorts them.
void tpb_print_samples(const char *_Nonnull name, tpb_samples *_Nonnull samples, uint64_t overhead);
