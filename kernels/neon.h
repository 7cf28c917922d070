/* kernels/neon.h - products of row-planes with NEON, templates. Files *_dotprod.c and *_i8mm.c
 * include it.
 *
 * A format brings a decoder that takes 16 codes apart into the signed digits of each plane. A vector
 * of 16 codes is four lanes of a line (layout.h), a quarter. With dot products, four k of four lanes
 * meet four activations; with matrix products, eight k of two lanes meet those of two tokens.
 */
#ifndef LPU_KERNELS_NEON_H
#define LPU_KERNELS_NEON_H

#ifdef __ARM_NEON

#include "kernels/unroll.h"

#include <arm_neon.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { LPU_NEON_PLANES_MAX = 5, LPU_NEON_QUARTERS = 4, LPU_NEON_TOKENS = 4 };

typedef void lpu_neon_decode(int8x16_t *digit, uint8x16_t codes, const void *tables);

typedef struct lpu_neon_format {
    lpu_neon_decode *decode;
    size_t planes;
    int32_t bias; /* of the digits */
} lpu_neon_format;

LPU_INLINE int32_t lpu_neon_sum(const int8_t *x, size_t k)
{
    int32_t sum = 0;
    for (size_t c = 0; c < k; c++) sum += x[c];
    return sum;
}

/* The next of the activations, zeros where fewer than n are left. */
LPU_INLINE int8x16_t lpu_neon_four(const int8_t *x, size_t left)
{
    int32_t four = 0;
    memcpy(&four, x, left < 4 ? left : 4);
    return vreinterpretq_s8_s32(vdupq_n_s32(four));
}

LPU_INLINE int8x8_t lpu_neon_eight(const int8_t *x, size_t left)
{
    int64_t eight = 0;
    memcpy(&eight, x, left < 8 ? left : 8);
    return vreinterpret_s8_s64(vdup_n_s64(eight));
}

/* Takes the bias off four rows each of up to q quarters and writes as many as there are. */
LPU_INLINE void lpu_neon_store(int32_t *y, size_t rows, const int32x4_t *acc, int32_t taken,
                               const size_t planes, const size_t quarters, size_t quarter)
{
    const int32x4_t bias = vdupq_n_s32(taken);
    for (size_t p = 0; p < planes; p++) {
        for (size_t q = 0; q < quarters; q++) {
            const size_t row = 16 * p + 4 * (quarter + q);
            int32_t four[4];
            vst1q_s32(four, vsubq_s32(acc[p * quarters + q], bias));
            if (row < rows) memcpy(y + row, four, 4 * (rows - row < 4 ? rows - row : 4));
        }
    }
}

#ifdef __ARM_FEATURE_DOTPROD
/* Some quarters of a block times n tokens: acc (tokens, planes, quarters). */
LPU_INLINE void lpu_neon_dot(int32_t *y, size_t y_stride, const uint8_t *w, const int8_t *x,
                             size_t x_stride, size_t rows, size_t k, size_t quarter,
                             const int32_t *sums, const void *tables, const lpu_neon_format f,
                             const size_t quarters, const size_t n)
{
    int32x4_t acc[LPU_NEON_TOKENS * LPU_NEON_PLANES_MAX * LPU_NEON_QUARTERS];
    const size_t each = f.planes * quarters;

    LPU_UNROLL
    for (size_t i = 0; i < n * each; i++) acc[i] = vdupq_n_s32(0);
    w += 16 * quarter;
    for (size_t c = 0; c < k; c += 4, w += 64) {
        int8x16_t four[LPU_NEON_TOKENS];
        LPU_UNROLL
        for (size_t t = 0; t < n; t++) four[t] = lpu_neon_four(x + t * x_stride + c, k - c);
        LPU_UNROLL
        for (size_t q = 0; q < quarters; q++) {
            int8x16_t digit[LPU_NEON_PLANES_MAX];
            f.decode(digit, vld1q_u8(w + 16 * q), tables);
            LPU_UNROLL
            for (size_t i = 0; i < n * f.planes; i++) {
                int32x4_t *to = acc + i / f.planes * each + i % f.planes * quarters + q;
                *to = vdotq_s32(*to, digit[i % f.planes], four[i / f.planes]);
            }
        }
    }
    LPU_UNROLL
    for (size_t t = 0; t < n; t++) {
        lpu_neon_store(y + t * y_stride, rows, acc + t * each, f.bias * sums[t], f.planes, quarters,
                       quarter);
    }
}

