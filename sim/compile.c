/* sim/compile.c - chunks, layers, linear products, head; and the moving of streams. */
#include "sim/compile_build.h"

#include <stdlib.h>
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
    lpu_insn_note note = {b->op_at[op], (uint32_t)region, 0};
    if (region != UINT32_MAX) {
        insn.addr += b->layout->regions[region].base;
        if (b->design->residence == LPU_WEIGHTS_ON_CHIP) insn.flags |= LPU_FLAG_ON_CHIP;
    }
    b->status = lpu_program_append(&b->segment, &insn, &note);
    if (b->status) lpu_fail(b->diag, b->status, "compile: out of memory");
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

/* Ends the segment with SYNC or HALT, noted under the last op written. */
static void end_segment(lpu_build *b, lpu_insn_op op)
{
    if (b->status || !b->segment.count) return;
    const lpu_insn insn = lpu_build_insn(op);
    const lpu_insn_note note = {b->segment.notes[b->segment.count - 1].op, UINT32_MAX, 0};
    b->status = lpu_program_append(&b->segment, &insn, &note);
    if (!b->status) b->status = check_segment(b);
    if (!b->status) flush_segment(b);
}

/* ---- linear layers ---- */

static const lpu_matrix *matrix_of(const lpu_build *b, lpu_linear which)
{
    if (!b->request->weights) return NULL;
    const lpu_layer_weights *w = &b->request->weights->layer[b->layer];
    const lpu_matrix *const all[LPU_LINEARS] = {&w->q,    &w->k,  &w->v,   &w->o,
                                                &w->gate, &w->up, &w->down};
    return all[which];
}

/* dst (rows, n) = ACT (rows, k) times the layer's matrix, as accumulators. */
static void emit_linear(lpu_build *b, lpu_op_kind op, lpu_linear which, lpu_buffer dst)
{
    const lpu_layout *l = b->layout;
    uint32_t n, k;

    lpu_layout_linear_shape(b->model, which, &n, &k);
    lpu_build_stream(b, op, l->layer_first + b->layer, l->linear_at[which],
                     (uint64_t)n * l->linear.planes * lpu_format_bytes(&l->linear, k));
    lpu_insn insn = lpu_build_insn(LPU_INSN_matmul);
    insn.dst = (uint8_t)dst;
    insn.a = LPU_BUF_ACT;
    insn.m = b->rows;
    insn.n = n;
    insn.k = k;
    insn.planes = (uint8_t)l->linear.planes;
    insn.mode = l->linear.planes > 1; /* planes of signs are added, not weighted */
    insn.a_stride = k;
    insn.d_stride = n;
    lpu_build_emit(b, insn, op, UINT32_MAX);
}

/* op: LPU_INSN_dequant or LPU_INSN_residual, of a (rows, n) with the scales behind ACT (rows, k).
 */
static void emit_scaled(lpu_build *b, lpu_insn_op insn_op, lpu_op_kind op, lpu_linear which,
                        lpu_buffer dst, lpu_buffer a)
{
    uint32_t n, k;
    lpu_layout_linear_shape(b->model, which, &n, &k);
    lpu_insn insn = lpu_build_insn(insn_op);
    insn.dst = (uint8_t)dst;
    insn.a = (uint8_t)a;
    insn.b = LPU_BUF_ACT;
    insn.m = b->rows;
    insn.n = n;
    insn.k = k; /* the scales lie behind rows x k activations */
    insn.a_stride = insn.d_stride = n;
    if (matrix_of(b, which)) insn.scale = matrix_of(b, which)->scale;
    lpu_build_emit(b, insn, op, UINT32_MAX);
}

/* The exponent of a norm's gain; LPU_NORMS is the final one. */
static int16_t gain_exponent(const lpu_build *b, lpu_norm norm)
{
    const lpu_weights *w = b->request->weights;
    if (!w) return 0;
    if (norm == LPU_NORMS) return w->output_norm.exponent;

    const lpu_layer_weights *layer = &w->layer[b->layer];
    const lpu_gain *const all[LPU_NORMS] = {&layer->attn_norm, &layer->attn_sub_norm,
                                            &layer->ffn_norm, &layer->ffn_sub_norm};
    return all[norm]->exponent;
}

