/* kernels/int_scale.h - sections 1 and 2 of workloads/arithmetic.md: shifts and scales. */
#ifndef LPU_KERNELS_INT_SCALE_H
#define LPU_KERNELS_INT_SCALE_H

#include "workloads/scale.h"

#include <stdint.h>

static inline int32_t lpu_int_bits(uint64_t u)
{
    return u ? 64 - __builtin_clzll(u) : 0;
}

static inline int32_t lpu_int_sat(int64_t v)
{
    v = v > INT32_MAX ? INT32_MAX : v;
    return (int32_t)(v < -INT32_MAX ? -INT32_MAX : v);
}

/* n <= 0 only where the result is known to fit. |v| < 2^62. */
static inline int64_t lpu_int_rsh(int64_t v, int32_t n)
{
    if (n >= 63) return 0;
    return n > 0 ? (v + (INT64_C(1) << (n - 1))) >> n : v * (INT64_C(1) << -n);
}

static inline lpu_scale lpu_int_norm(uint64_t u, int32_t e)
{
    const int32_t over = lpu_int_bits(u) - 16;

    if (!u) return (lpu_scale){0, 0};
    if (over <= 0) return (lpu_scale){(uint16_t)(u << -over), (int16_t)(e + over)};
    const uint64_t m = (u >> over) + (u >> (over - 1) & 1); /* rounds half up */
    if (m == 65536) return (lpu_scale){32768, (int16_t)(e + over + 1)};
    return (lpu_scale){(uint16_t)m, (int16_t)(e + over)};
}

static inline lpu_scale lpu_int_mul(lpu_scale a, lpu_scale b)
{
    return lpu_int_norm((uint64_t)a.m * b.m, a.e + b.e);
}

static inline lpu_scale lpu_int_div(lpu_scale a, lpu_scale b)
{
    if (!a.m || !b.m) return (lpu_scale){0, 0};
    return lpu_int_norm(((uint64_t)a.m << 24) / b.m, a.e - b.e - 24);
}

/* v s as a V32 of exponent x. |v| < 2^40. */
static inline int32_t lpu_int_apply(int64_t v, lpu_scale s, int32_t x)
{
    const int64_t product = v * s.m;
    const int32_t n = x - s.e;

    if (n > 0) return lpu_int_sat(lpu_int_rsh(product, n));
    /* A shift to the left only grows: what is beyond 31 bits before it, or by it, saturates. */
    const int32_t whole = lpu_int_sat(product);
    if (whole == INT32_MAX || whole == -INT32_MAX || !whole) return whole;
    if (-n > 30) return whole > 0 ? INT32_MAX : -INT32_MAX;
    return lpu_int_sat((int64_t)whole * (INT64_C(1) << -n));
}

#endif
