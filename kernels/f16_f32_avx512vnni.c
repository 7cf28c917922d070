/* kernels/f16_f32_avx512vnni.c - FP16 weights x FP32 activations with AVX-512. */
#include "kernels/kernels.h"
#include "kernels/vnni.h"

enum { STREAMS = 2, CHAINS = 4, TOKENS = 12 };

/* One block of each of n streams; four chains of additions each hide the latency of one. */
LPU_INLINE void gemv_blocks(float *y, size_t y_apart, const uint8_t *w, size_t apart,
                            const float *x, size_t rows, size_t k, const size_t n)
{
    const size_t ahead = lpu_vnni_ahead();
    __m512 acc[STREAMS * CHAINS];
    LPU_UNROLL
    for (size_t i = 0; i < n * CHAINS; i++) acc[i] = _mm512_setzero_ps();

    size_t c = 0;
    for (; c + CHAINS <= k; c += CHAINS) {
        LPU_UNROLL
        for (size_t s = 0; s < n; s++) {
            const uint8_t *from = w + s * apart + 32 * c;
            lpu_vnni_prefetch(from, ahead);
            lpu_vnni_prefetch(from + 64, ahead);
            LPU_UNROLL
            for (size_t i = 0; i < CHAINS; i++) {
                acc[s * CHAINS + i] = _mm512_fmadd_ps(
                    lpu_vnni_halves(from + 32 * i), _mm512_set1_ps(x[c + i]), acc[s * CHAINS + i]);
            }
        }
    }
    for (; c < k; c++) {
        LPU_UNROLL
        for (size_t s = 0; s < n; s++) {
            acc[s * CHAINS] = _mm512_fmadd_ps(lpu_vnni_halves(w + s * apart + 32 * c),
                                              _mm512_set1_ps(x[c]), acc[s * CHAINS]);
        }
    }
    LPU_UNROLL
    for (size_t s = 0; s < n; s++) {
        const __m512 *a = acc + s * CHAINS;
        lpu_vnni_store_ps(y + s * y_apart, s + 1 < n ? 16 : rows,
                          _mm512_add_ps(_mm512_add_ps(a[0], a[1]), _mm512_add_ps(a[2], a[3])));
    }
}

void lpu_gemv_f16_f32_avx512vnni(float *y, const uint8_t *w, const float *x, size_t rows, size_t k)
{
    const size_t blocks = (rows + 15) / 16, each = blocks / STREAMS;

    for (size_t b = 0; b < each; b++) {
        const size_t last = (STREAMS - 1) * each + b;
        gemv_blocks(y + 16 * b, 16 * each, w + b * 32 * k, each * 32 * k, x,
                    lpu_vnni_min(rows - 16 * last, 16), k, STREAMS);
    }
    for (size_t b = each * STREAMS; b < blocks; b++) {
        gemv_blocks(y + 16 * b, 0, w + b * 32 * k, 0, x, lpu_vnni_min(rows - 16 * b, 16), k, 1);
    }
}

/* n blocks times m tokens. */
LPU_INLINE void gemm_blocks(float *y, size_t y_stride, const uint8_t *w, const float *x,
                            size_t x_stride, size_t rows, size_t k, const size_t n, const size_t m)
{
    __m512 acc[STREAMS * TOKENS];
    LPU_UNROLL
    for (size_t i = 0; i < n * m; i++) acc[i] = _mm512_setzero_ps();

    for (size_t c = 0; c < k; c++) {
        __m512 line[STREAMS];
        LPU_UNROLL
        for (size_t s = 0; s < n; s++) line[s] = lpu_vnni_halves(w + s * 32 * k + 32 * c);
        LPU_UNROLL
        for (size_t t = 0; t < m; t++) {
            const __m512 one = _mm512_set1_ps(x[t * x_stride + c]);
            LPU_UNROLL
            for (size_t s = 0; s < n; s++) {
                acc[s * m + t] = _mm512_fmadd_ps(line[s], one, acc[s * m + t]);
            }
        }
    }
    LPU_UNROLL
    for (size_t s = 0; s < n; s++) {
        LPU_UNROLL
        for (size_t t = 0; t < m; t++) {
            lpu_vnni_store_ps(y + 16 * s + t * y_stride, s + 1 < n ? 16 : rows, acc[s * m + t]);
        }
    }
}

LPU_INLINE void gemm_tokens(float *y, size_t y_stride, const uint8_t *w, const float *x,
                            size_t x_stride, size_t rows, size_t k, size_t tokens, const size_t n)
{
    size_t t = 0;
    for (; t + TOKENS <= tokens; t += TOKENS) {
        gemm_blocks(y + t * y_stride, y_stride, w, x + t * x_stride, x_stride, rows, k, n, TOKENS);
    }
    y += t * y_stride;
    x += t * x_stride;
    switch (tokens - t) {
    case 1: gemm_blocks(y, y_stride, w, x, x_stride, rows, k, n, 1); break;
    case 2: gemm_blocks(y, y_stride, w, x, x_stride, rows, k, n, 2); break;
    case 3: gemm_blocks(y, y_stride, w, x, x_stride, rows, k, n, 3); break;
    case 4: gemm_blocks(y, y_stride, w, x, x_stride, rows, k, n, 4); break;
    case 5: gemm_blocks(y, y_stride, w, x, x_stride, rows, k, n, 5); break;
    case 6: gemm_blocks(y, y_stride, w, x, x_stride, rows, k, n, 6); break;
    case 7: gemm_blocks(y, y_stride, w, x, x_stride, rows, k, n, 7); break;
    case 8: gemm_blocks(y, y_stride, w, x, x_stride, rows, k, n, 8); break;
    case 9: gemm_blocks(y, y_stride, w, x, x_stride, rows, k, n, 9); break;
    case 10: gemm_blocks(y, y_stride, w, x, x_stride, rows, k, n, 10); break;
    case 11: gemm_blocks(y, y_stride, w, x, x_stride, rows, k, n, 11); break;
    default: break;
    }
}

void lpu_gemm_f16_f32_avx512vnni(float *y, size_t y_stride, const uint8_t *w, const float *x,
                                 size_t x_stride, size_t rows, size_t k, size_t tokens)
{
    size_t first = 0;
    for (; first + 16 < rows; first += 32) {
        gemm_tokens(y + first, y_stride, w + first * 2 * k, x, x_stride,
                    lpu_vnni_min(rows - first - 16, 16), k, tokens, STREAMS);
    }
    if (first < rows) {
        gemm_tokens(y + first, y_stride, w + first * 2 * k, x, x_stride, rows - first, k, tokens,
                    1);
    }
}
