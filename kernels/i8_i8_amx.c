/* kernels/i8_i8_amx.c - int8 x int8 with tiles: four blocks at a time, as they stand. */
#include "kernels/amx.h"
#include "kernels/kernels.h"

LPU_INLINE void i8_finish(uint8_t *y, size_t rows, const uint8_t *sums, int32_t x_sum)
{
    (void)x_sum;
    LPU_UNROLL
    for (size_t b = 0; b < 4; b++) lpu_amx_put(y, rows, b, lpu_amx_sums(sums, b));
}

void lpu_gemm_i8_i8_amx(int32_t *y, size_t y_stride, const uint8_t *w, size_t block_bytes,
                        const int8_t *x, size_t x_stride, size_t rows, size_t k, size_t tokens)
{
    const lpu_amx_format f = {.operands = LPU_AMX_I8_I8,
                              .blocks = 4,
                              .block_rows = 16,
                              .strips = 1,
                              .plain = 4,
                              .finish = i8_finish};
    lpu_amx_gemm((lpu_amx_job){.y = (uint8_t *)y,
                               .w = w,
                               .x = (const uint8_t *)x,
                               .y_stride = 4 * y_stride,
                               .block_bytes = block_bytes,
                               .x_stride = x_stride,
                               .rows = rows,
                               .k_bytes = k,
                               .tokens = tokens},
                 f);
}
