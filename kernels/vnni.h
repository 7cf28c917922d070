/* kernels/vnni.h - what the AVX-512 VNNI kernels share. Only files *_avx512vnni.c include it. */
#ifndef LPU_KERNELS_VNNI_H
#define LPU_KERNELS_VNNI_H

#include "kernels/unroll.h"

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

LPU_INLINE size_t lpu_vnni_min(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Bytes ahead that a stream is asked for. Intel's own prefetchers lose a stream without it; those
 * of AMD (Zen 4) do better alone, by 5 to 10 per cent: there the line itself is asked for, a no-op.
 */
LPU_INLINE size_t lpu_vnni_ahead(void)
{
    return __builtin_cpu_is("intel") ? 1024 : 0;
}

LPU_INLINE void lpu_vnni_prefetch(const uint8_t *w, size_t ahead)
{
    _mm_prefetch((const char *)w + ahead, _MM_HINT_T0);
}

/* The next four of the activations in every lane; zeros where fewer than four are left. A loop
 * calls this with left = 4 for its whole steps, which is one load, and once for the rest. */
LPU_INLINE __m512i lpu_vnni_broadcast(const int8_t *x, size_t left)
{
    int32_t four = 0;
    memcpy(&four, x, left < 4 ? left : 4);
    return _mm512_set1_epi32(four);
}

/* The sum of x[0..k). */
LPU_INLINE int32_t lpu_vnni_sum(const int8_t *x, size_t k)
{
    const __m512i one = _mm512_set1_epi8(1);
    __m512i sums = _mm512_setzero_si512();
    for (size_t c = 0; c < k; c += 64) {
        const __mmask64 mask = k - c < 64 ? (1ull << (k - c)) - 1 : ~0ull;
        sums = _mm512_dpbusd_epi32(sums, one, _mm512_maskz_loadu_epi8(mask, x + c));
    }
    return _mm512_reduce_add_epi32(sums);
}

/* 16 IEEE halves as floats. */
LPU_INLINE __m512 lpu_vnni_halves(const uint8_t *from)
{
    return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(const void *)from));
}

/* The first rows (at most 16) lanes of v. */
LPU_INLINE void lpu_vnni_store_ps(float *y, size_t rows, __m512 v)
{
    _mm512_mask_storeu_ps(y, (__mmask16)((1u << lpu_vnni_min(rows, 16)) - 1), v);
}

/* The same of integers. */
LPU_INLINE void lpu_vnni_store(int32_t *y, size_t rows, __m512i v)
{
    _mm512_mask_storeu_epi32(y, (__mmask16)((1u << lpu_vnni_min(rows, 16)) - 1), v);
}

#endif
