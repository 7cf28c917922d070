/* sim/array_cases.c - the cases that an array is judged by. */
#include "sim/array_cases.h"

#include <stdlib.h>
#include <string.h>

enum { ALWAYS_OF_256 = 256 };

static uint32_t below(lpu_array_work *w, uint32_t limit)
{
    return lpu_array_work_below(&w->random, limit);
}

static int8_t random_trit(lpu_array_work *w, uint32_t zeros_of_256)
{
    if (w->config.code == LPU_CODE_B1) zeros_of_256 = 0; /* it has no zero */
    if (below(w, ALWAYS_OF_256) < zeros_of_256) return 0;
    return below(w, 2) ? 1 : -1;
}

/* A tile of the whole array, unless something is cut afterwards. */
static lpu_array_cmd whole(const lpu_array_work *w, lpu_accum accum, bool is_last)
{
    const uint32_t rows = w->config.rows;
    return (lpu_array_cmd){
        .lines = rows, .rows = rows, .passes = 1, .accum = accum, .is_last = is_last};
}

/* Room for the digits of a tile and for the vectors of all passes. */
static bool open_tile(lpu_array_work *w, int8_t **digits, int8_t **x)
{
    *digits = calloc((size_t)w->config.rows * w->config.cols, 1);
    *x = calloc((size_t)w->config.passes_max * w->config.cols, 1);
    if (*digits && *x) return true;
    w->is_short = true;
    return false;
}

static void close_tile(int8_t *digits, int8_t *x)
{
    free(digits);
    free(x);
}

/* All digits one value, all activations one value. */
static void add_constant(lpu_array_work *w, lpu_array_cmd cmd, int8_t digit, int8_t value)
{
    int8_t *digits, *x;

    if (digit == 0 && w->config.code == LPU_CODE_B1) digit = 1, value = 0;
    if (open_tile(w, &digits, &x)) {
        memset(digits, digit, (size_t)w->config.rows * w->config.cols);
        memset(x, value, (size_t)w->config.passes_max * w->config.cols);
        lpu_array_work_tile(w, &cmd, digits, x, false);
    }
    close_tile(digits, x);
}

static void fill_random(lpu_array_work *w, int8_t *digits, int8_t *x, uint32_t zeros_of_256)
{
    for (size_t i = 0; i < (size_t)w->config.rows * w->config.cols; i++)
        digits[i] = random_trit(w, zeros_of_256);
    for (size_t i = 0; i < (size_t)w->config.passes_max * w->config.cols; i++)
        x[i] = (int8_t)lpu_array_work_next(&w->random);
}

static void add_random(lpu_array_work *w, lpu_array_cmd cmd, uint32_t zeros_of_256)
{
    int8_t *digits, *x;

    if (open_tile(w, &digits, &x)) {
        fill_random(w, digits, x, zeros_of_256);
        lpu_array_work_tile(w, &cmd, digits, x, true);
    }
    close_tile(digits, x);
}

static void add_single(lpu_array_work *w)
{
    add_random(w, whole(w, LPU_ACCUM_CLEAR, true), 100);
}

/* The largest and smallest sums that a tile can give. */
static void add_extremes(lpu_array_work *w)
{
    static const int8_t digits[] = {1, -1, 0, 1, -1}, x[] = {-128, -128, -128, 127, 127};

    for (size_t i = 0; i < sizeof(digits); i++) {
        lpu_array_cmd cmd = whole(w, LPU_ACCUM_CLEAR, false);
        cmd.passes = w->config.passes_max;
        add_constant(w, cmd, digits[i], x[i]);
        cmd.accum = LPU_ACCUM_ADD;
        cmd.is_last = true;
        add_constant(w, cmd, digits[i], x[i]);
    }
}

/* Integers of 1 to 5 trits, plane by plane, most significant first. */
static void add_horner(lpu_array_work *w)
{
    for (uint32_t trits = 1; trits <= LPU_TRITS_MAX; trits++) {
        for (uint32_t t = 0; t < trits; t++)
            add_random(w, whole(w, t ? LPU_ACCUM_HORNER : LPU_ACCUM_CLEAR, t + 1 == trits), 85);
    }
}

