/* rtl/verify/top_pair.cc - drives the RTL as a host would, and compares each cycle with the golden
 * machine's.
 *
 * Cycle 0 of a segment is the first with run_o; after a SYNC that does not stop, it is the cycle
 * after the SYNC's own.
 */
#include "rtl/verify/top_pair.hh"

#include "rtl/verify/regs.hh"

#include <chrono>
#include <cinttypes>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <stdexcept>

namespace
{

enum { HOST_CLOCKS_MAX = 1000, LATE_CYCLES = 64, RESET_CLOCKS_MAX = 100000 };

/* The counters of rtl/lpu_perf.v that the simulator has, too. */
const struct counter_row {
    int index;
    const char *name;
    size_t offset; /* in lpu_counters */
} counter_rows[] = {
#define ROW(perf, name)                                                                            \
    {                                                                                              \
        LPU_PERF_##perf, #name, offsetof(lpu_counters, name)                                       \
    }
    ROW(RUN_CYCLES, run_cycles),
    ROW(ARRAY_PASS, array_pass_cycles),
    ROW(STALL_MEMORY, stall_memory_cycles),
    ROW(STALL_FILL, stall_fill_cycles),
    ROW(STALL_ACCUM, stall_accum_cycles),
    ROW(STALL_VECTOR, stall_vector_cycles),
    ROW(STALL_SYNC, stall_sync_cycles),
    ROW(STALL_ISSUE, stall_issue_cycles),
    ROW(VECTOR_BUSY, vector_busy_cycles),
    ROW(INSTRUCTIONS, instructions),
    ROW(LANE_ADDS, lane_adds),
    ROW(LANE_SKIPS, lane_skips),
    ROW(FIFO_WRITE_BYTES, fifo_write_bytes),
    ROW(FIFO_READ_BYTES, fifo_read_bytes),
    ROW(DRAM_READ_BYTES, dram_read_bytes),
    ROW(DRAM_WRITE_BYTES, dram_write_bytes),
#undef ROW
};

double now_s()
{
    using clock = std::chrono::steady_clock;
    return std::chrono::duration<double>(clock::now().time_since_epoch()).count();
}

std::string text_of(const char *format, ...) __attribute__((format(printf, 1, 2)));

std::string text_of(const char *format, ...)
{
    char text[512];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof(text), format, list);
    va_end(list);
    return text;
}

std::string bytes_of(const uint8_t *data, size_t count)
{
    enum { SHOWN = 32 };
    std::string text;
    for (size_t i = 0; i < count && i < SHOWN; i++)
        text += text_of("%s%02x", i ? " " : "", data[i]);
    return count > SHOWN ? text + " ..." : text;
}

std::string event_of(const top_event *e)
{
    static const char *const units[] = {"sequencer", "stream engine", "array", "vector unit",
                                        "store unit"};
    if (!e) return "nothing";
    if (e->kind == TOP_ISSUE) return text_of("instruction %zu issues", e->index);
    return text_of("instruction %zu retires from the %s", e->index, units[e->unit]);
}

} // namespace

top_pair::top_pair(const lpu_layout *layout, const std::vector<uint8_t> &image, lpu_scale eps,
                   lpu_scale score_scale, const lpu_port_stalls *stalls, const top_manner *manner)
    : layout_(layout), manner_(*manner), eps_(eps), score_scale_(score_scale), image_(image),
      golden_memory_(image), rtl_memory_(image),
      golden_(layout, &golden_memory_, eps, score_scale, stalls),
      memory_(layout->design, &rtl_memory_, manner->base, stalls), in_(), out_(),
      host_dice_(stalls->seed)
{
    top_rtl_reset();
}

void top_pair::differ(const std::string &signal, const std::string &expected,
                      const std::string &found, size_t index)
{
    verdict_->difference = {true,     signal, expected,        found, program_->explain(index),
                            segment_, cycle_, top_rtl_clocks()};
    throw top_stop();
}

/* ---- a clock ---- */

