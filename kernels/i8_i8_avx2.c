/* kernels/i8_i8_avx2.c - int8 x int8 with AVX2: |x| times w with the sign of x fits 16 bits,
 * because neither side is -128: 2 * 127 * 127 = 32258. */
#include "kernels/kernels.h"
#include "kernels/unroll.h"

#include <immintrin.h>
#include <string.h>

static void block(int32_t *y, const uint8_t *w, const int8_t *x, size_t rows, size_t k)
{
    const __m256i one = _mm256_set1_epi16(1);
    __m256i sums[2] = {_mm256_setzero_si256(), _mm256_setzero_si256()};
    int32_t out[16];

    for (size_t c = 0; c < k; c += 4, w += 64) {
        int32_t four = 0;
        memcpy(&four, x + c, k - c < 4 ? k - c : 4);
        const __m256i v = _mm256_set1_epi32(four), size = _mm256_abs_epi8(v);
        LPU_UNROLL
        for (size_t h = 0; h < 2; h++) {
            const __m256i line = _mm256_loadu_si256((const __m256i *)(const void *)(w + 32 * h));
            const __m256i part = _mm256_maddubs_epi16(size, _mm256_sign_epi8(line, v));
            sums[h] = _mm256_add_epi32(sums[h], _mm256_madd_epi16(part, one));
        }
    }
    _mm256_storeu_si256((__m256i *)(void *)out, sums[0]);
    _mm256_storeu_si256((__m256i *)(void *)(out + 8), sums[1]);
    memcpy(y, out, (rows < 16 ? rows : 16) * sizeof(*y));
}

void lpu_gemv_i8_i8_avx2(int32_t *y, const uint8_t *w, size_t block_bytes, const int8_t *x,
                         size_t rows, size_t k)
{
    lpu_gemm_i8_i8_avx2(y, 0, w, block_bytes, x, 0, rows, k, 1);
}

void lpu_gemm_i8_i8_avx2(int32_t *y, size_t y_stride, const uint8_t *w, size_t block_bytes,
                         const int8_t *x, size_t x_stride, size_t rows, size_t k, size_t tokens)
{
    for (size_t first = 0; first < rows; first += 16, w += block_bytes) {
        for (size_t t = 0; t < tokens; t++) {
            block(y + t * y_stride + first, w, x + t * x_stride, rows - first, k);
        }
    }
}
