/* sim/layout.c - formats, tiles and the memory map. */
#include "sim/layout.h"

#include <stdlib.h>
#include <string.h>

uint64_t lpu_format_bytes(const lpu_format *f, uint64_t elems)
{
    return (elems + f->unit_elems - 1) / f->unit_elems * f->unit_bytes;
}

uint32_t lpu_ktile_count(uint32_t k, uint32_t cols)
{
    return (k + cols - 1) / cols;
}

lpu_ktile lpu_ktile_at(const lpu_format *f, uint32_t k, uint32_t cols, uint32_t i)
{
    const uint32_t tiles = lpu_ktile_count(k, cols);
    const uint32_t units = (k + f->unit_elems - 1) / f->unit_elems;
    const uint32_t each = units / tiles, longer = units % tiles;
    const uint32_t first = i * each + (i < longer ? i : longer);
    const uint32_t mine = each + (i < longer ? 1 : 0);

    lpu_ktile tile = {first * f->unit_elems, mine * f->unit_elems, mine * f->unit_bytes};
    if (tile.first + tile.elems > k) tile.elems = k - tile.first;
    return tile;
}

lpu_cut lpu_cut_ktiles(const lpu_format *f, uint32_t k, uint32_t cols)
{
    const uint32_t tiles = lpu_ktile_count(k, cols);
    const uint32_t units = (k + f->unit_elems - 1) / f->unit_elems;

    return (lpu_cut){units / tiles * f->unit_bytes, units % tiles, tiles};
}

lpu_cut lpu_cut_blocks(const lpu_format *f, uint32_t n, uint32_t rows, uint32_t pieces)
{
    const uint32_t last = n - (n - 1) / rows * rows;

    return (lpu_cut){(uint32_t)lpu_format_bytes(f, rows), (uint32_t)lpu_format_bytes(f, last),
                     pieces};
}

static lpu_format digits(lpu_code code, uint32_t planes)
{
    return (lpu_format){planes, (uint32_t)lpu_ternary_per_byte(code), 1};
}

/* What linear weights, the cache and the head look like on this design. */
static lpu_status choose_formats(lpu_layout *l, lpu_diag *diag)
{
    const lpu_design *d = l->design;
    const lpu_model *m = l->model;
    const lpu_format bytes = {1, 1, 1}, halves = {1, 1, 2}, nibbles = {1, 2, 1};

    l->act_bytes = 1;
    switch (d->lane) {
    case LPU_LANE_MAC_F16:
        l->act_bytes = 2;
        l->linear = l->kv = l->head = halves;
        return LPU_OK;
    case LPU_LANE_MAC_I8: l->linear = l->kv = l->head = bytes; return LPU_OK;
    case LPU_LANE_MAC_I4:
        l->linear = nibbles;
        l->kv = l->head = bytes;
        return LPU_OK;
    case LPU_LANE_ADD: break;
    }
    if (m->weights == LPU_WEIGHTS_FP16) {
        return lpu_fail(diag, LPU_ERR_RANGE,
                        "%s has FP16 weights and %s has no multiplier: found lane add, expected a "
                        "design with MAC lanes, or a ternary model",
                        m->name, d->name);
    }
    /* A ternary matrix is half the sum of two binary ones: two planes of signs. */
    const bool is_split = d->code == LPU_CODE_B1 && m->weights == LPU_WEIGHTS_TERNARY;
    l->linear = digits(d->code, is_split ? 2 : 1);
    l->kv = digits(d->code, d->kv_trits);
    l->head = digits(d->code, d->head_trits);
    return LPU_OK;
}

void lpu_layout_linear_shape(const lpu_model *m, lpu_linear which, uint32_t *n, uint32_t *k)
{
    const uint32_t q = m->heads * m->head_elems, kv = m->kv_heads * m->head_elems;
    const uint32_t h = m->hidden_elems, f = m->ffn_elems;
    const uint32_t shapes[LPU_LINEARS][2] = {
        [LPU_LINEAR_Q] = {q, h},
        [LPU_LINEAR_K] = {kv, h},
        [LPU_LINEAR_V] = {kv, h},
        [LPU_LINEAR_O] = {h, q},
        [LPU_LINEAR_GATE] = {m->is_gated ? f : 0, h},
        [LPU_LINEAR_UP] = {f, h},
        [LPU_LINEAR_DOWN] = {h, f},
    };
    *n = shapes[which][0];
    *k = shapes[which][1];
}

static uint64_t matrix_bytes(const lpu_format *f, uint64_t n, uint64_t k)
{
    return n * f->planes * lpu_format_bytes(f, k);
}

