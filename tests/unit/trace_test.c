/* tests/unit/trace_test.c - traces against closed forms of the model's shape, and as files. */
#include "tests/unit/test.h"
#include "workloads/trace.h"
#include "workloads/yaml.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <unistd.h>

typedef struct sums {
    uint64_t linear_macs, kv_macs, state_macs, head_macs;
    uint64_t linear_elems, kv_elems, state_elems, head_elems;
} sums;

static sums sum(const lpu_trace *t)
{
    sums s = {0};
    for (size_t i = 0; i < t->count; i++) {
        const lpu_op *op = &t->ops[i];
        const bool is_state = op->kind == LPU_OP_state_update;
        switch (op->operand) {
        case LPU_OPERAND_NONE: break;
        case LPU_OPERAND_LINEAR:
            s.linear_macs += op->macs;
            s.linear_elems += op->weight_elems;
            break;
        case LPU_OPERAND_KV:
            *(is_state ? &s.state_macs : &s.kv_macs) += op->macs;
            *(is_state ? &s.state_elems : &s.kv_elems) += op->weight_elems;
            break;
        case LPU_OPERAND_HEAD:
            s.head_macs += op->macs;
            s.head_elems += op->weight_elems;
            break;
        }
    }
    return s;
}

/* Weights of the linear layers, written out once more, from the YAML's keys. */
static uint64_t linear_elems(const lpu_model *m)
{
    const uint64_t h = m->hidden_elems, f = m->ffn_elems, d = m->head_elems;
    uint64_t layer = h * m->heads * d + h * m->kv_heads * d + h * m->kv_heads * d;
    layer += (uint64_t)m->heads * d * h + h * f + f * h + (m->is_gated ? h * f : 0);
    return layer * m->layers;
}

static bool sums_are_right(const lpu_model *m, lpu_phase phase, uint64_t tokens, uint64_t context,
                           uint64_t batch)
{
    lpu_trace *t = NULL;
    lpu_diag diag = {""};

    if (lpu_trace_open(&t, m, phase, (uint32_t)tokens, (uint32_t)context, (uint32_t)batch, &diag)) {
        return test_fail(__FILE__, __LINE__, "%s: %s", m->name, diag.text);
    }
    const sums s = sum(t);
    const uint64_t keys = context + tokens;
    const uint64_t states = m->layers - m->kv_layers;
    const uint64_t q = (uint64_t)m->heads * m->head_elems,
                   kv = (uint64_t)m->kv_heads * m->head_elems;
    const struct {
        const char *what;
        uint64_t found, expected;
    } rows[] = {
        {"linear macs", s.linear_macs, linear_elems(m) * tokens * batch},
        {"linear elems", s.linear_elems, linear_elems(m)},
        {"linear elems of the model", lpu_model_linear_elems(m), linear_elems(m)},
        {"kv macs", s.kv_macs, m->kv_layers * 2 * q * tokens * keys * batch},
        {"kv elems", s.kv_elems, m->kv_layers * 2 * kv * keys * batch},
        {"state macs", s.state_macs, states * 3 * q * m->head_elems * tokens * batch},
        {"state elems", s.state_elems, states * q * m->head_elems * batch},
        {"head macs", s.head_macs, (uint64_t)m->vocab_elems * m->hidden_elems * batch},
        {"head elems", s.head_elems,
         (uint64_t)m->vocab_elems * m->hidden_elems + tokens * batch * m->hidden_elems},
    };
    lpu_trace_close(&t);

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].found == rows[i].expected) continue;
        return test_fail(__FILE__, __LINE__, "%s: %s is %llu, expected %llu", m->name, rows[i].what,
                         (unsigned long long)rows[i].found, (unsigned long long)rows[i].expected);
    }
    return true;
}

