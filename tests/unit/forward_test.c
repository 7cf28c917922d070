/* tests/unit/forward_test.c - the forward pass against a straight reading of arithmetic.md.
 *
 * The oracle below shares no code with kernels/: exact integers of 128 bits, one token at a time,
 * every rule in the words of its section. Models are synthetic and small, of every kind of layer.
 */
#include "kernels/forward.h"
#include "tests/unit/small_model.h"
#include "tests/unit/test.h"
#include "workloads/synth.h"
#include "workloads/ternary.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

typedef __int128 wide;

/* --- the page, section by section
 * ----------------------------------------------------------------- */

static int bits(wide u)
{
    int n = 0;
    for (; u; u >>= 1) n++;
    return n;
}

static wide power2(int n)
{
    return (wide)1 << n;
}

static wide floor_div(wide a, wide b)
{
    return a >= 0 ? a / b : -((-a + b - 1) / b);
}

static wide rsh(wide v, int n)
{
    if (n >= 63) return 0;
    return n > 0 ? floor_div(v + power2(n - 1), power2(n)) : v * power2(-n);
}

static int32_t sat(wide v)
{
    const wide most = power2(31) - 1;
    return (int32_t)(v > most ? most : v < -most ? -most : v);
}

static lpu_scale norm(wide u, int e)
{
    const int b = bits(u);
    if (!u) return (lpu_scale){0, 0};
    if (b <= 16) return (lpu_scale){(uint16_t)(u * power2(16 - b)), (int16_t)(e - (16 - b))};
    int n = b - 16;
    wide m = rsh(u, n);
    if (m == 65536) {
        m = 32768;
        n++;
    }
    return (lpu_scale){(uint16_t)m, (int16_t)(e + n)};
}

static lpu_scale mul(lpu_scale a, lpu_scale b)
{
    return norm((wide)a.m * b.m, a.e + b.e);
}

static lpu_scale divide(lpu_scale a, lpu_scale b)
{
    if (!a.m || !b.m) return (lpu_scale){0, 0};
    return norm((wide)a.m * power2(24) / b.m, a.e - b.e - 24);
}

static int32_t apply(wide v, lpu_scale s, int x)
{
    if (x < s.e && v && s.m) {
        if (s.e - x >= 64) return sat(v > 0 ? power2(80) : -power2(80));
        return sat(v * s.m * power2(s.e - x < 60 ? s.e - x : 60));
    }
    return sat(rsh(v * s.m, x - s.e));
}

static wide magnitude(wide v)
{
    return v < 0 ? -v : v;
}

static wide largest(const int32_t *t, size_t n)
{
    wide a = 0;
    for (size_t i = 0; i < n; i++) a = magnitude(t[i]) > a ? magnitude(t[i]) : a;
    return a;
}

static wide quant(int8_t *q, const int32_t *t, size_t n, int limit)
{
    const wide a = largest(t, n);
    const int b = bits(a);
    for (size_t i = 0; i < n; i++) {
        q[i] = (int8_t)(a ? rsh(t[i] * (limit * power2(b + 16) / a), b + 16) : 0);
    }
    return a;
}

static lpu_scale normq(int8_t *q, const int32_t *x, size_t n, int ex, const lpu_gain *gain,
                       lpu_scale eps)
{
    if (!gain->g) {
        const wide a = quant(q, x, n, 127);
        return divide(norm(a, ex), norm(127, 0));
    }
    const int ax = bits(largest(x, n)), sh = ax > 16 ? ax - 16 : 0;
    wide ss = 0;
    for (size_t i = 0; i < n; i++) ss += rsh(x[i], sh) * rsh(x[i], sh);
    const int shift = eps.e + 8 - 2 * (ex + sh);
    wide e = shift < 0 ? floor_div(eps.m, power2(-shift < 100 ? -shift : 100))
                       : eps.m * power2(shift < 80 ? shift : 80);
    if (e > power2(61)) e = power2(61);
    const wide v = ss * 256 / (wide)n + e;
    const int k = (62 - bits(v)) / 2;
    wide root = 0, target = v * power2(2 * k);
    for (int bit = 32; bit >= 0; bit--) {
        const wide next = root + power2(bit);
        if (next * next <= target) root = next;
    }
    const lpu_scale rms = norm(root, ex + sh - 4 - k);
    int32_t *t = malloc(n * sizeof(*t));
    for (size_t i = 0; i < n; i++) t[i] = (int32_t)rsh((wide)x[i] * gain->g[i], 15);
    const wide a = quant(q, t, n, 127);
    free(t);
    return divide(norm(a, ex + gain->exponent + 15), mul(norm(127, 0), rms));
}

