/* kernels/half.h - IEEE half, bfloat16 and float, by bits: the same on every compiler and CPU. */
#ifndef LPU_KERNELS_HALF_H
#define LPU_KERNELS_HALF_H

#include <stdint.h>
#include <string.h>

/* Exact: every half is a float. */
static inline float lpu_half_to_float(uint16_t h)
{
    const uint32_t sign = (uint32_t)(h & 0x8000) << 16, rest = h & 0x7fff;
    uint32_t bits;
    float f;

    if (rest >= 0x7c00) {
        bits = 0x7f800000 | (rest & 0x3ff) << 13; /* infinity, NaN */
    } else if (rest >= 0x0400) {
        bits = (rest << 13) + (112u << 23);
    } else { /* subnormal: rest * 2^-24 */
        f = (float)rest * 0x1p-24f;
        memcpy(&bits, &f, 4);
    }
    bits |= sign;
    memcpy(&f, &bits, 4);
    return f;
}

/* Nearest, ties to even; beyond the range infinity. */
static inline uint16_t lpu_half_from_float(float f)
{
    uint32_t bits;
    memcpy(&bits, &f, 4);
    const uint16_t sign = (uint16_t)(bits >> 16 & 0x8000);
    uint32_t rest = bits & 0x7fffffff;

    if (rest > 0x7f800000) return (uint16_t)(sign | 0x7e00);  /* NaN */
    if (rest >= 0x477ff000) return (uint16_t)(sign | 0x7c00); /* 65520 and above */
    if (rest < 0x38800000) {                                  /* below 2^-14: adding 0.5 rounds */
        float magnitude;
        memcpy(&magnitude, &rest, 4);
        magnitude += 0.5f; /* the unit in the last place of 0.5..1 is 2^-24 */
        memcpy(&rest, &magnitude, 4);
        return (uint16_t)(sign | (rest - 0x3f000000));
    }
    rest += 0xfff + (rest >> 13 & 1);
    return (uint16_t)(sign | (rest - (112u << 23)) >> 13);
}

/* Exact: a bfloat16 is the upper half of a float. */
static inline float lpu_bf16_to_float(uint16_t b)
{
    const uint32_t bits = (uint32_t)b << 16;
    float f;
    memcpy(&f, &bits, 4);
    return f;
}

/* Nearest, ties to even; NaN stays NaN. */
static inline uint16_t lpu_bf16_from_float(float f)
{
    uint32_t bits;
    memcpy(&bits, &f, 4);
    if ((bits & 0x7fffffff) > 0x7f800000) return (uint16_t)(bits >> 16 | 0x40);
    return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

#endif