static bool one_model(const lpu_model *m)
{
    return sums_are_right(m, LPU_PHASE_DECODE, 1, 0, 1) &&
           sums_are_right(m, LPU_PHASE_DECODE, 1, 512, 1) &&
           sums_are_right(m, LPU_PHASE_DECODE, 1, 1023, 8) &&
           sums_are_right(m, LPU_PHASE_PREFILL, 1, 0, 1) &&
           sums_are_right(m, LPU_PHASE_PREFILL, 512, 0, 1) &&
           sums_are_right(m, LPU_PHASE_PREFILL, 37, 5, 3);
}

static void every_shipped_model_adds_up(void)
{
    char **names = NULL;
    size_t count = 0;
    bool is_ok = true;

    CHECK_OK(lpu_yaml_list("workloads/models", &names, &count, diag));
    for (size_t i = 0; i < count; i++) {
        lpu_model m;
        lpu_diag said = {""};
        if (is_ok && lpu_model_load(&m, names[i], &said)) {
            is_ok = test_fail(__FILE__, __LINE__, "%s", said.text);
        }
        if (is_ok) is_ok = one_model(&m);
        free(names[i]);
    }
    free(names);
    if (is_ok) CHECK(count >= 40, "only %zu models ship", count);
}

/* The order of a decode pass of 2B4T, first layer and the ends, as a model's code would run it. */
static const char *const order_of_2b4t[] = {
    "embed",        "attn_norm",     "q_proj",       "k_proj",    "v_proj",  "rope",
    "kv_write",     "q_quant",       "scores",       "softmax",   "values",  "attn_sub_norm",
    "o_proj",       "attn_residual", "ffn_norm",     "gate_proj", "up_proj", "gate_act",
    "ffn_sub_norm", "down_proj",     "ffn_residual", "attn_norm"};

static void operations_come_in_order(void)
{
    lpu_model m;
    lpu_trace *t = NULL;
    CHECK_OK(lpu_model_load(&m, "bitnet-b1.58-2b4t", diag));
    CHECK_OK(lpu_trace_open(&t, &m, LPU_PHASE_DECODE, 1, 512, 1, diag));
    const size_t count = t->count;
    const char *wrong = NULL;
    for (size_t i = 0; i < sizeof(order_of_2b4t) / sizeof(order_of_2b4t[0]); i++) {
        if (strcmp(lpu_op_name(t->ops[i].kind), order_of_2b4t[i])) wrong = order_of_2b4t[i];
    }
    const lpu_op scores = t->ops[8], values = t->ops[10], up = t->ops[16], head = t->ops[count - 2];
    const bool ends = t->ops[count - 3].kind == LPU_OP_final_norm && head.kind == LPU_OP_lm_head &&
                      t->ops[count - 1].kind == LPU_OP_argmax;
    lpu_trace_close(&t);

    CHECK(!wrong, "%s is not in its place", wrong);
    CHECK(ends, "the pass does not end in final_norm, lm_head, argmax");
    CHECK_EQ(count, 30 * 20 + 4);
    CHECK(scores.count == 5 && scores.m == 4 && scores.n == 513 && scores.k == 128, "scores");
    CHECK(values.count == 5 && values.m == 4 && values.n == 128 && values.k == 513, "values");
    CHECK(up.count == 1 && up.m == 1 && up.n == 6912 && up.k == 2560 && up.layer == 0, "up_proj");
    CHECK(fabs(up.zero_weight_share - 0.31) < 1e-9 && fabs(up.toggle_share - 0.5) < 1e-9, "shares");
    CHECK(head.m == 1 && head.n == 128256 && head.k == 2560 && head.layer == -1, "lm_head");
}

static size_t times(const lpu_trace *t, lpu_op_kind kind)
{
    size_t count = 0;
    for (size_t i = 0; i < t->count; i++) count += t->ops[i].kind == kind;
    return count;
}

