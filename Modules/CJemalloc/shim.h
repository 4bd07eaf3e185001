#pragma once
#include <stddef.h>
#include <stdint.h>
#include <jemalloc/jemalloc.h>