/* Matrices of the model in hand as plain integers, (rows, cols). */
static struct {
    const uint8_t *planes;
    int8_t *values;
} seen[64];

static void integers_forget(void)
{
    for (size_t i = 0; i < 64; i++) free(seen[i].values);
    memset(seen, 0, sizeof(seen));
}

static const int8_t *integers(const lpu_matrix *m)
{
    size_t i = 0;
    const size_t bytes = lpu_ternary_bytes(LPU_CODE_BASE3, m->cols);

    for (; i < 64 && seen[i].planes; i++) {
        if (seen[i].planes == m->planes) return seen[i].values;
    }
    int8_t *v = calloc(m->rows * m->cols, 1), *digits = malloc(m->cols * m->trits);
    for (size_t r = 0; r < m->rows; r++) {
        for (uint32_t p = 0; p < m->trits; p++) {
            if (lpu_ternary_decode(LPU_CODE_BASE3, digits + p * m->cols,
                                   m->planes + (p * m->rows + r) * bytes, m->cols, NULL)) {
                abort();
            }
        }
        for (size_t c = 0; c < m->cols; c++) {
            int8_t one[LPU_TRITS_MAX];
            for (uint32_t p = 0; p < m->trits; p++) one[p] = digits[p * m->cols + c];
            v[r * m->cols + c] = (int8_t)lpu_ternary_join(one, m->trits);
        }
    }
    free(digits);
    if (i == 64) abort();
    seen[i].planes = m->planes;
    seen[i].values = v;
    return v;
}

static lpu_scale scale_of(const lpu_matrix *m, size_t r)
{
    return m->row_scales ? m->row_scales[r] : m->scale;
}

static void product(int32_t *y, const lpu_matrix *m, const int8_t *q, lpu_scale s)
{
    const int8_t *w = integers(m);
    for (size_t r = 0; r < m->rows; r++) {
        wide acc = 0;
        for (size_t c = 0; c < m->cols; c++) acc += w[r * m->cols + c] * q[c];
        y[r] = apply(acc, mul(s, scale_of(m, r)), -16);
    }
}

static void rotate(int32_t *x, size_t n, const int16_t *rope)
{
    for (size_t i = 0; i < n / 2; i++) {
        const wide a = x[i], b = x[i + n / 2], c = rope[2 * i], s = rope[2 * i + 1];
        x[i] = sat(rsh(a * c - b * s, 14));
        x[i + n / 2] = sat(rsh(a * s + b * c, 14));
    }
}

static wide table(int j)
{
    return (wide)floorl(65536.0L * exp2l(-j / 64.0L) + 0.5L);
}

static wide curve(wide d)
{
    const int j = (int)(d / 1024 % 64), r = (int)(d % 1024);
    return table(j) - (table(j) - table(j + 1)) * r / 1024;
}

static wide sigmoid_part(wide x, wide c)
{
    const wide y = rsh(magnitude(x) * c, 16);
    const wide p = y / 65536 >= 17 ? 0 : curve(y) / power2((int)(y / 65536));
    const wide s = power2(32) / (65536 + p);
    return rsh(x * (x < 0 ? 65536 - s : s), 16);
}

static int gate(int32_t *h, const int32_t *g, const int32_t *u, size_t n, lpu_activation act)
{
    int32_t *left = malloc(n * sizeof(*left));
    int eh = -16;
    for (size_t i = 0; i < n; i++) {
        left[i] = act == LPU_ACT_RELU2
                      ? (g[i] > 0 ? g[i] : 0)
                      : (int32_t)sigmoid_part(g[i], act == LPU_ACT_SILU ? 94548 : 160921);
    }
    if (!u) {
        memcpy(h, left, n * sizeof(*h));
    } else {
        const int bg = bits(largest(left, n)) - 15, bu = bits(largest(u, n)) - 15;
        const int sg = bg > 0 ? bg : 0, su = bu > 0 ? bu : 0;
        for (size_t i = 0; i < n; i++) {
            const wide a = rsh(left[i], sg), b = rsh(u[i], su);
            h[i] = (int32_t)(act == LPU_ACT_RELU2 ? rsh(a * a * b, 15) : a * b);
        }
        eh = act == LPU_ACT_RELU2 ? 2 * (sg - 16) + (su - 16) + 15 : (sg - 16) + (su - 16);
    }
    free(left);
    return eh;
}

