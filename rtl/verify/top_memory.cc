/* rtl/verify/top_memory.cc - answers the AXI port and watches its rules. */
#include "rtl/verify/top_memory.hh"

#include "rtl/verify/top_golden.hh"

#include <algorithm>
#include <cinttypes>
#include <cstdarg>
#include <cstdio>
#include <cstring>

enum { WRITE_TAGS = 256, OKAY = 0, SLVERR = 2 };

static bool has_strobe(const top_out *out, uint32_t byte)
{
    return out->wstrb[byte / 64] >> (byte % 64) & 1;
}

top_memory::top_memory(const lpu_design *design, std::vector<uint8_t> *bytes, uint64_t base,
                       const lpu_port_stalls *stalls)
    : bytes_(bytes), base_(base), bus_(design->bus_bytes_per_cycle),
      burst_(lpu_port_burst_bytes(&design->dram, bus_)),
      beats_(lpu_port_beats(&design->dram, design->bus_bytes_per_cycle)),
      reads_(design->outstanding_bursts), is_read_(reads_), is_failing_(reads_),
      failing_writes_(WRITE_TAGS), r_data_(bus_), last_(), answered_()
{
    const lpu_port_config config = {&design->dram, design->clock_mhz, bus_, reads_, *stalls};
    lpu_diag diag = {""};
    if (lpu_port_open(&port_, &config, &diag)) top_throw(&diag);
}

top_memory::~top_memory()
{
    lpu_port_close(&port_);
}

void top_memory::say(const char *format, ...)
{
    char text[256];
    va_list list;

    if (!fault.empty()) return;
    va_start(list, format);
    vsnprintf(text, sizeof(text), format, list);
    va_end(list);
    fault = text;
}

void top_memory::restart()
{
    lpu_diag diag = {""};
    if (lpu_port_restart(port_, &diag)) top_throw(&diag);
    order_.clear();
    is_amid_read_ = false;
}

uint64_t top_memory::settle()
{
    return lpu_port_settle(port_);
}

bool top_memory::is_inside(uint64_t address) const
{
    return address >= base_ && address - base_ + burst_ <= bytes_->size();
}

/* What was offered and not taken is offered still. */
void top_memory::check(const top_out *out)
{
    const top_out *was = &last_;

    if (was->arvalid && !answered_.arready) {
        if (!out->arvalid) say("arvalid fell before arready took the burst");
        else if (out->araddr != was->araddr || out->arid != was->arid || out->arlen != was->arlen)
            say("araddr, arid or arlen changed while arvalid waited for arready");
    }
    if (was->awvalid && !answered_.awready) {
        if (!out->awvalid) say("awvalid fell before awready took the burst");
        else if (out->awaddr != was->awaddr || out->awid != was->awid || out->awlen != was->awlen)
            say("awaddr, awid or awlen changed while awvalid waited for awready");
    }
    if (was->wvalid && !answered_.wready) {
        if (!out->wvalid) say("wvalid fell before wready took the beat");
        else if (out->wlast != was->wlast || memcmp(out->wstrb, was->wstrb, sizeof(was->wstrb)) ||
                 memcmp(out->wdata, last_w_.data(), bus_))
            say("wdata, wstrb or wlast changed while wvalid waited for wready");
    }
}

/* The memory does not wait: what it asked for, an LPU takes. */
void top_memory::answer(const top_out *out, top_in *in)
{
    lpu_port_beat beat;
    uint32_t tag;

    in->rvalid = lpu_port_r(port_, &beat);
    if (in->rvalid) {
        if (!out->rready) say("rready is low, and there is a beat of R");
        in->rid = beat.tag;
        in->rlast = beat.is_last;
        in->rresp = is_failing_[beat.tag] ? SLVERR : OKAY;
        memcpy(r_data_.data(), bytes_->data() + beat.address, bus_);
        in->rdata = r_data_.data();
        if (beat.is_last) is_read_[beat.tag] = is_failing_[beat.tag] = 0;
    }
    in->bvalid = lpu_port_b(port_, &tag);
    if (!in->bvalid) return;
    if (!out->bready) say("bready is low, and there is a response of B");
    in->bid = tag;
    in->bresp = failing_writes_[tag] ? SLVERR : OKAY;
    if (failing_writes_[tag]) failing_writes_[tag]--;
}

