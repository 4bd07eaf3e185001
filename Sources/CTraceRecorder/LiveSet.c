// A hash set of addresses in 64 parts, each with a lock, in memory of its own. Open addressing; a removal moves back
// what stands behind it, so that the set does not age.
#if defined(__linux__)
#define _GNU_SOURCE
#include "Internal.h"

#include <sched.h>
#include <sys/mman.h>

enum { part_count = 64, first_capacity = 512 };

static struct part {
    spin_lock lock;
    size_t capacity;
    size_t count;
    uintptr_t *places;
} __attribute__((aligned(64))) parts[part_count];

void spin_acquire(spin_lock *lock) {
    for (int tries = 0; __atomic_exchange_n(lock, 1, __ATOMIC_ACQUIRE) != 0; tries++) {
        if (tries >= 64) sched_yield();
    }
}

void spin_release(spin_lock *lock) { __atomic_store_n(lock, 0, __ATOMIC_RELEASE); }

static uint64_t hash(uintptr_t address) { return (address >> 4) * 0x9E3779B97F4A7C15u; }
static struct part *part_of(uintptr_t address) { return &parts[hash(address) >> 58]; }
static size_t home_of(uintptr_t address, size_t capacity) { return (size_t)(hash(address) >> 20) & (capacity - 1); }

static void put(uintptr_t *places, size_t capacity, uintptr_t address) {
    size_t place = home_of(address, capacity);
    while (places[place] != 0) place = (place + 1) & (capacity - 1);
    places[place] = address;
}

static bool grow(struct part *part) {
    size_t capacity = part->capacity == 0 ? first_capacity : part->capacity * 2;
    size_t bytes = capacity * sizeof(uintptr_t);
    uintptr_t *places = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (places == MAP_FAILED) return false;
    for (size_t i = 0; i < part->capacity; i++) {
        if (part->places[i] != 0) put(places, capacity, part->places[i]);
    }
    if (part->places != NULL) munmap(part->places, part->capacity * sizeof(uintptr_t));
    part->places = places;
    part->capacity = capacity;
    return true;
}

bool live_insert(const void *pointer) {
    uintptr_t address = (uintptr_t)pointer;
    struct part *part = part_of(address);
    spin_acquire(&part->lock);
    bool has_room = part->count < part->capacity / 2 || grow(part);
    if (has_room) {
        put(part->places, part->capacity, address);
        part->count++;
    }
    spin_release(&part->lock);
    return has_room;
}

bool live_remove(const void *pointer) {
    uintptr_t address = (uintptr_t)pointer;
    struct part *part = part_of(address);
    bool is_there = false;
    spin_acquire(&part->lock);
    if (part->count != 0) {
        size_t mask = part->capacity - 1;
        size_t place = home_of(address, part->capacity);
        while (part->places[place] != 0 && part->places[place] != address) place = (place + 1) & mask;
        is_there = part->places[place] == address;
        if (is_there) {
            for (size_t next = (place + 1) & mask; part->places[next] != 0; next = (next + 1) & mask) {
                size_t home = home_of(part->places[next], part->capacity);
                if (((next - home) & mask) < ((next - place) & mask)) continue;
                part->places[place] = part->places[next];
                place = next;
            }
            part->places[place] = 0;
            part->count--;
        }
    }
    spin_release(&part->lock);
    return is_there;
}

void live_forget(void) {
    for (int i = 0; i < part_count; i++) {
        if (parts[i].places != NULL) munmap(parts[i].places, parts[i].capacity * sizeof(uintptr_t));
        parts[i] = (struct part){0};
    }
}
#endif
