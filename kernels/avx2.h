/* kernels/avx2.h - the product of row-planes with AVX2, a template. Only files *_avx2.c include it.
 *
 * A format brings a decoder that takes 32 codes apart into unsigned bytes for each plane, digits or
 * what digits can be had from. Those times activations are summed in 16 bits over as many lines as
 * fit, then in 32; the sums of digits are made of them once, at the end. A decoded line serves
 * several tokens.
 */
#ifndef LPU_KERNELS_AVX2_H
#define LPU_KERNELS_AVX2_H

#include "kernels/unroll.h"

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum {
    LPU_AVX2_PLANES_MAX = 8,
    LPU_AVX2_SUMS_MAX = 16,
    LPU_AVX2_AHEAD_BYTES = 4096, /* fetched before they are needed */
};

typedef void lpu_avx2_decode(__m256i *plane, __m256i codes);
typedef void lpu_avx2_finish(__m256i *sums); /* (planes) */

/* What a format is; lines * 2 * (largest byte of a plane) * 127 is below 2^15. */
typedef struct lpu_avx2_format {
    lpu_avx2_decode *decode;
    lpu_avx2_finish *finish; /* NULL: planes are digits */
    size_t planes, lines;
    int32_t bias;  /* of the digits */
    size_t halves; /* of a line that are summed together, for one token */
    size_t tokens; /* that share a decoded half of a line */
} lpu_avx2_format;

/* The next four of the activations; zeros where fewer are left. Loops pass left = 4: one load. */
LPU_INLINE __m256i lpu_avx2_broadcast(const int8_t *x, size_t left)
{
    int32_t four = 0;
    memcpy(&four, x, left < 4 ? left : 4);
    return _mm256_set1_epi32(four);
}

LPU_INLINE __m256i lpu_avx2_load(const void *from)
{
    return _mm256_loadu_si256((const __m256i *)from);
}

/* Sums of four products of int8: |x| times w with the sign of x fits 16 bits, because neither side
 * is -128: 2 * 127 * 127 = 32258. */
LPU_INLINE __m256i lpu_avx2_dot(__m256i w, __m256i x)
{
    const __m256i part = _mm256_maddubs_epi16(_mm256_abs_epi8(x), _mm256_sign_epi8(w, x));
    return _mm256_madd_epi16(part, _mm256_set1_epi16(1));
}

LPU_INLINE int32_t lpu_avx2_reduce(__m256i v)
{
    __m128i four = _mm_add_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
    four = _mm_add_epi32(four, _mm_shuffle_epi32(four, 0x4e));
    four = _mm_add_epi32(four, _mm_shuffle_epi32(four, 0xb1));
    return _mm_cvtsi128_si32(four);
}

LPU_INLINE int32_t lpu_avx2_sum(const int8_t *x, size_t k)
{
    const __m256i one = _mm256_set1_epi8(1);
    __m256i sums = _mm256_setzero_si256();
    size_t c = 0;

    for (; c + 32 <= k; c += 32) {
        sums = _mm256_add_epi32(sums, lpu_avx2_dot(lpu_avx2_load(x + c), one));
    }
    int32_t sum = lpu_avx2_reduce(sums);
    for (; c < k; c++) sum += x[c];
    return sum;
}

/* Halves of a line times n tokens; part is (halves, n, planes). */
LPU_INLINE void lpu_avx2_step(__m256i *part, const uint8_t *w, const int8_t *x, size_t x_stride,
                              size_t left, const lpu_avx2_format f, const size_t halves,
                              const size_t n)
{
    LPU_UNROLL
    for (size_t i = 0; i < halves * n; i++) {
        const __m256i four = lpu_avx2_broadcast(x + i % n * x_stride, left);
        __m256i plane[LPU_AVX2_PLANES_MAX];
        f.decode(plane, lpu_avx2_load(w + i / n * 32)); /* once for all tokens, optimised */
        LPU_UNROLL
        for (size_t p = 0; p < f.planes; p++) {
            __m256i *to = part + i * f.planes + p;
            *to = _mm256_add_epi16(*to, _mm256_maddubs_epi16(plane[p], four));
            LPU_KEEP(*to);
        }
    }
}

/* sums += the halves of some lines, up to f.lines, times n tokens; left is k of each line. */
LPU_INLINE void lpu_avx2_lines(__m256i *sums, const uint8_t *w, const int8_t *x, size_t x_stride,
                               size_t lines, size_t left, const lpu_avx2_format f,
                               const size_t halves, const size_t n)
{
    const size_t count = halves * n * f.planes;
    __m256i part[LPU_AVX2_SUMS_MAX];
    LPU_UNROLL
    for (size_t i = 0; i < count; i++) part[i] = _mm256_setzero_si256();

    for (size_t i = 0; i < lines; i++, w += 64, x += 4) {
        _mm_prefetch((const char *)w + LPU_AVX2_AHEAD_BYTES, _MM_HINT_T0);
        lpu_avx2_step(part, w, x, x_stride, left, f, halves, n);
    }
    LPU_KEEP_POINTER(sums); /* they stay in memory: registers are for parts */
    LPU_UNROLL
    for (size_t i = 0; i < count; i++) {
        const __m256i wide = _mm256_madd_epi16(part[i], _mm256_set1_epi16(1));
        sums[i] = _mm256_add_epi32(sums[i], wide);
    }
}

/* A block times n tokens. */
LPU_INLINE void lpu_avx2_block(int32_t *y, size_t y_stride, const uint8_t *w, const int8_t *x,
                               size_t x_stride, size_t rows, size_t k, const lpu_avx2_format f,
                               const size_t halves, const size_t n)
{
    const size_t block_rows = 16 * f.planes, lines = k / 4, rest = k % 4;
    __m256i sums[2][LPU_AVX2_SUMS_MAX];
    int32_t out[16 * LPU_AVX2_PLANES_MAX];

    memset(sums, 0, sizeof(sums));
    for (size_t i = 0; i < lines; i += f.lines) {
        const size_t here = lines - i < f.lines ? lines - i : f.lines;
        LPU_UNROLL
        for (size_t h = 0; h < 2; h += halves) {
            lpu_avx2_lines(sums[h], w + 64 * i + 32 * h, x + 4 * i, x_stride, here, 4, f, halves,
                           n);
        }
    }
    for (size_t h = 0; h < 2 && rest; h += halves) {
        lpu_avx2_lines(sums[h], w + 64 * lines + 32 * h, x + 4 * lines, x_stride, 1, rest, f,
                       halves, n);
    }
    for (size_t t = 0; t < n; t++) {
        const __m256i taken = _mm256_set1_epi32(f.bias * lpu_avx2_sum(x + t * x_stride, k));
        for (size_t h = 0; h < 2; h++) {
            __m256i *of = h < halves ? sums[0] + (h * n + t) * f.planes : sums[h] + t * f.planes;
            if (f.finish) f.finish(of);
            for (size_t p = 0; p < f.planes; p++) {
                _mm256_storeu_si256((__m256i *)(void *)(out + 16 * p + 8 * h),
                                    _mm256_sub_epi32(of[p], taken));
            }
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
                           k, f, 1, f.tokens);
        }
        for (; t < tokens; t++) {
            lpu_avx2_block(to + t * y_stride, y_stride, w, x + t * x_stride, x_stride, rows - first,
                           k, f, f.halves, 1);
        }
    }
}

#endif
