// The workloads the field uses for threads, on blocks as tensors are. The Swift worker has the same ones, line by line.
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "CMeasurement.h"
#include "Worker.h"

typedef struct {
    int32_t thread_count;
    int64_t operations;
    const int32_t *sizes;
} workload;

static tpb_parallel_time add(tpb_parallel_time a, tpb_parallel_time b) {
    return (tpb_parallel_time){
        .wall_nanoseconds = a.wall_nanoseconds + b.wall_nanoseconds,
        .processor_nanoseconds = a.processor_nanoseconds + b.processor_nanoseconds,
    };
}

// Independent: each thread allocates and frees by itself, a few sizes in turn, warm.

enum { independent_warm_up = 1000 };

static void allocate_independently(int64_t operations) {
    static const int64_t sizes[4] = {1 << 10, 16 << 10, 64 << 10, 1 << 20};
    for (int64_t operation = 0; operation < operations; operation++) {
        void *address = allocate_aligned(sizes[operation & 3]);
        tpb_touch_first(address);
        free(address);
    }
}

static void warm_up_independent(void *context, int32_t index) {
    (void)context, (void)index;
    allocate_independently(independent_warm_up);
}

static void independent(void *context, int32_t index) {
    (void)index;
    allocate_independently(((const workload *)context)->operations);
}

// Server, like larson: threads replace random blocks of a table, end, and new threads go on with another's table.

enum { server_blocks = 1000, server_generations = 8 };

typedef struct {
    workload work;
    int32_t generation;
    void **blocks;
} server_state;

static void server(void *context, int32_t index) {
    const server_state *state = context;
    const workload *work = &state->work;
    int32_t owner = (index + state->generation) % work->thread_count;
    void **blocks = state->blocks + (int64_t)owner * server_blocks;
    uint64_t random = 0x2545F4914F6CDD1D + (uint64_t)(owner + state->generation * 64);
    for (int64_t operation = 0; operation < work->operations / server_generations; operation++) {
        uint64_t number = tpb_next_random(&random);
        int64_t place = (int64_t)(number % server_blocks);
        int64_t byte_count = work->sizes[(number >> 32) % TPB_SIZE_COUNT];
        free(blocks[place]);
        void *address = allocate_aligned(byte_count);
        tpb_touch_first(address);
        blocks[place] = address;
    }
}

static tpb_parallel_time run_server(workload work) {
    int64_t count = (int64_t)work.thread_count * server_blocks;
    server_state state = {.work = work, .blocks = tpb_own_memory(count * (int64_t)sizeof(void *))};
    for (int64_t place = 0; place < count; place++) state.blocks[place] = allocate_aligned(work.sizes[place % TPB_SIZE_COUNT]);
    tpb_parallel_time time = {0};
    for (state.generation = 0; state.generation < server_generations; state.generation++) {
        time = add(time, tpb_parallel(work.thread_count, NULL, server, &state));
    }
    for (int64_t place = 0; place < count; place++) free(state.blocks[place]);
    return time;
}

// Producer and consumer, like xmalloc: half the threads allocate, the other half free. One thread alternates.

enum { ring_places = 1024, batch = 256 };

typedef struct {
    int64_t written __attribute__((aligned(64)));
    int64_t read __attribute__((aligned(64)));
    void *places[ring_places] __attribute__((aligned(64)));
} ring;

typedef struct {
    workload work;
    ring *rings;
} producer_state;

static void produce(const workload *work, ring *ring) {
    for (int64_t operation = 0; operation < work->operations; operation++) {
        void *address = allocate_aligned(work->sizes[operation % TPB_SIZE_COUNT]);
        tpb_touch_first(address);
        int64_t attempt = 0;
        while (operation - tpb_load_acquiring(&ring->read) >= ring_places) tpb_wait(attempt++);
        ring->places[operation % ring_places] = address;
        tpb_store_releasing(&ring->written, operation + 1);
    }
}

static void consume(const workload *work, ring *ring) {
    for (int64_t operation = 0; operation < work->operations; operation++) {
        int64_t attempt = 0;
        while (tpb_load_acquiring(&ring->written) <= operation) tpb_wait(attempt++);
        void *address = ring->places[operation % ring_places];
        tpb_store_releasing(&ring->read, operation + 1);
        free(address);
    }
}

static void alternate(const workload *work, ring *ring) {
    for (int64_t operation = 0; operation < work->operations; operation += batch) {
        for (int64_t place = 0; place < batch; place++) {
            void *address = allocate_aligned(work->sizes[(operation + place) % TPB_SIZE_COUNT]);
            tpb_touch_first(address);
            ring->places[place] = address;
        }
        for (int64_t place = 0; place < batch; place++) free(ring->places[place]);
    }
}

static void producer(void *context, int32_t index) {
    const producer_state *state = context;
    ring *ring = &state->rings[index / 2];
    if (state->work.thread_count == 1) alternate(&state->work, ring);
    else if (index % 2 == 0) produce(&state->work, ring);
    else consume(&state->work, ring);
}

