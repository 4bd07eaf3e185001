#define _GNU_SOURCE
#include "Parallel.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "Clock.h"

enum { maximum_threads = 64 };

typedef struct {
    void (*warm_up)(void *context, int32_t index);
    void (*body)(void *context, int32_t index);
    void *context;
    pthread_barrier_t *ready;
    int32_t index;
    int64_t start, end, processor;
} task;

/// A processor for each thread, as far as there are any: the kernel may leave two threads that start together on one of
/// them for some milliseconds, which is as long as a run takes. A process that runs beside another is told by the
/// environment which of the processors its first thread has, and when to begin.
static void stay_on_processor(int32_t index) {
    cpu_set_t allowed;
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return;
    const char *first = getenv("TENSOR_POOL_BENCH_FIRST_PROCESSOR");
    int32_t skipped = (index + (first ? atoi(first) : 0)) % CPU_COUNT(&allowed);
    for (int32_t processor = 0; processor < CPU_SETSIZE; processor++) {
        if (!CPU_ISSET(processor, &allowed) || skipped-- > 0) continue;
        cpu_set_t own;
        CPU_ZERO(&own);
        CPU_SET(processor, &own);
        sched_setaffinity(0, sizeof own, &own);
        return;
    }
}

static void wait_for_start(void) {
    const char *start = getenv("TENSOR_POOL_BENCH_START");
    if (!start) return;
    int64_t nanoseconds = atoll(start);
    while (tpb_nanoseconds() < nanoseconds) {
    }
}

static void *run(void *argument) {
    task *own = argument;
    stay_on_processor(own->index);
    if (own->warm_up) own->warm_up(own->context, own->index);
    pthread_barrier_wait(own->ready);
    wait_for_start();
    own->start = tpb_nanoseconds();
    int64_t processor = tpb_processor_nanoseconds();
    own->body(own->context, own->index);
    own->processor = tpb_processor_nanoseconds() - processor;
    own->end = tpb_nanoseconds();
    return NULL;
}

tpb_parallel_time tpb_parallel(
    int32_t thread_count, void (*warm_up)(void *, int32_t), void (*body)(void *, int32_t), void *context) {
    pthread_t threads[maximum_threads];
    task tasks[maximum_threads];
    pthread_barrier_t ready;
    if (thread_count < 1 || thread_count > maximum_threads
        || pthread_barrier_init(&ready, NULL, (unsigned)thread_count) != 0) {
        fprintf(stderr, "%d threads cannot be run\n", thread_count);
        exit(2);
    }
    for (int32_t index = 0; index < thread_count; index++) {
        tasks[index] = (task){.warm_up = warm_up, .body = body, .context = context, .ready = &ready, .index = index};
        if (pthread_create(&threads[index], NULL, run, &tasks[index]) != 0) {
            fprintf(stderr, "thread %d could not be started\n", index);
            exit(2);
        }
    }
    int64_t start = INT64_MAX, end = 0, processor = 0;
    for (int32_t index = 0; index < thread_count; index++) {
        pthread_join(threads[index], NULL);
        if (tasks[index].start < start) start = tasks[index].start;
        if (tasks[index].end > end) end = tasks[index].end;
        processor += tasks[index].processor;
    }
    pthread_barrier_destroy(&ready);
    return (tpb_parallel_time){.wall_nanoseconds = end - start, .processor_nanoseconds = processor};
}
