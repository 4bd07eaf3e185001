// What a fault in a guarded place tells. The handler uses nothing but this table, write and backtrace_symbols_fd.
#if defined(__linux__)
#define _GNU_SOURCE
#endif
#include "CDebugging.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>
#if __has_include(<execinfo.h>)
#include <execinfo.h>
#define HAS_SYMBOLS 1
#endif

static struct tensorpool_place places[tensorpool_place_capacity];
/// 0 unused, 1 claimed.
static uint32_t claims[tensorpool_place_capacity];
static uint32_t next_claim;

int32_t tensorpool_claim_place(void) {
    const uint32_t first = __atomic_fetch_add(&next_claim, 1, __ATOMIC_RELAXED);
    for (uint32_t step = 0; step < tensorpool_place_capacity; step++) {
        const uint32_t index = (first + step) % tensorpool_place_capacity;
        uint32_t unused = 0;
        if (__atomic_compare_exchange_n(
                &claims[index], &unused, 1, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) {
            return (int32_t)index;
        }
    }
    return -1;
}

struct tensorpool_place *tensorpool_place_at(int32_t index) { return &places[index]; }

void tensorpool_publish_place(int32_t index, uintptr_t begin) {
    __atomic_store_n(&places[index].begin, begin, __ATOMIC_RELEASE);
}

void tensorpool_release_place(int32_t index) {
    __atomic_store_n(&places[index].begin, 0, __ATOMIC_RELEASE);
    __atomic_store_n(&claims[index], 0, __ATOMIC_RELEASE);
}

// MARK: - Writing, as a signal handler may

static void put(int file, const char *text) {
    ssize_t written = write(file, text, strlen(text));
    (void)written;
}

static void put_number(int file, uint64_t number) {
    char digits[21];
    size_t place = sizeof digits;
    digits[--place] = 0;
    do {
        digits[--place] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    put(file, digits + place);
}

static void put_stack(int file, const char *title, void *const *frames, size_t count) {
    if (count == 0) return;
    put(file, title);
#ifdef HAS_SYMBOLS
    backtrace_symbols_fd(frames, (int)count, file);
#endif
}

bool tensorpool_explain(uintptr_t address, int file) {
    for (uint32_t index = 0; index < tensorpool_place_capacity; index++) {
        const struct tensorpool_place *place = &places[index];
        const uintptr_t begin = __atomic_load_n(&place->begin, __ATOMIC_ACQUIRE);
        if (begin == 0 || address < begin || address >= place->end) continue;
        put(file, "TensorPool: ");
        if (address < place->tensor) {
            put_number(file, place->tensor - address);
            put(file, " bytes before the start of ");
        } else if (address >= place->tensor + place->byte_count) {
            put_number(file, address - place->tensor - place->byte_count);
            put(file, " bytes past the end of ");
        } else {
            put(file, "byte ");
            put_number(file, address - place->tensor);
            put(file, " of ");
        }
        put(file, place->is_freed ? "freed " : "live ");
        if (place->has_tensor_id) {
            put(file, "tensor ");
            put_number(file, place->tensor_id);
        } else {
            put(file, "buffer");
        }
        put(file, " (");
        put_number(file, place->byte_count);
        put(file, " bytes) was touched\n");
        put_stack(file, "allocated by\n", place->allocation, place->allocation_count);
        put_stack(file, "freed by\n", place->freeing, place->free_count);
        return true;
    }
    return false;
}

// MARK: - The handler

static struct sigaction before_fault;
static struct sigaction before_bus_error;
static uint32_t is_installed;

static void handle(int signal, siginfo_t *information, void *context) {
    tensorpool_explain((uintptr_t)information->si_addr, STDERR_FILENO);
    const struct sigaction *before = signal == SIGSEGV ? &before_fault : &before_bus_error;
    if (before->sa_flags & SA_SIGINFO) {
        before->sa_sigaction(signal, information, context);
    } else if (before->sa_handler != SIG_DFL && before->sa_handler != SIG_IGN) {
        before->sa_handler(signal);
    } else {
        // The instruction runs again, and this time the system ends the process.
        struct sigaction fallback;
        memset(&fallback, 0, sizeof fallback);
        fallback.sa_handler = SIG_DFL;
        sigaction(signal, &fallback, NULL);
        // Unless it was sent by a program.
        if (information->si_code <= 0) raise(signal);
    }
}

bool tensorpool_handle_faults(void) {
    uint32_t expected = 0;
    if (!__atomic_compare_exchange_n(&is_installed, &expected, 1, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
        return true;
    }
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_sigaction = handle;
    // A stack of its own where the thread has one: the fault may be the end of the other.
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    sigemptyset(&action.sa_mask);
    const bool done =
        sigaction(SIGSEGV, &action, &before_fault) == 0 && sigaction(SIGBUS, &action, &before_bus_error) == 0;
    if (!done) __atomic_store_n(&is_installed, 0, __ATOMIC_RELEASE);
    return done;
}
