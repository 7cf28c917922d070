/* rtl/verify/top_golden.cc - times a program on the machine, stepping and skipping, then executes
 * it.
 */
#include "rtl/verify/top_golden.hh"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <stdexcept>

void top_throw(const lpu_diag *diag)
{
    throw std::runtime_error(diag->text);
}

namespace
{

double now_s()
{
    using clock = std::chrono::steady_clock;
    return std::chrono::duration<double>(clock::now().time_since_epoch()).count();
}

void watch(void *user, const lpu_machine_event *event)
{
    auto *events = static_cast<std::vector<top_event> *>(user);
    events->push_back({event->begin_cycles, TOP_ISSUE, LPU_UNIT_sequencer, event->index});
    if (event->unit == LPU_UNIT_sequencer) return; /* done as it issues */
    events->push_back({event->end_cycles - 1, TOP_RETIRE, event->unit, event->index});
}

bool is_before(const top_event &a, const top_event &b)
{
    if (a.cycle != b.cycle) return a.cycle < b.cycle;
    if (a.kind != b.kind) return a.kind < b.kind;
    return a.unit < b.unit;
}

} // namespace

/* ---- programs ---- */

top_program::top_program() : code(), trace(nullptr) {}

top_program::~top_program()
{
    lpu_program_close(&code);
    lpu_trace_close(&trace);
}

std::string top_program::explain(size_t index) const
{
    char *text = nullptr;
    size_t bytes = 0;

    if (index >= code.count) return "no instruction of the program";
    FILE *f = open_memstream(&text, &bytes);
    if (!f) return "";
    const lpu_op *op = &trace->ops[code.notes[index].op];
    fprintf(f, "instruction %zu (", index);
    lpu_insn_print(f, &code.insns[index]);
    fprintf(f, ") of %s", lpu_op_name(op->kind));
    if (op->layer >= 0) fprintf(f, ", layer %d", op->layer);
    fclose(f);
    std::string out = text;
    free(text);
    out.erase(std::remove(out.begin(), out.end(), '\n'), out.end());
    return out;
}

/* ---- the machine ---- */

top_golden::top_golden(const lpu_layout *layout, std::vector<uint8_t> *memory, lpu_scale eps,
                       lpu_scale score_scale, const lpu_port_stalls *stalls)
    : layout_(layout), memory_(memory)
{
    const lpu_design *d = layout->design;
    const lpu_exec_config config = {d->rows,
                                    d->cols,
                                    d->code,
                                    (uint64_t)d->scratch_kib * 1024,
                                    eps,
                                    score_scale,
                                    memory->data(),
                                    memory->size(),
                                    nullptr,
                                    0};
    lpu_diag diag = {""};

    if (lpu_exec_open(&exec_, &config, &diag)) top_throw(&diag);
    if (lpu_machine_open(&stepping_, layout, true, &diag) ||
        lpu_machine_open(&skipping_, layout, false, &diag)) {
        lpu_exec_close(&exec_);
        lpu_machine_close(&stepping_);
        top_throw(&diag);
    }
    lpu_machine_stall(stepping_, stalls);
    lpu_machine_stall(skipping_, stalls);
    const size_t each = lpu_ternary_per_byte(d->code);
    for (int byte = 0; byte < 256; byte++) {
        const uint8_t code = (uint8_t)byte;
        int8_t digits[8] = {0};
        non_zero_[byte] = 0;
        if (lpu_ternary_decode(d->code, digits, &code, each, &diag)) continue;
        for (size_t i = 0; i < each; i++)
            non_zero_[byte] = (uint8_t)(non_zero_[byte] + !!digits[i]);
    }
}

top_golden::~top_golden()
{
    lpu_exec_close(&exec_);
    lpu_machine_close(&stepping_);
    lpu_machine_close(&skipping_);
}

void top_golden::time(const top_program *program, top_run *run)
{
    const size_t op_count = program->trace->count;
    std::vector<lpu_counters> ops(op_count), skipped(op_count);
    std::vector<uint64_t> begins(op_count);
    lpu_diag diag = {""};

    run->of_ops.resize(op_count);
    lpu_machine_watch(stepping_, watch, &run->events);
    for (size_t s = 0; s < program->code.segment_count; s++) {
        const lpu_segment *segment = &program->code.segments[s];
        const size_t first = run->events.size();
        lpu_machine_run_result result, fast;

        const double t0 = now_s();
        if (lpu_machine_run(stepping_, &program->code, s, program->trace, ops.data(), begins.data(),
                            &result, &diag))
            top_throw(&diag);
        const double t1 = now_s();
        if (lpu_machine_run(skipping_, &program->code, s, program->trace, skipped.data(),
                            begins.data(), &fast, &diag))
            top_throw(&diag);
        run->skipping_s += now_s() - t1;
        run->stepping_s += t1 - t0;
        if (fast.cycles != result.cycles ||
            memcmp(ops.data(), skipped.data(), op_count * sizeof(ops[0])))
            throw std::runtime_error("the simulator counts one segment differently when it skips");
        std::sort(run->events.begin() + (ptrdiff_t)first, run->events.end(), is_before);
        run->segments.push_back({segment->first, segment->count, first, result.cycles});
        run->cycles += result.cycles;
        for (size_t i = 0; i < op_count; i++) {
            lpu_counters_add(&run->of_ops[i], &ops[i], 1);
            lpu_counters_add(&run->counters, &ops[i], 1);
        }
    }
}

