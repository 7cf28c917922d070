/* kernels/amx.h - products with tiles (Intel AMX), templates. Only files *_amx.c include it.
 *
 * The streams of layout.h are what a tile product wants: 16 lines of 64 bytes, each four k of 16
 * lanes, are its second operand as they stand, and 64 activations of 16 tokens are its first.
 *
 *     x: tokens x 64 k    times    a plane: 64 k x 16 rows    =    sums: tokens x 16 rows
 *
 * A strip is four or five planes that meet the same activations:
 *
 *     tmm0..4    sums                       (tokens x 16 rows of 32 bits)
 *     tmm5       activations                (tokens x 64 bytes of k)
 *     tmm6, 7    weights, by turns          (64 bytes of k x 16 rows)
 *
 * Planes are not taken apart by shifts: tiles hold a code with fewer and fewer of its upper digits,
 * and the rows come apart at the end, as in t2_i8_avx512vnni.c; the code itself is loaded from the
 * stream. A step is 64 bytes of k. Its decoded tiles go to a slot, four steps before they are
 * multiplied: more stores than a store buffer holds (112 on Golden Cove) lie between, so that tile
 * loads find them in the cache; stores that are still on their way would hold them up.
 *
 *     few tokens (one tile):   all of k at once; slots go round, sums stay in tiles.
 *     many tokens:             chunks of 8 steps. The first tile of tokens decodes a chunk, the
 *                              others find it in L1; sums wait in L2 between chunks.
 *
 * What follows is an estimate, in cycles of a core: nothing here has been timed on a CPU with AMX.
 * A tile product of m tokens takes m cycles, 16 at most, with a latency of 52; a tile load 8 from
 * L1, a tile store 16 (Intel 64 and IA-32 Architectures Optimization Reference Manual, chapter on
 * AMX, table of throughput and latency). A core stores one line of 64 bytes a cycle and loads two.
 *
 *                      tiles of   for a chunk: 8 steps, 16 tokens           decoded for 256 tokens:
 *                      a strip    multiply      load x and w  decode        share of multiplying
 *     t2    64 rows       4       8*4*16 = 512  8*5*8 = 320   8*16*3 = 384    384/8192 = 5%
 *     b3    80 rows       5       8*5*16 = 640  8*6*8 = 384   8*16*5 = 640   640/10240 = 6%
 *     b1   128 rows     2 * 4     2*512 = 1024  2*320 = 640   8*16*8 =1024  1024/16384 = 6%
 *     i4    64 rows       4       512           320           8*32*1 = 256    256/8192 = 3%
 *     i8    64 rows       4       512           320           none
 *     bf16  64 rows       4       512           320           none
 *
 * To decode is to store for t2, b1 and i4; for b3 it is ten instructions on two ports. Multiplying
 * takes longest, so the multiplier is the limit; sums come and go once a chunk: 4*(8 + 16) = 96
 * cycles beside those 512, on other ports. Four sums hide the latency: 4*16 > 52. One tile of x and
 * four of w need 5 loads where 2 x 2 tiles need 4, but of x, which comes from L2, there is one in
 * four products and not two: 1 KB in 64 cycles. L1 (48 KB) holds slots (24 or 32 KB), the codes (8)
 * and a chunk of x (8). Where k is a multiple of 4096, the same lines of 16 tokens fall into one set
 * of L1, which has 12: there some of x is asked for in vain and comes from L2.
 *
 * With 8 tokens a step of t2 is 4*8 = 32 cycles of products, 48 of stores, and of loads, with the
 * 32 lines that are asked for, (4*16 + 8 + 16 + 32)/2 = 60: 1 KB of weights in 60 cycles, 17 bytes
 * a cycle, about twice what a core gets from memory.
 * So memory must be kept busy. One stream of lines asked for ahead left a third of its bandwidth
 * unused in trials; four streams that advance together, as in a GEMV, use nearly all. So while the
 * blocks of a group of four are multiplied, one or some at a time, the four of the next group are
 * asked into L2 together.
 */
#ifndef LPU_KERNELS_AMX_H
#define LPU_KERNELS_AMX_H

#include "kernels/unroll.h"
#include "kernels/vnni.h"

