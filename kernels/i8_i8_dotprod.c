/* kernels/i8_i8_dotprod.c - int8 x int8 with NEON dot products. */
#include "kernels/kernels.h"
#include "kernels/neon_formats.h"

void lpu_gemv_i8_i8_dotprod(int32_t *y, const uint8_t *w, size_t block_bytes, const int8_t *x,
                            size_t rows, size_t k)
{
    lpu_neon_gemv(y, w, block_bytes, x, rows, k, NULL, LPU_NEON_I8);
}

void lpu_gemm_i8_i8_dotprod(int32_t *y, size_t y_stride, const uint8_t *w, size_t block_bytes,
                            const int8_t *x, size_t x_stride, size_t rows, size_t k, size_t tokens)
{
    lpu_neon_gemm(y, y_stride, w, block_bytes, x, x_stride, rows, k, tokens, NULL, LPU_NEON_I8);
}