void lpu_build_norm(lpu_build *b, lpu_op_kind op, lpu_buffer a, uint64_t a_off, uint32_t rows,
                    uint32_t n, lpu_norm norm, bool has_exponent)
{
    const lpu_layout *l = b->layout;
    const bool is_sub = norm == LPU_NORM_ATTN_SUB || norm == LPU_NORM_FFN_SUB;
    lpu_insn insn = lpu_build_insn(LPU_INSN_normq);

    if (!is_sub || b->model->has_sub_norm) {
        const lpu_buffer gain = b->gain_turn++ % 2 ? LPU_BUF_GAIN1 : LPU_BUF_GAIN0;
        const size_t region = norm == LPU_NORMS ? 0 : l->layer_first + b->layer;
        const uint64_t at = norm == LPU_NORMS ? l->final_norm_at : l->norm_at[norm];
        lpu_build_load(b, op, gain, 0, region, at, 2 * (uint64_t)n);
        insn.b = (uint8_t)gain;
        insn.scale.e = gain_exponent(b, norm);
    }
    insn.dst = LPU_BUF_ACT;
    insn.a = (uint8_t)a;
    insn.m = rows;
    insn.n = n;
    insn.a_off = (uint32_t)a_off;
    insn.a_stride = insn.d_stride = n;
    insn.mode = (uint8_t)norm;
    if (has_exponent) insn.flags |= LPU_FLAG_EXPONENT;
    lpu_build_emit(b, insn, op, UINT32_MAX);
}

static void emit_ffn(lpu_build *b)
{
    const lpu_model *m = b->model;
    lpu_insn gate = lpu_build_insn(LPU_INSN_gate);

    lpu_build_norm(b, LPU_OP_ffn_norm, LPU_BUF_X, 0, b->rows, m->hidden_elems, LPU_NORM_FFN, false);
    if (m->is_gated) emit_linear(b, LPU_OP_gate_proj, LPU_LINEAR_GATE, LPU_BUF_GATE);
    const lpu_buffer up = m->is_gated ? LPU_BUF_UP : LPU_BUF_GATE;
    emit_linear(b, LPU_OP_up_proj, LPU_LINEAR_UP, up);
    if (m->is_gated) {
        emit_scaled(b, LPU_INSN_dequant, LPU_OP_gate_proj, LPU_LINEAR_GATE, LPU_BUF_GATE,
                    LPU_BUF_GATE);
        gate.b = LPU_BUF_UP;
    }
    emit_scaled(b, LPU_INSN_dequant, LPU_OP_up_proj, LPU_LINEAR_UP, up, up);
    gate.dst = gate.a = LPU_BUF_GATE;
    gate.m = b->rows;
    gate.n = m->ffn_elems;
    gate.a_stride = gate.d_stride = m->ffn_elems;
    gate.mode = (uint8_t)m->activation;
    lpu_build_emit(b, gate, LPU_OP_gate_act, UINT32_MAX);
    lpu_build_norm(
        b, b->op_at[LPU_OP_ffn_sub_norm] != UINT32_MAX ? LPU_OP_ffn_sub_norm : LPU_OP_down_proj,
        LPU_BUF_GATE, 0, b->rows, m->ffn_elems, LPU_NORM_FFN_SUB, true);
    emit_linear(b, LPU_OP_down_proj, LPU_LINEAR_DOWN, LPU_BUF_UP);
    emit_scaled(b, LPU_INSN_residual, LPU_OP_ffn_residual, LPU_LINEAR_DOWN, LPU_BUF_X, LPU_BUF_UP);
}

/* In prefill, attention is a segment of its own: the rest of a layer is then the same for every
 * chunk of the prompt. The machine drains twice more per layer, for less than a percent. */
static void end_part(lpu_build *b)
{
    if (!b->is_decode) end_segment(b, LPU_INSN_sync);
}

