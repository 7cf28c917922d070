/* kernels/i4_i8_sve.c - int4 x int8 with SVE dot products: two blocks are four planes. */
#include "kernels/kernels.h"
#include "kernels/sve.h"

LPU_INLINE void decode(svint8_t *d0, svint8_t *d1, svint8_t *d2, svint8_t *d3, svint8_t *d4,
                       svbool_t line, const uint8_t *w, const size_t *at)
{
    const svbool_t all = svptrue_b8();
    const svuint8_t u = svld1_u8(line, w), v = svld1_u8(line, w + at[2]);

    *d0 = svreinterpret_s8_u8(svand_n_u8_x(all, u, 15));
    *d1 = svreinterpret_s8_u8(svlsr_n_u8_x(all, u, 4));
    *d2 = svreinterpret_s8_u8(svand_n_u8_x(all, v, 15));
    *d3 = svreinterpret_s8_u8(svlsr_n_u8_x(all, v, 4));
    *d4 = *d3;
}

#define FORMAT ((lpu_sve_format){decode, 4, 0, 8})

/* Planes are half a block apart on the average: the second two have their bytes in the next one. */
static lpu_sve_matrix matrix(const uint8_t *w, size_t rows, size_t k)
{
    const size_t block_bytes = lpu_layout_block_bytes(LPU_LAYOUT_I4, k);
    return (lpu_sve_matrix){w, 2 * block_bytes, block_bytes / 2, rows, k};
}

void lpu_gemv_i4_i8_sve(int32_t *y, const uint8_t *w, const int8_t *x, size_t rows, size_t k)
{
    const lpu_sve_matrix m = matrix(w, rows, k);
    lpu_sve_gemv(y, &m, x, FORMAT);
}

void lpu_gemm_i4_i8_sve(int32_t *y, size_t y_stride, const uint8_t *w, const int8_t *x,
                        size_t x_stride, size_t rows, size_t k, size_t tokens, void *room)
{
    (void)room;
    const lpu_sve_matrix m = matrix(w, rows, k);
    lpu_sve_gemm(y, y_stride, &m, x, x_stride, tokens, FORMAT);
}
