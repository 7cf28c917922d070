/* kernels/lookup_avx512vnni.c - one loop that multiplies for some rows and looks up for others.
 *
 * Rows and k are cut into pieces that fit the room. Of a piece, the first sets of rows are turned
 * into codes, one byte for four digits; the others stay lines of digits. Then, for 32 tokens after
 * 32 tokens:
 *
 *     multiplying: tiles of 64 rows x 4 tokens, all k of the piece, one after the other
 *     looking up:  16 k after 16 k: four tables are made, then every row passes over them
 *
 * A tick is one step of the tile in hand (four k) beside two rows of looking up. When a tile ends,
 * the next begins, wherever looking up is; what is left of either is done alone.
 */
#include "kernels/lookup.h"

#include "kernels/team.h"
#include "kernels/vnni.h"

#include <stdbool.h>

enum {
    TOKENS = LPU_LOOKUP_TOKENS,
    QUAD = 4,    /* tokens of a tile */
    LINES = 640, /* of a piece: four k each */
    CHUNK = 4,   /* lines that are looked up in one go */
    CHUNKS = LINES / CHUNK,
    SETS = 110, /* of a piece */
    SETS_LOOKED_UP = SETS / 2,
    SET_ROWS = 64,
    SETS_MIN = 6, /* of a piece, or it is multiplied alone */
    ENTRIES = 81,
    TABLE_BYTES = ENTRIES * 2 * TOKENS,
    /* A sum of absolute activations that int16 holds. */
    LOAD_MAX = INT16_MAX,
};

/* What lies in the room. */
typedef struct room {
    int16_t sums[SETS_LOOKED_UP * SET_ROWS][TOKENS];
    uint8_t tables[CHUNK][TABLE_BYTES];
    int32_t tile[16][16];                               /* (plane + 4 token, lane) */
    uint32_t codes[CHUNKS * SETS_LOOKED_UP * SET_ROWS]; /* (chunks, rows looked up) */
    uint8_t digits[SETS][LINES * 64];
} room;

_Static_assert(sizeof(room) <= LPU_TEAM_ROOM_BYTES, "the room of a product");

/* Where the 16 rows of a plane are in y, and how many of them there are. */
typedef struct plane {
    uint32_t first, rows;
} plane;

/* A piece of a product in hand. */
typedef struct piece {
    room *r;
    const lpu_lookup_format *format;
    int32_t *y; /* (tokens, rows) */
    size_t y_stride, rows, x_stride;
    const int8_t *x; /* (tokens, k) */
    size_t k, lines, chunks;
    bool is_first; /* y is written, not added to */
    size_t sets, sets_looked_up;
    const uint8_t *lines_of[SETS];
    plane planes[SETS][LPU_LOOKUP_PLANES];
} piece;

/* --- codes --- */

/* Codes of a set: d0 + 3 d1 + 9 d2 + 27 d3 of each line and row, four lines to a word. */
static void encode(const piece *p, size_t set, const uint8_t *lines)
{
    const size_t rows = p->sets_looked_up * SET_ROWS;
    const __m512i three = _mm512_set1_epi8(3), units = _mm512_set1_epi32(0x1b090301);

    for (size_t c = 0; c < p->chunks; c++, lines += CHUNK * 64) {
        uint32_t *to = p->r->codes + c * rows + set * SET_ROWS;
        const size_t n = lpu_vnni_min(p->lines - c * CHUNK, CHUNK);
        __m512i words[LPU_LOOKUP_PLANES];

        LPU_UNROLL
        for (size_t i = 0; i < LPU_LOOKUP_PLANES; i++) words[i] = _mm512_setzero_si512();
        for (size_t g = n; g-- > 0;) {
            __m512i u = _mm512_loadu_si512(lines + 64 * g);
            LPU_UNROLL
            for (size_t i = 0; i < LPU_LOOKUP_PLANES; i++) {
                words[i] = _mm512_slli_epi32(words[i], 8);
                words[i] = _mm512_dpbusd_epi32(words[i], _mm512_and_si512(u, three), units);
                u = _mm512_srli_epi16(u, 2);
            }
        }
        LPU_UNROLL
        for (size_t i = 0; i < LPU_LOOKUP_PLANES; i++) _mm512_storeu_si512(to + 16 * i, words[i]);
    }
}

