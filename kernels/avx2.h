/* kernels/avx2.h - the product of row-planes with AVX2, a template. Only files *_avx2.c include it.
 *
 * A format brings a decoder that takes 32 codes apart into the unsigned digits of each plane.
 * Digits times activations are summed in 16 bits over as many lines as fit, then in 32. A decoded
 * line serves several tokens.
 */
#ifndef LPU_KERNELS_AVX2_H
#define LPU_KERNELS_AVX2_H

#include "kernels/unroll.h"

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { LPU_AVX2_PLANES_MAX = 8, LPU_AVX2_TOKENS_MAX = 4 };

typedef void lpu_avx2_decode(__m256i *digit, __m256i codes);

/* What a format is; lines * 2 * (largest digit) * 127 is below 2^15. */
typedef struct lpu_avx2_format {
    lpu_avx2_decode *decode;
    size_t planes, lines;
    int32_t bias;  /* of the digits */
    size_t tokens; /* that share a decoded line */
} lpu_avx2_format;

/* The next four of the activations; zeros where fewer are left. Loops pass left = 4: one load. */
LPU_INLINE __m256i lpu_avx2_broadcast(const int8_t *x, size_t left)
{
    int32_t four = 0;
    memcpy(&four, x, left < 4 ? left : 4);
    return _mm256_set1_epi32(four);
}

/* Digits of each plane of a line: (planes, 64). */
LPU_INLINE void lpu_avx2_digits(uint8_t *digits, const uint8_t *line, const lpu_avx2_format f)
{
    for (size_t half = 0; half < 64; half += 32) {
        __m256i digit[LPU_AVX2_PLANES_MAX];
        f.decode(digit, _mm256_loadu_si256((const __m256i *)(const void *)(line + half)));
        for (size_t p = 0; p < f.planes; p++) {
            _mm256_storeu_si256((__m256i *)(void *)(digits + 64 * p + half), digit[p]);
        }
    }
}

LPU_INLINE int32_t lpu_avx2_sum(const int8_t *x, size_t k)
{
    int32_t sum = 0;
    for (size_t c = 0; c < k; c++) sum += x[c];
    return sum;
}

/* Half a line times n tokens. */
LPU_INLINE void lpu_avx2_step(__m256i *part, const uint8_t *w, const int8_t *x, size_t x_stride,
                              size_t left, const lpu_avx2_format f, const size_t n)
{
    __m256i digit[LPU_AVX2_PLANES_MAX];
    f.decode(digit, _mm256_loadu_si256((const __m256i *)(const void *)w));
    LPU_UNROLL
    for (size_t t = 0; t < n; t++) {
        const __m256i four = lpu_avx2_broadcast(x + t * x_stride, left);
        LPU_UNROLL
        for (size_t p = 0; p < f.planes; p++) {
            __m256i *to = part + t * f.planes + p;
            *to = _mm256_add_epi16(*to, _mm256_maddubs_epi16(digit[p], four));
        }
    }
}

/* sums += one half of up to f.lines lines, of k elements, times n tokens. */
LPU_INLINE void lpu_avx2_lines(__m256i *sums, const uint8_t *w, const int8_t *x, size_t x_stride,
                               size_t k, const lpu_avx2_format f, const size_t n)
{
    __m256i part[LPU_AVX2_PLANES_MAX * LPU_AVX2_TOKENS_MAX];
    LPU_UNROLL
    for (size_t i = 0; i < f.planes * n; i++) part[i] = _mm256_setzero_si256();

    size_t c = 0;
    for (; c + 4 <= k; c += 4, w += 64) lpu_avx2_step(part, w, x + c, x_stride, 4, f, n);
    if (c < k) lpu_avx2_step(part, w, x + c, x_stride, k - c, f, n);
    LPU_UNROLL
    for (size_t i = 0; i < f.planes * n; i++) {
        const __m256i wide = _mm256_madd_epi16(part[i], _mm256_set1_epi16(1));
        sums[i] = _mm256_add_epi32(sums[i], wide);
    }
}

/* A block times n tokens. */
LPU_INLINE void lpu_avx2_block(int32_t *y, size_t y_stride, const uint8_t *w, const int8_t *x,
                               size_t x_stride, size_t rows, size_t k, const lpu_avx2_format f,
                               const size_t n)
{
    const size_t step = 4 * f.lines, block_rows = 16 * f.planes;
    __m256i sums[2][LPU_AVX2_PLANES_MAX * LPU_AVX2_TOKENS_MAX];
    int32_t out[16 * LPU_AVX2_PLANES_MAX];

    memset(sums, 0, sizeof(sums));
    for (size_t c = 0; c < k; c += step) {
        const size_t here = k - c < step ? k - c : step;
        lpu_avx2_lines(sums[0], w + 16 * c, x + c, x_stride, here, f, n);
        lpu_avx2_lines(sums[1], w + 16 * c + 32, x + c, x_stride, here, f, n);
    }
    for (size_t t = 0; t < n; t++) {
        const __m256i taken = _mm256_set1_epi32(f.bias * lpu_avx2_sum(x + t * x_stride, k));
        for (size_t i = 0; i < 2 * f.planes; i++) {
            const __m256i v = _mm256_sub_epi32(sums[i % 2][t * f.planes + i / 2], taken);
            _mm256_storeu_si256((__m256i *)(void *)(out + 8 * i), v);
        }
        memcpy(y + t * y_stride, out, (rows < block_rows ? rows : block_rows) * sizeof(*y));
    }
}

LPU_INLINE void lpu_avx2_product(int32_t *y, size_t y_stride, const uint8_t *w, const int8_t *x,
                                 size_t x_stride, size_t rows, size_t k, size_t tokens,
                                 const lpu_avx2_format f)
{
    const size_t block_rows = 16 * f.planes, block_bytes = (k + 3) / 4 * 64;

    for (size_t first = 0; first < rows; first += block_rows, w += block_bytes) {
        int32_t *to = y + first;
        size_t t = 0;
        for (; t + f.tokens <= tokens; t += f.tokens) {
            lpu_avx2_block(to + t * y_stride, y_stride, w, x + t * x_stride, x_stride, rows - first,
                           k, f, f.tokens);
        }
        for (; t < tokens; t++) {
            lpu_avx2_block(to + t * y_stride, y_stride, w, x + t * x_stride, x_stride, rows - first,
                           k, f, 1);
        }
    }
}

#endif
