/* sim/systemc/machine.cc - registers, and runs of programs on the simulator. */
#include "sim/systemc/machine.hh"

#include "rtl/verify/regs.hh"

#include <cstring>
#include <stdexcept>

using namespace sc_core;
using namespace tlm;

enum {
    DEPTH = 16384, /* instructions */
    STACK_BYTES = 1 << 20,
    PAGE_BYTES = 4096, /* of BASE */
    WINDOW_BYTES = LPU_INSN_BYTES,
    IRQ_BITS = 7,
};

/* Counters that the simulator has under the same name. */
static const struct counter_row {
    uint32_t index;
    size_t offset; /* in lpu_counters */
} counter_rows[] = {
    {LPU_PERF_RUN_CYCLES, offsetof(lpu_counters, run_cycles)},
    {LPU_PERF_ARRAY_PASS, offsetof(lpu_counters, array_pass_cycles)},
    {LPU_PERF_STALL_MEMORY, offsetof(lpu_counters, stall_memory_cycles)},
    {LPU_PERF_STALL_FILL, offsetof(lpu_counters, stall_fill_cycles)},
    {LPU_PERF_STALL_ACCUM, offsetof(lpu_counters, stall_accum_cycles)},
    {LPU_PERF_STALL_VECTOR, offsetof(lpu_counters, stall_vector_cycles)},
    {LPU_PERF_STALL_SYNC, offsetof(lpu_counters, stall_sync_cycles)},
    {LPU_PERF_STALL_ISSUE, offsetof(lpu_counters, stall_issue_cycles)},
    {LPU_PERF_VECTOR_BUSY, offsetof(lpu_counters, vector_busy_cycles)},
    {LPU_PERF_INSTRUCTIONS, offsetof(lpu_counters, instructions)},
    {LPU_PERF_LANE_ADDS, offsetof(lpu_counters, lane_adds)},
    {LPU_PERF_LANE_SKIPS, offsetof(lpu_counters, lane_skips)},
    {LPU_PERF_FIFO_WRITE_BYTES, offsetof(lpu_counters, fifo_write_bytes)},
    {LPU_PERF_FIFO_READ_BYTES, offsetof(lpu_counters, fifo_read_bytes)},
    {LPU_PERF_DRAM_READ_BYTES, offsetof(lpu_counters, dram_read_bytes)},
    {LPU_PERF_DRAM_WRITE_BYTES, offsetof(lpu_counters, dram_write_bytes)},
};

/* The layout and the trace give the machine the formats of its accounts: those of any model. */
static lpu_model any_model()
{
    lpu_model m = {};

    strcpy(m.name, "none");
    m.weights = LPU_WEIGHTS_TERNARY;
    m.is_gated = m.is_tied = true;
    m.hidden_elems = m.ffn_elems = m.head_elems = m.vocab_elems = 64;
    m.layers = m.heads = m.kv_heads = m.kv_layers = 1;
    m.context_tokens = 16;
    m.activation_bits = 8;
    m.native_kv_bits = 16;
    m.rope_theta = 10000;
    m.norm_eps = 1e-5;
    m.active_share = 1;
    return m;
}

lpu_sc_machine::lpu_sc_machine(const sc_module_name &name, const lpu_design &design,
                               lpu_sc_timing timing)
    : lpu_sc_device(name, design), design_(design), timing_(timing),
      period_(1e6 / design.clock_mhz, SC_PS), model_(any_model()), layout_(), trace_(), op_(),
      program_((size_t)DEPTH * LPU_INSN_BYTES)
{
    SC_HAS_PROCESS(lpu_sc_machine);
    lpu_diag diag = {""};

    if (lpu_layout_open(&layout_, &model_, &design_, 1, 1, &diag) ||
        lpu_machine_open(&machine_, &layout_, timing == LPU_SC_CYCLES, &diag))
        SC_REPORT_FATAL(this->name(), diag.text);
    op_.operand = LPU_OPERAND_LINEAR;
    trace_.ops = &op_;
    trace_.count = 1;
    lpu_machine_watch(machine_, watch, this);
    if (timing == LPU_SC_CYCLES) {
        const lpu_port_remote remote = remote_of(this);
        lpu_machine_attach(machine_, &remote);
    }
    SC_THREAD(work);
    set_stack_size(STACK_BYTES);
    SC_METHOD(show_irq);
    sensitive << irq_changed_;
}

