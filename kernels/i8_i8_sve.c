/* kernels/i8_i8_sve.c - int8 x int8 with SVE dot products: four blocks are the planes of one. */
#include "kernels/kernels.h"
#include "kernels/sve.h"

LPU_INLINE void decode(svint8_t *d0, svint8_t *d1, svint8_t *d2, svint8_t *d3, svint8_t *d4,
                       svbool_t line, const uint8_t *w, const size_t *at)
{
    const int8_t *from = (const int8_t *)w;

    *d0 = svld1_s8(line, from);
    *d1 = svld1_s8(line, from + at[1]);
    *d2 = svld1_s8(line, from + at[2]);
    *d3 = svld1_s8(line, from + at[3]);
    *d4 = *d3;
}

#define FORMAT ((lpu_sve_format){decode, 4, 0, 0})

void lpu_gemv_i8_i8_sve(int32_t *y, const uint8_t *w, size_t block_bytes, const int8_t *x,
                        size_t rows, size_t k)
{
    const lpu_sve_matrix m = {w, 4 * block_bytes, block_bytes, rows, k};
    lpu_sve_gemv(y, &m, x, FORMAT);
}

void lpu_gemm_i8_i8_sve(int32_t *y, size_t y_stride, const uint8_t *w, size_t block_bytes,
                        const int8_t *x, size_t x_stride, size_t rows, size_t k, size_t tokens)
{
    const lpu_sve_matrix m = {w, 4 * block_bytes, block_bytes, rows, k};
    lpu_sve_gemm(y, y_stride, &m, x, x_stride, tokens, FORMAT);
}
