/* kernels/b3_i8_avx2.c - 1.6-bit ternary x int8 with AVX2.
 *
 * There is no byte table of 64 entries here: the digits of a code are found by comparing. Each
 * plane is summed in 16 bits, for 64 lines at most: 64 * 2 * 2 * 127 = 32512.
 */
#include "kernels/kernels.h"
#include "kernels/unroll.h"

#include <immintrin.h>
#include <string.h>

enum { LINES = 64 };

static __m256i broadcast(const int8_t *x, size_t k, size_t c)
{
    int32_t four = 0;
    memcpy(&four, x + c, k - c < 4 ? k - c : 4);
    return _mm256_set1_epi32(four);
}

/* Bytes of v, 0..127, that are above limit, as -1. */
static inline __m256i above(__m256i v, int limit)
{
    return _mm256_cmpgt_epi8(v, _mm256_set1_epi8((char)limit));
}

/* The digit of weight unit in *v (0, 1 or 2), taken off *v. */
static inline __m256i take(__m256i *v, int unit)
{
    const __m256i one = above(*v, unit - 1), two = above(*v, 2 * unit - 1);
    const __m256i each = _mm256_set1_epi8((char)unit);
    *v = _mm256_sub_epi8(*v, _mm256_and_si256(one, each));
    *v = _mm256_sub_epi8(*v, _mm256_and_si256(two, each));
    return _mm256_sub_epi8(_mm256_setzero_si256(), _mm256_add_epi8(one, two));
}

/* digit[0..5) of 32 codes. */
static inline void decode(__m256i *digit, __m256i u)
{
    /* u - 81 where that is smaller, twice: unsigned bytes below 81 wrap around to large ones. */
    const __m256i unit = _mm256_set1_epi8(81);
    const __m256i once = _mm256_min_epu8(u, _mm256_sub_epi8(u, unit));
    __m256i rest = _mm256_min_epu8(once, _mm256_sub_epi8(once, unit));
    const __m256i same = _mm256_add_epi8(_mm256_cmpeq_epi8(u, once), _mm256_cmpeq_epi8(once, rest));

    digit[4] = _mm256_add_epi8(same, _mm256_set1_epi8(2)); /* two, less one for each "same" */
    digit[3] = take(&rest, 27);
    digit[2] = take(&rest, 9);
    digit[1] = take(&rest, 3);
    digit[0] = rest;
}

/* sums[p] of one half of the block's lanes, over up to LINES lines. */
static inline void add_lines(__m256i *sums, const uint8_t *w, const int8_t *x, size_t k, size_t c,
                             size_t lines)
{
    __m256i part[5];
    LPU_UNROLL
    for (size_t p = 0; p < 5; p++) part[p] = _mm256_setzero_si256();

    for (size_t i = 0; i < lines; i++, c += 4, w += 64) {
        __m256i digit[5];
        decode(digit, _mm256_loadu_si256((const __m256i *)(const void *)w));
        LPU_UNROLL
        for (size_t p = 0; p < 5; p++) {
            part[p] = _mm256_add_epi16(part[p], _mm256_maddubs_epi16(digit[p], broadcast(x, k, c)));
        }
    }
    LPU_UNROLL
    for (size_t p = 0; p < 5; p++) {
        sums[p] = _mm256_add_epi32(sums[p], _mm256_madd_epi16(part[p], _mm256_set1_epi16(1)));
    }
}

static void block(int32_t *y, const uint8_t *w, const int8_t *x, size_t rows, size_t k, int32_t sum)
{
    int32_t out[80];

    LPU_UNROLL
    for (size_t h = 0; h < 2; h++) {
        __m256i sums[5];
        LPU_UNROLL
        for (size_t p = 0; p < 5; p++) sums[p] = _mm256_setzero_si256();
        for (size_t c = 0; c < k; c += 4 * LINES) {
            const size_t left = (k - c + 3) / 4;
            add_lines(sums, w + 16 * c + 32 * h, x, k, c, left < LINES ? left : LINES);
        }
        LPU_UNROLL
        for (size_t p = 0; p < 5; p++) {
            _mm256_storeu_si256((__m256i *)(void *)(out + 16 * p + 8 * h),
                                _mm256_sub_epi32(sums[p], _mm256_set1_epi32(sum)));
        }
    }
    memcpy(y, out, (rows < 80 ? rows : 80) * sizeof(*y));
}

static int32_t sum_of(const int8_t *x, size_t k)
{
    int32_t sum = 0;
    for (size_t c = 0; c < k; c++) sum += x[c];
    return sum;
}

void lpu_gemv_b3_i8_avx2(int32_t *y, const uint8_t *w, const int8_t *x, size_t rows, size_t k)
{
    lpu_gemm_b3_i8_avx2(y, 0, w, x, 0, rows, k, 1);
}

void lpu_gemm_b3_i8_avx2(int32_t *y, size_t y_stride, const uint8_t *w, const int8_t *x,
                         size_t x_stride, size_t rows, size_t k, size_t tokens)
{
    for (size_t first = 0; first < rows; first += 80, w += (k + 3) / 4 * 64) {
        for (size_t t = 0; t < tokens; t++) {
            const int8_t *from = x + t * x_stride;
            block(y + t * y_stride + first, w, from, rows - first, k, sum_of(from, k));
        }
    }
}
