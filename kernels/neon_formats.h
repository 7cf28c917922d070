/* kernels/neon_formats.h - the decoders of neon.h: 16 codes of layout.h into digits of rows. */
#ifndef LPU_KERNELS_NEON_FORMATS_H
#define LPU_KERNELS_NEON_FORMATS_H

#ifdef __ARM_NEON

#include "kernels/layout.h"
#include "kernels/neon.h"

LPU_INLINE void lpu_neon_decode_i8(int8x16_t *digit, uint8x16_t u, const void *tables)
{
    (void)tables;
    digit[0] = vreinterpretq_s8_u8(u);
}

LPU_INLINE void lpu_neon_decode_i4(int8x16_t *digit, uint8x16_t u, const void *tables)
{
    (void)tables;
    digit[0] = vreinterpretq_s8_u8(vandq_u8(u, vdupq_n_u8(15)));
    digit[1] = vreinterpretq_s8_u8(vshrq_n_u8(u, 4));
}

LPU_INLINE void lpu_neon_decode_t2(int8x16_t *digit, uint8x16_t u, const void *tables)
{
    const uint8x16_t three = vdupq_n_u8(3);
    (void)tables;
    digit[0] = vreinterpretq_s8_u8(vandq_u8(u, three));
    digit[1] = vreinterpretq_s8_u8(vandq_u8(vshrq_n_u8(u, 2), three));
    digit[2] = vreinterpretq_s8_u8(vandq_u8(vshrq_n_u8(u, 4), three));
    digit[3] = vreinterpretq_s8_u8(vshrq_n_u8(u, 6));
}

/* The low four digits of 0..80, two bits each. */
typedef struct lpu_neon_b3_tables {
    uint8x16x4_t low;
    uint8x16x2_t high;
} lpu_neon_b3_tables;

LPU_INLINE lpu_neon_b3_tables lpu_neon_b3_make(void)
{
    lpu_neon_b3_tables t;
    uint8_t f[96] = {0};
    for (uint32_t v = 0; v < 81; v++) {
        f[v] = (uint8_t)(v % 3 | v / 3 % 3 << 2 | v / 9 % 3 << 4 | v / 27 % 3 << 6);
    }
    for (size_t i = 0; i < 4; i++) t.low.val[i] = vld1q_u8(f + 16 * i);
    for (size_t i = 0; i < 2; i++) t.high.val[i] = vld1q_u8(f + 64 + 16 * i);
    return t;
}

/* The fifth digit counts how often 81 fits; a look-up outside its table gives 0. */
LPU_INLINE void lpu_neon_decode_b3(int8x16_t *digit, uint8x16_t u, const void *tables)
{
    const lpu_neon_b3_tables *t = tables;
    const uint8x16_t once = vcgeq_u8(u, vdupq_n_u8(81)), twice = vcgeq_u8(u, vdupq_n_u8(162));
    const uint8x16_t times = vsubq_u8(vdupq_n_u8(0), vaddq_u8(once, twice));
    const uint8x16_t rest = vmlsq_u8(u, times, vdupq_n_u8(81));
    const uint8x16_t f = vorrq_u8(vqtbl4q_u8(t->low, rest),
                                  vqtbl2q_u8(t->high, vsubq_u8(rest, vdupq_n_u8(64))));
    lpu_neon_decode_t2(digit, f, NULL);
    digit[4] = vreinterpretq_s8_u8(times);
}

#define LPU_NEON_I8 ((lpu_neon_format){lpu_neon_decode_i8, 1, 0})
#define LPU_NEON_I4 ((lpu_neon_format){lpu_neon_decode_i4, 2, 8})
#define LPU_NEON_T2 ((lpu_neon_format){lpu_neon_decode_t2, 4, 1})
#define LPU_NEON_B3 ((lpu_neon_format){lpu_neon_decode_b3, 5, 1})

#endif
#endif
