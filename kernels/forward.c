/* kernels/forward.c - checks what it is given, and cuts it into chunks. */
#include "kernels/forward_private.h"

#include "kernels/columns.h"
#include "kernels/memory.h"
#include "kernels/packed.h"
#include "kernels/sample.h"
#include "kernels/screen.h"
#include "workloads/ternary.h"

#include <stdlib.h>

enum { EACH_ITEMS = 4 }; /* calls of attention for a member, where they can be had */

struct lpu_forward {
    lpu_forward_kind kind;
    lpu_pass pass;
    lpu_forward_ternary *ternary; /* one of the two */
    lpu_forward_f16 *f16;
};

void *lpu_pool_take(lpu_pool *pool, size_t count, size_t elem_bytes)
{
    const size_t most = sizeof(pool->blocks) / sizeof(pool->blocks[0]);
    size_t bytes;
    void *block = NULL;

    if (pool->count < most && !__builtin_mul_overflow(count, elem_bytes, &bytes)) {
        block = lpu_memory_open(bytes);
    }
    if (!block) {
        pool->is_short = true;
        return NULL;
    }
    pool->blocks[pool->count] = block;
    pool->bytes[pool->count++] = bytes;
    return block;
}

void lpu_pool_close(lpu_pool *pool)
{
    while (pool->count) {
        pool->count--;
        lpu_memory_close(pool->blocks[pool->count], pool->bytes[pool->count]);
    }
}

void lpu_pass_run(lpu_pass *pass, lpu_forward_part part,
                  void (*work)(void *arg, size_t member, size_t members), void *arg)
{
    const double begin_ns = lpu_sample_now_ns();
    lpu_team_run(pass->team, work, arg);
    pass->part_ns[part] += lpu_sample_now_ns() - begin_ns;
}

void lpu_pass_run_by_token(lpu_pass *pass, size_t tokens,
                           void (*work)(void *arg, size_t member, size_t members), void *arg)
{
    const double begin_ns = lpu_sample_now_ns();
    if (tokens == 1) work(arg, 0, 1);
    else lpu_team_run(pass->team, work, arg);
    pass->part_ns[LPU_FORWARD_REST] += lpu_sample_now_ns() - begin_ns;
}

/* All heads of a kv head in one item, but for enough items for every member to have its share. */
lpu_queries lpu_pass_queries(const lpu_pass *pass, size_t tokens, size_t member, size_t members)
{
    const size_t all = pass->weights->model.heads, group = all / pass->weights->model.kv_heads;
    size_t heads = group, first;

    while (heads % 2 == 0 &&
           (heads > LPU_FORWARD_QUERIES || all / heads * tokens < EACH_ITEMS * members)) {
        heads /= 2;
    }
    if (heads > LPU_FORWARD_QUERIES) heads = 1;
    lpu_queries q = {.item_heads = heads,
                     .item_tokens = LPU_FORWARD_QUERIES / heads,
                     .group = group,
                     .all_tokens = tokens};
    q.cuts = (tokens + q.item_tokens - 1) / q.item_tokens;
    q.end = lpu_team_share(all / heads * q.cuts, member, members, &first) + first;
    q.next = first;
    return q;
}

bool lpu_queries_next(lpu_queries *q)
{
    if (q->next == q->end) return false;
    q->head = q->next / q->cuts * q->item_heads;
    q->heads = q->item_heads;
    q->token = q->next % q->cuts * q->item_tokens;
    q->tokens = q->all_tokens - q->token;
    if (q->tokens > q->item_tokens) q->tokens = q->item_tokens;
    q->next++;
    /* Items of one kv head that a member has anyway. */
    while (q->cuts == 1 && q->next < q->end && (q->head + q->heads) % q->group &&
           (q->heads + q->item_heads) * q->tokens <= LPU_FORWARD_QUERIES) {
        q->heads += q->item_heads;
        q->next++;
    }
    return true;
}

