/* kernels/power.h - the powers of section 8.3 of workloads/arithmetic.md, 16 at a time. Only files
 * *_avx512vnni.c include it.
 */
#ifndef LPU_KERNELS_POWER_H
#define LPU_KERNELS_POWER_H

#include "kernels/int_power.h"
#include "kernels/vnni.h"

/* P[0..63], and P[j] - P[j + 1]. */
typedef struct lpu_power_tables {
    __m512i power[4], step[4];
} lpu_power_tables;

LPU_INLINE lpu_power_tables lpu_power_tables_make(void)
{
    lpu_power_tables t;

    LPU_UNROLL
    for (size_t i = 0; i < 4; i++) {
        t.power[i] = _mm512_loadu_si512(lpu_int_powers + 16 * i);
        t.step[i] = _mm512_sub_epi32(t.power[i], _mm512_loadu_si512(lpu_int_powers + 16 * i + 1));
    }
    return t;
}

/* Entry j (its lowest 6 bits) of a table of 64. */
LPU_INLINE __m512i lpu_power_entry(const __m512i *table, __m512i j)
{
    const __mmask16 is_upper = _mm512_test_epi32_mask(j, _mm512_set1_epi32(32));
    const __m512i lower = _mm512_permutex2var_epi32(table[0], j, table[1]);
    return _mm512_mask_mov_epi32(lower, is_upper, _mm512_permutex2var_epi32(table[2], j, table[3]));
}

/* p(d) of the lowest 16 bits of d: 2^16 to 2^15. */
LPU_INLINE __m512i lpu_power_at(const lpu_power_tables *t, __m512i d)
{
    const __m512i j = _mm512_srli_epi32(d, 10), rest = _mm512_and_si512(d, _mm512_set1_epi32(1023));
    const __m512i step = _mm512_madd_epi16(lpu_power_entry(t->step, j), rest);
    return _mm512_sub_epi32(lpu_power_entry(t->power, j), _mm512_srli_epi32(step, 10));
}

#endif
