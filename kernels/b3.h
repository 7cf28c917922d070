/* kernels/b3.h - lines of 1.6-bit ternary weights times four activations with VNNI. Only files
 * *_avx512vnni.c include it.
 *
 * A code u is the digits of five rows in base 3, and v = u mod 81 those of the first four. Both are
 * summed as they stand, and so is f, the four digits in two bits each, with masks as in
 * t2_i8_avx512vnni.c: five sums that are independent,
 *
 *     a0 = S0 + 4 S1 + 16 S2 + 64 S3    a1 = S0 + 4 S1 + 16 S2    a2 = S0 + 4 S1
 *     a3 = S0 + 3 S1 +  9 S2 + 27 S3    a4 = a3 + 81 S4
 *
 * f comes from a table of v, and that is the least of u, u - 81 and u - 162: what is below 0 wraps
 * around to a large byte. Of the ways tried, among them codes with an escape and tables of all 243,
 * this was the fastest on two makes of CPU: on one the permutes share the multipliers' ports, on
 * the other one from two tables takes two cycles. Summing v saves a mask.
 */
#ifndef LPU_KERNELS_B3_H
#define LPU_KERNELS_B3_H

#include "kernels/vnni.h"

enum { LPU_B3_INVERSE_81 = 2014922929 }; /* modulo 2^32 */

/* What decoding needs. */
typedef struct lpu_b3_codes {
    __m512i low, high;   /* f of 0..63 and of 64..80 */
    __m512i once, twice; /* 81 and 162 */
    __m512i three, two;  /* masks of the lower digits of f */
} lpu_b3_codes;

static inline lpu_b3_codes lpu_b3_codes_make(void)
{
    uint8_t f[128] = {0};
    for (uint32_t v = 0; v < 81; v++) {
        f[v] = (uint8_t)(v % 3 | v / 3 % 3 << 2 | v / 9 % 3 << 4 | v / 27 % 3 << 6);
    }
    return (lpu_b3_codes){_mm512_loadu_si512(f), _mm512_loadu_si512(f + 64),
                          _mm512_set1_epi8(81),  _mm512_set1_epi8((char)162),
                          _mm512_set1_epi8(63),  _mm512_set1_epi8(15)};
}

/* A line of codes: u, v, f and f's lower digits. */
typedef struct lpu_b3_line {
    __m512i u, v, f, three, two;
} lpu_b3_line;

/* v of u. */
LPU_INLINE __m512i lpu_b3_four(__m512i u, const lpu_b3_codes *c)
{
    const __m512i once = _mm512_sub_epi8(u, c->once), twice = _mm512_sub_epi8(u, c->twice);
    return _mm512_min_epu8(u, _mm512_min_epu8(once, twice));
}

LPU_INLINE lpu_b3_line lpu_b3_decode(__m512i u, const lpu_b3_codes *c)
{
    const __m512i v = lpu_b3_four(u, c);
    const __m512i f = _mm512_permutex2var_epi8(c->low, v, c->high);
    return (lpu_b3_line){u, v, f, _mm512_and_si512(f, c->three), _mm512_and_si512(f, c->two)};
}

/* a0..a4 += the line times x. */
LPU_INLINE void lpu_b3_multiply(__m512i *a, const lpu_b3_line *l, __m512i x)
{
    a[4] = _mm512_dpbusd_epi32(a[4], l->u, x);
    a[3] = _mm512_dpbusd_epi32(a[3], l->v, x);
    a[0] = _mm512_dpbusd_epi32(a[0], l->f, x);
    a[1] = _mm512_dpbusd_epi32(a[1], l->three, x);
    a[2] = _mm512_dpbusd_epi32(a[2], l->two, x);
}

LPU_INLINE void lpu_b3_dot(__m512i *a, __m512i w, __m512i x)
{
    *a = _mm512_dpbusd_epi32(*a, w, x);
    LPU_KEEP(*a);
}

/* Both at once, where sums take most registers: each operand is used as soon as it is there. Tables
 * are to be in registers; what is taken off may be; masks are loaded each time. */
LPU_INLINE void lpu_b3_decode_multiply(__m512i *a, __m512i u, __m512i x, const lpu_b3_codes *tables,
                                       const lpu_b3_codes *off, const lpu_b3_codes *masks)
{
    lpu_b3_dot(&a[4], u, x);
    const __m512i v = lpu_b3_four(u, off);
    lpu_b3_dot(&a[3], v, x);
    const __m512i f = _mm512_permutex2var_epi8(tables->low, v, tables->high);
    lpu_b3_dot(&a[0], f, x);
    LPU_KEEP_POINTER(masks);
    lpu_b3_dot(&a[1], _mm512_and_si512(f, masks->three), x);
    lpu_b3_dot(&a[2], _mm512_and_si512(f, masks->two), x);
}

LPU_INLINE __m512i lpu_b3_times3(__m512i v)
{
    return _mm512_add_epi32(v, _mm512_add_epi32(v, v));
}

/* Five times 16 rows of a0..a4; sum is that of the activations. */
LPU_INLINE void lpu_b3_rows(__m512i *row, const __m512i *a, int32_t sum)
{
    const __m512i s = _mm512_set1_epi32(sum);

    row[3] = _mm512_srai_epi32(_mm512_sub_epi32(a[0], a[1]), 6);
    row[2] = _mm512_srai_epi32(_mm512_sub_epi32(a[1], a[2]), 4);
    /* a2 - (a3 - 27 S3 - 9 S2) = S1. */
    const __m512i upper =
        lpu_b3_times3(lpu_b3_times3(_mm512_add_epi32(row[2], lpu_b3_times3(row[3]))));
    row[1] = _mm512_add_epi32(_mm512_sub_epi32(a[2], a[3]), upper);
    row[0] = _mm512_sub_epi32(a[2], _mm512_slli_epi32(row[1], 2));
    /* A multiple of 81 is divided by multiplying with 81's inverse. */
    row[4] = _mm512_mullo_epi32(_mm512_sub_epi32(a[4], a[3]), _mm512_set1_epi32(LPU_B3_INVERSE_81));
    LPU_UNROLL
    for (size_t p = 0; p < 5; p++) row[p] = _mm512_sub_epi32(row[p], s);
}

/* The first of them, at most rows, into y, or added to it. */
LPU_INLINE void lpu_b3_put_rows(int32_t *y, size_t rows, const __m512i *a, int32_t sum)
{
    __m512i row[5];
    lpu_b3_rows(row, a, sum);
    for (size_t p = 0; p < 5 && 16 * p < rows; p++) {
        lpu_vnni_store(y + 16 * p, rows - 16 * p, row[p]);
    }
}

LPU_INLINE void lpu_b3_add_rows(int32_t *y, size_t rows, const __m512i *a, int32_t sum)
{
    __m512i row[5];
    lpu_b3_rows(row, a, sum);
    LPU_UNROLL
    for (size_t p = 0; p < 5; p++) {
        const size_t n = rows < 16 * p ? 0 : lpu_vnni_min(rows - 16 * p, 16);
        const __m512i before = _mm512_maskz_loadu_epi32((__mmask16)((1u << n) - 1), y + 16 * p);
        lpu_vnni_store(y + 16 * p, n, _mm512_add_epi32(before, row[p]));
    }
}

#endif
