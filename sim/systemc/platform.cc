/* sim/systemc/platform.cc - runs the works on one platform, and compares. */
#include "sim/systemc/platform.hh"

#include "rtl/verify/regs.hh"
#if LPU_SC_RTL
#include "sim/systemc/rtl.hh"
#endif

#include <algorithm>
#include <cinttypes>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <stdexcept>

namespace
{

std::string text_of(const char *format, ...) __attribute__((format(printf, 1, 2)));

std::string text_of(const char *format, ...)
{
    char text[256];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof(text), format, list);
    va_end(list);
    return text;
}

std::string text_of(const top_event *e)
{
    static const char *const units[] = {"sequencer", "stream engine", "array", "vector unit",
                                        "store unit"};
    if (!e) return "nothing";
    if (e->kind == TOP_ISSUE) return text_of("instruction %zu issues", e->index);
    return text_of("instruction %zu retires from the %s", e->index, units[e->unit]);
}

std::unique_ptr<lpu_sc_device> device_of(lpu_sc_inside which, const lpu_design &design,
                                         uint64_t seed)
{
#if LPU_SC_RTL
    if (which == LPU_SC_INSIDE_RTL) return std::make_unique<lpu_sc_rtl>("lpu", design, seed);
#endif
    (void)seed;
    return std::make_unique<lpu_sc_machine>(
        "lpu", design, which == LPU_SC_INSIDE_CYCLES ? LPU_SC_CYCLES : LPU_SC_LOOSE);
}

} // namespace

lpu_sc_platform::lpu_sc_platform(const sc_core::sc_module_name &name, lpu_sc_inside which,
                                 const lpu_design &design, uint64_t seed, uint64_t memory_bytes,
                                 const std::vector<lpu_sc_work> *works)
    : sc_module(name), inside_(which), works_(works),
      clock_("clock", sc_core::sc_time(1e6 / design.clock_mhz, sc_core::SC_PS)),
      memory_("memory", design, memory_bytes), device_(device_of(which, design, seed)),
      host_("host", [this](lpu_sc_host &host) { body(host); })
{
    memory_.clk_i(clock_);
    memory_.run_i(run_);
    memory_.sync_i(sync_);
    memory_.ack_o(ack_);
    device_->clk_i(clock_);
    device_->irq_o(irq_);
    device_->run_o(run_);
    device_->sync_o(sync_);
    device_->sync_ack_i(ack_);
    device_->axi.reads.bind(memory_.reads);
    device_->axi.writes.bind(memory_.writes);
    host_.device.bind(device_->host);
    host_.memory.bind(memory_.host);
    host_.irq_i(irq_);

    shadow_.resize(memory_bytes);
    device_->on_event = [this](const lpu_sc_event &e) { take_event(e); };
    memory_.on_write = [this](const tlm::tlm_generic_payload &p) { take_write(p); };
}

/* ---- what happens ---- */

void lpu_sc_platform::take_event(const lpu_sc_event &e)
{
    events_seen_++;
    if (events_.size() <= e.segment) events_.resize(e.segment + 1);
    events_[e.segment].push_back(
        {e.cycle, e.is_retirement ? TOP_RETIRE : TOP_ISSUE, e.unit, e.index});
}

bool lpu_sc_platform::has_too_many_events() const
{
    return now_ && events_seen_ - events_before_ > now_->run.events.size();
}

void lpu_sc_platform::take_write(const tlm::tlm_generic_payload &p)
{
    const size_t length = p.get_data_length();
    const auto at = shadow_.begin() + (ptrdiff_t)p.get_address();
    std::vector<uint8_t> before(length);
    lpu_sc_store s = {p.get_address(), {}};

    host_.get(p.get_address(), before.data(), length);
    is_ahead_ |= !std::equal(before.begin(), before.end(), at);
    for (size_t i = 0; i < length; i++) {
        if (!p.get_byte_enable_ptr()[i]) continue;
        if (s.data.empty()) s.address += i;
        s.data.push_back(p.get_data_ptr()[i]);
        at[(ptrdiff_t)i] = p.get_data_ptr()[i];
    }
    writes_.push_back(s);
}

