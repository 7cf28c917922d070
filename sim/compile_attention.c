/* sim/compile_attention.c - attention: cache write, scores, softmax, values.
 *
 * Groups (a kv head, and as many tokens as fit) are software-pipelined, so that the array computes
 * the scores of group i + 1 while the vector unit is in the softmax of group i:
 *
 *     S0  S1 X0 V0  S2 X1 V1  ...        S scores, X softmax, V values
 */
#include "sim/compile_build.h"

/* Row sizes of the packed cache lines of one kv head. */
static uint64_t key_line_bytes(const lpu_build *b)
{
    return lpu_format_bytes(&b->layout->kv, b->model->head_elems);
}

static uint32_t value_blocks(const lpu_build *b)
{
    return (b->model->head_elems + b->design->rows - 1) / b->design->rows;
}

static uint32_t value_line(const lpu_build *b, uint32_t block)
{
    return b->layout->value_lines[block + 1 == value_blocks(b)];
}

static size_t cache_region(const lpu_build *b, uint32_t row)
{
    const uint32_t sequence = b->sequence + (b->is_decode ? row : 0);
    return b->layout->kv_first + (size_t)b->layer * b->layout->batch + sequence;
}

/* ---- writing the cache ---- */

static void emit_store(lpu_build *b, lpu_buffer a, uint64_t a_off, size_t region, uint64_t offset,
                       uint64_t bytes, uint32_t segs, uint64_t stride)
{
    lpu_insn insn = lpu_build_insn(LPU_INSN_store);
    insn.a = (uint8_t)a;
    insn.a_off = (uint32_t)a_off;
    insn.addr = offset;
    insn.seg_bytes = (uint32_t)bytes;
    insn.segs = segs;
    insn.stride = (uint32_t)stride;
    lpu_build_emit(b, insn, LPU_OP_kv_write, region);
}

/* Rows row..row+count of one cache, at tokens position..; count stays within a row block of keys.
 * In the pack the pieces lie kv head by kv head, k tile by k tile, plane by plane, row by row. */
static void store_keys(lpu_build *b, uint32_t row, uint32_t count, uint32_t position)
{
    const lpu_layout *l = b->layout;
    const uint32_t tiles = lpu_ktile_count(b->model->head_elems, b->design->cols);
    const uint64_t per_head = (uint64_t)b->rows * l->kv.planes * key_line_bytes(b);

    for (uint32_t h = 0; h < b->model->kv_heads; h++) {
        uint64_t pack = h * per_head;
        for (uint32_t t = 0; t < tiles; t++) {
            const uint64_t line =
                lpu_ktile_at(&l->kv, b->model->head_elems, b->design->cols, t).line_bytes;
            /* The pack's planes are rows x line apart: one store per plane where rows are split. */
            for (uint32_t p = 0; p < l->kv.planes; p++) {
                emit_store(b, LPU_BUF_KPACK, pack + (p * b->rows + row) * line,
                           cache_region(b, row), lpu_layout_key_at(l, h, position, p, t),
                           count * line, 1, 0);
            }
            pack += l->kv.planes * b->rows * line;
        }
    }
}

static void store_values(lpu_build *b, uint32_t row, uint32_t count, uint32_t position)
{
    const lpu_layout *l = b->layout;
    uint64_t pack = 0;

    for (uint32_t h = 0; h < b->model->kv_heads; h++) {
        for (uint32_t block = 0; block < value_blocks(b); block++) {
            const uint64_t line = value_line(b, block);
            for (uint32_t p = 0; p < l->kv.planes; p++) {
                emit_store(b, LPU_BUF_VPACK, pack + row * line, cache_region(b, row),
                           lpu_layout_value_at(l, h, position, block, p), count * line, 1, 0);
                pack += b->rows * line;
            }
        }
    }
}

/* Scales lie behind the packed rows: kv head by kv head, row by row. */
static void store_scales(lpu_build *b, uint32_t row, uint32_t count, uint32_t position)
{
    const lpu_layout *l = b->layout;
    const uint64_t tokens = l->capacity_tokens;
    uint64_t value_row = 0;

    for (uint32_t block = 0; block < value_blocks(b); block++) value_row += value_line(b, block);
    const uint64_t packs[2] = {key_line_bytes(b), value_row};
    const uint64_t scale_at[2] = {l->key_scale_at, l->value_scale_at};
    for (int i = 0; i < 2; i++) {
        const uint64_t behind =
            ((uint64_t)b->rows * b->model->kv_heads * l->kv.planes * packs[i] + 3) / 4 * 4;
        for (uint32_t h = 0; h < b->model->kv_heads; h++) {
            emit_store(b, i ? LPU_BUF_VPACK : LPU_BUF_KPACK, behind + 4ull * (h * b->rows + row),
                       cache_region(b, row), scale_at[i] + 4 * (h * tokens + position),
                       4ull * count, 1, 0);
        }
    }
}

