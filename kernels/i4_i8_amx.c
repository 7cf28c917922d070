/* kernels/i4_i8_amx.c - int4 x int8 with tiles: two blocks at a time, each as it stands and as its
 * lower halves. */
#include "kernels/amx.h"
#include "kernels/kernels.h"

LPU_INLINE void i4_decode(uint8_t *tiles, const uint8_t *const *lines, size_t strip,
                          const void *tables)
{
    (void)strip;
    (void)tables;
    LPU_UNROLL
    for (size_t i = 0; i < 32; i++, tiles += 64) {
        const __m512i u = _mm512_loadu_si512(lines[i / 16] + 64 * (i % 16));
        _mm512_store_si512(tiles, _mm512_and_si512(u, _mm512_set1_epi8(15)));
    }
}

/* Sums of the lower halves of both blocks, then of both as they stand; integers are stored plus 8.
 */
LPU_INLINE void i4_finish(uint8_t *y, size_t rows, const uint8_t *sums, int32_t x_sum)
{
    const __m512i taken = _mm512_set1_epi32(8 * x_sum);

    LPU_UNROLL
    for (size_t b = 0; b < 2; b++) {
        const __m512i low = lpu_amx_sums(sums, b), all = lpu_amx_sums(sums, 2 + b);
        const __m512i high = _mm512_srai_epi32(_mm512_sub_epi32(all, low), 4);
        lpu_amx_put(y, rows, 2 * b, _mm512_sub_epi32(low, taken));
        lpu_amx_put(y, rows, 2 * b + 1, _mm512_sub_epi32(high, taken));
    }
}

void lpu_gemm_i4_i8_amx(int32_t *y, size_t y_stride, const uint8_t *w, const int8_t *x,
                        size_t x_stride, size_t rows, size_t k, size_t tokens, void *room)
{
    (void)room;
    const lpu_amx_format f = {.operands = LPU_AMX_I8_U8,
                              .blocks = 2,
                              .block_rows = 32,
                              .strips = 1,
                              .decoded = 2,
                              .plain = 2,
                              .has_bias = true,
                              .decode = i4_decode,
                              .finish = i4_finish};
    lpu_amx_gemm((lpu_amx_job){.y = (uint8_t *)y,
                               .w = w,
                               .x = (const uint8_t *)x,
                               .y_stride = 4 * y_stride,
                               .block_bytes = lpu_layout_block_bytes(LPU_LAYOUT_I4, k),
                               .x_stride = x_stride,
                               .rows = rows,
                               .k_bytes = k,
                               .tokens = tokens},
                 f);
}
