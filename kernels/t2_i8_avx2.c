/* kernels/t2_i8_avx2.c - 2-bit ternary x int8 with AVX2.
 *
 * Two digits are taken from each half of a byte: sum (u & 3) x and sum (u & 15) x in 16 bits, for
 * twelve lines at most: 12 * 2 * 10 * 127 = 30480. The rest is as in t2_i8_avx512vnni.c.
 */
#include "kernels/kernels.h"
#include "kernels/unroll.h"

#include <immintrin.h>
#include <string.h>

enum { LINES = 12 };

static __m256i broadcast(const int8_t *x, size_t k, size_t c)
{
    int32_t four = 0;
    memcpy(&four, x + c, k - c < 4 ? k - c : 4);
    return _mm256_set1_epi32(four);
}

/* sums[p][half] over up to LINES lines: plane-nested sums of both halves of the block's lanes. */
static inline void add_lines(__m256i sums[4][2], const uint8_t *w, const int8_t *x, size_t k,
                             size_t c, size_t lines)
{
    const __m256i low = _mm256_set1_epi8(15), lowest = _mm256_set1_epi8(3);
    __m256i part[4][2];
    LPU_UNROLL
    for (size_t i = 0; i < 8; i++) part[i / 2][i % 2] = _mm256_setzero_si256();

    for (size_t i = 0; i < lines; i++, c += 4, w += 64) {
        const __m256i four = broadcast(x, k, c);
        LPU_UNROLL
        for (size_t h = 0; h < 2; h++) {
            const __m256i u = _mm256_loadu_si256((const __m256i *)(const void *)(w + 32 * h));
            const __m256i a = _mm256_and_si256(u, low);
            const __m256i b = _mm256_and_si256(_mm256_srli_epi16(u, 4), low);
            const __m256i planes[4] = {_mm256_and_si256(a, lowest), a, _mm256_and_si256(b, lowest),
                                       b};
            LPU_UNROLL
            for (size_t p = 0; p < 4; p++) {
                part[p][h] = _mm256_add_epi16(part[p][h], _mm256_maddubs_epi16(planes[p], four));
            }
        }
    }
    LPU_UNROLL
    for (size_t i = 0; i < 8; i++) {
        const __m256i wide = _mm256_madd_epi16(part[i / 2][i % 2], _mm256_set1_epi16(1));
        sums[i / 2][i % 2] = _mm256_add_epi32(sums[i / 2][i % 2], wide);
    }
}

static void block(int32_t *y, const uint8_t *w, const int8_t *x, size_t rows, size_t k, int32_t sum)
{
    __m256i sums[4][2];
    int32_t out[64];

    LPU_UNROLL
    for (size_t i = 0; i < 8; i++) sums[i / 2][i % 2] = _mm256_setzero_si256();
    for (size_t c = 0; c < k; c += 4 * LINES) {
        const size_t left = (k - c + 3) / 4;
        add_lines(sums, w + 16 * c, x, k, c, left < LINES ? left : LINES);
    }
    LPU_UNROLL
    for (size_t p = 0; p < 4; p++) {
        LPU_UNROLL
        for (size_t h = 0; h < 2; h++) {
            __m256i v = sums[p][h];
            if (p & 1) v = _mm256_srai_epi32(_mm256_sub_epi32(v, sums[p - 1][h]), 2);
            v = _mm256_sub_epi32(v, _mm256_set1_epi32(sum));
            _mm256_storeu_si256((__m256i *)(void *)(out + 16 * p + 8 * h), v);
        }
    }
    memcpy(y, out, (rows < 64 ? rows : 64) * sizeof(*y));
}

static int32_t sum_of(const int8_t *x, size_t k)
{
    int32_t sum = 0;
    for (size_t c = 0; c < k; c++) sum += x[c];
    return sum;
}

void lpu_gemv_t2_i8_avx2(int32_t *y, const uint8_t *w, const int8_t *x, size_t rows, size_t k)
{
    lpu_gemm_t2_i8_avx2(y, 0, w, x, 0, rows, k, 1);
}

/* A block stays in the caches while the tokens pass. */
void lpu_gemm_t2_i8_avx2(int32_t *y, size_t y_stride, const uint8_t *w, const int8_t *x,
                         size_t x_stride, size_t rows, size_t k, size_t tokens)
{
    for (size_t first = 0; first < rows; first += 64, w += (k + 3) / 4 * 64) {
        for (size_t t = 0; t < tokens; t++) {
            const int8_t *from = x + t * x_stride;
            block(y + t * y_stride + first, w, from, rows - first, k, sum_of(from, k));
        }
    }
}
