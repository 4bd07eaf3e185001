#include "Output.h"

#include <stdio.h>
#include <stdlib.h>

void tpb_flush(void) { fflush(NULL); }

void tpb_fail(const char *reason) {
    fflush(NULL);
    fprintf(stderr, "%s\n", reason);
    exit(3);
}
