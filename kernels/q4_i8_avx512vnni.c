/* kernels/q4_i8_avx512vnni.c - Q4_0 x int8 with VNNI: a byte is summed as it stands and with its
 * upper half masked off, as in i4_i8_avx512vnni.c, group by group; two scales make a sum real. */
#include "kernels/kernels.h"
#include "kernels/vnni.h"

enum { STREAMS = 3, TOKENS = 5, LINES = LPU_LAYOUT_GROUP / 4 };

/* acc += the two sums of a group, made real. */
LPU_INLINE void add_group(__m512 *acc, __m512i whole, __m512i low, __m512 low_scale,
                          __m512 high_scale, lpu_group x)
{
    const __m512i taken = _mm512_set1_epi32(8 * x.sum);
    const __m512i high = _mm512_srai_epi32(_mm512_sub_epi32(whole, low), 4);
    const __m512 unit = _mm512_set1_ps(x.scale);
    const __m512 v0 = _mm512_cvtepi32_ps(_mm512_sub_epi32(low, taken));
    const __m512 v1 = _mm512_cvtepi32_ps(_mm512_sub_epi32(high, taken));

    acc[0] = _mm512_fmadd_ps(v0, _mm512_mul_ps(low_scale, unit), acc[0]);
    acc[1] = _mm512_fmadd_ps(v1, _mm512_mul_ps(high_scale, unit), acc[1]);
}

/* A group of n blocks times m tokens. */
LPU_INLINE void group(__m512 *acc, const uint8_t *w, size_t apart, const int8_t *x, size_t x_stride,
                      const lpu_group *xs, size_t ahead, const size_t n, const size_t m)
{
    __m512i whole[STREAMS * TOKENS], low[STREAMS * TOKENS];

    LPU_UNROLL
    for (size_t i = 0; i < n * m; i++) whole[i] = low[i] = _mm512_setzero_si512();
    LPU_UNROLL
    for (size_t i = 0; i < LINES; i++) {
        LPU_UNROLL
        for (size_t s = 0; s < n; s++) {
            const uint8_t *from = w + s * apart + 64 + 64 * i;
            if (m == 1) lpu_vnni_prefetch(from, ahead);
            const __m512i line = _mm512_loadu_si512(from);
            const __m512i part = _mm512_and_si512(line, _mm512_set1_epi8(15));
            LPU_UNROLL
            for (size_t t = 0; t < m; t++) {
                const __m512i four = lpu_vnni_broadcast(x + t * x_stride + 4 * i, 4);
                whole[s * m + t] = _mm512_dpbusd_epi32(whole[s * m + t], line, four);
                low[s * m + t] = _mm512_dpbusd_epi32(low[s * m + t], part, four);
            }
        }
    }
    LPU_UNROLL
    for (size_t s = 0; s < n; s++) {
        const __m512 low_scale = lpu_vnni_halves(w + s * apart);
        const __m512 high_scale = lpu_vnni_halves(w + s * apart + 32);
        LPU_UNROLL
        for (size_t t = 0; t < m; t++) {
            add_group(acc + 2 * (s * m + t), whole[s * m + t], low[s * m + t], low_scale,
                      high_scale, xs[t * x_stride / LPU_LAYOUT_GROUP]);
        }
    }
}

/* n blocks, apart bytes from one to the next, times m tokens; rows is that of the last block. */
LPU_INLINE void multiply(float *y, size_t y_apart, size_t y_stride, const uint8_t *w, size_t apart,
                         const int8_t *x, size_t x_stride, const lpu_group *xs, size_t rows,
                         size_t k, const size_t n, const size_t m)
{
    const size_t ahead = lpu_vnni_ahead();
    __m512 acc[2 * STREAMS * TOKENS];
    LPU_UNROLL
    for (size_t i = 0; i < 2 * n * m; i++) acc[i] = _mm512_setzero_ps();

    for (size_t c = 0; c < k; c += LPU_LAYOUT_GROUP, w += LPU_LAYOUT_Q4_BYTES, xs++) {
        group(acc, w, apart, x + c, x_stride, xs, ahead, n, m);
    }
    LPU_UNROLL
    for (size_t s = 0; s < n; s++) {
        const size_t here = s + 1 < n ? 32 : rows;
        LPU_UNROLL
        for (size_t t = 0; t < m; t++) {
            float *to = y + s * y_apart + t * y_stride;
            lpu_vnni_store_ps(to, here, acc[2 * (s * m + t)]);
            if (here > 16) lpu_vnni_store_ps(to + 16, here - 16, acc[2 * (s * m + t) + 1]);
        }
    }
}

void lpu_gemv_q4_i8_avx512vnni(float *y, const uint8_t *w, const int8_t *x, const lpu_group *xs,
                               size_t rows, size_t k)
{
    const size_t block_bytes = lpu_layout_block_bytes(LPU_LAYOUT_Q4, k);
    const size_t blocks = (rows + 31) / 32, each = blocks / STREAMS;

    for (size_t b = 0; b < each; b++) {
        const size_t last = (STREAMS - 1) * each + b;
        multiply(y + 32 * b, 32 * each, 0, w + b * block_bytes, each * block_bytes, x, 0, xs,
                 lpu_vnni_min(rows - 32 * last, 32), k, STREAMS, 1);
    }
    for (size_t b = each * STREAMS; b < blocks; b++) {
        multiply(y + 32 * b, 0, 0, w + b * block_bytes, 0, x, 0, xs,
                 lpu_vnni_min(rows - 32 * b, 32), k, 1, 1);
    }
}

void lpu_gemm_q4_i8_avx512vnni(float *y, size_t y_stride, const uint8_t *w, const int8_t *x,
                               size_t x_stride, const lpu_group *xs, size_t rows, size_t k,
                               size_t tokens)
{
    const size_t block_bytes = lpu_layout_block_bytes(LPU_LAYOUT_Q4, k);
    const size_t xs_stride = x_stride / LPU_LAYOUT_GROUP;

    for (size_t first = 0; first < rows; first += 32, w += block_bytes) {
        const size_t here = lpu_vnni_min(rows - first, 32);
        for (size_t t = 0; t < tokens; t += TOKENS) {
            float *to = y + first + t * y_stride;
            const int8_t *in = x + t * x_stride;
            const lpu_group *s = xs + t * xs_stride;
            switch (tokens - t) {
            case 1: multiply(to, 0, y_stride, w, 0, in, x_stride, s, here, k, 1, 1); break;
            case 2: multiply(to, 0, y_stride, w, 0, in, x_stride, s, here, k, 1, 2); break;
            case 3: multiply(to, 0, y_stride, w, 0, in, x_stride, s, here, k, 1, 3); break;
            case 4: multiply(to, 0, y_stride, w, 0, in, x_stride, s, here, k, 1, 4); break;
            default: multiply(to, 0, y_stride, w, 0, in, x_stride, s, here, k, 1, TOKENS); break;
            }
        }
    }
}
