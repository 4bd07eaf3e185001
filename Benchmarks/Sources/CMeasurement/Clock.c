#include "Clock.h"

#include <stdlib.h>

double tpb_ticks_per_nanosecond(void) {
    int64_t start = tpb_nanoseconds();
    uint64_t ticks = tpb_ticks_before();
    while (tpb_nanoseconds() - start < 20000000) {
    }
    uint64_t end_ticks = tpb_ticks_after();
    return (double)(end_ticks - ticks) / (double)(tpb_nanoseconds() - start);
}

static int compare(const void *left, const void *right) {
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return a < b ? -1 : a > b;
}

uint64_t tpb_ticks_overhead(void) {
    enum { count = 1001 };
    static uint64_t differences[count];
    for (int index = 0; index < count; index++) {
        uint64_t before = tpb_ticks_before();
        differences[index] = tpb_ticks_after() - before;
    }
    qsort(differences, count, sizeof differences[0], compare);
    return differences[count / 2];
}
