#define _GNU_SOURCE
#include "MemoryUse.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "Clock.h"

int64_t tpb_minor_faults(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_minflt;
}

/// Reads a small file without stdio, which would call the malloc that is being measured.
static bool read_file(const char *path, char *text, size_t size) {
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return false;
    ssize_t count = read(file, text, size - 1);
    close(file);
    if (count <= 0) return false;
    text[count] = 0;
    return true;
}

int64_t tpb_resident_bytes(void) {
    char text[256];
    if (!read_file("/proc/self/statm", text, sizeof text)) return 0;
    const char *second = strchr(text, ' ');
    return second ? strtoll(second, NULL, 10) * sysconf(_SC_PAGESIZE) : 0;
}

int64_t tpb_resident_peak_bytes(void) {
    char text[4096];
    if (read_file("/proc/self/status", text, sizeof text)) {
        const char *line = strstr(text, "VmHWM:");
        if (line) return strtoll(line + 6, NULL, 10) * 1024;
    }
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss * 1024;
}

void tpb_make_files_resident(void) {
    enum { populate_read = 22, capacity = 1 << 20 };  // MADV_POPULATE_READ, Linux 5.14
    char *text = tpb_own_memory(capacity);
    int file = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    size_t length = 0;
    for (ssize_t count; file >= 0 && (count = read(file, text + length, capacity - 1 - length)) > 0;) length += (size_t)count;
    if (file >= 0) close(file);
    for (char *line = text; *line; line = strchr(line, '\n') + 1) {
        char *end_of_line = strchr(line, '\n');
        if (!end_of_line) break;
        *end_of_line = 0;
        bool is_file = strchr(line, '/') != NULL;
        char *rest;
        uintptr_t start = strtoull(line, &rest, 16);
        uintptr_t end = strtoull(rest + 1, NULL, 16);
        // A mapping that cannot be read is refused, and stays as it is.
        if (is_file) madvise((void *)start, end - start, populate_read);
        *end_of_line = '\n';
    }
    munmap(text, capacity);
}

bool tpb_reset_resident_peak(void) {
    tpb_make_files_resident();
    int file = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);
    if (file < 0) return false;
    // "5" resets the high-water mark and nothing else.
    bool is_reset = write(file, "5", 1) == 1;
    close(file);
    return is_reset;
}

void *tpb_own_memory(int64_t byte_count) {
    size_t size = byte_count > 0 ? (size_t)byte_count : 1;
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (memory == MAP_FAILED) {
        fprintf(stderr, "no memory for %zu bytes of the benchmark's own\n", size);
        exit(2);
    }
    return memory;
}

const char *tpb_malloc_origin(void) {
    // Looked up at run time: the linker would answer with the executable's own stub.
    void *function = dlsym(RTLD_DEFAULT, "malloc");
    Dl_info info;
    return function && dladdr(function, &info) && info.dli_fname ? info.dli_fname : "unknown";
}

int64_t tpb_populate_huge_pages(int64_t byte_count) {
#if defined(__linux__) && defined(MADV_POPULATE_WRITE)
    const size_t huge = 2 << 20;
    size_t reserved = (size_t)byte_count + huge;
    int64_t start = tpb_nanoseconds();
    char *memory = mmap(NULL, reserved, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) return -1;
    char *aligned = (char *)(((uintptr_t)memory + huge - 1) & ~(uintptr_t)(huge - 1));
    madvise(aligned, (size_t)byte_count, MADV_HUGEPAGE);
    bool is_populated = madvise(aligned, (size_t)byte_count, MADV_POPULATE_WRITE) == 0;
    int64_t taken = tpb_nanoseconds() - start;
    munmap(memory, reserved);
    return is_populated ? taken : -1;
#else
    return -1;
#endif
}
