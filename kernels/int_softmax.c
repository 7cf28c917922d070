/* kernels/int_softmax.c - section 8 of workloads/arithmetic.md: from scores to A8 probabilities. */
#include "kernels/int_power.h"
#include "kernels/int_scale.h"
#include "kernels/integer.h"

#include <string.h>

/* 2^24 2^(-d / 2^16), rounded down as section 8.3 says. */
static uint32_t exp2_down(uint32_t d)
{
    const uint32_t j = d >> 10 & 63, whole = d >> 16;
    const int32_t r = (int32_t)(d & 1023);

    if (whole >= 25) return 0;
    const int32_t p = lpu_int_powers[j] - (((lpu_int_powers[j] - lpu_int_powers[j + 1]) * r) >> 10);
    return (uint32_t)p << 8 >> whole;
}

/* Scores to z, in place; returns the largest. */
static int32_t scale_scores(int32_t *acc, size_t keys, lpu_scale sq, const lpu_scale *sk)
{
    int32_t most = -INT32_MAX;
    for (size_t t = 0; t < keys; t++) {
        acc[t] = lpu_int_apply(acc[t], lpu_int_mul(sq, sk[t]), LPU_INT_X32);
        if (acc[t] > most) most = acc[t];
    }
    return most;
}

lpu_scale lpu_int_softmax(const lpu_kernels *k, int8_t *p, int32_t *acc, size_t keys, lpu_scale sq,
                          const lpu_scale *sk, const lpu_scale *sv, int32_t *work)
{
    const int32_t most = scale_scores(acc, keys, sq, sk);
    uint64_t sum = 0;
    int32_t ev = INT32_MIN;
    for (size_t t = 0; t < keys; t++) {
        if (sv[t].m && sv[t].e > ev) ev = sv[t].e;
    }
    for (size_t t = 0; t < keys; t++) {
        const uint32_t e = exp2_down((uint32_t)most - (uint32_t)acc[t]);
        const int32_t down = sv[t].m ? ev - sv[t].e : 16;
        const uint32_t w = down < 16 ? (uint32_t)sv[t].m >> down : 0;
        sum += e;
        work[t] = (int32_t)(((uint64_t)e * w + 32768) >> 16); /* u, below 2^24 */
    }
    const uint32_t a = lpu_int_quant(k, p, work, keys, LPU_INT_A8);
    if (!a) return (lpu_scale){0, 0}; /* so are all scales of the values; ev means nothing */
    return lpu_int_div(lpu_int_quant_scale(a, ev - 8, LPU_INT_A8), lpu_int_norm(sum, -24));
}