/* Digits of all sets, and codes of those that are looked up. */
static void prepare(piece *p, const uint8_t *w, size_t block_bytes)
{
    const lpu_lookup_format *f = p->format;
    const size_t blocks = (p->rows + f->block_rows - 1) / f->block_rows;

    for (size_t g = 0; g * f->sets < p->sets; g++) {
        const size_t first = g * f->sets, left = blocks - g * f->blocks;
        const uint8_t *from = w + g * f->blocks * block_bytes;

        if (f->expand) {
            uint8_t *to[LPU_LOOKUP_SETS];
            for (size_t s = 0; s < f->sets; s++) to[s] = p->r->digits[first + s];
            f->expand(to, from, block_bytes, lpu_vnni_min(left, f->blocks), p->lines);
        }
        for (size_t s = first; s < first + f->sets; s++) {
            for (size_t i = 0; i < LPU_LOOKUP_PLANES; i++) {
                const size_t row = g * f->blocks * f->block_rows + f->row(s - first, i);
                const size_t rows = row < p->rows ? lpu_vnni_min(p->rows - row, 16) : 0;
                p->planes[s][i] = (plane){(uint32_t)row, (uint32_t)rows};
            }
            p->lines_of[s] = f->expand ? p->r->digits[s] : from;
            if (s < p->sets_looked_up) encode(p, s, p->lines_of[s]);
        }
    }
}

/* --- one tick --- */

/* The tile in hand, between ticks. */
typedef struct tile {
    const uint8_t *w;
    const int8_t *x;
    size_t left; /* ticks */
} tile;

/* Where looking up is. */
typedef struct walk {
    int16_t *sums;
    const uint32_t *codes;
    const uint8_t *tables;
} walk;

/* Offsets of the lines that four codes name. */
LPU_INLINE uint64_t offsets(const uint32_t *code)
{
    return _pdep_u64(*code, 0x3fc03fc03fc03fc0);
}

/* Two tokens of four planes, which take turns with one row that is looked up: the order counts. */
LPU_INLINE void run_half(__m512i *sums, const __m512i *planes, const int8_t *x, size_t x_stride,
                         const walk *s, const size_t row, const bool looks_up)
{
    uint64_t code = looks_up ? offsets(s->codes + row) : 0;
    __m512i sum = looks_up ? _mm512_load_si512(s->sums + row * TOKENS) : planes[0], four = sum;

    LPU_UNROLL
    for (size_t i = 0; i < 8; i += 2) {
        if (i % 4 == 0) {
            four = lpu_vnni_broadcast(x + i / 4 * x_stride, 4);
            LPU_KEEP(four);
        }
        LPU_UNROLL
        for (size_t j = i; j < i + 2; j++) {
            sums[j] = _mm512_dpbusd_epi32(sums[j], planes[j % 4], four);
            LPU_KEEP(sums[j]);
        }
        if (looks_up) {
            const uint8_t *table = s->tables + i / 2 * TABLE_BYTES;
            sum = _mm512_add_epi16(sum, _mm512_load_si512(table + (uint16_t)code));
            LPU_KEEP(sum);
            code >>= 16;
        }
    }
    if (looks_up) _mm512_store_si512(s->sums + row * TOKENS, sum);
}