/* How often name's pass has each of four operations that only some models have. */
static bool has_ops(const char *name, size_t q_quant, size_t attn_sub_norm, size_t gate_proj,
                    size_t state_update)
{
    lpu_model m;
    lpu_trace *t = NULL;
    lpu_diag diag = {""};
    if (lpu_model_load(&m, name, &diag) ||
        lpu_trace_open(&t, &m, LPU_PHASE_PREFILL, 7, 0, 2, &diag)) {
        return test_fail(__FILE__, __LINE__, "%s", diag.text);
    }
    const bool is_right =
        times(t, LPU_OP_q_quant) == q_quant && times(t, LPU_OP_attn_sub_norm) == attn_sub_norm &&
        times(t, LPU_OP_ffn_sub_norm) == attn_sub_norm && times(t, LPU_OP_gate_proj) == gate_proj &&
        times(t, LPU_OP_state_update) == state_update && times(t, LPU_OP_softmax) == m.kv_layers &&
        times(t, LPU_OP_up_proj) == m.layers;
    lpu_trace_close(&t);
    if (!is_right) test_fail(__FILE__, __LINE__, "%s has other operations", name);
    return is_right;
}

static void models_have_the_operations_they_need(void)
{
    if (!has_ops("bitnet-b1.58-7b", 32, 32, 32, 0)) return;
    if (!has_ops("llama-7b", 0, 0, 32, 0)) return;     /* FP16: nothing to quantise */
    if (!has_ops("2b4t-fp16", 0, 30, 30, 0)) return;   /* FP16 with the norms of its twin */
    if (!has_ops("bitnet-6.7b", 32, 32, 0, 0)) return; /* no gate */
    if (!has_ops("bonsai-8b-1bit", 36, 36, 36, 0)) return;
    has_ops("bonsai-27b-1bit", 16, 64, 64, 48);
}

static void every_fourth_layer_of_a_hybrid_keeps_a_cache(void)
{
    lpu_model m;
    lpu_trace *t = NULL;
    size_t wrong = 0;
    CHECK_OK(lpu_model_load(&m, "bonsai-27b-ternary", diag));
    CHECK_OK(lpu_trace_open(&t, &m, LPU_PHASE_DECODE, 1, 10, 3, diag));
    for (size_t i = 0; i < t->count; i++) {
        const lpu_op *op = &t->ops[i];
        if (op->kind == LPU_OP_softmax) wrong += op->layer % 4 != 3;
        if (op->kind == LPU_OP_state_update) {
            wrong += op->layer % 4 == 3 || op->count != 24 * 3 || op->n != 256 || op->m != 3;
        }
    }
    lpu_trace_close(&t);
    CHECK_EQ(wrong, 0);
}

static void sparse_inputs_are_those_of_o_and_down(void)
{
    lpu_model m;
    lpu_trace *t = NULL;
    size_t wrong = 0;
    CHECK_OK(lpu_model_load(&m, "bitnet-a4.8-7b", diag));
    CHECK_OK(lpu_trace_open(&t, &m, LPU_PHASE_DECODE, 1, 10, 1, diag));
    for (size_t i = 0; i < t->count; i++) {
        const lpu_op_kind kind = t->ops[i].kind;
        const double expected = kind == LPU_OP_o_proj || kind == LPU_OP_down_proj ? 0.45 : 0.0;
        wrong += fabs(t->ops[i].zero_input_share - expected) > 1e-12;
    }
    lpu_trace_close(&t);
    CHECK_EQ(wrong, 0);
}

#define REFUSES(phase, tokens, context, batch, word)                                               \
    do {                                                                                           \
        lpu_trace *t = NULL;                                                                       \
        lpu_diag said = {""};                                                                      \
        CHECK_EQ(lpu_trace_open(&t, &m, phase, tokens, context, batch, &said), LPU_ERR_RANGE);     \
        CHECK(!t && strstr(said.text, word), "found: %s, expected %s", said.text, word);           \
    } while (0)