lpu_sc_machine::~lpu_sc_machine()
{
    lpu_machine_close(&machine_);
    lpu_layout_close(&layout_);
}

/* ---- the memory that the machine asks ---- */

lpu_port_remote lpu_sc_machine::remote_of(lpu_sc_machine *m)
{
    lpu_port_remote remote = {};

    remote.user = m;
    remote.begin = [](void *u, uint64_t cycle) { static_cast<lpu_sc_machine *>(u)->begin(cycle); };
    remote.r = [](void *u, lpu_port_beat *out) {
        auto *self = static_cast<lpu_sc_machine *>(u);
        lpu_sc_beat beat;
        if (!self->axi.r(&beat)) return false;
        *out = lpu_port_beat();
        out->tag = beat.id;
        out->is_last = beat.is_last;
        if (beat.has_failed && !self->error_) self->error_ = LPU_ERROR_READ;
        return true;
    };
    remote.b = [](void *u, uint32_t *tag) {
        auto *self = static_cast<lpu_sc_machine *>(u);
        bool has_failed;
        if (!self->axi.b(tag, &has_failed)) return false;
        if (has_failed && !self->error_) self->error_ = LPU_ERROR_WRITE;
        return true;
    };
    remote.read = [](void *u, uint64_t address, uint32_t tag) {
        auto *self = static_cast<lpu_sc_machine *>(u);
        return self->axi.read(self->base_ + address, tag);
    };
    remote.write = [](void *u, uint64_t address, uint32_t tag) {
        auto *self = static_cast<lpu_sc_machine *>(u);
        return self->axi.write(self->base_ + address, tag);
    };
    remote.write_beat = [](void *u) { return static_cast<lpu_sc_machine *>(u)->write_beat(); };
    remote.is_idle = [](void *u) { return static_cast<lpu_sc_machine *>(u)->axi.is_idle(); };
    remote.settle = [](void *u) { return static_cast<lpu_sc_machine *>(u)->settle(); };
    return remote;
}

/* To the falling edge of the cycle: the memory has had its rising edge. */
void lpu_sc_machine::begin(uint64_t cycle)
{
    const sc_time at = origin_ + period_ * (double)cycle;

    if (at > sc_time_stamp()) wait(at - sc_time_stamp());
    if (cycle != cycle_ || !cycle) axi.begin();
    cycle_ = cycle;
}

uint64_t lpu_sc_machine::settle()
{
    sync_o.write(true);
    do begin(cycle_ + 1);
    while (!sync_ack_i.read());
    sync_o.write(false);
    return cycle_;
}

bool lpu_sc_machine::write_beat()
{
    const uint32_t bus = axi.bus_bytes();
    const uint64_t burst = lpu_port_burst_bytes(&design_.dram, bus);
    std::vector<uint8_t> data(bus), enables(bus);

    if (stores_.empty()) {
        SC_REPORT_FATAL(name(), "the machine writes more bursts than its values have");
        return false;
    }
    const lpu_sc_store *s = &stores_.front();
    const uint64_t first = s->address / burst * burst + (uint64_t)beat_ * bus;
    for (uint32_t i = 0; i < bus; i++) {
        const uint64_t at = first + i - s->address; /* wraps to beyond the end */
        if (at >= s->data.size()) continue;
        data[i] = s->data[at];
        enables[i] = TLM_BYTE_ENABLED;
    }
    if (!axi.write_beat(data.data(), enables.data())) return false;
    if ((uint64_t)++beat_ * bus < burst) return true;
    beat_ = 0;
    stores_.pop_front();
    return true;
}

void lpu_sc_machine::watch(void *user, const lpu_machine_event *e)
{
    auto *self = static_cast<lpu_sc_machine *>(user);
    const size_t index = self->first_index_ + e->index;

    if (!self->on_event) return;
    self->on_event({self->segment_, e->begin_cycles, false, LPU_UNIT_sequencer, index});
    if (e->unit == LPU_UNIT_sequencer) return; /* done as it issues */
    self->on_event({self->segment_, e->end_cycles - 1, true, e->unit, index});
}

