#include "Samples.h"

#include <stdio.h>
#include <stdlib.h>

#include "Clock.h"
#include "MemoryUse.h"

tpb_samples tpb_make_samples(int64_t capacity) {
    return (tpb_samples){.ticks = tpb_own_memory(capacity * (int64_t)sizeof(uint32_t)), .capacity = capacity};
}

static int compare(const void *left, const void *right) {
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    return a < b ? -1 : a > b;
}

tpb_samples tpb_medians(const tpb_samples *samples, int64_t rounds) {
    int64_t events = rounds > 0 && samples->count % rounds == 0 ? samples->count / rounds : 0;
    tpb_samples medians = tpb_make_samples(events);
    uint32_t *of_event = tpb_own_memory(rounds * (int64_t)sizeof(uint32_t));
    for (int64_t event = 0; event < events; event++) {
        for (int64_t round = 0; round < rounds; round++) of_event[round] = samples->ticks[round * events + event];
        qsort(of_event, (size_t)rounds, sizeof of_event[0], compare);
        tpb_add_sample(&medians, of_event[rounds / 2]);
    }
    return medians;
}

void tpb_print_samples(const char *name, tpb_samples *samples, uint64_t overhead) {
    if (samples->count == 0) return;
    qsort(samples->ticks, (size_t)samples->count, sizeof samples->ticks[0], compare);
    double scale = 1 / tpb_ticks_per_nanosecond();
    static const struct {
        const char *label;
        double share;
    } percentiles[] = {{"p50", 0.5}, {"p99", 0.99}, {"p99.9", 0.999}, {"max", 1}};
    printf("%s.count %lld\n", name, (long long)samples->count);
    for (size_t index = 0; index < sizeof percentiles / sizeof percentiles[0]; index++) {
        int64_t place = (int64_t)(percentiles[index].share * (double)(samples->count - 1));
        uint64_t ticks = samples->ticks[place];
        double nanoseconds = (double)(ticks > overhead ? ticks - overhead : 0) * scale;
        printf("%s.%s %.2f\n", name, percentiles[index].label, nanoseconds);
    }
}
