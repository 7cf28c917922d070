/* kernels/b3_i8_dotprod.c - 1.6-bit ternary x int8 with NEON dot products. */
#include "kernels/kernels.h"
#include "kernels/neon_formats.h"

void lpu_gemv_b3_i8_dotprod(int32_t *y, const uint8_t *w, const int8_t *x, size_t rows, size_t k)
{
    const lpu_neon_b3_tables tables = lpu_neon_b3_make();
    lpu_neon_gemv(y, w, lpu_layout_block_bytes(LPU_LAYOUT_B3, k), x, rows, k, &tables, LPU_NEON_B3);
}

void lpu_gemm_b3_i8_dotprod(int32_t *y, size_t y_stride, const uint8_t *w, const int8_t *x,
                            size_t x_stride, size_t rows, size_t k, size_t tokens, void *room)
{
    (void)room;
    const lpu_neon_b3_tables tables = lpu_neon_b3_make();
    lpu_neon_gemm(y, y_stride, w, lpu_layout_block_bytes(LPU_LAYOUT_B3, k), x, x_stride, rows, k,
                  tokens, &tables, LPU_NEON_B3);
}
