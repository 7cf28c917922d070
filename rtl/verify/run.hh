/* rtl/verify/run.hh - one case through one array: handshakes kept and judged, sums compared. */
#ifndef LPU_RTL_VERIFY_RUN_HH
#define LPU_RTL_VERIFY_RUN_HH

#include "rtl/verify/port.hh"

#include <string>
#include <vector>

extern "C" {
#include "sim/array_work.h"
}

/* How the harness behaves at the ports: chances, in 1/256, that a stream is offered or taken. */
struct run_pace {
    const char *name;
    uint32_t cmd, w, x, y;
    bool y_waits; /* y_ready_i only after y_valid_o was seen */
};

enum run_fault {
    RUN_EQUAL,
    RUN_VALUE,    /* a sum is not the definition's */
    RUN_PROTOCOL, /* y_valid_o fell, y_data_o changed, a beat too many, idle_o with work left */
    RUN_STUCK,    /* nothing moved for bound_cycles */
    RUN_FINISHED, /* $finish */
    RUN_CYCLES,   /* not in the cycle of the golden model, where that was asked for */
};

struct run_result {
    run_fault fault;
    uint64_t cycles;                /* to the first idle with everything done, or to the fault */
    std::string text;               /* one clause: what was seen */
    uint32_t tile, pass, row, lane; /* RUN_VALUE: where */
    int32_t expected, found;
    uint64_t passes, sums;
    std::vector<uint64_t> moved[4]; /* cycles of the transfers of cmd, w, x, y */
};

/* Runs work through the RTL, or through the golden model, from idle. Stops after stop_cycles, for a
 * reset in the middle; then fault is RUN_EQUAL if nothing was wrong so far. */
run_result run_work(const lpu_array_work *work, bool is_model, const run_pace *pace, uint64_t seed,
                    uint64_t bound_cycles, uint64_t stop_cycles);

/* The first transfer that is not in the model's cycle; empty if there is none. */
std::string run_compare_cycles(const run_result *rtl, const run_result *model);

#endif
