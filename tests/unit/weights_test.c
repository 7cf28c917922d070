/* tests/unit/weights_test.c - a loaded model against the file it came from, by the formulas of
 * workloads/arithmetic.md, section 11; and files that are no such model. */
#include "tests/unit/test.h"
#include "tests/unit/tiny_model.h"
#include "workloads/gguf_writer.h"
#include "workloads/synth.h"
#include "workloads/ternary.h"
#include "workloads/weights.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

static lpu_model model;

static const char *temporary(void)
{
    static char path[64];
    snprintf(path, sizeof(path), "/tmp/weights_test-%ld.gguf", (long)getpid());
    return path;
}

static lpu_status make(lpu_quant type, lpu_quant embed_type, lpu_diag *diag)
{
    const lpu_synth s = {.model = &model,
                         .type = type,
                         .embed_type = embed_type,
                         .zero_share = model.weights == LPU_WEIGHTS_BINARY ? 0 : 0.31,
                         .seed = 3};
    return lpu_synth_write(temporary(), &s, diag);
}

/* Element (row, col) of a matrix, from its planes by Horner's rule. */
static int32_t element(const lpu_matrix *m, size_t row, size_t col)
{
    const size_t row_bytes = (m->cols + 4) / 5;
    int32_t value = 0;
    for (uint32_t p = 0; p < m->trits; p++) {
        unsigned byte = m->planes[(p * m->rows + row) * row_bytes + col / 5];
        for (size_t i = 0; i < col % 5; i++) byte /= 3;
        value = 3 * value + (int32_t)(byte % 3) - 1;
    }
    return value;
}

/* The digits beyond the last column are zero. */
static bool has_clean_ends(const lpu_matrix *m)
{
    lpu_matrix wide = *m;
    wide.cols = (m->cols + 4) / 5 * 5;
    for (size_t row = 0; row < m->rows; row++) {
        for (size_t col = m->cols; col < wide.cols; col++) {
            if (element(&wide, row, col)) return false;
        }
    }
    return true;
}

/* A matrix is the tensor of that name: weight = element * real_scale, for every weight. */
static void check_linear(const lpu_gguf *g, const lpu_matrix *m, const char *name)
{
    const lpu_gguf_tensor *t = lpu_gguf_find(g, name);
    float row[512], scale = 0;

    CHECK(t, "%s is missing", name);
    CHECK(m->trits == 1 && !m->row_scales, "%s", name);
    CHECK_EQ(m->cols, t->elems[0]);
    CHECK_EQ(m->rows, t->elems[1]);
    const size_t bytes = lpu_quants_row_bytes(t->type, m->cols);
    if (t->type == LPU_QUANT_I2_S) {
        memcpy(&scale, (const uint8_t *)t->data + m->rows * bytes, sizeof(scale));
    }
    for (size_t r = 0; r < m->rows; r++) {
        lpu_quants_decode(t->type, row, (const uint8_t *)t->data + r * bytes, m->cols, scale);
        for (size_t c = 0; c < m->cols; c++) {
            CHECK(row[c] == (float)element(m, r, c) * m->real_scale, "%s (%zu, %zu): %g is %d",
                  name, r, c, (double)row[c], element(m, r, c));
        }
    }
    const lpu_scale expected = lpu_scale_from_real((double)m->real_scale);
    CHECK(m->scale.m == expected.m && m->scale.e == expected.e, "%s: scale", name);
}

