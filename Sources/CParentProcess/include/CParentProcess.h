// What Swift cannot say of the process that started this one: prctl takes a variable number of arguments.
#pragma once

#include <stdbool.h>

/// Has the system kill this process when the thread that started it ends. False where the system cannot.
bool tensorpool_end_with_parent(void);
