/* sim/systemc/main.cc - judges LPUs of every inside in TLM-2.0 platforms against the simulator
 * alone.
 *
 *     systemc_verify KEY=VALUE...       one JSON object on stdout, or file descriptor 3 if it is
 * open
 *
 *     design=    a name or a YAML file        model=     a GGUF file, a name or a YAML file
 *     seed=      of weights, tokens, registers folder=    for files of a moment
 *     context=   tokens in the cache before   tokens=    of the prompt
 *     decode=    passes                       batch=     sequences
 *     random=    so many random programs      operations= in each
 *     insides=   of rtl,cycles,loose: all that were built
 *
 * Each inside has its own host, memory and clock in one simulation. Of each is compared, with what
 * the simulator in C says of the same program outside SystemC: the cycle of every issue and
 * retirement, every burst that is written, every counter, the cycles, and the memory that is left.
 * Exit: 0 equal, 1 not, 2 refused with a sentence. A platform stops at its first difference.
 */
#include "rtl/verify/regs.hh"
#include "rtl/verify/top_model.hh"
#include "rtl/verify/top_random.hh"
#include "sim/systemc/host.hh"
#include "sim/systemc/machine.hh"
#include "sim/systemc/memory.hh"
#if LPU_SC_RTL
#include "sim/systemc/rtl.hh"
#endif

#include <algorithm>
#include <chrono>
#include <cinttypes>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <stdexcept>
#include <unistd.h>

#include <jansson.h>

namespace
{

enum { EXIT_EQUAL, EXIT_UNEQUAL, EXIT_REFUSED };

/* One program, and what the simulator says of it. */
struct work {
    std::unique_ptr<top_program> program;
    bool is_new; /* memory is image before it; else as the one before has left it */
    std::vector<uint8_t> image, memory_after;
    lpu_scale eps, score_scale;
    top_run run;
};

struct row { /* of the answer */
    std::string name;
    size_t instructions, segments, events, writes, bytes, counters;
    uint64_t cycles;
};

struct difference {
    std::string platform, signal, expected, found, where;
    size_t segment;
    uint64_t cycle;
};

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

/* ---- one platform ---- */

/* A clock, a host, a memory and an LPU. */
class platform : public sc_core::sc_module
{
  public:
    enum inside { RTL, CYCLES, LOOSE };

    platform(const sc_core::sc_module_name &name, inside which, const lpu_design &design,
             uint64_t seed, uint64_t memory_bytes, const std::vector<work> *works);

    std::vector<row> rows;
    std::unique_ptr<difference> first;
    std::string refusal;
    bool is_done = false;
    std::function<void()> on_done;

  private:
    struct stop {
    };
    void body(lpu_sc_host &host);
    void judge(const work &w);
    void compare_events(const work &w);
    void compare_writes(const work &w);
    void compare_counters(const work &w);
    void compare_memory(const work &w);
    void take_write(const tlm::tlm_generic_payload &p);
    void differ(const std::string &signal, const std::string &expected, const std::string &found,
                size_t index, size_t segment, uint64_t cycle);

    const inside which_;
    const std::vector<work> *works_;
    sc_core::sc_clock clock_;
    sc_core::sc_signal<bool> irq_, run_, sync_, ack_;
    lpu_sc_memory memory_;
    std::unique_ptr<lpu_sc_device> device_;
    lpu_sc_host host_;

    const work *now_ = nullptr;
    std::vector<std::vector<top_event>> events_; /* by segment */
    std::vector<lpu_sc_store> writes_;
    std::vector<uint8_t> shadow_; /* memory, as the bursts so far have left it */
    bool is_ahead_ = false;       /* memory was not so when a burst came */
    size_t counters_ = 0;
};

std::unique_ptr<lpu_sc_device> device_of(platform::inside which, const lpu_design &design,
                                         uint64_t seed)
{
#if LPU_SC_RTL
    if (which == platform::RTL) return std::make_unique<lpu_sc_rtl>("lpu", design, seed);
#endif
    (void)seed;
    return std::make_unique<lpu_sc_machine>(
        "lpu", design, which == platform::CYCLES ? LPU_SC_CYCLES : LPU_SC_LOOSE);
}

platform::platform(const sc_core::sc_module_name &name, inside which, const lpu_design &design,
                   uint64_t seed, uint64_t memory_bytes, const std::vector<work> *works)
    : sc_module(name), which_(which), works_(works),
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
    device_->on_event = [this](const lpu_sc_event &e) {
        if (events_.size() <= e.segment) events_.resize(e.segment + 1);
        events_[e.segment].push_back(
            {e.cycle, e.is_retirement ? TOP_RETIRE : TOP_ISSUE, e.unit, e.index});
    };
    memory_.on_write = [this](const tlm::tlm_generic_payload &p) { take_write(p); };
}

