/* kernels/b1_i8_amx.c - binary x int8 with tiles: two strips of four planes, the tiles of a code's
 * lower bits, as in b1_i8_avx512vnni.c. */
#include "kernels/amx.h"
#include "kernels/kernels.h"

LPU_INLINE void b1_decode(uint8_t *tiles, const uint8_t *const *lines, size_t strip,
                          const void *tables)
{
    __m512i lower[4];

    (void)tables;
    LPU_UNROLL
    for (size_t p = 0; p < 4; p++) lower[p] = _mm512_set1_epi8((char)((2u << (4 * strip + p)) - 1));
    LPU_UNROLL
    for (size_t i = 0; i < 16; i++, tiles += 64) {
        const __m512i u = _mm512_loadu_si512(lines[0] + 64 * i);
        LPU_UNROLL
        for (size_t p = 0; p < 4; p++) {
            _mm512_store_si512(tiles + p * LPU_AMX_TILE, _mm512_and_si512(u, lower[p]));
        }
    }
}

/* A bit stands for +1 or -1: twice its sum, less that of the activations. */
LPU_INLINE void b1_finish(uint8_t *y, size_t rows, const uint8_t *sums, int32_t x_sum)
{
    const __m512i taken = _mm512_set1_epi32(x_sum);
    __m512i below = _mm512_setzero_si512();

    LPU_UNROLL
    for (size_t p = 0; p < 8; p++) {
        const __m512i all = lpu_amx_sums(sums, p), own = _mm512_sub_epi32(all, below);
        const __m512i one = _mm512_srai_epi32(own, (unsigned)p);
        lpu_amx_put(y, rows, p, _mm512_sub_epi32(_mm512_add_epi32(one, one), taken));
        below = all;
    }
}

void lpu_gemm_b1_i8_amx(int32_t *y, size_t y_stride, const uint8_t *w, const int8_t *x,
                        size_t x_stride, size_t rows, size_t k, size_t tokens, void *room)
{
    (void)room;
    const lpu_amx_format f = {.operands = LPU_AMX_I8_U8,
                              .blocks = 1,
                              .block_rows = 128,
                              .strips = 2,
                              .decoded = 4,
                              .plain = 0,
                              .has_bias = true,
                              .decode = b1_decode,
                              .finish = b1_finish};
    lpu_amx_gemm((lpu_amx_job){.y = (uint8_t *)y,
                               .w = w,
                               .x = (const uint8_t *)x,
                               .y_stride = 4 * y_stride,
                               .block_bytes = lpu_layout_block_bytes(LPU_LAYOUT_B1, k),
                               .x_stride = x_stride,
                               .rows = rows,
                               .k_bytes = k,
                               .tokens = tokens},
                 f);
}