static void emit_layer(lpu_build *b)
{
    const lpu_model *m = b->model;

    lpu_build_norm(b, LPU_OP_attn_norm, LPU_BUF_X, 0, b->rows, m->hidden_elems, LPU_NORM_ATTN,
                   false);
    emit_linear(b, LPU_OP_q_proj, LPU_LINEAR_Q, LPU_BUF_Q);
    emit_linear(b, LPU_OP_k_proj, LPU_LINEAR_K, LPU_BUF_K);
    emit_linear(b, LPU_OP_v_proj, LPU_LINEAR_V, LPU_BUF_V);
    emit_scaled(b, LPU_INSN_dequant, LPU_OP_q_proj, LPU_LINEAR_Q, LPU_BUF_Q, LPU_BUF_Q);
    emit_scaled(b, LPU_INSN_dequant, LPU_OP_k_proj, LPU_LINEAR_K, LPU_BUF_K, LPU_BUF_K);
    emit_scaled(b, LPU_INSN_dequant, LPU_OP_v_proj, LPU_LINEAR_V, LPU_BUF_V, LPU_BUF_V);
    end_part(b);
    if (b->op_at[LPU_OP_scores] != UINT32_MAX) lpu_build_attention(b);
    else lpu_build_state(b);
    end_part(b);
    lpu_build_norm(
        b, b->op_at[LPU_OP_attn_sub_norm] != UINT32_MAX ? LPU_OP_attn_sub_norm : LPU_OP_o_proj,
        LPU_BUF_Q, 0, b->rows, m->heads * m->head_elems, LPU_NORM_ATTN_SUB, false);
    emit_linear(b, LPU_OP_o_proj, LPU_LINEAR_O, LPU_BUF_Q);
    emit_scaled(b, LPU_INSN_residual, LPU_OP_attn_residual, LPU_LINEAR_O, LPU_BUF_X, LPU_BUF_Q);
    emit_ffn(b);
}

/* ---- embedding and head ---- */

static uint32_t chunk_rows(const lpu_layout *l, uint32_t chunk)
{
    const uint32_t first = chunk * l->head_chunk_rows, left = l->model->vocab_elems - first;
    return left < l->head_chunk_rows ? left : l->head_chunk_rows;
}

static uint64_t scale_offset(const lpu_layout *l, uint32_t chunk)
{
    const uint64_t row = l->head.planes * lpu_format_bytes(&l->head, l->model->hidden_elems);
    return (chunk_rows(l, chunk) * row + 63) / 64 * 64;
}

/* Gathers one plane of one table row: the lines of its k tiles, which lie a block of rows apart. */
static void load_plane(lpu_build *b, uint64_t at, size_t region, uint64_t plane_offset,
                       uint32_t block_rows, uint32_t row)
{
    const lpu_layout *l = b->layout;
    const uint32_t k = b->model->hidden_elems, cols = b->design->cols;
    const uint32_t tiles = lpu_ktile_count(k, cols);
    uint64_t offset = plane_offset;

    for (uint32_t t = 0; t < tiles;) {
        const uint32_t line = lpu_ktile_at(&l->head, k, cols, t).line_bytes;
        uint32_t same = 1;
        while (t + same < tiles && lpu_ktile_at(&l->head, k, cols, t + same).line_bytes == line) {
            same++;
        }
        lpu_insn insn = lpu_build_insn(LPU_INSN_load);
        insn.dst = LPU_BUF_EMBED;
        insn.d_off = (uint32_t)at;
        insn.addr = offset + (uint64_t)row * line;
        insn.segs = same;
        insn.seg_bytes = line;
        insn.stride = block_rows * line;
        lpu_build_emit(b, insn, LPU_OP_embed, region);
        at += (uint64_t)same * line;
        offset += (uint64_t)same * block_rows * line;
        t += same;
    }
}

static void load_table_row(lpu_build *b, uint32_t id, uint32_t slot)
{
    const lpu_layout *l = b->layout;
    const uint64_t plane_bytes = lpu_format_bytes(&l->head, b->model->hidden_elems);
    const uint64_t row_bytes = l->head.planes * plane_bytes;
    const uint32_t chunk = id / l->head_chunk_rows, in_chunk = id % l->head_chunk_rows;
    const uint32_t rows = b->design->rows, block = in_chunk / rows;
    const uint32_t left = chunk_rows(l, chunk) - block * rows;
    const uint32_t block_rows = left < rows ? left : rows;
    const size_t region = l->embed_first + chunk;

    for (uint32_t p = 0; p < l->head.planes; p++) {
        load_plane(b, slot * row_bytes + p * plane_bytes, region,
                   (uint64_t)block * rows * row_bytes + (uint64_t)p * block_rows * plane_bytes,
                   block_rows, in_chunk % rows);
    }
    lpu_build_load(b, LPU_OP_embed, LPU_BUF_EMBED, (b->rows * row_bytes + 3) / 4 * 4 + 4 * slot,
                   region, scale_offset(l, chunk) + 4 * (uint64_t)in_chunk, 4);
}

