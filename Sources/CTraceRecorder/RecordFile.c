// Records on their way into the file. Each thread writes into a block of the file that is mapped for it alone: a
// record that is written is in the system's hands, whatever happens to the process.
//
// No descriptor stays open, since programs close and count theirs: the file is opened by its name for every block.
// Raw system calls where the C library's are cancellation points: malloc must not become one.
#if defined(__linux__)
#define _GNU_SOURCE
#include "Internal.h"
#include "RawRecording.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum {
    records_per_block = raw_block_length / sizeof(struct raw_record),
    /// The file doubles within these bounds, ahead of its use: a full disk is an error here, not a fault in the program.
    smallest_growth = 256 << 10,
    largest_growth = 4 << 20,
    spare_capacity = 64,
};

static struct {
    spin_lock lock;
    char path[PATH_MAX];
    size_t directory_length;
    size_t threshold;
    struct raw_header *header;
    uint64_t block_count;
    uint64_t file_length;
    bool is_full;
    /// Blocks of threads that are gone, still mapped, for the next threads.
    struct raw_record *spare[spare_capacity];
    int spare_count;
    pthread_key_t key;
    bool has_key;
} file;

static _Thread_local struct {
    struct raw_record *block;
    uint32_t used;
    uint32_t thread;
} own __attribute__((tls_model("initial-exec")));

uint64_t recorder_now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static int open_file(int flags) {
    return (int)syscall(SYS_openat, AT_FDCWD, file.path, flags | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0600);
}

static void close_file(int descriptor) { syscall(SYS_close, descriptor); }

static bool write_zeros(int descriptor, uint64_t start, uint64_t end) {
    static const char zeros[raw_header_length];
    while (start < end) {
        long written = syscall(SYS_pwrite64, descriptor, zeros, sizeof zeros, start);
        if (written <= 0) return false;
        start += (uint64_t)written;
    }
    return true;
}

/// Makes sure that the disk has room for the file up to `end`. A limit on files is asked first: to pass it is a signal.
static bool reserve(int descriptor, uint64_t end) {
    if (end <= file.file_length) return true;
    uint64_t growth = file.file_length;
    if (growth < smallest_growth) growth = smallest_growth;
    if (growth > largest_growth) growth = largest_growth;
    uint64_t length = file.file_length + growth;
    struct rlimit limit;
    if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY && length > limit.rlim_cur) {
        errno = EFBIG;
        return false;
    }
    if (syscall(SYS_fallocate, descriptor, 0, (off_t)file.file_length, (off_t)growth) != 0) {
        if (errno != EOPNOTSUPP || !write_zeros(descriptor, file.file_length, length)) return false;
    }
    file.file_length = length;
    return true;
}

static void *map(int descriptor, uint64_t offset, size_t length) {
    void *start = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, (off_t)offset);
    return start == MAP_FAILED ? NULL : start;
}

/// Completes the path with the process's id and a number, in place: `/PID-N.raw`.
static void name_file(uint32_t process, uint32_t number) {
    char reversed[24];
    char *end = file.path + file.directory_length;
    *end++ = '/';
    for (int part = 0; part < 2; part++) {
        uint32_t rest = part == 0 ? process : number;
        int length = 0;
        do { reversed[length++] = (char)('0' + rest % 10); } while ((rest /= 10) != 0);
        while (length > 0) *end++ = reversed[--length];
        if (part == 0) *end++ = '-';
    }
    memcpy(end, ".raw", 5);
}

static bool create_file(void) {
    uint32_t process = (uint32_t)syscall(SYS_getpid);
    int descriptor = -1;
    // One process has a file for each program it has run.
    for (uint32_t number = 0; number < 10000 && descriptor < 0; number++) {
        name_file(process, number);
        descriptor = open_file(O_CREAT | O_EXCL);
        if (descriptor < 0 && errno != EEXIST) return false;
    }
    if (descriptor < 0) return false;
    file.file_length = 0;
    struct raw_header *header = NULL;
    if (reserve(descriptor, raw_header_length)) header = map(descriptor, 0, raw_header_length);
    close_file(descriptor);
    if (header == NULL) return false;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    header->clock_time = recorder_now();
    header->unix_time = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
    header->version = raw_version;
    header->process = process;
    header->threshold = file.threshold;
    prctl(PR_GET_NAME, header->name);
    memcpy(header->magic, RAW_MAGIC, sizeof header->magic);
    file.block_count = 0;
    file.header = header;
    return true;
}