/* ---- a run ---- */

void lpu_sc_machine::work()
{
    for (;;) {
        wait(start_);
        wait(clk_i.negedge_event());
        run_o.write(true);
        origin_ = sc_time_stamp() + period_;
        run();
        run_o.write(false);
        if (is_resetting_) reset();
        is_resetting_ = false;
    }
}

void lpu_sc_machine::fail(uint32_t error, const char *why)
{
    state_ = FAILED;
    error_ = error;
    if (*why) SC_REPORT_WARNING(name(), why);
    interrupt(LPU_IRQ_ERROR);
}

/* The instructions from pc_ on, to the first HALT. */
bool lpu_sc_machine::decode(lpu_program *program)
{
    const lpu_insn_note note = {0, UINT32_MAX};
    lpu_diag diag = {""};

    first_index_ = pc_;
    for (uint32_t i = pc_; i < count_; i++) {
        lpu_insn insn;
        if (lpu_insn_decode(&insn, &program_[(size_t)i * LPU_INSN_BYTES], &diag) ||
            (insn.flags & LPU_FLAG_ON_CHIP)) {
            pc_ = i;
            fail(LPU_ERROR_ILLEGAL, *diag.text ? diag.text : "an instruction of resident memory");
            return false;
        }
        if (lpu_program_append(program, &insn, &note)) throw std::bad_alloc();
        const bool is_halt = insn.op == LPU_INSN_halt;
        if (!is_halt && insn.op != LPU_INSN_sync) continue;
        if (lpu_program_end_segment(program)) throw std::bad_alloc();
        if (is_halt) return true;
    }
    pc_ = count_;
    fail(LPU_ERROR_NO_HALT, "");
    return false;
}

bool lpu_sc_machine::open_values()
{
    tlm_generic_payload p;
    tlm_dmi dmi;

    if (!is_new_) return true;
    p.set_address(base_);
    p.set_write();
    if (!axi.reads->get_direct_mem_ptr(p, dmi) || !dmi.is_read_write_allowed() ||
        base_ < dmi.get_start_address() || base_ > dmi.get_end_address()) {
        fail(LPU_ERROR_READ, "memory gives no DMI at BASE: the machine in C has its values by it");
        return false;
    }
    const auto scale = [](uint32_t word) {
        return lpu_scale{(uint16_t)word, (int16_t)(word >> 16)};
    };
    try {
        values_ = std::make_unique<lpu_sc_values>(
            design_, dmi.get_dmi_ptr() + (base_ - dmi.get_start_address()),
            dmi.get_end_address() - base_ + 1, scale(eps_), scale(score_scale_));
    } catch (const std::runtime_error &e) {
        fail(LPU_ERROR_ILLEGAL, e.what());
        return false;
    }
    is_new_ = false;
    return true;
}

bool lpu_sc_machine::take_values(const lpu_insn *insns, size_t count)
{
    std::string why;
    const bool is_well = timing_ == LPU_SC_LOOSE ? values_->run(insns, count, &why)
                                                 : values_->run_ahead(insns, count, &stores_, &why);

    if (!is_well) fail(LPU_ERROR_ILLEGAL, why.c_str());
    return is_well;
}

bool lpu_sc_machine::time_segment(const lpu_program *program, size_t s)
{
    lpu_counters ops = {};
    uint64_t begins = 0;
    lpu_machine_run_result result;
    lpu_diag diag = {""};

    if (lpu_machine_run(machine_, program, s, &trace_, &ops, &begins, &result, &diag)) {
        fail(LPU_ERROR_ILLEGAL, diag.text);
        return false;
    }
    ops.lane_adds = ops.lane_skips = 0; /* the values know how many */
    lpu_counters_add(&counters_, &ops, 1);
    if (timing_ == LPU_SC_LOOSE) {
        wait(origin_ + period_ * (double)(result.cycles - 1) - sc_time_stamp());
    }
    return true;
}

