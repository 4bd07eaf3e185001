// The functions that the program calls in place of its allocator's. Each calls the next one that the loader finds, and
// writes down what was asked for, from the threshold up.
#if defined(__linux__)
#define _GNU_SOURCE
#include "Internal.h"
#include "RawRecording.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EXPORTED __attribute__((visibility("default")))

size_t recorder_threshold = SIZE_MAX;

static struct {
    void *(*malloc)(size_t);
    void *(*calloc)(size_t, size_t);
    void *(*realloc)(void *, size_t);
    void (*free)(void *);
    int (*posix_memalign)(void **, size_t, size_t);
    void *(*aligned_alloc)(size_t, size_t);
    void *(*memalign)(size_t, size_t);
    void *(*valloc)(size_t);
    void *(*pvalloc)(size_t);
    size_t (*malloc_usable_size)(void *);
    /// Whether that tells something about the blocks of that malloc.
    bool knows_sizes;
} next;

static _Thread_local bool is_inside __attribute__((tls_model("initial-exec")));

// Memory for what the loader asks for while it looks up the functions above. It is never given back.
enum { bootstrap_capacity = 1 << 16, bootstrap_alignment = 16 };
static char bootstrap[bootstrap_capacity] __attribute__((aligned(64)));
static size_t bootstrap_used;

static bool is_bootstrap(const void *block) {
    return (uintptr_t)block - (uintptr_t)bootstrap < bootstrap_capacity;
}

static void *bootstrap_allocate(size_t alignment, size_t size) {
    if (alignment < bootstrap_alignment) alignment = bootstrap_alignment;
    if (size > bootstrap_capacity || alignment > bootstrap_capacity) return NULL;
    // The size stands in the 16 bytes before the block.
    size_t taken = size + alignment + bootstrap_alignment;
    size_t start = __atomic_fetch_add(&bootstrap_used, taken, __ATOMIC_RELAXED);
    if (start + taken > bootstrap_capacity) return NULL;
    uintptr_t block = ((uintptr_t)bootstrap + start + bootstrap_alignment + alignment - 1) & ~(uintptr_t)(alignment - 1);
    ((size_t *)block)[-1] = size;
    return (void *)block;
}

/// Looks the functions up. False while that is under way: then the loader itself is asking.
static bool find_next(void) {
    if (__builtin_expect(__atomic_load_n(&next.malloc, __ATOMIC_ACQUIRE) != NULL, true)) return true;
    if (is_inside) return false;
    is_inside = true;
    next.calloc = dlsym(RTLD_NEXT, "calloc");
    next.realloc = dlsym(RTLD_NEXT, "realloc");
    next.free = dlsym(RTLD_NEXT, "free");
    next.posix_memalign = dlsym(RTLD_NEXT, "posix_memalign");
    next.aligned_alloc = dlsym(RTLD_NEXT, "aligned_alloc");
    next.memalign = dlsym(RTLD_NEXT, "memalign");
    next.valloc = dlsym(RTLD_NEXT, "valloc");
    next.pvalloc = dlsym(RTLD_NEXT, "pvalloc");
    next.malloc_usable_size = dlsym(RTLD_NEXT, "malloc_usable_size");
    void *(*found)(size_t) = dlsym(RTLD_NEXT, "malloc");
    Dl_info allocator, sizes;
    next.knows_sizes = next.malloc_usable_size != NULL && dladdr((void *)found, &allocator) != 0
        && dladdr((void *)next.malloc_usable_size, &sizes) != 0 && allocator.dli_fbase == sizes.dli_fbase;
    __atomic_store_n(&next.malloc, found, __ATOMIC_RELEASE);
    is_inside = false;
    return true;
}

static void *note_allocation(void *block, size_t size) {
    if (size < recorder_threshold || block == NULL || is_inside) return block;
    is_inside = true;
    if (recorder_write(raw_allocate, block, size, recorder_now()) && !live_insert(block)) recorder_count_dropped();
    is_inside = false;
    return block;
}

/// Whether the block was recorded, which it is not any more then. To be asked before it is freed.
static bool forget(void *block) {
    if (recorder_threshold == SIZE_MAX || block == NULL || is_inside) return false;
    // Most blocks are small, and this is cheaper than the set.
    if (next.knows_sizes && next.malloc_usable_size(block) < recorder_threshold) return false;
    is_inside = true;
    bool was_recorded = live_remove(block);
    is_inside = false;
    return was_recorded;
}

static void note_free(void *block, uint64_t time) {
    is_inside = true;
    recorder_write(raw_free, block, 0, time);
    is_inside = false;
}

EXPORTED void *malloc(size_t size) {
    if (!find_next()) return bootstrap_allocate(0, size);
    return note_allocation(next.malloc(size), size);
}