/* The program's store, in its order, burst by burst. */
void top_pair::watch_writes()
{
    for (; !memory_.written.empty(); memory_.written.pop_front()) {
        const top_burst *found = &memory_.written.front();
        if (write_ >= run_.writes.size())
            differ("AXI write", "none any more",
                   text_of("0x%" PRIx64 ": ", found->address) +
                       bytes_of(found->data.data(), found->data.size()),
                   program_->code.count - 1);
        const top_write *w = &run_.writes[write_++];
        const uint8_t *data = run_.written.data() + w->at;
        if (found->address != w->address || found->data.size() != w->bytes)
            differ("AXI write: address and bytes",
                   text_of("0x%" PRIx64 ", %zu", w->address, w->bytes),
                   text_of("0x%" PRIx64 ", %zu", found->address, found->data.size()), w->index);
        if (!memcmp(found->data.data(), data, w->bytes)) continue;
        differ(text_of("AXI write: data at 0x%" PRIx64, w->address), bytes_of(data, w->bytes),
               bytes_of(found->data.data(), w->bytes), w->index);
    }
}

/* Everything that issues or retires in this cycle, in order, is what the golden machine has. */
void top_pair::watch()
{
    std::vector<top_event> seen;

    if (out_.is_issue) seen.push_back({cycle_, TOP_ISSUE, LPU_UNIT_sequencer, out_.issue_pc});
    for (int u = 0; u < TOP_RETIRING_UNITS; u++)
        if (out_.retires >> u & 1)
            seen.push_back(
                {cycle_, TOP_RETIRE, (lpu_unit)(LPU_UNIT_stream + u), out_.retire_pc[u]});
    const bool is_last = segment_ + 1 == run_.segments.size();
    const size_t end = is_last ? run_.events.size() : run_.segments[segment_ + 1].first_event;
    size_t i = 0;
    while (i < seen.size() || (event_ < end && run_.events[event_].cycle == cycle_)) {
        const bool is_due = event_ < end && run_.events[event_].cycle == cycle_;
        const top_event *expected = is_due ? &run_.events[event_] : nullptr;
        const top_event *found = i < seen.size() ? &seen[i] : nullptr;
        if (!expected || !found || found->kind != expected->kind || found->unit != expected->unit ||
            found->index != expected->index)
            differ(found && expected && found->kind != expected->kind ? "issue or retirement"
                   : (expected ? expected : found)->kind == TOP_ISSUE ? "issue"
                                                                      : "retirement",
                   event_of(expected), event_of(found), (expected ? expected : found)->index);
        event_++;
        i++;
    }
    if (segment_ < run_.segments.size() && cycle_ > run_.segments[segment_].cycles + LATE_CYCLES)
        differ("end of the segment", text_of("cycle %" PRIu64, run_.segments[segment_].cycles - 1),
               "not yet", run_.segments[segment_].first + run_.segments[segment_].count - 1);
}

void top_pair::end_segment()
{
    settled_at_ = 0;
    if (is_free_) return;
    const top_segment *s = &run_.segments[segment_];

    if (cycle_ + 1 != s->cycles)
        differ("end of the segment", text_of("cycle %" PRIu64, s->cycles - 1),
               text_of("cycle %" PRIu64, cycle_), s->first + s->count - 1);
    segment_++;
    if (segment_ < run_.segments.size()) event_ = run_.segments[segment_].first_event;
}

/* The machine asks for a settled memory, before the memory's own cycle. Once it has the answer, the
 * SYNC's own cycle is this one. */
void top_pair::sync()
{
    if (!memory_.is_idle())
        differ("sync_o", "0, since the memory is at work", "1",
               run_.segments[segment_].first + run_.segments[segment_].count - 1);
    if (!settled_at_) settled_at_ = memory_.settle();
    in_.sync_ack = cycle_ >= settled_at_;
}

/* run_o rises in cycle 0 of a segment; it falls behind the last one's own, and at a stop. */
void top_pair::follow_run()
{
    if (out_.run == is_running_) return;
    is_running_ = out_.run;
    if (is_running_) {
        has_started_ = true;
        cycle_ = 0;
        memory_.restart();
        return;
    }
    if (has_ended_) return;
    cycle_--; /* the one before was the last */
    end_segment();
}