/// Lock held. Null where there is no room; then there will be none later either, unless descriptors ran out.
static struct raw_record *next_block(void) {
    if (file.spare_count > 0) return file.spare[--file.spare_count];
    if (file.is_full) return NULL;
    if (file.header == NULL && !create_file()) {
        file.is_full = errno != EMFILE && errno != ENFILE;
        return NULL;
    }
    uint64_t offset = raw_header_length + file.block_count * raw_block_length;
    struct raw_record *block = NULL;
    int descriptor = open_file(0);
    if (descriptor >= 0) {
        if (reserve(descriptor, offset + raw_block_length)) block = map(descriptor, offset, raw_block_length);
        int reason = errno;
        close_file(descriptor);
        errno = reason;
    }
    if (block != NULL) {
        file.block_count++;
    } else {
        file.is_full = errno != EMFILE && errno != ENFILE;
    }
    return block;
}

/// A thread ends: what is left of its block is for the next thread.
static void leave_block(void *block) {
    uint32_t used = own.used;
    own.block = NULL;
    if (used == records_per_block) {
        munmap(block, raw_block_length);
        return;
    }
    spin_acquire(&file.lock);
    bool is_kept = file.spare_count < spare_capacity;
    if (is_kept) file.spare[file.spare_count++] = block;
    spin_release(&file.lock);
    if (!is_kept) munmap(block, raw_block_length);
}

static bool take_block(void) {
    int reason = errno;
    if (own.block != NULL) munmap(own.block, raw_block_length);
    spin_acquire(&file.lock);
    own.block = next_block();
    spin_release(&file.lock);
    if (own.thread == 0) own.thread = (uint32_t)syscall(SYS_gettid);
    if (own.block != NULL) {
        own.used = 0;
        // A dead thread's block is filled from the front.
        while (own.used < records_per_block && own.block[own.used].kind != 0) own.used++;
        if (file.has_key) pthread_setspecific(file.key, own.block);
    }
    errno = reason;
    return own.block != NULL;
}

void recorder_count_dropped(void) {
    if (file.header != NULL) __atomic_fetch_add(&file.header->dropped, 1, __ATOMIC_RELAXED);
}

bool recorder_write(uint32_t kind, const void *address, size_t size, uint64_t time) {
    if (own.block == NULL || own.used == records_per_block) {
        if (!take_block()) {
            recorder_count_dropped();
            return false;
        }
    }
    struct raw_record *record = &own.block[own.used++];
    record->time = time;
    record->address = (uintptr_t)address;
    record->size = size;
    record->thread = own.thread;
    __atomic_store_n(&record->kind, kind, __ATOMIC_RELEASE);
    return true;
}

void recorder_open(const char *directory, size_t directory_length, size_t threshold) {
    // Room for the name that follows.
    if (directory_length + 40 > sizeof file.path) return;
    memcpy(file.path, directory, directory_length);
    file.directory_length = directory_length;
    file.threshold = threshold;
    file.has_key = pthread_key_create(&file.key, leave_block) == 0;
    __atomic_store_n(&recorder_threshold, threshold, __ATOMIC_RELEASE);
}

void recorder_forget(void) {
    if (own.block != NULL) munmap(own.block, raw_block_length);
    own.block = NULL;
    own.used = 0;
    own.thread = 0;
    if (file.has_key) pthread_setspecific(file.key, NULL);
    while (file.spare_count > 0) munmap(file.spare[--file.spare_count], raw_block_length);
    if (file.header != NULL) munmap(file.header, raw_header_length);
    file.header = NULL;
    file.is_full = false;
    file.lock = 0;
}
#endif
