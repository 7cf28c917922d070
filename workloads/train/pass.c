/* workloads/train/pass.c - a sequence forwards and backwards; attention is in attention.c. */
#include "workloads/train/pass.h"

#include "workloads/train/attention.h"

#include <stdlib.h>

/* ---- memory ---- */

static size_t round_up(size_t elems)
{
    const size_t line = 64 / sizeof(lpu_real);
    return (elems + line - 1) / line * line;
}

/* Hands out parts of base, or counts them only where base is NULL. */
static void take(lpu_real **part, lpu_real *base, size_t *used, size_t elems)
{
    if (base) *part = base + *used;
    *used += round_up(elems);
}

static size_t lay_out(lpu_train_pass *p, lpu_real *base)
{
    const lpu_model *m = &p->model;
    const size_t t = p->tokens, hidden = t * m->hidden_elems, ffn = t * m->ffn_elems;
    const size_t q = t * m->heads * m->head_elems, kv = t * m->kv_heads * m->head_elems;
    size_t used = 0;
    lpu_real **const shared[] = {&p->x,  &p->last, &p->dx,    &p->dhidden, &p->dq,   &p->dheads,
                                 &p->dk, &p->dv,   &p->dgate, &p->dup,     &p->dffn, &p->last_rms};
    const size_t shared_elems[] = {hidden, hidden, hidden, hidden, q, q, kv, kv, ffn, ffn, ffn, t};

    for (size_t i = 0; i < m->layers; i++) {
        lpu_train_layer *l = &p->layer[i];
        lpu_real **const parts[] = {&l->x,        &l->mid,     &l->attn_in, &l->ffn_in,
                                    &l->q,        &l->heads,   &l->o_in,    &l->k,
                                    &l->v,        &l->gate,    &l->up,      &l->down_in,
                                    &l->attn_rms, &l->sub_rms, &l->ffn_rms, &l->gate_rms};
        const size_t elems[] = {hidden, hidden, hidden, hidden, q, q, q, kv,
                                kv,     ffn,    ffn,    ffn,    t, t, t, t};
        for (size_t j = 0; j < sizeof(elems) / sizeof(elems[0]); j++) {
            take(parts[j], base, &used, elems[j]);
        }
        take(&l->shares, base, &used, m->heads * t * t);
    }
    for (size_t j = 0; j < sizeof(shared) / sizeof(shared[0]); j++) {
        take(shared[j], base, &used, shared_elems[j]);
    }
    take(&p->logits, base, &used, t * m->vocab_elems);
    take(&p->rope, base, &used, t * m->head_elems);
    take(&p->dscores, base, &used, LPU_ATTENTION_ROWS * t);
    take(&p->scratch, base, &used, LPU_MATMUL_SCRATCH);
    return used;
}

/* With 14 fractional bits, as workloads/weights.c makes it. */
static void fill_rope(lpu_train_pass *p)
{
    const size_t half = p->model.head_elems / 2;

    for (size_t t = 0; t < p->tokens; t++) {
        for (size_t i = 0; i < half; i++) {
            const double turn =
                (double)t * pow(p->model.rope_theta, -2.0 * (double)i / p->model.head_elems);
            lpu_real *pair = p->rope + 2 * (t * half + i);
            pair[0] = (lpu_real)((double)lround(cos(turn) * 16384) / 16384);
            pair[1] = (lpu_real)((double)lround(sin(turn) * 16384) / 16384);
        }
    }
}

lpu_status lpu_train_pass_open(lpu_train_pass **out, const lpu_model *model, size_t tokens,
                               lpu_train_rounder *rounder, lpu_diag *diag)
{
    lpu_train_pass *p = calloc(1, sizeof(*p));

    *out = NULL;
    if (p) {
        p->model = *model;
        p->tokens = tokens;
        p->round = rounder;
        p->layer = calloc(model->layers, sizeof(*p->layer));
        if (p->layer) p->memory = aligned_alloc(64, lay_out(p, NULL) * sizeof(lpu_real));
    }
    if (!p || !p->memory) {
        lpu_train_pass_close(&p);
        return lpu_fail(diag, LPU_ERR_MEMORY, "train: no memory for a sequence of %zu tokens",
                        tokens);
    }
    lay_out(p, p->memory);
    fill_rope(p);
    *out = p;
    return LPU_OK;
}

