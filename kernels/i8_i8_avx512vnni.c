/* kernels/i8_i8_avx512vnni.c - int8 x int8 with VNNI, which wants one side unsigned: the weights
 * are taken plus 128 (their top bit flipped), and 128 sum x is taken off. */
#include "kernels/kernels.h"
#include "kernels/vnni.h"

enum { TOKENS = 6, STREAMS = 4, CHUNK = 40 * TOKENS };

/* The next four k (or as many as are left) of n blocks times m tokens. */
LPU_INLINE void step(__m512i *acc, const uint8_t *w, size_t apart, const int8_t *x, size_t x_stride,
                     size_t left, size_t ahead, const size_t n, const size_t m)
{
    const __m512i flip = _mm512_set1_epi8((char)0x80);
    __m512i line[STREAMS];
    LPU_UNROLL
    for (size_t s = 0; s < n; s++) {
        if (m == 1) lpu_vnni_prefetch(w + s * apart, ahead);
        line[s] = _mm512_xor_si512(_mm512_loadu_si512(w + s * apart), flip);
    }
    LPU_UNROLL
    for (size_t t = 0; t < m; t++) {
        const __m512i four = lpu_vnni_broadcast(x + t * x_stride, left);
        LPU_UNROLL
        for (size_t s = 0; s < n; s++) {
            acc[s * m + t] = _mm512_dpbusd_epi32(acc[s * m + t], line[s], four);
        }
    }
}

/* n blocks, apart bytes from one to the next, times m tokens; rows is that of the last block. */
LPU_INLINE void multiply(int32_t *y, size_t y_apart, size_t y_stride, const uint8_t *w,
                         size_t apart, const int8_t *x, size_t x_stride, size_t rows, size_t k,
                         const int32_t *sums, const size_t n, const size_t m)
{
    const size_t ahead = lpu_vnni_ahead();
    __m512i acc[STREAMS * TOKENS];
    LPU_UNROLL
    for (size_t i = 0; i < n * m; i++) acc[i] = _mm512_setzero_si512();

    size_t c = 0;
    for (; c + 4 <= k; c += 4, w += 64) step(acc, w, apart, x + c, x_stride, 4, ahead, n, m);
    if (c < k) step(acc, w, apart, x + c, x_stride, k - c, ahead, n, m);
    LPU_UNROLL
    for (size_t s = 0; s < n; s++) {
        LPU_UNROLL
        for (size_t t = 0; t < m; t++) {
            const __m512i taken = _mm512_set1_epi32(128 * sums[t]);
            lpu_vnni_store(y + s * y_apart + t * y_stride, s + 1 < n ? 16 : rows,
                           _mm512_sub_epi32(acc[s * m + t], taken));
        }
    }
}

/* n blocks times all tokens. */
LPU_INLINE void gemm_blocks(int32_t *y, size_t y_apart, size_t y_stride, const uint8_t *w,
                            size_t apart, const int8_t *x, size_t x_stride, size_t rows, size_t k,
                            size_t tokens, const int32_t *sums, const size_t n)
{
    size_t t = 0;

    for (; t + TOKENS <= tokens; t += TOKENS) {
        multiply(y + t * y_stride, y_apart, y_stride, w, apart, x + t * x_stride, x_stride, rows, k,
                 sums + t, n, TOKENS);
    }
    y += t * y_stride;
    x += t * x_stride;
    sums += t;
    switch (tokens - t) {
    case 1: multiply(y, y_apart, y_stride, w, apart, x, x_stride, rows, k, sums, n, 1); break;
    case 2: multiply(y, y_apart, y_stride, w, apart, x, x_stride, rows, k, sums, n, 2); break;
    case 3: multiply(y, y_apart, y_stride, w, apart, x, x_stride, rows, k, sums, n, 3); break;
    case 4: multiply(y, y_apart, y_stride, w, apart, x, x_stride, rows, k, sums, n, 4); break;
    case 5: multiply(y, y_apart, y_stride, w, apart, x, x_stride, rows, k, sums, n, 5); break;
    default: break;
    }
}

/* At most CHUNK tokens. Streams are a part of the blocks each: whole runs of memory, even where a
 * block is short, as those of keys are. */
static void gemm_chunk(int32_t *y, size_t y_stride, const uint8_t *w, size_t block_bytes,
                       const int8_t *x, size_t x_stride, size_t rows, size_t k, size_t tokens)
{
    const size_t blocks = (rows + 15) / 16, each = blocks / STREAMS;
    int32_t sums[CHUNK];

    for (size_t t = 0; t < tokens; t++) sums[t] = lpu_vnni_sum(x + t * x_stride, k);
    for (size_t b = 0; b < each; b++) {
        const size_t last = (STREAMS - 1) * each + b;
        gemm_blocks(y + 16 * b, 16 * each, y_stride, w + b * block_bytes, each * block_bytes, x,
                    x_stride, lpu_vnni_min(rows - 16 * last, 16), k, tokens, sums, STREAMS);
    }
    for (size_t b = each * STREAMS; b < blocks; b++) {
        gemm_blocks(y + 16 * b, 0, y_stride, w + b * block_bytes, 0, x, x_stride,
                    lpu_vnni_min(rows - 16 * b, 16), k, tokens, sums, 1);
    }
}

void lpu_gemm_i8_i8_avx512vnni(int32_t *y, size_t y_stride, const uint8_t *w, size_t block_bytes,
                               const int8_t *x, size_t x_stride, size_t rows, size_t k,
                               size_t tokens)
{
    for (size_t t = 0; t < tokens; t += CHUNK) {
        gemm_chunk(y + t * y_stride, y_stride, w, block_bytes, x + t * x_stride, x_stride, rows, k,
                   lpu_vnni_min(tokens - t, CHUNK));
    }
}

void lpu_gemv_i8_i8_avx512vnni(int32_t *y, const uint8_t *w, size_t block_bytes, const int8_t *x,
                               size_t rows, size_t k)
{
    lpu_gemm_i8_i8_avx512vnni(y, 0, w, block_bytes, x, 0, rows, k, 1);
}
