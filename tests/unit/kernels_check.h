/* tests/unit/kernels_check.h - the row under test, random numbers, and buffers that show a stray
 * access. */
#ifndef LPU_TESTS_UNIT_KERNELS_CHECK_H
#define LPU_TESTS_UNIT_KERNELS_CHECK_H

#include "kernels/kernels.h"
#include "kernels/team.h"
#include "tests/unit/test.h"

#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static uint64_t seed = 20250117;

static uint64_t draw(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed * 0x2545f4914f6cdd1dull >> 16;
}

/* The row of kernels.def under test. */
typedef struct row {
    const char *name;
    uint32_t needs;
    size_t rows, k_step;
} row;
static row now;

/* For kernels that need one; what was left in it stays. */
static void *room(void)
{
    static uint8_t bytes[LPU_TEAM_ROOM_BYTES] __attribute__((aligned(64)));
    return bytes;
}

/* --- memory ------------------------------------------------------------------------------------
 */

enum { GUARD = 64, FILL = 0xa5 };

/* bytes bytes, one past an aligned address, with guard bands; freed by the caller via base. */
typedef struct guarded {
    uint8_t *base, *data;
    size_t bytes;
} guarded;

static guarded guarded_open(size_t bytes, size_t align)
{
    guarded g = {malloc(bytes + 2 * GUARD + align), NULL, bytes};
    if (!g.base) abort();
    memset(g.base, FILL, bytes + 2 * GUARD + align);
    g.data = g.base + GUARD + align;
    return g;
}

static bool guards_hold(const guarded *g)
{
    for (const uint8_t *p = g->base; p < g->data; p++) {
        if (*p != FILL) return false;
    }
    for (size_t i = 0; i < GUARD; i++) {
        if (g->data[g->bytes + i] != FILL) return false;
    }
    return true;
}

/* A copy that cannot be written, in one of three places, by turns: it ends where a page ends that
 * has nothing behind it, it begins where one begins that has nothing before it, or it is a heap
 * block at an odd address, for the address sanitizer to watch both ends. */
typedef struct tight {
    uint8_t *base, *data;
    size_t mapped_bytes; /* 0: from the heap */
} tight;

static tight tight_open(const void *from, size_t bytes, size_t skew)
{
    static unsigned turn;
    const size_t page = (size_t)sysconf(_SC_PAGESIZE), room = (bytes / page + 1) * page;
    tight t = {NULL, NULL, 0};

    if (++turn % 3 == 0) {
        t.base = malloc(bytes + skew ? bytes + skew : 1);
        if (!t.base) abort();
        t.data = t.base + skew;
        if (bytes) memcpy(t.data, from, bytes);
        return t;
    }
    t.mapped_bytes = room + 2 * page;
    t.base = mmap(NULL, t.mapped_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (t.base == MAP_FAILED) abort();
    if (mprotect(t.base + page, room, PROT_READ | PROT_WRITE)) abort();
    t.data = t.base + page + (turn % 3 == 1 ? room - bytes : 0);
    if (bytes) memcpy(t.data, from, bytes);
    if (mprotect(t.base + page, room, PROT_READ)) abort();
    return t;
}

static void tight_close(const tight *t)
{
    if (t->mapped_bytes) munmap(t->base, t->mapped_bytes);
    else free(t->base);
}

#endif