void lpu_train_pass_close(lpu_train_pass **out)
{
    lpu_train_pass *p = *out;

    if (!p) return;
    free(p->layer);
    free(p->memory);
    free(p);
    *out = NULL;
}

/* ---- rows ---- */

LPU_TRAIN_CLONES
void lpu_train_pass_round(lpu_real *row, size_t n, void *user)
{
    const lpu_real magic =
        sizeof(lpu_real) == 4 ? 12582912 : 6755399441055744; /* 1.5 * 2^23, 2^52 */
    lpu_real most = 0;

    (void)user;
#pragma omp simd reduction(max : most)
    for (size_t i = 0; i < n; i++) most = lpu_real_abs(row[i]) > most ? lpu_real_abs(row[i]) : most;
    if (!(most > 0)) return;
    const lpu_real up = 127 / most, down = most / 127;
    for (size_t i = 0; i < n; i++) row[i] = ((row[i] * up + magic) - magic) * down;
}

/* y = x / rms(x) gain, rounded where the pass rounds; rms[t] = 1 / rms. */
LPU_TRAIN_CLONES
static void norm(const lpu_train_pass *p, lpu_real *y, lpu_real *rms, const lpu_real *x,
                 const lpu_real *gain, size_t n, bool is_rounded)
{
    for (size_t t = 0; t < p->tokens; t++, x += n, y += n) {
        double sum = 0;
#pragma omp simd reduction(+ : sum)
        for (size_t i = 0; i < n; i++) sum += (double)x[i] * (double)x[i];
        const lpu_real scale = (lpu_real)(1 / sqrt(sum / (double)n + p->model.norm_eps));
        rms[t] = scale;
        for (size_t i = 0; i < n; i++) y[i] = x[i] * scale * gain[i];
        if (is_rounded && p->round) p->round(y, n, p->user);
    }
}

/* dx (+)= the gradient of the norm's input, dgain += that of its gain. */
LPU_TRAIN_CLONES
static void norm_back(const lpu_train_pass *p, lpu_real *dx, bool adds, lpu_real *dgain,
                      const lpu_real *dy, const lpu_real *x, const lpu_real *rms,
                      const lpu_real *gain, size_t n)
{
    for (size_t t = 0; t < p->tokens; t++, x += n, dx += n, dy += n) {
        const lpu_real r = rms[t];
        lpu_real dot = 0;
#pragma omp simd reduction(+ : dot)
        for (size_t i = 0; i < n; i++) dot += dy[i] * gain[i] * x[i];
        const lpu_real share = dot * r * r * r / (lpu_real)n;
        for (size_t i = 0; i < n; i++) {
            const lpu_real d = dy[i] * gain[i] * r - x[i] * share;
            dgain[i] += dy[i] * x[i] * r;
            dx[i] = adds ? dx[i] + d : d;
        }
    }
}

/* Activation of the gate and its slope. */
static inline lpu_real activate(lpu_real g, bool is_relu2, lpu_real *slope)
{
    const lpu_real positive = g > 0 ? g : 0;
    const lpu_real e = lpu_real_exp(g > 0 ? -g : g); /* e^-|g| */
    const lpu_real s = (g > 0 ? 1 : e) / (1 + e);    /* sigmoid */

    *slope = is_relu2 ? 2 * positive : s * (1 + g * (1 - s));
    return is_relu2 ? positive * positive : g * s;
}

LPU_TRAIN_CLONES
static void gate_rows(const lpu_train_pass *p, lpu_real *h, const lpu_train_layer *l)
{
    const size_t n = p->tokens * p->model.ffn_elems;
    const bool is_relu2 = p->model.activation == LPU_ACT_RELU2;
    lpu_real slope;

    for (size_t i = 0; i < n; i++) h[i] = activate(l->gate[i], is_relu2, &slope) * l->up[i];
}

LPU_TRAIN_CLONES
static void gate_rows_back(const lpu_train_pass *p, const lpu_real *dh, const lpu_train_layer *l)
{
    const size_t n = p->tokens * p->model.ffn_elems;
    const bool is_relu2 = p->model.activation == LPU_ACT_RELU2;

    for (size_t i = 0; i < n; i++) {
        lpu_real slope;
        const lpu_real a = activate(l->gate[i], is_relu2, &slope);
        p->dup[i] = dh[i] * a;
        p->dgate[i] = dh[i] * l->up[i] * slope;
    }
}

