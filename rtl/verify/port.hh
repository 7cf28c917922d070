/* rtl/verify/port.hh - one clocked array behind its ports: the verilated one, or the golden model.
 */
#ifndef LPU_RTL_VERIFY_PORT_HH
#define LPU_RTL_VERIFY_PORT_HH

#include <cstdint>

extern "C" {
#include "sim/unit_array.h"
}

/* What the array shows for the inputs of this cycle. */
struct port_out {
    bool cmd_ready, w_ready, x_ready, y_valid, is_idle;
    const int32_t *y; /* (out_lanes) */
};

/* The array that was verilated. reset also starts it, with registers at random values. */
void rtl_open(const lpu_array_config *config, uint64_t seed);
void rtl_reset();
void rtl_eval(const lpu_array_in *in, port_out *out); /* inputs in, outputs settled, no clock */
bool rtl_clock();                                     /* the edge; false after $finish */
void rtl_close();

#endif