void platform::take_write(const tlm::tlm_generic_payload &p)
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

void platform::body(lpu_sc_host &host)
{
    try {
        for (const work &w : *works_) {
            now_ = &w;
            events_.assign(w.run.segments.size(), {});
            writes_.clear();
            counters_ = 0;
            if (w.is_new) {
                host.put(0, w.image.data(), w.image.size());
                std::copy(w.image.begin(), w.image.end(), shadow_.begin());
            }
            host.load(w.program->code.insns, w.program->code.count, 0, w.eps, w.score_scale);
            const uint32_t status = host.run(rows.size() % 2);
            if (status >> LPU_STATUS_ERROR & 1)
                differ("error", "0", text_of("%u", host.read(LPU_REG_ERROR)), host.read(LPU_REG_PC),
                       0, 0);
            judge(w);
        }
    } catch (const stop &) {
    } catch (const std::exception &e) {
        refusal = e.what();
    }
    is_done = true;
    on_done();
}

void platform::differ(const std::string &signal, const std::string &expected,
                      const std::string &found, size_t index, size_t segment, uint64_t cycle)
{
    first = std::make_unique<difference>(difference{basename(), signal, expected, found,
                                                    now_->program->explain(index), segment, cycle});
    throw stop();
}

/* ---- the comparison ---- */

bool is_before(const top_event &a, const top_event &b)
{
    if (a.cycle != b.cycle) return a.cycle < b.cycle;
    if (a.kind != b.kind) return a.kind < b.kind;
    return a.unit < b.unit;
}

void platform::compare_events(const work &w)
{
    for (size_t s = 0; s < w.run.segments.size(); s++) {
        const bool is_last = s + 1 == w.run.segments.size();
        const size_t begin = w.run.segments[s].first_event;
        const size_t end = is_last ? w.run.events.size() : w.run.segments[s + 1].first_event;
        std::vector<top_event> *found = &events_[s];

        std::sort(found->begin(), found->end(), is_before);
        for (size_t i = 0; i < std::max(end - begin, found->size()); i++) {
            const top_event *e = begin + i < end ? &w.run.events[begin + i] : nullptr;
            const top_event *f = i < found->size() ? &(*found)[i] : nullptr;
            if (e && f && e->cycle == f->cycle && e->kind == f->kind && e->unit == f->unit &&
                e->index == f->index)
                continue;
            const auto text = [](const top_event *x) {
                return text_of(x) + (x ? text_of(" in cycle %" PRIu64, x->cycle) : "");
            };
            differ("issue or retirement", text(e), text(f), (e ? e : f)->index, s,
                   (e ? e : f)->cycle);
        }
    }
}

/* Loosely timed, values are in memory at once: there are no bursts to be seen. */
void platform::compare_writes(const work &w)
{
    for (size_t i = 0; i < std::max(w.run.writes.size(), writes_.size()) && which_ != LOOSE; i++) {
        const top_write *e = i < w.run.writes.size() ? &w.run.writes[i] : nullptr;
        const lpu_sc_store *f = i < writes_.size() ? &writes_[i] : nullptr;
        if (e && f && e->address == f->address && e->bytes == f->data.size() &&
            !memcmp(&w.run.written[e->at], f->data.data(), e->bytes))
            continue;
        differ("write " + std::to_string(i),
               e ? text_of("%zu bytes at 0x%" PRIx64, e->bytes, e->address) : "none",
               f ? text_of("%zu bytes at 0x%" PRIx64, f->data.size(), f->address) : "none",
               e ? e->index : 0, 0, 0);
    }
}

void platform::compare_counters(const work &w)
{
    const lpu_counters *c = &w.run.counters;
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
        {LPU_PERF_LOAD_BYTES, "load_bytes", w.run.load_bytes},
        {LPU_PERF_STORE_BYTES, "store_bytes", w.run.store_bytes},
        {LPU_PERF_VECTOR_GATED, "vector_gated", c->run_cycles - c->vector_busy_cycles},
    };

    for (const auto &row : list) {
        const uint64_t found = host_.counter(row.index);
        counters_++;
        if (found != row.value)
            differ(std::string("counter ") + row.name, text_of("%" PRIu64, row.value),
                   text_of("%" PRIu64, found), w.program->code.count - 1, w.run.segments.size() - 1,
                   0);
    }
}

void platform::compare_memory(const work &w)
{
    std::vector<uint8_t> found(w.memory_after.size());

    host_.get(0, found.data(), found.size());
    if (is_ahead_)
        differ("memory", "the bytes of a store with its burst", "some before it", 0, 0, 0);
    const auto at = std::mismatch(found.begin(), found.end(), w.memory_after.begin());
    if (at.first == found.end()) return;
    differ(text_of("memory at 0x%zx", (size_t)(at.first - found.begin())),
           text_of("%02x", *at.second), text_of("%02x", *at.first), 0, 0, 0);
}

