/* kernels/columns_b3_i8_c.c - columns of 1.6-bit ternary x int8, portable: the definition. */
#include "kernels/kernels.h"

size_t lpu_nonzeros_i8_c(uint16_t *at, int8_t *values, const int8_t *x, size_t n)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        at[count] = (uint16_t)i;
        values[count] = x[i];
        count += x[i] != 0;
    }
    return count;
}

void lpu_columns_b3_i8_c(int32_t *y, const uint8_t *w, size_t column_bytes, const uint16_t *at,
                         const int8_t *x, size_t count, size_t rows, size_t chunk)
{
    (void)chunk;
    for (size_t r = 0; r < rows; r++) {
        const size_t in = r % 320, p = in % 80 / 16, lane = in % 16;
        const size_t byte = r / 320 * 64 + lane / 4 * 16 + in / 80 * 4 + lane % 4;
        for (size_t i = 0; i < count; i++) {
            int32_t v = w[at[i] * column_bytes + byte];
            for (size_t j = 0; j < p; j++) v /= 3;
            y[r] += (v % 3 - 1) * x[i];
        }
    }
}
