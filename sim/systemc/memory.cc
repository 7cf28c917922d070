/* sim/systemc/memory.cc - payloads to bursts of the memory model, and back as they end. */
#include "sim/systemc/memory.hh"

extern "C" {
#include "sim/port.h"
}

#include <cstring>

using namespace sc_core;
using namespace tlm;

enum { READS, WRITES };

lpu_sc_memory::lpu_sc_memory(const sc_module_name &name, const lpu_design &design, uint64_t bytes)
    : sc_module(name), clk_i("clk_i"), run_i("run_i"), sync_i("sync_i"), ack_o("ack_o"),
      reads("reads"), writes("writes"), host("host"), design_(design),
      ports_(lpu_port_count(&design.dram, design.bus_bytes_per_cycle)), bytes_(bytes)
{
    SC_HAS_PROCESS(lpu_sc_memory);
    SC_METHOD(edge);
    sensitive << clk_i.pos();
    dont_initialize();

    for (int which : {READS, WRITES}) {
        auto &s = which == READS ? reads : writes;
        s.register_nb_transport_fw(this, &lpu_sc_memory::forward, which);
        s.register_b_transport(this, &lpu_sc_memory::block_tagged, which);
        s.register_get_direct_mem_ptr(this, &lpu_sc_memory::direct_tagged, which);
        s.register_transport_dbg(this, &lpu_sc_memory::debug_tagged, which);
    }
    host.register_b_transport(this, &lpu_sc_memory::block);
    host.register_get_direct_mem_ptr(this, &lpu_sc_memory::direct);
    host.register_transport_dbg(this, &lpu_sc_memory::debug);
    restart();
}

lpu_sc_memory::~lpu_sc_memory()
{
    lpu_dram_close(&dram_);
}

/* An optional port can be looked at only now. */
void lpu_sc_memory::start_of_simulation()
{
    if (!sync_i.size()) return;
    sc_spawn_options options;
    options.spawn_method();
    options.dont_initialize();
    options.set_sensitivity(&sync_i->posedge_event());
    sc_spawn([this] { settle(); }, "settle", &options);
}

/* ---- time ---- */

void lpu_sc_memory::restart()
{
    lpu_diag diag = {""};

    lpu_dram_close(&dram_);
    if (lpu_dram_open(&dram_, &design_.dram, &diag)) SC_REPORT_FATAL(name(), diag.text);
    cycle_ = 0;
}

/* A SYNC: nothing is under way, and the memory comes to rest. */
void lpu_sc_memory::settle()
{
    if (!lpu_dram_is_idle(dram_)) {
        SC_REPORT_ERROR(name(), "sync_i rose, expected no burst under way");
        return;
    }
    const uint64_t ready_ps = lpu_dram_settle(dram_);
    settled_at_ = cycle_;
    while (time_ps(settled_at_) < ready_ps) settled_at_++;
    is_settling_ = true;
}

void lpu_sc_memory::edge()
{
    const bool is_running = !run_i.size() || run_i->read();
    uint32_t tag;

    try_again(READS);
    try_again(WRITES);
    cycle_++;
    if (has_acked_ || (is_running && !was_running_)) restart();
    was_running_ = is_running;
    lpu_dram_advance(dram_, time_ps(cycle_));
    while (lpu_dram_take(dram_, &tag)) {
        record *r = &records_[tag];
        if (--r->parts_left) continue;
        channels_[r->payload->is_write() ? WRITES : READS].ended.push_back(r->payload);
        free_.push_back(tag);
    }
    respond(READS, ports_);
    respond(WRITES, 1);

    const bool is_settled = is_settling_ && cycle_ >= settled_at_;
    if (ack_o.size() && is_settled != has_acked_) ack_o->write(is_settled);
    has_acked_ = is_settled;
    if (is_settled) is_settling_ = false;
}

/* ---- bursts ---- */

/* Moves the bytes; false, and says so in the payload, where there are none. */
bool lpu_sc_memory::transfer(tlm_generic_payload &p)
{
    const uint64_t at = p.get_address(), length = p.get_data_length();
    const uint8_t *enable = p.get_byte_enable_ptr();
    uint8_t *data = p.get_data_ptr();

    if (at >= bytes_.size() || length > bytes_.size() - at) {
        p.set_response_status(TLM_ADDRESS_ERROR_RESPONSE);
        return false;
    }
    if (p.get_streaming_width() < length) {
        p.set_response_status(TLM_BURST_ERROR_RESPONSE);
        return false;
    }
    uint8_t *to = p.is_write() ? &bytes_[at] : data;
    const uint8_t *from = p.is_write() ? data : &bytes_[at];
    if (!enable) memcpy(to, from, length);
    for (uint64_t i = 0; i < length && enable; i++)
        if (enable[i % p.get_byte_enable_length()]) to[i] = from[i];
    p.set_response_status(TLM_OK_RESPONSE);
    return true;
}

