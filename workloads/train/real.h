/* workloads/train/real.h - the number type of training, and the exponential of the softmaxes.
 *
 * float; the gradient test compiles the pass in double by defining LPU_TRAIN_DOUBLE.
 */
#ifndef LPU_WORKLOADS_TRAIN_REAL_H
#define LPU_WORKLOADS_TRAIN_REAL_H

#include <math.h>
#include <stdint.h>
#include <string.h>

/* Loops that pay are compiled for several CPUs; which one runs is found out when the program starts.
 * Sums differ between them in the last bits. */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__)
#define LPU_TRAIN_CLONES                                                                           \
    __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define LPU_TRAIN_CLONES
#endif

#ifdef LPU_TRAIN_DOUBLE
typedef double lpu_real;

static inline double lpu_real_exp(double x)
{
    return exp(x);
}
static inline double lpu_real_abs(double x)
{
    return fabs(x);
}
#else
typedef float lpu_real;

/* e^x for x <= 0 within 2 units in the last place, without branches or calls; 0 below -87. */
static inline float lpu_real_exp(float x)
{
    const float magic = 12582912.0f; /* 1.5 * 2^23: adding it rounds to an integer */
    const float y = x < -87.0f ? -87.0f : x;
    const float n = (y * 1.44269504f + magic) - magic;              /* log2(e) */
    const float r = (y - n * 0.693359375f) - n * -2.12194440e-4f; /* ln(2) in two parts */
    float p = 1.0f / 720; /* the series of e^r to r^6: r is at most ln(2) / 2, the rest 1e-7 */
    float power;

    p = p * r + 1.0f / 120;
    p = p * r + 1.0f / 24;
    p = p * r + 1.0f / 6;
    p = p * r + 0.5f;
    p = p * r + 1.0f;
    p = p * r + 1.0f;
    const int32_t bits = ((int32_t)n + 127) * (1 << 23);
    memcpy(&power, &bits, sizeof(power));
    return x < -87.0f ? 0.0f : p * power;
}
static inline float lpu_real_abs(float x)
{
    return fabsf(x);
}
#endif

#endif
