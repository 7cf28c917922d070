/* kernels/b3_i8_amx.c - 1.6-bit ternary x int8 with tiles: a code as it stands, and the tiles of
 * its low four digits in two bits each, as in b3_i8_avx512vnni.c. */
#include "kernels/amx.h"
#include "kernels/kernels.h"

enum { B3_INVERSE_81 = 2014922929 }; /* 81 times it is 1 modulo 2^32 */

typedef struct b3_tables {
    __m512i low, high; /* the digits of 0..63 and of 64..80 */
} b3_tables;

static b3_tables b3_make(void)
{
    uint8_t f[128] = {0};
    for (uint32_t v = 0; v < 81; v++) {
        f[v] = (uint8_t)(v % 3 | v / 3 % 3 << 2 | v / 9 % 3 << 4 | v / 27 % 3 << 6);
    }
    return (b3_tables){_mm512_loadu_si512(f), _mm512_loadu_si512(f + 64)};
}

LPU_INLINE void b3_decode(uint8_t *tiles, const uint8_t *const *lines, size_t strip,
                          const void *tables)
{
    const b3_tables t = *(const b3_tables *)tables;

    (void)strip;
    LPU_UNROLL
    for (size_t i = 0; i < 16; i++, tiles += 64) {
        const __m512i u = _mm512_loadu_si512(lines[0] + 64 * i);
        const __m512i once = _mm512_sub_epi8(u, _mm512_set1_epi8(81));
        const __m512i twice = _mm512_sub_epi8(u, _mm512_set1_epi8((char)162));
        const __m512i rest = _mm512_min_epu8(u, _mm512_min_epu8(once, twice)); /* u mod 81 */
        const __m512i d = _mm512_permutex2var_epi8(t.low, rest, t.high);
        _mm512_store_si512(tiles, _mm512_and_si512(d, _mm512_set1_epi8(3)));
        _mm512_store_si512(tiles + LPU_AMX_TILE, _mm512_and_si512(d, _mm512_set1_epi8(15)));
        _mm512_store_si512(tiles + 2 * LPU_AMX_TILE, _mm512_and_si512(d, _mm512_set1_epi8(63)));
        _mm512_store_si512(tiles + 3 * LPU_AMX_TILE, d);
    }
}

LPU_INLINE __m512i b3_times3(__m512i v)
{
    return _mm512_add_epi32(v, _mm512_add_epi32(v, v));
}

LPU_INLINE void b3_finish(uint8_t *y, size_t rows, const uint8_t *sums, int32_t x_sum)
{
    const __m512i taken = _mm512_set1_epi32(x_sum);
    __m512i row[5], below = _mm512_setzero_si512();

    LPU_UNROLL
    for (size_t p = 0; p < 4; p++) {
        const __m512i all = lpu_amx_sums(sums, p);
        row[p] = _mm512_srai_epi32(_mm512_sub_epi32(all, below), (unsigned)(2 * p));
        below = all;
    }
    /* The sum of codes, less those of the low digits, is 81 times the last row's. */
    __m512i v = _mm512_add_epi32(row[2], b3_times3(row[3]));
    v = _mm512_add_epi32(row[1], b3_times3(v));
    v = _mm512_add_epi32(row[0], b3_times3(v));
    row[4] = _mm512_mullo_epi32(_mm512_sub_epi32(lpu_amx_sums(sums, 4), v),
                                _mm512_set1_epi32(B3_INVERSE_81));
    LPU_UNROLL
    for (size_t p = 0; p < 5; p++) lpu_amx_put(y, rows, p, _mm512_sub_epi32(row[p], taken));
}

void lpu_gemm_b3_i8_amx(int32_t *y, size_t y_stride, const uint8_t *w, const int8_t *x,
                        size_t x_stride, size_t rows, size_t k, size_t tokens, void *room)
{
    (void)room;
    const b3_tables tables = b3_make();
    const lpu_amx_format f = {.operands = LPU_AMX_I8_U8,
                              .blocks = 1,
                              .block_rows = 80,
                              .strips = 1,
                              .decoded = 4,
                              .plain = 1,
                              .has_bias = true,
                              .decode = b3_decode,
                              .finish = b3_finish};
    lpu_amx_gemm((lpu_amx_job){.y = (uint8_t *)y,
                               .w = w,
                               .x = (const uint8_t *)x,
                               .y_stride = 4 * y_stride,
                               .block_bytes = lpu_layout_block_bytes(LPU_LAYOUT_B3, k),
                               .x_stride = x_stride,
                               .rows = rows,
                               .k_bytes = k,
                               .tokens = tokens,
                               .tables = &tables},
                 f);
}
