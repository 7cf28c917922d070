/* kernels/bf16_bf16_avx512bf16.c - BF16 x BF16 with the instruction for it: two products a lane. */
#include "kernels/kernels.h"
#include "kernels/vnni.h"

enum { STREAMS = 4, TOGETHER = 2, TOKENS = 8 };

/* The next two activations in every lane, or one and a zero. */
LPU_INLINE __m512bh broadcast(const uint16_t *x, size_t left)
{
    uint32_t two = 0;
    memcpy(&two, x, left < 2 ? 2 : 4);
    return (__m512bh)_mm512_set1_epi32((int)two);
}

/* The next two k (or the last one) of n blocks times m tokens. */
LPU_INLINE void step(__m512 *acc, const uint8_t *w, size_t apart, const uint16_t *x,
                     size_t x_stride, size_t left, size_t ahead, const size_t n, const size_t m)
{
    __m512bh line[STREAMS];
    LPU_UNROLL
    for (size_t s = 0; s < n; s++) {
        if (m == 1) lpu_vnni_prefetch(w + s * apart, ahead);
        line[s] = (__m512bh)_mm512_loadu_si512(w + s * apart);
    }
    LPU_UNROLL
    for (size_t t = 0; t < m; t++) {
        const __m512bh two = broadcast(x + t * x_stride, left);
        LPU_UNROLL
        for (size_t s = 0; s < n; s++) {
            acc[s * m + t] = _mm512_dpbf16_ps(acc[s * m + t], line[s], two);
        }
    }
}

/* n blocks, apart bytes from one to the next, times m tokens; rows is that of the last block. */
LPU_INLINE void multiply(float *y, size_t y_apart, size_t y_stride, const uint8_t *w, size_t apart,
                         const uint16_t *x, size_t x_stride, size_t rows, size_t k, const size_t n,
                         const size_t m)
{
    const size_t ahead = lpu_vnni_ahead();
    __m512 acc[TOGETHER * TOKENS];
    LPU_UNROLL
    for (size_t i = 0; i < n * m; i++) acc[i] = _mm512_setzero_ps();

    size_t c = 0;
    for (; c + 2 <= k; c += 2, w += 64) step(acc, w, apart, x + c, x_stride, 2, ahead, n, m);
    if (c < k) step(acc, w, apart, x + c, x_stride, 1, ahead, n, m);
    LPU_UNROLL
    for (size_t s = 0; s < n; s++) {
        const size_t here = s + 1 < n ? 16 : rows;
        LPU_UNROLL
        for (size_t t = 0; t < m; t++) {
            _mm512_mask_storeu_ps(y + s * y_apart + t * y_stride,
                                  (__mmask16)((1u << lpu_vnni_min(here, 16)) - 1), acc[s * m + t]);
        }
    }
}

void lpu_gemv_bf16_bf16_avx512bf16(float *y, const uint8_t *w, const uint16_t *x, size_t rows,
                                   size_t k)
{
    const size_t bytes = lpu_layout_block_bytes(LPU_LAYOUT_BF16, k);
    const size_t blocks = (rows + 15) / 16, each = blocks / STREAMS;

    for (size_t b = 0; b < each; b++) {
        const size_t last = (STREAMS - 1) * each + b;
        multiply(y + 16 * b, 16 * each, 0, w + b * bytes, each * bytes, x, 0,
                 lpu_vnni_min(rows - 16 * last, 16), k, STREAMS, 1);
    }
    for (size_t b = each * STREAMS; b < blocks; b++) {
        multiply(y + 16 * b, 0, 0, w + b * bytes, 0, x, 0, lpu_vnni_min(rows - 16 * b, 16), k, 1,
                 1);
    }
}

/* n blocks times all tokens. */
LPU_INLINE void gemm_blocks(float *y, size_t y_stride, const uint8_t *w, size_t bytes,
                            const uint16_t *x, size_t x_stride, size_t rows, size_t k,
                            size_t tokens, const size_t n)
{
    size_t t = 0;
    for (; t + TOKENS <= tokens; t += TOKENS) {
        multiply(y + t * y_stride, 16, y_stride, w, bytes, x + t * x_stride, x_stride, rows, k, n,
                 TOKENS);
    }
    y += t * y_stride;
    x += t * x_stride;
    switch (tokens - t) {
    case 1: multiply(y, 16, y_stride, w, bytes, x, x_stride, rows, k, n, 1); break;
    case 2: multiply(y, 16, y_stride, w, bytes, x, x_stride, rows, k, n, 2); break;
    case 3: multiply(y, 16, y_stride, w, bytes, x, x_stride, rows, k, n, 3); break;
    case 4: multiply(y, 16, y_stride, w, bytes, x, x_stride, rows, k, n, 4); break;
    case 5: multiply(y, 16, y_stride, w, bytes, x, x_stride, rows, k, n, 5); break;
    case 6: multiply(y, 16, y_stride, w, bytes, x, x_stride, rows, k, n, 6); break;
    case 7: multiply(y, 16, y_stride, w, bytes, x, x_stride, rows, k, n, 7); break;
    default: break;
    }
}

void lpu_gemm_bf16_bf16_avx512bf16(float *y, size_t y_stride, const uint8_t *w, const uint16_t *x,
                                   size_t x_stride, size_t rows, size_t k, size_t tokens)
{
    const size_t bytes = lpu_layout_block_bytes(LPU_LAYOUT_BF16, k);
    size_t first = 0;

    for (; first + 16 < rows; first += 32, w += 2 * bytes) {
        gemm_blocks(y + first, y_stride, w, bytes, x, x_stride, lpu_vnni_min(rows - first - 16, 16),
                    k, tokens, TOGETHER);
    }
    if (first < rows) {
        gemm_blocks(y + first, y_stride, w, bytes, x, x_stride, rows - first, k, tokens, 1);
    }
}
