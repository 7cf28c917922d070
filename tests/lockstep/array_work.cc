/* tests/lockstep/array_work.cc - streams for the array and the scalar oracle of what it adds up. */
#include "tests/lockstep/array_work.h"

#include <cstdio>
#include <cstring>

uint64_t array_random_next(array_random *random)
{
    uint64_t z = random->state += 0x9e3779b97f4a7c15u; /* splitmix64, Steele et al. 2014 */
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

uint32_t array_random_below(array_random *random, uint32_t limit)
{
    return (uint32_t)((array_random_next(random) >> 32) * limit >> 32);
}

void array_work_init(array_work *work, const array_pair *pair)
{
    work->config = &pair->config;
    work->line_bytes = pair->line_bytes;
    work->cmds.clear();
    work->beats.clear();
    work->vectors.clear();
    work->expected.clear();
    work->counted.clear();
    work->sums.assign((size_t)pair->config.passes_max * pair->config.rows, 0);
}

/* sums[p][r] = 0, itself or 3 times itself, + sum over k of w[r][k] * x[p][k] */
static void add_up(array_work *work, const lpu_array_cmd *cmd, const int8_t *digits,
                   const int8_t *x)
{
    const uint32_t rows = work->config->rows, cols = work->config->cols;
    const uint32_t of_line = cmd->is_column ? rows : cols;

    for (uint32_t p = 0; p < cmd->passes; p++) {
        for (uint32_t r = 0; r < rows; r++) {
            uint32_t &sum = work->sums[(size_t)p * rows + r];
            int64_t partial = 0;
            for (uint32_t k = 0; k < cols; k++) {
                const uint32_t line = cmd->is_column ? k : r, digit = cmd->is_column ? r : k;
                if (line >= cmd->lines) continue;
                partial +=
                    (int64_t)digits[(size_t)line * of_line + digit] * x[(size_t)p * cols + k];
            }
            const uint32_t scale = cmd->accum == LPU_ACCUM_CLEAR ? 0
                                   : cmd->accum == LPU_ACCUM_ADD ? 1
                                                                 : 3;
            sum = scale * sum + (uint32_t)partial;
        }
    }
    if (!cmd->is_last) return;
    const uint32_t lanes = work->config->out_lanes;
    for (uint32_t p = 0; p < cmd->passes; p++) {
        for (uint32_t r = 0; r < cmd->rows; r += lanes) {
            for (uint32_t i = 0; i < lanes; i++)
                work->expected.push_back((int32_t)work->sums[(size_t)p * rows + r + i]);
            work->counted.push_back(cmd->rows - r < lanes ? cmd->rows - r : lanes);
        }
    }
}

void array_work_tile(array_work *work, const lpu_array_cmd *cmd, const int8_t *digits,
                     const int8_t *x, array_random *noise)
{
    const lpu_array_config *c = work->config;
    const uint32_t of_line = cmd->is_column ? c->rows : c->cols;
    const uint32_t used = (uint32_t)lpu_ternary_bytes(c->code, of_line);
    const uint32_t padded = (cmd->lines + c->lines - 1) / c->lines * c->lines;

    work->cmds.push_back(*cmd);
    for (uint32_t line = 0; line < padded; line++) {
        std::vector<uint8_t> bytes(work->line_bytes);
        for (uint8_t &byte : bytes) byte = noise ? (uint8_t)array_random_next(noise) : 0;
        if (line < cmd->lines) {
            memset(bytes.data(), 0, used);
            lpu_ternary_encode(c->code, bytes.data(), digits + (size_t)line * of_line, of_line);
        }
        work->beats.insert(work->beats.end(), bytes.begin(), bytes.end());
    }
    work->vectors.insert(work->vectors.end(), x, x + (size_t)cmd->passes * c->cols);
    add_up(work, cmd, digits, x);
}

void array_work_illegal(array_work *work, const lpu_array_cmd *cmd, int8_t *digits, const int8_t *x,
                        uint32_t line, uint32_t byte)
{
    const lpu_array_config *c = work->config;
    const uint32_t of_line = cmd->is_column ? c->rows : c->cols;
    const uint32_t per_byte = (uint32_t)lpu_ternary_per_byte(c->code);
    const size_t at = work->beats.size() + (size_t)line * work->line_bytes + byte;

    for (uint32_t d = byte * per_byte; d < (byte + 1) * per_byte && d < of_line; d++)
        digits[(size_t)line * of_line + d] = 0;
    array_work_tile(work, cmd, digits, x, nullptr);
    work->beats[at] = c->code == LPU_CODE_BASE3 ? (uint8_t)(243 + line % 13) : 0xaa;
}

static void compare_sums(const array_work *work, array_result *result, size_t beat,
                         const int32_t *y)
{
    const uint32_t lanes = work->config->out_lanes;
    for (uint32_t i = 0; beat < work->counted.size() && i < work->counted[beat]; i++) {
        const int32_t expected = work->expected[beat * lanes + i];
        char text[128];
        if (y[i] == expected || result->wrong++) continue;
        snprintf(text, sizeof(text), "cycle %llu: y beat %zu lane %u is %d, by definition %d",
                 (unsigned long long)result->cycles, beat, i, y[i], expected);
        result->first = text;
    }
    if (beat >= work->counted.size()) result->wrong++;
}

array_result array_work_run(const array_work *work, array_pair *pair, const array_stalls *stalls,
                            array_random *random, uint64_t cycles)
{
    const size_t beat_bytes = (size_t)work->config->lines * work->line_bytes;
    const size_t beats = work->beats.size() / beat_bytes;
    const size_t vectors = work->vectors.size() / work->config->cols;
    size_t cmd = 0, beat = 0, vector = 0, y = 0;
    array_result result = {};

    while (result.cycles < cycles) {
        lpu_array_in in = {};
        const uint64_t dice = array_random_next(random);
        in.cmd_valid = cmd < work->cmds.size() && (dice & 255) < stalls->cmd;
        in.w_valid = beat < beats && (dice >> 8 & 255) < stalls->w;
        in.x_valid = vector < vectors && (dice >> 16 & 255) < stalls->x;
        in.y_ready = (dice >> 24 & 255) < stalls->y;
        if (in.cmd_valid) in.cmd = work->cmds[cmd];
        if (in.w_valid) in.w_data = work->beats.data() + beat * beat_bytes;
        if (in.x_valid) in.x_data = work->vectors.data() + vector * work->config->cols;

        const array_cycle now = array_pair_step(pair, &in);
        cmd += now.cmd_taken;
        beat += now.w_taken;
        vector += now.x_taken;
        if (now.x_taken) {
            if (!result.passes++) result.first_pass = result.cycles;
            result.last_pass = result.cycles;
            result.lane_adds += now.lane_adds;
        }
        if (now.y_taken) {
            if (y == 0) result.first_y = result.cycles;
            compare_sums(work, &result, y++, now.y_data);
        }
        result.cycles++;
        if (now.is_idle && cmd == work->cmds.size() && beat == beats && vector == vectors) {
            result.is_ended = y == work->counted.size();
            break;
        }
        if (pair->differences) break;
    }
    result.is_stuck = result.cycles == cycles;
    return result;
}