/* v = nearest to row[i] H / a, half away from zero; scale a / H; halves as in the file. */
static void check_embed(const lpu_gguf *g, const lpu_matrix *m, const uint16_t *f16,
                        const char *name)
{
    const lpu_gguf_tensor *t = lpu_gguf_find(g, name);
    const double limit = (pow(3, m->trits) - 1) / 2;
    float row[512];

    CHECK(t, "%s is missing", name);
    for (size_t r = 0; r < m->rows; r++) {
        double a = 0;
        lpu_quants_decode(t->type, row,
                          (const uint8_t *)t->data + r * lpu_quants_row_bytes(t->type, m->cols),
                          m->cols, 0);
        for (size_t c = 0; c < m->cols; c++) a = fmax(a, fabs((double)row[c]));
        for (size_t c = 0; c < m->cols; c++) {
            const long expected = a > 0 ? lround((double)row[c] * limit / a) : 0;
            CHECK(element(m, r, c) == expected, "%s (%zu, %zu): %g of %g is %d, expected %ld", name,
                  r, c, (double)row[c], a, element(m, r, c), expected);
            const _Float16 half = (_Float16)row[c];
            CHECK(!memcmp(&half, &f16[r * m->cols + c], sizeof(half)), "%s (%zu, %zu): half", name,
                  r, c);
        }
        const lpu_scale scale = lpu_scale_from_real(a / limit);
        CHECK(m->row_scales[r].m == scale.m && m->row_scales[r].e == scale.e,
              "%s: scale of row %zu", name, r);
    }
    CHECK(has_clean_ends(m), "%s: the ends of rows", name);
}

/* The exponent is the smallest that fits 16 bits; each element is the nearest integer. */
static void check_gain(const lpu_gguf *g, const lpu_gain *gain, const char *name)
{
    const lpu_gguf_tensor *t = lpu_gguf_find(g, name);
    double max = 0;

    CHECK(t && gain->g && gain->elems == t->elems[0], "%s", name);
    for (size_t i = 0; i < gain->elems; i++) {
        float real;
        lpu_quants_decode(t->type, &real,
                          (const uint8_t *)t->data + i * lpu_quants_row_bytes(t->type, 1), 1, 0);
        CHECK(real == gain->real[i], "%s: element %zu", name, i);
        max = fmax(max, fabs((double)real));
        CHECK_EQ(gain->g[i], lround((double)real * pow(2, -gain->exponent)));
    }
    CHECK(max * pow(2, -gain->exponent) <= 32767, "%s: the exponent is too small", name);
    CHECK(max == 0 || max * pow(2, 1 - gain->exponent) > 32767, "%s: the exponent is too large",
          name);
}

static void check_layers(const lpu_gguf *g, const lpu_weights *w)
{
    for (uint32_t i = 0; i < w->model.layers; i++) {
        const lpu_layer_weights *l = &w->layer[i];
        const struct {
            const char *name;
            const lpu_matrix *m;
            const lpu_gain *gain;
        } rows[] = {
            {"attn_q", &l->q, NULL},
            {"attn_k", &l->k, NULL},
            {"attn_v", &l->v, NULL},
            {"attn_output", &l->o, NULL},
            {"ffn_gate", &l->gate, NULL},
            {"ffn_up", &l->up, NULL},
            {"ffn_down", &l->down, NULL},
            {"attn_norm", NULL, &l->attn_norm},
            {"attn_sub_norm", NULL, &l->attn_sub_norm},
            {"ffn_norm", NULL, &l->ffn_norm},
            {"ffn_sub_norm", NULL, &l->ffn_sub_norm},
        };
        for (size_t j = 0; j < sizeof(rows) / sizeof(rows[0]); j++) {
            char name[64];
            snprintf(name, sizeof(name), "blk.%u.%s.weight", i, rows[j].name);
            if (rows[j].m) check_linear(g, rows[j].m, name);
            else check_gain(g, rows[j].gain, name);
            if (test_is_over) return;
        }
    }
}

