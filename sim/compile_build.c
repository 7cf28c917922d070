/* sim/compile_build.c - writing a segment: instructions, the moving of streams ahead of the work
 * that needs them, and which segments are the same to the clock.
 */
#include "sim/compile_build.h"

#include <string.h>

/* ---- emitting ---- */

lpu_insn lpu_build_insn(lpu_insn_op op)
{
    return (lpu_insn){.op = (uint8_t)op,
                      .dst = LPU_BUFFER_NONE,
                      .a = LPU_BUFFER_NONE,
                      .b = LPU_BUFFER_NONE,
                      .c = LPU_BUFFER_NONE,
                      .m_inner = 1};
}

void lpu_build_emit(lpu_build *b, lpu_insn insn, lpu_op_kind op, size_t region)
{
    if (b->status) return;
    lpu_insn_note note = {b->op_at[op], (uint32_t)region};
    if (region != UINT32_MAX) {
        insn.addr += b->layout->regions[region].base;
        if (b->design->residence == LPU_WEIGHTS_ON_CHIP) insn.flags |= LPU_FLAG_ON_CHIP;
    }
    b->status = lpu_program_append(&b->segment, &insn, &note);
    if (b->status) lpu_fail(b->diag, b->status, "compile: out of memory");
}

void lpu_build_cut(lpu_insn *insn, lpu_cut cut)
{
    insn->seg_bytes = cut.line_bytes;
    insn->segs = cut.more;
    insn->stride = cut.pieces;
}

void lpu_build_stream(lpu_build *b, lpu_op_kind op, size_t region, uint64_t offset, uint64_t bytes)
{
    lpu_insn insn = lpu_build_insn(LPU_INSN_stream);
    insn.addr = offset;
    insn.segs = 1;
    insn.seg_bytes = (uint32_t)bytes;
    lpu_build_emit(b, insn, op, region);
}

void lpu_build_load(lpu_build *b, lpu_op_kind op, lpu_buffer dst, uint64_t at, size_t region,
                    uint64_t offset, uint64_t bytes)
{
    lpu_insn insn = lpu_build_insn(LPU_INSN_load);
    insn.dst = (uint8_t)dst;
    insn.d_off = (uint32_t)at;
    insn.addr = offset;
    insn.segs = 1;
    insn.seg_bytes = (uint32_t)bytes;
    lpu_build_emit(b, insn, op, region);
}

/* ---- moving streams ahead ---- */

static bool is_stream(const lpu_insn *i)
{
    return lpu_insn_unit(i->op) == LPU_UNIT_stream;
}

static bool touches(const lpu_insn *i, uint8_t buffer)
{
    return i->dst == buffer || i->a == buffer || i->b == buffer || i->c == buffer;
}

/* May stream s, written at index `at`, be issued before instruction `before`? */
static bool may_pass(const lpu_program *p, size_t at, size_t before)
{
    const lpu_insn *s = &p->insns[at];
    for (size_t i = before; i < at; i++) {
        const lpu_insn *e = &p->insns[i];
        if (is_stream(e)) continue;
        if (s->op == LPU_INSN_load && touches(e, s->dst)) return false;
        if ((s->flags & LPU_FLAG_FENCE) && e->op == LPU_INSN_store) return false;
        if (e->op == LPU_INSN_setbuf) return false;
    }
    return true;
}

static size_t next_stream(const lpu_program *p, size_t from)
{
    while (from < p->count && !is_stream(&p->insns[from])) from++;
    return from;
}

/* The streams of a product are all issued before it, and a stream to the FIFO may not retire until
 * the product takes from it: the queue must hold every one from the first of them on. */
static lpu_status check_segment(const lpu_build *b)
{
    enum { INSNS_MAX = 1 << 24 }; /* 1.5 GB of program */
    const lpu_program *p = &b->segment;
    size_t held = 0, most = 0;

    if (b->program->count + p->count > INSNS_MAX) {
        return lpu_fail(b->diag, LPU_ERR_RANGE,
                        "%s on %s: the pass takes more than %d instructions, expected a shorter "
                        "prompt or fewer sequences",
                        b->model->name, b->design->name, INSNS_MAX);
    }
    for (size_t i = 0; i < p->count; i++) {
        if (!is_stream(&p->insns[i])) held = 0;
        else if (held || p->insns[i].op == LPU_INSN_stream) held++;
        if (held > most) most = held;
    }
    if (most <= b->design->stream_queue) return LPU_OK;
    return lpu_fail(
        b->diag, LPU_ERR_RANGE,
        "%s on %s: stream_queue is %u, expected at least %zu, the streams of one product",
        b->model->name, b->design->name, b->design->stream_queue, most);
}

