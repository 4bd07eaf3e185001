#include "CThreadSlot.h"

typedef uint64_t lane __attribute__((vector_size(16)));

void tensorpool_fill_streaming(void *destination, uint8_t value, size_t count) {
    const uint64_t word = 0x0101010101010101ull * value;
    const lane pattern = {word, word};
    lane *out = destination;
    for (size_t i = 0; i < count / sizeof(lane); i += 4) {
        __builtin_nontemporal_store(pattern, out + i);
        __builtin_nontemporal_store(pattern, out + i + 1);
        __builtin_nontemporal_store(pattern, out + i + 2);
        __builtin_nontemporal_store(pattern, out + i + 3);
    }
    // Streaming stores are weakly ordered: what another thread reads after a release must be complete.
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}
