/* tests/lockstep/array_matrix.cc - one matrix of a model through the RTL and its C model, cycle by
 * cycle, and every sum against the definition.
 *
 *     array_matrix [--rows N] [--cols N] [--tokens N] [--seed N] [--max-cycles N] [--json]
 *
 * y = W x for rows x cols ternary weights (two in five are zeros) and int8 activations. W is cut
 * into blocks of the array's rows, and each block into tiles of its columns, whose sums stay in
 * the accumulators. Weights and activations are always there: the cycles are the array's own.
 * With max-cycles the last row blocks are left out once that many cycles are reached.
 */
#include "tests/lockstep/array_work.h"

#include <chrono>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace
{

struct request {
    uint32_t rows, cols, tokens;
    uint64_t seed, max_cycles;
    bool is_json;
};

struct report {
    uint64_t macs, lane_adds, cycles_rtl, cycles_sim, differences, tiles, rows_done;
    double rtl_s, sim_s;
    std::string first;
};

double seconds_now()
{
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

uint32_t min_u32(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* One block of rows: (rows, cols) digits, all of its tiles. */
void add_block(array_work *work, const int8_t *w, const int8_t *x, uint32_t rows,
               const request *want)
{
    const uint32_t tile_cols = work->config->cols;
    std::vector<int8_t> digits((size_t)work->config->rows * tile_cols);
    std::vector<int8_t> vectors((size_t)want->tokens * tile_cols);

    for (uint32_t k = 0; k < want->cols; k += tile_cols) {
        const uint32_t cols = min_u32(tile_cols, want->cols - k);
        memset(digits.data(), 0, digits.size());
        memset(vectors.data(), 0, vectors.size());
        for (uint32_t r = 0; r < rows; r++)
            memcpy(&digits[(size_t)r * tile_cols], w + (size_t)r * want->cols + k, cols);
        for (uint32_t t = 0; t < want->tokens; t++)
            memcpy(&vectors[(size_t)t * tile_cols], x + (size_t)t * want->cols + k, cols);
        lpu_array_cmd cmd = {};
        cmd.lines = cmd.rows = rows;
        cmd.passes = want->tokens;
        cmd.accum = k ? LPU_ACCUM_ADD : LPU_ACCUM_CLEAR;
        cmd.is_last = k + tile_cols >= want->cols;
        array_work_tile(work, &cmd, digits.data(), vectors.data(), nullptr);
    }
}

/* The definition once more, over the whole row: y[t][r] = sum over k of w[r][k] * x[t][k]. */
uint64_t check_block(const array_work *work, const int8_t *w, const int8_t *x, uint32_t rows,
                     const request *want)
{
    const uint32_t lanes = work->config->out_lanes;
    uint64_t wrong = 0;
    for (uint32_t t = 0; t < want->tokens; t++) {
        for (uint32_t r = 0; r < rows; r++) {
            int32_t sum = 0;
            for (uint32_t k = 0; k < want->cols; k++)
                sum += w[(size_t)r * want->cols + k] * x[(size_t)t * want->cols + k];
            const size_t beats = (rows + lanes - 1) / lanes;
            const size_t at = (t * beats + r / lanes) * lanes + r % lanes;
            wrong += work->expected[at] != sum;
        }
    }
    return wrong;
}

/* The same streams through the C model alone, to time it and to count its cycles by itself. */
uint64_t run_sim(const array_work *work, uint64_t *wrong)
{
    lpu_array *a;
    lpu_diag diag;
    lpu_array_out out;
    const size_t beat_bytes = (size_t)work->config->lines * work->line_bytes;
    const size_t lanes = work->config->out_lanes;
    size_t cmd = 0, beat = 0, vector = 0, y = 0;
    uint64_t cycles = 0;

    if (lpu_array_open(&a, work->config, &diag)) return 0;
    for (lpu_array_outputs(a, &out); !out.is_idle || cmd < work->cmds.size();
         lpu_array_outputs(a, &out)) {
        lpu_array_in in = {};
        in.cmd_valid = cmd < work->cmds.size();
        in.w_valid = beat < work->beats.size() / beat_bytes;
        in.x_valid = vector < work->vectors.size() / work->config->cols;
        in.y_ready = true;
        if (in.cmd_valid) in.cmd = work->cmds[cmd];
        in.w_data = work->beats.data() + beat * beat_bytes;
        in.x_data = work->vectors.data() + vector * work->config->cols;
        if (out.y_valid) {
            for (size_t i = 0; i < work->counted[y]; i++)
                *wrong += out.y_data[i] != work->expected[y * lanes + i];
            y++;
        }
        cmd += in.cmd_valid && out.cmd_ready;
        beat += in.w_valid && out.w_ready;
        vector += in.x_valid && out.x_ready;
        lpu_array_step(a, &in);
        cycles++;
    }
    *wrong += y != work->counted.size();
    lpu_array_close(&a);
    return cycles + 1; /* the cycle in which idle is seen, as array_work_run counts it */
}

report run(const request *want, array_pair *pair)
{
    report found = {};
    array_random random = {want->seed};
    array_work work;
    std::vector<int8_t> x((size_t)want->tokens * want->cols);
    const array_stalls never = {256, 256, 256, 256};

    for (int8_t &v : x) v = (int8_t)((int)array_random_below(&random, 255) - 127);
    for (uint32_t row = 0; row < want->rows; row += pair->config.rows) {
        const uint32_t rows = min_u32(pair->config.rows, want->rows - row);
        std::vector<int8_t> w((size_t)rows * want->cols);
        for (int8_t &v : w) {
            const uint32_t dice = array_random_below(&random, 10);
            v = dice < 4 ? 0 : dice < 7 ? 1 : -1;
        }
        array_work_init(&work, pair);
        add_block(&work, w.data(), x.data(), rows, want);
        found.differences += check_block(&work, w.data(), x.data(), rows, want);

        double begin_s = seconds_now();
        const array_result result = array_work_run(&work, pair, &never, &random, UINT64_MAX);
        found.rtl_s += seconds_now() - begin_s;
        found.differences += result.wrong + !result.is_ended;
        found.cycles_rtl += result.cycles;
        found.lane_adds += result.lane_adds;
        if (found.first.empty()) found.first = result.first;

        begin_s = seconds_now();
        found.cycles_sim += run_sim(&work, &found.differences);
        found.sim_s += seconds_now() - begin_s;
        found.tiles += work.cmds.size();
        found.rows_done += rows;
        found.macs += (uint64_t)rows * want->cols * want->tokens;
        if (pair->differences || (want->max_cycles && found.cycles_rtl >= want->max_cycles)) break;
    }
    found.differences += pair->differences;
    if (found.first.empty()) found.first = pair->first;
    return found;
}

void print_json(const request *want, const report *found, const lpu_array_config *c)
{
    printf("{\"array_rows\": %u, \"array_cols\": %u, \"rows\": %u, \"cols\": %u, \"tokens\": %u, "
           "\"rows_done\": %" PRIu64 ", \"tiles\": %" PRIu64 ", \"macs\": %" PRIu64
           ", \"lane_adds\": %" PRIu64 ", \"cycles_rtl\": %" PRIu64 ", \"cycles_sim\": %" PRIu64
           ", \"differences\": %" PRIu64
           ", \"rtl_cycles_per_s\": %.0f, \"sim_cycles_per_s\": %.0f, "
           "\"rtl_s\": %.3f, \"seed\": %" PRIu64 "}\n",
           c->rows, c->cols, want->rows, want->cols, want->tokens, found->rows_done, found->tiles,
           found->macs, found->lane_adds, found->cycles_rtl, found->cycles_sim, found->differences,
           (double)found->cycles_rtl / found->rtl_s, (double)found->cycles_sim / found->sim_s,
           found->rtl_s, want->seed);
}

bool parse(request *want, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : "0";
        if (!strcmp(argv[i], "--json")) {
            want->is_json = true;
            continue;
        }
        if (!strcmp(argv[i], "--rows")) want->rows = (uint32_t)strtoul(value, nullptr, 0);
        else if (!strcmp(argv[i], "--cols")) want->cols = (uint32_t)strtoul(value, nullptr, 0);
        else if (!strcmp(argv[i], "--tokens")) want->tokens = (uint32_t)strtoul(value, nullptr, 0);
        else if (!strcmp(argv[i], "--seed")) want->seed = strtoull(value, nullptr, 0);
        else if (!strcmp(argv[i], "--max-cycles")) want->max_cycles = strtoull(value, nullptr, 0);
        else return false;
        i++;
    }
    return want->rows && want->cols && want->tokens && want->rows <= 1 << 20 &&
           want->cols <= 1 << 20;
}

} // namespace

int main(int argc, char **argv)
{
    request want = {640, 2560, 1, 1, 0, false};
    array_pair pair;

    if (!parse(&want, argc, argv)) {
        fprintf(stderr, "usage: array_matrix [--rows N] [--cols N] [--tokens N] [--seed N] "
                        "[--max-cycles N] [--json]\n");
        return 2;
    }
    array_pair_open(&pair, want.seed);
    if (want.tokens > pair.config.passes_max) {
        fprintf(stderr, "array_matrix: %u tokens, expected at most %u\n", want.tokens,
                pair.config.passes_max);
        return 2;
    }
    const report found = run(&want, &pair);
    if (want.is_json) print_json(&want, &found, &pair.config);
    else
        printf("%" PRIu64 " x %u x %u: %" PRIu64 " cycles in the RTL, %" PRIu64
               " in the model, %" PRIu64 " differences, %.0f and %.0f cycles/s\n",
               found.rows_done, want.cols, want.tokens, found.cycles_rtl, found.cycles_sim,
               found.differences, (double)found.cycles_rtl / found.rtl_s,
               (double)found.cycles_sim / found.sim_s);
    if (found.differences) fprintf(stderr, "array_matrix: %s\n", found.first.c_str());
    const bool is_equal = !found.differences && found.cycles_rtl == found.cycles_sim;
    array_pair_close(&pair);
    return !is_equal;
}
