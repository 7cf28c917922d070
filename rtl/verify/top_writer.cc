/* rtl/verify/top_writer.cc - slots, segments in memory, and the order in which a program is
 * written. */
#include "rtl/verify/top_writer.hh"

#include <algorithm>
#include <new>

extern "C" {
#include "sim/port.h"
}

top_bytes top_random_bytes(top_dice *dice, size_t count)
{
    top_bytes out(count);
    for (uint8_t &b : out) b = (uint8_t)dice->next();
    return out;
}

top_writer::top_writer(top_random *out, const lpu_layout *layout, uint64_t seed)
    : dice{seed}, design(layout->design), out_(out),
      slot_bytes_(layout->design->scratch_kib * 1024 / SLOTS / 8 * 8)
{
    lpu_diag diag = {""};

    out->image.assign(64, 0);
    if (lpu_trace_open(&out->program.trace, layout->model, LPU_PHASE_PREFILL, 1, 0, 1, &diag))
        top_throw(&diag);
    find_ops();
}

/* Where an instruction's counts go: an operation of its kind, in another layer each time. */
void top_writer::find_ops()
{
    static const struct {
        lpu_insn_op insn;
        lpu_op_kind op;
    } rows[] = {
        {LPU_INSN_embed, LPU_OP_embed},
        {LPU_INSN_normq, LPU_OP_attn_norm},
        {LPU_INSN_residual, LPU_OP_attn_residual},
        {LPU_INSN_rope, LPU_OP_rope},
        {LPU_INSN_quant, LPU_OP_q_quant},
        {LPU_INSN_kvpack, LPU_OP_kv_write},
        {LPU_INSN_softmax, LPU_OP_softmax},
        {LPU_INSN_gate, LPU_OP_gate_act},
        {LPU_INSN_argmax, LPU_OP_argmax},
        {LPU_INSN_matmul, LPU_OP_q_proj},
        {LPU_INSN_stream, LPU_OP_q_proj},
        {LPU_INSN_dequant, LPU_OP_o_proj},
        {LPU_INSN_load, LPU_OP_ffn_norm},
        {LPU_INSN_store, LPU_OP_ffn_residual},
    };
    const lpu_trace *t = out_->program.trace;

    for (const auto &row : rows)
        for (uint32_t i = 0; i < t->count; i++)
            if (t->ops[i].kind == row.op) ops_[row.insn].push_back(i);
}

void top_writer::say(list *to, const lpu_insn &insn)
{
    const std::vector<uint32_t> &ops = ops_[insn.op];
    to->push_back({insn, ops.empty() ? 0 : ops[operations_ % ops.size()]});
}

/* ---- memory ---- */

/* Puts data somewhere new, with any alignment. */
uint64_t top_writer::place(const top_bytes &data)
{
    top_bytes &image = out_->image;
    const uint32_t burst = lpu_port_burst_bytes(&design->dram, design->bus_bytes_per_cycle);

    image.resize(image.size() + dice.below(2 * burst));
    if (dice.chance(64)) image.resize((image.size() + burst - 1) / burst * burst);
    const uint64_t at = image.size();
    image.insert(image.end(), data.begin(), data.end());
    return at;
}

lpu_insn top_writer::make(lpu_insn_op op)
{
    lpu_insn i = {};
    i.op = (uint8_t)op;
    i.dst = i.a = i.b = i.c = LPU_BUFFER_NONE;
    i.m_inner = 1;
    return i;
}

/* Cuts a piece of data into segments of equal size, a stride apart. */
lpu_insn top_writer::scatter(lpu_insn_op op, const uint8_t *data, size_t count)
{
    lpu_insn i = make(op);
    uint32_t segs = dice.chance(128) ? 1 : dice.between(1, 6);
    while (count % segs) segs--;
    const uint32_t each = (uint32_t)(count / segs);
    const uint32_t gap = dice.chance(128) ? 0 : dice.below(80);
    top_bytes spread;

    for (uint32_t s = 0; s < segs; s++) {
        spread.insert(spread.end(), data + s * each, data + (s + 1) * each);
        spread.resize(spread.size() + gap, 0xa5);
    }
    i.segs = segs;
    i.seg_bytes = each;
    i.stride = each + gap;
    i.addr = place(spread);
    return i;
}

/* ---- slots ---- */

uint32_t top_writer::slot()
{
    const uint32_t slot = (uint32_t)half_ * HALF + used_++;

    if (!is_placed_[slot] || dice.chance(24)) {
        lpu_insn i = make(LPU_INSN_setbuf);
        const uint32_t slack = slot_bytes_ - room_bytes();
        is_placed_[slot] = true;
        i.dst = (uint8_t)slot;
        i.addr = slot * slot_bytes_ + 8 * dice.below(slack / 8 + 1);
        i.n = room_bytes();
        say(&now_.before, i);
    }
    return slot;
}

