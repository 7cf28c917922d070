/* kernels/lookup_avx2.c - all rows are looked up: an addition of AVX2 does 64 products, where its
 * multiplication does 32 and wants an addition beside. As lookup_avx512vnni.c, but for 16 tokens
 * and with eight tables at once.
 */
#include "kernels/lookup.h"

#include "kernels/team.h"
#include "kernels/unroll.h"

#include <immintrin.h>
#include <stdbool.h>
#include <string.h>

enum {
    TOKENS = LPU_LOOKUP_TOKENS / 2,
    LINES = 640, /* of a piece: four k each */
    CHUNK = 4,   /* lines that four codes of 16 bits name */
    CHUNKS = LINES / CHUNK,
    TABLES = 2 * CHUNK,
    ROWS = 3520, /* of a piece: whole blocks of 64 and of 80 */
    ROWS_MIN = 256,
    ENTRIES = 81,
    TABLE_BYTES = ENTRIES * 2 * TOKENS,
    LOAD_MAX = INT16_MAX, /* a sum of absolute activations that int16 holds */
};

/* What lies in the room. */
typedef struct room {
    int16_t sums[ROWS][TOKENS];
    uint8_t tables[TABLES][TABLE_BYTES];
    uint64_t codes[(CHUNKS + 1) * ROWS]; /* (chunks, rows): four offsets into tables */
} room;

_Static_assert(sizeof(room) <= LPU_TEAM_ROOM_BYTES, "the room of a product");

/* A piece of a product in hand. */
typedef struct piece {
    room *r;
    int32_t *y;                                /* (tokens, rows) */
    size_t y_stride, rows, all_rows, x_stride; /* all_rows: with those that fill the last block */
    const int8_t *x;                           /* (tokens, k) */
    size_t k, lines, chunks;                   /* chunks: an even number */
    bool is_first;                             /* y is written, not added to */
} piece;

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* --- codes --- */

/* 32 (d0 + 3 d1 + 9 d2 + 27 d3) of eight lanes, each of four digits. */
LPU_INLINE __m256i codes_of(const uint8_t *digits)
{
    const __m256i d = _mm256_loadu_si256((const __m256i *)(const void *)digits);
    const __m256i pairs = _mm256_maddubs_epi16(d, _mm256_set1_epi32(0x1b090301));
    return _mm256_slli_epi32(_mm256_madd_epi16(pairs, _mm256_set1_epi16(1)), 5);
}

/* Eight rows of one chunk, whose lines' digits are digits_apart apart. */
LPU_INLINE void encode_rows(uint64_t *to, const uint8_t *digits, size_t digits_apart)
{
    const __m256i c0 = codes_of(digits), c1 = codes_of(digits + digits_apart);
    const __m256i c2 = codes_of(digits + 2 * digits_apart);
    const __m256i c3 = codes_of(digits + 3 * digits_apart);
    const __m256i lower = _mm256_or_si256(c0, _mm256_slli_epi32(c1, 16));
    const __m256i upper = _mm256_or_si256(c2, _mm256_slli_epi32(c3, 16));
    const __m256i even = _mm256_unpacklo_epi32(lower, upper); /* rows 0 1, 4 5 */
    const __m256i odd = _mm256_unpackhi_epi32(lower, upper);  /* rows 2 3, 6 7 */
    __m256i *out = (__m256i *)(void *)to;

    _mm256_storeu_si256(out, _mm256_permute2x128_si256(even, odd, 0x20));
    _mm256_storeu_si256(out + 1, _mm256_permute2x128_si256(even, odd, 0x31));
}

/* Lines that are not there, of the last chunks, have the code of no digits, and meet zeros. */
static void prepare(const piece *p, const uint8_t *w, size_t block_bytes, size_t planes,
                    lpu_lookup_digits *digits_of)
{
    const size_t block_rows = 16 * planes;

    for (size_t block = 0; block * block_rows < p->all_rows; block++, w += block_bytes) {
        for (size_t c = 0; c < p->chunks; c++) {
            uint8_t digits[CHUNK][LPU_LOOKUP_PLANES_MAX * 64] = {{0}};
            uint64_t *to = p->r->codes + c * p->all_rows + block * block_rows;
            const size_t left = p->lines > c * CHUNK ? p->lines - c * CHUNK : 0;
            for (size_t g = 0; g < least(left, CHUNK); g++) {
                digits_of(digits[g], w + (c * CHUNK + g) * 64);
            }
            for (size_t r = 0; r < block_rows; r += 8) {
                encode_rows(to + r, digits[0] + 4 * r, sizeof(digits[0]));
            }
        }
    }
}

