/* kernels/limits_avx512bf16.c - multiplying BF16 at best. */
#include "kernels/kernels.h"
#include "kernels/vnni.h"

enum { CHAINS = 12 };

uint64_t lpu_peak_bf16_avx512bf16(size_t rounds)
{
    __m512i one = _mm512_set1_epi16(0x3f80);
    __m512 sums[CHAINS];
    uint64_t all = 0;

    LPU_UNROLL
    for (size_t i = 0; i < CHAINS; i++) sums[i] = _mm512_setzero_ps();
    for (size_t r = 0; r < rounds; r++) {
        LPU_UNROLL
        for (size_t i = 0; i < CHAINS; i++) {
            __asm__ volatile("" : "+v"(one));
            sums[i] = _mm512_dpbf16_ps(sums[i], (__m512bh)one, (__m512bh)one);
        }
    }
    LPU_UNROLL
    for (size_t i = 0; i < CHAINS; i++) all += (uint64_t)_mm512_reduce_add_ps(sums[i]);
    return all;
}