static void every_type(void)
{
    const lpu_quant types[] = {LPU_QUANT_TQ1_0, LPU_QUANT_TQ2_0, LPU_QUANT_I2_S,
                               LPU_QUANT_F16,   LPU_QUANT_F32,   LPU_QUANT_BF16};
    uint8_t *first = NULL; /* planes of the first file: all files hold the same model */
    float scale = 0;

    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        lpu_gguf *g;
        lpu_weights *w;
        CHECK_OK(make(types[i], LPU_QUANT_F16, diag));
        CHECK_OK(lpu_gguf_open(&g, temporary(), diag));
        CHECK_OK(lpu_weights_open(&w, temporary(), 5, 0, diag));
        check_layers(g, w);
        if (test_is_over) return;
        check_gain(g, &w->output_norm, "output_norm.weight");
        if (test_is_over) return;

        const lpu_matrix *m = &w->layer[1].down;
        const size_t bytes = m->rows * lpu_ternary_bytes(LPU_CODE_BASE3, m->cols);
        CHECK(has_clean_ends(m), "the ends of rows");
        if (!first) {
            first = malloc(bytes);
            memcpy(first, m->planes, bytes);
            scale = m->real_scale;
        }
        CHECK(!memcmp(first, m->planes, bytes), "type %d holds other digits", types[i]);
        CHECK(m->real_scale == scale, "type %d holds another scale", types[i]);
        CHECK(fabs(w->model.zero_share - 0.31) < 0.01, "zero_share %g", w->model.zero_share);
        CHECK(w->model.weights == LPU_WEIGHTS_TERNARY && w->model.activation == LPU_ACT_RELU2 &&
                  w->model.is_gated && w->model.has_sub_norm && w->model.is_tied,
              "the shape");
        lpu_weights_close(&w);
        CHECK(!w, "closed, and not NULL");
        lpu_gguf_close(&g);
    }
    free(first);
}

static void every_embedding(void)
{
    const lpu_quant types[] = {LPU_QUANT_F16, LPU_QUANT_F32, LPU_QUANT_BF16, LPU_QUANT_Q8_0,
                               LPU_QUANT_Q4_0};

    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        lpu_gguf *g;
        lpu_weights *w;
        CHECK_OK(make(LPU_QUANT_TQ2_0, types[i], diag));
        CHECK_OK(lpu_gguf_open(&g, temporary(), diag));
        for (uint32_t trits = 3; trits <= 5; trits++) {
            CHECK_OK(lpu_weights_load(&w, g, trits, 0, diag));
            CHECK(w->embed.trits == trits && w->head_trits == trits, "trits");
            CHECK(w->head.planes == w->embed.planes && w->head_f16 == w->embed_f16, "not tied");
            check_embed(g, &w->embed, w->embed_f16, "token_embd.weight");
            if (test_is_over) return;
            lpu_weights_close(&w);
        }
        lpu_gguf_close(&g);
    }
}

static void own_head(void)
{
    lpu_gguf *g;
    lpu_weights *w;

    model.is_tied = false;
    CHECK_OK(make(LPU_QUANT_TQ2_0, LPU_QUANT_F16, diag));
    model.is_tied = true;
    CHECK_OK(lpu_gguf_open(&g, temporary(), diag));
    CHECK_OK(lpu_weights_load(&w, g, 4, 0, diag));
    CHECK(!w->model.is_tied && w->head.planes != w->embed.planes, "the head is the embedding");
    check_embed(g, &w->head, w->head_f16, "output.weight");
    lpu_weights_close(&w);
    lpu_gguf_close(&g);
}

static void binary(void)
{
    lpu_gguf *g;
    lpu_weights *w;

    model.weights = LPU_WEIGHTS_BINARY;
    model.zero_share = 0;
    model.is_gated = false;
    model.has_sub_norm = false;
    model.activation = LPU_ACT_GELU;
    CHECK_OK(make(LPU_QUANT_Q1_0, LPU_QUANT_F16, diag));
    CHECK_OK(tiny_model_init(&model, diag));
    CHECK_OK(lpu_gguf_open(&g, temporary(), diag));
    CHECK_OK(lpu_weights_load(&w, g, 5, 0, diag));
    CHECK(w->model.weights == LPU_WEIGHTS_BINARY && w->model.zero_share == 0 &&
              w->model.activation == LPU_ACT_GELU && !w->model.is_gated,
          "the shape");
    CHECK(!w->layer[0].gate.rows && !w->layer[0].attn_sub_norm.g && !w->layer[0].ffn_sub_norm.g,
          "a gate or a norm that is not there");
    check_linear(g, &w->layer[0].down, "blk.0.ffn_down.weight");
    lpu_weights_close(&w);
    lpu_gguf_close(&g);
}