/* --- tables --- */

/* 16 x 16 bytes, turned over. */
LPU_INLINE void turn_bytes(__m128i *a)
{
    __m128i b[16];
    LPU_UNROLL
    for (int round = 0; round < 4; round++) {
        LPU_UNROLL
        for (size_t i = 0; i < 8; i++) {
            b[2 * i] = _mm_unpacklo_epi8(a[i], a[i + 8]);
            b[2 * i + 1] = _mm_unpackhi_epi8(a[i], a[i + 8]);
        }
        memcpy(a, b, sizeof(b));
    }
}

/* x of 16 k from k on, as words (k, tokens), zero beyond the last k; *load grows by their absolute
 * values. */
static void load_words(__m256i *words, __m256i *load, const piece *p, const int8_t *x, size_t k)
{
    const size_t n = k < p->k ? least(p->k - k, 16) : 0;
    __m128i a[16];

    for (size_t t = 0; t < TOKENS; t++) {
        int8_t of[16] = {0};
        if (n == 16) memcpy(of, x + t * p->x_stride + k, 16);
        else if (n) memcpy(of, x + t * p->x_stride + k, n);
        a[t] = _mm_loadu_si128((const __m128i *)(const void *)of);
    }
    turn_bytes(a);
    for (size_t i = 0; i < 16; i++) {
        words[i] = _mm256_cvtepi8_epi16(a[i]);
        *load = _mm256_add_epi16(*load, _mm256_abs_epi16(words[i]));
    }
}

LPU_INLINE void put(uint8_t *to, __m256i v)
{
    _mm256_store_si256((__m256i *)(void *)to, v);
}

/* The table of four k. */
static void make_table(uint8_t *table, const __m256i *x)
{
    const __m256i all =
        _mm256_add_epi16(_mm256_add_epi16(x[0], x[1]), _mm256_add_epi16(x[2], x[3]));
    __m256i d3 = _mm256_sub_epi16(_mm256_setzero_si256(), all);

    for (size_t i = 0; i < 3; i++, d3 = _mm256_add_epi16(d3, x[3])) {
        __m256i d2 = d3;
        for (size_t j = 0; j < 3; j++, d2 = _mm256_add_epi16(d2, x[2])) {
            __m256i d1 = d2;
            for (size_t l = 0; l < 3; l++, d1 = _mm256_add_epi16(d1, x[1]), table += 96) {
                const __m256i one = _mm256_add_epi16(d1, x[0]);
                put(table, d1);
                put(table + 32, one);
                put(table + 64, _mm256_add_epi16(one, x[0]));
            }
        }
    }
}

/* --- looking up --- */

LPU_INLINE __m256i add_four(__m256i sum, const uint8_t *tables, uint64_t code)
{
    LPU_UNROLL
    for (size_t g = 0; g < CHUNK; g++, code >>= 16) {
        const uint8_t *at = tables + g * TABLE_BYTES + (uint16_t)code;
        sum = _mm256_add_epi16(sum, _mm256_load_si256((const __m256i *)(const void *)at));
    }
    return sum;
}

/* All rows pass over eight tables. */
static void pass(const piece *p, size_t chunk)
{
    const uint64_t *codes = p->r->codes + chunk * p->all_rows, *more = codes + p->all_rows;
    const uint8_t *tables = p->r->tables[0];

    for (size_t r = 0; r < p->all_rows; r++) {
        __m256i *at = (__m256i *)(void *)p->r->sums[r];
        const __m256i sum = add_four(_mm256_load_si256(at), tables, codes[r]);
        _mm256_store_si256(at, add_four(sum, tables + CHUNK * TABLE_BYTES, more[r]));
    }
}

/* Turns eight rows of eight words over; the rows are zero then. */
LPU_INLINE void turn_words(__m128i *a, int16_t *sums)
{
    __m128i b[8];

    LPU_UNROLL
    for (size_t i = 0; i < 8; i++) {
        __m128i *from = (__m128i *)(void *)(sums + i * TOKENS);
        a[i] = _mm_load_si128(from);
        _mm_store_si128(from, _mm_setzero_si128());
    }
    LPU_UNROLL
    for (size_t i = 0; i < 8; i += 2) {
        b[i] = _mm_unpacklo_epi16(a[i], a[i + 1]);
        b[i + 1] = _mm_unpackhi_epi16(a[i], a[i + 1]);
    }
    LPU_UNROLL
    for (size_t i = 0; i < 8; i += 4) {
        a[i] = _mm_unpacklo_epi32(b[i], b[i + 2]);
        a[i + 1] = _mm_unpackhi_epi32(b[i], b[i + 2]);
        a[i + 2] = _mm_unpacklo_epi32(b[i + 1], b[i + 3]);
        a[i + 3] = _mm_unpackhi_epi32(b[i + 1], b[i + 3]);
    }
    LPU_UNROLL
    for (size_t i = 0; i < 4; i++) {
        b[2 * i] = _mm_unpacklo_epi64(a[i], a[i + 4]);
        b[2 * i + 1] = _mm_unpackhi_epi64(a[i], a[i + 4]);
    }
    memcpy(a, b, sizeof(b));
}