/* n ticks of a tile (at most as many as it has left), with looking up or without. */
LPU_INLINE void run(room *r, tile *t, size_t n, size_t x_stride, walk *walk_, const bool looks_up)
{
    walk s = *walk_;
    const uint8_t *w = t->w;
    const int8_t *x = t->x;
    __m512i sums[16];

    LPU_UNROLL
    for (size_t i = 0; i < 16; i++) sums[i] = _mm512_load_si512(r->tile[i]);
    for (size_t i = 0; i < n; i++, w += 64, x += 4) {
        const __m512i u = _mm512_loadu_si512(w);
        const __m512i planes[4] = {u, _mm512_and_si512(u, _mm512_set1_epi8(63)),
                                   _mm512_and_si512(u, _mm512_set1_epi8(15)),
                                   _mm512_and_si512(u, _mm512_set1_epi8(3))};
        run_half(sums, planes, x, x_stride, &s, 0, looks_up);
        run_half(sums + 8, planes, x + 2 * x_stride, x_stride, &s, 1, looks_up);
        s.sums += 2 * TOKENS;
        s.codes += 2;
    }
    LPU_UNROLL
    for (size_t i = 0; i < 16; i++) _mm512_store_si512(r->tile[i], sums[i]);
    *t = (tile){w, x, t->left - n};
    *walk_ = s;
}

/* Two rows of looking up alone. */
LPU_INLINE void look_up(walk *s)
{
    for (size_t row = 0; row < 2; row++) {
        uint64_t code = offsets(s->codes++);
        __m512i sum = _mm512_load_si512(s->sums);
        for (size_t g = 0; g < CHUNK; g++, code >>= 16) {
            const uint8_t *at = s->tables + g * TABLE_BYTES + (uint16_t)code;
            sum = _mm512_add_epi16(sum, _mm512_load_si512(at));
        }
        _mm512_store_si512(s->sums, sum);
        s->sums += TOKENS;
    }
}

/* --- multiplying --- */

/* The tiles of a piece and 32 tokens, in order. */
typedef struct tiles {
    const piece *p;
    const int8_t *x; /* of the first token */
    int32_t *y;
    int32_t x_sums[TOKENS];
    size_t set, quad; /* of the tile in hand */
    tile t;
} tiles;

static bool has_tile(const tiles *m)
{
    return m->set < m->p->sets;
}

static void begin_tile(tiles *m)
{
    if (!has_tile(m)) return;
    for (size_t i = 0; i < 16; i++) {
        _mm512_store_si512(m->p->r->tile[i], _mm512_setzero_si512());
    }
    m->t = (tile){m->p->lines_of[m->set], m->x + m->quad * QUAD * m->p->x_stride, m->p->k / 4};
}

/* Rows of one token out of its sums; sums[i] has the digits of planes 0..3 - i. */
LPU_INLINE void end_token(const piece *p, const plane *planes, int32_t *y, const __m512i *sums,
                          int32_t x_sum)
{
    const __m512i all = _mm512_set1_epi32(x_sum);
    const __m512i rows[LPU_LOOKUP_PLANES] = {
        sums[3], _mm512_srai_epi32(_mm512_sub_epi32(sums[2], sums[3]), 2),
        _mm512_srai_epi32(_mm512_sub_epi32(sums[1], sums[2]), 4),
        _mm512_srai_epi32(_mm512_sub_epi32(sums[0], sums[1]), 6)};

    LPU_UNROLL
    for (size_t i = 0; i < LPU_LOOKUP_PLANES; i++) {
        int32_t *to = y + planes[i].first;
        const __mmask16 mask = (__mmask16)((1u << planes[i].rows) - 1);
        __m512i row = _mm512_sub_epi32(rows[i], all);
        if (!p->is_first) row = _mm512_add_epi32(row, _mm512_maskz_loadu_epi32(mask, to));
        _mm512_mask_storeu_epi32(to, mask, row);
    }
}

/* The k that are no whole line, and the rows; then the next tile. */
static void end_tile(tiles *m)
{
    const piece *p = m->p;
    const size_t rest = p->k % 4, token = QUAD * m->quad;
    const __m512i u = rest ? _mm512_loadu_si512(m->t.w) : _mm512_setzero_si512();

    LPU_UNROLL
    for (size_t t = 0; t < QUAD; t++) {
        const __m512i x = lpu_vnni_broadcast(m->t.x + t * p->x_stride, rest);
        __m512i sums[LPU_LOOKUP_PLANES];
        LPU_UNROLL
        for (size_t i = 0; i < LPU_LOOKUP_PLANES; i++) {
            const __m512i low = _mm512_set1_epi8((char)(255 >> 2 * i));
            sums[i] = _mm512_dpbusd_epi32(_mm512_load_si512(p->r->tile[4 * t + i]),
                                          _mm512_and_si512(u, low), x);
        }
        end_token(p, p->planes[m->set], m->y + (token + t) * p->y_stride, sums,
                  m->x_sums[token + t]);
    }
    m->quad = (m->quad + 1) % (TOKENS / QUAD);
    m->set += !m->quad;
    begin_tile(m);
}