/* Columns, then columns and rows in turn, so that digits of an older tile would show. */
static void add_columns(lpu_array_work *w)
{
    for (uint32_t i = 0; i < 8; i++) {
        lpu_array_cmd cmd = whole(w, i % 2 ? LPU_ACCUM_ADD : LPU_ACCUM_CLEAR, i % 2);
        cmd.is_column = i < 4 || i % 2;
        if (cmd.is_column) cmd.lines = w->config.cols;
        add_random(w, cmd, 100);
    }
}

static uint32_t at_least_one(uint32_t n)
{
    return n ? n : 1;
}

/* One line, all but one, half of them; one row, all but one. */
static void add_ragged(lpu_array_work *w)
{
    const lpu_array_config *c = &w->config;

    for (uint32_t i = 0; i < 24; i++) {
        lpu_array_cmd cmd = whole(w, LPU_ACCUM_CLEAR, true);
        cmd.is_column = i & 1;
        const uint32_t lines = cmd.is_column ? c->cols : c->rows;
        cmd.lines = i % 3 == 0 ? 1 : i % 3 == 1 ? at_least_one(lines - 1) : (lines + 1) / 2;
        cmd.rows = i % 4 == 0   ? 1
                   : i % 4 == 1 ? at_least_one(c->rows - 1)
                                : (cmd.is_column ? c->rows : cmd.lines);
        cmd.passes = 1 + i % c->passes_max;
        add_random(w, cmd, 0);
    }
}

/* Every tile the last of its bank: vectors must wait for a bank that still drains. */
static void add_banks(lpu_array_work *w)
{
    for (uint32_t i = 0; i < 24; i++) {
        lpu_array_cmd cmd = whole(w, LPU_ACCUM_CLEAR, true);
        if (i & 4) cmd.lines = 1;
        cmd.passes = i < 12 ? 1 : w->config.passes_max;
        add_random(w, cmd, 100);
    }
}

/* A sum over many tiles, with more beats than passes and the other way about. */
static void add_long(lpu_array_work *w)
{
    for (uint32_t i = 0; i < 18; i++) {
        lpu_array_cmd cmd = whole(w, i % 9 ? LPU_ACCUM_ADD : LPU_ACCUM_CLEAR, i % 9 == 8);
        if (i >= 9) cmd.lines = w->config.lines;
        cmd.passes = i < 9 ? 1 : w->config.passes_max;
        add_random(w, cmd, 100);
    }
}

static void add_illegal(lpu_array_work *w)
{
    const lpu_array_config *c = &w->config;
    int8_t *digits, *x;

    if (c->code == LPU_CODE_B1) return; /* every byte is legal */
    if (open_tile(w, &digits, &x)) {
        for (uint32_t i = 0; i < 26; i++) {
            lpu_array_cmd cmd = whole(w, LPU_ACCUM_CLEAR, true);
            fill_random(w, digits, x, 64);
            cmd.is_column = i & 1;
            if (cmd.is_column) cmd.lines = c->cols;
            const size_t bytes = lpu_ternary_bytes(c->code, cmd.is_column ? c->rows : c->cols);
            lpu_array_work_illegal(w, &cmd, digits, x, (i / 2) % cmd.lines, (uint32_t)(i % bytes));
        }
    }
    close_tile(digits, x);
}

const lpu_array_case lpu_array_cases[] = {
    {"single tile", "one tile, one vector: decoding, select, sum", add_single},
    {"extremes", "the largest and smallest sums: widths and signs", add_extremes},
    {"Horner planes", "acc = 3 acc + sum, most significant plane first", add_horner},
    {"columns", "tiles that come column by column", add_columns},
    {"ragged tiles", "fewer lines, rows and passes than the array has", add_ragged},
    {"banks", "every tile drains", add_banks},
    {"long sums", "many tiles in one sum", add_long},
    {"illegal codes", "bytes that no digits have are zeros", add_illegal},
    {NULL, NULL, NULL},
};