void top_pair::tick()
{
    top_rtl_read(&out_);
    in_.arready = in_.awready = in_.wready = in_.rvalid = in_.bvalid = in_.sync_ack = false;
    in_.rdata = nullptr;
    follow_run();
    if (is_running_ && out_.sync) sync();
    if (is_running_) memory_.cycle(cycle_, &out_, &in_);
    else if (is_free_) memory_.cycle(++cycle_, &out_, &in_); /* what is under way ends */
    else if (out_.arvalid || out_.awvalid || out_.wvalid)
        differ("arvalid, awvalid, wvalid", "0: nothing runs", "1", 0);
    top_rtl_settle(&in_, &out_);
    has_ended_ = false;
    if (is_running_) {
        if (!memory_.fault.empty())
            differ("AXI", "the rules of the port", memory_.fault, out_.issue_pc);
        if (!is_free_) watch();
        if (!is_free_) watch_writes();
        memory_.written.clear();
        has_ended_ = in_.sync_ack;
        if (has_ended_) {
            end_segment();
            memory_.restart();
        }
        cycle_ = has_ended_ ? 0 : cycle_ + 1;
    }
    if (!top_rtl_clock())
        differ("$finish or $stop", "none", "an assertion of the RTL failed: see the log",
               out_.issue_pc);
}

/* ---- the host ---- */

/* Address and data come together or one after the other, and the answer is taken at once or late;
 * but for the window of the program, which is written in one go. */
uint32_t top_pair::access(bool is_write, uint32_t address, uint32_t data, uint32_t expected)
{
    enum { LATE_CLOCKS = 4 };
    const bool is_window = address >= LPU_REG_PROGRAM && address < LPU_REG_PERF;
    bool is_asked[2] = {is_write, is_write}, is_reading = !is_write;
    int late[3]; /* address, data, answer */

    for (int &clocks : late) {
        host_dice_ = host_dice_ * 6364136223846793005u + 1442695040888963407u; /* Knuth's MMIX */
        clocks = is_window ? 0 : (int)(host_dice_ >> 60) % LATE_CLOCKS;
    }
    in_.host_address = address;
    in_.host_wdata = data;
    for (int i = 0; i < HOST_CLOCKS_MAX; i++) {
        in_.host_awvalid = is_asked[0] && i >= late[0];
        in_.host_wvalid = is_asked[1] && i >= late[1];
        in_.host_arvalid = is_reading && i >= late[0];
        in_.host_bready = in_.host_rready = i >= late[2];
        tick();
        if (in_.host_awvalid && out_.awready) is_asked[0] = false;
        if (in_.host_wvalid && out_.wready) is_asked[1] = false;
        if (in_.host_arvalid && out_.arready) is_reading = false;
        const bool is_answered = is_write ? out_.bvalid : out_.rvalid;
        if (is_answered && (is_asked[0] || is_asked[1] || is_reading))
            differ(text_of("host port, register 0x%03x", address), "no answer before the question",
                   "an answer", 0);
        if (!is_answered || i < late[2]) continue;
        in_.host_awvalid = in_.host_wvalid = in_.host_arvalid = false;
        in_.host_bready = in_.host_rready = false;
        const uint32_t response = is_write ? out_.bresp : out_.rresp;
        if (response == expected) return out_.rdata;
        differ(text_of("host port, register 0x%03x, response", address), text_of("%u", expected),
               text_of("%u", response), 0);
    }
    differ(text_of("host port, register 0x%03x", address), "an answer",
           text_of("none in %d clocks", HOST_CLOCKS_MAX), 0);
    return 0;
}

/* Writes the instructions that program memory does not hold yet. count: of them that the machine is
 * told of. */