/* The cache of the oracle: [layer][kv head][token]. */
typedef struct oracle {
    const lpu_weights *w;
    int limit;
    size_t context, position;
    int8_t *keys, *values; /* (layers, kv heads, context, head elems) */
    lpu_scale *sk, *sv;    /* (layers, kv heads, context) */
    int32_t *x, *logits;
} oracle;

static void attend(int32_t *o, const oracle *f, size_t row, const int32_t *head)
{
    const size_t hd = f->w->model.head_elems, keys = f->position + 1;
    const int8_t *k = f->keys + row * f->context * hd, *v = f->values + row * f->context * hd;
    const lpu_scale *sk = f->sk + row * f->context, *sv = f->sv + row * f->context;
    int8_t *q = malloc(hd), *p = malloc(keys);
    int32_t *z = malloc(keys * 4), *u = malloc(keys * 4);
    wide *e = malloc(keys * sizeof(*e)), sum = 0, most = -power2(31);
    int ev = -100000;

    const wide aq = quant(q, head, hd, 127);
    const lpu_scale sq = divide(norm(aq, -16), norm(127, 0));
    for (size_t t = 0; t < keys; t++) {
        wide acc = 0;
        for (size_t d = 0; d < hd; d++) acc += q[d] * k[t * hd + d];
        z[t] = apply(acc, mul(mul(sq, f->w->score_scale), sk[t]), -16);
        most = z[t] > most ? z[t] : most;
        if (sv[t].m && sv[t].e > ev) ev = sv[t].e;
    }
    for (size_t t = 0; t < keys; t++) {
        const wide d = most - z[t];
        e[t] = d / 65536 >= 25 ? 0 : 256 * curve(d) / power2((int)(d / 65536));
        sum += e[t];
        const int down = ev - sv[t].e;
        const wide w = sv[t].m && down < 16 ? sv[t].m / power2(down) : 0;
        u[t] = (int32_t)rsh(e[t] * w, 16);
    }
    const wide a = quant(p, u, keys, 127);
    const lpu_scale so = divide(divide(norm(a, ev - 8), norm(127, 0)), norm(sum, -24));
    for (size_t d = 0; d < hd; d++) {
        wide acc = 0;
        for (size_t t = 0; t < keys; t++) acc += p[t] * v[t * hd + d];
        o[d] = apply(acc, so, -16);
    }
    free(q), free(p), free(z), free(u), free(e);
}

static void oracle_attention(oracle *f, size_t l, int32_t *o, int32_t *q, int32_t *k,
                             const int32_t *v)
{
    const lpu_model *m = &f->w->model;
    const size_t hd = m->head_elems;
    const int16_t *rope = f->w->rope + f->position * hd;

    for (size_t g = 0; g < m->kv_heads; g++) {
        const size_t row = l * m->kv_heads + g, at = row * f->context + f->position;
        rotate(k + g * hd, hd, rope);
        const wide ak = quant(f->keys + at * hd, k + g * hd, hd, f->limit);
        f->sk[at] = divide(norm(ak, -16), norm(f->limit, 0));
        const wide av = quant(f->values + at * hd, v + g * hd, hd, f->limit);
        f->sv[at] = divide(norm(av, -16), norm(f->limit, 0));
    }
    for (size_t h = 0; h < m->heads; h++) {
        rotate(q + h * hd, hd, rope);
        attend(o + h * hd, f, l * m->kv_heads + h / (m->heads / m->kv_heads), q + h * hd);
    }
}

static void add(int32_t *x, const int32_t *y, size_t n)
{
    for (size_t i = 0; i < n; i++) x[i] = sat((wide)x[i] + y[i]);
}

static void oracle_layer(oracle *f, size_t l)
{
    const lpu_model *m = &f->w->model;
    const lpu_layer_weights *w = &f->w->layer[l];
    const size_t nq = (size_t)m->heads * m->head_elems, nkv = w->k.rows;
    const size_t n = m->hidden_elems, ffn = m->ffn_elems;
    int32_t *q = malloc(nq * 4), *k = malloc(nkv * 4), *v = malloc(nkv * 4), *o = malloc(nq * 4);
    int32_t *g = malloc(ffn * 4), *u = malloc(ffn * 4), *h = malloc(ffn * 4), *y = malloc(n * 4);
    int8_t *a = malloc(n + nq + ffn);

    lpu_scale s = normq(a, f->x, n, -16, &w->attn_norm, f->w->eps);
    product(q, &w->q, a, s);
    product(k, &w->k, a, s);
    product(v, &w->v, a, s);
    oracle_attention(f, l, o, q, k, v);
    s = normq(a, o, nq, -16, &w->attn_sub_norm, f->w->eps);
    product(y, &w->o, a, s);
    add(f->x, y, n);
    s = normq(a, f->x, n, -16, &w->ffn_norm, f->w->eps);
    product(u, &w->up, a, s);
    if (m->is_gated) product(g, &w->gate, a, s);
    const int eh =
        m->is_gated ? gate(h, g, u, ffn, m->activation) : gate(h, u, NULL, ffn, m->activation);
    s = normq(a, h, ffn, eh, &w->ffn_sub_norm, f->w->eps);
    product(y, &w->down, a, s);
    add(f->x, y, n);
    free(q), free(k), free(v), free(o), free(g), free(u), free(h), free(y), free(a);
}