EXPORTED void *calloc(size_t count, size_t size) {
    size_t bytes;
    bool overflows = __builtin_mul_overflow(count, size, &bytes);
    // The bootstrap memory is zero, and used once.
    if (!find_next()) return overflows ? NULL : bootstrap_allocate(0, bytes);
    void *block = next.calloc(count, size);
    return overflows ? block : note_allocation(block, bytes);
}

EXPORTED void free(void *block) {
    if (block == NULL || is_bootstrap(block) || !find_next()) return;
    if (forget(block)) note_free(block, recorder_now());
    next.free(block);
}

EXPORTED void free_sized(void *block, size_t size) {
    (void)size;
    free(block);
}

EXPORTED void free_aligned_sized(void *block, size_t alignment, size_t size) {
    (void)alignment;
    (void)size;
    free(block);
}

EXPORTED void *realloc(void *block, size_t size) {
    if (!find_next() || is_bootstrap(block)) {
        void *moved = malloc(size);
        if (moved != NULL && block != NULL) {
            size_t before = ((size_t *)block)[-1];
            memcpy(moved, block, before < size ? before : size);
        }
        return moved;
    }
    bool was_recorded = forget(block);
    uint64_t time = was_recorded ? recorder_now() : 0;
    void *moved = next.realloc(block, size);
    if (was_recorded && moved == NULL && size != 0) {
        // Refused: the block is as it was.
        is_inside = true;
        if (!live_insert(block)) recorder_count_dropped();
        is_inside = false;
        return NULL;
    }
    if (was_recorded) note_free(block, time);
    return note_allocation(moved, size);
}

EXPORTED void *reallocarray(void *block, size_t count, size_t size) {
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    return realloc(block, bytes);
}

EXPORTED int posix_memalign(void **result, size_t alignment, size_t size) {
    if (!find_next()) {
        void *block = bootstrap_allocate(alignment, size);
        if (block == NULL) return ENOMEM;
        *result = block;
        return 0;
    }
    int failure = next.posix_memalign(result, alignment, size);
    if (failure == 0) note_allocation(*result, size);
    return failure;
}

EXPORTED void *aligned_alloc(size_t alignment, size_t size) {
    if (!find_next()) return bootstrap_allocate(alignment, size);
    return note_allocation(next.aligned_alloc(alignment, size), size);
}

EXPORTED void *memalign(size_t alignment, size_t size) {
    if (!find_next()) return bootstrap_allocate(alignment, size);
    if (next.memalign == NULL) return aligned_alloc(alignment, size);
    return note_allocation(next.memalign(alignment, size), size);
}

EXPORTED void *valloc(size_t size) {
    if (!find_next() || next.valloc == NULL) return memalign((size_t)sysconf(_SC_PAGESIZE), size);
    return note_allocation(next.valloc(size), size);
}

EXPORTED void *pvalloc(size_t size) {
    if (find_next() && next.pvalloc != NULL) return note_allocation(next.pvalloc(size), size);
    size_t page = (size_t)sysconf(_SC_PAGESIZE), rounded;
    if (__builtin_add_overflow(size, page - 1, &rounded)) {
        errno = ENOMEM;
        return NULL;
    }
    return memalign(page, rounded & ~(page - 1));
}

EXPORTED size_t malloc_usable_size(void *block) {
    if (block == NULL) return 0;
    if (is_bootstrap(block)) return ((size_t *)block)[-1];
    return find_next() && next.malloc_usable_size != NULL ? next.malloc_usable_size(block) : 0;
}

/// The number that a variable says; `otherwise` where it says none.
static size_t number_in(const char *name, size_t otherwise) {
    const char *text = getenv(name);
    if (text == NULL || *text < '0' || *text > '9') return otherwise;
    char *end;
    errno = 0;
    unsigned long long number = strtoull(text, &end, 10);
    return *end == '\0' && errno == 0 ? (size_t)number : otherwise;
}

static bool records_children;

static void after_fork_in_child(void) {
    recorder_forget();
    live_forget();
    is_inside = false;
    if (!records_children) recorder_threshold = SIZE_MAX;
}

/// Runs before the program's own code, and before the program has threads.
__attribute__((constructor(101))) static void start(void) {
    find_next();
    const char *directory = getenv("TENSORPOOL_RECORD_DIRECTORY");
    if (directory == NULL || *directory != '/') return;
    records_children = number_in("TENSORPOOL_RECORD_CHILDREN", 0) != 0;
    if (!records_children && number_in("TENSORPOOL_RECORD_PARENT", 0) != (size_t)getppid()) return;
    size_t threshold = number_in("TENSORPOOL_RECORD_THRESHOLD", 1024);
    if (threshold == 0) threshold = 1;
    pthread_atfork(NULL, NULL, after_fork_in_child);
    recorder_open(directory, strlen(directory), threshold);
}
#endif