void top_pair::load(const top_program *program, size_t count)
{
    enum { ID = 0x55504c53 }; /* "SLPU", first letter lowest */
    const uint32_t depth = read(LPU_REG_DEPTH), id = read(LPU_REG_ID);
    const uint32_t geometry = layout_->design->rows << 16 | layout_->design->cols;
    const uint32_t found_geometry = read(LPU_REG_GEOMETRY);
    size_t at = SIZE_MAX; /* where the window is */

    if (program->code.count > depth)
        throw std::runtime_error(
            text_of("%s: found %zu instructions, expected at most %u, what the "
                    "program memory holds",
                    program->name.c_str(), program->code.count, depth));
    if (id != ID) differ("register ID", text_of("0x%08x", ID), text_of("0x%08x", id), 0);
    if (found_geometry != geometry)
        differ("register GEOMETRY", text_of("0x%08x", geometry), text_of("0x%08x", found_geometry),
               0);
    loaded_.resize(program->code.count);
    for (size_t i = 0; i < program->code.count; i++) {
        insn_words words;
        uint8_t bytes[LPU_INSN_BYTES];
        lpu_insn_encode(bytes, &program->code.insns[i]);
        memcpy(words.data(), bytes, sizeof(bytes));
        if (loaded_[i] == words) continue;
        loaded_[i] = words;
        if (i != at) write(LPU_REG_PROGRAM_ADDRESS, (uint32_t)i);
        for (uint32_t w = 0; w < words.size(); w++) write(LPU_REG_PROGRAM + 4 * w, words[w]);
        at = i + 1;
    }
    /* What the window gives back is what was written. */
    const size_t any = host_dice_ % program->code.count;
    write(LPU_REG_PROGRAM_ADDRESS, (uint32_t)any);
    for (uint32_t w = 0; w < loaded_[any].size(); w++) {
        const uint32_t found = read(LPU_REG_PROGRAM + 4 * w);
        if (found != loaded_[any][w])
            differ(text_of("program window, word %u", w), text_of("0x%08x", loaded_[any][w]),
                   text_of("0x%08x", found), any);
    }
    write(LPU_REG_FIRST, 0);
    write(LPU_REG_COUNT, (uint32_t)count);
    write(LPU_REG_BASE_LOW, (uint32_t)manner_.base);
    write(LPU_REG_BASE_HIGH, (uint32_t)(manner_.base >> 32));
    write(LPU_REG_EPS, eps_.m | (uint32_t)(uint16_t)eps_.e << 16);
    write(LPU_REG_SCORE_SCALE, score_scale_.m | (uint32_t)(uint16_t)score_scale_.e << 16);
    write(LPU_REG_IRQ_STATUS, 7);
    write(LPU_REG_IRQ_ENABLE, 7);
    write(LPU_REG_CTRL, 1 << LPU_CTRL_CLEAR);
}

void top_pair::go()
{
    const uint32_t control =
        1 << LPU_CTRL_START | (manner_.is_stopping ? 1 << LPU_CTRL_STOP_AT_SYNC : 0);
    const double begin_s = now_s();

    segment_ = event_ = write_ = 0;
    while (segment_ < run_.segments.size()) {
        const size_t before = segment_;
        has_started_ = false;
        write(LPU_REG_CTRL, control);
        for (int i = 0; !has_started_ && i < HOST_CLOCKS_MAX; i++) tick();
        if (!has_started_) differ("run_o", "1 after a start", "0", run_.segments[segment_].first);
        while (is_running_) tick();
        for (int i = 0; !out_.irq && i < HOST_CLOCKS_MAX; i++) tick();
        if (!out_.irq) differ("irq_o", "1 after the end", "0", run_.segments[before].first);
        const uint32_t status = read(LPU_REG_STATUS);
        if (status >> LPU_STATUS_ERROR & 1)
            differ("error", "0", text_of("%u", read(LPU_REG_ERROR)), read(LPU_REG_PC));
        const bool is_over = segment_ == run_.segments.size();
        const uint32_t bit = is_over ? LPU_STATUS_DONE : LPU_STATUS_AT_SYNC;
        if (!(status >> bit & 1))
            differ("status", text_of("bit %u", bit), text_of("0x%x", status), 0);
        write(LPU_REG_IRQ_STATUS, 7);
    }
    segment_--;
    verdict_->rtl_s = now_s() - begin_s;
}

