/* kernels/columns_b3_i8_avx512vnni.c - columns of 1.6-bit ternary x int8 with VNNI.
 *
 * Four columns become lines of four k by two rounds of interleaving; then it is the product of
 * b3.h, with 320 rows in 20 sums. Columns from memory are single pieces of a few lines, which no
 * prefetcher of the CPU follows: those of the next chunk are asked for into L2, some at each step.
 */
#include "kernels/b3.h"
#include "kernels/kernels.h"
#include "kernels/vnni.h"

enum { SOON = 16 }; /* columns ahead that are asked for into L1 */

size_t lpu_nonzeros_i8_avx512vnni(uint16_t *at, int8_t *values, const int8_t *x, size_t n)
{
    const __m512i sixteen = _mm512_set1_epi32(16);
    __m512i index = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    size_t count = 0;

    for (size_t i = 0; i < n; i += 16, index = _mm512_add_epi32(index, sixteen)) {
        const __mmask16 here = n - i < 16 ? (__mmask16)((1u << (n - i)) - 1) : 0xffff;
        const __m512i v = _mm512_cvtepi8_epi32(_mm_maskz_loadu_epi8(here, x + i));
        const __mmask16 is = _mm512_test_epi32_mask(v, v);
        const __m256i words = _mm512_cvtepi32_epi16(_mm512_maskz_compress_epi32(is, index));
        const __m128i bytes = _mm512_cvtepi32_epi8(_mm512_maskz_compress_epi32(is, v));
        _mm256_storeu_si256((__m256i *)(void *)(at + count), words);
        _mm_storeu_si128((__m128i *)(void *)(values + count), bytes);
        count += (size_t)__builtin_popcount(is);
    }
    return count;
}

/* The chunk after the one in hand: lines of its columns, asked for one after the other. */
typedef struct asking {
    const uint8_t *w;
    const uint16_t *at, *end;
    size_t line, lines, column_bytes;
} asking;

LPU_INLINE void ask(asking *a, size_t lines)
{
    for (; lines && a->at < a->end; lines--) {
        _mm_prefetch((const char *)a->w + *a->at * a->column_bytes + 64 * a->line, _MM_HINT_T1);
        if (++a->line < a->lines) continue;
        a->line = 0;
        a->at++;
    }
}

/* Up to four columns of one line: x is zero for those that are not there. */
LPU_INLINE void step(__m512i *sums, const uint8_t *w, size_t column_bytes, const uint16_t *at,
                     const int8_t *x, size_t n, const lpu_b3_codes *tables, const lpu_b3_codes *c)
{
    const size_t last = n - 1;
    const __m512i four = lpu_vnni_broadcast(x, n);
    const __m512i first = _mm512_loadu_si512(w + at[0] * column_bytes);
    const __m512i second = _mm512_loadu_si512(w + at[lpu_vnni_min(1, last)] * column_bytes);
    const __m512i third = _mm512_loadu_si512(w + at[lpu_vnni_min(2, last)] * column_bytes);
    const __m512i fourth = _mm512_loadu_si512(w + at[lpu_vnni_min(3, last)] * column_bytes);
    __m512i ab = _mm512_unpacklo_epi8(first, second), AB = _mm512_unpackhi_epi8(first, second);
    __m512i cd = _mm512_unpacklo_epi8(third, fourth), CD = _mm512_unpackhi_epi8(third, fourth);

    LPU_KEEP(ab);
    LPU_KEEP(AB);
    LPU_KEEP(cd);
    LPU_KEEP(CD);
    LPU_KEEP_POINTER(c);
    lpu_b3_decode_multiply(sums, _mm512_unpacklo_epi16(ab, cd), four, tables, c, c);
    lpu_b3_decode_multiply(sums + 5, _mm512_unpackhi_epi16(ab, cd), four, tables, c, c);
    lpu_b3_decode_multiply(sums + 10, _mm512_unpacklo_epi16(AB, CD), four, tables, c, c);
    lpu_b3_decode_multiply(sums + 15, _mm512_unpackhi_epi16(AB, CD), four, tables, c, c);
}

/* One line of some columns. */
static void __attribute__((noinline))
add_line(int32_t *y, const uint8_t *w, size_t column_bytes, const uint16_t *at, const int8_t *x,
         size_t count, size_t rows, const lpu_b3_codes *codes, asking *a, size_t asked)
{
    const lpu_b3_codes tables = *codes;
    const int32_t sum = lpu_vnni_sum(x, count);
    __m512i sums[20];
    size_t i = 0;

    LPU_UNROLL
    for (size_t j = 0; j < 20; j++) sums[j] = _mm512_setzero_si512();
    for (; i + 4 <= count; i += 4) {
        LPU_UNROLL
        for (size_t j = 0; j < 4; j++) {
            lpu_vnni_prefetch(w + at[lpu_vnni_min(i + SOON + j, count - 1)] * column_bytes, 0);
        }
        step(sums, w, column_bytes, at + i, x + i, 4, &tables, codes);
        ask(a, asked);
    }
    if (i < count) step(sums, w, column_bytes, at + i, x + i, count - i, &tables, codes);
    LPU_UNROLL
    for (size_t j = 0; j < 4; j++) {
        const size_t left = rows < 80 * j ? 0 : rows - 80 * j;
        lpu_b3_add_rows(y + 80 * j, left, sums + 5 * j, sum);
    }
}

void lpu_columns_b3_i8_avx512vnni(int32_t *y, const uint8_t *w, size_t column_bytes,
                                  const uint16_t *at, const int8_t *x, size_t count, size_t rows,
                                  size_t chunk)
{
    const lpu_b3_codes codes = lpu_b3_codes_make();
    const size_t lines = (rows + 319) / 320;

    for (size_t c = 0; c < count; c += chunk) {
        const size_t n = lpu_vnni_min(count - c, chunk), next = lpu_vnni_min(count - c - n, chunk);
        asking a = {w, at + c + n, at + c + n + next, 0, lines, column_bytes};
        /* All of the next chunk in the steps of this one. */
        const size_t steps = (n / 4 ? n / 4 : 1) * lines;
        const size_t asked = (next * lines + steps - 1) / steps;
        for (size_t l = 0; l < lines; l++) {
            add_line(y + 320 * l, w + 64 * l, column_bytes, at + c, x + c, n,
                     lpu_vnni_min(rows - 320 * l, 320), &codes, &a, asked);
        }
    }
}
