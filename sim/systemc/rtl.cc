/* sim/systemc/rtl.cc - pins to payloads. */
#include "sim/systemc/rtl.hh"

using namespace sc_core;
using namespace tlm;

enum { OKAY = 0, SLVERR = 2, STROBES_PER_WORD = 64 };

lpu_sc_rtl::lpu_sc_rtl(const sc_module_name &name, const lpu_design &design, uint64_t seed)
    : lpu_sc_device(name, design), in_(), out_(), enables_(design.bus_bytes_per_cycle)
{
    SC_HAS_PROCESS(lpu_sc_rtl);
    SC_METHOD(cycle);
    sensitive << clk_i.neg();
    dont_initialize();
    top_rtl_open(seed, nullptr, 0, 0);
}

lpu_sc_rtl::~lpu_sc_rtl()
{
    top_rtl_close(nullptr);
}

/* R and B have been answered; AR, AW and W are asked in this order, as in sim/machine.c. */
void lpu_sc_rtl::memory()
{
    lpu_sc_beat beat;
    bool has_failed;

    axi.begin();
    in_.rvalid = axi.r(&beat);
    if (in_.rvalid) {
        in_.rid = beat.id;
        in_.rlast = beat.is_last;
        in_.rresp = beat.has_failed ? SLVERR : OKAY;
        in_.rdata = beat.data;
    }
    in_.bvalid = axi.b(&in_.bid, &has_failed);
    if (in_.bvalid) in_.bresp = has_failed ? SLVERR : OKAY;
    in_.arready = out_.arvalid && axi.read(out_.araddr, out_.arid);
    in_.awready = out_.awvalid && axi.write(out_.awaddr, out_.awid);
    for (uint32_t i = 0; i < enables_.size() && out_.wvalid; i++)
        enables_[i] = out_.wstrb[i / STROBES_PER_WORD] >> (i % STROBES_PER_WORD) & 1
                          ? TLM_BYTE_ENABLED
                          : TLM_BYTE_DISABLED;
    in_.wready = out_.wvalid && axi.write_beat(out_.wdata, enables_.data());
}

void lpu_sc_rtl::drive_host()
{
    const request *r = request_;

    in_.host_awvalid = r && r->is_write && r->has_address;
    in_.host_wvalid = r && r->is_write && r->has_data;
    in_.host_arvalid = r && !r->is_write && r->has_address;
    in_.host_bready = in_.host_rready = true;
    in_.host_address = r ? r->address : 0;
    in_.host_wdata = r ? r->data : 0;
}

void lpu_sc_rtl::take_host()
{
    request *r = request_;

    if (!r) return;
    if (r->is_write ? out_.awready : out_.arready) r->has_address = false;
    if (out_.wready) r->has_data = false;
    if (!(r->is_write ? out_.bvalid : out_.rvalid)) return;
    r->is_refused = (r->is_write ? out_.bresp : out_.rresp) != OKAY;
    if (!r->is_write) r->data = out_.rdata;
    r->is_done = true;
    request_ = nullptr;
    answered_.notify();
}

/* What issues and retires. */
void lpu_sc_rtl::report()
{
    if (!on_event || !is_running_) return;
    if (out_.is_issue) on_event({segment_, cycle_, false, LPU_UNIT_sequencer, out_.issue_pc});
    for (int u = 0; u < TOP_RETIRING_UNITS; u++)
        if (out_.retires >> u & 1)
            on_event({segment_, cycle_, true, (lpu_unit)(LPU_UNIT_stream + u), out_.retire_pc[u]});
}

void lpu_sc_rtl::cycle()
{
    top_rtl_read(&out_);
    memory();
    drive_host();
    in_.sync_ack = out_.sync && sync_ack_i.read();
    top_rtl_settle(&in_, &out_);
    take_host();
    report();
    if (!top_rtl_clock()) SC_REPORT_ERROR(name(), "an assertion of the RTL failed");
    cycle_++;
    if (in_.sync_ack) {
        segment_++;
        cycle_ = 0;
    }
    top_rtl_read(&out_);
    if (out_.run && !is_running_) cycle_ = 0;
    if (!out_.run && is_running_ && !in_.sync_ack) segment_ = 0; /* HALT: the program is over */
    is_running_ = out_.run;
    run_o.write(out_.run);
    sync_o.write(out_.sync);
    irq_o.write(out_.irq);
}

bool lpu_sc_rtl::access(bool is_write, uint32_t address, uint32_t *data)
{
    request r = {is_write, true, is_write, false, false, address, *data};

    while (request_) wait(answered_);
    request_ = &r;
    while (!r.is_done) wait(answered_);
    if (!is_write) *data = r.data;
    return !r.is_refused;
}