static void emit_embed(lpu_build *b, uint32_t first_row)
{
    const int32_t *ids = b->request->tokens;
    lpu_insn insn = lpu_build_insn(LPU_INSN_embed);

    for (uint32_t i = 0; i < b->rows; i++) {
        /* Without ids, rows spread over the table as a text's would. */
        const uint32_t id =
            ids ? (uint32_t)ids[first_row + i]
                : (uint32_t)((first_row + i + 1ull) * 2654435761u % b->model->vocab_elems);
        load_table_row(b, id, i);
    }
    insn.dst = LPU_BUF_X;
    insn.a = LPU_BUF_EMBED;
    insn.m = b->rows;
    insn.n = b->model->hidden_elems;
    insn.planes = (uint8_t)b->layout->head.planes;
    insn.d_stride = insn.n;
    lpu_build_emit(b, insn, LPU_OP_embed, UINT32_MAX);
}

static void emit_head(lpu_build *b, uint32_t rows, uint64_t x_off)
{
    const lpu_layout *l = b->layout;
    const uint32_t h = b->model->hidden_elems;
    const uint64_t row_bytes = l->head.planes * lpu_format_bytes(&l->head, h);

    lpu_build_norm(b, LPU_OP_final_norm, LPU_BUF_X, x_off, rows, h, LPU_NORMS, false);
    end_segment(b, LPU_INSN_sync);
    for (uint32_t chunk = 0; chunk < l->head_chunks; chunk++) {
        const size_t region = l->head_first + chunk;
        lpu_insn product = lpu_build_insn(LPU_INSN_matmul);
        lpu_insn best = lpu_build_insn(LPU_INSN_argmax);

        lpu_build_load(b, LPU_OP_argmax, LPU_BUF_ROWSCALE, 0, region, scale_offset(l, chunk),
                       4 * (uint64_t)chunk_rows(l, chunk));
        lpu_build_stream(b, LPU_OP_lm_head, region, 0, chunk_rows(l, chunk) * row_bytes);
        product.dst = best.a = LPU_BUF_LOGITS;
        product.a = best.b = LPU_BUF_ACT;
        product.m = best.m = rows;
        product.n = best.n = chunk_rows(l, chunk);
        product.k = best.k = h;
        product.planes = (uint8_t)l->head.planes;
        product.a_stride = h;
        product.d_stride = best.a_stride = product.n;
        best.dst = LPU_BUF_RESULT;
        best.c = LPU_BUF_ROWSCALE;
        best.d_off = chunk * l->head_chunk_rows;
        if (!chunk) best.flags |= LPU_FLAG_FIRST;
        lpu_build_emit(b, product, LPU_OP_lm_head, UINT32_MAX);
        lpu_build_emit(b, best, LPU_OP_argmax, UINT32_MAX);
        if (chunk + 1 < l->head_chunks) end_segment(b, LPU_INSN_sync);
    }
}

/* ---- the whole pass ---- */

/* Points op_at at the ops of a layer (-1: those outside); absent kinds are UINT32_MAX. */
static void find_ops(lpu_build *b, int32_t layer)
{
    const lpu_trace *t = b->request->trace;
    const size_t per_layer = t->count / (t->model.layers ? t->model.layers : 1);
    size_t i = layer < 0 ? 0 : (size_t)layer * (per_layer > 4 ? per_layer - 4 : 0);

    for (int k = 0; k < LPU_OP_KINDS; k++) b->op_at[k] = UINT32_MAX;
    if (layer >= 0 && i >= t->count) i = 0;
    while (layer >= 0 && i > 0 && t->ops[i].layer >= layer) i--;
    for (; i < t->count; i++) {
        if (t->ops[i].layer == layer) b->op_at[t->ops[i].kind] = (uint32_t)i;
        else if (layer >= 0 && t->ops[i].layer > layer) break;
    }
}