bool lpu_sc_machine::run_segment(const lpu_program *program, size_t s)
{
    const lpu_segment *segment = &program->segments[s];
    const lpu_insn *insns = &program->insns[segment->first];

    cycle_ = 0;
    if (timing_ == LPU_SC_CYCLES && !take_values(insns, segment->count)) return false;
    if (!time_segment(program, s)) return false;
    if (timing_ == LPU_SC_LOOSE && !take_values(insns, segment->count)) return false;
    origin_ = sc_time_stamp() + period_;
    segment_++;
    pc_ = (uint32_t)(first_index_ + segment->first + segment->count);
    if (error_) fail(error_, "");
    return !error_;
}

void lpu_sc_machine::run()
{
    lpu_program program = {};
    bool is_well = open_values() && decode(&program);

    for (size_t s = 0; is_well && s < program.segment_count; s++) {
        is_well = run_segment(&program, s);
        if (!is_well || is_resetting_) break;
        const bool is_last = s + 1 == program.segment_count;
        if (!is_last && !is_stopping_) continue;
        state_ = is_last ? DONE : STOPPED;
        interrupt(is_last ? LPU_IRQ_DONE : LPU_IRQ_AT_SYNC);
        break;
    }
    if (values_) {
        counters_.lane_adds += values_->lane_adds;
        counters_.lane_skips += values_->lane_skips;
        load_bytes_ += values_->load_bytes;
        store_bytes_ += values_->store_bytes;
        values_->lane_adds = values_->lane_skips = values_->load_bytes = values_->store_bytes = 0;
    }
    lpu_program_close(&program);
}

/* ---- registers ---- */

void lpu_sc_machine::interrupt(uint32_t bit)
{
    irq_ |= 1u << bit;
    irq_changed_.notify(SC_ZERO_TIME);
}

void lpu_sc_machine::show_irq()
{
    irq_o.write((irq_ & irq_enable_) != 0);
}

void lpu_sc_machine::reset()
{
    state_ = IDLE;
    error_ = 0;
    is_new_ = true; /* the scratchpad is anything */
    stores_.clear();
    beat_ = 0;
}

void lpu_sc_machine::control(uint32_t data)
{
    const bool is_reset = data >> LPU_CTRL_RESET & 1;

    is_stopping_ = data >> LPU_CTRL_STOP_AT_SYNC & 1;
    if (data >> LPU_CTRL_CLEAR & 1) {
        counters_ = lpu_counters();
        load_bytes_ = store_bytes_ = 0;
    }
    if (is_reset && state_ == RUNNING) is_resetting_ = true;
    else if (is_reset) reset();
    if (!(data >> LPU_CTRL_START & 1) || is_reset || state_ == RUNNING || state_ == FAILED) return;
    if (state_ != STOPPED) {
        pc_ = first_;
        segment_ = 0;
    }
    state_ = RUNNING;
    start_.notify(SC_ZERO_TIME);
}

uint64_t lpu_sc_machine::counter(uint32_t index) const
{
    for (const counter_row &row : counter_rows) {
        uint64_t value;
        memcpy(&value, (const char *)&counters_ + row.offset, sizeof(value));
        if (row.index == index) return value;
    }
    switch (index) {
    case LPU_PERF_LOAD_BYTES: return load_bytes_;
    case LPU_PERF_STORE_BYTES: return store_bytes_;
    case LPU_PERF_VECTOR_GATED: return counters_.run_cycles - counters_.vector_busy_cycles;
    default: return 0;
    }
}

