#include "Parallel.h"

#include <pthread.h>
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

static void *run(void *argument) {
    task *own = argument;
    if (own->warm_up) own->warm_up(own->context, own->index);
    pthread_barrier_wait(own->ready);
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
