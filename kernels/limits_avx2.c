/* kernels/limits_avx2.c - reading and multiplying at best with AVX2. */
#include "kernels/kernels.h"
#include "kernels/unroll.h"

#include <immintrin.h>
#include <string.h>

enum {
    STREAMS = 4,
    CHAINS = 12,
    TABLE_LINES = 640,  /* of 32 bytes: what looking up keeps in the nearest cache */
    WORD_ROUNDS = 2048, /* before words of sums are full: 8 each */
};

/* Four parts of the bytes advance together, each asked for ahead. */
uint64_t lpu_read_u64_avx2(const uint8_t *w, size_t bytes)
{
    const size_t each = bytes / STREAMS;
    __m256i sums[2] = {_mm256_setzero_si256(), _mm256_setzero_si256()};
    uint64_t out[4];

    for (size_t i = 0; i < each; i += 64) {
        LPU_UNROLL
        for (size_t s = 0; s < STREAMS; s++) {
            const uint8_t *p = w + s * each + i;
            _mm_prefetch((const char *)p + 1024, _MM_HINT_T0);
            for (size_t h = 0; h < 2 && i + 32 * h < each; h++) {
                sums[h] = _mm256_xor_si256(
                    sums[h], _mm256_loadu_si256((const __m256i *)(const void *)(p + 32 * h)));
            }
        }
    }
    _mm256_storeu_si256((__m256i *)(void *)out, _mm256_xor_si256(sums[0], sums[1]));
    return out[0] ^ out[1] ^ out[2] ^ out[3];
}

/* The empty asm keeps the compiler from folding products of constants. */
uint64_t lpu_peak_i8_avx2(size_t rounds)
{
    const __m256i one16 = _mm256_set1_epi16(1);
    __m256i one = _mm256_set1_epi8(1), sums[CHAINS];
    uint64_t all = 0;

    LPU_UNROLL
    for (size_t i = 0; i < CHAINS; i++) sums[i] = _mm256_setzero_si256();
    for (size_t r = 0; r < rounds; r++) {
        LPU_UNROLL
        for (size_t i = 0; i < CHAINS; i++) {
            __asm__ volatile("" : "+x"(one));
            const __m256i part = _mm256_madd_epi16(_mm256_maddubs_epi16(one, one), one16);
            sums[i] = _mm256_add_epi32(sums[i], part);
        }
    }
    LPU_UNROLL
    for (size_t i = 0; i < CHAINS; i++) {
        uint32_t out[8];
        _mm256_storeu_si256((__m256i *)(void *)out, sums[i]);
        LPU_UNROLL
        for (size_t j = 0; j < 8; j++) all += out[j];
    }
    return all;
}

/* As in lookup_avx2.c: lines of sums of four ones, from a table in the nearest cache. */
uint64_t lpu_peak_t2_avx2(size_t rounds)
{
    int16_t table[16 * TABLE_LINES] __attribute__((aligned(64)));
    uint64_t all = 0;

    for (size_t i = 0; i < 16 * TABLE_LINES; i++) table[i] = 4;
    for (size_t r = 0; r < rounds;) {
        const size_t end = rounds - r < WORD_ROUNDS ? rounds : r + WORD_ROUNDS;
        __m256i words[4];
        LPU_UNROLL
        for (size_t i = 0; i < 4; i++) words[i] = _mm256_setzero_si256();
        for (; r < end; r++) {
            const int16_t *at = table + 16 * (r % 61);
            LPU_UNROLL
            for (size_t i = 0; i < 8; i++) {
                const __m256i line =
                    _mm256_load_si256((const __m256i *)(const void *)(at + 1152 * i));
                words[i % 4] = _mm256_add_epi16(words[i % 4], line);
                __asm__ volatile("" : "+x"(words[i % 4]));
            }
        }
        LPU_UNROLL
        for (size_t i = 0; i < 4; i++) {
            int16_t out[16];
            _mm256_storeu_si256((__m256i *)(void *)out, words[i]);
            for (size_t j = 0; j < 16; j++) all += (uint64_t)out[j];
        }
    }
    return all;
}

uint64_t lpu_peak_f32_avx2(size_t rounds)
{
    __m256 one = _mm256_set1_ps(1), sums[CHAINS];
    uint64_t all = 0;

    LPU_UNROLL
    for (size_t i = 0; i < CHAINS; i++) sums[i] = _mm256_setzero_ps();
    for (size_t r = 0; r < rounds; r++) {
        LPU_UNROLL
        for (size_t i = 0; i < CHAINS; i++) {
            __asm__ volatile("" : "+x"(one));
            sums[i] = _mm256_fmadd_ps(one, one, sums[i]);
        }
    }
    LPU_UNROLL
    for (size_t i = 0; i < CHAINS; i++) {
        float out[8];
        _mm256_storeu_ps(out, sums[i]);
        LPU_UNROLL
        for (size_t j = 0; j < 8; j++) all += (uint64_t)out[j];
    }
    return all;
}