void platform::judge(const work &w)
{
    compare_events(w);
    compare_writes(w);
    compare_counters(w);
    compare_memory(w);
    rows.push_back({w.program->name + ", " + basename(), w.program->code.count,
                    w.run.segments.size(), w.run.events.size(),
                    which_ == LOOSE ? 0 : w.run.writes.size(),
                    which_ == LOOSE ? 0 : w.run.written.size(), counters_, w.run.cycles});
}

/* ---- what is to be run ---- */

struct verify {
    std::map<std::string, std::string> given;
    lpu_design design;
    uint64_t seed;
    std::unique_ptr<top_model> model;
    std::vector<work> works;
    std::vector<int32_t> tokens;
    std::vector<std::unique_ptr<platform>> platforms;
};

uint64_t number(const verify *v, const char *key, uint64_t otherwise)
{
    const auto it = v->given.find(key);
    return it == v->given.end() ? otherwise : strtoull(it->second.c_str(), nullptr, 0);
}

std::string text(const verify *v, const char *key, const char *otherwise)
{
    const auto it = v->given.find(key);
    return it == v->given.end() ? otherwise : it->second;
}

const lpu_port_stalls no_stalls = {};

/* Passes of a model, one after the other: each continues with what the simulator said. */
void add_passes(verify *v)
{
    const uint32_t batch = (uint32_t)number(v, "batch", 1);
    const uint32_t context = (uint32_t)number(v, "context", 0);
    const uint32_t tokens = (uint32_t)number(v, "tokens", 8);
    const uint32_t decode = (uint32_t)number(v, "decode", 2);
    top_dice dice = {v->seed};

    v->model =
        std::make_unique<top_model>(text(v, "model", ""), &v->design, batch,
                                    context + tokens + decode, v->seed, text(v, "folder", "."));
    const top_model *m = v->model.get();
    std::vector<uint8_t> memory = m->image();
    top_golden golden(m->layout(), &memory, m->weights()->eps, m->weights()->score_scale,
                      &no_stalls);
    const auto draw = [&](size_t count) {
        std::vector<int32_t> ids(count);
        for (int32_t &t : ids) t = (int32_t)dice.below(m->shape()->vocab_elems);
        return ids;
    };
    if (context) {
        top_program fill;
        m->compile(&fill, draw((size_t)batch * context), context, 0);
        golden.execute(&fill);
    }
    std::vector<int32_t> prompt = draw((size_t)batch * (tokens ? tokens : 1));
    uint32_t at = context;
    for (uint32_t pass = tokens ? 0 : 1; pass < 1 + decode; pass++) {
        const uint32_t count = pass ? 1 : tokens;
        work w = {std::make_unique<top_program>(),
                  v->works.empty(),
                  {},
                  {},
                  m->weights()->eps,
                  m->weights()->score_scale,
                  {}};
        if (w.is_new) w.image = memory;
        m->compile(w.program.get(), prompt, count, at);
        golden.run(w.program.get(), &w.run);
        w.memory_after = memory;
        prompt = m->results(memory);
        v->tokens.insert(v->tokens.end(), prompt.begin(), prompt.end());
        at += count;
        v->works.push_back(std::move(w));
    }
}

void add_random(verify *v)
{
    const uint64_t count = number(v, "random", 0);
    lpu_model shape = {};
    lpu_layout layout;
    lpu_diag diag = {""};

    if (!count) return;
    if (lpu_model_load(&shape, text(v, "shape", "tests/top/models/grouped.yaml").c_str(), &diag) ||
        lpu_layout_open(&layout, &shape, &v->design, 1, 1, &diag))
        top_throw(&diag);
    for (uint64_t i = 0; i < count; i++) {
        top_random made;
        top_random_make(&made, &layout, v->seed + i, (uint32_t)number(v, "operations", 40));
        work w = {std::make_unique<top_program>(),
                  true,
                  made.image,
                  made.image,
                  made.eps,
                  made.score_scale,
                  {}};
        std::swap(w.program->code, made.program.code);
        std::swap(w.program->trace, made.program.trace);
        w.program->name = made.program.name;
        top_golden golden(&layout, &w.memory_after, w.eps, w.score_scale, &no_stalls);
        golden.run(w.program.get(), &w.run);
        v->works.push_back(std::move(w));
    }
    lpu_layout_close(&layout);
}