static void emit_cache_write(lpu_build *b)
{
    for (int i = 0; i < 2; i++) {
        lpu_insn pack = lpu_build_insn(LPU_INSN_kvpack);
        pack.dst = i ? LPU_BUF_VPACK : LPU_BUF_KPACK;
        pack.a = i ? LPU_BUF_V : LPU_BUF_K;
        pack.m = b->rows * b->model->kv_heads;
        pack.m_inner = b->model->kv_heads;
        pack.n = b->model->head_elems;
        pack.a_stride = b->model->kv_heads * b->model->head_elems;
        pack.planes = (uint8_t)b->layout->kv.planes;
        pack.mode = (uint8_t)i;
        lpu_build_cut(&pack,
                      i ? lpu_cut_blocks(&b->layout->kv, pack.n, b->design->rows, value_blocks(b))
                        : lpu_cut_ktiles(&b->layout->kv, pack.n, b->design->cols));
        lpu_build_emit(b, pack, LPU_OP_kv_write, UINT32_MAX);
    }
    if (b->is_decode) {
        for (uint32_t row = 0; row < b->rows; row++) {
            store_keys(b, row, 1, b->position);
            store_values(b, row, 1, b->position);
            store_scales(b, row, 1, b->position);
        }
        return;
    }
    for (uint32_t row = 0; row < b->rows;) {
        const uint32_t in_block = (b->position + row) % b->design->rows;
        uint32_t count = b->design->rows - in_block;
        if (count > b->rows - row) count = b->rows - row;
        store_keys(b, row, count, b->position + row);
        row += count;
    }
    store_values(b, 0, b->rows, b->position);
    store_scales(b, 0, b->rows, b->position);
}

/* ---- reading it ---- */

/* One kv head with tokens row..row+count of the chunk against keys keys. */
typedef struct group {
    uint32_t kv_head, row, count, keys, turn;
} group;

/* Rows first..first+count of one plane of a row block: k tiles of equal lines are one stream. */
static void stream_key_plane(lpu_build *b, const group *g, uint32_t first, uint32_t count,
                             uint32_t plane)
{
    const uint32_t elems = b->model->head_elems, cols = b->design->cols;
    const uint32_t tiles = lpu_ktile_count(elems, cols);

    for (uint32_t t = 0; t < tiles;) {
        lpu_insn keys = lpu_build_insn(LPU_INSN_stream);
        const uint32_t line = lpu_ktile_at(&b->layout->kv, elems, cols, t).line_bytes;

        keys.flags = LPU_FLAG_FENCE;
        keys.addr = lpu_layout_key_at(b->layout, g->kv_head, first, plane, t);
        keys.seg_bytes = count * line;
        keys.stride = b->design->rows * line;
        while (t < tiles && lpu_ktile_at(&b->layout->kv, elems, cols, t).line_bytes == line) {
            keys.segs++;
            t++;
        }
        lpu_build_emit(b, keys, LPU_OP_scores, cache_region(b, g->row));
    }
}

static void emit_scores(lpu_build *b, const group *g)
{
    const lpu_layout *l = b->layout;
    const lpu_model *m = b->model;
    const uint32_t rows = b->design->rows, heads_each = m->heads / m->kv_heads;
    const uint64_t plane = key_line_bytes(b) * rows;
    const uint32_t full = g->keys / rows * rows, left = g->keys - full;
    const size_t region = cache_region(b, g->row);
    lpu_insn scale = lpu_build_insn(LPU_INSN_load), keys = lpu_build_insn(LPU_INSN_stream);
    lpu_insn product = lpu_build_insn(LPU_INSN_matmul);

    scale.dst = (uint8_t)(LPU_BUF_KVSCALE0 + g->turn);
    scale.flags = keys.flags = LPU_FLAG_FENCE;
    scale.seg_bytes = 4 * g->keys;
    scale.segs = 2;
    scale.addr = l->key_scale_at + 4ull * g->kv_head * l->capacity_tokens;
    scale.stride = (uint32_t)(l->value_scale_at - l->key_scale_at);
    lpu_build_emit(b, scale, LPU_OP_softmax, region);

    keys.segs = 1;
    keys.addr = lpu_layout_key_at(l, g->kv_head, 0, 0, 0);
    keys.seg_bytes = (uint32_t)(full / rows * l->kv.planes * plane);
    if (full) lpu_build_emit(b, keys, LPU_OP_scores, region);
    if (left && lpu_ktile_count(m->head_elems, b->design->cols) == 1) {
        keys.addr = lpu_layout_key_at(l, g->kv_head, full, 0, 0);
        keys.segs = l->kv.planes;
        keys.seg_bytes = (uint32_t)(left * key_line_bytes(b));
        keys.stride = (uint32_t)plane;
        lpu_build_emit(b, keys, LPU_OP_scores, region);
    } else if (left) {
        for (uint32_t p = 0; p < l->kv.planes; p++) stream_key_plane(b, g, full, left, p);
    }

    product.dst = (uint8_t)(LPU_BUF_SCORES0 + g->turn);
    product.a = LPU_BUF_Q8;
    product.m = g->count * heads_each;
    product.m_inner = heads_each;
    product.n = g->keys;
    product.k = m->head_elems;
    product.planes = (uint8_t)l->kv.planes;
    product.a_off = (g->row * m->heads + g->kv_head * heads_each) * m->head_elems;
    product.a_stride = m->heads * m->head_elems;
    product.d_stride = heads_each * g->keys;
    lpu_build_cut(&product, lpu_cut_ktiles(&l->kv, product.k, b->design->cols));
    lpu_build_emit(b, product, LPU_OP_scores, UINT32_MAX);
}