static void emit_chunk(lpu_build *b, uint32_t first_row, bool has_head)
{
    find_ops(b, -1);
    emit_embed(b, first_row);
    end_segment(b, LPU_INSN_sync);
    for (b->layer = 0; b->layer < b->model->layers; b->layer++) {
        find_ops(b, (int32_t)b->layer);
        b->gain_turn = 0;
        emit_layer(b);
        end_segment(b, LPU_INSN_sync);
    }
    if (!has_head) return;
    find_ops(b, -1);
    b->gain_turn = 0;
    const uint32_t rows = b->is_decode ? b->rows : 1;
    emit_head(b, rows, (uint64_t)(b->rows - rows) * b->model->hidden_elems);
    end_segment(b, LPU_INSN_sync);
}

static void emit_setup(lpu_build *b)
{
    find_ops(b, -1);
    for (int i = 0; i < LPU_BUFS; i++) {
        lpu_insn insn = lpu_build_insn(LPU_INSN_setbuf);
        insn.dst = (uint8_t)i;
        insn.addr = b->plan.base[i];
        insn.n = (uint32_t)b->plan.bytes[i];
        lpu_build_emit(b, insn, LPU_OP_embed, UINT32_MAX);
    }
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

static void find_equal_segments(const lpu_layout *l, lpu_program *p)
{
    for (size_t t = 1; t < p->segment_count; t++) {
        for (size_t s = 0; s < t; s++) {
            if (p->segments[s].same_as != s || !is_same_segment(l, p, s, t)) continue;
            p->segments[t].same_as = s;
            break;
        }
    }
}

/* ---- entry ---- */

static uint32_t most_keys(const lpu_trace *t)
{
    return t->context + t->tokens;
}

static uint32_t largest_chunk(lpu_buffer_plan *plan, const lpu_layout *l, const lpu_trace *t)
{
    uint32_t rows = t->phase == LPU_PHASE_DECODE ? t->batch : t->tokens;
    if (rows > l->design->passes_max) rows = l->design->passes_max;
    while (rows && !lpu_buffer_plan_init(plan, l, rows, most_keys(t))) rows--;
    return rows;
}

uint32_t lpu_compile_chunk_rows(const lpu_layout *layout, const lpu_trace *trace)
{
    lpu_buffer_plan plan;
    return largest_chunk(&plan, layout, trace);
}

static void emit_pass(lpu_build *b, uint32_t chunk)
{
    const lpu_trace *t = b->request->trace;

    emit_setup(b);
    if (b->is_decode) {
        b->position = t->context;
        for (uint32_t s = 0; s < t->batch; s += chunk) {
            b->sequence = s;
            b->rows = t->batch - s < chunk ? t->batch - s : chunk;
            emit_chunk(b, s, true);
        }
        return;
    }
    for (b->sequence = 0; b->sequence < t->batch; b->sequence++) {
        for (uint32_t i = 0; i < t->tokens; i += chunk) {
            b->position = t->context + i;
            b->rows = t->tokens - i < chunk ? t->tokens - i : chunk;
            emit_chunk(b, b->sequence * t->tokens + i, i + b->rows == t->tokens);
        }
    }
}

lpu_status lpu_compile(lpu_program *program, const lpu_compile_request *request, lpu_diag *diag)
{
    const lpu_layout *l = request->layout;
    lpu_build b = {.request = request,
                   .layout = l,
                   .model = l->model,
                   .design = l->design,
                   .program = program,
                   .diag = diag,
                   .is_decode = request->trace->phase == LPU_PHASE_DECODE};
    const uint32_t chunk = largest_chunk(&b.plan, l, request->trace);

    if (!chunk) {
        lpu_buffer_plan_init(&b.plan, l, 1, most_keys(request->trace));
        return lpu_fail(diag, LPU_ERR_RANGE,
                        "%s on %s: one token needs %llu KiB of scratchpad, the design has %u",
                        l->model->name, l->design->name,
                        (unsigned long long)b.plan.total_bytes / 1024, l->design->scratch_kib);
    }
    if (most_keys(request->trace) > l->capacity_tokens) {
        return lpu_fail(diag, LPU_ERR_RANGE, "%s: the cache holds %u tokens, the pass needs %u",
                        l->model->name, l->capacity_tokens, most_keys(request->trace));
    }
    emit_pass(&b, chunk);
    if (!b.status) {
        program->insns[program->count - 1].op = LPU_INSN_halt;
        find_equal_segments(l, program);
    }
    lpu_program_close(&b.segment);
    return b.status;
}