#include <immintrin.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum {
    LPU_AMX_TILE = 1024,       /* bytes of 16 lines */
    LPU_AMX_BLOCKS = 4,        /* of a strip, at most; of a group that is asked for together */
    LPU_AMX_DECODED = 4,       /* tiles of a strip, at most */
    LPU_AMX_PLANES = 8,        /* of a block, at most */
    LPU_AMX_SLOTS = 8,         /* steps of a chunk */
    LPU_AMX_AHEAD = 4,         /* steps from decoding to multiplying */
    LPU_AMX_NEAR = 2048,       /* bytes ahead that a stream is asked for into L1 */
    LPU_AMX_TOKENS = 256,      /* of a panel */
    LPU_AMX_X_BYTES = 1 << 20, /* of a panel's activations: half of L2 */
};

/* Activations are the first operand. */
typedef enum lpu_amx_operands {
    LPU_AMX_I8_U8,
    LPU_AMX_I8_I8,
    LPU_AMX_BF16,
} lpu_amx_operands;

/* Writes the decoded tiles of a strip from 16 lines of each of its blocks. */
typedef void lpu_amx_decode(uint8_t *tiles, const uint8_t *const *lines, size_t strip,
                            const void *tables);

/* Writes one token's rows from its sums: 16 of plane p at sums + p LPU_AMX_TILE; x_sum is that of
 * its activations. */
typedef void lpu_amx_finish(uint8_t *y, size_t rows, const uint8_t *sums, int32_t x_sum);

typedef struct lpu_amx_format {
    lpu_amx_operands operands;
    size_t blocks, block_rows; /* of a strip */
    size_t strips;             /* of a block */
    size_t decoded, plain;     /* tiles of a strip: from decode; its blocks' lines as they stand */
    bool has_bias;             /* finish needs the sum of activations */
    lpu_amx_decode *decode;
    lpu_amx_finish *finish;
} lpu_amx_format;

/* y (tokens, rows) = x (tokens, k) times w; strides and k in bytes, elements of y have four. */
typedef struct lpu_amx_job {
    uint8_t *y;
    const uint8_t *w, *x;
    size_t y_stride, block_bytes, x_stride;
    size_t rows, k_bytes, tokens;
    const void *tables; /* for decode */
} lpu_amx_job;

/* What a thread needs, on its stack. */
typedef struct lpu_amx_room {
    uint8_t slots[LPU_AMX_SLOTS][LPU_AMX_DECODED * LPU_AMX_TILE];
    uint8_t sums[LPU_AMX_TOKENS / 16][LPU_AMX_PLANES * LPU_AMX_TILE];
    uint8_t w_rest[LPU_AMX_BLOCKS][LPU_AMX_TILE]; /* the last step, if it is not a whole one */
    uint8_t x_rest[LPU_AMX_TOKENS][64];
    int32_t x_sums[LPU_AMX_TOKENS];
} lpu_amx_room;

/* Tokens that are taken together, in tiles of as many each; the last tile may begin in the one
 * before it: its tokens are done twice. */
typedef struct lpu_amx_panel {
    size_t tokens, tiles, tile_tokens;
    size_t steps, whole; /* of all of k; those without rest */
} lpu_amx_panel;

/* Blocks that are multiplied together, and where those of the next group begin. */
typedef struct lpu_amx_blocks {
    const uint8_t *w[LPU_AMX_BLOCKS];
    const uint8_t *next; /* NULL: there is none */
    size_t turn;         /* of this strip of blocks in its group */
    size_t first, rows;  /* row, and rows left from it on */
} lpu_amx_blocks;

/* gcc 12 does not know that a tile load reads memory: what is to be read must be written. */
LPU_INLINE void lpu_amx_settle(void)
{
    __asm__ volatile("" : : : "memory");
}

/* Tiles of m tokens; palette 1 has 8 tiles of 16 rows of 64 bytes. */
LPU_INLINE void lpu_amx_configure(size_t m)
{
    struct {
        uint8_t palette, start_row, reserved[14];
        uint16_t row_bytes[16];
        uint8_t rows[16];
    } c;

    memset(&c, 0, sizeof(c));
    c.palette = 1;
    for (size_t i = 0; i < 8; i++) {
        c.row_bytes[i] = 64;
        c.rows[i] = (uint8_t)(i < 6 ? m : 16);
    }
    __asm__ volatile("" : : "r"(&c) : "memory"); /* gcc 12: the instruction reads 8 bytes of it */
    _tile_loadconfig(&c);
}

