#include "CThreadSlot.h"

// The layout of ThreadCache.swift and CacheBin.swift, as far as the hot path reads it; a test compares them.
enum { header_word_count = 16, bin_count = 178 };

struct tensorpool_no_cache {
    uint64_t header[header_word_count];
    struct {
        uintptr_t slot;
        void *const *top;
        void *const *ceiling;
        uint64_t rest[5];
    } bins[bin_count];
};

static void *const below_entries[1] = {NULL};

// No thread has the owner's number -1. The slot is closed, and the array has neither an entry nor a place for one.
const struct tensorpool_no_cache tensorpool_no_cache = {
    .header = {[0 ... header_word_count - 1] = UINT64_MAX},
    .bins = {[0 ... bin_count - 1] = {1, below_entries + 1, below_entries + 1, {1}}},
};

#define NO_CACHE ((void *)&tensorpool_no_cache)

static void *empty_table[tensorpool_engine_capacity] = {[0 ... tensorpool_engine_capacity - 1] = NO_CACHE};

_Thread_local struct tensorpool_thread tensorpool_thread_slot = {empty_table, 0, 0};

void **tensorpool_empty_table(void) { return empty_table; }

void tensorpool_clear_table(void **table) {
    for (size_t index = 0; index < tensorpool_engine_capacity; index++) table[index] = NO_CACHE;
}

struct tensorpool_plan tensorpool_plans[tensorpool_plan_capacity];

void *tensorpool_observers[tensorpool_observer_capacity];

_Thread_local struct tensorpool_observer_slot tensorpool_observer_slot = {0, 0};

_Thread_local struct tensorpool_recording_slot tensorpool_recording_slot = {0, NULL};