/* Offers all of the burst that waits, or none of it. What cannot be is answered at once. */
bool lpu_sc_memory::try_now(int which)
{
    channel *c = &channels_[which];
    tlm_generic_payload *p = c->waiting;
    const uint32_t unit = design_.dram.burst_bytes;
    const uint64_t first = p->get_address() / unit * unit;
    const uint64_t end = p->get_address() + p->get_data_length();
    const uint64_t parts = (end - first + unit - 1) / unit;

    c->was_tried = true;
    if (end > bytes_.size() || parts > design_.dram.queue_requests) {
        p->set_response_status(end > bytes_.size() ? TLM_ADDRESS_ERROR_RESPONSE
                                                   : TLM_BURST_ERROR_RESPONSE);
        c->ended.push_back(p);
        c->waiting = nullptr;
        return true;
    }
    if (is_settling_ || !lpu_dram_has_room(dram_, first, (uint32_t)parts * unit)) return false;
    if (free_.empty()) {
        free_.push_back((uint32_t)records_.size());
        records_.push_back({});
    }
    const uint32_t tag = free_.back();
    free_.pop_back();
    records_[tag] = {p, (uint32_t)parts};
    for (uint64_t i = 0; i < parts; i++)
        lpu_dram_offer(dram_, first + i * unit, p->is_write(), tag);
    if (p->is_write() && on_write) on_write(*p);
    if (p->is_write()) transfer(*p);
    c->waiting = nullptr;
    return true;
}

/* The cycle ends, and who waits has not asked in it. */
void lpu_sc_memory::try_again(int which)
{
    channel *c = &channels_[which];
    tlm_generic_payload *p = c->waiting;
    tlm_phase phase = END_REQ;
    sc_time delay = SC_ZERO_TIME;

    const bool was_tried = c->was_tried;
    c->was_tried = false;
    if (!p || was_tried || !try_now(which)) return;
    c->was_tried = false;
    (which == READS ? reads : writes)->nb_transport_bw(*p, phase, delay);
}

tlm_sync_enum lpu_sc_memory::forward(int which, tlm_generic_payload &p, tlm_phase &phase, sc_time &)
{
    channel *c = &channels_[which];

    if (phase == BEGIN_REQ) {
        if (c->waiting) SC_REPORT_ERROR(name(), "BEGIN_REQ before the END_REQ of the one before");
        p.acquire();
        c->waiting = &p;
    } else if (phase == END_RESP) {
        c->is_answering = false;
        p.release();
        return TLM_COMPLETED;
    } else if (phase != LPU_AGAIN || c->waiting != &p) {
        return TLM_ACCEPTED;
    }
    if (!try_now(which)) return TLM_ACCEPTED;
    phase = END_REQ;
    return TLM_UPDATED;
}

void lpu_sc_memory::respond(int which, uint32_t count)
{
    channel *c = &channels_[which];

    for (; count && !c->ended.empty() && !c->is_answering; count--) {
        tlm_generic_payload *p = c->ended.front();
        tlm_phase phase = BEGIN_RESP;
        sc_time delay = SC_ZERO_TIME;

        c->ended.pop_front();
        if (p->get_response_status() == TLM_INCOMPLETE_RESPONSE) transfer(*p);
        const tlm_sync_enum said =
            (which == READS ? reads : writes)->nb_transport_bw(*p, phase, delay);
        if (said == TLM_COMPLETED || (said == TLM_UPDATED && phase == END_RESP)) p->release();
        else c->is_answering = true;
    }
}

/* ---- plain accesses ---- */

/* A row is opened, and the bytes pass. */
void lpu_sc_memory::block(tlm_generic_payload &p, sc_time &delay)
{
    const lpu_dram_config *d = &design_.dram;
    const uint64_t bursts = (p.get_data_length() + d->burst_bytes - 1) / d->burst_bytes;
    const uint64_t ps = d->controller_ps + d->t_rcd_ps + d->t_cl_ps + bursts * d->burst_ps;

    p.set_dmi_allowed(true);
    if (transfer(p)) delay += sc_time((double)ps, SC_PS);
}

void lpu_sc_memory::block_tagged(int, tlm_generic_payload &p, sc_time &delay)
{
    block(p, delay);
}

bool lpu_sc_memory::direct(tlm_generic_payload &, tlm_dmi &dmi)
{
    dmi.set_dmi_ptr(bytes_.data());
    dmi.set_start_address(0);
    dmi.set_end_address(bytes_.size() - 1);
    dmi.allow_read_write();
    return true;
}

bool lpu_sc_memory::direct_tagged(int, tlm_generic_payload &p, tlm_dmi &dmi)
{
    return direct(p, dmi);
}

unsigned lpu_sc_memory::debug(tlm_generic_payload &p)
{
    return transfer(p) ? p.get_data_length() : 0;
}

unsigned lpu_sc_memory::debug_tagged(int, tlm_generic_payload &p)
{
    return debug(p);
}