/* Sums are zero, or those of the steps before. */
LPU_INLINE void lpu_amx_load_sums(const uint8_t *c, bool is_first, const size_t tiles)
{
    if (is_first) {
        _tile_zero(0);
        _tile_zero(1);
        _tile_zero(2);
        _tile_zero(3);
        if (tiles > 4) _tile_zero(4);
        return;
    }
    _tile_loadd(0, c, 64);
    _tile_loadd(1, c + LPU_AMX_TILE, 64);
    _tile_loadd(2, c + 2 * LPU_AMX_TILE, 64);
    _tile_loadd(3, c + 3 * LPU_AMX_TILE, 64);
    if (tiles > 4) _tile_loadd(4, c + 4 * LPU_AMX_TILE, 64);
}

LPU_INLINE void lpu_amx_store_sums(uint8_t *c, const size_t tiles)
{
    _tile_stored(0, c, 64);
    _tile_stored(1, c + LPU_AMX_TILE, 64);
    _tile_stored(2, c + 2 * LPU_AMX_TILE, 64);
    _tile_stored(3, c + 3 * LPU_AMX_TILE, 64);
    if (tiles > 4) _tile_stored(4, c + 4 * LPU_AMX_TILE, 64);
}

/* Names of tiles are part of an instruction: they must be written out. */
#define LPU_AMX_PRODUCT(sums, weights)                                                             \
    do {                                                                                           \
        if (operands == LPU_AMX_I8_U8) _tile_dpbsud(sums, 5, weights);                             \
        else if (operands == LPU_AMX_I8_I8) _tile_dpbssd(sums, 5, weights);                        \
        else _tile_dpbf16ps(sums, 5, weights);                                                     \
    } while (0)

/* Four or five tiles of weights times the activations in tmm5. */
LPU_INLINE void lpu_amx_multiply(const uint8_t *const *w, const size_t tiles,
                                 const lpu_amx_operands operands)
{
    _tile_loadd(6, w[0], 64);
    LPU_AMX_PRODUCT(0, 6);
    _tile_loadd(7, w[1], 64);
    LPU_AMX_PRODUCT(1, 7);
    _tile_loadd(6, w[2], 64);
    LPU_AMX_PRODUCT(2, 6);
    _tile_loadd(7, w[3], 64);
    LPU_AMX_PRODUCT(3, 7);
    if (tiles > 4) {
        _tile_loadd(6, w[4], 64);
        LPU_AMX_PRODUCT(4, 6);
    }
}

/* The lines of each block at step s. */
LPU_INLINE void lpu_amx_lines(const uint8_t **lines, const lpu_amx_room *room,
                              const lpu_amx_panel *p, const lpu_amx_blocks *b, size_t s,
                              const size_t blocks)
{
    LPU_UNROLL
    for (size_t i = 0; i < blocks; i++) {
        lines[i] = s < p->whole ? b->w[i] + s * LPU_AMX_TILE : room->w_rest[i];
    }
}

/* Decodes step s into its slot; few tokens: asks for lines, near ones into L1, the next group's
 * into L2. What is beyond the end is asked for in vain. */
LPU_INLINE void lpu_amx_decode_step(lpu_amx_room *room, const lpu_amx_job *j,
                                    const lpu_amx_panel *p, const lpu_amx_blocks *b, size_t s,
                                    size_t strip, const lpu_amx_format f)
{
    const uint8_t *lines[LPU_AMX_BLOCKS];

    lpu_amx_lines(lines, room, p, b, s, f.blocks);
    if (p->tiles == 1 && strip == 0) {
        const size_t each = 4 * f.blocks; /* lines of each block of the next group */
        LPU_UNROLL
        for (size_t i = 0; i < 16 * f.blocks; i++) {
            const size_t at = (b->turn * p->steps + s) * each + i % each;
            lpu_vnni_prefetch(lines[i / 16] + i % 16 * 64, LPU_AMX_NEAR);
            if (b->next) {
                _mm_prefetch((const char *)b->next + i / each * j->block_bytes + 64 * at,
                             _MM_HINT_T1);
            }
        }
    }
    if (f.decode) f.decode(room->slots[s % LPU_AMX_SLOTS], lines, strip, j->tables);
    lpu_amx_settle();
}

/* Asks for what comes after step s of tile t: the same of the next tokens into L1, and, once, the
 * lines of the next chunk into L2. */