void top_memory::read(const top_out *out, top_in *in)
{
    if (!out->arvalid) return;
    if (out->araddr % burst_ || !is_inside(out->araddr))
        return say("araddr is 0x%" PRIx64 ", expected a burst of %u bytes in 0x%" PRIx64
                   " bytes of memory from 0x%" PRIx64,
                   out->araddr, burst_, (uint64_t)bytes_->size(), base_);
    if (out->arlen + 1 != beats_) return say("arlen is %u, expected %u", out->arlen, beats_ - 1);
    if (out->arid >= reads_ || is_read_[out->arid])
        return say("arid is %u: %s", out->arid,
                   out->arid < reads_ ? "that read is under way" : "more than Outstanding has");
    in->arready = lpu_port_read(port_, out->araddr - base_, out->arid);
    if (!in->arready) return;
    is_read_[out->arid] = 1;
    if (failing_read && !--failing_read) is_failing_[out->arid] = 1;
}

/* The beat's bytes go to memory. */
void top_memory::beat(const top_out *out)
{
    const uint64_t at = writes_.front() + (uint64_t)beat_ * bus_;

    if (out->wlast != (beat_ + 1 == beats_))
        say("wlast is %d in beat %u of %u", out->wlast, beat_, beats_);
    for (uint32_t i = 0; i < bus_; i++) {
        if (!has_strobe(out, i)) {
            has_end_ = has_first_;
            continue;
        }
        if (has_end_) say("wstrb has a gap within one burst");
        if (!has_first_) burst_now_.address = at + i;
        has_first_ = true;
        burst_now_.data.push_back(out->wdata[i]);
        (*bytes_)[at + i] = out->wdata[i];
    }
    if (++beat_ < beats_) return;
    if (!has_first_) say("a burst was written with no strobe");
    written.push_back(burst_now_);
    burst_now_.data.clear();
    beat_ = 0;
    has_first_ = has_end_ = false;
    writes_.pop_front();
}

void top_memory::write(const top_out *out, top_in *in)
{
    if (out->awvalid) {
        if (out->awaddr % burst_ || !is_inside(out->awaddr))
            return say("awaddr is 0x%" PRIx64 ", expected a burst of %u bytes in memory",
                       out->awaddr, burst_);
        if (out->awlen + 1 != beats_)
            return say("awlen is %u, expected %u", out->awlen, beats_ - 1);
        in->awready = lpu_port_write(port_, out->awaddr - base_, out->awid);
    }
    if (out->wvalid) in->wready = lpu_port_write_beat(port_);
    if (in->wready && writes_.empty()) return say("a beat of W came before its AW");
    if (in->wready) beat(out);
    if (!in->awready) return;
    const bool is_failing = failing_write && !--failing_write;
    if (is_failing) failing_writes_[out->awid % WRITE_TAGS]++;
    writes_.push_back(out->awaddr - base_);
}

void top_memory::count_waits(const top_out *out, const top_in *in)
{
    waits[TOP_WAIT_AR] += out->arvalid && !in->arready;
    waits[TOP_WAIT_AW] += out->awvalid && !in->awready;
    waits[TOP_WAIT_W] += out->wvalid && !in->wready;
    waits[TOP_WAIT_R] += is_amid_read_ && !in->rvalid;
    if (in->rvalid) {
        const auto tag = std::find(order_.begin(), order_.end(), in->rid);
        waits[TOP_WAIT_ORDER] += !is_amid_read_ && tag != order_.begin();
        is_amid_read_ = !in->rlast;
        if (in->rlast && tag != order_.end()) order_.erase(tag);
    }
    if (in->arready) order_.push_back(out->arid);
}

void top_memory::cycle(uint64_t cycle, const top_out *out, top_in *in)
{
    check(out);
    lpu_port_begin(port_, cycle);
    answer(out, in);
    read(out, in);
    write(out, in);
    count_waits(out, in);
    last_ = *out;
    if (out->wvalid) last_w_.assign(out->wdata, out->wdata + bus_);
    answered_ = *in;
}