bool lpu_sc_machine::read(uint32_t address, uint32_t *data)
{
    const bool is_busy = state_ == RUNNING;
    const uint32_t status = (uint32_t)is_busy << LPU_STATUS_RUNNING |
                            (uint32_t)(state_ == DONE) << LPU_STATUS_DONE |
                            (uint32_t)(state_ == STOPPED) << LPU_STATUS_AT_SYNC |
                            (uint32_t)(state_ == FAILED) << LPU_STATUS_ERROR |
                            (uint32_t)is_resetting_ << LPU_STATUS_RESETTING;

    if (address >= LPU_REG_PERF && address < LPU_REG_PERF + 8 * LPU_PERF_COUNTERS) {
        const uint64_t value = counter((address - LPU_REG_PERF) / 8);
        *data = address & 4 ? high_ : (uint32_t)value;
        if (!(address & 4)) high_ = (uint32_t)(value >> 32);
        return true;
    }
    if (address >= LPU_REG_PROGRAM && address < LPU_REG_PROGRAM + WINDOW_BYTES) {
        memcpy(data, &program_[(size_t)window_ * LPU_INSN_BYTES + address - LPU_REG_PROGRAM], 4);
        return !is_busy;
    }
    switch (address) {
    case LPU_REG_CTRL: *data = (uint32_t)is_stopping_ << LPU_CTRL_STOP_AT_SYNC; return true;
    case LPU_REG_STATUS: *data = status; return true;
    case LPU_REG_ERROR: *data = error_; return true;
    case LPU_REG_PC: *data = pc_; return true;
    case LPU_REG_FIRST: *data = first_; return true;
    case LPU_REG_COUNT: *data = count_; return true;
    case LPU_REG_BASE_LOW: *data = (uint32_t)base_; return true;
    case LPU_REG_BASE_HIGH: *data = (uint32_t)(base_ >> 32); return true;
    case LPU_REG_EPS: *data = eps_; return true;
    case LPU_REG_SCORE_SCALE: *data = score_scale_; return true;
    case LPU_REG_IRQ_ENABLE: *data = irq_enable_; return true;
    case LPU_REG_IRQ_STATUS: *data = irq_; return true;
    case LPU_REG_PROGRAM_ADDRESS: *data = window_; return true;
    case LPU_REG_ID: *data = 0x55504c53; return true; /* "SLPU" */
    case LPU_REG_GEOMETRY: *data = design_.rows << 16 | design_.cols; return true;
    case LPU_REG_DEPTH: *data = DEPTH; return true;
    default: return false;
    }
}

/* Nothing that a program depends on changes under it. */
bool lpu_sc_machine::write(uint32_t address, uint32_t data)
{
    switch (address) {
    case LPU_REG_CTRL: control(data); return true;
    case LPU_REG_IRQ_ENABLE: irq_enable_ = data & IRQ_BITS; break;
    case LPU_REG_IRQ_STATUS: irq_ &= ~data; break;
    default: break;
    }
    irq_changed_.notify(SC_ZERO_TIME);
    if (address == LPU_REG_IRQ_ENABLE || address == LPU_REG_IRQ_STATUS) return true;
    if (state_ == RUNNING) return false;
    if (address >= LPU_REG_PROGRAM && address < LPU_REG_PROGRAM + WINDOW_BYTES) {
        memcpy(&program_[(size_t)window_ * LPU_INSN_BYTES + address - LPU_REG_PROGRAM], &data, 4);
        if (address + 4 == LPU_REG_PROGRAM + WINDOW_BYTES) window_ = (window_ + 1) % DEPTH;
        return true;
    }
    is_new_ |= (address == LPU_REG_BASE_LOW && (uint32_t)base_ != data) ||
               (address == LPU_REG_BASE_HIGH && base_ >> 32 != data) ||
               (address == LPU_REG_EPS && eps_ != data) ||
               (address == LPU_REG_SCORE_SCALE && score_scale_ != data);
    switch (address) {
    case LPU_REG_FIRST: first_ = data % DEPTH; return true;
    case LPU_REG_COUNT: count_ = data % (2 * DEPTH); return true;
    case LPU_REG_BASE_LOW:
        base_ = (base_ >> 32 << 32) | data / PAGE_BYTES * PAGE_BYTES;
        return true;
    case LPU_REG_BASE_HIGH: base_ = (uint64_t)data << 32 | (uint32_t)base_; return true;
    case LPU_REG_EPS: eps_ = data; return true;
    case LPU_REG_SCORE_SCALE: score_scale_ = data; return true;
    case LPU_REG_PROGRAM_ADDRESS: window_ = data % DEPTH; return true;
    default: return false;
    }
}

bool lpu_sc_machine::access(bool is_write, uint32_t address, uint32_t *data)
{
    wait(period_);
    return is_write ? write(address, *data) : read(address, data);
}
