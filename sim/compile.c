/* sim/compile.c - a pass in chunks, a chunk in layers, a layer in products and norms. */
#include "sim/compile_build.h"

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
    lpu_build_cut(&insn, lpu_cut_ktiles(&l->linear, k, b->design->cols));
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
    if (!b->is_decode) lpu_build_end_segment(b, LPU_INSN_sync);
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
    lpu_build_embed(b, first_row);
    lpu_build_end_segment(b, LPU_INSN_sync);
    for (b->layer = 0; b->layer < b->model->layers; b->layer++) {
        find_ops(b, (int32_t)b->layer);
        b->gain_turn = 0;
        emit_layer(b);
        lpu_build_end_segment(b, LPU_INSN_sync);
    }
    if (!has_head) return;
    find_ops(b, -1);
    b->gain_turn = 0;
    const uint32_t rows = b->is_decode ? b->rows : 1;
    lpu_build_head(b, rows, (uint64_t)(b->rows - rows) * b->model->hidden_elems);
    lpu_build_end_segment(b, LPU_INSN_sync);
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
        lpu_build_find_equal(l, program);
    }
    lpu_program_close(&b.segment);
    return b.status;
}
