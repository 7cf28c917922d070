/* kernels/limits_amx.c - multiplying tiles at best, each loaded as often as a product must: two of
 * activations and two of weights, from L1, for four products. */
#include "kernels/amx.h"
#include "kernels/kernels.h"

/* What a loop of rounds leaves in four tiles of sums; x and w are two tiles each. */
#define LIMITS_LOOP(product)                                                                       \
    do {                                                                                           \
        lpu_amx_configure(16);                                                                     \
        lpu_amx_load_sums(NULL, true, 4);                                                          \
        for (size_t r = 0; r < rounds; r++) {                                                      \
            _tile_loadd(4, x, 64);                                                                 \
            _tile_loadd(6, w, 64);                                                                 \
            product(0, 4, 6);                                                                      \
            _tile_loadd(7, w + LPU_AMX_TILE, 64);                                                  \
            product(1, 4, 7);                                                                      \
            _tile_loadd(5, x + LPU_AMX_TILE, 64);                                                  \
            product(2, 5, 6);                                                                      \
            product(3, 5, 7);                                                                      \
        }                                                                                          \
        lpu_amx_store_sums(sums, 4);                                                               \
        _tile_release();                                                                           \
    } while (0)

uint64_t lpu_peak_i8_amx(size_t rounds)
{
    _Alignas(64) uint8_t x[2 * LPU_AMX_TILE], w[2 * LPU_AMX_TILE], sums[4 * LPU_AMX_TILE];
    uint64_t all = 0;

    memset(x, 1, sizeof(x));
    memset(w, 1, sizeof(w));
    LIMITS_LOOP(_tile_dpbsud);
    for (size_t i = 0; i < sizeof(sums); i += 64) {
        all += (uint32_t)_mm512_reduce_add_epi32(_mm512_load_si512(sums + i));
    }
    return all;
}

uint64_t lpu_peak_bf16_amx(size_t rounds)
{
    _Alignas(64) uint8_t x[2 * LPU_AMX_TILE], w[2 * LPU_AMX_TILE], sums[4 * LPU_AMX_TILE];
    uint64_t all = 0;

    for (size_t i = 0; i < sizeof(x); i += 64) {
        _mm512_store_si512(x + i, _mm512_set1_epi16(0x3f80));
        _mm512_store_si512(w + i, _mm512_set1_epi16(0x3f80));
    }
    LIMITS_LOOP(_tile_dpbf16ps);
    for (size_t i = 0; i < sizeof(sums); i += 64) {
        all += (uint64_t)_mm512_reduce_add_ps(_mm512_load_ps(sums + i));
    }
    return all;
}
