/* kernels/f16_f16_avx512fp16.c - FP16 x FP16 with arithmetic in FP16.
 *
 * A line of 64 bytes is 16 rows at two k. Products are summed in FP16 over RUN lines, then in FP32:
 * within a run of 2^-11 relative error each, and of at most 65504. That is what the instructions
 * are for; where it is too coarse, f16_f32 is the kernel.
 */
#include "kernels/kernels.h"
#include "kernels/vnni.h"

enum { RUN = 8, TOKENS = 8 };

/* x[0] in the lower 16 lanes and x[1] in the upper, or a zero where there is none. */
LPU_INLINE __m512h broadcast(const uint16_t *x, size_t left)
{
    const __m256i low = _mm256_set1_epi16((short)x[0]);
    const __m256i high = _mm256_set1_epi16((short)(left > 1 ? x[1] : 0));
    return _mm512_castsi512_ph(_mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1));
}

/* Two k of 16 rows; only the first where there is one. */
LPU_INLINE __m512h weights(const uint8_t *w, size_t left)
{
    return _mm512_castsi512_ph(_mm512_maskz_loadu_epi16(left > 1 ? ~0u : 0xffffu, w));
}

/* sums + both halves of v. */
LPU_INLINE __m512 widen(__m512 sums, __m512h v)
{
    const __m512i bits = _mm512_castph_si512(v);
    const __m512 low = _mm512_cvtph_ps(_mm512_castsi512_si256(bits));
    const __m512 high = _mm512_cvtph_ps(_mm512_extracti64x4_epi64(bits, 1));
    return _mm512_add_ps(sums, _mm512_add_ps(low, high));
}

/* A block of rows times n tokens. */
LPU_INLINE void multiply(float *y, size_t y_stride, const uint8_t *w, const uint16_t *x,
                         size_t x_stride, size_t rows, size_t k, const size_t n)
{
    __m512 sums[TOKENS];
    LPU_UNROLL
    for (size_t t = 0; t < n; t++) sums[t] = _mm512_setzero_ps();

    for (size_t c = 0; c < k; c += 2 * RUN) {
        const size_t end = lpu_vnni_min(k, c + 2 * RUN);
        __m512h part[TOKENS];
        LPU_UNROLL
        for (size_t t = 0; t < n; t++) part[t] = _mm512_setzero_ph();
        for (size_t i = c; i < end; i += 2) {
            const __m512h line = weights(w + 32 * i, end - i);
            LPU_UNROLL
            for (size_t t = 0; t < n; t++) {
                const __m512h two = broadcast(x + t * x_stride + i, end - i);
                part[t] = _mm512_fmadd_ph(line, two, part[t]);
            }
        }
        LPU_UNROLL
        for (size_t t = 0; t < n; t++) sums[t] = widen(sums[t], part[t]);
    }
    LPU_UNROLL
    for (size_t t = 0; t < n; t++) {
        _mm512_mask_storeu_ps(y + t * y_stride, (__mmask16)((1u << lpu_vnni_min(rows, 16)) - 1),
                              sums[t]);
    }
}

void lpu_gemm_f16_f16_avx512fp16(float *y, size_t y_stride, const uint8_t *w, const uint16_t *x,
                                 size_t x_stride, size_t rows, size_t k, size_t tokens)
{
    for (size_t first = 0; first < rows; first += 16, w += 32 * k) {
        size_t t = 0;
        for (; t + TOKENS <= tokens; t += TOKENS) {
            multiply(y + t * y_stride + first, y_stride, w, x + t * x_stride, x_stride,
                     rows - first, k, TOKENS);
        }
        for (; t < tokens; t++) {
            multiply(y + t * y_stride + first, y_stride, w, x + t * x_stride, x_stride,
                     rows - first, k, 1);
        }
    }
}

void lpu_gemv_f16_f16_avx512fp16(float *y, const uint8_t *w, const uint16_t *x, size_t rows,
                                 size_t k)
{
    lpu_gemm_f16_f16_avx512fp16(y, 0, w, x, 0, rows, k, 1);
}
