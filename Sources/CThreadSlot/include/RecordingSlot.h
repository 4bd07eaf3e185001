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

/// Whether the calling thread recorded for this recording last. A look-up by the system's keys costs more.
TENSORPOOL_INLINE bool tensorpool_recorded_last(uint64_t recording) {
    return tensorpool_recording_slot.recording == recording;
}

/// The ring of the recording that the calling thread recorded for last.
TENSORPOOL_INLINE void *_Nullable tensorpool_last_ring(void) { return tensorpool_recording_slot.ring; }

TENSORPOOL_INLINE void tensorpool_store_recording_slot(uint64_t recording, void *_Nullable ring) {
    tensorpool_recording_slot.recording = recording;
    tensorpool_recording_slot.ring = ring;
}