/* ---- after the run ---- */

void top_pair::compare_counters()
{
    const auto check = [this](int index, const char *name, uint64_t expected) {
        const uint32_t at = LPU_REG_PERF + 8 * (uint32_t)index;
        const uint64_t low = read(at);
        const uint64_t found = low | (uint64_t)read(at + 4) << 32;
        verdict_->counters++;
        if (found != expected)
            differ(std::string("counter ") + name, text_of("%" PRIu64, expected),
                   text_of("%" PRIu64, found), program_->code.count - 1);
    };
    for (const counter_row &row : counter_rows) {
        uint64_t value;
        memcpy(&value, (const char *)&run_.counters + row.offset, sizeof(value));
        check(row.index, row.name, value);
    }
    check(LPU_PERF_LOAD_BYTES, "load_bytes", run_.load_bytes);
    check(LPU_PERF_STORE_BYTES, "store_bytes", run_.store_bytes);
    check(LPU_PERF_VECTOR_GATED, "vector_gated",
          run_.counters.run_cycles - run_.counters.vector_busy_cycles);
}

void top_pair::compare_memory()
{
    if (write_ < run_.writes.size())
        differ("AXI write", text_of("0x%" PRIx64, run_.writes[write_].address), "none",
               run_.writes[write_].index);
    if (rtl_memory_ == golden_memory_) return;
    for (size_t i = 0; i < rtl_memory_.size(); i++)
        if (rtl_memory_[i] != golden_memory_[i])
            differ(text_of("memory at 0x%zx", i), text_of("%02x", golden_memory_[i]),
                   text_of("%02x", rtl_memory_[i]), 0);
}

void top_pair::begin(const top_program *program, top_verdict *verdict)
{
    *verdict = top_verdict();
    program_ = program;
    verdict_ = verdict;
    verdict->name = program->name;
    verdict->instructions = program->code.count;
    verdict->segments = program->code.segment_count;
}

void top_pair::soft_reset()
{
    const uint64_t from = top_rtl_clocks();

    write(LPU_REG_CTRL, 1 << LPU_CTRL_RESET);
    while (read(LPU_REG_STATUS) >> LPU_STATUS_RESETTING & 1) {
        if (top_rtl_clocks() - from > RESET_CLOCKS_MAX)
            differ("soft reset", "over once the memory has answered", "it goes on", 0);
    }
}

/* Some clocks more with nothing compared: a waveform then has the first difference, and what
 * follows.
 */
void top_pair::linger()
{
    enum { LINGER_CLOCKS = 20 };
    const top_difference kept = verdict_->difference;

    is_free_ = true;
    try {
        top_rtl_clock(); /* the one that differs was not taken */
        for (int i = 1; i < LINGER_CLOCKS; i++) tick();
    } catch (const top_stop &) {
    }
    is_free_ = false;
    verdict_->difference = kept;
}

void top_pair::run(const top_program *program, top_verdict *verdict)
{
    begin(program, verdict);
    golden_.run(program, &run_);
    verdict->cycles = run_.cycles;
    verdict->of_run = run_.counters;
    verdict->of_ops = run_.of_ops;
    verdict->writes = run_.writes.size();
    verdict->events = run_.events.size();
    verdict->written_bytes = run_.written.size();
    verdict->stepping_s = run_.stepping_s;
    verdict->skipping_s = run_.skipping_s;
    const uint64_t clocks = top_rtl_clocks();
    try {
        if (manner_.is_resetting) soft_reset();
        load(program, program->code.count);
        go();
        compare_counters();
        compare_memory();
    } catch (const top_stop &) {
        linger();
    }
    verdict->rtl_clocks = top_rtl_clocks() - clocks;
}

void top_pair::execute(const top_program *program)
{
    golden_.execute(program);
    rtl_memory_ = golden_memory_;
}
