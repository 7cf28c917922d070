/* workloads/train/matmul.c - tiles of 6 by one vector, held in registers while k passes. */
#include "workloads/train/matmul.h"

typedef lpu_real vec __attribute__((vector_size(64)));
enum { ROWS = LPU_MATMUL_ROWS, COLS = 64 / sizeof(lpu_real) };

static inline size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Panels of width, k after k: to[panel][k][width]; what is beyond count is zero. */
static inline void pack(lpu_real *to, const lpu_real *from, size_t step, size_t deep, size_t count,
                        size_t width, size_t k)
{
    for (size_t first = 0; first < count; first += width) {
        const size_t n = least(width, count - first);
        for (size_t p = 0; p < k; p++, to += width) {
            const lpu_real *line = from + first * step + p * deep;
            for (size_t i = 0; i < n; i++) to[i] = line[i * step];
            for (size_t i = n; i < width; i++) to[i] = 0;
        }
    }
}

static inline __attribute__((always_inline)) void tile(lpu_real *c, size_t stride,
                                                       const lpu_real *a, const lpu_real *b,
                                                       size_t k, size_t rows, size_t cols,
                                                       bool adds)
{
    vec sum[ROWS] = {{0}};

    for (size_t p = 0; p < k; p++) {
        const vec line = *(const vec *)(b + p * COLS);
        for (size_t i = 0; i < ROWS; i++) sum[i] += a[p * ROWS + i] * line;
    }
    for (size_t i = 0; i < rows; i++, c += stride) {
        lpu_real out[COLS];
        memcpy(out, &sum[i], sizeof(out));
        if (adds) {
            for (size_t j = 0; j < cols; j++) c[j] += out[j];
        } else {
            for (size_t j = 0; j < cols; j++) c[j] = out[j];
        }
    }
}

LPU_TRAIN_CLONES
static void block(lpu_real *c, size_t stride, lpu_matmul_view a, lpu_matmul_view b, size_t m,
                  size_t n, size_t k, bool adds, lpu_real *scratch)
{
    lpu_real *left = scratch + 16 * LPU_MATMUL_DEPTH;

    pack(left, a.at, a.row, a.col, m, ROWS, k);
    for (size_t j = 0; j < n; j += COLS) {
        const size_t cols = least(COLS, n - j);
        if (b.col == 1 && cols == COLS) {
            for (size_t p = 0; p < k; p++) {
                memcpy(scratch + p * COLS, b.at + p * b.row + j, COLS * sizeof(*scratch));
            }
        } else {
            pack(scratch, b.at + j * b.col, b.col, b.row, cols, COLS, k);
        }
        for (size_t i = 0; i < m; i += ROWS) {
            tile(c + i * stride + j, stride, left + i * k, scratch, k, least(ROWS, m - i), cols,
                 adds);
        }
    }
}

void lpu_matmul_run(lpu_real *c, size_t stride, lpu_matmul_view a, lpu_matmul_view b, size_t m,
                    size_t n, size_t k, bool adds, lpu_real *scratch)
{
    for (size_t p = 0; p < k; p += LPU_MATMUL_DEPTH) {
        for (size_t i = 0; i < m; i += LPU_MATMUL_BLOCK) {
            const lpu_matmul_view top = {a.at + i * a.row + p * a.col, a.row, a.col};
            const lpu_matmul_view right = {b.at + p * b.row, b.row, b.col};
            block(c + i * stride, stride, top, right, least(LPU_MATMUL_BLOCK, m - i), n,
                  least(LPU_MATMUL_DEPTH, k - p), adds || p, scratch);
        }
    }
}
