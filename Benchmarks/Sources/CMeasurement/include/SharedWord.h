#pragma once

#include <sched.h>
#include <stdint.h>
#if defined(__x86_64__)
#include <x86intrin.h>
#endif

static inline int64_t tpb_load_acquiring(const int64_t *_Nonnull word) { return __atomic_load_n(word, __ATOMIC_ACQUIRE); }

static inline void tpb_store_releasing(int64_t *_Nonnull word, int64_t value) {
    __atomic_store_n(word, value, __ATOMIC_RELEASE);
}

/// Takes a lock of one word if nobody has it. `tpb_store_releasing(word, 0)` gives it back.
static inline _Bool tpb_try_lock(int64_t *_Nonnull word) { return __atomic_exchange_n(word, 1, __ATOMIC_ACQUIRE) == 0; }

/// Waits a little for another thread, and after a while lets it have the core.
static inline void tpb_wait(int64_t attempt) {
    if (attempt < 64) {
#if defined(__x86_64__)
        _mm_pause();
#endif
    } else {
        sched_yield();
    }
}
