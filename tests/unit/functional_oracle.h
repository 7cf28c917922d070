/* tests/unit/functional_oracle.h - what the tests of sim/functional.c share: random numbers of
 * every size, and the two rounding rules of workloads/arithmetic.md in 128 bits.
 */
#ifndef LPU_TESTS_UNIT_FUNCTIONAL_ORACLE_H
#define LPU_TESTS_UNIT_FUNCTIONAL_ORACLE_H

#include "sim/functional.h"
#include "tests/unit/test.h"

#include <math.h>
#include <stdlib.h>

typedef __int128 i128;

enum { N_MAX = 4096 };

/* Half an ulp of a 16-bit mantissa, relative: what one norm() loses at most. */
static const double scale_ulp = 1.0 / 65536;

static uint64_t seed = 0x9E3779B97F4A7C15u;

static uint64_t random_u64(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed * 0x2545F4914F6CDD1Du;
}

/* Every bit length up to width is as likely as any other; sign at random. */
static int64_t random_signed(int width)
{
    const uint64_t u = random_u64() >> (64 - 1 - random_u64() % (uint64_t)width);
    return random_u64() & 1 ? -(int64_t)u : (int64_t)u;
}

static lpu_scale random_scale(int e_from, int e_to)
{
    const uint64_t span = (uint64_t)(e_to - e_from + 1);
    return (lpu_scale){(uint16_t)(32768 + random_u64() % 32768),
                       (int16_t)(e_from + (int)(random_u64() % span))};
}

static double real_of(lpu_scale s)
{
    return ldexp(s.m, s.e);
}

static i128 sat128(i128 v)
{
    return v > INT32_MAX ? INT32_MAX : v < -INT32_MAX ? -INT32_MAX : v;
}

/* floor(v / 2^n + 1/2) with room to spare. */
static i128 round128(i128 v, int n)
{
    if (n >= 120) return 0;
    return n > 0 ? (v + ((i128)1 << (n - 1))) >> n : v * ((i128)1 << -n);
}

/* A row in one of several kinds: uniform, every size, sparse, all the same, extremes. */
static void random_row(int32_t *x, size_t n, int width)
{
    const unsigned kind = (unsigned)(random_u64() % 5);
    const int64_t top = (INT64_C(1) << width) - 1;

    for (size_t i = 0; i < n; i++) {
        switch (kind) {
        case 0: x[i] = (int32_t)((int64_t)(random_u64() % (uint64_t)(2 * top + 1)) - top); break;
        case 1: x[i] = (int32_t)random_signed(width); break;
        case 2: x[i] = random_u64() % 8 ? 0 : (int32_t)random_signed(width); break;
        case 3: x[i] = (int32_t)top; break;
        default: x[i] = (int32_t)(random_u64() & 1 ? top : -top); break;
        }
    }
}

#endif
