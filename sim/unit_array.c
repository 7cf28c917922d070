/* sim/unit_array.c - the array, one clock at a time: rtl/lpu_array.v in C, same state names.
 *
 * Control leads the data by one clock, so that decoder, x and tile are all registered before a
 * lane:
 *
 *   cycle   control                          data
 *   t       beat taken into the beat queue
 *   t+1     beat decoded, fill_line moves    (digits registered)
 *   t+2     shadow_full after the last beat  digits written into the shadow tile
 *   t+2     swap, if the active tile is free or takes its last vector
 *   t+3     x taken, pass moves              shadow copied to the active tile
 *   t+4                                      lanes select, first four-to-one sum of each tree
 *   t+4+k                                    sum k + 1 of the tree; it has D = ceil(log4 cols)
 *   t+4+D                                    acc = base + sum
 *   t+5+D   if that was a bank's last vector: bank_full, the first y beat is read
 *   t+6+D   y_valid
 *
 * A bank is busy from the cycle after its last vector is taken until the cycle after its last y
 * beat is read into the output register. Here values are added when x is taken: nobody can see a
 * bank before its drain, so this differs in nothing that leaves the array.
 */
#include "sim/unit_array.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { QUEUE = 2, BANKS = 2, DIGITS_PER_BYTE_MAX = 8, BYTES = 256 };

typedef struct bank {
    bool is_busy;   /* takes no vectors: its last one is in the tree, or it drains */
    bool is_full;   /* every sum is in: drains */
    uint32_t rows;  /* that are drained */
    uint64_t beats; /* of y still to be read */
} bank;

/* Data, with has_values only. */
typedef struct values {
    uint8_t *beats;                    /* (QUEUE, lines, line_bytes) */
    int8_t *shadow, *active;           /* (rows, cols) */
    int32_t *acc;                      /* (BANKS, passes_max, rows) */
    int32_t *y;                        /* (out_lanes) */
    uint32_t shadow_adds, active_adds; /* non-zero trits */
    uint32_t drain_pass, drain_row;
    int8_t digits[BYTES][DIGITS_PER_BYTE_MAX];
    bool is_illegal[BYTES];
} values;

struct lpu_array {
    lpu_array_config config;
    uint32_t line_bytes, digits_per_byte;
    uint32_t depth; /* D: clocks of the tree */

    lpu_array_cmd cmd[QUEUE]; /* cmd[0] fills */
    lpu_array_cmd shadow, active;
    uint32_t cmd_count, beat_count, fill_line, pass;
    bool shadow_full, has_active, y_valid, is_illegal;
    uint64_t pipe;                         /* bit k: a vector is k clocks behind the x register */
    uint64_t pipe_final;                   /* the same bit: it is the last of its bank */
    uint32_t bank, final_bank, drain_bank; /* that takes x, fills next, drains next */
    uint32_t beat_first;                   /* oldest entry of values.beats */
    struct bank banks[BANKS];
    values v;
};

uint32_t lpu_array_line_bytes(const lpu_array_config *config)
{
    const uint32_t longer = config->rows > config->cols ? config->rows : config->cols;
    return (uint32_t)lpu_ternary_bytes(config->code, longer);
}

static uint32_t tree_depth(uint32_t terms)
{
    uint32_t depth = 0;
    for (; terms > 1; terms = (terms + 3) / 4) depth++;
    return depth;
}

uint32_t lpu_array_latency_cycles(const lpu_array_config *config)
{
    return tree_depth(config->cols) + 2; /* x register, tree, accumulator */
}

/* One byte of the code into digits; what no encoder writes is zeros and sets *is_illegal. */
static void decode_byte(lpu_code code, uint32_t byte, int8_t *digits, bool *is_illegal)
{
    static const int8_t t2[4] = {0, 1, 0, -1};
    *is_illegal = false;
    switch (code) {
    case LPU_CODE_BASE3:
        *is_illegal = byte > 242;
        for (uint32_t i = 0; i < 5; i++, byte /= 3)
            digits[i] = *is_illegal ? 0 : (int8_t)((int)(byte % 3) - 1);
        break;
    case LPU_CODE_T2:
        for (uint32_t i = 0; i < 4; i++, byte >>= 2) {
            digits[i] = t2[byte & 3];
            if ((byte & 3) == 2) *is_illegal = true;
        }
        break;
    case LPU_CODE_B1:
        for (uint32_t i = 0; i < 8; i++, byte >>= 1) digits[i] = byte & 1 ? 1 : -1;
        break;
    }
}