LPU_INLINE void lpu_amx_ask(const uint8_t *const *lines, const uint8_t *x, size_t x_stride,
                            size_t t, const lpu_amx_panel *p, const lpu_amx_format f)
{
    if (t + 1 < p->tiles) {
        const uint8_t *next = x + p->tile_tokens * x_stride;
        for (size_t i = 0; i < p->tile_tokens; i++) lpu_vnni_prefetch(next + i * x_stride, 0);
    }
    if (t == 1) {
        for (size_t i = 0; i < 16 * f.blocks; i++) {
            _mm_prefetch((const char *)lines[i / 16] + i % 16 * 64 + LPU_AMX_SLOTS * LPU_AMX_TILE,
                         _MM_HINT_T1);
        }
    }
}

/* The first token of tile t. */
LPU_INLINE size_t lpu_amx_first(const lpu_amx_panel *p, size_t t)
{
    return lpu_vnni_min(t * p->tile_tokens, p->tokens - p->tile_tokens);
}

/* Steps [from, to) of a strip times tile t of the tokens; the first one decodes them. */
LPU_INLINE void lpu_amx_pass(lpu_amx_room *room, const lpu_amx_job *j, const lpu_amx_panel *p,
                             const lpu_amx_blocks *b, size_t from, size_t to, size_t t,
                             size_t strip, const lpu_amx_format f)
{
    const size_t tiles = f.decoded + f.plain, first = lpu_amx_first(p, t);
    uint8_t *c = room->sums[t] + strip * tiles * LPU_AMX_TILE;

    for (size_t s = from; t == 0 && s < lpu_vnni_min(from + LPU_AMX_AHEAD, to); s++) {
        lpu_amx_decode_step(room, j, p, b, s, strip, f);
    }
    lpu_amx_load_sums(c, from == 0, tiles);
    for (size_t s = from; s < to; s++) {
        const bool is_whole = s < p->whole;
        const uint8_t *x = is_whole ? j->x + first * j->x_stride + 64 * s : room->x_rest[first];
        const uint8_t *lines[LPU_AMX_BLOCKS], *w[LPU_AMX_DECODED + 1];

        if (t == 0 && s + LPU_AMX_AHEAD < to) {
            lpu_amx_decode_step(room, j, p, b, s + LPU_AMX_AHEAD, strip, f);
        }
        lpu_amx_lines(lines, room, p, b, s, f.blocks);
        LPU_UNROLL
        for (size_t i = 0; i < tiles; i++) {
            w[i] = i < f.decoded ? room->slots[s % LPU_AMX_SLOTS] + i * LPU_AMX_TILE
                                 : lines[i - f.decoded];
        }
        _tile_loadd(5, x, is_whole ? j->x_stride : 64);
        lpu_amx_multiply(w, tiles, f.operands);
        if (t) lpu_amx_ask(lines, x, is_whole ? j->x_stride : 64, t, p, f);
    }
    lpu_amx_store_sums(c, tiles);
}

/* Writes tile t of the tokens. */
LPU_INLINE void lpu_amx_write(const lpu_amx_room *room, const lpu_amx_job *j,
                              const lpu_amx_panel *p, const lpu_amx_blocks *b, size_t t,
                              const lpu_amx_format f)
{
    const size_t first = lpu_amx_first(p, t);
    const size_t rows = lpu_vnni_min(b->rows, f.blocks * f.block_rows);

    for (size_t i = 0; i < p->tile_tokens; i++) {
        f.finish(j->y + (first + i) * j->y_stride + 4 * b->first, rows, room->sums[t] + 64 * i,
                 f.has_bias ? room->x_sums[first + i] : 0);
    }
}

