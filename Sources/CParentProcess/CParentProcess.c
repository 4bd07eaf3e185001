#include "CParentProcess.h"

#if defined(__linux__)
#include <signal.h>
#include <sys/prctl.h>
#endif

bool tensorpool_end_with_parent(void) {
#if defined(__linux__)
    return prctl(PR_SET_PDEATHSIG, SIGKILL) == 0;
#else
    return false;
#endif
}