static lpu_status check_config(const lpu_array_config *c, lpu_diag *diag)
{
    const uint32_t digits = (uint32_t)lpu_ternary_per_byte(c->code);
    if (c->rows < 1 || c->rows > 4096 || c->cols < 2 || c->cols > 4096)
        return lpu_fail(diag, LPU_ERR_RANGE, "array: %u x %u lanes, expected 1..4096 x 2..4096",
                        c->rows, c->cols);
    if (c->cols % digits)
        return lpu_fail(diag, LPU_ERR_RANGE, "array: %u columns, expected a multiple of %u",
                        c->cols, digits);
    if (c->lines < 1 || c->lines > c->rows || c->lines > c->cols)
        return lpu_fail(diag, LPU_ERR_RANGE, "array: %u lines per beat, expected 1..min(%u, %u)",
                        c->lines, c->rows, c->cols);
    if (c->passes_max < 1 || c->passes_max > 65535)
        return lpu_fail(diag, LPU_ERR_RANGE, "array: %u passes, expected 1..65535", c->passes_max);
    if (c->out_lanes < 1 || c->rows % c->out_lanes)
        return lpu_fail(diag, LPU_ERR_RANGE,
                        "array: %u output lanes, expected a divisor of %u rows", c->out_lanes,
                        c->rows);
    return LPU_OK;
}

static bool values_open(lpu_array *a)
{
    const lpu_array_config *c = &a->config;
    const size_t cells = (size_t)c->rows * c->cols;

    a->v.beats = calloc((size_t)QUEUE * c->lines, a->line_bytes);
    a->v.shadow = calloc(cells, 1);
    a->v.active = calloc(cells, 1);
    a->v.acc = calloc((size_t)BANKS * c->passes_max * c->rows, sizeof(int32_t));
    a->v.y = calloc(c->out_lanes, sizeof(int32_t));
    for (uint32_t byte = 0; byte < BYTES; byte++)
        decode_byte(c->code, byte, a->v.digits[byte], &a->v.is_illegal[byte]);
    return a->v.beats && a->v.shadow && a->v.active && a->v.acc && a->v.y;
}

lpu_status lpu_array_open(lpu_array **out, const lpu_array_config *config, lpu_diag *diag)
{
    *out = NULL;
    const lpu_status status = check_config(config, diag);
    if (status) return status;

    lpu_array *a = calloc(1, sizeof(*a));
    if (!a) return lpu_fail(diag, LPU_ERR_MEMORY, "array: out of memory");
    a->config = *config;
    a->line_bytes = lpu_array_line_bytes(config);
    a->digits_per_byte = (uint32_t)lpu_ternary_per_byte(config->code);
    a->depth = tree_depth(config->cols);
    if (config->has_values && !values_open(a)) {
        lpu_array_close(&a);
        return lpu_fail(diag, LPU_ERR_MEMORY, "array: out of memory");
    }
    *out = a;
    return LPU_OK;
}

void lpu_array_close(lpu_array **a)
{
    if (!*a) return;
    free((*a)->v.beats);
    free((*a)->v.shadow);
    free((*a)->v.active);
    free((*a)->v.acc);
    free((*a)->v.y);
    free(*a);
    *a = NULL;
}

/* No y beat waits and no bank is busy. */
static bool is_drained(const lpu_array *a)
{
    return !a->y_valid && !a->banks[0].is_busy && !a->banks[1].is_busy;
}

void lpu_array_outputs(const lpu_array *a, lpu_array_out *out)
{
    out->cmd_ready = a->cmd_count < QUEUE;
    out->w_ready = a->beat_count < QUEUE;
    out->x_ready = a->has_active && !a->banks[a->bank].is_busy;
    out->y_valid = a->y_valid;
    out->is_idle = !a->cmd_count && !a->beat_count && !a->shadow_full && !a->has_active &&
                   !a->pipe && is_drained(a);
    out->y_data = a->v.y;
    out->lane_adds = a->has_active ? a->v.active_adds : 0;
    out->is_illegal = a->is_illegal;
}

/* Writes digits of one packed line into the shadow tile, a step apart. Returns how many are not 0.
 */
static uint32_t fill_line(lpu_array *a, const uint8_t *src, int8_t *dst, size_t step,
                          uint32_t count)
{
    uint32_t adds = 0;
    for (uint32_t i = 0; i < count; src++) {
        const int8_t *digits = a->v.digits[*src];
        if (a->v.is_illegal[*src]) a->is_illegal = true;
        for (uint32_t d = 0; d < a->digits_per_byte && i < count; d++, i++) {
            dst[i * step] = digits[d];
            adds += digits[d] != 0;
        }
    }
    return adds;
}