static tpb_parallel_time run_producer(workload work) {
    producer_state state = {.work = work, .rings = tpb_own_memory((work.thread_count + 1) / 2 * (int64_t)sizeof(ring))};
    return tpb_parallel(work.thread_count, NULL, producer, &state);
}

// Churn, like mstress: each thread replaces random blocks of its own, and now and then trades one with the others.

enum { churn_blocks = 512, churn_shared = 128 };

typedef struct {
    int64_t lock __attribute__((aligned(64)));
    void *block;
} shared_place;

typedef struct {
    workload work;
    shared_place *shared;
    void **blocks;
} churn_state;

static void churn(void *context, int32_t index) {
    const churn_state *state = context;
    const workload *work = &state->work;
    void **blocks = state->blocks + (int64_t)index * churn_blocks;
    uint64_t random = 0x9E3779B97F4A7C15 + (uint64_t)index;
    for (int64_t operation = 0; operation < work->operations; operation++) {
        uint64_t number = tpb_next_random(&random);
        int64_t place = (int64_t)(number % churn_blocks);
        int64_t byte_count = work->sizes[(number >> 32) % TPB_SIZE_COUNT];
        if ((number >> 56) % 4 == 0) {
            shared_place *shared = &state->shared[(number >> 16) % churn_shared];
            if (tpb_try_lock(&shared->lock)) {
                void *other = shared->block;
                shared->block = blocks[place];
                blocks[place] = other;
                tpb_store_releasing(&shared->lock, 0);
            }
        }
        free(blocks[place]);
        void *address = allocate_aligned(byte_count);
        tpb_touch_first(address);
        blocks[place] = address;
    }
}

static tpb_parallel_time run_churn(workload work) {
    int64_t count = (int64_t)work.thread_count * churn_blocks;
    churn_state state = {
        .work = work,
        .shared = tpb_own_memory(churn_shared * (int64_t)sizeof(shared_place)),
        .blocks = tpb_own_memory(count * (int64_t)sizeof(void *)),
    };
    for (int64_t place = 0; place < count; place++) state.blocks[place] = allocate_aligned(work.sizes[place % TPB_SIZE_COUNT]);
    for (int64_t place = 0; place < churn_shared; place++) state.shared[place].block = allocate_aligned(work.sizes[place]);
    tpb_parallel_time time = tpb_parallel(work.thread_count, NULL, churn, &state);
    for (int64_t place = 0; place < count; place++) free(state.blocks[place]);
    for (int64_t place = 0; place < churn_shared; place++) free(state.shared[place].block);
    return time;
}

// Cache-scratch: each thread frees a block that the main thread allocated beside the others', and from then on
// allocates, writes and frees blocks of 8 bytes. Where two of them share a cache line, writing is slow.

enum { scratch_writes = 1000 };

typedef struct {
    workload work;
    void **blocks;
} scratch_state;

static void scratch(void *context, int32_t index) {
    const scratch_state *state = context;
    free(state->blocks[index]);
    for (int64_t operation = 0; operation < state->work.operations; operation++) {
        void *address = allocate_aligned(8);
        tpb_write_often(address, scratch_writes);
        free(address);
    }
}

static tpb_parallel_time run_scratch(workload work) {
    scratch_state state = {.work = work, .blocks = tpb_own_memory(work.thread_count * (int64_t)sizeof(void *))};
    for (int32_t index = 0; index < work.thread_count; index++) state.blocks[index] = allocate_aligned(8);
    return tpb_parallel(work.thread_count, NULL, scratch, &state);
}

static bool run(const char *name, workload work, tpb_parallel_time *time) {
    if (strcmp(name, "independent") == 0) *time = tpb_parallel(work.thread_count, warm_up_independent, independent, &work);
    else if (strcmp(name, "server") == 0) *time = run_server(work);
    else if (strcmp(name, "producer-consumer") == 0) *time = run_producer(work);
    else if (strcmp(name, "churn") == 0) *time = run_churn(work);
    else if (strcmp(name, "cache-scratch") == 0) *time = run_scratch(work);
    else return false;
    return true;
}

int run_threads(int count, char **arguments) {
    if (count < 3) return 2;
    workload work = {
        .thread_count = (int32_t)strtol(arguments[1], NULL, 10),
        .operations = strtoll(arguments[2], NULL, 10),
        .sizes = tpb_sizes(),
    };
    tpb_parallel_time time;
    tpb_reset_resident_peak();
    int64_t resident_before = tpb_resident_bytes();
    if (!run(arguments[0], work, &time)) return 2;
    printf("wall %lld\nprocessor %lld\nresident_before %lld\nresident_peak %lld\n", (long long)time.wall_nanoseconds,
           (long long)time.processor_nanoseconds, (long long)resident_before, (long long)tpb_resident_peak_bytes());
    return 0;
}
