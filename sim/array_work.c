/* sim/array_work.c - streams for the array, and the scalar oracle of what it adds up. */
#include "sim/array_work.h"

#include <stdlib.h>
#include <string.h>

uint64_t lpu_array_work_next(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u; /* splitmix64, Steele et al. 2014 */
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

uint32_t lpu_array_work_below(uint64_t *state, uint32_t limit)
{
    return (uint32_t)((lpu_array_work_next(state) >> 32) * limit >> 32);
}

lpu_status lpu_array_work_open(lpu_array_work *w, const lpu_array_config *config, uint64_t seed,
                               lpu_diag *diag)
{
    lpu_array *a;
    lpu_status status = lpu_array_open(&a, config, diag);

    memset(w, 0, sizeof(*w));
    if (status) return status;
    lpu_array_close(&a);
    w->config = *config;
    w->line_bytes = lpu_array_line_bytes(config);
    w->random = seed;
    w->sums = calloc((size_t)config->passes_max * config->rows, sizeof(*w->sums));
    if (w->sums) return LPU_OK;
    return lpu_fail(diag, LPU_ERR_MEMORY, "array work: out of memory");
}

void lpu_array_work_close(lpu_array_work *w)
{
    free(w->cmds);
    free(w->beats);
    free(w->vectors);
    free(w->ys);
    free(w->expected);
    free(w->sums);
    memset(w, 0, sizeof(*w));
}

void lpu_array_work_clear(lpu_array_work *w)
{
    w->cmd_count = w->beat_count = w->vector_count = w->y_count = 0;
    w->tiles = 0;
}

/* Room for count more elements of one stream. */
static bool grow(lpu_array_work *w, void **at, size_t *room, size_t used, size_t more, size_t bytes)
{
    if (w->is_short) return false;
    if (used + more <= *room) return true;
    const size_t wanted = 2 * (used + more);
    void *moved = realloc(*at, wanted * bytes);
    w->is_short = !moved;
    if (!moved) return false;
    *at = moved;
    *room = wanted;
    return true;
}

/* One dot product of the tile, by definition. */
static int64_t dot(const lpu_array_work *w, const lpu_array_cmd *cmd, const int8_t *digits,
                   const int8_t *x, uint32_t row)
{
    const uint32_t rows = w->config.rows, cols = w->config.cols;
    int64_t sum = 0;

    for (uint32_t k = 0; k < cols; k++) {
        if ((cmd->is_column ? k : row) >= cmd->lines) continue;
        const size_t at = cmd->is_column ? (size_t)k * rows + row : (size_t)row * cols + k;
        sum += (int64_t)digits[at] * x[k];
    }
    return sum;
}

static void add_up(lpu_array_work *w, const lpu_array_cmd *cmd, const int8_t *digits,
                   const int8_t *x)
{
    static const uint32_t scales[] = {
        [LPU_ACCUM_CLEAR] = 0, [LPU_ACCUM_ADD] = 1, [LPU_ACCUM_HORNER] = 3};

    for (uint32_t p = 0; p < cmd->passes; p++) {
        for (uint32_t r = 0; r < w->config.rows; r++) {
            uint32_t *sum = &w->sums[(size_t)p * w->config.rows + r];
            const int64_t partial = dot(w, cmd, digits, x + (size_t)p * w->config.cols, r);
            *sum = scales[cmd->accum] * *sum + (uint32_t)partial;
        }
    }
    w->tiles = cmd->accum == LPU_ACCUM_CLEAR ? 1 : w->tiles + 1;
}

/* The beats of y in which the bank leaves. */
static void drain(lpu_array_work *w, const lpu_array_cmd *cmd)
{
    const uint32_t lanes = w->config.out_lanes;
    const size_t more = (size_t)cmd->passes * ((cmd->rows + lanes - 1) / lanes);
    size_t room = w->y_room;

    if (!grow(w, (void **)&w->expected, &room, w->y_count, more, lanes * sizeof(int32_t)) ||
        !grow(w, (void **)&w->ys, &w->y_room, w->y_count, more, sizeof(*w->ys)))
        return;
    for (uint32_t p = 0; p < cmd->passes; p++) {
        for (uint32_t r = 0; r < cmd->rows; r += lanes) {
            const uint32_t n = cmd->rows - r < lanes ? cmd->rows - r : lanes;
            for (uint32_t i = 0; i < lanes; i++) {
                w->expected[w->y_count * lanes + i] =
                    i < n ? (int32_t)w->sums[(size_t)p * w->config.rows + r + i] : 0;
            }
            w->ys[w->y_count++] = (lpu_array_beat){(uint32_t)w->cmd_count - 1, w->tiles, p, r, n};
        }
    }
}

void lpu_array_work_tile(lpu_array_work *w, const lpu_array_cmd *cmd, const int8_t *digits,
                         const int8_t *x, bool has_noise)
{
    const lpu_array_config *c = &w->config;
    const uint32_t of_line = cmd->is_column ? c->rows : c->cols;
    const size_t used = lpu_ternary_bytes(c->code, of_line);
    const size_t beats = (cmd->lines + c->lines - 1) / c->lines;
    const size_t beat_bytes = (size_t)c->lines * w->line_bytes;

    if (!grow(w, (void **)&w->cmds, &w->cmd_room, w->cmd_count, 1, sizeof(*cmd)) ||
        !grow(w, (void **)&w->beats, &w->beat_room, w->beat_count, beats, beat_bytes) ||
        !grow(w, (void **)&w->vectors, &w->vector_room, w->vector_count, cmd->passes, c->cols))
        return;
    w->cmds[w->cmd_count++] = *cmd;
    for (size_t line = 0; line < beats * c->lines; line++) {
        uint8_t *bytes = w->beats + w->beat_count * beat_bytes + line * w->line_bytes;
        for (uint32_t i = 0; i < w->line_bytes; i++)
            bytes[i] = has_noise ? (uint8_t)lpu_array_work_next(&w->random) : 0;
        if (line >= cmd->lines) continue;
        memset(bytes, 0, used);
        lpu_ternary_encode(c->code, bytes, digits + line * of_line, of_line);
    }
    w->beat_count += beats;
    memcpy(w->vectors + w->vector_count * c->cols, x, (size_t)cmd->passes * c->cols);
    w->vector_count += cmd->passes;
    add_up(w, cmd, digits, x);
    if (cmd->is_last) drain(w, cmd);
}

void lpu_array_work_illegal(lpu_array_work *w, const lpu_array_cmd *cmd, int8_t *digits,
                            const int8_t *x, uint32_t line, uint32_t byte)
{
    const lpu_array_config *c = &w->config;
    const uint32_t of_line = cmd->is_column ? c->rows : c->cols;
    const uint32_t per_byte = (uint32_t)lpu_ternary_per_byte(c->code);
    const size_t beat_bytes = (size_t)c->lines * w->line_bytes;
    const size_t at = w->beat_count * beat_bytes + (size_t)line * w->line_bytes + byte;

    for (uint32_t d = byte * per_byte; d < (byte + 1) * per_byte && d < of_line; d++)
        digits[(size_t)line * of_line + d] = 0;
    lpu_array_work_tile(w, cmd, digits, x, false);
    if (w->is_short) return;
    w->beats[at] = c->code == LPU_CODE_BASE3 ? (uint8_t)(243 + line % 13) : 0xaa;
}