static void passes_that_cannot_be_are_refused(void)
{
    lpu_model m;
    CHECK_OK(lpu_model_load(&m, "bitnet-b1.58-2b4t", diag));
    REFUSES(LPU_PHASE_DECODE, 2, 0, 1, "2 tokens to decode");
    REFUSES(LPU_PHASE_DECODE, 0, 0, 1, "0 tokens to decode");
    REFUSES(LPU_PHASE_PREFILL, 0, 0, 1, "0 tokens");
    REFUSES(LPU_PHASE_PREFILL, 1, 0, 0, "0 sequences");
    REFUSES(LPU_PHASE_DECODE, 1, 4096, 1, "at most the 4096");
    REFUSES(LPU_PHASE_PREFILL, 4097, 0, 1, "at most the 4096");
    REFUSES(LPU_PHASE_PREFILL, UINT32_MAX, UINT32_MAX, 1, "at most the 4096");

    lpu_trace *edge = NULL;
    CHECK_OK(lpu_trace_open(&edge, &m, LPU_PHASE_DECODE, 1, 4095, 1, diag));
    lpu_trace_close(&edge);
    lpu_trace_close(&edge); /* NULL is welcome */

    m.context_tokens = 1u << 20;
    m.vocab_elems = 1u << 20;
    m.hidden_elems = 1u << 20;
    REFUSES(LPU_PHASE_PREFILL, 1u << 20, 0, UINT32_MAX, "64 bits");
    m.layers = 0;
    REFUSES(LPU_PHASE_DECODE, 1, 0, 1, "layers is 0");
}

/* A small model whose file is short enough to be cut at every byte. */
static lpu_model small(void)
{
    return (lpu_model){.name = "small",
                       .title = "Small \"quoted\"",
                       .family = "F",
                       .source = "S",
                       .is_gated = true,
                       .hidden_elems = 64,
                       .ffn_elems = 160,
                       .vocab_elems = 320,
                       .layers = 2,
                       .heads = 4,
                       .kv_heads = 2,
                       .head_elems = 16,
                       .kv_layers = 1,
                       .context_tokens = 128,
                       .activation_bits = 4,
                       .native_kv_bits = 3,
                       .rope_theta = 1e4,
                       .norm_eps = 1e-5,
                       .zero_share = 1.0 / 3.0,
                       .active_share = 0.7};
}

/* Saves a trace of the small model and reads the file's text back; the caller frees both. */
static bool saved(lpu_trace **t, char **text, size_t *bytes)
{
    const lpu_model m = small();
    char path[] = "/tmp/lpu-trace-XXXXXX";
    const int fd = mkstemp(path);
    lpu_diag diag = {""};

    *text = calloc(1, 1 << 16);
    if (fd < 0 || !*text) return test_fail(__FILE__, __LINE__, "mkstemp: %s", strerror(errno));
    close(fd);
    if (lpu_trace_open(t, &m, LPU_PHASE_PREFILL, 9, 3, 2, &diag) ||
        lpu_trace_save(*t, path, &diag)) {
        remove(path);
        return test_fail(__FILE__, __LINE__, "%s", diag.text);
    }
    FILE *file = fopen(path, "r");
    *bytes = file ? fread(*text, 1, 1 << 16, file) : 0;
    if (file) fclose(file);
    remove(path);
    return *bytes > 0;
}

static bool is_same_real(double a, double b)
{
    return !(a < b) && !(a > b);
}

static bool is_same(const lpu_trace *a, const lpu_trace *b)
{
    bool same = a->count == b->count && a->phase == b->phase && a->tokens == b->tokens &&
                a->context == b->context && a->batch == b->batch &&
                !strcmp(a->model.title, b->model.title) &&
                a->model.kv_layers == b->model.kv_layers &&
                is_same_real(a->model.zero_share, b->model.zero_share);
    for (size_t i = 0; same && i < a->count; i++) {
        const lpu_op *p = &a->ops[i], *q = &b->ops[i];
        same = p->kind == q->kind && p->layer == q->layer && p->operand == q->operand &&
               p->count == q->count && p->m == q->m && p->n == q->n && p->k == q->k &&
               p->macs == q->macs && p->weight_elems == q->weight_elems &&
               is_same_real(p->zero_weight_share, q->zero_weight_share) &&
               is_same_real(p->zero_input_share, q->zero_input_share) &&
               is_same_real(p->toggle_share, q->toggle_share);
    }
    return same;
}

