/* kernels/memory.c - blocks from the system, aligned to huge pages. */
#define _GNU_SOURCE
#include "kernels/memory.h"

#include <stdint.h>
#include <sys/mman.h>

enum { HUGE_BYTES = 2 << 20 };

static size_t round_up(size_t bytes)
{
    return bytes < HUGE_BYTES ? (bytes + 4096) / 4096 * 4096
                              : (bytes + HUGE_BYTES - 1) / HUGE_BYTES * HUGE_BYTES;
}

void *lpu_memory_open(size_t bytes)
{
    const size_t size = round_up(bytes);
    const size_t spare = size < HUGE_BYTES ? 0 : HUGE_BYTES;

    if (bytes > SIZE_MAX / 2) return NULL;
    uint8_t *raw =
        mmap(NULL, size + spare, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (raw == MAP_FAILED) return NULL;

    /* Gives back what lies before the first huge page and after the last. */
    uint8_t *block = raw;
    if (spare) {
        block = raw + (HUGE_BYTES - (uintptr_t)raw % HUGE_BYTES) % HUGE_BYTES;
        if (block > raw) munmap(raw, (size_t)(block - raw));
        if (raw + spare > block) munmap(block + size, (size_t)(raw + spare - block));
        (void)madvise(block, size, MADV_HUGEPAGE); /* advice only */
    }
    return block;
}

void lpu_memory_close(void *block, size_t bytes)
{
    if (block) munmap(block, round_up(bytes));
}
