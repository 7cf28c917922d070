/* rtl/verify/top_rtl.cc - the only file of the whole-program harness that knows the verilated
 * class.
 */
#include "rtl/verify/top_rtl.hh"

#include "Vtop.h"
#include "verilated.h"
#if VM_TRACE_FST
#include "verilated_fst_c.h"
#endif
#if VM_COVERAGE
#include "verilated_cov.h"
#endif

#include <cstdio>
#include <cstring>
#include <memory>

static std::unique_ptr<VerilatedContext> context;
static std::unique_ptr<Vtop> rtl;
static uint64_t clocks;
#if VM_TRACE_FST
static std::unique_ptr<VerilatedFstC> trace;
static uint64_t trace_from, trace_to;
#endif

/* An assertion of the Verilog: the run ends as by $finish (the library is built with VL_USER_STOP).
 */
void vl_stop(const char *file, int line, const char *) VL_MT_UNSAFE
{
    printf("%s:%d: $stop\n", file, line);
    context->gotFinish(true);
}

/* Verilated ports are little-endian words of 1, 2, 4, 8 or n x 4 bytes. */
template <typename port> static void drive(port &p, const void *data)
{
    if (data) memcpy(&p, data, sizeof(p));
}

template <typename port> static void take(const port &p, void *to, size_t bytes)
{
    memset(to, 0, bytes);
    memcpy(to, &p, sizeof(p) < bytes ? sizeof(p) : bytes);
}

static void dump(int phase)
{
#if VM_TRACE_FST
    if (trace && clocks >= trace_from && clocks < trace_to)
        trace->dump(2 * clocks + (uint64_t)phase);
#endif
    (void)phase;
}

void top_rtl_open(uint64_t seed, const char *trace_path, uint64_t from, uint64_t to)
{
    context = std::make_unique<VerilatedContext>();
    context->randReset(2); /* what has no reset starts at random values */
    context->randSeed((int)(seed * 2654435761u >> 1 & 0x7ffffffe) | 1);
#if VM_TRACE_FST
    context->traceEverOn(trace_path != nullptr);
#endif
    rtl = std::make_unique<Vtop>(context.get());
#if VM_TRACE_FST
    if (trace_path) {
        enum { ALL_LEVELS = 99 };
        trace_from = from;
        trace_to = to;
        trace = std::make_unique<VerilatedFstC>();
        rtl->trace(trace.get(), ALL_LEVELS);
        trace->open(trace_path);
    }
#endif
    (void)trace_path, (void)from, (void)to;
    clocks = 0;
    top_rtl_reset();
}

void top_rtl_close(const char *coverage_path)
{
    rtl->final();
#if VM_TRACE_FST
    if (trace) trace->close();
    trace.reset();
#endif
#if VM_COVERAGE
    if (coverage_path) context->coveragep()->write(coverage_path);
#endif
    (void)coverage_path;
    rtl.reset();
    context.reset();
}

void top_rtl_reset()
{
    const top_in none = {};
    top_out out;

    rtl->clk_i = 0;
    rtl->rst_ni = 1;
    rtl->eval();
    rtl->rst_ni = 0;
    rtl->eval();
    for (int i = 0; i < 2; i++) {
        top_rtl_settle(&none, &out);
        top_rtl_clock();
    }
    rtl->rst_ni = 1;
    rtl->eval();
}

void top_rtl_read(top_out *out)
{
    out->arvalid = rtl->m_axi_arvalid_o;
    out->araddr = rtl->m_axi_araddr_o;
    out->arid = rtl->m_axi_arid_o;
    out->arlen = rtl->m_axi_arlen_o;
    out->awvalid = rtl->m_axi_awvalid_o;
    out->awaddr = rtl->m_axi_awaddr_o;
    out->awid = rtl->m_axi_awid_o;
    out->awlen = rtl->m_axi_awlen_o;
    out->wvalid = rtl->m_axi_wvalid_o;
    out->wlast = rtl->m_axi_wlast_o;
    out->wdata = (const uint8_t *)&rtl->m_axi_wdata_o;
    take(rtl->m_axi_wstrb_o, out->wstrb, sizeof(out->wstrb));
    out->rready = rtl->m_axi_rready_o;
    out->bready = rtl->m_axi_bready_o;
    out->irq = rtl->irq_o;
    out->run = rtl->run_o;
    out->sync = rtl->sync_o;
}

static void put(const top_in *in)
{
    rtl->m_axi_arready_i = in->arready;
    rtl->m_axi_awready_i = in->awready;
    rtl->m_axi_wready_i = in->wready;
    rtl->m_axi_rvalid_i = in->rvalid;
    rtl->m_axi_rlast_i = in->rlast;
    rtl->m_axi_rresp_i = (CData)in->rresp;
    rtl->m_axi_rid_i = (decltype(rtl->m_axi_rid_i))in->rid;
    drive(rtl->m_axi_rdata_i, in->rdata);
    rtl->m_axi_bvalid_i = in->bvalid;
    rtl->m_axi_bresp_i = (CData)in->bresp;
    rtl->m_axi_bid_i = (decltype(rtl->m_axi_bid_i))in->bid;
    rtl->sync_ack_i = in->sync_ack;
    rtl->s_axil_awvalid_i = in->host_awvalid;
    rtl->s_axil_awaddr_i = (SData)in->host_address;
    rtl->s_axil_wvalid_i = in->host_wvalid;
    rtl->s_axil_wdata_i = in->host_wdata;
    rtl->s_axil_wstrb_i = 15;
    rtl->s_axil_bready_i = in->host_bready;
    rtl->s_axil_arvalid_i = in->host_arvalid;
    rtl->s_axil_araddr_i = (SData)in->host_address;
    rtl->s_axil_rready_i = in->host_rready;
}

void top_rtl_settle(const top_in *in, top_out *out)
{
    put(in);
    rtl->clk_i = 0;
    rtl->eval();
    out->is_issue = rtl->trace_issue_o;
    out->issue_pc = rtl->trace_issue_pc_o;
    out->retires = rtl->trace_retire_o;
    uint64_t words[2];
    take(rtl->trace_retire_pc_o, words, sizeof(words));
    const uint32_t bits = TOP_PC_BITS;
    for (uint32_t u = 0; u < TOP_RETIRING_UNITS; u++) {
        const unsigned __int128 all = (unsigned __int128)words[1] << 64 | words[0];
        out->retire_pc[u] = (uint32_t)(all >> (u * bits)) & ((1u << bits) - 1);
    }
    out->awready = rtl->s_axil_awready_o;
    out->wready = rtl->s_axil_wready_o;
    out->bvalid = rtl->s_axil_bvalid_o;
    out->bresp = rtl->s_axil_bresp_o;
    out->arready = rtl->s_axil_arready_o;
    out->rvalid = rtl->s_axil_rvalid_o;
    out->rdata = rtl->s_axil_rdata_o;
    out->rresp = rtl->s_axil_rresp_o;
}

bool top_rtl_clock()
{
    dump(0);
    rtl->clk_i = 1;
    rtl->eval();
    dump(1);
    clocks++;
    return !context->gotFinish();
}

uint64_t top_rtl_clocks()
{
    return clocks;
}
