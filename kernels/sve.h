/* kernels/sve.h - products of row-planes with SVE, templates. Only files *_sve.c include it.
 *
 * A vector takes a part of a line (layout.h): all of it where vectors have 64 bytes or more, a half
 * or a quarter where they have 32 or 16; what is beyond the line is masked. Lane by lane, four k of
 * four bytes meet four activations in one dot product.
 *
 * Bytes must be signed for it, and codes are not. A format turns a vector of codes into parts that
 * are: t2 into u & 3, u >> 2, u >> 4, u >> 6, b3 into u % 3, u / 3, u / 9, u / 27, u / 81. Part p
 * from 1 on is digit p plus the radix times part p + 1, and so are the sums: the rows come apart at
 * the end, by one multiplication each. That is cheaper than digits: 4 and 9 instructions a vector.
 *
 * Variables of these types cannot be in arrays: sums are four sets of names, and sets of unused
 * parts vanish.
 */
#ifndef LPU_KERNELS_SVE_H
#define LPU_KERNELS_SVE_H

#ifdef __ARM_FEATURE_SVE

#include "kernels/unroll.h"

#include <arm_sve.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { LPU_SVE_UNITS = 4 };

/* Sets the planes' parts of the codes at w; those of i8 have a block each, at w + at[p]. */
typedef void lpu_sve_decode(svint8_t *d0, svint8_t *d1, svint8_t *d2, svint8_t *d3, svint8_t *d4,
                            svbool_t line, const uint8_t *w, const size_t *at);

typedef struct lpu_sve_format {
    lpu_sve_decode *decode;
    size_t planes;
    int32_t radix, bias; /* of the digits; radix 0: every part is a digit */
} lpu_sve_format;

/* A matrix: blocks of rows of all planes. */
typedef struct lpu_sve_matrix {
    const uint8_t *w;
    size_t block_bytes, apart; /* from plane to plane, 0 if they share their bytes */
    size_t rows, k;
} lpu_sve_matrix;

/* A part of the lines of a block. */
typedef struct lpu_sve_unit {
    const uint8_t *w;
    size_t at[4];             /* of the planes; one that is not there is plane 0, and not written */
    size_t offset, row, rows; /* bytes into a line; of the block: first row and how many */
} lpu_sve_unit;

