#pragma once

#include <stdbool.h>
#include <stdint.h>

/// Page faults of the process that needed no input or output.
int64_t tpb_minor_faults(void);

/// Bytes of the process that are resident now.
int64_t tpb_resident_bytes(void);

/// The most bytes that were resident since the last reset.
int64_t tpb_resident_peak_bytes(void);

/// Makes all pages of the mapped files resident, code and constants: what is read of them later is nobody's growth and
/// nobody's fault. Where the system cannot (before Linux 5.14), they come when they are used.
void tpb_make_files_resident(void);

/// Sets the peak to what is resident now, once all files are. False where the system refuses: the peak is then the process's.
bool tpb_reset_resident_peak(void);

/// Memory of the benchmark's own, from the system and touched, so that it counts as nobody's growth or fault.
void *_Nonnull tpb_own_memory(int64_t byte_count);

/// The file that the process's `malloc` comes from.
const char *_Nonnull tpb_malloc_origin(void);

/// Gets memory on 2 MiB pages from the system in one populate call: nanoseconds, or -1 where the system refuses.
int64_t tpb_populate_huge_pages(int64_t byte_count);
