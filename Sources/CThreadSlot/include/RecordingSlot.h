// Where a thread finds the buffer of the recording that it recorded for last.
#pragma once

#include <stdint.h>

struct tensorpool_recording_slot {
    /// 0 for none.
    uint64_t recording;
    /// Null where that recording takes nothing more.
    void *_Nullable ring;
};

extern _Thread_local struct tensorpool_recording_slot tensorpool_recording_slot TENSORPOOL_INITIAL_EXEC;

/// Sets `ring` where the calling thread recorded for this recording last. A look-up by the system's keys costs more.
TENSORPOOL_INLINE bool tensorpool_load_recording_slot(uint64_t recording, void *_Nullable *_Nonnull ring) {
    *ring = tensorpool_recording_slot.ring;
    return tensorpool_recording_slot.recording == recording;
}

TENSORPOOL_INLINE void tensorpool_store_recording_slot(uint64_t recording, void *_Nullable ring) {
    tensorpool_recording_slot.recording = recording;
    tensorpool_recording_slot.ring = ring;
}
