// What a recorded process leaves behind, and `tensor-pool record` turns into a trace. RawRecording.swift reads it.
//
// One file a process image, `PID-N.raw`: a header of 4,096 bytes, then blocks of 64 KiB, each 2,048 records in any
// order of time. A thread fills one block at a time through a shared mapping, so that every record written is there
// however the process ends. Native byte order: both sides run on one machine.
#pragma once

#include <stdint.h>

#define RAW_MAGIC "TPRAWREC"
enum {
    raw_version = 1,
    raw_header_length = 4096,
    raw_block_length = 65536,
    raw_name_length = 64,
    raw_allocate = 1,
    raw_free = 2,
};

struct raw_header {
    char magic[8];
    uint32_t version;
    uint32_t process;
    /// Nanoseconds since 1970, and by the clock of the records, at one moment.
    uint64_t unix_time;
    uint64_t clock_time;
    /// Events that could not be kept.
    uint64_t dropped;
    uint64_t threshold;
    /// The program's name, as the system has it.
    char name[raw_name_length];
};

struct raw_record {
    /// Nanoseconds of the monotonic clock: of an allocation taken after it, of a free before it.
    uint64_t time;
    uint64_t address;
    /// Bytes asked for; 0 for a free.
    uint64_t size;
    uint32_t thread;
    /// Written last: 0 where there is no record.
    uint32_t kind;
};