/* logits -> the gradient of weight times the loss, in place; returns the sum of -ln p. */
LPU_TRAIN_CLONES
static double cross_entropy(lpu_real *logits, const int32_t *next, size_t tokens, size_t vocab,
                            double weight)
{
    double loss = 0;

    for (size_t t = 0; t < tokens; t++, logits += vocab) {
        lpu_real most = logits[0];
        double sum = 0;
#pragma omp simd reduction(max : most)
        for (size_t i = 0; i < vocab; i++) most = logits[i] > most ? logits[i] : most;
        loss += (double)most - (double)logits[next[t]];
#pragma omp simd reduction(+ : sum)
        for (size_t i = 0; i < vocab; i++) {
            logits[i] = lpu_real_exp(logits[i] - most);
            sum += (double)logits[i];
        }
        loss += log(sum);
        const lpu_real scale = (lpu_real)(weight / sum);
        for (size_t i = 0; i < vocab; i++) logits[i] *= scale;
        logits[next[t]] -= (lpu_real)weight;
    }
    return loss;
}

/* ---- linear layers: w is (rows, cols) ---- */

void lpu_train_pass_product(const lpu_train_pass *p, lpu_real *c, size_t stride, lpu_matmul_view a,
                            lpu_matmul_view b, size_t m, size_t n, size_t k, bool adds)
{
    if (p->is_coarse) lpu_matmul_run_coarse(c, stride, a, b, m, n, k, adds, p->scratch);
    else lpu_matmul_run(c, stride, a, b, m, n, k, adds, p->scratch);
}

static void linear(const lpu_train_pass *p, lpu_real *y, const lpu_real *x, const lpu_real *w,
                   size_t rows, size_t cols)
{
    lpu_train_pass_product(p, y, rows, (lpu_matmul_view){x, cols, 1}, (lpu_matmul_view){w, 1, cols},
                           p->tokens, rows, cols, false);
}

static void linear_back(const lpu_train_pass *p, lpu_real *dx, bool adds, lpu_real *dw,
                        const lpu_real *dy, const lpu_real *x, const lpu_real *w, size_t rows,
                        size_t cols)
{
    lpu_train_pass_product(p, dx, cols, (lpu_matmul_view){dy, rows, 1},
                           (lpu_matmul_view){w, cols, 1}, p->tokens, cols, rows, adds);
    lpu_train_pass_product(p, dw, cols, (lpu_matmul_view){dy, 1, rows},
                           (lpu_matmul_view){x, cols, 1}, rows, cols, p->tokens, true);
}

/* ---- layers ---- */

#define AT(base, id) ((base) + lpu_params_first(m, LPU_PARAMS_##id, index))

static void forward_layer(lpu_train_pass *p, const lpu_real *w, size_t index)
{
    const lpu_model *m = &p->model;
    const size_t hidden = m->hidden_elems, ffn = m->ffn_elems, t = p->tokens;
    const size_t q = (size_t)m->heads * m->head_elems, kv = (size_t)m->kv_heads * m->head_elems;
    lpu_train_layer *l = &p->layer[index];

    memcpy(l->x, p->x, t * hidden * sizeof(lpu_real));
    norm(p, l->attn_in, l->attn_rms, l->x, AT(w, ATTN_NORM), hidden, true);
    linear(p, l->q, l->attn_in, AT(w, Q), q, hidden);
    linear(p, l->k, l->attn_in, AT(w, K), kv, hidden);
    linear(p, l->v, l->attn_in, AT(w, V), kv, hidden);
    lpu_attention_run(p, l);
    norm(p, l->o_in, l->sub_rms, l->heads, AT(w, ATTN_SUB_NORM), q, true);
    linear(p, l->mid, l->o_in, AT(w, O), hidden, q);
    for (size_t i = 0; i < t * hidden; i++) l->mid[i] += l->x[i];

    norm(p, l->ffn_in, l->ffn_rms, l->mid, AT(w, FFN_NORM), hidden, true);
    linear(p, l->gate, l->ffn_in, AT(w, GATE), ffn, hidden);
    linear(p, l->up, l->ffn_in, AT(w, UP), ffn, hidden);
    gate_rows(p, p->dffn, l);
    norm(p, l->down_in, l->gate_rms, p->dffn, AT(w, FFN_SUB_NORM), ffn, true);
    linear(p, p->x, l->down_in, AT(w, DOWN), hidden, ffn);
    for (size_t i = 0; i < t * hidden; i++) p->x[i] += l->mid[i];
}