static void rotary_table(void)
{
    lpu_weights *w;

    CHECK_OK(make(LPU_QUANT_TQ2_0, LPU_QUANT_F16, diag));
    CHECK_OK(lpu_weights_open(&w, temporary(), 5, 20, diag));
    CHECK_EQ(w->model.context_tokens, 20);
    for (int pos = 0; pos < 20; pos++) {
        for (int i = 0; i < 32; i++) {
            const long double angle = (long double)pos * powl(10000, -2.0L * i / 64);
            const int16_t *pair = w->rope + (pos * 32 + i) * 2;
            CHECK_EQ(pair[0], lroundl(16384 * cosl(angle)));
            CHECK_EQ(pair[1], lroundl(16384 * sinl(angle)));
        }
    }
    const double score = 1.4426950408889634 / 8; /* log2(e) / sqrt(64) */
    CHECK(fabs(lpu_scale_to_real(w->score_scale) / score - 1) < 0x1p-16, "score scale");
    CHECK(fabs(lpu_scale_to_real(w->eps) / (double)1e-5f - 1) < 0x1p-16, "eps");
    lpu_weights_close(&w);
}

/* ---- models written by hand, F32, rows of 12: a short last byte ---- */

enum { HIDDEN = 12, FFN = 12, VOCAB = 7 };

/* What is odd about a file. */
typedef struct oddity {
    const char *missing, *extra; /* a tensor that is not there; one more, of one F32 */
    const char *wide, *spoilt;   /* a vector that is too long; a matrix with one weight at value */
    const char *activation;      /* setun.activation, unless NULL */
    float value;
    bool has_scale, has_factors;
    const char *arch; /* bitnet-25, unless given */
} oddity;

typedef struct item {
    char name[48];
    uint32_t rows, cols;
} item;

static size_t list_items(item *items, const oddity *o)
{
    static const char *const matrices[] = {"attn_q",   "attn_k", "attn_v",  "attn_output",
                                           "ffn_gate", "ffn_up", "ffn_down"};
    size_t n = 0;
    item all[16];

    all[n++] = (item){"token_embd.weight", VOCAB, HIDDEN};
    all[n++] = (item){"output_norm.weight", 0, HIDDEN};
    all[n++] = (item){"blk.0.attn_norm.weight", 0, HIDDEN};
    all[n++] = (item){"blk.0.ffn_norm.weight", 0, HIDDEN};
    for (size_t i = 0; i < 7; i++) {
        all[n].rows = all[n].cols = HIDDEN;
        snprintf(all[n++].name, sizeof(all[0].name), "blk.0.%s.weight", matrices[i]);
    }
    if (o->has_scale) all[n++] = (item){"blk.0.attn_q.scale", 0, 1};
    if (o->has_factors) all[n++] = (item){"rope_freqs.weight", 0, 3};
    if (o->extra) {
        all[n].rows = 0;
        all[n].cols = 1;
        snprintf(all[n++].name, sizeof(all[0].name), "%s", o->extra);
    }
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        if (o->missing && !strcmp(all[i].name, o->missing)) continue;
        if (o->wide && !strcmp(all[i].name, o->wide)) all[i].cols++;
        items[kept++] = all[i];
    }
    return kept;
}

