#define _GNU_SOURCE
#include "CThreadSlot.h"

#include <pthread.h>
#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

uint64_t tensorpool_thread_id(void) {
#if defined(__linux__)
    return (uint64_t)syscall(SYS_gettid);
#else
    uint64_t id = 0;
    pthread_threadid_np(NULL, &id);
    return id;
#endif
}

bool tensorpool_thread_name(char *name, size_t capacity) {
    return pthread_getname_np(pthread_self(), name, capacity) == 0;
}