/* n ticks: of tiles while there are any. */
static void __attribute__((noinline)) tick(tiles *m, size_t n, walk *s)
{
    while (n && has_tile(m)) {
        const size_t here = lpu_vnni_min(n, m->t.left);
        run(m->p->r, &m->t, here, m->p->x_stride, s, true);
        if (!m->t.left) end_tile(m);
        n -= here;
    }
    for (; n; n--) look_up(s);
}

static void __attribute__((noinline)) multiply_rest(tiles *m)
{
    walk s = {0};
    while (has_tile(m)) {
        run(m->p->r, &m->t, m->t.left, m->p->x_stride, &s, false);
        end_tile(m);
    }
}

/* --- looking up --- */

/* x of one chunk: 16 k of 32 tokens as words, (k, tokens), zero beyond the last k; returns their
 * absolute values, summed by token. */
static __m512i load_chunk(__m512i *words, const piece *p, const int8_t *x, size_t chunk)
{
    const size_t k = chunk * CHUNK * 4, n = lpu_vnni_min(p->k - k, CHUNK * 4);
    const __mmask16 mask = (__mmask16)((1u << n) - 1);
    __m128i fours[CHUNK][TOKENS / 4]; /* four tokens times four k */
    __m512i load = _mm512_setzero_si512();

    for (size_t t = 0; t < TOKENS; t += 4) {
        const int8_t *from = x + t * p->x_stride + k;
        const __m128i a = _mm_maskz_loadu_epi8(mask, from);
        const __m128i b = _mm_maskz_loadu_epi8(mask, from + p->x_stride);
        const __m128i c = _mm_maskz_loadu_epi8(mask, from + 2 * p->x_stride);
        const __m128i d = _mm_maskz_loadu_epi8(mask, from + 3 * p->x_stride);
        const __m128i ab = _mm_unpacklo_epi32(a, b), cd = _mm_unpacklo_epi32(c, d);
        const __m128i AB = _mm_unpackhi_epi32(a, b), CD = _mm_unpackhi_epi32(c, d);
        fours[0][t / 4] = _mm_unpacklo_epi64(ab, cd);
        fours[1][t / 4] = _mm_unpackhi_epi64(ab, cd);
        fours[2][t / 4] = _mm_unpacklo_epi64(AB, CD);
        fours[3][t / 4] = _mm_unpackhi_epi64(AB, CD);
    }
    for (size_t g = 0; g < CHUNK; g++) {
        __m512i lower = _mm512_loadu_si512(fours[g]), upper = _mm512_loadu_si512(fours[g] + 4);
        for (size_t i = 4; i-- > 0;) {
            const __m256i a = _mm512_cvtepi32_epi16(_mm512_srai_epi32(lower, 24));
            const __m256i b = _mm512_cvtepi32_epi16(_mm512_srai_epi32(upper, 24));
            const __m512i word = _mm512_inserti64x4(_mm512_castsi256_si512(a), b, 1);
            words[4 * g + i] = word;
            load = _mm512_add_epi16(load, _mm512_abs_epi16(word));
            lower = _mm512_slli_epi32(lower, 8);
            upper = _mm512_slli_epi32(upper, 8);
        }
    }
    return load;
}

