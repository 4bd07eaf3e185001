// What Swift cannot say: thread-local slots, a compiler fence, a barrier on all threads, streaming stores, a counter's
// ticks.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__linux__)
#define TENSORPOOL_INITIAL_EXEC __attribute__((tls_model("initial-exec")))
#else
#define TENSORPOOL_INITIAL_EXEC
#endif
#define TENSORPOOL_INLINE static inline __attribute__((always_inline))

/// How many engines a process can have at one time: the length of each thread's table.
enum { tensorpool_engine_capacity = 1024 };

/// One thread's way to its caches, one entry an engine, never null.
struct tensorpool_thread {
    void *_Nonnull *_Nonnull caches;
    uint32_t busy;
    uint32_t finished;
};

extern _Thread_local struct tensorpool_thread tensorpool_thread_slot TENSORPOOL_INITIAL_EXEC;

/// What an entry names where the thread has no cache: one that is never written, all bins of which are closed. So the hot
/// path need not ask whether there is a cache: it finds nothing in this one, and cannot leave anything there.
extern const struct tensorpool_no_cache tensorpool_no_cache;

/// Says that this thread is about to use its cache of an engine, and returns that cache, or the one that keeps nothing.
///
/// Another thread that wants the cache first empties the entry, then calls `tensorpool_barrier_all_threads`, then
/// waits for `busy` to fall: so either it sees this store, or this load sees the empty entry. Two plain stores and a load,
/// where a lock would cost two atomic read-modify-writes. Where no such barrier exists, a fence stands here instead.
TENSORPOOL_INLINE void *_Nonnull tensorpool_enter(uint32_t engine) {
    __atomic_store_n(&tensorpool_thread_slot.busy, 1, __ATOMIC_RELAXED);
#if defined(__linux__)
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
#else
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
#endif
    return __atomic_load_n(&tensorpool_thread_slot.caches[engine], __ATOMIC_ACQUIRE);
}

TENSORPOOL_INLINE void tensorpool_leave(void) {
    __atomic_store_n(&tensorpool_thread_slot.busy, 0, __ATOMIC_RELEASE);
}

TENSORPOOL_INLINE struct tensorpool_thread *_Nonnull tensorpool_current_thread(void) {
    return &tensorpool_thread_slot;
}

TENSORPOOL_INLINE bool tensorpool_is_busy(const struct tensorpool_thread *_Nonnull thread) {
    return __atomic_load_n(&thread->busy, __ATOMIC_ACQUIRE) != 0;
}

TENSORPOOL_INLINE void *_Nullable tensorpool_load_entry(
    const struct tensorpool_thread *_Nonnull thread, uint32_t engine) {
    void *const cache = __atomic_load_n(&thread->caches[engine], __ATOMIC_ACQUIRE);
    return cache == &tensorpool_no_cache ? NULL : cache;
}

/// An entry as it is: of a thread that has no cache, the one that keeps nothing.
TENSORPOOL_INLINE void *_Nonnull tensorpool_load_cache(uint32_t engine) {
    return __atomic_load_n(&tensorpool_thread_slot.caches[engine], __ATOMIC_ACQUIRE);
}

TENSORPOOL_INLINE bool tensorpool_is_cache(const void *_Nonnull cache) {
    return __builtin_expect(cache != &tensorpool_no_cache, 1);
}

TENSORPOOL_INLINE void tensorpool_store_entry(
    struct tensorpool_thread *_Nonnull thread, uint32_t engine, void *_Nullable cache) {
    void *const entry = cache == NULL ? (void *)&tensorpool_no_cache : cache;
    __atomic_store_n(&thread->caches[engine], entry, __ATOMIC_RELEASE);
}

/// Whether a lock may be taken by a flag alone: it takes a barrier on all threads, and a ThreadSanitizer that would see it.
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define TENSORPOOL_THREAD_SANITIZER 1
#endif
#endif
#if defined(__linux__) && !defined(TENSORPOOL_THREAD_SANITIZER)
static const bool tensorpool_can_bias = true;
#else
static const bool tensorpool_can_bias = false;
#endif

/// Takes a lock that is biased to `own`, if it is: see EngineLock.swift.
TENSORPOOL_INLINE bool tensorpool_enter_biased(
    void *_Nullable const *_Nonnull biased, const void *_Nonnull own, uint32_t *_Nonnull inside) {
    if (!tensorpool_can_bias) return false;
    __atomic_store_n(inside, 1, __ATOMIC_RELAXED);
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    if (__atomic_load_n(biased, __ATOMIC_ACQUIRE) == own) return true;
    __atomic_store_n(inside, 0, __ATOMIC_RELEASE);
    return false;
}

TENSORPOOL_INLINE void tensorpool_leave_biased(uint32_t *_Nonnull inside) {
    __atomic_store_n(inside, 0, __ATOMIC_RELEASE);
}

TENSORPOOL_INLINE bool tensorpool_is_inside(const uint32_t *_Nonnull inside) {
    return __atomic_load_n(inside, __ATOMIC_ACQUIRE) != 0;
}

