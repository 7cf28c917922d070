/* kernels/b3_i8_avx512vnni.c - 1.6-bit ternary x int8 with VNNI (b3.h); many tokens: lookup.h. */
#include "kernels/b3.h"
#include "kernels/kernels.h"
#include "kernels/lookup.h"
#include "kernels/vnni.h"

enum { TOKENS = 5, STREAMS = 4 };

/* The next four k (or as many as are left) of n streams. */
LPU_INLINE void gemv_step(__m512i *acc, const uint8_t *w, size_t stream_bytes, const int8_t *x,
                          size_t left, size_t ahead, const lpu_b3_codes *c,
                          const lpu_b3_codes *masks, const size_t n)
{
    const __m512i four = lpu_vnni_broadcast(x, left);
    LPU_UNROLL
    for (size_t s = 0; s < n; s++) {
        lpu_vnni_prefetch(w + s * stream_bytes, ahead);
        lpu_b3_decode_multiply(acc + 5 * s, _mm512_loadu_si512(w + s * stream_bytes), four, c, c,
                               masks);
    }
}

LPU_INLINE void gemv_blocks(int32_t *y, size_t y_apart, const uint8_t *w, size_t stream_bytes,
                            const int8_t *x, size_t rows, size_t k, int32_t sum,
                            const lpu_b3_codes *masks, const size_t n)
{
    const size_t ahead = lpu_vnni_ahead();
    const lpu_b3_codes codes = *masks;
    __m512i acc[5 * STREAMS];
    LPU_UNROLL
    for (size_t i = 0; i < 5 * n; i++) acc[i] = _mm512_setzero_si512();

    size_t c = 0;
    for (; c + 4 <= k; c += 4, w += 64)
        gemv_step(acc, w, stream_bytes, x + c, 4, ahead, &codes, masks, n);
    if (c < k) gemv_step(acc, w, stream_bytes, x + c, k - c, ahead, &codes, masks, n);
    LPU_UNROLL
    for (size_t s = 0; s < n; s++) {
        lpu_b3_put_rows(y + s * y_apart, s + 1 < n ? 80 : rows, acc + 5 * s, sum);
    }
}

void lpu_gemv_b3_i8_avx512vnni(int32_t *y, const uint8_t *w, const int8_t *x, size_t rows, size_t k)
{
    const lpu_b3_codes codes = lpu_b3_codes_make();
    const size_t block_bytes = lpu_layout_block_bytes(LPU_LAYOUT_B3, k);
    const size_t blocks = (rows + 79) / 80, each = blocks / STREAMS;
    const int32_t sum = lpu_vnni_sum(x, k);

    for (size_t b = 0; b < each; b++) {
        const size_t last = (STREAMS - 1) * each + b;
        gemv_blocks(y + 80 * b, 80 * each, w + b * block_bytes, each * block_bytes, x,
                    lpu_vnni_min(rows - 80 * last, 80), k, sum, &codes, STREAMS);
    }
    for (size_t b = each * STREAMS; b < blocks; b++) {
        gemv_blocks(y + 80 * b, 0, w + b * block_bytes, 0, x, lpu_vnni_min(rows - 80 * b, 80), k,
                    sum, &codes, 1);
    }
}

/* The next four k of a block times n tokens. */
LPU_INLINE void gemm_step(__m512i *acc, const uint8_t *w, const int8_t *x, size_t x_stride,
                          size_t left, const lpu_b3_codes *codes, const size_t n)
{
    const lpu_b3_line l = lpu_b3_decode(_mm512_loadu_si512(w), codes);
    LPU_UNROLL
    for (size_t t = 0; t < n; t++) {
        lpu_b3_multiply(acc + 5 * t, &l, lpu_vnni_broadcast(x + t * x_stride, left));
    }
}