/* Both arithmetics need what the page defines: a gate for squared ReLU, whole groups of heads. */
static lpu_status check(const lpu_weights *w, lpu_forward_kind kind, uint32_t kv_trits,
                        uint32_t context_tokens, lpu_diag *diag)
{
    const lpu_model *m = &w->model;

    if (kind == LPU_FORWARD_TERNARY && (kv_trits < 2 || kv_trits > LPU_TRITS_MAX)) {
        return lpu_fail(diag, LPU_ERR_RANGE,
                        "forward: found %u trits for the cache, expected 2 to %d", kv_trits,
                        LPU_TRITS_MAX);
    }
    if (kind == LPU_FORWARD_TERNARY && m->weights == LPU_WEIGHTS_FP16) {
        return lpu_fail(diag, LPU_ERR_RANGE,
                        "%s has FP16 weights, expected ternary ones: the fp16 backend runs it",
                        m->name);
    }
    if (!context_tokens || context_tokens > m->context_tokens) {
        return lpu_fail(diag, LPU_ERR_RANGE,
                        "forward: found a context of %u tokens, expected 1 to %u", context_tokens,
                        m->context_tokens);
    }
    if (!m->is_gated && m->activation == LPU_ACT_RELU2) {
        return lpu_fail(diag, LPU_ERR_RANGE,
                        "forward: found squared ReLU without a gate, expected a gate");
    }
    if (!m->kv_heads || m->heads % m->kv_heads || m->head_elems % 2 ||
        context_tokens > LPU_LAYOUT_K_MAX) {
        return lpu_fail(
            diag, LPU_ERR_RANGE,
            "forward: found %u heads, %u KV heads of %u elements, expected whole groups "
            "of heads of even size, and a context of at most %d",
            m->heads, m->kv_heads, m->head_elems, LPU_LAYOUT_K_MAX);
    }
    return LPU_OK;
}

/* The linear layers of the LPU's arithmetic stream at 1.6 bits per weight, or as packed. */
lpu_status lpu_forward_open(lpu_forward **out, const lpu_weights *weights, lpu_forward_kind kind,
                            uint32_t kv_trits, uint32_t context_tokens, uint32_t threads,
                            lpu_diag *diag)
{
    lpu_layout layout = kind == LPU_FORWARD_FP16 ? LPU_LAYOUT_F16 : LPU_LAYOUT_B3;
    uint32_t allowed;

    *out = NULL;
    lpu_status status = lpu_cpu_allowed(&allowed, diag);
    if (!status && kind == LPU_FORWARD_TERNARY && weights->packed[0]) {
        status = lpu_packed_layout(&layout, weights, allowed, diag);
    }
    if (status) return status;
    return lpu_forward_open_layout(out, weights, layout, kv_trits, context_tokens, threads, diag);
}

/* Packed weights are of one layout, and have no planes to make others from. */
static lpu_status check_packed(const lpu_weights *w, lpu_layout layout, uint32_t allowed,
                               lpu_diag *diag)
{
    lpu_layout packed;
    lpu_status status = w->packed[0] ? lpu_packed_layout(&packed, w, allowed, diag) : LPU_OK;

    if (status || !w->packed[0] || packed == layout) return status;
    return lpu_fail(diag, LPU_ERR_RANGE, "%s: found layout %s, expected %s: the file is packed so",
                    w->model.name, lpu_layout_name(layout), lpu_layout_name(packed));
}

static lpu_forward_kind kind_of(lpu_layout layout)
{
    const bool is_real = layout == LPU_LAYOUT_F16 || layout == LPU_LAYOUT_BF16 ||
                         layout == LPU_LAYOUT_Q8 || layout == LPU_LAYOUT_Q4;
    return is_real ? LPU_FORWARD_FP16 : LPU_FORWARD_TERNARY;
}

lpu_status lpu_forward_open_layout(lpu_forward **out, const lpu_weights *weights, lpu_layout layout,
                                   uint32_t kv_trits, uint32_t context_tokens, uint32_t threads,
                                   lpu_diag *diag)
{
    const lpu_forward_kind kind = kind_of(layout);
    uint32_t allowed;

    *out = NULL;
    lpu_status status = check(weights, kind, kv_trits, context_tokens, diag);
    if (!status) status = lpu_cpu_allowed(&allowed, diag);
    if (!status) status = check_packed(weights, layout, allowed, diag);
    if (status) return status;

    lpu_forward *f = calloc(1, sizeof(*f));
    if (!f) return lpu_fail(diag, LPU_ERR_MEMORY, "forward: out of memory");
    f->kind = kind;
    f->pass = (lpu_pass){.weights = weights,
                         .kv_trits = kv_trits,
                         .layout = layout,
                         .context_tokens = context_tokens,
                         .has_screen = lpu_screen_pays(allowed),
                         .has_columns = lpu_columns_pay(&weights->model, layout, allowed),
                         .chunk = LPU_FORWARD_CHUNK};
    if (f->pass.chunk > context_tokens) f->pass.chunk = context_tokens;
    lpu_kernels_init(&f->pass.k, allowed);

    status = lpu_team_open(&f->pass.team, threads, diag);
    if (!status && kind == LPU_FORWARD_TERNARY) {
        status = lpu_forward_ternary_open(&f->ternary, &f->pass, diag);
    } else if (!status) {
        status = lpu_forward_f16_open(&f->f16, &f->pass, diag);
    }
    if (status) lpu_forward_close(&f);
    *out = f;
    return status;
}

