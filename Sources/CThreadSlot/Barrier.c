#if defined(__linux__)
#define _GNU_SOURCE
#endif
#include "CThreadSlot.h"

#if defined(__linux__)
#include <pthread.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

// linux/membarrier.h, spelled out: older kernel headers do not have it.
enum { register_private_expedited = 1 << 4, private_expedited = 1 << 3 };

static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;
static bool registered;
static volatile char *fallback_page;

/// Lowering the rights of a page in use makes the kernel interrupt every core that may have it in its TLB, and an
/// interrupt is a full barrier. Holds on x86; the kernels that lack membarrier (before 4.14) are of that age.
static bool barrier_by_page_protection(void) {
#if defined(__x86_64__)
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    if (fallback_page == NULL) {
        void *mapped = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (mapped == MAP_FAILED) return false;
        fallback_page = mapped;
    }
    if (mprotect((void *)fallback_page, page, PROT_READ | PROT_WRITE) != 0) return false;
    *fallback_page += 1;
    return mprotect((void *)fallback_page, page, PROT_NONE) == 0;
#else
    return false;
#endif
}

bool tensorpool_barrier_all_threads(void) {
    pthread_mutex_lock(&guard);
    if (!registered) registered = syscall(SYS_membarrier, register_private_expedited, 0) == 0;
    bool done = registered && syscall(SYS_membarrier, private_expedited, 0) == 0;
    if (!done) done = barrier_by_page_protection();
    pthread_mutex_unlock(&guard);
    return done;
}

#else

bool tensorpool_barrier_all_threads(void) {
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    return true;
}

#endif
