/* cli/verify_build.c - what lpu_top can be, and the programs that judge it. */
#include "cli/verify.h"

#include "cli/report_run.h"

#include "sim/port.h"

#include <errno.h>
#include <string.h>
#include <sys/wait.h>

/* How rtl/verify/top_build.sh and sim/systemc/build.sh end. */
enum { ENDED_NO_VERILATOR = 3, ENDED_NO_BUILD, ENDED_NO_FIT, ENDED_NO_HARNESS, ENDED_NO_SYSTEMC };

enum { PROGRAM_DEPTH = 16384 }; /* instructions: a pass of a small model */

static bool is_power_of_two(uint32_t n)
{
    return n && !(n & (n - 1));
}

lpu_status lpu_verify_check_design(const lpu_design *d, lpu_diag *diag)
{
    const uint32_t burst = lpu_port_burst_bytes(&d->dram, d->bus_bytes_per_cycle);
    const struct {
        bool is_so;
        const char *expected;
    } rules[] = {
        {d->lane == LPU_LANE_ADD, "lane add: the RTL has no multiplier"},
        {d->code != LPU_CODE_B1, "code base3 or 2bit"},
        {d->residence == LPU_WEIGHTS_IN_DRAM, "residence dram"},
        {is_power_of_two(d->vector_lanes) && d->vector_lanes >= 8,
         "vector_lanes a power of two from 8 on"},
        {is_power_of_two(d->bus_bytes_per_cycle) && d->bus_bytes_per_cycle <= burst,
         "bus_bytes_per_cycle a power of two, at most a burst of the memory's port"},
        {is_power_of_two(d->fifo_kib), "fifo_kib a power of two"},
        {is_power_of_two(d->scratch_kib), "scratch_kib a power of two"},
        {d->outstanding_bursts >= 2, "outstanding_bursts at least 2"},
    };

    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        if (rules[i].is_so) continue;
        return lpu_fail(diag, LPU_ERR_RANGE, "design %s cannot be RTL, expected %s", d->name,
                        rules[i].expected);
    }
    return LPU_OK;
}

void lpu_verify_parameters(lpu_verify_parameter parameters[LPU_VERIFY_PARAMETERS],
                           const lpu_design *d, uint32_t program_depth)
{
    const lpu_verify_parameter all[LPU_VERIFY_PARAMETERS] = {
        {"Rows", d->rows},
        {"Cols", d->cols},
        {"Lines", d->lines},
        {"PassesMax", d->passes_max},
        {"VectorLanes", d->vector_lanes},
        {"Code", (uint32_t)d->code},
        {"ScratchBytes", d->scratch_kib * 1024},
        {"FifoBytes", d->fifo_kib * 1024},
        {"FillBytes", d->fill_bytes_per_cycle},
        {"BusBytes", d->bus_bytes_per_cycle},
        {"BurstBytes", lpu_port_burst_bytes(&d->dram, d->bus_bytes_per_cycle)},
        {"Outstanding", d->outstanding_bursts},
        {"StreamQueue", d->stream_queue},
        {"ProgramDepth", program_depth},
    };
    memcpy(parameters, all, sizeof(all));
}

/* ---- building ---- */

static lpu_status explain_build(int state, const char *top, const char *said_path, lpu_diag *diag)
{
    const int code = WIFEXITED(state) ? WEXITSTATUS(state) : 0;
    char line[400];

    lpu_verify_read_line(said_path, "", line, sizeof(line));
    switch (code) {
    case ENDED_NO_VERILATOR: return lpu_verify_no_verilator(diag);
    case ENDED_NO_BUILD:
        return lpu_fail(diag, LPU_ERR_FORMAT, "the Verilog does not compile: %s", line);
    case ENDED_NO_FIT:
        return lpu_fail(diag, LPU_ERR_FORMAT, "%s does not have the ports of rtl/README.md: %s",
                        top, line);
    case ENDED_NO_SYSTEMC:
        return lpu_fail(diag, LPU_ERR_IO,
                        "SystemC is not installed, and --platform systemc needs it; on Debian: "
                        "apt-get install libsystemc-dev");
    default: return lpu_fail(diag, LPU_ERR_IO, "the harness does not build: %s", line);
    }
}

int lpu_verify_wait(pid_t pid)
{
    int state = 0;
    while (waitpid(pid, &state, 0) < 0 && errno == EINTR) continue;
    return state;
}

/* By a script of the sources. */
static lpu_status build(const char *script, char *program, const lpu_verify_work *w,
                        const lpu_design *d, const char *rtl, const char *top, const char *kind,
                        lpu_diag *diag)
{
    enum { FIRST = 5, NAME_BYTES = 48 };
    lpu_verify_parameter parameters[LPU_VERIFY_PARAMETERS];
    char path[LPU_VERIFY_PATH_BYTES], out[LPU_VERIFY_PATH_BYTES + 16];
    char said[LPU_VERIFY_PATH_BYTES + 16];
    char words[LPU_VERIFY_PARAMETERS][NAME_BYTES];
    const char *argv[FIRST + LPU_VERIFY_PARAMETERS + 1] = {path, w->build, rtl, top, kind};
    pid_t pid;

    lpu_status status = lpu_verify_check_design(d, diag);
    if (status) return status;
    lpu_verify_parameters(parameters, d, PROGRAM_DEPTH);
    for (size_t i = 0; i < LPU_VERIFY_PARAMETERS; i++) {
        snprintf(words[i], sizeof(words[i]), "%s=%u", parameters[i].name, parameters[i].value);
        argv[FIRST + i] = words[i];
    }
    snprintf(path, sizeof(path), "%s/%s", lpu_array_options_home(), script);
    snprintf(out, sizeof(out), "%s/program", w->folder);
    snprintf(said, sizeof(said), "%s/said", w->folder);
    status = lpu_report_spawn(&pid, argv, out, said, diag);
    if (status) return status;
    const int state = lpu_verify_wait(pid);
    if (!WIFEXITED(state) || WEXITSTATUS(state)) return explain_build(state, top, said, diag);
    lpu_verify_read_line(out, "", program, LPU_VERIFY_PATH_BYTES);
    return LPU_OK;
}

lpu_status lpu_verify_build_top(char *program, const lpu_verify_work *w, const lpu_design *design,
                                const char *rtl, const char *top, const char *kind, lpu_diag *diag)
{
    return build("rtl/verify/top_build.sh", program, w, design, rtl, top, kind, diag);
}

lpu_status lpu_verify_build_systemc(char *program, const lpu_verify_work *w,
                                    const lpu_design *design, const char *rtl, const char *top,
                                    lpu_diag *diag)
{
    return build("sim/systemc/build.sh", program, w, design, rtl, top, "speed", diag);
}
