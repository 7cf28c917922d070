/* kernels/softmax_c.c - the three passes of section 8 of workloads/arithmetic.md, portable. */
#include "kernels/int_power.h"
#include "kernels/int_scale.h"
#include "kernels/integer.h"
#include "kernels/kernels.h"

int32_t lpu_exponent_i32_c(const lpu_scale *s, size_t n)
{
    int32_t most = INT32_MIN;
    for (size_t t = 0; t < n; t++) {
        if (s[t].m && s[t].e > most) most = s[t].e;
    }
    return most;
}

int32_t lpu_scores_i32_c(int32_t *acc, size_t n, lpu_scale sq, const lpu_scale *sk)
{
    int32_t most = -INT32_MAX;
    for (size_t t = 0; t < n; t++) {
        acc[t] = lpu_int_apply(acc[t], lpu_int_mul(sq, sk[t]), LPU_INT_X32);
        if (acc[t] > most) most = acc[t];
    }
    return most;
}

/* 2^24 2^(-d / 2^16), rounded down as section 8.3 says. */
static uint32_t exp2_down(uint32_t d)
{
    const uint32_t j = d >> 10 & 63, whole = d >> 16;
    const int32_t r = (int32_t)(d & 1023);

    if (whole >= 25) return 0;
    const int32_t p = lpu_int_powers[j] - (((lpu_int_powers[j] - lpu_int_powers[j + 1]) * r) >> 10);
    return (uint32_t)p << 8 >> whole;
}

uint64_t lpu_powers_i32_c(int32_t *u, const int32_t *z, size_t n, int32_t most, const lpu_scale *sv,
                          int32_t ev)
{
    uint64_t sum = 0;
    for (size_t t = 0; t < n; t++) {
        const uint32_t e = exp2_down((uint32_t)most - (uint32_t)z[t]);
        const int32_t down = sv[t].m ? ev - sv[t].e : 16;
        const uint32_t w = down < 16 ? (uint32_t)sv[t].m >> down : 0;
        sum += e;
        u[t] = (int32_t)(((uint64_t)e * w + 32768) >> 16);
    }
    return sum;
}