static uint64_t align(uint64_t bytes, uint64_t to)
{
    return (bytes + to - 1) / to * to;
}

/* One row of every bank of every channel. */
static uint64_t stripe_bytes(const lpu_dram_config *d)
{
    return (uint64_t)d->channels * d->ranks * d->bank_groups * d->banks_per_group * d->row_bytes;
}

static uint64_t place_layer(lpu_layout *l)
{
    const lpu_model *m = l->model;
    const uint32_t norm_elems[LPU_NORMS] = {m->hidden_elems, m->heads * m->head_elems,
                                            m->hidden_elems, m->ffn_elems};
    uint64_t at = 0;

    for (int i = 0; i < LPU_LINEARS; i++) {
        uint32_t n, k;
        lpu_layout_linear_shape(m, (lpu_linear)i, &n, &k);
        l->linear_at[i] = at;
        at = align(at + matrix_bytes(&l->linear, n, k), 64);
        l->weight_bytes += m->layers * matrix_bytes(&l->linear, n, k);
    }
    for (int i = 0; i < LPU_NORMS; i++) {
        l->norm_at[i] = at;
        at = align(at + 2 * (uint64_t)norm_elems[i], 64);
    }
    return at;
}

/* One sequence's cache in one layer: keys, values, key scales, value scales, head by head. */
static uint64_t place_cache(lpu_layout *l)
{
    const lpu_model *m = l->model;
    const uint32_t rows = l->design->rows;
    const uint64_t tokens = l->capacity_tokens;
    const uint64_t blocks = (m->head_elems + rows - 1) / rows;
    const uint32_t last = m->head_elems - (uint32_t)(blocks - 1) * rows;

    l->value_lines[0] = (uint32_t)lpu_format_bytes(&l->kv, rows);
    l->value_lines[1] = (uint32_t)lpu_format_bytes(&l->kv, last);
    l->key_head_bytes =
        align(tokens, rows) * l->kv.planes * lpu_format_bytes(&l->kv, m->head_elems);
    l->value_head_bytes =
        tokens * l->kv.planes * ((blocks - 1) * l->value_lines[0] + l->value_lines[1]);

    l->value_at = align(m->kv_heads * l->key_head_bytes, 64);
    l->key_scale_at = align(l->value_at + m->kv_heads * l->value_head_bytes, 64);
    l->value_scale_at = align(l->key_scale_at + m->kv_heads * tokens * 4, 64);
    const uint64_t cache = align(l->value_scale_at + m->kv_heads * tokens * 4, 64);
    /* A linear-attention layer keeps a (head, head) state per head in its place. */
    const uint64_t state =
        (uint64_t)m->heads * m->head_elems * l->kv.planes * lpu_format_bytes(&l->kv, m->head_elems);
    return m->kv_layers < m->layers && state > cache ? state : cache;
}

static void add_regions(lpu_layout *l, lpu_region_kind kind, uint64_t bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        l->regions[l->region_count++] = (lpu_region){kind, l->bytes, bytes};
        l->bytes += align(bytes, stripe_bytes(&l->design->dram));
    }
}

/* Head chunks: whole row blocks, about sixteen chunks, the last one shorter. */
static void add_table_chunks(lpu_layout *l, lpu_region_kind kind)
{
    const uint64_t row_bytes = l->head.planes * lpu_format_bytes(&l->head, l->model->hidden_elems);
    const uint64_t chunk = l->head_chunk_rows;
    const uint64_t last = l->model->vocab_elems - (l->head_chunks - 1) * chunk;

    l->head_scale_at = align(chunk * row_bytes, 64);
    add_regions(l, kind, l->head_scale_at + 4 * chunk, l->head_chunks - 1);
    add_regions(l, kind, align(last * row_bytes, 64) + 4 * last, 1);
}

/* A stream's segment has 32 bits of bytes: every matrix, and a head's keys or values, must fit. */
static lpu_status check_sizes(lpu_layout *l, lpu_diag *diag)
{
    uint64_t most = l->head_scale_at;

    for (int i = 0; i < LPU_LINEARS; i++) {
        uint32_t n, k;
        lpu_layout_linear_shape(l->model, (lpu_linear)i, &n, &k);
        if (matrix_bytes(&l->linear, n, k) > most) most = matrix_bytes(&l->linear, n, k);
    }
    if (l->key_head_bytes > most) most = l->key_head_bytes;
    if (l->value_head_bytes > most) most = l->value_head_bytes;
    if (most <= UINT32_MAX) return LPU_OK;
    lpu_fail(diag, LPU_ERR_RANGE,
             "%s on %s: found a matrix of %llu bytes, expected at most the %u of a stream",
             l->model->name, l->design->name, (unsigned long long)most, UINT32_MAX);
    lpu_layout_close(l);
    return LPU_ERR_RANGE;
}