static void a_saved_trace_reads_back(void)
{
    lpu_trace *t = NULL, *again = NULL;
    char *text = NULL;
    size_t bytes = 0;
    lpu_diag said = {""};

    if (!saved(&t, &text, &bytes)) return;
    const lpu_status status = lpu_trace_parse(&again, "t.tsv", text, bytes, &said);
    const bool is_back = !status && is_same(t, again);
    lpu_trace_close(&t);
    lpu_trace_close(&again);
    free(text);
    CHECK(!status, "%s", said.text);
    CHECK(is_back, "read again, it is another trace");
}

static void a_trace_cut_at_any_byte_is_refused(void)
{
    lpu_trace *t = NULL, *again = NULL;
    char *text = NULL;
    size_t bytes = 0, taken = 0;

    if (!saved(&t, &text, &bytes)) return;
    for (size_t cut = 0; cut < bytes && !taken; cut++) {
        char *copy = malloc(cut + 1); /* exact: a sanitizer sees a read too far */
        memcpy(copy, text, cut);
        lpu_diag said = {""};
        if (lpu_trace_parse(&again, "t.tsv", copy, cut, &said) != LPU_ERR_FORMAT || again ||
            strncmp(said.text, "t.tsv:", 6)) {
            taken = cut + 1;
        }
        free(copy);
    }
    lpu_trace_close(&t);
    free(text);
    CHECK(!taken, "cut after %zu bytes, it was taken or not named by line", taken - 1);
}

/* Replaces the first `from` of the saved text by `to`, and tells what is said of it. */
static bool says(const char *from, const char *to, const char *word)
{
    lpu_trace *t = NULL, *again = NULL;
    char *text = NULL;
    size_t bytes = 0;
    lpu_diag said = {""};

    if (!saved(&t, &text, &bytes)) return false;
    lpu_trace_close(&t);
    char *at = strstr(text, from);
    if (!at) {
        free(text);
        return test_fail(__FILE__, __LINE__, "the file has no %s", from);
    }
    memmove(at + strlen(to), at + strlen(from), strlen(at + strlen(from)) + 1);
    memcpy(at, to, strlen(to));
    const lpu_status status = lpu_trace_parse(&again, "t.tsv", text, strlen(text), &said);
    lpu_trace_close(&again);
    free(text);
    if (status == LPU_ERR_FORMAT && strstr(said.text, word)) return true;
    return test_fail(__FILE__, __LINE__, "%s for %s: status %d, found: %s, expected %s", to, from,
                     (int)status, said.text, word);
}

