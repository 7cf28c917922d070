/* kernels/limits_avx512vnni.c - reading and multiplying at best with AVX-512. */
#include "kernels/kernels.h"
#include "kernels/vnni.h"

enum {
    STREAMS = 2,
    CHAINS = 12,
    TABLE_LINES = 320,  /* of 64 bytes: what looking up keeps in the nearest cache */
    WORD_ROUNDS = 1024, /* before words of sums are full: 16 each */
};

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

/* As in lookup_avx512vnni.c: one line looked up to two products, in that order. */
LPU_INLINE void look_up_and_multiply(__m512i *sums, __m512i *words, const int16_t *table,
                                     __m512i one, size_t line)
{
    LPU_UNROLL
    for (size_t i = 0; i < 8; i++) {
        const size_t at = (line + 37 * i) % TABLE_LINES;
        LPU_UNROLL
        for (size_t j = 2 * i; j < 2 * i + 2; j++) {
            sums[j] = _mm512_dpbusd_epi32(sums[j], one, one);
            LPU_KEEP(sums[j]);
        }
        words[i / 4] = _mm512_add_epi16(words[i / 4], _mm512_load_si512(table + 32 * at));
        LPU_KEEP(words[i / 4]);
    }
}

/* Sums of four ones are in the table. */
uint64_t lpu_peak_t2_avx512vnni(size_t rounds)
{
    int16_t table[32 * TABLE_LINES] __attribute__((aligned(64)));
    __m512i one = _mm512_set1_epi8(1), sums[16];
    uint64_t all = 0;

    for (size_t i = 0; i < 32 * TABLE_LINES; i++) table[i] = 4;
    LPU_UNROLL
    for (size_t i = 0; i < 16; i++) sums[i] = _mm512_setzero_si512();
    for (size_t r = 0; r < rounds;) {
        const size_t end = rounds - r < WORD_ROUNDS ? rounds : r + WORD_ROUNDS;
        __m512i words[2] = {_mm512_setzero_si512(), _mm512_setzero_si512()};
        for (; r < end; r++) look_up_and_multiply(sums, words, table, one, r % 61);
        const __m512i ones = _mm512_set1_epi16(1);
        all += (uint32_t)_mm512_reduce_add_epi32(
            _mm512_add_epi32(_mm512_madd_epi16(words[0], ones), _mm512_madd_epi16(words[1], ones)));
    }
    LPU_UNROLL
    for (size_t i = 0; i < 16; i++) all += (uint32_t)_mm512_reduce_add_epi32(sums[i]);
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