/* One token; logits in f->logits. */
static void oracle_step(oracle *f, int32_t token)
{
    const lpu_matrix *e = &f->w->embed;
    const int8_t *v = integers(e) + (size_t)token * e->cols;
    int8_t *a = malloc(e->cols);

    for (size_t i = 0; i < e->cols; i++) f->x[i] = apply(v[i], e->row_scales[token], -16);
    for (size_t l = 0; l < f->w->model.layers; l++) oracle_layer(f, l);
    const lpu_scale s = normq(a, f->x, e->cols, -16, &f->w->output_norm, f->w->eps);
    product(f->logits, &f->w->head, a, s);
    f->position++;
    free(a);
}

static oracle oracle_open(const lpu_weights *w, uint32_t kv_trits, size_t context)
{
    const lpu_model *m = &w->model;
    const size_t rows = (size_t)m->layers * m->kv_heads * context;
    oracle f = {.w = w, .limit = lpu_ternary_limit(kv_trits), .context = context};
    f.keys = calloc(rows, m->head_elems);
    f.values = calloc(rows, m->head_elems);
    f.sk = calloc(rows, sizeof(*f.sk));
    f.sv = calloc(rows, sizeof(*f.sv));
    f.x = calloc(m->hidden_elems, 4);
    f.logits = calloc(m->vocab_elems, 4);
    return f;
}

static void oracle_close(oracle *f)
{
    free(f->keys), free(f->values), free(f->sk), free(f->sv), free(f->x), free(f->logits);
}

/* --- models
 * -------------------------------------------------------------------------------------------- */

enum { CONTEXT = 160, PROMPT = 150 };

static lpu_model shape(lpu_activation activation, bool is_gated, bool has_sub_norm)
{
    return small_model(activation, is_gated, has_sub_norm, CONTEXT);
}

static lpu_status weights_open(lpu_weights **w, const lpu_model *m, uint32_t head_trits,
                               lpu_diag *diag)
{
    char path[64];
    snprintf(path, sizeof(path), "/tmp/forward_test.%d.gguf", (int)getpid());
    const lpu_synth s = {.model = m,
                         .type = LPU_QUANT_TQ2_0,
                         .embed_type = LPU_QUANT_F16,
                         .zero_share = m->zero_share,
                         .seed = 7};
    lpu_status status = lpu_synth_write(path, &s, diag);
    if (!status) status = lpu_weights_open(w, path, head_trits, 0, diag);
    unlink(path);
    return status;
}

static void prompt_fill(int32_t *tokens, size_t n, uint32_t vocab)
{
    for (size_t i = 0; i < n; i++) tokens[i] = (int32_t)((i * 7919 + i * i * 13 + 5) % vocab);
}

/* Logits of the prompt's last token, run in pieces of the given size. */
static lpu_status run_pieces(int32_t *logits, int32_t *next, const lpu_weights *w,
                             uint32_t kv_trits, uint32_t threads, const int32_t *tokens, size_t n,
                             size_t piece, lpu_diag *diag)
{
    lpu_forward *f;
    lpu_status status =
        lpu_forward_open(&f, w, LPU_FORWARD_TERNARY, kv_trits, CONTEXT, threads, diag);
    for (size_t i = 0; i < n && !status; i += piece) {
        status = lpu_forward_run(f, tokens + i, n - i < piece ? n - i : piece, next, diag);
    }
    if (!status) memcpy(logits, lpu_forward_logits_x32(f), w->model.vocab_elems * 4);
    lpu_forward_close(&f);
    return status;
}

