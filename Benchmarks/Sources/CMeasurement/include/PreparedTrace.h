#pragma once

#include <stdint.h>

/// One allocation or free. A slot holds one block at a time.
typedef struct {
    int64_t byte_count;
    uint32_t slot;
    uint32_t is_free;
} tpb_event;

/// What a prepared trace file starts with. Then follow the events, the releases, and an offset for each event.
typedef struct {
    /// `tpb_trace_magic`
    uint64_t magic;
    int64_t event_count;
    /// Frees of what is alive after the last event.
    int64_t release_count;
    int64_t slot_count;
    int64_t peak_live_bytes;
    /// The length of the slab in which the offsets lie.
    int64_t plan_bytes;
} tpb_trace_header;

enum { tpb_trace_magic = 0x31425054 };

typedef struct {
    tpb_trace_header header;
    const tpb_event *_Nonnull events;
    const tpb_event *_Nonnull releases;
    /// Where the plan puts each event's block.
    const int64_t *_Nonnull offsets;
} tpb_trace;

/// Maps a prepared trace, every page of it present. Ends the process where the file is none.
tpb_trace tpb_open_trace(const char *_Nonnull path);