static void every_number_of_a_file_is_checked(void)
{
    static const char *const rows[][3] = {
        {"# lpu trace 1", "# lpu trace 2", "t.tsv:1: found \"# lpu trace 2\""},
        {"# phase\tprefill", "# phase\tnone", "t.tsv:2: found \"none\" for phase"},
        {"# phase\tprefill", "# phase\tdecode", "9 tokens to decode"},
        {"# tokens\t9", "# tokens\t0", "t.tsv:3: found \"0\" for tokens, expected 1"},
        {"# tokens\t9", "# tokens\t127", "130 tokens, expected at most the 128"},
        {"# tokens\t9", "# tokens\t09", "\"09\" for tokens"},
        {"# tokens\t9", "# tokens\t9 ", "\"9 \" for tokens"},
        {"# tokens\t9", "# tokens\t4294967296", "expected 1 to 4294967295"},
        {"# tokens\t9", "# tokens\t99999999999999999999", "for tokens"},
        {"# tokens\t9", "# token\t9", "expected \"# tokens\""},
        {"# batch\t2", "# batch\t-1", "\"-1\" for batch"},
        {"#| layers: 2", "#| layers: 2000", "layers is 2000"},
        {"#| layers: 2", "#| layrs: 2", "found key \"layrs\""},
        {"#| layers: 2\n", "", "found no key layers"},
        {"# ops\t", "# ops\t0", "\"039\" for ops"},
        {"# ops\t39", "# ops\t40", "found the end"},
        {"# ops\t39", "# ops\t38", "more than the 38 operations"},
        {"# ops\t39", "# ops\t1000000", "found the end before operation 1000000"},
        {"kind\tlayer", "layer\tkind", "found columns"},
        {"\nq_proj\t0", "\nq_prj\t0", "found operation \"q_prj\""},
        {"\nq_proj\t0", "\nq_proj\t2", "\"2\" for layer, expected -1 to 1"},
        {"\nq_proj\t0", "\nq_proj\t-2", "\"-2\" for layer"},
        {"\nq_proj\t0", "\nq_proj\t-0", "\"-0\" for layer"},
        {"q_proj\t0\tlinear", "q_proj\t0\tround", "\"round\" for operand"},
        {"q_proj\t0\tlinear", "q_proj\t0\tnone", "found operand none of q_proj"},
        {"rope\t1\tnone", "rope\t1\tkv", "found operand kv of rope"},
        {"q_proj\t0\tlinear\t1\t18", "q_proj\t0\tlinear\t1\t0", "\"0\" for m, expected 1"},
        {"q_proj\t0\tlinear\t1\t18", "q_proj\t0\tlinear\t1\t19", "found 73728 macs, expected"},
        {"\t64\t64\t73728\t4096\t", "\t64\t64\t73728\t4097\t", "found 4097 weight_elems"},
        {"\t64\t64\t73728\t4096\t", "\t64\t4294967296000000000\t73728\t4096\t", "64 bits"},
        {"\t18\t64\t1\t0\t0", "\t18\t64\t2\t0\t0", "found k 2"},
        {"\t0.3333333333333333", "\t1.5", "\"1.5\" for zero_weight_share, expected 0 to 1"},
        {"\t0.3333333333333333", "\tnan", "\"nan\""},
        {"\t0.3333333333333333", "\t-0.1", "\"-0.1\""},
        {"\t0.5\n", "\t\n", "\"\" for toggle_share"},
        {"\t0.5\n", "\t0.5x\n", "\"0.5x\" for toggle_share"},
        {"\t0.5\n", "\n", "found 11 cells, expected 12"},
        {"\t0.5\n", "\t0.5\t\n", "found 13 cells, expected 12"},
        {"\t0.5\n", "\t0.5\r\n", "\"0.5?\" for toggle_share"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (!says(rows[i][0], rows[i][1], rows[i][2])) return;
    }
}

static void files_that_are_none_are_refused(void)
{
    lpu_trace *t = NULL;
    lpu_diag said = {""};
    lpu_model m = small();

    CHECK_EQ(lpu_trace_load(&t, "/tmp/no-such-trace.tsv", &said), LPU_ERR_IO);
    CHECK_EQ(lpu_trace_load(&t, "/tmp", &said), LPU_ERR_IO);
    CHECK(strstr(said.text, "/tmp: "), "found: %s", said.text);
    CHECK_EQ(lpu_trace_load(&t, "/dev/zero", &said), LPU_ERR_FORMAT); /* ends, and says so */
    CHECK_OK(lpu_trace_open(&t, &m, LPU_PHASE_DECODE, 1, 0, 1, diag));
    const lpu_status status = lpu_trace_save(t, "/no/such/folder/t.tsv", &said);
    lpu_trace_close(&t);
    CHECK_EQ(status, LPU_ERR_IO);
}

int main(void)
{
    RUN(every_shipped_model_adds_up);
    RUN(operations_come_in_order);
    RUN(models_have_the_operations_they_need);
    RUN(every_fourth_layer_of_a_hybrid_keeps_a_cache);
    RUN(sparse_inputs_are_those_of_o_and_down);
    RUN(passes_that_cannot_be_are_refused);
    RUN(a_saved_trace_reads_back);
    RUN(a_trace_cut_at_any_byte_is_refused);
    RUN(every_number_of_a_file_is_checked);
    RUN(files_that_are_none_are_refused);
    return test_failures != 0;
}