/* The oldest beat into the shadow tile; lines that the command does not fill are zeros. */
static void fill_values(lpu_array *a)
{
    const lpu_array_config *c = &a->config;
    const lpu_array_cmd *cmd = &a->cmd[0];
    const uint8_t *beat = a->v.beats + (size_t)a->beat_first * c->lines * a->line_bytes;

    if (a->fill_line == 0) {
        memset(a->v.shadow, 0, (size_t)c->rows * c->cols);
        a->v.shadow_adds = 0;
    }
    for (uint32_t l = 0; l < c->lines && a->fill_line + l < cmd->lines; l++) {
        const size_t line = a->fill_line + l;
        const uint8_t *src = beat + (size_t)l * a->line_bytes;
        a->v.shadow_adds += cmd->is_column
                                ? fill_line(a, src, a->v.shadow + line, c->cols, c->rows)
                                : fill_line(a, src, a->v.shadow + line * c->cols, 1, c->cols);
    }
    a->beat_first ^= 1;
}

static void swap_values(lpu_array *a)
{
    int8_t *active = a->v.active;
    a->v.active = a->v.shadow;
    a->v.shadow = active;
    a->v.active_adds = a->v.shadow_adds;
}

/* acc[r] = base + sum over c of w[r][c] * x[c], base = 0, acc or 3 acc; it wraps as 32 bits do. */
static void pass_values(lpu_array *a, const int8_t *x)
{
    const uint32_t rows = a->config.rows, cols = a->config.cols;
    int32_t *acc = a->v.acc + ((size_t)a->bank * a->config.passes_max + a->pass) * rows;

    for (uint32_t r = 0; r < rows; r++) {
        const int8_t *w = a->v.active + (size_t)r * cols;
        int32_t sum = 0;
        for (uint32_t c = 0; c < cols; c++) sum += w[c] * x[c];

        const uint32_t old = (uint32_t)acc[r];
        const uint32_t base = a->active.accum == LPU_ACCUM_CLEAR ? 0
                              : a->active.accum == LPU_ACCUM_ADD ? old
                                                                 : (old << 1) + old;
        acc[r] = (int32_t)(base + (uint32_t)sum);
    }
}

/* out_lanes sums into the output register; the lanes past the last row carry what is there. */
static void drain_values(lpu_array *a)
{
    const lpu_array_config *c = &a->config;
    const int32_t *acc =
        a->v.acc + ((size_t)a->drain_bank * c->passes_max + a->v.drain_pass) * c->rows;

    memcpy(a->v.y, acc + a->v.drain_row, c->out_lanes * sizeof(int32_t));
    a->v.drain_row += c->out_lanes;
    if (a->v.drain_row >= a->banks[a->drain_bank].rows) {
        a->v.drain_row = 0;
        a->v.drain_pass++;
    }
    if (a->banks[a->drain_bank].beats == 1) a->v.drain_pass = 0;
}

static void take_command(lpu_array *a, const lpu_array_cmd *cmd)
{
    assert(cmd->lines >= 1 && cmd->lines <= (cmd->is_column ? a->config.cols : a->config.rows));
    assert(cmd->rows >= 1 && cmd->rows <= a->config.rows);
    assert(cmd->passes >= 1 && cmd->passes <= a->config.passes_max);
    a->cmd[a->cmd_count++] = *cmd;
}

static void take_beat(lpu_array *a, const uint8_t *data)
{
    if (a->config.has_values) {
        const size_t bytes = (size_t)a->config.lines * a->line_bytes;
        memcpy(a->v.beats + ((a->beat_first + a->beat_count) & 1) * bytes, data, bytes);
    }
    a->beat_count++;
}

/* The vector just taken is the last of its bank. */
static void finish_bank(lpu_array *a)
{
    bank *b = &a->banks[a->bank];
    const uint32_t lanes = a->config.out_lanes;

    b->is_busy = true;
    b->rows = a->active.rows;
    b->beats = (uint64_t)a->active.passes * ((a->active.rows + lanes - 1) / lanes);
    a->bank ^= 1;
}

static lpu_array_state state_now(const lpu_array *a, bool fire)
{
    if (fire) return LPU_ARRAY_PASS;
    if (a->has_active) return a->banks[a->bank].is_busy ? LPU_ARRAY_ACCUM : LPU_ARRAY_STARVED;
    return a->cmd_count || a->shadow_full ? LPU_ARRAY_FILL : LPU_ARRAY_EMPTY;
}

/* Reads the next y beat of the bank that drains into the output register. */
static void drain_step(lpu_array *a, bool y_ready)
{
    bank *b = &a->banks[a->drain_bank];
    if (a->y_valid && !y_ready) return;
    a->y_valid = b->is_full;
    if (!b->is_full) return;
    if (a->config.has_values) drain_values(a);
    if (--b->beats) return;
    b->is_full = b->is_busy = false;
    a->drain_bank ^= 1;
}