/* The table of four k. */
static void make_table(uint8_t *table, const __m512i *x)
{
    __m512i d3 =
        _mm512_sub_epi16(_mm512_setzero_si512(), _mm512_add_epi16(_mm512_add_epi16(x[0], x[1]),
                                                                  _mm512_add_epi16(x[2], x[3])));

    for (size_t i = 0; i < 3; i++, d3 = _mm512_add_epi16(d3, x[3])) {
        __m512i d2 = d3;
        for (size_t j = 0; j < 3; j++, d2 = _mm512_add_epi16(d2, x[2])) {
            __m512i d1 = d2;
            for (size_t l = 0; l < 3; l++, d1 = _mm512_add_epi16(d1, x[1]), table += 3 * 64) {
                const __m512i one = _mm512_add_epi16(d1, x[0]);
                _mm512_store_si512(table, d1);
                _mm512_store_si512(table + 64, one);
                _mm512_store_si512(table + 128, _mm512_add_epi16(one, x[0]));
            }
        }
    }
}

/* 16 rows of one token. */
LPU_INLINE void put_rows(int32_t *y, __mmask16 mask, __m256i sums, bool is_first)
{
    __m512i rows = _mm512_cvtepi16_epi32(sums);
    if (!is_first) rows = _mm512_add_epi32(rows, _mm512_maskz_loadu_epi32(mask, y));
    _mm512_mask_storeu_epi32(y, mask, rows);
}

/* Turns 8 rows of words over: in its part of 128 bits j, to[i] has token 8 j + i of them. */
LPU_INLINE void turn(__m512i *to, int16_t (*sums)[TOKENS])
{
    __m512i a[8], b[8];

    LPU_UNROLL
    for (size_t i = 0; i < 8; i++) {
        a[i] = _mm512_load_si512(sums[i]);
        _mm512_store_si512(sums[i], _mm512_setzero_si512());
    }
    LPU_UNROLL
    for (size_t i = 0; i < 8; i += 2) {
        b[i] = _mm512_unpacklo_epi16(a[i], a[i + 1]);
        b[i + 1] = _mm512_unpackhi_epi16(a[i], a[i + 1]);
    }
    LPU_UNROLL
    for (size_t i = 0; i < 8; i += 4) {
        a[i] = _mm512_unpacklo_epi32(b[i], b[i + 2]);
        a[i + 1] = _mm512_unpackhi_epi32(b[i], b[i + 2]);
        a[i + 2] = _mm512_unpacklo_epi32(b[i + 1], b[i + 3]);
        a[i + 3] = _mm512_unpackhi_epi32(b[i + 1], b[i + 3]);
    }
    LPU_UNROLL
    for (size_t i = 0; i < 4; i++) {
        to[2 * i] = _mm512_unpacklo_epi64(a[i], a[i + 4]);
        to[2 * i + 1] = _mm512_unpackhi_epi64(a[i], a[i + 4]);
    }
}

/* 16 rows x 32 tokens of sums into y, which they are added to or not. Sums are zero then. */
static void flush_plane(const piece *p, int32_t *y, int16_t (*sums)[TOKENS], size_t rows,
                        bool is_first)
{
    const __mmask16 mask = (__mmask16)((1u << rows) - 1);
    const __m512i lower = _mm512_setr_epi64(0, 1, 8, 9, 2, 3, 10, 11);
    const __m512i upper = _mm512_setr_epi64(4, 5, 12, 13, 6, 7, 14, 15);
    const size_t apart = 8 * p->y_stride;
    __m512i a[8], b[8];

    turn(a, sums);
    turn(b, sums + 8);
    LPU_UNROLL
    for (size_t i = 0; i < 8; i++) {
        const __m512i some = _mm512_permutex2var_epi64(a[i], lower, b[i]);
        const __m512i more = _mm512_permutex2var_epi64(a[i], upper, b[i]);
        int32_t *to = y + i * p->y_stride;
        put_rows(to, mask, _mm512_castsi512_si256(some), is_first);
        put_rows(to + apart, mask, _mm512_extracti64x4_epi64(some, 1), is_first);
        put_rows(to + 2 * apart, mask, _mm512_castsi512_si256(more), is_first);
        put_rows(to + 3 * apart, mask, _mm512_extracti64x4_epi64(more, 1), is_first);
    }
}

/* Rows of y are far apart: they are asked for one plane ahead (the last, where multiplying begins).
 */
