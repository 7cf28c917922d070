/* kernels/t2_i8_amx.c - 2-bit ternary x int8 with tiles: the tiles of a code's lower digits, as in
 * t2_i8_avx512vnni.c. */
#include "kernels/amx.h"
#include "kernels/kernels.h"

LPU_INLINE void t2_decode(uint8_t *tiles, const uint8_t *const *lines, size_t strip,
                          const void *tables)
{
    (void)strip;
    (void)tables;
    LPU_UNROLL
    for (size_t i = 0; i < 16; i++, tiles += 64) {
        const __m512i u = _mm512_loadu_si512(lines[0] + 64 * i);
        _mm512_store_si512(tiles, _mm512_and_si512(u, _mm512_set1_epi8(3)));
        _mm512_store_si512(tiles + LPU_AMX_TILE, _mm512_and_si512(u, _mm512_set1_epi8(15)));
        _mm512_store_si512(tiles + 2 * LPU_AMX_TILE, _mm512_and_si512(u, _mm512_set1_epi8(63)));
    }
}

LPU_INLINE void t2_finish(uint8_t *y, size_t rows, const uint8_t *sums, int32_t x_sum)
{
    const __m512i taken = _mm512_set1_epi32(x_sum);
    __m512i below = _mm512_setzero_si512();

    LPU_UNROLL
    for (size_t p = 0; p < 4; p++) {
        const __m512i all = lpu_amx_sums(sums, p), own = _mm512_sub_epi32(all, below);
        lpu_amx_put(y, rows, p, _mm512_sub_epi32(_mm512_srai_epi32(own, (unsigned)(2 * p)), taken));
        below = all;
    }
}

void lpu_gemm_t2_i8_amx(int32_t *y, size_t y_stride, const uint8_t *w, const int8_t *x,
                        size_t x_stride, size_t rows, size_t k, size_t tokens, void *room)
{
    (void)room;
    const lpu_amx_format f = {.operands = LPU_AMX_I8_U8,
                              .blocks = 1,
                              .block_rows = 64,
                              .strips = 1,
                              .decoded = 3,
                              .plain = 1,
                              .has_bias = true,
                              .decode = t2_decode,
                              .finish = t2_finish};
    lpu_amx_gemm((lpu_amx_job){.y = (uint8_t *)y,
                               .w = w,
                               .x = (const uint8_t *)x,
                               .y_stride = 4 * y_stride,
                               .block_bytes = lpu_layout_block_bytes(LPU_LAYOUT_T2, k),
                               .x_stride = x_stride,
                               .rows = rows,
                               .k_bytes = k,
                               .tokens = tokens},
                 f);
}
