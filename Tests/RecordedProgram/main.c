// A program for tests of `tensor-pool record`: it does what its first argument says, and asks malloc for what tests count.
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { thread_count = 4, blocks_per_thread = 2000, block_count = 500 };

/// The compiler must not drop an allocation whose memory nobody uses.
static void *volatile last;

static void *allocate(size_t size) {
    char *block = malloc(size);
    if (block == NULL) abort();
    block[0] = 1;
    last = block;
    return block;
}

static void *slots[64];

/// Puts blocks into places that all threads share, and frees what was there: mostly another thread's.
static void *exchange(void *argument) {
    const size_t number = (size_t)argument;
    for (size_t i = 0; i < blocks_per_thread; i++) {
        void *block = allocate(10000 + number * 8);
        free(__atomic_exchange_n(&slots[(i * 7 + number) % 64], block, __ATOMIC_ACQ_REL));
    }
    return NULL;
}

static void run_threads(void) {
    pthread_t threads[thread_count];
    for (size_t i = 0; i < thread_count; i++) {
        if (pthread_create(&threads[i], NULL, exchange, (void *)i) != 0) abort();
    }
    for (size_t i = 0; i < thread_count; i++) pthread_join(threads[i], NULL);
    for (size_t i = 0; i < 64; i++) free(slots[i]);
}

static void *blocks[block_count];

static void fill(size_t size) {
    for (int i = 0; i < block_count; i++) blocks[i] = allocate(size);
}

static void empty(void) {
    for (int i = 0; i < block_count; i++) free(blocks[i]);
}

int main(int argc, char **argv) {
    const char *mode = argc > 1 ? argv[1] : "";
    if (strcmp(mode, "threads") == 0) {
        run_threads();
    } else if (strcmp(mode, "close") == 0) {
        // What a daemon does, before it has been recorded and after.
        for (int i = 0; i < 1024; i++) close(i);
        fill(20000);
        for (int i = 0; i < 1024; i++) close(i);
        empty();
    } else if (strcmp(mode, "fork") == 0) {
        fill(30000);
        pid_t child = fork();
        if (child == 0) {
            // The parent's blocks are freed here too, and others are asked for.
            empty();
            fill(40000);
            _exit(3);
        }
        int status = 0;
        if (waitpid(child, &status, 0) != child || WEXITSTATUS(status) != 3) return 1;
        empty();
    } else if (strcmp(mode, "kill") == 0) {
        fill(50000);
        kill(getpid(), SIGKILL);
    } else if (strcmp(mode, "pairs") == 0 && argc > 2) {
        // Pairs, and bytes that a file may have.
        if (argc > 3) {
            const struct rlimit limit = {strtoul(argv[3], NULL, 10), RLIM_INFINITY};
            if (setrlimit(RLIMIT_FSIZE, &limit) != 0) return 1;
        }
        for (long i = strtol(argv[2], NULL, 10); i > 0; i--) free(allocate(60000));
        puts("unharmed");
    } else {
        return 64;
    }
    return 0;
}
