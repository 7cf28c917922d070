/* kernels/b1_i8_avx2.c - binary x int8 with AVX2. A bit b stands for 2 b - 1. Four planes are
 * summed where they are, as 1, 2, 4 and 8 times their bits, then the other four. Sixteen lines fit
 * 16 bits: 16 * 2 * 8 * 127 = 32512. */
#include "kernels/avx2.h"
#include "kernels/kernels.h"
#include "kernels/lookup.h"

LPU_INLINE void decode(__m256i *plane, __m256i u)
{
    const __m256i upper = _mm256_srli_epi16(u, 4);
    LPU_UNROLL
    for (size_t p = 0; p < 8; p++) {
        plane[p] = _mm256_and_si256(p < 4 ? u : upper, _mm256_set1_epi8((char)(1 << p % 4)));
    }
}

LPU_INLINE void finish(__m256i *sums)
{
    LPU_UNROLL
    for (int p = 0; p < 8; p++) {
        sums[p] = _mm256_srai_epi32(_mm256_add_epi32(sums[p], sums[p]), p % 4);
    }
}

#define FORMAT                                                                                     \
    ((lpu_avx2_format){.decode = decode,                                                           \
                       .finish = finish,                                                           \
                       .planes = 8,                                                                \
                       .lines = 16,                                                                \
                       .bias = 1,                                                                  \
                       .halves = 1,                                                                \
                       .tokens = 1})

void lpu_gemv_b1_i8_avx2(int32_t *y, const uint8_t *w, const int8_t *x, size_t rows, size_t k)
{
    lpu_avx2_product(y, 0, w, x, 0, rows, k, 1, FORMAT);
}

static void digits_of(uint8_t *digits, const uint8_t *line)
{
    const __m256i two = _mm256_set1_epi8(2);

    for (size_t half = 0; half < 64; half += 32, digits += 32) {
        const __m256i u = lpu_avx2_load(line + half);
        for (int p = 0; p < 8; p++) {
            const __m256i bit = p ? _mm256_srli_epi16(u, p - 1) : _mm256_add_epi8(u, u);
            _mm256_storeu_si256((__m256i *)(void *)(digits + 64 * p), _mm256_and_si256(bit, two));
        }
    }
}

void lpu_gemm_b1_i8_avx2(int32_t *y, size_t y_stride, const uint8_t *w, const int8_t *x,
                         size_t x_stride, size_t rows, size_t k, size_t tokens, void *room)
{
    const size_t done = lpu_lookup_multiply_avx2(y, y_stride, w, x, x_stride, rows, k, tokens, room,
                                                 FORMAT.planes, digits_of);
    lpu_avx2_product(y + done * y_stride, y_stride, w, x + done * x_stride, x_stride, rows, k,
                     tokens - done, FORMAT);
}
