#define _GNU_SOURCE
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "CMeasurement.h"
#include "Worker.h"

#define ALWAYS_INLINE static inline __attribute__((always_inline))

_Noreturn void out_of_memory(int64_t byte_count) {
    fprintf(stderr, "no memory for a block of %lld bytes\n", (long long)byte_count);
    exit(3);
}

/// What a replay runs on: malloc where `slab` is null, else the planned places in the slab.
typedef struct {
    tpb_trace trace;
    void **slots;
    char *slab;
} replay;

ALWAYS_INLINE void *allocate(const replay *replay, int64_t index, const tpb_event *event, bool is_planned) {
    return is_planned ? replay->slab + replay->trace.offsets[index] : allocate_aligned(event->byte_count);
}

/// The loop that is measured. A copy of it is made for each combination of the two constants.
ALWAYS_INLINE void run_events(const replay *replay, bool touches, bool is_planned) {
    const tpb_event *events = replay->trace.events;
    void **slots = replay->slots;
    for (int64_t index = 0; index < replay->trace.header.event_count; index++) {
        const tpb_event *event = &events[index];
        if (!event->is_free) {
            void *address = allocate(replay, index, event, is_planned);
            if (touches) tpb_touch_pages(address, event->byte_count);
            slots[event->slot] = address;
        } else if (!is_planned) {
            free(slots[event->slot]);
        } else {
            tpb_use(slots[event->slot]);
        }
    }
}

static void release(const replay *replay) {
    if (replay->slab) return;
    for (int64_t index = 0; index < replay->trace.header.release_count; index++) {
        free(replay->slots[replay->trace.releases[index].slot]);
    }
}

/// What a round took by both clocks, and its page faults.
typedef struct {
    int64_t wall, processor, faults;
} round_time;

static round_time run_round(const replay *replay, bool touches) {
    round_time time = {.faults = tpb_minor_faults()};
    int64_t processor = tpb_processor_nanoseconds();
    int64_t start = tpb_nanoseconds();
    if (replay->slab) {
        if (touches) run_events(replay, true, true);
        else run_events(replay, false, true);
    } else {
        if (touches) run_events(replay, true, false);
        else run_events(replay, false, false);
    }
    time.wall = tpb_nanoseconds() - start;
    time.processor = tpb_processor_nanoseconds() - processor;
    time.faults = tpb_minor_faults() - time.faults;
    release(replay);
    return time;
}

static void print_round(const char *name, round_time time) {
    printf("%s %lld %lld %lld\n", name, (long long)time.wall, (long long)time.processor, (long long)time.faults);
}

/// Rounds in which each event is timed by itself.
static void run_latency_rounds(const replay *replay, int64_t rounds) {
    const tpb_trace_header *header = &replay->trace.header;
    if (rounds <= 0) return;
    uint64_t *pending = tpb_own_memory(header->slot_count * (int64_t)sizeof(uint64_t));
    tpb_samples allocations = tpb_make_samples(rounds * header->event_count);
    tpb_samples frees = tpb_make_samples(rounds * header->event_count);
    tpb_samples pairs = tpb_make_samples(rounds * header->event_count);
    uint64_t overhead = tpb_ticks_overhead();
    for (int64_t round = 0; round < rounds; round++) {
        for (int64_t index = 0; index < header->event_count; index++) {
            const tpb_event *event = &replay->trace.events[index];
            if (!event->is_free) {
                uint64_t before = tpb_ticks_before();
                void *address = allocate(replay, index, event, replay->slab != NULL);
                uint64_t ticks = tpb_ticks_after() - before;
                replay->slots[event->slot] = address;
                pending[event->slot] = ticks;
                tpb_add_sample(&allocations, ticks);
            } else {
                void *address = replay->slots[event->slot];
                uint64_t before = tpb_ticks_before();
                if (replay->slab) tpb_use(address);
                else free(address);
                uint64_t ticks = tpb_ticks_after() - before;
                tpb_add_sample(&frees, ticks);
                // Two readings' overhead in the pair; one is taken off when it is printed.
                uint64_t sum = pending[event->slot] + ticks;
                tpb_add_sample(&pairs, sum > overhead ? sum - overhead : 0);
            }
        }
        release(replay);
    }
    tpb_samples medians = tpb_medians(&pairs, rounds);
    tpb_print_samples("allocate", &allocations, overhead);
    tpb_print_samples("free", &frees, overhead);
    tpb_print_samples("pair", &pairs, overhead);
    tpb_print_samples("pair_medians", &medians, overhead);
}

/// One slab for the whole plan, every page present, on huge pages where the system has them.
static char *make_slab(int64_t byte_count) {
    const size_t huge = 2 << 20;
    size_t size = ((size_t)byte_count + huge - 1) & ~(huge - 1);
    char *memory = mmap(NULL, size + huge, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) out_of_memory(byte_count);
    char *slab = (char *)(((uintptr_t)memory + huge - 1) & ~(uintptr_t)(huge - 1));
    madvise(slab, size, MADV_HUGEPAGE);
    tpb_touch_pages(slab, byte_count);
    return slab;
}

int run_trace(int count, char **arguments) {
    if (count < 6) return 2;
    bool is_planned = strcmp(arguments[0], "floor") == 0;
    replay replay = {.trace = tpb_open_trace(arguments[1])};
    bool touches = strcmp(arguments[2], "page") == 0;
    int64_t rounds = strtoll(arguments[3], NULL, 10);
    int64_t budget = strtoll(arguments[4], NULL, 10) * 1000000;
    int64_t latency_rounds = strtoll(arguments[5], NULL, 10);
    replay.slots = tpb_own_memory(replay.trace.header.slot_count * (int64_t)sizeof(void *));

    bool is_reset = tpb_reset_resident_peak();
    int64_t resident_before = tpb_resident_bytes();
    round_time construction = {.faults = tpb_minor_faults()};
    int64_t start = tpb_nanoseconds();
    int64_t processor = tpb_processor_nanoseconds();
    if (is_planned) replay.slab = make_slab(replay.trace.header.plan_bytes);
    construction.wall = tpb_nanoseconds() - start;
    construction.processor = tpb_processor_nanoseconds() - processor;
    construction.faults = tpb_minor_faults() - construction.faults;
    round_time first = run_round(&replay, touches);
    print_round("construction", construction);
    print_round("first", first);

    int64_t warm_start = tpb_nanoseconds();
    for (int64_t round = 0; round < rounds; round++) {
        print_round("round", run_round(&replay, touches));
        if (tpb_nanoseconds() - warm_start > budget) break;
    }
    printf("resident_before %lld\nresident_peak %lld\npeak_is_reset %d\n", (long long)resident_before,
           (long long)tpb_resident_peak_bytes(), is_reset);
    run_latency_rounds(&replay, latency_rounds);
    return 0;
}

int run_populate(int count, char **arguments) {
    if (count < 1) return 2;
    int64_t byte_count = strtoll(arguments[0], NULL, 10);
    printf("populate %lld\n", (long long)tpb_populate_huge_pages(byte_count));
    return 0;
}
