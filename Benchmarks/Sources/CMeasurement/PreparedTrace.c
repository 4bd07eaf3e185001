#define _GNU_SOURCE
#include "PreparedTrace.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static void fail(const char *path) {
    fprintf(stderr, "%s is no prepared trace\n", path);
    exit(2);
}

tpb_trace tpb_open_trace(const char *path) {
    int file = open(path, O_RDONLY | O_CLOEXEC);
    struct stat status;
    if (file < 0 || fstat(file, &status) != 0 || status.st_size < (off_t)sizeof(tpb_trace_header)) fail(path);
    const char *bytes = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, file, 0);
    if (bytes == MAP_FAILED) fail(path);
    close(file);
    tpb_trace trace = {.header = *(const tpb_trace_header *)bytes};
    const tpb_trace_header *header = &trace.header;
    int64_t expected = (int64_t)sizeof *header + (header->event_count + header->release_count) * (int64_t)sizeof(tpb_event)
        + header->event_count * (int64_t)sizeof(int64_t);
    if (header->magic != tpb_trace_magic || status.st_size != expected) fail(path);
    trace.events = (const tpb_event *)(bytes + sizeof *header);
    trace.releases = trace.events + header->event_count;
    trace.offsets = (const int64_t *)(trace.releases + header->release_count);
    return trace;
}
