// The parts of the preloaded recorder. Nothing here is seen by the program; nothing here calls its malloc.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#pragma GCC visibility push(hidden)

/// The smallest request that is recorded; SIZE_MAX while nothing is.
extern size_t recorder_threshold;

/// Writes a record. False where it could not be kept, which is counted.
bool recorder_write(uint32_t kind, const void *address, size_t size, uint64_t time);
void recorder_count_dropped(void);
/// Says where files are to be written, once.
void recorder_open(const char *directory, size_t directory_length, size_t threshold);
/// In a forked child: forgets the parent's file, as if nothing had been recorded.
void recorder_forget(void);
uint64_t recorder_now(void);

/// Addresses of recorded blocks that are not freed yet. False where there is no memory for it.
bool live_insert(const void *address);
/// False where it is not there.
bool live_remove(const void *address);
void live_forget(void);

/// A lock that needs no initialisation and calls nothing: 0 is free.
typedef uint32_t spin_lock;
void spin_acquire(spin_lock *lock);
void spin_release(spin_lock *lock);

#pragma GCC visibility pop