static void backward_layer(lpu_train_pass *p, const lpu_real *w, lpu_real *g, size_t index)
{
    const lpu_model *m = &p->model;
    const size_t hidden = m->hidden_elems, ffn = m->ffn_elems;
    const size_t q = (size_t)m->heads * m->head_elems, kv = (size_t)m->kv_heads * m->head_elems;
    const lpu_train_layer *l = &p->layer[index];

    linear_back(p, p->dup, false, AT(g, DOWN), p->dx, l->down_in, AT(w, DOWN), hidden, ffn);
    gate_rows(p, p->dgate, l);
    norm_back(p, p->dffn, false, AT(g, FFN_SUB_NORM), p->dup, p->dgate, l->gate_rms,
              AT(w, FFN_SUB_NORM), ffn);
    gate_rows_back(p, p->dffn, l);
    linear_back(p, p->dhidden, false, AT(g, GATE), p->dgate, l->ffn_in, AT(w, GATE), ffn, hidden);
    linear_back(p, p->dhidden, true, AT(g, UP), p->dup, l->ffn_in, AT(w, UP), ffn, hidden);
    norm_back(p, p->dx, true, AT(g, FFN_NORM), p->dhidden, l->mid, l->ffn_rms, AT(w, FFN_NORM),
              hidden);

    linear_back(p, p->dq, false, AT(g, O), p->dx, l->o_in, AT(w, O), hidden, q);
    norm_back(p, p->dheads, false, AT(g, ATTN_SUB_NORM), p->dq, l->heads, l->sub_rms,
              AT(w, ATTN_SUB_NORM), q);
    lpu_attention_back(p, l);
    linear_back(p, p->dhidden, false, AT(g, Q), p->dq, l->attn_in, AT(w, Q), q, hidden);
    linear_back(p, p->dhidden, true, AT(g, K), p->dk, l->attn_in, AT(w, K), kv, hidden);
    linear_back(p, p->dhidden, true, AT(g, V), p->dv, l->attn_in, AT(w, V), kv, hidden);
    norm_back(p, p->dx, true, AT(g, ATTN_NORM), p->dhidden, l->x, l->attn_rms, AT(w, ATTN_NORM),
              hidden);
}

double lpu_train_pass_run(lpu_train_pass *p, const lpu_real *w, const int32_t *ids, lpu_real *g,
                          double weight)
{
    const lpu_model *m = &p->model;
    const size_t hidden = m->hidden_elems, vocab = m->vocab_elems, index = 0;
    const lpu_real *embed = AT(w, EMBED);

    p->is_coarse = g != NULL;
    for (size_t t = 0; t < p->tokens; t++) {
        memcpy(p->x + t * hidden, embed + (size_t)ids[t] * hidden, hidden * sizeof(lpu_real));
    }
    for (size_t i = 0; i < m->layers; i++) forward_layer(p, w, i);
    norm(p, p->last, p->last_rms, p->x, AT(w, OUTPUT_NORM), hidden, false);
    linear(p, p->logits, p->last, embed, vocab, hidden);
    const double loss = cross_entropy(p->logits, ids + 1, p->tokens, vocab, weight);
    if (!g) return loss;

    linear_back(p, p->dhidden, false, AT(g, EMBED), p->logits, p->last, embed, vocab, hidden);
    norm_back(p, p->dx, false, AT(g, OUTPUT_NORM), p->dhidden, p->x, p->last_rms,
              AT(w, OUTPUT_NORM), hidden);
    for (size_t i = m->layers; i-- > 0;) backward_layer(p, w, g, i);
    for (size_t t = 0; t < p->tokens; t++) {
        lpu_real *row = AT(g, EMBED) + (size_t)ids[t] * hidden;
        for (size_t i = 0; i < hidden; i++) row[i] += p->dx[t * hidden + i];
    }
    return loss;
}
