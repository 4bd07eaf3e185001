// The observers of buffers by number, and the references to one of them that a thread has to spare.
#pragma once

#include <stdbool.h>
#include <stdint.h>

/// Bits of an engine's number in a buffer. Above them stands its observer's.
enum { tensorpool_engine_bits = 10 };
_Static_assert(tensorpool_engine_capacity <= 1 << tensorpool_engine_bits, "an engine's number has no more bits");

/// How many observers there can be at one time, and one more: 0 is none.
enum { tensorpool_observer_capacity = 1 << 20 };
_Static_assert(tensorpool_observer_capacity <= 1 << (32 - tensorpool_engine_bits), "an observer's has the other bits");

/// 8 MiB of addresses, of which only what is used becomes memory. In C, for a static of Swift asks at each use whether it
/// has been made.
extern void *_Nullable tensorpool_observers[tensorpool_observer_capacity];

/// The most references that a thread keeps, and how many are counted at one time.
enum { tensorpool_spare_reference_limit = 128, tensorpool_spare_reference_batch = 64 };

/// References for the next buffers that this thread allocates.
struct tensorpool_observer_slot {
    /// The observer's number. Without a reference, it may be another one's by now.
    uint32_t number;
    uint32_t references;
};

extern _Thread_local struct tensorpool_observer_slot tensorpool_observer_slot TENSORPOOL_INITIAL_EXEC;

/// Takes a reference to this observer, if the thread has one to spare.
TENSORPOOL_INLINE bool tensorpool_take_spare_reference(uint32_t number) {
    struct tensorpool_observer_slot *const slot = &tensorpool_observer_slot;
    if (slot->number != number || slot->references == 0) return false;
    slot->references--;
    return true;
}

/// Keeps a reference to this observer, if the thread keeps those of this one and has not enough.
TENSORPOOL_INLINE bool tensorpool_keep_spare_reference(uint32_t number) {
    struct tensorpool_observer_slot *const slot = &tensorpool_observer_slot;
    if (slot->number != number || slot->references == tensorpool_spare_reference_limit) return false;
    slot->references++;
    return true;
}

TENSORPOOL_INLINE struct tensorpool_observer_slot tensorpool_load_observer_slot(void) {
    return tensorpool_observer_slot;
}

TENSORPOOL_INLINE void tensorpool_store_observer_slot(struct tensorpool_observer_slot slot) {
    tensorpool_observer_slot = slot;
}

TENSORPOOL_INLINE void *_Nullable tensorpool_observer(uint32_t number) { return tensorpool_observers[number]; }

TENSORPOOL_INLINE void tensorpool_enter_observer(uint32_t number, void *_Nonnull observer) {
    tensorpool_observers[number] = observer;
}
