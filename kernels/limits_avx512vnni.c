/* kernels/limits_avx512vnni.c - reading and multiplying at best with AVX-512. */
#include "kernels/kernels.h"
#include "kernels/vnni.h"

enum { STREAMS = 2, CHAINS = 12 };

/* Two parts of the bytes advance together, each asked for ahead. */
uint64_t lpu_read_u64_avx512vnni(const uint8_t *w, size_t bytes)
{
    const size_t each = bytes / STREAMS, ahead = lpu_vnni_ahead();
    __m512i sums[STREAMS][4], all = _mm512_setzero_si512();
    uint64_t out[8];

    LPU_UNROLL
    for (size_t i = 0; i < 4 * STREAMS; i++) sums[i / 4][i % 4] = _mm512_setzero_si512();
    for (size_t i = 0; i < each; i += 256) {
        LPU_UNROLL
        for (size_t s = 0; s < STREAMS; s++) {
            LPU_UNROLL
            for (size_t j = 0; j < 4; j++) {
                const uint8_t *p = w + s * each + i + 64 * j;
                lpu_vnni_prefetch(p, ahead);
                sums[s][j] = _mm512_xor_si512(sums[s][j], _mm512_loadu_si512(p));
            }
        }
    }
    LPU_UNROLL
    for (size_t i = 0; i < 4 * STREAMS; i++) all = _mm512_xor_si512(all, sums[i / 4][i % 4]);
    _mm512_storeu_si512(out, all);
    return out[0] ^ out[1] ^ out[2] ^ out[3] ^ out[4] ^ out[5] ^ out[6] ^ out[7];
}

/* The empty asm keeps the compiler from folding products of constants. */
uint64_t lpu_peak_i8_avx512vnni(size_t rounds)
{
    __m512i one = _mm512_set1_epi8(1), sums[CHAINS];
    uint64_t all = 0;

    LPU_UNROLL
    for (size_t i = 0; i < CHAINS; i++) sums[i] = _mm512_setzero_si512();
    for (size_t r = 0; r < rounds; r++) {
        LPU_UNROLL
        for (size_t i = 0; i < CHAINS; i++) {
            __asm__ volatile("" : "+v"(one));
            sums[i] = _mm512_dpbusd_epi32(sums[i], one, one);
        }
    }
    LPU_UNROLL
    for (size_t i = 0; i < CHAINS; i++) all += (uint32_t)_mm512_reduce_add_epi32(sums[i]);
    return all;
}

uint64_t lpu_peak_f32_avx512vnni(size_t rounds)
{
    __m512 one = _mm512_set1_ps(1), sums[CHAINS];
    uint64_t all = 0;

    LPU_UNROLL
    for (size_t i = 0; i < CHAINS; i++) sums[i] = _mm512_setzero_ps();
    for (size_t r = 0; r < rounds; r++) {
        LPU_UNROLL
        for (size_t i = 0; i < CHAINS; i++) {
            __asm__ volatile("" : "+v"(one));
            sums[i] = _mm512_fmadd_ps(one, one, sums[i]);
        }
    }
    LPU_UNROLL
    for (size_t i = 0; i < CHAINS; i++) all += (uint64_t)_mm512_reduce_add_ps(sums[i]);
    return all;
}