/* Some blocks times all tokens of a panel. */
LPU_INLINE void lpu_amx_strips(lpu_amx_room *room, const lpu_amx_job *j, const lpu_amx_panel *p,
                               const lpu_amx_blocks *b, const lpu_amx_format f)
{
    const size_t chunk = p->tiles == 1 ? p->steps : LPU_AMX_SLOTS;

    for (size_t i = 0; p->whole < p->steps && i < f.blocks; i++) {
        const size_t rest = (j->k_bytes + 3) / 4 * 64 - p->whole * LPU_AMX_TILE;
        memcpy(room->w_rest[i], b->w[i] + p->whole * LPU_AMX_TILE, rest);
        memset(room->w_rest[i] + rest, 0, LPU_AMX_TILE - rest); /* zeros of BF16 too */
    }
    for (size_t strip = 0; strip < f.strips; strip++) {
        for (size_t from = 0; from < p->steps; from += chunk) {
            const size_t to = lpu_vnni_min(from + chunk, p->steps);
            for (size_t t = 0; t < p->tiles; t++) {
                lpu_amx_pass(room, j, p, b, from, to, t, strip, f);
                if (to == p->steps && strip + 1 == f.strips) lpu_amx_write(room, j, p, b, t, f);
            }
        }
    }
}

/* All rows times some tokens. A strip that lacks blocks at the end has its first one again. */
LPU_INLINE void lpu_amx_rows(lpu_amx_room *room, const lpu_amx_job *j, const lpu_amx_panel *p,
                             const lpu_amx_format f)
{
    const size_t count = (j->rows + f.block_rows - 1) / f.block_rows;

    for (size_t at = 0; at < count; at += f.blocks) {
        const size_t group = at / LPU_AMX_BLOCKS * LPU_AMX_BLOCKS, next = group + LPU_AMX_BLOCKS;
        lpu_amx_blocks b = {.next = next < count ? j->w + next * j->block_bytes : NULL,
                            .turn = (at - group) / f.blocks,
                            .first = at * f.block_rows,
                            .rows = j->rows - at * f.block_rows};
        for (size_t i = 0; i < f.blocks; i++) {
            b.w[i] = j->w + (at + i < count ? at + i : at) * j->block_bytes;
        }
        lpu_amx_strips(room, j, p, &b, f);
    }
}

/* The rest of the activations with zeros behind them, and their sums. */
LPU_INLINE void lpu_amx_prepare(lpu_amx_room *room, const lpu_amx_job *j, const lpu_amx_panel *p,
                                const lpu_amx_format f)
{
    const size_t rest = j->k_bytes - 64 * p->whole;

    for (size_t i = 0; i < p->tokens; i++) {
        const uint8_t *x = j->x + i * j->x_stride;
        memset(room->x_rest[i], 0, 64);
        memcpy(room->x_rest[i], x + 64 * p->whole, rest);
        if (f.has_bias) room->x_sums[i] = lpu_vnni_sum((const int8_t *)x, j->k_bytes);
    }
}

/* The whole product, panel after panel, all of about one size. */
LPU_INLINE void lpu_amx_gemm(lpu_amx_job j, const lpu_amx_format f)
{
    _Alignas(64) lpu_amx_room room;
    const size_t fit = LPU_AMX_X_BYTES / (j.k_bytes + 1) / 16 * 16;
    const size_t most = fit < 16 ? 16 : lpu_vnni_min(fit, LPU_AMX_TOKENS);
    const size_t panels = (j.tokens + most - 1) / most, tokens = j.tokens;

    for (size_t i = 0; i < panels; i++) {
        lpu_amx_panel p = {.tokens = tokens * (i + 1) / panels - tokens * i / panels};
        p.tiles = (p.tokens + 15) / 16;
        p.tile_tokens = (p.tokens + p.tiles - 1) / p.tiles;
        p.whole = j.k_bytes / 64;
        p.steps = j.k_bytes % 64 || !j.k_bytes ? p.whole + 1 : p.whole;
        lpu_amx_configure(p.tile_tokens);
        lpu_amx_prepare(&room, &j, &p, f);
        lpu_amx_rows(&room, &j, &p, f);
        j.x += p.tokens * j.x_stride;
        j.y += p.tokens * j.y_stride;
    }
    if (panels) _tile_release();
}

/* Sums of 16 rows of plane p. */
LPU_INLINE __m512i lpu_amx_sums(const uint8_t *sums, size_t p)
{
    return _mm512_load_si512(sums + p * LPU_AMX_TILE);
}

/* The rows of plane p, of as many as there are. */
LPU_INLINE void lpu_amx_put(uint8_t *y, size_t rows, size_t p, __m512i v)
{
    if (16 * p < rows) {
        const __mmask16 mask = (__mmask16)((1u << lpu_vnni_min(rows - 16 * p, 16)) - 1);
        _mm512_mask_storeu_epi32(y + 64 * p, mask, v);
    }
}

#endif
