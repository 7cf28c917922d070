/* kernels/floats_body.h - the passes over a row of floats, once, as loops that a compiler
 * vectorises.
 *
 * Included by floats_<isa>.c with PASS(op) naming the kernel. Sums and maxima go in LANES lanes of
 * their own, so that their order is the same for every instruction set.
 */
#include "kernels/kernels.h"

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#pragma GCC optimize("O3")

enum { LANES = 16 };

/* Adding it leaves the nearest whole number in the low bits of a float of at most 2^22. */
#define TO_WHOLE 12582912.0f /* 1.5 * 2^23 */

static inline int32_t bits_of(float v)
{
    int32_t bits;
    memcpy(&bits, &v, 4);
    return bits;
}

static inline float float_of(int32_t bits)
{
    float v;
    memcpy(&v, &bits, 4);
    return v;
}

/* e^v for v <= 0, within 2 units in the last place; 0 below -87. */
static inline float exponential(float v)
{
    const float x = v < -87.0f ? -87.0f : v;
    const float shifted = x * 1.44269504f + TO_WHOLE; /* log2(e) */
    const float n = shifted - TO_WHOLE;
    /* ln 2 in two parts: the first has zeros below, so that n times it is exact. */
    const float r = (x - n * 0.693145752f) - n * 1.42860677e-6f;
    float p = 1.0f / 5040;
    p = p * r + 1.0f / 720;
    p = p * r + 1.0f / 120;
    p = p * r + 1.0f / 24;
    p = p * r + 1.0f / 6;
    p = p * r + 0.5f;
    p = p * r + 1.0f;
    p = p * r + 1.0f;
    const int32_t up = (bits_of(shifted) - bits_of(TO_WHOLE)) * (1 << 23);
    return v < -87.0f ? 0.0f : float_of(bits_of(p) + up);
}

static inline float largest(const float *x, size_t n)
{
    float lane[LANES];
    size_t i = 0;

    for (size_t j = 0; j < LANES; j++) lane[j] = -INFINITY;
    for (; i + LANES <= n; i += LANES) {
        for (size_t j = 0; j < LANES; j++) lane[j] = x[i + j] > lane[j] ? x[i + j] : lane[j];
    }
    for (; i < n; i++) lane[0] = x[i] > lane[0] ? x[i] : lane[0];
    for (size_t j = 1; j < LANES; j++) lane[0] = lane[j] > lane[0] ? lane[j] : lane[0];
    return lane[0];
}

#ifdef PASS
float PASS(absmax_f32)(const float *x, size_t n)
{
    float lane[LANES] = {0};
    size_t i = 0;

    for (; i + LANES <= n; i += LANES) {
        for (size_t j = 0; j < LANES; j++) {
            const float a = fabsf(x[i + j]);
            lane[j] = a > lane[j] ? a : lane[j];
        }
    }
    for (; i < n; i++) lane[0] = fabsf(x[i]) > lane[0] ? fabsf(x[i]) : lane[0];
    for (size_t j = 1; j < LANES; j++) lane[0] = lane[j] > lane[0] ? lane[j] : lane[0];
    return lane[0];
}

double PASS(sumsq_f32)(const float *x, size_t n)
{
    double lane[LANES] = {0};
    size_t i = 0;

    for (; i + LANES <= n; i += LANES) {
        for (size_t j = 0; j < LANES; j++) lane[j] += (double)x[i + j] * (double)x[i + j];
    }
    for (; i < n; i++) lane[0] += (double)x[i] * (double)x[i];
    for (size_t j = 1; j < LANES; j++) lane[0] += lane[j];
    return lane[0];
}

void PASS(gain_f32)(float *y, const float *x, const float *gain, size_t n, float scale)
{
    for (size_t i = 0; i < n; i++) y[i] = x[i] * scale * gain[i];
}

void PASS(round_f32)(float *x, size_t n, float unit, float back)
{
    for (size_t i = 0; i < n; i++) x[i] = ((x[i] * unit + TO_WHOLE) - TO_WHOLE) * back;
}

void PASS(group_f32)(int8_t *q, lpu_group *groups, const float *x, size_t n)
{
    for (size_t g = 0; g < n / LPU_LAYOUT_GROUP;
         g++, q += LPU_LAYOUT_GROUP, x += LPU_LAYOUT_GROUP) {
        const float most = PASS(absmax_f32)(x, LPU_LAYOUT_GROUP);
        const float unit = most > 0 ? 127.0f / most : 0;
        int32_t whole[LPU_LAYOUT_GROUP], sum = 0;

        for (size_t i = 0; i < LPU_LAYOUT_GROUP; i++) {
            whole[i] = bits_of(x[i] * unit + TO_WHOLE) - bits_of(TO_WHOLE);
        }
        for (size_t i = 0; i < LPU_LAYOUT_GROUP; i++) {
            q[i] = (int8_t)whole[i];
            sum += whole[i];
        }
        groups[g] = (lpu_group){most / 127.0f, sum};
    }
}

void PASS(softmax_f32)(float *x, size_t n, float scale)
{
    const float most = largest(x, n);
    float lane[LANES] = {0};
    size_t i = 0;

    for (; i + LANES <= n; i += LANES) {
        for (size_t j = 0; j < LANES; j++) {
            x[i + j] = exponential((x[i + j] - most) * scale);
            lane[j] += x[i + j];
        }
    }
    for (; i < n; i++) {
        x[i] = exponential((x[i] - most) * scale);
        lane[0] += x[i];
    }
    for (size_t j = 1; j < LANES; j++) lane[0] += lane[j];
    const float share = 1.0f / lane[0];
    for (i = 0; i < n; i++) x[i] *= share;
}

void PASS(rope_f32)(float *x, size_t n, const int16_t *rope)
{
    float *low = x, *high = x + n / 2;
    for (size_t i = 0; i < n / 2; i++) {
        const float a = low[i], b = high[i];
        const float c = (float)rope[2 * i] * 0x1p-14f, s = (float)rope[2 * i + 1] * 0x1p-14f;
        low[i] = a * c - b * s;
        high[i] = a * s + b * c;
    }
}

void PASS(relu2_f32)(float *y, const float *g, const float *u, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const float v = g[i] > 0 ? g[i] : 0;
        y[i] = v * v * u[i];
    }
}

/* By e^-|g|, which never overflows. */
void PASS(silu_f32)(float *y, const float *g, const float *u, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const float e = exponential(-fabsf(g[i]));
        y[i] = g[i] * ((g[i] < 0 ? e : 1.0f) / (1.0f + e)) * u[i];
    }
}
#endif
