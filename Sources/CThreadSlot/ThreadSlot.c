#include "CThreadSlot.h"

static void *empty_table[tensorpool_engine_capacity];

_Thread_local struct tensorpool_thread tensorpool_thread_slot = {empty_table, 0, 0};

void **tensorpool_empty_table(void) { return empty_table; }

struct tensorpool_plan tensorpool_plans[tensorpool_plan_capacity];

_Thread_local struct tensorpool_recording_slot tensorpool_recording_slot = {0, NULL};