static lpu_status write_item(lpu_gguf_writer *w, const item *it, const oddity *o, lpu_diag *diag)
{
    float values[HIDDEN * HIDDEN + HIDDEN];
    const size_t n = (size_t)(it->rows ? it->rows : 1) * it->cols;

    for (size_t i = 0; i < n; i++) {
        values[i] = it->rows == HIDDEN ? 0.75f * (float)((int)((i * i + i / 5) % 3) - 1)
                                       : (float)(i + 1) / (float)n;
    }
    if (!strcmp(it->name, "blk.0.attn_q.scale")) values[0] = 0.5f;
    if (!strcmp(it->name, "blk.0.ffn_norm.weight")) values[n - 1] = 0.99999f;
    if (!strcmp(it->name, "output_norm.weight")) memset(values, 0, sizeof(values));
    if (o->spoilt && !strcmp(it->name, o->spoilt)) values[n / 2] = o->value;
    return lpu_gguf_writer_write(w, values, n * sizeof(float), diag);
}

static lpu_status make_odd(const oddity *o, lpu_diag *diag)
{
    static const struct {
        const char *key;
        uint32_t value;
    } numbers[] = {{"block_count", 1},
                   {"embedding_length", HIDDEN},
                   {"feed_forward_length", FFN},
                   {"context_length", 8},
                   {"attention.head_count", 2}};
    item items[16];
    char key[64];
    const char *arch = o->arch ? o->arch : "bitnet-25";
    const size_t n = list_items(items, o);
    lpu_gguf_writer *w;
    lpu_status status = lpu_gguf_writer_open(&w, temporary(), diag);

    if (status) return status;
    lpu_gguf_writer_put_string(w, "general.architecture", arch);
    for (size_t i = 0; i < 5; i++) {
        snprintf(key, sizeof(key), "%s.%s", arch, numbers[i].key);
        lpu_gguf_writer_put_u32(w, key, numbers[i].value);
    }
    snprintf(key, sizeof(key), "%s.attention.layer_norm_rms_epsilon", arch);
    lpu_gguf_writer_put_f32(w, key, 1e-6f);
    snprintf(key, sizeof(key), "%s.rope.freq_base", arch);
    lpu_gguf_writer_put_f32(w, key, 500);
    if (o->activation) lpu_gguf_writer_put_string(w, "setun.activation", o->activation);
    for (size_t i = 0; i < n; i++) {
        lpu_gguf_writer_declare(w, items[i].name, LPU_QUANT_F32, items[i].cols, items[i].rows);
    }
    for (size_t i = 0; i < n && !status; i++) status = write_item(w, &items[i], o, diag);
    if (!status) status = lpu_gguf_writer_commit(&w, diag);
    lpu_gguf_writer_close(&w);
    return status;
}

static void by_hand(void)
{
    const oddity o = {.has_scale = true, .has_factors = true, .activation = "silu"};
    lpu_gguf *g;
    lpu_weights *w;

    CHECK_OK(make_odd(&o, diag));
    CHECK_OK(lpu_gguf_open(&g, temporary(), diag));
    CHECK_OK(lpu_weights_load(&w, g, 3, 0, diag));
    CHECK(w->model.activation == LPU_ACT_SILU && w->model.kv_heads == 2 &&
              w->model.head_elems == 6 && !w->model.has_sub_norm,
          "the shape");
    /* A factor beside the weight halves its scale; 0.375 is exact. */
    CHECK(w->layer[0].q.real_scale == 0.375f && lpu_scale_to_real(w->layer[0].q.scale) == 0.375,
          "scale of q is %g", (double)w->layer[0].q.real_scale);
    CHECK(w->layer[0].k.real_scale == 0.75f, "scale of k");
    check_linear(g, &w->layer[0].down, "blk.0.ffn_down.weight");
    if (test_is_over) return;
    CHECK(has_clean_ends(&w->layer[0].down), "the ends of rows");
    check_embed(g, &w->embed, w->embed_f16, "token_embd.weight");
    if (test_is_over) return;

    /* 1 is 2^14 2^-14. 0.99999 2^15 would be 32767.7: it takes 2^-14 too. All zero has exponent 0.
     */
    check_gain(g, &w->layer[0].attn_norm, "blk.0.attn_norm.weight");
    if (test_is_over) return;
    CHECK_EQ(w->layer[0].attn_norm.exponent, -14);
    CHECK_EQ(w->layer[0].attn_norm.g[HIDDEN - 1], 16384);
    CHECK_EQ(w->layer[0].ffn_norm.exponent, -14);
    CHECK_EQ(w->output_norm.exponent, 0);

    /* Factors 1/3, 2/3 and 1 of the rotary frequencies divide the angle. */
    for (int i = 0; i < 3; i++) {
        const double factor = (double)((float)(i + 1) / 3.0f);
        const double angle = 7 * pow(500, -2.0 * i / 6) / factor;
        CHECK_EQ(w->rope[(7 * 3 + i) * 2], lround(16384 * cos(angle)));
    }
    lpu_weights_close(&w);
    lpu_gguf_close(&g);
}

