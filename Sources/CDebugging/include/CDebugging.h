// What debugging modes need and Swift cannot say: checkers that may be there or not, stacks, a handler of faults.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// MARK: - Memory checkers: AddressSanitizer where the program is linked with it, Valgrind where its headers were there
// when this was built. Nothing happens without them.

/// Says that nobody may touch the bytes, and that they may be touched.
void tensorpool_forbid_bytes(const void *_Nonnull start, size_t count);
void tensorpool_allow_bytes(const void *_Nonnull start, size_t count);

/// Says that a tensor begins and ends to live in bytes that may be touched. Valgrind alone is told.
void tensorpool_tensor_begins(const void *_Nonnull start, size_t count, size_t guard_count, bool is_zeroed);
void tensorpool_tensor_ends(const void *_Nonnull start, size_t guard_count);

/// Whether the program runs under a checker that these calls reach.
bool tensorpool_has_checker(void);

// MARK: - Overwriting

/// Sets bytes to zero in a way that no compiler leaves out.
void tensorpool_scrub(void *_Nonnull start, size_t count);

// MARK: - Stacks

/// The return addresses of the calling thread's stack, innermost first. Returns how many; 0 where it cannot be had.
size_t tensorpool_stack(void *_Nullable *_Nonnull frames, size_t capacity);

/// The symbols of frames, to be freed in one piece by `free`; null where they cannot be had.
char *_Nullable *_Nullable tensorpool_symbols(void *_Nullable const *_Nonnull frames, size_t count);

// MARK: - Guarded places: address ranges that a fault is explained by

enum { tensorpool_place_capacity = 2048, tensorpool_place_frames = 24 };

/// A tensor between inaccessible pages. Read by the handler of faults, so nothing here points elsewhere.
struct tensorpool_place {
    /// The range with its guard pages; 0 where the entry is not used.
    uintptr_t begin;
    uintptr_t end;
    uintptr_t tensor;
    size_t byte_count;
    uint64_t tensor_id;
    bool has_tensor_id;
    bool is_freed;
    size_t allocation_count;
    size_t free_count;
    void *_Nullable allocation[tensorpool_place_frames];
    void *_Nullable freeing[tensorpool_place_frames];
};

/// Takes an unused entry; -1 where all are used.
int32_t tensorpool_claim_place(void);
struct tensorpool_place *_Nonnull tensorpool_place_at(int32_t index);
/// Makes a filled entry one that a fault is explained by; returns it.
void tensorpool_publish_place(int32_t index, uintptr_t begin);
void tensorpool_release_place(int32_t index);

/// Writes what a guarded place knows of an address to a file descriptor. False where no place has it.
bool tensorpool_explain(uintptr_t address, int file);

/// Installs a handler of SIGSEGV and SIGBUS that explains faults in guarded places on standard error, and then leaves the
/// signal to the handler before it. Once a process; false where the system refuses.
bool tensorpool_handle_faults(void);