/* Copies the segment to the program. Streams keep their order and go ahead of other instructions,
 * as long as at most stream_queue - 1 of them wait for an instruction not yet issued: then the
 * queue always has a stream at work that somebody takes from. */
static void flush_segment(lpu_build *b)
{
    const lpu_program *from = &b->segment;
    const size_t reach = b->design->stream_queue - 1;
    size_t stream = next_stream(from, 0); /* the next to be copied */
    size_t waiting = 0;                   /* copied, and written after the last other one copied */
    size_t own = 0;                       /* of those, written before the next other one */

    for (size_t i = 0; i < from->count && !b->status; i++) {
        const bool goes_now = is_stream(&from->insns[i]);
        own += goes_now;
        while (stream < from->count && !b->status &&
               (goes_now ? stream <= i : waiting < reach && may_pass(from, stream, i))) {
            b->status = lpu_program_append(b->program, &from->insns[stream], &from->notes[stream]);
            stream = next_stream(from, stream + 1);
            waiting++;
        }
        if (goes_now || b->status) continue;
        b->status = lpu_program_append(b->program, &from->insns[i], &from->notes[i]);
        waiting -= own;
        own = 0;
    }
    if (!b->status) b->status = lpu_program_end_segment(b->program);
    if (b->status) lpu_fail(b->diag, b->status, "compile: out of memory");
    b->segment.count = 0;
}

void lpu_build_end_segment(lpu_build *b, lpu_insn_op op)
{
    if (b->status || !b->segment.count) return;
    const lpu_insn insn = lpu_build_insn(op);
    const lpu_insn_note note = {b->segment.notes[b->segment.count - 1].op, UINT32_MAX};
    b->status = lpu_program_append(&b->segment, &insn, &note);
    if (!b->status) b->status = check_segment(b);
    if (!b->status) flush_segment(b);
}

/* ---- equal segments ---- */

/* Same timing: same instructions at the same offsets in regions of the same kind and size. */
static bool is_same_insn(const lpu_layout *l, const lpu_program *p, size_t i, size_t j)
{
    const uint32_t ri = p->notes[i].region, rj = p->notes[j].region;
    lpu_insn a = p->insns[i], c = p->insns[j];

    if ((ri == UINT32_MAX) != (rj == UINT32_MAX)) return false;
    if (ri != UINT32_MAX) {
        const lpu_region *x = &l->regions[ri], *y = &l->regions[rj];
        if (x->kind != y->kind || x->bytes != y->bytes) return false;
        a.addr -= x->base;
        c.addr -= y->base;
    }
    a.scale = c.scale = (lpu_scale){0, 0};
    if (a.op == LPU_INSN_argmax) a.d_off = c.d_off = 0, a.flags = c.flags = 0;
    if (a.op == LPU_INSN_setbuf) return false;
    uint8_t x[LPU_INSN_BYTES], y[LPU_INSN_BYTES];
    lpu_insn_encode(x, &a);
    lpu_insn_encode(y, &c);
    return memcmp(x, y, sizeof(x)) == 0;
}

static bool is_same_segment(const lpu_layout *l, const lpu_program *p, size_t s, size_t t)
{
    const lpu_segment *a = &p->segments[s], *c = &p->segments[t];
    if (a->count != c->count) return false;
    for (size_t i = 0; i < a->count; i++) {
        if (!is_same_insn(l, p, a->first + i, c->first + i)) return false;
    }
    return true;
}

void lpu_build_find_equal(const lpu_layout *l, lpu_program *p)
{
    for (size_t t = 1; t < p->segment_count; t++) {
        for (size_t s = 0; s < t; s++) {
            if (p->segments[s].same_as != s || !is_same_segment(l, p, s, t)) continue;
            p->segments[t].same_as = s;
            break;
        }
    }
}