void lpu_sc_platform::body(lpu_sc_host &host)
{
    try {
        for (const lpu_sc_work &w : *works_) {
            now_ = &w;
            events_.assign(w.run.segments.size(), {});
            events_before_ = events_seen_;
            writes_.clear();
            counters_ = 0;
            if (w.is_new) {
                host.put(0, w.image.data(), w.image.size());
                std::copy(w.image.begin(), w.image.end(), shadow_.begin());
            }
            host.load(w.program->code.insns, w.program->code.count, 0, w.eps, w.score_scale);
            const uint32_t status = host.run(rows.size() % 2);
            if (status >> LPU_STATUS_ERROR & 1)
                differ("error", "0", text_of("%u", host.read(LPU_REG_ERROR)),
                       host.read(LPU_REG_PC));
            judge();
        }
    } catch (const stopped &) {
    } catch (const lpu_sc_refused &e) {
        stop(e.what());
    } catch (const std::exception &e) {
        refusal = e.what();
    }
    end();
}

void lpu_sc_platform::end()
{
    if (is_done) return;
    is_done = true;
    on_done();
}

void lpu_sc_platform::stop(const std::string &why)
{
    if (is_done) return;
    try {
        compare_events();
        differ("program", "its end", why, SIZE_MAX);
    } catch (const stopped &) {
    }
    end();
}

/* index: of the instruction, SIZE_MAX for none. */
void lpu_sc_platform::differ(const std::string &signal, const std::string &expected,
                             const std::string &found, size_t index, int64_t cycle)
{
    int64_t segment = -1;

    for (const top_segment &s : now_->run.segments)
        if (index < now_->program->code.count && index >= s.first) segment++;
    first = std::make_unique<lpu_sc_difference>(
        lpu_sc_difference{signal, expected, found, now_->program->explain(index), segment, cycle});
    keep(false);
    throw stopped();
}

/* A row of the answer. */
void lpu_sc_platform::keep(bool is_equal)
{
    const top_run *r = &now_->run;
    const bool has_bursts = inside_ != LPU_SC_INSIDE_LOOSE;

    rows.push_back({now_->program->name, now_->program->code.count, r->segments.size(),
                    r->events.size(), has_bursts ? r->writes.size() : 0,
                    has_bursts ? r->written.size() : 0, counters_, r->cycles, is_equal});
}

/* ---- the comparison ---- */

static bool is_before(const top_event &a, const top_event &b)
{
    if (a.cycle != b.cycle) return a.cycle < b.cycle;
    if (a.kind != b.kind) return a.kind < b.kind;
    return a.unit < b.unit;
}

void lpu_sc_platform::compare_segment(size_t s)
{
    const top_run *r = &now_->run;
    const bool is_last = s + 1 == r->segments.size();
    const size_t begin = r->segments[s].first_event;
    const size_t end = is_last ? r->events.size() : r->segments[s + 1].first_event;
    std::vector<top_event> *found = &events_[s];
    const auto text = [](const top_event *x) {
        return text_of(x) + (x ? text_of(" in cycle %" PRIu64, x->cycle) : "");
    };

    std::sort(found->begin(), found->end(), is_before);
    for (size_t i = 0; i < std::max(end - begin, found->size()); i++) {
        const top_event *e = begin + i < end ? &r->events[begin + i] : nullptr;
        const top_event *f = i < found->size() ? &(*found)[i] : nullptr;
        if (e && f && e->cycle == f->cycle && e->kind == f->kind && e->unit == f->unit &&
            e->index == f->index)
            continue;
        differ("issue or retirement", text(e), text(f), (e ? e : f)->index,
               (int64_t)(e ? e : f)->cycle);
    }
}

void lpu_sc_platform::compare_events()
{
    const size_t segments = now_->run.segments.size();

    for (size_t s = 0; s < segments; s++) compare_segment(s);
    if (events_.size() > segments)
        differ("segments", text_of("%zu", segments), text_of("%zu", events_.size()), SIZE_MAX);
}

/* Address, size, and the bytes from the first on that differs. */
static std::string text_of_write(uint64_t address, const uint8_t *data, size_t bytes, size_t from)
{
    enum { SHOWN_BYTES = 8 };
    std::string text = text_of("%zu bytes at 0x%" PRIx64, bytes, address);

    if (from < bytes) text += text_of(", from byte %zu on", from);
    for (size_t i = from; i < bytes && i < from + SHOWN_BYTES; i++)
        text += text_of(" %02x", data[i]);
    return text;
}