/* ---- values ---- */

/* The non-zero digits of the next bytes of the FIFO. */
uint64_t top_golden::take_digits(uint64_t bytes)
{
    uint64_t sum = 0;

    while (bytes && first_stream_ < streams_.size()) {
        waiting *w = &streams_[first_stream_];
        const uint8_t *at = memory_->data() + w->addr + w->offset;
        const uint64_t part = std::min<uint64_t>(bytes, w->seg_bytes - w->offset);
        for (uint64_t i = 0; i < part; i++) sum += non_zero_[at[i]];
        bytes -= part;
        w->offset += (uint32_t)part;
        if (w->offset < w->seg_bytes) continue;
        w->offset = 0;
        w->addr += w->stride;
        if (!--w->segs) first_stream_++;
    }
    if (first_stream_ == streams_.size()) {
        streams_.clear();
        first_stream_ = 0;
    }
    return sum;
}

/* Every vector meets every digit once: a non-zero one adds, all other lanes are held. */
void top_golden::count_product(const lpu_insn *i, top_run *run)
{
    const lpu_design *d = layout_->design;
    const uint64_t each = lpu_ternary_per_byte(d->code);
    const uint64_t tiles = lpu_ktile_count(i->k, d->cols);
    const uint64_t lanes = (uint64_t)d->rows * d->cols * i->m * i->planes * tiles;
    uint64_t adds = 0, all = 0;

    for (uint64_t first = 0; first < i->n; first += d->rows) {
        const uint64_t count = std::min<uint64_t>(i->n - first, d->rows);
        const bool is_column = i->flags & LPU_FLAG_COLUMN;
        const uint64_t line = ((is_column ? count : i->k) + each - 1) / each;
        adds += i->m * take_digits((is_column ? i->k : count) * line * i->planes);
        all += lanes;
    }
    run->counters.lane_adds += adds;
    run->counters.lane_skips += all - adds;
}

void top_golden::record_store(const lpu_insn *i, size_t index, top_run *run)
{
    const uint64_t burst =
        lpu_port_burst_bytes(&layout_->design->dram, layout_->design->bus_bytes_per_cycle);

    for (uint32_t s = 0; s < i->segs; s++) {
        uint64_t at = i->addr + (uint64_t)s * i->stride;
        const uint64_t end = at + i->seg_bytes;
        while (at < end) {
            const uint64_t stop = std::min(end, (at / burst + 1) * burst);
            run->writes.push_back({at, (size_t)(stop - at), run->written.size(), index});
            run->written.insert(run->written.end(), memory_->begin() + (ptrdiff_t)at,
                                memory_->begin() + (ptrdiff_t)stop);
            at = stop;
        }
    }
}

void top_golden::step(const top_program *program, size_t index, top_run *run)
{
    const lpu_insn *i = &program->code.insns[index];
    lpu_diag diag = {""};

    if (i->op == LPU_INSN_matmul) count_product(i, run);
    if (lpu_exec_step(exec_, i, &diag)) top_throw(&diag);
    const uint64_t bytes = (uint64_t)i->segs * i->seg_bytes;
    switch (i->op) {
    case LPU_INSN_stream: streams_.push_back({i->addr, i->seg_bytes, i->segs, i->stride, 0}); break;
    case LPU_INSN_load: run->load_bytes += bytes; break;
    case LPU_INSN_store:
        run->store_bytes += bytes;
        record_store(i, index, run);
        break;
    default: break;
    }
}

void top_golden::execute(const top_program *program)
{
    lpu_diag diag = {""};

    for (size_t i = 0; i < program->code.count; i++)
        if (lpu_exec_step(exec_, &program->code.insns[i], &diag)) top_throw(&diag);
}

void top_golden::run(const top_program *program, top_run *run)
{
    *run = top_run();
    time(program, run);
    run->counters.lane_adds = run->counters.lane_skips = 0;
    for (size_t i = 0; i < program->code.count; i++) step(program, i, run);
}
