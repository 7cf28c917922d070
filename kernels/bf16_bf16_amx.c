/* kernels/bf16_bf16_amx.c - BF16 x BF16 with tiles: four blocks at a time, as they stand. */
#include "kernels/amx.h"
#include "kernels/kernels.h"

LPU_INLINE void bf16_finish(uint8_t *y, size_t rows, const uint8_t *sums, int32_t x_sum)
{
    (void)x_sum;
    LPU_UNROLL
    for (size_t b = 0; b < 4; b++) lpu_amx_put(y, rows, b, lpu_amx_sums(sums, b));
}

void lpu_gemm_bf16_bf16_amx(float *y, size_t y_stride, const uint8_t *w, const uint16_t *x,
                            size_t x_stride, size_t rows, size_t k, size_t tokens)
{
    const lpu_amx_format f = {.operands = LPU_AMX_BF16,
                              .blocks = 4,
                              .block_rows = 16,
                              .strips = 1,
                              .plain = 4,
                              .finish = bf16_finish};
    lpu_amx_gemm((lpu_amx_job){.y = (uint8_t *)y,
                               .w = w,
                               .x = (const uint8_t *)x,
                               .y_stride = 4 * y_stride,
                               .block_bytes = lpu_layout_block_bytes(LPU_LAYOUT_BF16, k),
                               .x_stride = 2 * x_stride,
                               .rows = rows,
                               .k_bytes = 2 * k,
                               .tokens = tokens},
                 f);
}
