/* kernels/t2_i8_i8mm.c - 2-bit ternary x int8 with NEON matrix products. */
#include "kernels/kernels.h"
#include "kernels/neon_formats.h"

void lpu_gemm_t2_i8_i8mm(int32_t *y, size_t y_stride, const uint8_t *w, const int8_t *x,
                         size_t x_stride, size_t rows, size_t k, size_t tokens, void *room)
{
    (void)room;
    lpu_neon_gemm_matrix(y, y_stride, w, lpu_layout_block_bytes(LPU_LAYOUT_T2, k), x, x_stride,
                         rows, k, tokens, NULL, LPU_NEON_T2);
}