void open_platforms(verify *v)
{
    static const char *const names[] = {"rtl", "cycles", "loose"};
    const std::string wanted =
        "," + text(v, "insides", LPU_SC_RTL ? "rtl,cycles,loose" : "cycles,loose") + ",";
    enum { PAGE_BYTES = 4096 }; /* whole bursts */
    uint64_t bytes = 0;

    for (const work &w : v->works) bytes = std::max<uint64_t>(bytes, w.memory_after.size());
    bytes = (bytes + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
    for (int i = LPU_SC_RTL ? platform::RTL : platform::CYCLES; i <= platform::LOOSE; i++) {
        if (wanted.find(std::string(",") + names[i] + ",") == std::string::npos) continue;
        v->platforms.push_back(std::make_unique<platform>(names[i], (platform::inside)i, v->design,
                                                          v->seed, bytes, &v->works));
        v->platforms.back()->on_done = [v] {
            for (const auto &p : v->platforms)
                if (!p->is_done) return;
            sc_core::sc_stop();
        };
    }
    if (v->platforms.empty())
        throw std::runtime_error("found insides=" + text(v, "insides", "") + ", expected some of " +
                                 (LPU_SC_RTL ? "rtl," : "") + "cycles,loose");
}

/* ---- the answer ---- */

void answer(const verify *v, const std::string &refusal, double seconds)
{
    FILE *f = fdopen(3, "w");
    json_t *programs = json_array(), *tokens = json_array();
    const difference *first = nullptr;

    for (const auto &p : v->platforms) {
        for (const row &r : p->rows)
            json_array_append_new(
                programs,
                json_pack("{s:s s:I s:I s:I s:I s:I s:I s:I}", "name", r.name.c_str(),
                          "instructions", (json_int_t)r.instructions, "segments",
                          (json_int_t)r.segments, "cycles", (json_int_t)r.cycles, "events",
                          (json_int_t)r.events, "writes", (json_int_t)r.writes, "written_bytes",
                          (json_int_t)r.bytes, "counters", (json_int_t)r.counters));
        if (!first) first = p->first.get();
    }
    for (int32_t t : v->tokens) json_array_append_new(tokens, json_integer(t));
    json_t *object =
        json_pack("{s:s s:s s:s s:I s:f s:o s:o}", "kind",
                  !refusal.empty() ? "refused"
                  : first          ? "differs"
                                   : "equal",
                  "platform", "systemc", "design", v->design.name, "seed", (json_int_t)v->seed,
                  "wall_s", seconds, "programs", programs, "tokens", tokens);
    if (!refusal.empty()) json_object_set_new(object, "text", json_string(refusal.c_str()));
    if (first)
        json_object_set_new(
            object, "difference",
            json_pack("{s:s s:s s:s s:s s:s s:I s:I s:I}", "platform", first->platform.c_str(),
                      "signal", (first->platform + ": " + first->signal).c_str(), "expected",
                      first->expected.c_str(), "found", first->found.c_str(), "where",
                      first->where.c_str(), "segment", (json_int_t)first->segment, "cycle",
                      (json_int_t)first->cycle, "clock", (json_int_t)0));
    json_dumpf(object, f ? f : stdout, JSON_INDENT(1));
    fprintf(f ? f : stdout, "\n");
    json_decref(object);
    if (f) fclose(f);
}

} // namespace

int sc_main(int argc, char **argv)
{
    verify v = {};
    std::string refusal;
    lpu_diag diag = {""};
    const auto begin = std::chrono::steady_clock::now();

    for (int i = 1; i < argc; i++) {
        const char *equals = strchr(argv[i], '=');
        if (equals) v.given[std::string(argv[i], (size_t)(equals - argv[i]))] = equals + 1;
    }
    v.seed = number(&v, "seed", 1);
    sc_core::sc_report_handler::set_actions("/OSCI/SystemC", sc_core::SC_INFO,
                                            sc_core::SC_DO_NOTHING);
    try {
        if (number(&v, "stalls", 0))
            throw std::runtime_error("found stalls, expected none: the memory of the platform has "
                                     "its own time");
        if (lpu_design_load(&v.design, text(&v, "design", "").c_str(), &diag)) top_throw(&diag);
        if (v.given.count("model")) add_passes(&v);
        add_random(&v);
        open_platforms(&v);
        sc_core::sc_start();
    } catch (const std::exception &e) {
        refusal = e.what();
    }
    for (const auto &p : v.platforms)
        if (refusal.empty() && !p->is_done && !p->first) refusal = "a platform stands still";
        else if (refusal.empty()) refusal = p->refusal;
    const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - begin;
    answer(&v, refusal, wall.count());
    if (!refusal.empty()) return EXIT_REFUSED;
    for (const auto &p : v.platforms)
        if (p->first) return EXIT_UNEQUAL;
    return EXIT_EQUAL;
}
