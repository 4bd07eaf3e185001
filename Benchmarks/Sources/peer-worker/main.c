// Measures the malloc that is in this process: the system's, or a preloaded one. Prints "name value" lines.
#include <stdio.h>
#include <string.h>

#include "CMeasurement.h"
#include "Worker.h"

int main(int count, char **arguments) {
    if (count >= 2) {
        const char *command = arguments[1];
        printf("malloc %s\n", tpb_malloc_origin());
        if (strcmp(command, "trace") == 0) return run_trace(count - 2, arguments + 2);
        if (strcmp(command, "pair") == 0) return run_pairs(count - 2, arguments + 2);
        if (strcmp(command, "threads") == 0) return run_threads(count - 2, arguments + 2);
        if (strcmp(command, "populate") == 0) return run_populate(count - 2, arguments + 2);
    }
    fprintf(stderr,
            "peer-worker trace malloc|floor FILE none|page ROUNDS BUDGET_MS LATENCY_ROUNDS\n"
            "peer-worker pair aligned|plain BUDGET_MS SIZE...\n"
            "peer-worker threads WORKLOAD THREADS OPERATIONS\n"
            "peer-worker populate BYTES\n");
    return 2;
}