LPU_INLINE size_t lpu_sve_min(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Vectors that cover a line. */
LPU_INLINE size_t lpu_sve_parts(void)
{
    return (64 + svcntb() - 1) / svcntb();
}

LPU_INLINE lpu_sve_unit lpu_sve_at(const lpu_sve_matrix *m, size_t index, const lpu_sve_format f)
{
    const size_t block = index / lpu_sve_parts(), block_rows = 16 * f.planes;
    const size_t row = block * block_rows, rows = lpu_sve_min(m->rows - row, block_rows);
    const size_t offset = index % lpu_sve_parts() * svcntb();
    const size_t apart = m->apart;
    return (lpu_sve_unit){m->w + block * m->block_bytes + offset,
                          {0, rows > 16 ? apart : 0, rows > 32 ? 2 * apart : 0,
                           rows > 48 ? 3 * apart : 0},
                          offset, row, rows};
}

/* The bytes of a unit in a vector. */
LPU_INLINE svbool_t lpu_sve_line(const lpu_sve_unit *u)
{
    return svwhilelt_b8_u64(u->offset, 64);
}

/* The last one, two or three activations, and zeros. */
LPU_INLINE int32_t lpu_sve_rest(const int8_t *x, size_t k)
{
    int32_t rest = 0;
    memcpy(&rest, x + k / 4 * 4, k % 4);
    return rest;
}

/* Activations c..c + 3 in every lane. */
LPU_INLINE svint8_t lpu_sve_four(const int8_t *x, size_t c, size_t k, int32_t rest)
{
    int32_t four = rest;
    if (c + 4 <= k) memcpy(&four, x + c, 4);
    return svreinterpret_s8_s32(svdup_n_s32(four));
}

LPU_INLINE int32_t lpu_sve_sum(const int8_t *x, size_t k)
{
    const svint8_t one = svdup_n_s8(1);
    svint32_t sums = svdup_n_s32(0);
    for (size_t c = 0; c < k; c += svcntb()) {
        sums = svdot_s32(sums, svld1_s8(svwhilelt_b8_u64(c, k), x + c), one);
    }
    return (int32_t)svaddv_s32(svptrue_b32(), sums);
}

/* The rows of one plane of a unit, of as many as there are. */
LPU_INLINE void lpu_sve_put(int32_t *y, const lpu_sve_unit *u, size_t plane, int32_t taken,
                            svint32_t v)
{
    const size_t lane = u->offset / 4, first = 16 * plane + lane;
    const size_t count = u->rows > first ? lpu_sve_min(u->rows - first, 16 - lane) : 0;
    const svbool_t there = svwhilelt_b32_u64(0, count); /* no more than a vector has */
    svst1_s32(there, y + u->row + first, svsub_n_s32_x(there, v, taken));
}

/* The sums of all parts come apart. */
LPU_INLINE void lpu_sve_finish(int32_t *y, const lpu_sve_unit *u, int32_t sum, svint32_t s0,
                               svint32_t s1, svint32_t s2, svint32_t s3, svint32_t s4,
                               const lpu_sve_format f)
{
    const svbool_t all = svptrue_b32();
    const int32_t taken = f.bias * sum;

    lpu_sve_put(y, u, 0, taken, s0);
    lpu_sve_put(y, u, 1, taken, svmls_n_s32_x(all, s1, s2, f.radix));
    lpu_sve_put(y, u, 2, taken, svmls_n_s32_x(all, s2, s3, f.radix));
    if (f.planes > 4) {
        lpu_sve_put(y, u, 3, taken, svmls_n_s32_x(all, s3, s4, f.radix));
        lpu_sve_put(y, u, 4, taken, s4);
    } else {
        lpu_sve_put(y, u, 3, taken, s3);
    }
}

#define LPU_SVE_SUMS(s)                                                                            \
    svint32_t s##0 = svdup_n_s32(0), s##1 = s##0, s##2 = s##0, s##3 = s##0, s##4 = s##0

#define LPU_SVE_DECODE(unit)                                                                       \
    f.decode(&d0, &d1, &d2, &d3, &d4, lpu_sve_line(unit), (unit)->w + 16 * c, (unit)->at)

#define LPU_SVE_DOT(s, x)                                                                          \
    do {                                                                                           \
        const svint8_t four_ = x;                                                                  \
        s##0 = svdot_s32(s##0, d0, four_);                                                         \
        s##1 = svdot_s32(s##1, d1, four_);                                                         \
        s##2 = svdot_s32(s##2, d2, four_);                                                         \
        s##3 = svdot_s32(s##3, d3, four_);                                                         \
        if (f.planes > 4) s##4 = svdot_s32(s##4, d4, four_);                                       \
    } while (0)

#define LPU_SVE_FINISH(y, unit, sum, s)                                                            \
    lpu_sve_finish(y, unit, sum, s##0, s##1, s##2, s##3, s##4, f)

/* A unit times n tokens, 1 or 4. */
LPU_INLINE void lpu_sve_tokens(int32_t *y, size_t y_stride, const lpu_sve_matrix *m,
                               const lpu_sve_unit *u, const int8_t *x, size_t x_stride,
                               const int32_t *sums, const lpu_sve_format f, const size_t n)
{
    const size_t k = m->k;
    int32_t rest[LPU_SVE_UNITS];
    LPU_SVE_SUMS(a);
    LPU_SVE_SUMS(b);
    LPU_SVE_SUMS(p);
    LPU_SVE_SUMS(q);

    for (size_t i = 0; i < n; i++) rest[i] = lpu_sve_rest(x + i * x_stride, k);
    for (size_t c = 0; c < k; c += 4) {
        svint8_t d0, d1, d2, d3, d4;
        LPU_SVE_DECODE(u);
        LPU_SVE_DOT(a, lpu_sve_four(x, c, k, rest[0]));
        if (n == 1) continue;
        LPU_SVE_DOT(b, lpu_sve_four(x + x_stride, c, k, rest[1]));
        LPU_SVE_DOT(p, lpu_sve_four(x + 2 * x_stride, c, k, rest[2]));
        LPU_SVE_DOT(q, lpu_sve_four(x + 3 * x_stride, c, k, rest[3]));
    }
    LPU_SVE_FINISH(y, u, sums[0], a);
    if (n == 1) return;
    LPU_SVE_FINISH(y + y_stride, u, sums[1], b);
    LPU_SVE_FINISH(y + 2 * y_stride, u, sums[2], p);
    LPU_SVE_FINISH(y + 3 * y_stride, u, sums[3], q);
}

/* Four units times one token: parts of a line, or lines of blocks, which are streams then. */
LPU_INLINE void lpu_sve_units(int32_t *y, const lpu_sve_matrix *m, const lpu_sve_unit *u,
                              const int8_t *x, int32_t sum, const lpu_sve_format f)
{
    const size_t k = m->k;
    const int32_t rest = lpu_sve_rest(x, k);
    LPU_SVE_SUMS(a);
    LPU_SVE_SUMS(b);
    LPU_SVE_SUMS(p);
    LPU_SVE_SUMS(q);

    for (size_t c = 0; c < k; c += 4) {
        const svint8_t four = lpu_sve_four(x, c, k, rest);
        svint8_t d0, d1, d2, d3, d4;
        LPU_SVE_DECODE(u);
        LPU_SVE_DOT(a, four);
        LPU_SVE_DECODE(u + 1);
        LPU_SVE_DOT(b, four);
        LPU_SVE_DECODE(u + 2);
        LPU_SVE_DOT(p, four);
        LPU_SVE_DECODE(u + 3);
        LPU_SVE_DOT(q, four);
    }
    LPU_SVE_FINISH(y, u, sum, a);
    LPU_SVE_FINISH(y, u + 1, sum, b);
    LPU_SVE_FINISH(y, u + 2, sum, p);
    LPU_SVE_FINISH(y, u + 3, sum, q);
}

LPU_INLINE size_t lpu_sve_count(const lpu_sve_matrix *m, const lpu_sve_format f)
{
    return (m->rows + 16 * f.planes - 1) / (16 * f.planes) * lpu_sve_parts();
}

LPU_INLINE void lpu_sve_gemv(int32_t *y, const lpu_sve_matrix *m, const int8_t *x,
                             const lpu_sve_format f)
{
    const size_t count = lpu_sve_count(m, f);
    const int32_t sum = f.bias ? lpu_sve_sum(x, m->k) : 0;
    lpu_sve_unit u[LPU_SVE_UNITS];
    size_t i = 0;

    for (; i + LPU_SVE_UNITS <= count; i += LPU_SVE_UNITS) {
        for (size_t j = 0; j < LPU_SVE_UNITS; j++) u[j] = lpu_sve_at(m, i + j, f);
        lpu_sve_units(y, m, u, x, sum, f);
    }
    for (; i < count; i++) {
        u[0] = lpu_sve_at(m, i, f);
        lpu_sve_tokens(y, 0, m, u, x, 0, &sum, f, 1);
    }
}

LPU_INLINE void lpu_sve_gemm(int32_t *y, size_t y_stride, const lpu_sve_matrix *m, const int8_t *x,
                             size_t x_stride, size_t tokens, const lpu_sve_format f)
{
    const size_t count = lpu_sve_count(m, f);
    size_t t = 0;

    for (; t + LPU_SVE_UNITS <= tokens; t += LPU_SVE_UNITS) {
        const int8_t *from = x + t * x_stride;
        int32_t sums[LPU_SVE_UNITS] = {0};
        for (size_t i = 0; f.bias && i < LPU_SVE_UNITS; i++) {
            sums[i] = lpu_sve_sum(from + i * x_stride, m->k);
        }
        for (size_t i = 0; i < count; i++) {
            const lpu_sve_unit u = lpu_sve_at(m, i, f);
            lpu_sve_tokens(y + t * y_stride, y_stride, m, &u, from, x_stride, sums, f,
                           LPU_SVE_UNITS);
        }
    }
    for (; t < tokens; t++) lpu_sve_gemv(y + t * y_stride, m, x + t * x_stride, f);
}

#endif
#endif