/* Rows of one token, n of eight, into y. */
LPU_INLINE void put_rows(int32_t *y, __m256i rows, size_t n, bool is_first)
{
    __m256i *to = (__m256i *)(void *)y;
    int32_t out[8];

    if (n == 8) {
        if (!is_first) rows = _mm256_add_epi32(rows, _mm256_loadu_si256(to));
        _mm256_storeu_si256(to, rows);
        return;
    }
    _mm256_storeu_si256((__m256i *)(void *)out, rows);
    for (size_t i = 0; i < n; i++) y[i] = is_first ? out[i] : y[i] + out[i];
}

/* Sums of all rows into y, which they are added to or not. Sums are zero then. */
static void flush(const piece *p, int32_t *y, bool is_first)
{
    for (size_t r = 0; r < p->rows; r += 8) {
        const size_t n = least(p->rows - r, 8);
        for (size_t half = 0; half < TOKENS; half += 8) {
            __m128i words[8];
            turn_words(words, p->r->sums[r] + half);
            LPU_UNROLL
            for (size_t t = 0; t < 8; t++) {
                put_rows(y + (half + t) * p->y_stride + r, _mm256_cvtepi16_epi32(words[t]), n,
                         is_first);
            }
        }
    }
}

/* 16 tokens. */
static void multiply(const piece *p, int32_t *y, const int8_t *x)
{
    const __m256i most = _mm256_set1_epi16(LOAD_MAX);
    __m256i load = _mm256_setzero_si256();
    bool is_first = p->is_first;

    memset(p->r->sums, 0, p->all_rows * sizeof(p->r->sums[0]));
    for (size_t c = 0; c < p->chunks; c += 2) {
        __m256i words[4 * TABLES], more = _mm256_setzero_si256();

        load_words(words, &more, p, x, 16 * c);
        load_words(words + 16, &more, p, x, 16 * (c + 1));
        load = _mm256_add_epi16(load, more);
        /* Unsigned: whether any is above. */
        if (_mm256_movemask_epi8(_mm256_cmpeq_epi16(_mm256_max_epu16(load, most), most)) != -1) {
            flush(p, y, is_first);
            is_first = false;
            load = more;
        }
        for (size_t g = 0; g < TABLES; g++) make_table(p->r->tables[g], words + 4 * g);
        pass(p, c);
    }
    flush(p, y, is_first);
}

size_t lpu_lookup_multiply_avx2(int32_t *y, size_t y_stride, const uint8_t *w, const int8_t *x,
                                size_t x_stride, size_t rows, size_t k, size_t tokens, void *room_,
                                size_t planes, lpu_lookup_digits *digits)
{
    const size_t block_rows = 16 * planes, lines = (k + 3) / 4, block_bytes = 64 * lines;
    const size_t rows_each = ROWS / block_rows * block_rows, done = tokens / TOKENS * TOKENS;

    if (!done || !k || rows < ROWS_MIN) return 0;
    for (size_t row = 0; row < rows; row += rows_each) {
        const uint8_t *from = w + row / block_rows * block_bytes;
        for (size_t line = 0; line < lines; line += LINES) {
            piece p = {.r = room_,
                       .y = y + row,
                       .y_stride = y_stride,
                       .rows = least(rows - row, rows_each),
                       .x = x + 4 * line,
                       .x_stride = x_stride,
                       .k = least(k - 4 * line, 4 * LINES),
                       .lines = least(lines - line, LINES),
                       .is_first = !line};
            p.all_rows = (p.rows + block_rows - 1) / block_rows * block_rows;
            p.chunks = (p.lines + TABLES - 1) / TABLES * 2;
            prepare(&p, from + 64 * line, block_bytes, planes, digits);
            for (size_t t = 0; t < done; t += TOKENS) {
                multiply(&p, p.y + t * y_stride, p.x + t * x_stride);
            }
        }
    }
    return done;
}
