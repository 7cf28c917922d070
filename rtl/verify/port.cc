/* rtl/verify/port.cc - the only file that knows the verilated class. */
#include "rtl/verify/port.hh"

#include "Vlpu_verify_top.h"
#include "verilated.h"

#include <cstring>
#include <memory>
#include <vector>

static std::unique_ptr<VerilatedContext> context;
static std::unique_ptr<Vlpu_verify_top> rtl;
static lpu_array_config config;
static std::vector<uint8_t> noise; /* on data ports that carry nothing */

/* Verilated ports are little-endian words of 1, 2, 4, 8 or n x 4 bytes. */
template <typename port> static void drive(port &p, const void *data, size_t bytes)
{
    memset(&p, 0, sizeof(p));
    memcpy(&p, data, bytes < sizeof(p) ? bytes : sizeof(p));
}

static size_t beat_bytes()
{
    return (size_t)config.lines * lpu_array_line_bytes(&config);
}

void rtl_open(const lpu_array_config *wanted, uint64_t seed)
{
    config = *wanted;
    noise.resize(beat_bytes() + config.cols);
    for (uint8_t &byte : noise) {
        seed = seed * 6364136223846793005u + 1442695040888963407u; /* Knuth's MMIX */
        byte = (uint8_t)(seed >> 56);
    }
    context = std::make_unique<VerilatedContext>();
    context->randReset(2); /* registers without reset start at random values */
    context->randSeed((int)(seed >> 33) | 1);
    rtl = std::make_unique<Vlpu_verify_top>(context.get());
    rtl_reset();
}

void rtl_reset()
{
    rtl->cmd_valid_i = rtl->w_valid_i = rtl->x_valid_i = rtl->y_ready_i = 0;
    rtl->clk_i = 0;
    rtl->rst_ni = 1;
    rtl->eval();
    rtl->rst_ni = 0;
    rtl->eval();
    for (int i = 0; i < 2; i++) { /* edges too, for a synchronous reset */
        rtl->clk_i = 1;
        rtl->eval();
        rtl->clk_i = 0;
        rtl->eval();
    }
    rtl->rst_ni = 1;
    rtl->eval();
}

void rtl_eval(const lpu_array_in *in, port_out *out)
{
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
    drive(rtl->w_data_i, in->w_valid ? in->w_data : noise.data(), beat_bytes());
    drive(rtl->x_data_i, in->x_valid ? (const uint8_t *)in->x_data : noise.data(), config.cols);
    rtl->clk_i = 0;
    rtl->eval();
    out->cmd_ready = rtl->cmd_ready_o;
    out->w_ready = rtl->w_ready_o;
    out->x_ready = rtl->x_ready_o;
    out->y_valid = rtl->y_valid_o;
    out->is_idle = rtl->idle_o;
    out->y = (const int32_t *)&rtl->y_data_o;
}

bool rtl_clock()
{
    rtl->clk_i = 1;
    rtl->eval();
    return !context->gotFinish();
}

void rtl_close()
{
    rtl->final();
    rtl.reset();
    context.reset();
}