lpu_status lpu_layout_open(lpu_layout *l, const lpu_model *model, const lpu_design *design,
                           uint32_t batch, uint32_t capacity_tokens, lpu_diag *diag)
{
    enum { CHUNKS_WANTED = 16, CACHES_MAX = 1 << 16 };
    const uint32_t blocks = (model->vocab_elems + design->rows - 1) / design->rows;
    const uint64_t caches = (uint64_t)model->layers * batch;

    memset(l, 0, sizeof(*l));
    l->model = model;
    l->design = design;
    l->batch = batch;
    l->capacity_tokens = capacity_tokens;
    lpu_status status = choose_formats(l, diag);
    if (status) return status;
    if (caches > CACHES_MAX) {
        return lpu_fail(diag, LPU_ERR_RANGE,
                        "%s: %u sequences have %llu caches in %u layers, expected at most %d",
                        model->name, batch, (unsigned long long)caches, model->layers, CACHES_MAX);
    }

    l->head_chunk_rows = (blocks + CHUNKS_WANTED - 1) / CHUNKS_WANTED * design->rows;
    l->head_chunks = (model->vocab_elems + l->head_chunk_rows - 1) / l->head_chunk_rows;
    l->regions =
        calloc(1 + 2 * (size_t)l->head_chunks + model->layers + caches, sizeof(lpu_region));
    if (!l->regions) return lpu_fail(diag, LPU_ERR_MEMORY, "layout: out of memory");

    const uint64_t rope_bytes = (uint64_t)model->context_tokens * model->head_elems * 2;
    l->final_norm_at = align(rope_bytes, 64);
    l->result_at = align(l->final_norm_at + 2 * (uint64_t)model->hidden_elems, 64);
    add_regions(l, LPU_REGION_TABLES, l->result_at + 8 * (uint64_t)batch, 1);
    l->head_first = l->region_count;
    add_table_chunks(l, LPU_REGION_HEAD);
    l->embed_first = l->head_first;
    if (!model->is_tied) {
        l->embed_first = l->region_count;
        add_table_chunks(l, LPU_REGION_EMBED);
    }
    l->layer_first = l->region_count;
    add_regions(l, LPU_REGION_LAYER, place_layer(l), model->layers);
    l->kv_first = l->region_count;
    add_regions(l, LPU_REGION_KV, place_cache(l), caches);

    const uint64_t table_bytes = model->vocab_elems * (uint64_t)l->head.planes *
                                     lpu_format_bytes(&l->head, model->hidden_elems) +
                                 4 * (uint64_t)model->vocab_elems;
    l->weight_bytes += table_bytes * (model->is_tied ? 1 : 2);
    l->kv_bytes = (uint64_t)model->kv_layers * batch * l->regions[l->kv_first].bytes;
    return check_sizes(l, diag);
}

void lpu_layout_close(lpu_layout *l)
{
    free(l->regions);
    memset(l, 0, sizeof(*l));
}

uint64_t lpu_layout_key_at(const lpu_layout *l, uint32_t kv_head, uint32_t token, uint32_t plane,
                           uint32_t ktile)
{
    const uint64_t rows = l->design->rows, elems = l->model->head_elems;
    const uint64_t row_bytes = lpu_format_bytes(&l->kv, elems);
    const uint64_t block = token / rows, row = token % rows;
    uint64_t at = kv_head * l->key_head_bytes;

    at += (block * l->kv.planes + plane) * rows * row_bytes;
    for (uint32_t t = 0; t < ktile; t++) {
        at += rows * lpu_ktile_at(&l->kv, (uint32_t)elems, l->design->cols, t).line_bytes;
    }
    return at + row * lpu_ktile_at(&l->kv, (uint32_t)elems, l->design->cols, ktile).line_bytes;
}

uint64_t lpu_layout_value_at(const lpu_layout *l, uint32_t kv_head, uint32_t token, uint32_t block,
                             uint32_t plane)
{
    const uint64_t rows = l->design->rows, tokens = l->capacity_tokens;
    const bool is_last = (block + 1) * rows >= l->model->head_elems;
    const uint64_t line = l->value_lines[is_last];

    return l->value_at + kv_head * l->value_head_bytes +
           block * l->kv.planes * tokens * l->value_lines[0] + (plane * tokens + token) * line;
}
