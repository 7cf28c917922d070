/* rtl/verify/top_rtl.hh - the pins of a verilated lpu_top, without its class.
 *
 * A clock: outputs are read, inputs decided from them, settle puts them on and lets them through,
 * and clock takes the edge.
 */
#ifndef LPU_RTL_VERIFY_TOP_RTL_HH
#define LPU_RTL_VERIFY_TOP_RTL_HH

#include <cstddef>
#include <cstdint>

enum { TOP_RETIRING_UNITS = 4 }; /* stream, array, vector, store */

struct top_out {
    /* From registers: valid before settle. */
    bool arvalid, awvalid, wvalid, wlast, rready, bready;
    uint64_t araddr, awaddr;
    uint32_t arid, awid, arlen, awlen;
    const uint8_t *wdata;
    uint64_t wstrb[4]; /* a bit for each byte of the bus */
    bool irq, run, sync; /* run: a cycle of run_cycles */
    /* Those may follow inputs: valid after settle. */
    bool is_issue;
    uint32_t issue_pc;
    uint32_t retires; /* a bit for each unit */
    uint32_t retire_pc[TOP_RETIRING_UNITS];
    bool awready, wready, bvalid, arready, rvalid; /* of the host's port */
    uint32_t rdata, rresp, bresp;
};

struct top_in {
    bool arready, awready, wready, rvalid, rlast, bvalid, sync_ack;
    uint32_t rid, bid, rresp, bresp;
    const uint8_t *rdata; /* a beat, or NULL */
    /* The host's port. */
    bool host_awvalid, host_wvalid, host_bready, host_arvalid, host_rready;
    uint32_t host_address, host_wdata;
};

/* seed: of registers without reset. window: clocks [from, to) go to trace_path, where the model was
 * built to trace. */
void top_rtl_open(uint64_t seed, const char *trace_path, uint64_t from, uint64_t to);
void top_rtl_close(const char *coverage_path); /* or NULL */
void top_rtl_reset();
void top_rtl_read(top_out *out);
void top_rtl_settle(const top_in *in, top_out *out);
bool top_rtl_clock(); /* false after $finish or $stop */
uint64_t top_rtl_clocks();

#endif
