/* kernels/b3_i8_sve.c - 1.6-bit ternary x int8 with SVE dot products. */
#include "kernels/kernels.h"
#include "kernels/sve.h"

/* Divisions of 0..242 by the upper half of a product: exact for every code. */
LPU_INLINE void decode(svint8_t *d0, svint8_t *d1, svint8_t *d2, svint8_t *d3, svint8_t *d4,
                       svbool_t line, const uint8_t *w, const size_t *at)
{
    const svbool_t all = svptrue_b8();
    const svuint8_t u = svld1_u8(line, w);
    const svuint8_t by3 = svlsr_n_u8_x(all, svmulh_n_u8_x(all, u, 171), 1);

    (void)at;
    *d0 = svreinterpret_s8_u8(svmls_n_u8_x(all, u, by3, 3));
    *d1 = svreinterpret_s8_u8(by3);
    *d2 = svreinterpret_s8_u8(svlsr_n_u8_x(all, svmulh_n_u8_x(all, u, 57), 1));
    *d3 = svreinterpret_s8_u8(svlsr_n_u8_x(all, svmulh_n_u8_x(all, u, 19), 1));
    *d4 = svreinterpret_s8_u8(svlsr_n_u8_x(all, svmulh_n_u8_x(all, u, 203), 6));
}

#define FORMAT ((lpu_sve_format){decode, 5, 3, 1})

void lpu_gemv_b3_i8_sve(int32_t *y, const uint8_t *w, const int8_t *x, size_t rows, size_t k)
{
    const lpu_sve_matrix m = {w, lpu_layout_block_bytes(LPU_LAYOUT_B3, k), 0, rows, k};
    lpu_sve_gemv(y, &m, x, FORMAT);
}

void lpu_gemm_b3_i8_sve(int32_t *y, size_t y_stride, const uint8_t *w, const int8_t *x,
                        size_t x_stride, size_t rows, size_t k, size_t tokens, void *room)
{
    (void)room;
    const lpu_sve_matrix m = {w, lpu_layout_block_bytes(LPU_LAYOUT_B3, k), 0, rows, k};
    lpu_sve_gemm(y, y_stride, &m, x, x_stride, tokens, FORMAT);
}