static void check_logits(const int32_t *found, const int32_t *expected, size_t n, const char *what)
{
    for (size_t i = 0; i < n; i++) {
        CHECK(found[i] == expected[i], "%s: logit %zu is %d, expected %d", what, i, found[i],
              expected[i]);
    }
}

static void check_model(lpu_model m, uint32_t kv_trits, uint32_t head_trits)
{
    lpu_weights *w;
    int32_t tokens[PROMPT], *logits = calloc(m.vocab_elems, 4), next = -1;
    const size_t ways[][2] = {{150, 1}, {150, 2}, {1, 1}, {1, 2}, {37, 2}, {16, 3}};

    CHECK_OK(weights_open(&w, &m, head_trits, diag));
    prompt_fill(tokens, PROMPT, m.vocab_elems);
    oracle o = oracle_open(w, kv_trits, CONTEXT);
    for (size_t i = 0; i < PROMPT; i++) oracle_step(&o, tokens[i]);
    size_t best = 0;
    for (size_t i = 1; i < m.vocab_elems; i++) best = o.logits[i] > o.logits[best] ? i : best;

    for (size_t i = 0; i < sizeof(ways) / sizeof(*ways) && !test_is_over; i++) {
        char what[64];
        snprintf(what, sizeof(what), "pieces of %zu, %zu threads", ways[i][0], ways[i][1]);
        CHECK_OK(run_pieces(logits, &next, w, kv_trits, (uint32_t)ways[i][1], tokens, PROMPT,
                            ways[i][0], diag));
        check_logits(logits, o.logits, m.vocab_elems, what);
        if (!test_is_over) CHECK_EQ(next, best);
    }
    oracle_close(&o);
    integers_forget();
    lpu_weights_close(&w);
    free(logits);
}

static void relu2_with_sub_norms_is_the_page(void)
{
    check_model(shape(LPU_ACT_RELU2, true, true), 5, 5);
}

static void silu_without_sub_norms_is_the_page(void)
{
    lpu_model m = shape(LPU_ACT_SILU, true, false);
    m.kv_heads = 4;
    m.is_tied = false;
    check_model(m, 3, 4);
}

static void gelu_without_a_gate_is_the_page(void)
{
    lpu_model m = shape(LPU_ACT_GELU, false, false);
    m.kv_heads = 1;
    check_model(m, 2, 3);
}

static void odd_shapes_are_the_page(void)
{
    lpu_model m = shape(LPU_ACT_RELU2, true, true);
    m.hidden_elems = 90;
    m.head_elems = 18;
    m.heads = 5;
    m.kv_heads = 5;
    m.ffn_elems = 131;
    m.vocab_elems = 67;
    check_model(m, 4, 5);
}

/* --- against floating point
 * ------------------------------------------------------------------------------ */

static double angle(const double *a, const double *b, size_t n)
{
    double aa = 0, bb = 0, ab = 0;
    for (size_t i = 0; i < n; i++) {
        aa += a[i] * a[i];
        bb += b[i] * b[i];
        ab += a[i] * b[i];
    }
    return ab / sqrt(aa * bb);
}

/* How far the integers are from FP16 over a generated text: mean |difference| over standard
 * deviation of the logits, their cosine, and the share of equal top choices. */
typedef struct distance {
    double error, cosine, top1;
} distance;

static lpu_status measure(distance *d, const lpu_weights *w, uint32_t kv_trits, size_t steps,
                          lpu_diag *diag)
{
    const size_t n = w->model.vocab_elems;
    lpu_forward *f[2] = {NULL, NULL};
    int32_t tokens[CONTEXT], next[2];
    double *logits[2] = {malloc(n * sizeof(double)), malloc(n * sizeof(double))};
    lpu_status status = lpu_forward_open(&f[0], w, LPU_FORWARD_TERNARY, kv_trits, CONTEXT, 2, diag);
    if (!status) status = lpu_forward_open(&f[1], w, LPU_FORWARD_FP16, kv_trits, CONTEXT, 2, diag);

    *d = (distance){0, 0, 0};
    prompt_fill(tokens, CONTEXT, (uint32_t)n);
    for (size_t i = 0; i < steps && !status; i++) {
        for (size_t j = 0; j < 2 && !status; j++) {
            status = lpu_forward_run(f[j], tokens + i, 1, &next[j], diag);
        }
        if (status) break;
        double mean = 0, error = 0, variance = 0;
        for (size_t v = 0; v < n; v++) {
            logits[0][v] = ldexp(lpu_forward_logits_x32(f[0])[v], -16);
            logits[1][v] = (double)lpu_forward_logits_f32(f[1])[v];
            mean += logits[1][v] / (double)n;
            error += fabs(logits[0][v] - logits[1][v]) / (double)n;
        }
        for (size_t v = 0; v < n; v++) variance += pow(logits[1][v] - mean, 2) / (double)n;
        d->error += error / sqrt(variance) / (double)steps;
        d->cosine += angle(logits[0], logits[1], n) / (double)steps;
        d->top1 += (next[0] == next[1]) / (double)steps;
    }
    lpu_forward_close(&f[0]);
    lpu_forward_close(&f[1]);
    free(logits[0]);
    free(logits[1]);
    return status;
}

