/* tests/lockstep/array_pair.cc - one clock of RTL and C model, every output compared.
 *
 * The build defines ARRAY_ROWS, _COLS, _LINES, _PASSES, _LANES and _CODE as the parameters that the
 * RTL was verilated with.
 */
#include "tests/lockstep/array_pair.h"

#include "Vlpu_array.h"
#include "verilated.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>

struct array_rtl {
    std::unique_ptr<VerilatedContext> context;
    std::unique_ptr<Vlpu_array> model;
};

/* Verilated ports are little-endian words of 1, 2, 4, 8 or n x 4 bytes. */
template <typename port> static void drive(port &p, const void *data, size_t bytes)
{
    memset(&p, 0, sizeof(p));
    memcpy(&p, data, bytes < sizeof(p) ? bytes : sizeof(p));
}

static void differ(array_pair *pair, const char *signal, long long rtl, long long sim)
{
    char text[160];
    if (pair->differences++) return;
    snprintf(text, sizeof(text), "cycle %llu: %s is %lld in the RTL, %lld in the model",
             (unsigned long long)pair->cycles, signal, rtl, sim);
    pair->first = text;
}

static void sim_open(array_pair *pair)
{
    lpu_diag diag;
    lpu_array_close(&pair->sim);
    if (lpu_array_open(&pair->sim, &pair->config, &diag)) {
        printf("not ok array: %s\n", diag.text);
        exit(1);
    }
}

void array_pair_reset(array_pair *pair)
{
    Vlpu_array *rtl = pair->rtl->model.get();
    sim_open(pair);
    rtl->cmd_valid_i = rtl->w_valid_i = rtl->x_valid_i = rtl->y_ready_i = 0;
    rtl->clk_i = 0;
    rtl->rst_ni = 1;
    rtl->eval();
    rtl->rst_ni = 0;
    rtl->eval();
    rtl->clk_i = 1;
    rtl->eval();
    rtl->clk_i = 0;
    rtl->rst_ni = 1;
    rtl->eval();
}

void array_pair_open(array_pair *pair, uint64_t seed)
{
    pair->config = {};
    pair->config.rows = ARRAY_ROWS;
    pair->config.cols = ARRAY_COLS;
    pair->config.lines = ARRAY_LINES;
    pair->config.passes_max = ARRAY_PASSES;
    pair->config.out_lanes = ARRAY_LANES;
    pair->config.code = (lpu_code)ARRAY_CODE;
    pair->config.has_values = true;
    pair->line_bytes = lpu_array_line_bytes(&pair->config);
    pair->cycles = pair->differences = 0;
    pair->sim = nullptr;
    pair->y.resize(pair->config.out_lanes);
    pair->noise.resize((size_t)pair->config.lines * pair->line_bytes + pair->config.cols);
    for (uint8_t &byte : pair->noise) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        byte = (uint8_t)(seed >> 56);
    }
    pair->rtl = new array_rtl;
    pair->rtl->context = std::make_unique<VerilatedContext>();
    pair->rtl->context->randReset(2); /* registers without reset start at random values */
    pair->rtl->context->randSeed((int)(seed >> 33) | 1);
    pair->rtl->model = std::make_unique<Vlpu_array>(pair->rtl->context.get());
    array_pair_reset(pair);
}

void array_pair_close(array_pair *pair)
{
    pair->rtl->model->final();
    delete pair->rtl;
    pair->rtl = nullptr;
    lpu_array_close(&pair->sim);
}

