/* kernels/i4_i8_dotprod.c - int4 x int8 with NEON dot products. */
#include "kernels/kernels.h"
#include "kernels/neon_formats.h"

void lpu_gemv_i4_i8_dotprod(int32_t *y, const uint8_t *w, const int8_t *x, size_t rows, size_t k)
{
    lpu_neon_gemv(y, w, lpu_layout_block_bytes(LPU_LAYOUT_I4, k), x, rows, k, NULL, LPU_NEON_I4);
}

void lpu_gemm_i4_i8_dotprod(int32_t *y, size_t y_stride, const uint8_t *w, const int8_t *x,
                            size_t x_stride, size_t rows, size_t k, size_t tokens, void *room)
{
    (void)room;
    lpu_neon_gemm(y, y_stride, w, lpu_layout_block_bytes(LPU_LAYOUT_I4, k), x, x_stride, rows, k,
                  tokens, NULL, LPU_NEON_I4);
}