/* One token: a line at a time. */
LPU_INLINE void lpu_neon_gemv(int32_t *y, const uint8_t *w, size_t block_bytes, const int8_t *x,
                              size_t rows, size_t k, const void *tables, const lpu_neon_format f)
{
    const size_t block_rows = 16 * f.planes;
    const int32_t sum = lpu_neon_sum(x, k);

    for (size_t first = 0; first < rows; first += block_rows, w += block_bytes) {
        lpu_neon_dot(y + first, 0, w, x, 0, rows - first < block_rows ? rows - first : block_rows,
                     k, 0, &sum, tables, f, LPU_NEON_QUARTERS, 1);
    }
}

/* Many tokens: a quarter of a line at a time, whose digits serve four of them. */
LPU_INLINE void lpu_neon_gemm(int32_t *y, size_t y_stride, const uint8_t *w, size_t block_bytes,
                              const int8_t *x, size_t x_stride, size_t rows, size_t k,
                              size_t tokens, const void *tables, const lpu_neon_format f)
{
    const size_t block_rows = 16 * f.planes;

    for (size_t t = 0; t < tokens;) {
        const size_t n = tokens - t < LPU_NEON_TOKENS ? 1 : LPU_NEON_TOKENS;
        const int8_t *from = x + t * x_stride;
        int32_t sums[LPU_NEON_TOKENS];
        for (size_t i = 0; i < n; i++) sums[i] = lpu_neon_sum(from + i * x_stride, k);
        for (size_t first = 0; first < rows; first += block_rows) {
            const uint8_t *block = w + first / block_rows * block_bytes;
            const size_t here = rows - first < block_rows ? rows - first : block_rows;
            int32_t *to = y + t * y_stride + first;
            for (size_t q = 0; q < LPU_NEON_QUARTERS && n > 1; q++) {
                lpu_neon_dot(to, y_stride, block, from, x_stride, here, k, q, sums, tables, f, 1,
                             LPU_NEON_TOKENS);
            }
            if (n == 1) {
                lpu_neon_dot(to, 0, block, from, 0, here, k, 0, sums, tables, f, LPU_NEON_QUARTERS,
                             1);
            }
        }
        t += n;
    }
}
#endif

#ifdef __ARM_FEATURE_MATMUL_INT8
/* A quarter of a block times n pairs of tokens: acc (pairs, planes, two pairs of lanes), each
 * {lane 0 token 0, lane 0 token 1, lane 1 token 0, lane 1 token 1}. */
LPU_INLINE void lpu_neon_matrix(int32x4_t *acc, const uint8_t *w, const int8_t *x, size_t x_stride,
                                size_t k, const void *tables, const lpu_neon_format f,
                                const size_t n)
{
    const size_t each = 2 * f.planes, block_bytes = (k + 3) / 4 * 64;

    LPU_UNROLL
    for (size_t i = 0; i < n * each; i++) acc[i] = vdupq_n_s32(0);
    for (size_t c = 0; c < k; c += 8) {
        const uint8_t *line = w + 16 * c;
        const uint8x16_t low = vld1q_u8(line);
        /* The last line may be a whole one without a neighbour: its activations are zeros. */
        const uint8x16_t high = 16 * c + 64 < block_bytes ? vld1q_u8(line + 64) : low;
        const uint32x4_t a = vreinterpretq_u32_u8(low), b = vreinterpretq_u32_u8(high);
        int8x16_t pair[LPU_NEON_TOKENS / 2], digit[2][LPU_NEON_PLANES_MAX];

        LPU_UNROLL
        for (size_t t = 0; t < n; t++) {
            pair[t] = vcombine_s8(lpu_neon_eight(x + 2 * t * x_stride + c, k - c),
                                  lpu_neon_eight(x + (2 * t + 1) * x_stride + c, k - c));
        }
        f.decode(digit[0], vreinterpretq_u8_u32(vzip1q_u32(a, b)), tables);
        f.decode(digit[1], vreinterpretq_u8_u32(vzip2q_u32(a, b)), tables);
        LPU_UNROLL
        for (size_t i = 0; i < n * each; i++) {
            acc[i] = vmmlaq_s32(acc[i], digit[i % 2][i % each / 2], pair[i / each]);
        }
    }
}