/* Files of llama pair neighbours in RoPE: row 2i+j of a head is row j*3+i here, for Q and K only.
 */
static void interleaved_heads(void)
{
    lpu_weights *plain, *w;

    CHECK_OK(make_odd(&(oddity){.arch = "bitnet"}, diag));
    CHECK_OK(lpu_weights_open(&plain, temporary(), 5, 0, diag));
    CHECK_OK(make_odd(&(oddity){.arch = "llama"}, diag));
    CHECK_OK(lpu_weights_open(&w, temporary(), 5, 0, diag));
    CHECK(w->model.activation == LPU_ACT_SILU, "activation");
    CHECK(plain->model.activation == LPU_ACT_RELU2, "activation");
    const struct {
        const lpu_matrix *m, *plain;
        bool is_moved;
    } rows[] = {{&w->layer[0].q, &plain->layer[0].q, true},
                {&w->layer[0].k, &plain->layer[0].k, true},
                {&w->layer[0].v, &plain->layer[0].v, false},
                {&w->layer[0].o, &plain->layer[0].o, false}};
    for (size_t n = 0; n < 4; n++) {
        for (size_t row = 0; row < HIDDEN; row++) {
            const size_t head = row / 6, j = row % 6 / 3, i = row % 3;
            const size_t source = rows[n].is_moved ? 6 * head + 2 * i + j : row;
            for (size_t c = 0; c < HIDDEN; c++) {
                CHECK_EQ(element(rows[n].m, row, c), element(rows[n].plain, source, c));
            }
        }
    }
    lpu_weights_close(&plain);
    lpu_weights_close(&w);
}