/* Loosely timed, values are in memory at once: there are no bursts to be seen. */
void lpu_sc_platform::compare_writes()
{
    const top_run *r = &now_->run;
    const size_t count = std::max(r->writes.size(), writes_.size());

    for (size_t i = 0; i < count && inside_ != LPU_SC_INSIDE_LOOSE; i++) {
        const top_write *e = i < r->writes.size() ? &r->writes[i] : nullptr;
        const lpu_sc_store *f = i < writes_.size() ? &writes_[i] : nullptr;
        const uint8_t *bytes = e ? &r->written[e->at] : nullptr;
        size_t at = 0;

        while (e && f && at < e->bytes && at < f->data.size() && bytes[at] == f->data[at]) at++;
        if (e && f && e->address == f->address && at == e->bytes && at == f->data.size()) continue;
        differ("write " + std::to_string(i),
               e ? text_of_write(e->address, bytes, e->bytes, at) : "none",
               f ? text_of_write(f->address, f->data.data(), f->data.size(), at) : "none",
               e ? e->index : SIZE_MAX);
    }
}

void lpu_sc_platform::compare_counters()
{
    const top_run *r = &now_->run;
    const lpu_counters *c = &r->counters;
    const struct {
        uint32_t index;
        const char *name;
        uint64_t value;
    } list[] = {
        {LPU_PERF_RUN_CYCLES, "run_cycles", c->run_cycles},
        {LPU_PERF_ARRAY_PASS, "array_pass_cycles", c->array_pass_cycles},
        {LPU_PERF_STALL_MEMORY, "stall_memory_cycles", c->stall_memory_cycles},
        {LPU_PERF_STALL_FILL, "stall_fill_cycles", c->stall_fill_cycles},
        {LPU_PERF_STALL_ACCUM, "stall_accum_cycles", c->stall_accum_cycles},
        {LPU_PERF_STALL_VECTOR, "stall_vector_cycles", c->stall_vector_cycles},
        {LPU_PERF_STALL_SYNC, "stall_sync_cycles", c->stall_sync_cycles},
        {LPU_PERF_STALL_ISSUE, "stall_issue_cycles", c->stall_issue_cycles},
        {LPU_PERF_VECTOR_BUSY, "vector_busy_cycles", c->vector_busy_cycles},
        {LPU_PERF_INSTRUCTIONS, "instructions", c->instructions},
        {LPU_PERF_LANE_ADDS, "lane_adds", c->lane_adds},
        {LPU_PERF_LANE_SKIPS, "lane_skips", c->lane_skips},
        {LPU_PERF_FIFO_WRITE_BYTES, "fifo_write_bytes", c->fifo_write_bytes},
        {LPU_PERF_FIFO_READ_BYTES, "fifo_read_bytes", c->fifo_read_bytes},
        {LPU_PERF_DRAM_READ_BYTES, "dram_read_bytes", c->dram_read_bytes},
        {LPU_PERF_DRAM_WRITE_BYTES, "dram_write_bytes", c->dram_write_bytes},
        {LPU_PERF_LOAD_BYTES, "load_bytes", r->load_bytes},
        {LPU_PERF_STORE_BYTES, "store_bytes", r->store_bytes},
        {LPU_PERF_VECTOR_GATED, "vector_gated", c->run_cycles - c->vector_busy_cycles},
    };

    for (const auto &row : list) {
        const uint64_t found = host_.counter(row.index);
        counters_++;
        if (found != row.value)
            differ(std::string("counter ") + row.name, text_of("%" PRIu64, row.value),
                   text_of("%" PRIu64, found), now_->program->code.count - 1);
    }
}

void lpu_sc_platform::compare_memory()
{
    const std::vector<uint8_t> *wanted = &now_->memory_after;
    std::vector<uint8_t> found(wanted->size());

    host_.get(0, found.data(), found.size());
    if (is_ahead_)
        differ("memory", "the bytes of a store with its burst", "some before it", SIZE_MAX);
    const auto at = std::mismatch(found.begin(), found.end(), wanted->begin());
    if (at.first == found.end()) return;
    differ(text_of("memory at 0x%zx", (size_t)(at.first - found.begin())),
           text_of("%02x", *at.second), text_of("%02x", *at.first), SIZE_MAX);
}

void lpu_sc_platform::judge()
{
    compare_events();
    compare_writes();
    compare_counters();
    compare_memory();
    keep(true);
}