static void emit_softmax(lpu_build *b, const group *g)
{
    const uint32_t heads_each = b->model->heads / b->model->kv_heads;
    lpu_insn insn = lpu_build_insn(LPU_INSN_softmax);

    insn.dst = (uint8_t)(LPU_BUF_P0 + g->turn);
    insn.a = (uint8_t)(LPU_BUF_SCORES0 + g->turn);
    insn.b = LPU_BUF_Q8;
    insn.c = (uint8_t)(LPU_BUF_KVSCALE0 + g->turn);
    insn.m = g->count * heads_each;
    insn.m_inner = heads_each;
    insn.n = g->keys;
    insn.k = b->position + (b->is_decode ? 0 : g->row);              /* position of the first row */
    insn.a_off = g->row * b->model->heads + g->kv_head * heads_each; /* first row's query scale */
    insn.a_stride = b->model->heads;
    insn.d_stride = b->rows; /* with the head's size: where the query scales lie in b */
    insn.d_off = b->model->heads * b->model->head_elems;
    lpu_build_emit(b, insn, LPU_OP_softmax, UINT32_MAX);
}

static void emit_values(lpu_build *b, const group *g)
{
    const lpu_layout *l = b->layout;
    const lpu_model *m = b->model;
    const uint32_t heads_each = m->heads / m->kv_heads;
    lpu_insn product = lpu_build_insn(LPU_INSN_matmul);
    lpu_insn result = lpu_build_insn(LPU_INSN_dequant);

    for (uint32_t block = 0; block < value_blocks(b); block++) {
        lpu_insn values = lpu_build_insn(LPU_INSN_stream);
        values.flags = LPU_FLAG_FENCE;
        values.addr = lpu_layout_value_at(l, g->kv_head, 0, block, 0);
        values.segs = l->kv.planes;
        values.seg_bytes = g->keys * value_line(b, block);
        values.stride = l->capacity_tokens * value_line(b, block);
        lpu_build_emit(b, values, LPU_OP_values, cache_region(b, g->row));
    }
    product.flags = LPU_FLAG_COLUMN;
    product.dst = (uint8_t)(LPU_BUF_OACC0 + g->turn);
    product.a = (uint8_t)(LPU_BUF_P0 + g->turn);
    product.m = g->count * heads_each;
    product.n = m->head_elems;
    product.k = g->keys;
    product.planes = (uint8_t)l->kv.planes;
    product.a_stride = g->keys;
    product.d_stride = m->head_elems;
    lpu_build_cut(&product, lpu_cut_blocks(&l->kv, product.n, b->design->rows,
                                           lpu_ktile_count(product.k, b->design->cols)));
    lpu_build_emit(b, product, LPU_OP_values, UINT32_MAX);

    result.dst = LPU_BUF_Q;
    result.a = product.dst;
    result.b = product.a;
    result.m = product.m;
    result.m_inner = heads_each;
    result.n = m->head_elems;
    result.k = g->keys;
    result.a_stride = heads_each * m->head_elems;
    result.d_off = (g->row * m->heads + g->kv_head * heads_each) * m->head_elems;
    result.d_stride = m->heads * m->head_elems;
    result.mode = 1; /* the row scales are the outputs' own: no matrix scale */
    lpu_build_emit(b, result, LPU_OP_values, UINT32_MAX);
}