/* A data port that carries nothing shows noise, so that nobody can use it by mistake. */
static void drive_inputs(array_pair *pair, const lpu_array_in *in)
{
    Vlpu_array *rtl = pair->rtl->model.get();
    const size_t beat_bytes = (size_t)pair->config.lines * pair->line_bytes;

    rtl->cmd_valid_i = in->cmd_valid;
    rtl->w_valid_i = in->w_valid;
    rtl->x_valid_i = in->x_valid;
    rtl->y_ready_i = in->y_ready;
    if (in->cmd_valid) {
        rtl->cmd_lines_i = (decltype(rtl->cmd_lines_i))in->cmd.lines;
        rtl->cmd_rows_i = (decltype(rtl->cmd_rows_i))in->cmd.rows;
        rtl->cmd_passes_i = (decltype(rtl->cmd_passes_i))in->cmd.passes;
        rtl->cmd_accum_i = (CData)in->cmd.accum;
        rtl->cmd_column_i = in->cmd.is_column;
        rtl->cmd_last_i = in->cmd.is_last;
    }
    drive(rtl->w_data_i, in->w_valid ? in->w_data : pair->noise.data(), beat_bytes);
    drive(rtl->x_data_i, in->x_valid ? (const uint8_t *)in->x_data : pair->noise.data(),
          pair->config.cols);
}

static void compare_y(array_pair *pair, const int32_t *sim)
{
    const int32_t *rtl = (const int32_t *)&pair->rtl->model->y_data_o;
    if (memcmp(rtl, sim, pair->config.out_lanes * sizeof(int32_t)) == 0) return;
    for (uint32_t i = 0; i < pair->config.out_lanes; i++) {
        char name[32];
        snprintf(name, sizeof(name), "y_data[%u]", i);
        if (rtl[i] != sim[i]) differ(pair, name, rtl[i], sim[i]);
    }
}

array_cycle array_pair_step(array_pair *pair, const lpu_array_in *in)
{
    Vlpu_array *rtl = pair->rtl->model.get();
    lpu_array_out out;
    array_cycle cycle;

    drive_inputs(pair, in);
    rtl->clk_i = 0;
    rtl->eval();

    lpu_array_outputs(pair->sim, &out);
    if (rtl->y_valid_o && out.y_valid) compare_y(pair, out.y_data);
    cycle.state = lpu_array_step(pair->sim, in);
    cycle.lane_adds = cycle.state == LPU_ARRAY_PASS ? out.lane_adds : 0;
    const uint32_t lanes = pair->config.rows * pair->config.cols;
    const uint32_t skips = cycle.state == LPU_ARRAY_PASS ? lanes - out.lane_adds : 0;

    if (rtl->cmd_ready_o != out.cmd_ready)
        differ(pair, "cmd_ready", rtl->cmd_ready_o, out.cmd_ready);
    if (rtl->w_ready_o != out.w_ready) differ(pair, "w_ready", rtl->w_ready_o, out.w_ready);
    if (rtl->x_ready_o != out.x_ready) differ(pair, "x_ready", rtl->x_ready_o, out.x_ready);
    if (rtl->y_valid_o != out.y_valid) differ(pair, "y_valid", rtl->y_valid_o, out.y_valid);
    if (rtl->idle_o != out.is_idle) differ(pair, "idle", rtl->idle_o, out.is_idle);
    if (rtl->state_o != cycle.state) differ(pair, "state", rtl->state_o, cycle.state);
    if (rtl->ev_illegal_o != out.is_illegal)
        differ(pair, "ev_illegal", rtl->ev_illegal_o, out.is_illegal);
    if (rtl->ev_lane_adds_o != cycle.lane_adds)
        differ(pair, "ev_lane_adds", rtl->ev_lane_adds_o, cycle.lane_adds);
    if (rtl->ev_lane_skips_o != skips) differ(pair, "ev_lane_skips", rtl->ev_lane_skips_o, skips);

    cycle.cmd_taken = in->cmd_valid && rtl->cmd_ready_o;
    cycle.w_taken = in->w_valid && rtl->w_ready_o;
    cycle.x_taken = in->x_valid && rtl->x_ready_o;
    cycle.y_taken = in->y_ready && rtl->y_valid_o;
    cycle.is_idle = rtl->idle_o;
    cycle.y_data = pair->y.data();
    if (cycle.y_taken) memcpy(pair->y.data(), &rtl->y_data_o, pair->y.size() * sizeof(int32_t));

    rtl->clk_i = 1;
    rtl->eval();
    pair->cycles++;
    return cycle;
}