lpu_array_state lpu_array_step(lpu_array *a, const lpu_array_in *in)
{
    /* Decided on the registers as they are now, and on the inputs. */
    const bool fire = a->has_active && !a->banks[a->bank].is_busy && in->x_valid;
    const bool is_last_pass = fire && a->pass + 1 == a->active.passes;
    const bool swap = a->shadow_full && (!a->has_active || is_last_pass);
    const bool fill = a->beat_count && a->cmd_count && (!a->shadow_full || swap);
    const bool is_final = is_last_pass && a->active.is_last;
    const bool has_values = a->config.has_values;
    const bool take_cmd = in->cmd_valid && a->cmd_count < QUEUE;
    const bool take_w = in->w_valid && a->beat_count < QUEUE;
    const lpu_array_state state = state_now(a, fire);

    /* Committed from the end of the pipeline to its beginning, so that nothing is read late. */
    drain_step(a, in->y_ready);
    if (a->pipe_final >> a->depth & 1) {
        a->banks[a->final_bank].is_full = true;
        a->final_bank ^= 1;
    }
    const uint64_t stages = (UINT64_C(2) << a->depth) - 1;
    a->pipe = (a->pipe << 1 | fire) & stages;
    a->pipe_final = (a->pipe_final << 1 | is_final) & stages;

    if (fire) {
        if (has_values) pass_values(a, in->x_data);
        a->pass = is_last_pass ? 0 : a->pass + 1;
        if (is_last_pass) a->has_active = false;
        if (is_final) finish_bank(a);
    }
    if (swap) {
        a->has_active = true;
        a->shadow_full = false;
        a->active = a->shadow;
        if (has_values) swap_values(a);
    }
    a->is_illegal = false;
    if (fill) {
        if (has_values) fill_values(a);
        a->beat_count--;
        a->fill_line += a->config.lines;
        if (a->fill_line >= a->cmd[0].lines) {
            a->fill_line = 0;
            a->shadow_full = true;
            a->shadow = a->cmd[0];
            a->cmd[0] = a->cmd[1];
            a->cmd_count--;
        }
    }
    if (take_cmd) take_command(a, &in->cmd);
    if (take_w) take_beat(a, in->w_data);
    return state;
}

lpu_array_state lpu_array_peek(const lpu_array *a)
{
    return state_now(a, a->has_active && !a->banks[a->bank].is_busy);
}

/* Clocks until the oldest set bit of pipe, which shifts up, leaves stage depth. */
static uint64_t clocks_to_exit(uint64_t pipe, uint32_t depth)
{
    return depth + 1 - (63 - (uint32_t)__builtin_clzll(pipe));
}

static uint64_t min_u64(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

uint64_t lpu_array_quiet_cycles(const lpu_array *a)
{
    const bool is_busy = a->banks[a->bank].is_busy;
    const bool fires = a->has_active && !is_busy;
    const bank *b = &a->banks[a->drain_bank];
    uint64_t quiet = LPU_ARRAY_QUIET_FOREVER;

    if (a->config.has_values) return 0;
    if (a->shadow_full && !a->has_active) return 0;                 /* would swap */
    if (a->beat_count && a->cmd_count && !a->shadow_full) return 0; /* would fill */
    if (a->is_illegal || a->y_valid != b->is_full) return 0;        /* an output would change */
    if (fires) quiet = a->active.passes - a->pass - 1;
    if (b->is_full) quiet = min_u64(quiet, b->beats - 1);
    if (a->pipe_final) quiet = min_u64(quiet, clocks_to_exit(a->pipe_final, a->depth) - 1);
    /* When the last vector leaves, the array may become idle. */
    if (a->pipe && !fires) {
        const uint64_t newest = a->pipe & -a->pipe;
        quiet = min_u64(quiet, clocks_to_exit(newest, a->depth) - 1);
    }
    return quiet;
}

void lpu_array_skip(lpu_array *a, uint64_t cycles)
{
    const uint32_t shift = cycles < 63 ? (uint32_t)cycles : 63;
    const uint64_t stages = (UINT64_C(2) << a->depth) - 1;

    assert(cycles <= lpu_array_quiet_cycles(a));
    a->pipe <<= shift;
    a->pipe_final = a->pipe_final << shift & stages;
    if (a->has_active && !a->banks[a->bank].is_busy) {
        a->pipe |= (UINT64_C(1) << shift) - 1;
        a->pass += (uint32_t)cycles;
    }
    a->pipe &= stages;
    if (a->banks[a->drain_bank].is_full) a->banks[a->drain_bank].beats -= cycles;
}