static void flush(const piece *p, int32_t *y, bool is_first)
{
    const plane *planes = p->planes[0];

    for (size_t i = 0; i < p->sets_looked_up * LPU_LOOKUP_PLANES; i++) {
        for (size_t t = 0; t < TOKENS; t++) {
            _mm_prefetch((const char *)(y + t * p->y_stride + planes[i + 1].first), _MM_HINT_T1);
        }
        flush_plane(p, y + planes[i].first, p->r->sums + 16 * i, planes[i].rows, is_first);
    }
}

/* 32 tokens. Sums of words are zero before and after. */
static void multiply(const piece *p, int32_t *y, const int8_t *x)
{
    const size_t rows = p->sets_looked_up * SET_ROWS;
    const __m512i most = _mm512_set1_epi16(LOAD_MAX);
    __m512i load = _mm512_setzero_si512();
    bool is_first = p->is_first;
    tiles m = {.p = p, .x = x, .y = y, .set = p->sets_looked_up};

    for (size_t t = 0; t < TOKENS; t++) m.x_sums[t] = lpu_vnni_sum(x + t * p->x_stride, p->k);
    begin_tile(&m);
    for (size_t c = 0; c < p->chunks; c++) {
        walk s = {p->r->sums[0], p->r->codes + c * rows, p->r->tables[0]};
        __m512i words[4 * CHUNK];
        const __m512i more = load_chunk(words, p, x, c);

        load = _mm512_add_epi16(load, more);
        if (_mm512_cmpgt_epu16_mask(load, most)) {
            flush(p, y, is_first);
            is_first = false;
            load = more;
        }
        for (size_t g = 0; g < CHUNK; g++) make_table(p->r->tables[g], words + 4 * g);
        tick(&m, rows / 2, &s);
    }
    flush(p, y, is_first);
    multiply_rest(&m);
}

/* Parts of count items, about equal, at most so many; a multiple of unit. */
static size_t cut(size_t count, size_t most, size_t unit)
{
    const size_t parts = (count + most - 1) / most, each = (count + parts - 1) / parts;
    return (each + unit - 1) / unit * unit;
}

size_t lpu_lookup_multiply(int32_t *y, size_t y_stride, const uint8_t *w, const int8_t *x,
                           size_t x_stride, size_t rows, size_t k, size_t tokens, void *room_,
                           const lpu_lookup_format *f)
{
    const size_t group_rows = f->blocks * f->block_rows, lines = (k + 3) / 4;
    const size_t groups = (rows + group_rows - 1) / group_rows, block_bytes = 64 * lines;
    const size_t done = tokens / TOKENS * TOKENS;

    if (!done || !k || groups * f->sets < SETS_MIN) return 0;
    memset(((room *)room_)->sums, 0, sizeof(((room *)room_)->sums)); /* as flush leaves them */
    const size_t groups_each = cut(groups, SETS / f->sets, 1),
                 lines_each = cut(lines, LINES, CHUNK);
    for (size_t g = 0; g < groups; g += groups_each) {
        const size_t row = g * group_rows;
        for (size_t line = 0; line < lines; line += lines_each) {
            piece p = {.r = room_,
                       .format = f,
                       .y = y + row,
                       .y_stride = y_stride,
                       .rows = lpu_vnni_min(rows - row, groups_each * group_rows),
                       .x = x + 4 * line,
                       .x_stride = x_stride,
                       .k = lpu_vnni_min(k - 4 * line, 4 * lines_each),
                       .lines = lpu_vnni_min(lines - line, lines_each),
                       .is_first = !line};
            p.chunks = (p.lines + CHUNK - 1) / CHUNK;
            p.sets = (p.rows + group_rows - 1) / group_rows * f->sets;
            p.sets_looked_up = p.sets / 2;
            prepare(&p, w + g * f->blocks * block_bytes + 64 * line, block_bytes);
            for (size_t t = 0; t < done; t += TOKENS) {
                multiply(&p, p.y + t * y_stride, p.x + t * x_stride);
            }
        }
    }
    return done;
}