static uint32_t attend_rows(const lpu_build *b)
{
    if (b->is_decode) return 1; /* each row has a cache of its own */
    return b->plan.attend_rows < b->rows ? b->plan.attend_rows : b->rows;
}

/* The i-th group of the chunk; false after the last. */
static bool group_at(const lpu_build *b, uint32_t i, group *g)
{
    const uint32_t each = attend_rows(b), per_head = (b->rows + each - 1) / each;

    if (i >= per_head * b->model->kv_heads) return false;
    g->kv_head = i / per_head;
    g->row = i % per_head * each;
    g->count = b->rows - g->row < each ? b->rows - g->row : each;
    g->keys = b->position + (b->is_decode ? 1 : g->row + g->count);
    g->turn = i % 2;
    return true;
}

static void emit_rope(lpu_build *b, lpu_buffer buffer, uint32_t heads)
{
    lpu_insn insn = lpu_build_insn(LPU_INSN_rope);
    insn.dst = insn.a = (uint8_t)buffer;
    insn.b = LPU_BUF_ROPE;
    insn.m = b->rows * heads;
    insn.m_inner = heads;
    insn.n = b->model->head_elems;
    insn.a_stride = insn.d_stride = heads * b->model->head_elems;
    insn.k =
        b->is_decode ? 1 : b->rows; /* rows of the table: all at one position, or each its own */
    lpu_build_emit(b, insn, LPU_OP_rope, UINT32_MAX);
}

void lpu_build_attention(lpu_build *b)
{
    const lpu_model *m = b->model;
    const uint64_t row_bytes = 2ull * m->head_elems;
    lpu_insn quant = lpu_build_insn(LPU_INSN_quant);
    group now, next;

    lpu_build_load(b, LPU_OP_rope, LPU_BUF_ROPE, 0, 0, b->position * row_bytes,
                   (b->is_decode ? 1 : b->rows) * row_bytes);
    emit_rope(b, LPU_BUF_Q, m->heads);
    emit_rope(b, LPU_BUF_K, m->kv_heads);
    emit_cache_write(b);
    quant.dst = LPU_BUF_Q8;
    quant.a = LPU_BUF_Q;
    quant.m = b->rows * m->heads;
    quant.m_inner = m->heads;
    quant.n = m->head_elems;
    quant.a_stride = quant.d_stride = m->heads * m->head_elems;
    lpu_build_emit(b, quant, b->op_at[LPU_OP_q_quant] != UINT32_MAX ? LPU_OP_q_quant : LPU_OP_rope,
                   UINT32_MAX);

    if (group_at(b, 0, &now)) emit_scores(b, &now);
    for (uint32_t i = 0; group_at(b, i, &now); i++) {
        if (group_at(b, i + 1, &next)) emit_scores(b, &next);
        emit_softmax(b, &now);
        emit_values(b, &now);
    }
}

void lpu_build_state(lpu_build *b)
{
    const lpu_op *op = &b->request->trace->ops[b->op_at[LPU_OP_state_update]];
    const uint64_t bytes = op->n * b->layout->kv.planes * lpu_format_bytes(&b->layout->kv, op->k);
    const uint32_t heads = (uint32_t)(op->count / b->layout->batch);
    const uint32_t caches = b->is_decode ? b->rows : 1;
    /* One token reads, corrects and applies a state while it is in the tile; a chunk, in turn. */
    const uint32_t turns = b->is_decode ? 1 : 3;

    for (uint32_t i = 0; i < caches * heads * turns; i++) {
        const size_t region = cache_region(b, i / turns / heads);
        lpu_insn product = lpu_build_insn(LPU_INSN_matmul);
        lpu_insn store = lpu_build_insn(LPU_INSN_store);

        store.addr = i / turns % heads * bytes;
        lpu_build_stream(b, LPU_OP_state_update, region, store.addr, bytes);
        product.dst = LPU_BUF_OACC0;
        product.a = LPU_BUF_Q;
        product.m = b->is_decode ? 3 : b->rows;
        product.n = (uint32_t)op->n;
        product.k = (uint32_t)op->k;
        product.planes = (uint8_t)b->layout->kv.planes;
        lpu_build_cut(&product, lpu_cut_ktiles(&b->layout->kv, product.k, b->design->cols));
        lpu_build_emit(b, product, LPU_OP_state_update, UINT32_MAX);
        if ((i + 1) % turns) continue;
        store.a = LPU_BUF_OACC0;
        store.segs = 1;
        store.seg_bytes = (uint32_t)bytes;
        lpu_build_emit(b, store, LPU_OP_state_update, region);
    }
}