static void odd_files(void)
{
    const struct {
        oddity o;
        const char *words;
    } rows[] = {
        {{.arch = "gpt2"}, "architecture is \"gpt2\", expected bitnet"},
        {{.missing = "blk.0.attn_v.weight"}, "tensor blk.0.attn_v.weight is missing"},
        {{.missing = "blk.0.ffn_norm.weight"}, "tensor blk.0.ffn_norm.weight is missing"},
        {{.missing = "token_embd.weight"}, "vocab_elems is 0"},
        {{.extra = "blk.0.attn_q.bias"}, "tensor blk.0.attn_q.bias has no place"},
        {{.extra = "blk.1.attn_norm.weight"}, "tensor blk.1.attn_norm.weight has no place"},
        {{.wide = "blk.0.attn_norm.weight"}, "is 1 by 13, expected 1 by 12"},
        {{.wide = "blk.0.attn_q.weight"}, "is 12 by 13, expected 12 by 12"},
        {{.spoilt = "blk.0.ffn_up.weight", .value = 0.5f}, "ternary"},
        {{.spoilt = "blk.0.ffn_up.weight", .value = NAN}, "is not finite"},
        {{.spoilt = "blk.0.ffn_norm.weight", .value = INFINITY}, "element 6 is not finite"},
        {{.spoilt = "token_embd.weight", .value = NAN}, "expected a number up to 65504"},
        {{.spoilt = "token_embd.weight", .value = 65505}, "expected a number up to 65504"},
        {{.has_scale = true, .spoilt = "blk.0.attn_q.scale", .value = -1}, "is -1, expected a pos"},
        {{.has_factors = true, .spoilt = "rope_freqs.weight", .value = 0}, "element 1 is 0"},
        {{.activation = "tanh"}, "setun.activation is unknown, expected relu2, silu or gelu"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        lpu_weights *w;
        lpu_diag why = {""};
        CHECK_OK(make_odd(&rows[i].o, diag));
        const lpu_status status = lpu_weights_open(&w, temporary(), 5, 0, &why);
        CHECK(status < 0 && !w, "file %zu: status %d, expected: %s", i, status, rows[i].words);
        CHECK(strstr(why.text, rows[i].words), "found \"%s\", expected \"%s\" in it", why.text,
              rows[i].words);
        CHECK(!strncmp(why.text, temporary(), strlen(temporary())), "\"%s\" names no file",
              why.text);
    }
    lpu_weights *w;
    lpu_diag why = {""};
    CHECK_OK(make_odd(&(oddity){.activation = NULL}, diag));
    CHECK_EQ(lpu_weights_open(&w, temporary(), 6, 0, &why), LPU_ERR_RANGE);
    CHECK(strstr(why.text, "found 6 trits for the head, expected 3 to 5"), "%s", why.text);
    CHECK_OK(lpu_weights_open(&w, temporary(), 5, 0, diag));
    CHECK_EQ(w->model.activation, LPU_ACT_RELU2);
    lpu_weights_close(&w);
}

/* ---- every kind of damage: loaded or refused, and never worse ---- */

static uint8_t *read_all(size_t *bytes)
{
    FILE *file = fopen(temporary(), "rb");
    uint8_t *data = malloc(1 << 22);
    *bytes = file && data ? fread(data, 1, 1 << 22, file) : 0;
    if (file) fclose(file);
    return data;
}

static lpu_status load(const uint8_t *data, size_t bytes, lpu_diag *diag)
{
    uint8_t *copy = malloc(bytes ? bytes : 1); /* of the exact size, for the sanitizer */
    lpu_gguf *g;
    lpu_weights *w = NULL;

    memcpy(copy, data, bytes);
    lpu_status status = lpu_gguf_parse(&g, "f", copy, bytes, diag);
    if (!status) status = lpu_weights_load(&w, g, 5, 4, diag);
    lpu_weights_close(&w);
    lpu_gguf_close(&g);
    free(copy);
    return status;
}

static void damage(void)
{
    size_t bytes;
    lpu_diag why;

    CHECK_OK(make_odd(&(oddity){.has_scale = true}, diag));
    uint8_t *data = read_all(&bytes);
    CHECK(bytes > 4096, "%zu bytes", bytes);
    CHECK_OK(load(data, bytes, diag));
    for (size_t n = 0; n + 64 < bytes; n += n < 2048 ? 1 : 97) {
        why.text[0] = 0;
        CHECK(load(data, n, &why) < 0 && *why.text, "%zu bytes of %zu were accepted", n, bytes);
    }
    for (size_t bit = 0; bit < 8 * bytes; bit++) {
        const bool is_header = bit < 8 * 2048;
        if (!is_header && bit % 131) continue;
        why.text[0] = 0;
        data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        CHECK(load(data, bytes, &why) == LPU_OK || *why.text, "bit %zu: no sentence", bit);
        data[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    free(data);
}

int main(void)
{
    lpu_diag why;

    if (tiny_model_init(&model, &why)) {
        printf("not ok  tiny model: %s\n", why.text);
        return 1;
    }
    RUN(every_type);
    RUN(every_embedding);
    RUN(own_head);
    RUN(binary);
    RUN(rotary_table);
    RUN(by_hand);
    RUN(interleaved_heads);
    RUN(odd_files);
    RUN(damage);
    unlink(temporary());
    return test_failures != 0;
}
