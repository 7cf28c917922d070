/* kernels/b3_i8_i8mm.c - 1.6-bit ternary x int8 with NEON matrix products. */
#include "kernels/kernels.h"
#include "kernels/neon_formats.h"

void lpu_gemm_b3_i8_i8mm(int32_t *y, size_t y_stride, const uint8_t *w, const int8_t *x,
                         size_t x_stride, size_t rows, size_t k, size_t tokens, void *room)
{
    (void)room;
    const lpu_neon_b3_tables tables = lpu_neon_b3_make();
    lpu_neon_gemm_matrix(y, y_stride, w, lpu_layout_block_bytes(LPU_LAYOUT_B3, k), x, x_stride,
                         rows, k, tokens, &tables, LPU_NEON_B3);
}
