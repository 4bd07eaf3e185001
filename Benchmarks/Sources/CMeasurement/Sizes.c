#include "Sizes.h"

#include <math.h>

const int32_t *tpb_sizes(void) {
    static int32_t sizes[TPB_SIZE_COUNT];
    if (sizes[0] == 0) {
        uint64_t state = 0x9E3779B97F4A7C15;
        for (int index = 0; index < TPB_SIZE_COUNT; index++) {
            double share = (double)(tpb_next_random(&state) >> 11) / (double)(1ull << 53);
            sizes[index] = (int32_t)(1024 * pow(128, share));
        }
    }
    return sizes;
}