void lpu_forward_close(lpu_forward **out)
{
    lpu_forward *f = *out;

    if (!f) return;
    lpu_forward_ternary_close(&f->ternary);
    lpu_forward_f16_close(&f->f16);
    lpu_team_close(&f->pass.team);
    lpu_pool_close(&f->pass.pool);
    free(f);
    *out = NULL;
}

void lpu_forward_rewind(lpu_forward *f)
{
    f->pass.position = 0;
}

lpu_status lpu_forward_fill(lpu_forward *f, size_t tokens, lpu_diag *diag)
{
    if (tokens > f->pass.context_tokens) {
        return lpu_fail(diag, LPU_ERR_RANGE, "forward: found %zu tokens, expected at most %zu",
                        tokens, f->pass.context_tokens);
    }
    if (f->ternary) lpu_forward_ternary_fill(f->ternary);
    if (f->f16) lpu_forward_f16_fill(f->f16);
    f->pass.position = tokens;
    return LPU_OK;
}

lpu_status lpu_forward_keep(lpu_forward *f, size_t tokens, lpu_diag *diag)
{
    if (tokens > f->pass.position) {
        return lpu_fail(diag, LPU_ERR_RANGE,
                        "forward: found %zu tokens, expected at most the %zu "
                        "of the cache",
                        tokens, f->pass.position);
    }
    f->pass.position = tokens;
    return LPU_OK;
}

const double *lpu_forward_part_ns(const lpu_forward *f)
{
    return f->pass.part_ns;
}

lpu_status lpu_forward_run(lpu_forward *f, const int32_t *tokens, size_t count, int32_t *next,
                           lpu_diag *diag)
{
    lpu_pass *pass = &f->pass;
    const uint32_t vocab = pass->weights->model.vocab_elems;
    double begin_ns;

    if (!count || count > pass->context_tokens - pass->position) {
        return lpu_fail(diag, LPU_ERR_RANGE,
                        "forward: found %zu tokens, expected 1 to %zu: %zu of the cache's %zu are "
                        "in use",
                        count, pass->context_tokens - pass->position, pass->position,
                        pass->context_tokens);
    }
    for (size_t i = 0; i < count; i++) {
        if (tokens[i] >= 0 && (uint32_t)tokens[i] < vocab) continue;
        return lpu_fail(diag, LPU_ERR_RANGE, "forward: found token %d at %zu, expected 0 to %u",
                        tokens[i], i, vocab - 1);
    }
    pass->skipped_bytes = pass->skipped_macs = 0;
    while (count) {
        const size_t n = count < pass->chunk ? count : pass->chunk;
        if (f->ternary) lpu_forward_ternary_run(f->ternary, tokens, n);
        if (f->f16) lpu_forward_f16_run(f->f16, tokens, n);
        pass->position += n;
        tokens += n;
        count -= n;
    }
    begin_ns = lpu_sample_now_ns() - pass->part_ns[LPU_FORWARD_REST];
    *next = f->ternary ? lpu_forward_ternary_next(f->ternary) : lpu_forward_f16_next(f->f16);
    pass->part_ns[LPU_FORWARD_HEAD] +=
        lpu_sample_now_ns() - pass->part_ns[LPU_FORWARD_REST] - begin_ns;
    return LPU_OK;
}

lpu_forward_reads lpu_forward_head_reads(const lpu_forward *f)
{
    return f->ternary ? lpu_forward_ternary_head_reads(f->ternary)
                      : lpu_forward_f16_head_reads(f->f16);
}

lpu_forward_reads lpu_forward_skips(const lpu_forward *f)
{
    return (lpu_forward_reads){f->pass.skipped_bytes, f->pass.skipped_macs};
}

const int32_t *lpu_forward_logits_x32(const lpu_forward *f)
{
    return f->ternary ? lpu_forward_ternary_logits(f->ternary) : NULL;
}

const float *lpu_forward_logits_f32(const lpu_forward *f)
{
    return f->f16 ? lpu_forward_f16_logits(f->f16) : NULL;
}