uint32_t top_writer::room_bytes() const
{
    return slot_bytes_ - slot_bytes_ / 16 / 8 * 8;
}

uint8_t top_writer::load(const top_bytes &data, uint32_t slot)
{
    size_t at = 0;

    while (at < data.size()) {
        const size_t left = data.size() - at;
        const size_t part = dice.chance(160) ? left : dice.between(1, (uint32_t)left);
        lpu_insn i = scatter(LPU_INSN_load, data.data() + at, part);
        i.dst = (uint8_t)slot;
        i.d_off = (uint32_t)at;
        if (dice.chance(16)) i.flags |= LPU_FLAG_FENCE;
        say(&now_.before, i);
        at += part;
    }
    return (uint8_t)slot;
}

void top_writer::stream(const top_bytes &data, uint32_t pieces)
{
    size_t at = 0;

    for (uint32_t p = 0; p < pieces && at < data.size(); p++) {
        const size_t left = data.size() - at;
        const size_t part = p + 1 == pieces ? left : dice.between(1, (uint32_t)left);
        lpu_insn i = scatter(LPU_INSN_stream, data.data() + at, part);
        if (dice.chance(32)) i.flags |= LPU_FLAG_FENCE;
        say(&now_.before, i);
        at += part;
    }
}

uint8_t top_writer::result(uint32_t end)
{
    enum { GUARD_BYTES = 16 };
    const uint32_t to = slot();

    if (end + GUARD_BYTES > room_bytes() || !dice.chance(110)) return (uint8_t)to;
    guarded_slot_ = to;
    guarded_bytes_ = end + GUARD_BYTES;
    return load(top_random_bytes(&dice, guarded_bytes_), to);
}

void top_writer::store(uint32_t buffer, uint32_t from, uint32_t count)
{
    uint32_t segs = dice.chance(128) ? 1 : dice.between(1, 5);
    while (count % segs) segs--;
    const uint32_t gap = dice.chance(128) ? 0 : dice.below(70);
    lpu_insn i = make(LPU_INSN_store);

    i.a = (uint8_t)buffer;
    i.a_off = from;
    i.segs = segs;
    i.seg_bytes = count / segs;
    i.stride = i.seg_bytes + gap;
    i.addr = place(top_bytes((size_t)segs * i.stride, 0x5a));
    say(&now_.stores, i);
}

void top_writer::store_rows(const lpu_insn &i)
{
    enum { ELEM_BYTES = 4 };
    for (uint32_t outer = 0; outer < i.m / i.m_inner; outer++)
        store(i.dst, ELEM_BYTES * (i.d_off + outer * i.d_stride), ELEM_BYTES * i.m_inner * i.n);
}

/* ---- the program ---- */

size_t top_writer::operation::streams() const
{
    return (size_t)std::count_if(before.begin(), before.end(),
                                 [](const said &s) { return s.insn.op == LPU_INSN_stream; });
}

size_t top_writer::operation::entries() const
{
    return (size_t)std::count_if(before.begin(), before.end(), [](const said &s) {
        return lpu_insn_unit(s.insn.op) == LPU_UNIT_stream;
    });
}

void top_writer::emit(const list &all)
{
    for (const said &s : all) {
        const lpu_insn_note note = {s.op, UINT32_MAX};
        if (lpu_program_append(&out_->program.code, &s.insn, &note)) throw std::bad_alloc();
    }
}

void top_writer::flush()
{
    emit(held_.work);
    emit(held_.stores);
    held_ = operation();
}

void top_writer::end_segment(lpu_insn_op op)
{
    flush();
    emit({{make(op), 0}});
    if (lpu_program_end_segment(&out_->program.code)) throw std::bad_alloc();
}

void top_writer::finish()
{
    if (guarded_bytes_) store(guarded_slot_, 0, guarded_bytes_);
    guarded_bytes_ = 0;
    /* Streams wait in their queue until their product is issued: all of them must have room. */
    if (held_.streams() + now_.entries() > design->stream_queue || dice.chance(64)) flush();
    emit(now_.before);
    emit(held_.work);
    held_.work.clear();
    if (dice.chance(150)) {
        emit(now_.work);
        now_.work.clear();
    }
    flush();
    held_ = now_;
    if (dice.chance(64)) flush();
    now_ = operation();
    used_ = 0;
    half_ = !half_;
    operations_++;
}

void top_writer::close()
{
    const size_t burst = lpu_port_burst_bytes(&design->dram, design->bus_bytes_per_cycle);
    top_bytes &image = out_->image;

    end_segment(LPU_INSN_halt);
    image.resize((image.size() + 2 * burst) / burst * burst);
}
