#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "CMeasurement.h"
#include "Worker.h"

/// So many pairs in a row of one size, untouched: processor time.
static int64_t run_chunk(int64_t byte_count, int64_t pairs, bool is_aligned) {
    int64_t start = tpb_processor_nanoseconds();
    if (is_aligned) {
        for (int64_t index = 0; index < pairs; index++) {
            void *address = allocate_aligned(tpb_opaque(byte_count));
            tpb_use(address);
            free(address);
        }
    } else {
        for (int64_t index = 0; index < pairs; index++) {
            void *address = malloc((size_t)tpb_opaque(byte_count));
            if (!address) out_of_memory(byte_count);
            tpb_use(address);
            free(address);
        }
    }
    return tpb_processor_nanoseconds() - start;
}

int run_pairs(int count, char **arguments) {
    if (count < 3) return 2;
    bool is_aligned = strcmp(arguments[0], "aligned") == 0;
    int64_t budget = strtoll(arguments[1], NULL, 10) * 1000000;
    enum { chunks = 7 };
    for (int place = 2; place < count; place++) {
        int64_t byte_count = strtoll(arguments[place], NULL, 10);
        run_chunk(byte_count, 1, is_aligned);
        // Doubled until a chunk takes its share of the budget.
        int64_t pairs = 1;
        while (pairs < (int64_t)1 << 40 && run_chunk(byte_count, pairs, is_aligned) < budget / chunks / 2) pairs *= 2;
        for (int chunk = 0; chunk < chunks; chunk++) {
            double taken = (double)run_chunk(byte_count, pairs, is_aligned);
            printf("pair %lld %.4f\n", (long long)byte_count, taken / (double)pairs);
        }
    }
    return 0;
}
