/* kernels/limits_c.c - reading and multiplying at best, portable. */
#include "kernels/kernels.h"

#include <string.h>

enum { LANES = 64 };

uint64_t lpu_read_u64_c(const uint8_t *w, size_t bytes)
{
    uint64_t sums[8] = {0}, all = 0;
    for (size_t i = 0; i < bytes; i += 64) {
        uint64_t line[8];
        memcpy(line, w + i, 64);
        for (size_t j = 0; j < 8; j++) sums[j] ^= line[j];
    }
    for (size_t j = 0; j < 8; j++) all ^= sums[j];
    return all;
}

/* The empty asm keeps the compiler from multiplying by the number of rounds instead. */
uint64_t lpu_peak_i8_c(size_t rounds)
{
    int8_t a[LANES], b[LANES];
    int32_t sums[LANES] = {0};
    uint64_t all = 0;

    memset(a, 1, LANES);
    memset(b, 1, LANES);
    for (size_t r = 0; r < rounds; r++) {
        __asm__ volatile("" : : "r"(a), "r"(b) : "memory");
        for (size_t i = 0; i < LANES; i++) sums[i] += a[i] * b[i];
    }
    for (size_t i = 0; i < LANES; i++) all += (uint64_t)sums[i];
    return all;
}

uint64_t lpu_peak_f32_c(size_t rounds)
{
    float a[LANES], b[LANES], sums[LANES] = {0};
    uint64_t all = 0;

    for (size_t i = 0; i < LANES; i++) a[i] = b[i] = 1;
    for (size_t r = 0; r < rounds; r++) {
        __asm__ volatile("" : : "r"(a), "r"(b) : "memory");
        for (size_t i = 0; i < LANES; i++) sums[i] += a[i] * b[i];
    }
    for (size_t i = 0; i < LANES; i++) all += (uint64_t)sums[i];
    return all;
}

/* Portable C looks nothing up. */
uint64_t lpu_peak_t2_c(size_t rounds)
{
    return lpu_peak_i8_c(rounds);
}

/* Portable C multiplies bfloat16 as float. */
uint64_t lpu_peak_bf16_c(size_t rounds)
{
    return lpu_peak_f32_c(rounds);
}