static void add_random_sum(lpu_array_work *w)
{
    const lpu_array_config *c = &w->config;
    const uint32_t tiles = 1 + below(w, 6);
    const uint32_t passes = below(w, 2) ? 1 : 1 + below(w, c->passes_max);

    for (uint32_t i = 0; i < tiles; i++) {
        lpu_array_cmd cmd = {.passes = passes, .is_last = i + 1 == tiles};
        cmd.accum = i == 0 ? LPU_ACCUM_CLEAR : below(w, 2) ? LPU_ACCUM_ADD : LPU_ACCUM_HORNER;
        cmd.is_column = below(w, 4) == 0;
        cmd.lines = cmd.is_column ? c->cols : c->rows;
        if (below(w, 2)) cmd.lines = 1 + below(w, cmd.lines);
        cmd.rows = below(w, 2) ? c->rows : 1 + below(w, c->rows);
        if (below(w, 16)) {
            add_random(w, cmd, below(w, ALWAYS_OF_256 + 1));
        } else {
            const int8_t digit = random_trit(w, 64);
            add_constant(w, cmd, digit, below(w, 2) ? -128 : 127);
        }
    }
}

void lpu_array_cases_random(lpu_array_work *w, uint32_t sums)
{
    for (uint32_t i = 0; i < sums && !w->is_short; i++) add_random_sum(w);
}

static uint32_t min_u32(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* A block of rows (rows, cols) of W, all of its tiles. x: (passes_max, cols). */
static void add_block(lpu_array_work *w, const int8_t *block, const int8_t *x, uint32_t rows,
                      uint32_t cols)
{
    const uint32_t tile_cols = w->config.cols, tokens = w->config.passes_max;
    int8_t *digits, *vectors;

    if (open_tile(w, &digits, &vectors)) {
        for (uint32_t k = 0; k < cols; k += tile_cols) {
            const uint32_t n = min_u32(tile_cols, cols - k);
            memset(digits, 0, (size_t)w->config.rows * tile_cols);
            memset(vectors, 0, (size_t)tokens * tile_cols);
            for (uint32_t r = 0; r < rows; r++)
                memcpy(digits + (size_t)r * tile_cols, block + (size_t)r * cols + k, n);
            for (uint32_t t = 0; t < tokens; t++)
                memcpy(vectors + (size_t)t * tile_cols, x + (size_t)t * cols + k, n);
            const lpu_array_cmd cmd = {.lines = rows,
                                       .rows = rows,
                                       .passes = tokens,
                                       .accum = k ? LPU_ACCUM_ADD : LPU_ACCUM_CLEAR,
                                       .is_last = k + tile_cols >= cols};
            lpu_array_work_tile(w, &cmd, digits, vectors, false);
        }
    }
    close_tile(digits, vectors);
}

/* y[t][r] = sum over k of W[r][k] * x[t][k], over whole rows, against the block's last beats. */
static bool is_product(const lpu_array_work *w, size_t first_y, const int8_t *block,
                       const int8_t *x, uint32_t cols)
{
    for (size_t y = first_y; y < w->y_count; y++) {
        const lpu_array_beat *beat = &w->ys[y];
        for (uint32_t i = 0; i < beat->lanes; i++) {
            int32_t sum = 0;
            for (uint32_t k = 0; k < cols; k++) {
                sum += block[(size_t)(beat->row + i) * cols + k] * x[(size_t)beat->pass * cols + k];
            }
            if (w->expected[y * w->config.out_lanes + i] != sum) return false;
        }
    }
    return true;
}

lpu_status lpu_array_cases_matrix(lpu_array_work *w, uint32_t rows, uint32_t cols, lpu_diag *diag)
{
    const size_t x_elems = (size_t)w->config.passes_max * cols;
    const size_t block_elems = (size_t)w->config.rows * cols;
    int8_t *x = malloc(x_elems), *block = malloc(block_elems);
    bool is_right = true;

    if (!x || !block) w->is_short = true;
    for (size_t i = 0; x && i < x_elems; i++) x[i] = (int8_t)((int)below(w, 255) - 127);
    for (uint32_t row = 0; row < rows && !w->is_short && is_right; row += w->config.rows) {
        const uint32_t n = min_u32(w->config.rows, rows - row);
        const size_t first_y = w->y_count;
        for (size_t i = 0; i < block_elems; i++) block[i] = random_trit(w, 102);
        add_block(w, block, x, n, cols);
        is_right = w->is_short || is_product(w, first_y, block, x, cols);
    }
    free(x);
    free(block);
    if (w->is_short) return lpu_fail(diag, LPU_ERR_MEMORY, "array work: out of memory");
    if (is_right) return LPU_OK;
    return lpu_fail(diag, LPU_ERR_FORMAT,
                    "array work: the sums of the tiles are not those of the matrix");
}
