/* kernels/int_norm.c - sections 3 to 5 of workloads/arithmetic.md: quantise, norm, dequantise. */
#include "kernels/int_scale.h"
#include "kernels/integer.h"

#include <math.h>
#include <string.h>

uint32_t lpu_int_quant(const lpu_kernels *k, int8_t *q, const int32_t *t, size_t n, int32_t limit)
{
    const uint32_t a = k->absmax_i32(t, n);
    const int32_t b = lpu_int_bits(a);

    if (!a) {
        memset(q, 0, n);
    } else {
        const uint64_t r = ((uint64_t)limit << (b + 16)) / a; /* below limit * 2^17 */
        k->quant_i32(q, t, n, (int32_t)r, b + 16);
    }
    return a;
}

lpu_scale lpu_int_quant_scale(uint32_t a, int32_t x, int32_t limit)
{
    return lpu_int_div(lpu_int_norm(a, x), lpu_int_norm((uint64_t)limit, 0));
}

/* floor(sqrt(v)), v < 2^63: the rounded root is off by one at most. */
static uint64_t root_floor(uint64_t v)
{
    uint64_t r = (uint64_t)sqrt((double)v);
    while (r * r > v) r--;
    while ((r + 1) * (r + 1) <= v) r++;
    return r;
}

/* floor(eps 2^(8 - 2 x)), not above 2^61: the E of section 4.2, x the exponent of z. */
static uint64_t eps_term(lpu_scale eps, int32_t x)
{
    const int32_t shift = eps.e + 8 - 2 * x;

    if (!eps.m || shift <= -16) return 0;
    if (shift < 0) return (uint64_t)eps.m >> -shift;
    if (shift + lpu_int_bits(eps.m) > 61) return UINT64_C(1) << 61;
    return (uint64_t)eps.m << shift;
}

/* Sections 4.1 to 4.3: the root mean square of x. */
static lpu_scale rms_of(const lpu_kernels *k, const int32_t *x, size_t n, int32_t ex, lpu_scale eps)
{
    const int32_t bits = lpu_int_bits(k->absmax_i32(x, n)), sh = bits > 16 ? bits - 16 : 0;
    const uint64_t ss = k->sumsq_i32(x, n, sh); /* at most n 2^32 */
    const uint64_t v = (ss << 8) / n + eps_term(eps, ex + sh);
    const int32_t half = (62 - lpu_int_bits(v)) / 2;

    if (!v) return (lpu_scale){0, 0};
    return lpu_int_norm(root_floor(v << (2 * half)), ex + sh - 4 - half);
}

lpu_scale lpu_int_normq(const lpu_kernels *k, int8_t *q, const int32_t *x, size_t n, int32_t ex,
                        const lpu_gain *gain, lpu_scale eps, int32_t *work)
{
    if (!gain->g) return lpu_int_quant_scale(lpu_int_quant(k, q, x, n, LPU_INT_A8), ex, LPU_INT_A8);

    const lpu_scale rms = rms_of(k, x, n, ex, eps);
    k->gain_i32(work, x, gain->g, n);
    const uint32_t a = lpu_int_quant(k, q, work, n, LPU_INT_A8);
    return lpu_int_div(lpu_int_norm(a, ex + gain->exponent + 15),
                       lpu_int_mul(lpu_int_norm(LPU_INT_A8, 0), rms));
}

void lpu_int_dequant(const lpu_kernels *k, int32_t *y, const int32_t *acc, size_t n, lpu_scale s)
{
    const int32_t shift = LPU_INT_X32 - s.e;

    if (shift >= 1 && shift <= 62) {
        k->scale_i32(y, acc, n, s.m, shift);
    } else {
        for (size_t i = 0; i < n; i++) y[i] = lpu_int_apply(acc[i], s, LPU_INT_X32);
    }
}