static void integers_are_near_floating_point(void)
{
    static const struct {
        lpu_activation activation;
        bool is_gated, has_sub_norm;
    } kinds[] = {
        {LPU_ACT_RELU2, true, true}, {LPU_ACT_SILU, true, false}, {LPU_ACT_GELU, false, false}};

    for (size_t i = 0; i < 3; i++) {
        const lpu_model m = shape(kinds[i].activation, kinds[i].is_gated, kinds[i].has_sub_norm);
        lpu_weights *w;
        distance d;
        CHECK_OK(weights_open(&w, &m, 5, diag));
        CHECK_OK(measure(&d, w, 5, 100, diag));
        lpu_weights_close(&w);
        printf(
            "        activation %d: error %.4f of the logits' deviation, cosine %.5f, top-1 %.2f\n",
            (int)m.activation, d.error, d.cosine, d.top1);
        CHECK(
            d.error < 0.06 && d.cosine > 0.997 && d.top1 > 0.85,
            "activation %d: error %.4f, cosine %.5f, top-1 %.2f; expected below 0.06, above 0.997, "
            "above 0.85",
            (int)m.activation, d.error, d.cosine, d.top1);
    }
}

static void what_cannot_be_run_is_refused(void)
{
    const lpu_model m = shape(LPU_ACT_RELU2, true, true);
    lpu_weights *w;
    lpu_forward *f;
    lpu_diag why = {""};
    int32_t next = 0, tokens[CONTEXT + 1];

    CHECK_OK(weights_open(&w, &m, 5, diag));
    prompt_fill(tokens, CONTEXT + 1, m.vocab_elems);
    CHECK_EQ(lpu_forward_open(&f, w, LPU_FORWARD_TERNARY, 1, CONTEXT, 1, &why), LPU_ERR_RANGE);
    CHECK_EQ(lpu_forward_open(&f, w, LPU_FORWARD_TERNARY, 6, CONTEXT, 1, &why), LPU_ERR_RANGE);
    CHECK_EQ(lpu_forward_open(&f, w, LPU_FORWARD_TERNARY, 5, CONTEXT + 1, 1, &why), LPU_ERR_RANGE);
    CHECK_EQ(lpu_forward_open(&f, w, LPU_FORWARD_TERNARY, 5, 0, 1, &why), LPU_ERR_RANGE);
    CHECK(!f, "a refused pass is not NULL");
    CHECK_OK(lpu_forward_open(&f, w, LPU_FORWARD_TERNARY, 5, CONTEXT, 1, diag));
    CHECK_EQ(lpu_forward_run(f, tokens, CONTEXT + 1, &next, &why), LPU_ERR_RANGE);
    CHECK_EQ(lpu_forward_run(f, tokens, 0, &next, &why), LPU_ERR_RANGE);
    tokens[3] = 331;
    CHECK_EQ(lpu_forward_run(f, tokens, 8, &next, &why), LPU_ERR_RANGE);
    tokens[3] = -1;
    CHECK_EQ(lpu_forward_run(f, tokens, 8, &next, &why), LPU_ERR_RANGE);
    CHECK(strstr(why.text, "token -1 at 3"), "the sentence is \"%s\"", why.text);
    tokens[3] = 0;
    CHECK_OK(lpu_forward_run(f, tokens, CONTEXT, &next, diag));
    CHECK_EQ(lpu_forward_run(f, tokens, 1, &next, &why), LPU_ERR_RANGE);
    lpu_forward_close(&f);
    lpu_forward_close(&f);
    lpu_weights_close(&w);
}

int main(void)
{
    RUN(relu2_with_sub_norms_is_the_page);
    RUN(silu_without_sub_norms_is_the_page);
    RUN(gelu_without_a_gate_is_the_page);
    RUN(odd_shapes_are_the_page);
    RUN(integers_are_near_floating_point);
    RUN(what_cannot_be_run_is_refused);
    return test_failures != 0;
}