LPU_INLINE void gemm_block(int32_t *y, size_t y_stride, const uint8_t *w, const int8_t *x,
                           size_t x_stride, size_t rows, size_t k, const int32_t *sums,
                           const lpu_b3_codes *codes, const size_t n)
{
    __m512i acc[5 * TOKENS];
    LPU_UNROLL
    for (size_t i = 0; i < 5 * n; i++) acc[i] = _mm512_setzero_si512();

    size_t c = 0;
    for (; c + 4 <= k; c += 4, w += 64) gemm_step(acc, w, x + c, x_stride, 4, codes, n);
    if (c < k) gemm_step(acc, w, x + c, x_stride, k - c, codes, n);
    LPU_UNROLL
    for (size_t t = 0; t < n; t++) lpu_b3_put_rows(y + t * y_stride, rows, acc + 5 * t, sums[t]);
}

/* Planes 0..3 of a block are a set, as they stand in f; the last planes of four blocks are one. */
static size_t plane_row(size_t set, size_t plane)
{
    return set < 4 ? 80 * set + 16 * plane : 80 * plane + 64;
}

static void expand(uint8_t *const *sets, const uint8_t *w, size_t block_bytes, size_t blocks,
                   size_t lines)
{
    const lpu_b3_codes codes = lpu_b3_codes_make();

    for (size_t i = 0; i < 64 * lines; i += 64) {
        __m512i last = _mm512_setzero_si512();
        for (size_t b = 0; b < blocks; b++) {
            const lpu_b3_line l =
                lpu_b3_decode(_mm512_loadu_si512(w + b * block_bytes + i), &codes);
            const __m512i one = _mm512_set1_epi8((char)(1 << 2 * b));
            _mm512_storeu_si512(sets[b] + i, l.f);
            last = _mm512_mask_add_epi8(last, _mm512_cmpge_epu8_mask(l.u, _mm512_set1_epi8(81)),
                                        last, one);
            last = _mm512_mask_add_epi8(
                last, _mm512_cmpge_epu8_mask(l.u, _mm512_set1_epi8((char)162)), last, one);
        }
        _mm512_storeu_si512(sets[4] + i, last);
    }
    for (size_t b = blocks; b < 4; b++) memset(sets[b], 0, 64 * lines);
}

static const lpu_lookup_format format = {
    .blocks = 4, .block_rows = 80, .sets = 5, .row = plane_row, .expand = expand};

void lpu_gemm_b3_i8_avx512vnni(int32_t *y, size_t y_stride, const uint8_t *w, const int8_t *x,
                               size_t x_stride, size_t rows, size_t k, size_t tokens, void *room)
{
    const lpu_b3_codes codes = lpu_b3_codes_make();
    const size_t block_bytes = lpu_layout_block_bytes(LPU_LAYOUT_B3, k);
    const size_t done =
        lpu_lookup_multiply(y, y_stride, w, x, x_stride, rows, k, tokens, room, &format);

    y += done * y_stride;
    x += done * x_stride;
    tokens -= done;
    for (size_t first = 0; tokens && first < rows; first += 80, w += block_bytes) {
        const size_t here = lpu_vnni_min(rows - first, 80);
        for (size_t t = 0; t < tokens; t += TOKENS) {
            int32_t *to = y + t * y_stride + first;
            const int8_t *from = x + t * x_stride;
            const size_t n = lpu_vnni_min(tokens - t, TOKENS);
            int32_t sums[TOKENS];
            for (size_t i = 0; i < n; i++) sums[i] = lpu_vnni_sum(from + i * x_stride, k);
            switch (n) {
            case 1: gemm_block(to, y_stride, w, from, x_stride, here, k, sums, &codes, 1); break;
            case 2: gemm_block(to, y_stride, w, from, x_stride, here, k, sums, &codes, 2); break;
            case 3: gemm_block(to, y_stride, w, from, x_stride, here, k, sums, &codes, 3); break;
            case 4: gemm_block(to, y_stride, w, from, x_stride, here, k, sums, &codes, 4); break;
            default:
                gemm_block(to, y_stride, w, from, x_stride, here, k, sums, &codes, TOKENS);
                break;
            }
        }
    }
}