/* Two tokens of four lanes each come apart; as many rows are written as there are. */
LPU_INLINE void lpu_neon_part(int32_t *y, size_t y_stride, size_t rows, const int32x4_t *acc,
                              const int32_t *sums, size_t quarter, const lpu_neon_format f,
                              const size_t n)
{
    for (size_t i = 0; i < n * f.planes; i++) {
        const size_t t = i / f.planes * 2, row = 16 * (i % f.planes) + 4 * quarter;
        const int32x4_t of[2] = {vuzp1q_s32(acc[2 * i], acc[2 * i + 1]),
                                 vuzp2q_s32(acc[2 * i], acc[2 * i + 1])};
        for (size_t j = 0; j < 2 && row < rows; j++) {
            int32_t four[4];
            vst1q_s32(four, vsubq_s32(of[j], vdupq_n_s32(f.bias * sums[t + j])));
            memcpy(y + (t + j) * y_stride + row, four, 4 * (rows - row < 4 ? rows - row : 4));
        }
    }
}

/* n pairs of tokens times all rows. */
LPU_INLINE void lpu_neon_pairs(int32_t *y, size_t y_stride, const uint8_t *w, size_t block_bytes,
                               const int8_t *x, size_t x_stride, size_t rows, size_t k,
                               const void *tables, const lpu_neon_format f, const size_t n)
{
    const size_t block_rows = 16 * f.planes;
    int32x4_t acc[LPU_NEON_TOKENS * LPU_NEON_PLANES_MAX];
    int32_t sums[LPU_NEON_TOKENS];

    for (size_t i = 0; i < 2 * n; i++) sums[i] = lpu_neon_sum(x + i * x_stride, k);
    for (size_t first = 0; first < rows; first += block_rows, w += block_bytes) {
        for (size_t q = 0; q < LPU_NEON_QUARTERS; q++) {
            lpu_neon_matrix(acc, w + 16 * q, x, x_stride, k, tables, f, n);
            lpu_neon_part(y + first, y_stride, rows - first < block_rows ? rows - first : block_rows,
                          acc, sums, q, f, n);
        }
    }
}

LPU_INLINE void lpu_neon_gemm_matrix(int32_t *y, size_t y_stride, const uint8_t *w,
                                     size_t block_bytes, const int8_t *x, size_t x_stride,
                                     size_t rows, size_t k, size_t tokens, const void *tables,
                                     const lpu_neon_format f)
{
    size_t t = 0;

    for (; t + 4 <= tokens; t += 4) {
        lpu_neon_pairs(y + t * y_stride, y_stride, w, block_bytes, x + t * x_stride, x_stride, rows,
                       k, tables, f, 2);
    }
    for (; t + 2 <= tokens; t += 2) {
        lpu_neon_pairs(y + t * y_stride, y_stride, w, block_bytes, x + t * x_stride, x_stride, rows,
                       k, tables, f, 1);
    }
    if (t < tokens) {
        lpu_neon_gemv(y + t * y_stride, w, block_bytes, x + t * x_stride, rows, k, tables, f);
    }
}
#endif

#endif
#endif
