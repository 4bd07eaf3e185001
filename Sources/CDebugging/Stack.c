#include "CDebugging.h"

#if __has_include(<execinfo.h>)
#include <execinfo.h>

size_t tensorpool_stack(void **frames, size_t capacity) {
    const int count = backtrace(frames, (int)capacity);
    return count > 0 ? (size_t)count : 0;
}

char **tensorpool_symbols(void *const *frames, size_t count) { return backtrace_symbols(frames, (int)count); }

#else

size_t tensorpool_stack(void **frames, size_t capacity) { return 0; }
char **tensorpool_symbols(void *const *frames, size_t count) { return NULL; }

#endif