TENSORPOOL_INLINE void *_Nullable tensorpool_load_pointer(void *_Nullable const *_Nonnull place) {
    return __atomic_load_n(place, __ATOMIC_ACQUIRE);
}

TENSORPOOL_INLINE void tensorpool_store_pointer(void *_Nullable *_Nonnull place, void *_Nullable value) {
    __atomic_store_n(place, value, __ATOMIC_RELEASE);
}

/// Orders a store before a later load, as seen by a thread that calls `tensorpool_barrier_all_threads`. Where no such
/// barrier exists, a fence.
TENSORPOOL_INLINE void tensorpool_order_store_before_load(void) {
#if defined(__linux__)
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
#else
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
#endif
}

/// The place in a thread's cache of a request, by its bytes in lines of 64, rounded up: how many bytes behind the first bin
/// that of its size class stands (SizeClass.swift), and for no bytes at all a bin that is always empty.
enum { tensorpool_line_capacity = 513, tensorpool_empty_place = 177 };
#define BIN(number) ((number) * 64)
static const uint16_t tensorpool_place_of_lines[tensorpool_line_capacity] = {
    [0] = BIN(tensorpool_empty_place),
    [1] = BIN(0), [2] = BIN(1), [3] = BIN(2), [4] = BIN(3),
    [5] = BIN(4), [6] = BIN(5), [7] = BIN(6), [8] = BIN(7),
    [9 ... 10] = BIN(8), [11 ... 12] = BIN(9), [13 ... 14] = BIN(10), [15 ... 16] = BIN(11),
    [17 ... 20] = BIN(12), [21 ... 24] = BIN(13), [25 ... 28] = BIN(14), [29 ... 32] = BIN(15),
    [33 ... 40] = BIN(16), [41 ... 48] = BIN(17), [49 ... 56] = BIN(18), [57 ... 64] = BIN(19),
    [65 ... 80] = BIN(20), [81 ... 96] = BIN(21), [97 ... 112] = BIN(22), [113 ... 128] = BIN(23),
    [129 ... 160] = BIN(24), [161 ... 192] = BIN(25), [193 ... 224] = BIN(26), [225 ... 256] = BIN(27),
    [257 ... 320] = BIN(28), [321 ... 384] = BIN(29), [385 ... 448] = BIN(30), [449 ... 512] = BIN(31),
};
#undef BIN

TENSORPOOL_INLINE uint16_t tensorpool_place(size_t lines) { return tensorpool_place_of_lines[lines]; }

/// How many static plans a process can have at one time.
enum { tensorpool_plan_capacity = 4096 };

/// Where a buffer finds its plan by number: here, because a global of Swift's is looked up through a once-token each time.
struct tensorpool_plan {
    /// Null where no plan has this number.
    void *_Nullable statuses;
    /// Not 0 once the plan was dropped.
    uint32_t is_closed;
};

extern struct tensorpool_plan tensorpool_plans[tensorpool_plan_capacity];

TENSORPOOL_INLINE void *_Nullable tensorpool_load_plan_statuses(uint32_t plan) {
    return __atomic_load_n(&tensorpool_plans[plan].statuses, __ATOMIC_ACQUIRE);
}

TENSORPOOL_INLINE void tensorpool_store_plan_statuses(uint32_t plan, void *_Nullable statuses) {
    __atomic_store_n(&tensorpool_plans[plan].statuses, statuses, __ATOMIC_RELEASE);
}

TENSORPOOL_INLINE bool tensorpool_is_plan_closed(uint32_t plan) {
    return __atomic_load_n(&tensorpool_plans[plan].is_closed, __ATOMIC_ACQUIRE) != 0;
}

TENSORPOOL_INLINE void tensorpool_set_plan_closed(uint32_t plan, bool is_closed) {
    __atomic_store_n(&tensorpool_plans[plan].is_closed, is_closed, __ATOMIC_RELEASE);
}

/// The table every thread starts with: all entries empty, never written.
void *_Nonnull *_Nonnull tensorpool_empty_table(void);

/// Empties all entries of a table.
void tensorpool_clear_table(void *_Nonnull *_Nonnull table);

/// Makes every thread of the process pass a full memory barrier before this returns. False where it could not be had.
bool tensorpool_barrier_all_threads(void);

/// The calling thread's id, as the system has it, and its name. False where it has none, or a longer one.
uint64_t tensorpool_thread_id(void);
bool tensorpool_thread_name(char *_Nonnull name, size_t capacity);

/// Sets bytes with stores that go past the cache; destination 64-byte aligned, count a multiple of 64.
void tensorpool_fill_streaming(void *_Nonnull destination, uint8_t value, size_t count);

TENSORPOOL_INLINE void tensorpool_prefetch_for_write(const void *_Nonnull address) {
    __builtin_prefetch(address, 1, 3);
}

#include "ObserverSlot.h"
#include "RecordingSlot.h"
#include "Ticks.h"
