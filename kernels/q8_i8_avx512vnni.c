/* kernels/q8_i8_avx512vnni.c - Q8_0 x int8 with VNNI: the sums of a group of 32 k are integers,
 * which its two scales make real. The weights are taken plus 128, as in i8_i8_avx512vnni.c: a group
 * starts at -128 times the sum of its activations. */
#include "kernels/kernels.h"
#include "kernels/vnni.h"

enum { STREAMS = 4, TOGETHER = 2, TOKENS = 6, LINES = LPU_LAYOUT_GROUP / 4 };

/* A group of n blocks times m tokens. */
LPU_INLINE void group(__m512 *acc, const uint8_t *w, size_t apart, const int8_t *x, size_t x_stride,
                      const lpu_group *xs, size_t ahead, const size_t n, const size_t m)
{
    const __m512i flip = _mm512_set1_epi8((char)0x80);
    __m512i sums[STREAMS * TOKENS];

    LPU_UNROLL
    for (size_t t = 0; t < m; t++) {
        const __m512i start = _mm512_set1_epi32(-128 * xs[t * x_stride / LPU_LAYOUT_GROUP].sum);
        LPU_UNROLL
        for (size_t s = 0; s < n; s++) sums[s * m + t] = start;
    }
    LPU_UNROLL
    for (size_t i = 0; i < LINES; i++) {
        __m512i line[STREAMS];
        LPU_UNROLL
        for (size_t s = 0; s < n; s++) {
            const uint8_t *from = w + s * apart + 32 + 64 * i;
            if (m == 1) lpu_vnni_prefetch(from, ahead);
            line[s] = _mm512_xor_si512(_mm512_loadu_si512(from), flip);
        }
        LPU_UNROLL
        for (size_t t = 0; t < m; t++) {
            const __m512i four = lpu_vnni_broadcast(x + t * x_stride + 4 * i, 4);
            LPU_UNROLL
            for (size_t s = 0; s < n; s++) {
                sums[s * m + t] = _mm512_dpbusd_epi32(sums[s * m + t], line[s], four);
            }
        }
    }
    LPU_UNROLL
    for (size_t s = 0; s < n; s++) {
        const __m512 scale = lpu_vnni_halves(w + s * apart);
        LPU_UNROLL
        for (size_t t = 0; t < m; t++) {
            const __m512 both =
                _mm512_mul_ps(scale, _mm512_set1_ps(xs[t * x_stride / LPU_LAYOUT_GROUP].scale));
            acc[s * m + t] =
                _mm512_fmadd_ps(_mm512_cvtepi32_ps(sums[s * m + t]), both, acc[s * m + t]);
        }
    }
}

/* n blocks, apart bytes from one to the next, times m tokens; rows is that of the last block. */
LPU_INLINE void multiply(float *y, size_t y_apart, size_t y_stride, const uint8_t *w, size_t apart,
                         const int8_t *x, size_t x_stride, const lpu_group *xs, size_t rows,
                         size_t k, const size_t n, const size_t m)
{
    const size_t ahead = lpu_vnni_ahead();
    __m512 acc[STREAMS * TOKENS];
    LPU_UNROLL
    for (size_t i = 0; i < n * m; i++) acc[i] = _mm512_setzero_ps();

    for (size_t c = 0; c < k; c += LPU_LAYOUT_GROUP, w += LPU_LAYOUT_Q8_BYTES, xs++) {
        group(acc, w, apart, x + c, x_stride, xs, ahead, n, m);
    }
    LPU_UNROLL
    for (size_t s = 0; s < n; s++) {
        LPU_UNROLL
        for (size_t t = 0; t < m; t++) {
            lpu_vnni_store_ps(y + s * y_apart + t * y_stride, s + 1 < n ? 16 : rows,
                              acc[s * m + t]);
        }
    }
}

void lpu_gemv_q8_i8_avx512vnni(float *y, const uint8_t *w, const int8_t *x, const lpu_group *xs,
                               size_t rows, size_t k)
{
    const size_t block_bytes = lpu_layout_block_bytes(LPU_LAYOUT_Q8, k);
    const size_t blocks = (rows + 15) / 16, each = blocks / STREAMS;

    for (size_t b = 0; b < each; b++) {
        const size_t last = (STREAMS - 1) * each + b;
        multiply(y + 16 * b, 16 * each, 0, w + b * block_bytes, each * block_bytes, x, 0, xs,
                 lpu_vnni_min(rows - 16 * last, 16), k, STREAMS, 1);
    }
    for (size_t b = each * STREAMS; b < blocks; b++) {
        multiply(y + 16 * b, 0, 0, w + b * block_bytes, 0, x, 0, xs,
                 lpu_vnni_min(rows - 16 * b, 16), k, 1, 1);
    }
}

/* n blocks times all tokens. */
LPU_INLINE void gemm_blocks(float *y, size_t y_stride, const uint8_t *w, size_t apart,
                            const int8_t *x, size_t x_stride, const lpu_group *xs, size_t rows,
                            size_t k, size_t tokens, const size_t n)
{
    const size_t xs_stride = x_stride / LPU_LAYOUT_GROUP;
    size_t t = 0;

    for (; t + TOKENS <= tokens; t += TOKENS) {
        multiply(y + t * y_stride, 16, y_stride, w, apart, x + t * x_stride, x_stride,
                 xs + t * xs_stride, rows, k, n, TOKENS);
    }
    y += t * y_stride;
    x += t * x_stride;
    xs += t * xs_stride;
    switch (tokens - t) {
    case 1: multiply(y, 16, y_stride, w, apart, x, x_stride, xs, rows, k, n, 1); break;
    case 2: multiply(y, 16, y_stride, w, apart, x, x_stride, xs, rows, k, n, 2); break;
    case 3: multiply(y, 16, y_stride, w, apart, x, x_stride, xs, rows, k, n, 3); break;
    case 4: multiply(y, 16, y_stride, w, apart, x, x_stride, xs, rows, k, n, 4); break;
    case 5: multiply(y, 16, y_stride, w, apart, x, x_stride, xs, rows, k, n, 5); break;
    default: break;
    }
}

void lpu_gemm_q8_i8_avx512vnni(float *y, size_t y_stride, const uint8_t *w, const int8_t *x,
                               size_t x_stride, const lpu_group *xs, size_t rows, size_t k,
                               size_t tokens)
{
    const size_t block_bytes = lpu_layout_block_bytes(LPU_LAYOUT_Q8, k);
    size_t first = 0;

    for (; first + 16 < rows; first += 32, w += 2 * block_bytes) {
        gemm_blocks(y + first, y_stride, w, block_bytes, x, x_stride, xs,
                    lpu_vnni_min(rows - first - 16, 16), k, tokens, TOGETHER);
    }
    if (first < rows) {
        gemm_blocks(y + first, y_stride, w, block_bytes, x, x_stride, xs, rows - first, k, tokens,
                    1);
    }
}
