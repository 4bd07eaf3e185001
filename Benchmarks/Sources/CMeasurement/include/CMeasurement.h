// What every worker of the benchmark measures with, so that peers and pools are measured by the same code.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "Clock.h"
#include "MemoryUse.h"
#include "Output.h"
#include "Parallel.h"
#include "PreparedTrace.h"
#include "Samples.h"
#include "SharedWord.h"
#include "Sizes.h"
#include "Touch.h"
