/* tests/unit/session_test.c - values of the simulated machine against the CPU's forward pass.
 *
 * sim/ and kernels/ read arithmetic.md apart: every logit of every step is equal, on models of
 * every kind of layer and designs of several shapes, whose chunks, tiles and blocks end in odd
 * places.
 */
#include "kernels/forward.h"
#include "sim/session.h"
#include "sim/simulate.h"
#include "tests/unit/small_model.h"
#include "tests/unit/test.h"
#include "workloads/synth.h"

#include <stdlib.h>
#include <unistd.h>

enum { PROMPT = 11, LONG_PROMPT = 75, DECODED = 9, CONTEXT = 96 };

static lpu_model shape(lpu_activation activation, bool is_gated, bool has_sub_norm)
{
    return small_model(activation, is_gated, has_sub_norm, CONTEXT);
}

/* Sides of 90, 18 and 131: no multiple of any tile. */
static lpu_model odd_shape(void)
{
    lpu_model m = shape(LPU_ACT_RELU2, true, true);
    m.hidden_elems = 90;
    m.head_elems = 18;
    m.heads = 5;
    m.kv_heads = 5;
    m.ffn_elems = 131;
    m.vocab_elems = 67;
    return m;
}

static lpu_design machine(uint32_t rows, uint32_t cols, uint32_t lines, lpu_code code)
{
    lpu_design d = {.name = "test",
                    .title = "test",
                    .source = "made here",
                    .lane = LPU_LANE_ADD,
                    .code = code,
                    .residence = LPU_WEIGHTS_IN_DRAM,
                    .clock_mhz = 1000,
                    .rows = rows,
                    .cols = cols,
                    .lines = lines,
                    .fill_bytes_per_cycle = 64,
                    .passes_max = 64,
                    .vector_lanes = 8,
                    .scratch_kib = 1024,
                    .fifo_kib = 16,
                    .bus_bytes_per_cycle = 64,
                    .outstanding_bursts = 64,
                    .stream_queue = 16,
                    .kv_trits = 5,
                    .head_trits = 5,
                    .wire_um = 1000,
                    .dram_name = "lpddr5x-8533",
                    .price = "7nm-literature"};
    return d;
}

static lpu_status weights_open(lpu_weights **w, const lpu_model *m, uint32_t head_trits,
                               lpu_diag *diag)
{
    char path[64];
    snprintf(path, sizeof(path), "/tmp/session_test.%d.gguf", (int)getpid());
    const lpu_synth s = {.model = m,
                         .type = LPU_QUANT_TQ2_0,
                         .embed_type = LPU_QUANT_F16,
                         .zero_share = m->zero_share,
                         .seed = 3};
    lpu_status status = lpu_synth_write(path, &s, diag);
    if (!status) status = lpu_weights_open(w, path, head_trits, 0, diag);
    unlink(path);
    return status;
}

static void prompt_fill(int32_t *tokens, size_t n, uint32_t vocab)
{
    for (size_t i = 0; i < n; i++) tokens[i] = (int32_t)((i * 7919 + i * i * 13 + 5) % vocab);
}

/* The same model on both sides. */
typedef struct pair {
    lpu_weights *weights;
    lpu_session *session;
    lpu_forward *forward;
} pair;

static void pair_close(pair *p)
{
    lpu_session_close(&p->session);
    lpu_forward_close(&p->forward);
    lpu_weights_close(&p->weights);
}

static lpu_status pair_open(pair *p, const lpu_model *m, const lpu_design *d, lpu_diag *diag)
{
    lpu_design design = *d;
    lpu_status status = lpu_dram_config_load(&design.dram, design.dram_name, diag);

    *p = (pair){NULL, NULL, NULL};
    if (!status) status = lpu_design_check(&design, diag);
    if (!status) status = weights_open(&p->weights, m, d->head_trits, diag);
    if (!status) status = lpu_session_open(&p->session, p->weights, &design, CONTEXT, diag);
    if (!status) {
        status = lpu_forward_open(&p->forward, p->weights, LPU_FORWARD_TERNARY, d->kv_trits,
                                  CONTEXT, 1, diag);
    }
    return status;
}

/* Runs the same tokens on both sides: next tokens and all logits are equal. */
static void step(pair *p, const int32_t *tokens, size_t count, int32_t *next)
{
    int32_t expected = -1;

    CHECK_OK(lpu_session_run(p->session, tokens, count, next, diag));
    CHECK_OK(lpu_forward_run(p->forward, tokens, count, &expected, diag));
    const int32_t *found = lpu_session_logits_x32(p->session);
    const int32_t *wanted = lpu_forward_logits_x32(p->forward);
    for (size_t i = 0; i < p->weights->model.vocab_elems; i++) {
        CHECK(found[i] == wanted[i], "token %d: logit %zu is %d, expected %d", tokens[0], i,
              found[i], wanted[i]);
    }
    CHECK_EQ(*next, expected);
}

/* Prefill in two pieces, the second behind a cache that is in use; then one token at a time. */
static void check_prompt(size_t prompt, lpu_model m, lpu_design d)
{
    int32_t tokens[LONG_PROMPT], next = -1;
    pair p;

    CHECK_OK(pair_open(&p, &m, &d, diag));
    prompt_fill(tokens, prompt, m.vocab_elems);
    step(&p, tokens, prompt - 4, &next);
    if (!test_is_over) step(&p, tokens + prompt - 4, 4, &next);
    for (size_t i = 0; i < DECODED && !test_is_over; i++) {
        const int32_t last = next;
        step(&p, &last, 1, &next);
    }
    if (!test_is_over) {
        CHECK_EQ(lpu_session_account_of(p.session, LPU_PHASE_PREFILL)->tokens, prompt);
        CHECK_EQ(lpu_session_account_of(p.session, LPU_PHASE_DECODE)->tokens, DECODED);
    }
    pair_close(&p);
}

static void check_pair(lpu_model m, lpu_design d)
{
    check_prompt(PROMPT, m, d);
}

static void relu2_with_sub_norms_on_8x10(void)
{
    lpu_design d = machine(8, 10, 1, LPU_CODE_BASE3);
    d.passes_max = 4;
    check_pair(shape(LPU_ACT_RELU2, true, true), d);
}

static void silu_untied_on_16x20(void)
{
    lpu_model m = shape(LPU_ACT_SILU, true, false);
    lpu_design d = machine(16, 20, 2, LPU_CODE_BASE3);
    m.kv_heads = 4;
    m.is_tied = false;
    d.head_trits = 4;
    d.kv_trits = 3;
    d.vector_lanes = 16;
    d.passes_max = 3;
    check_pair(m, d);
}

static void gelu_without_a_gate_on_64x160(void)
{
    lpu_model m = shape(LPU_ACT_GELU, false, false);
    lpu_design d = machine(64, 160, 4, LPU_CODE_BASE3);
    m.kv_heads = 1;
    d.head_trits = 3;
    d.kv_trits = 2;
    d.passes_max = 5;
    check_prompt(LONG_PROMPT, m, d);
}

static void odd_sides_on_8x10(void)
{
    lpu_design d = machine(8, 10, 3, LPU_CODE_BASE3);
    d.kv_trits = 4;
    d.passes_max = 2;
    check_pair(odd_shape(), d);
}

static void odd_sides_in_the_2_bit_code(void)
{
    lpu_model m = odd_shape();
    lpu_design d = machine(16, 12, 2, LPU_CODE_T2);
    m.is_tied = false;
    d.head_trits = 3;
    check_pair(m, d);
}

static void one_head_per_group_in_the_2_bit_code(void)
{
    lpu_design d = machine(64, 160, 4, LPU_CODE_T2);
    d.residence = LPU_WEIGHTS_ON_CHIP;
    d.weight_sram_kib = 256;
    d.link_bytes_per_cycle = 16;
    d.link_latency_cycles = 100;
    d.passes_max = 16;
    check_pair(shape(LPU_ACT_RELU2, true, false), d);
}

static void binary_weights_on_16x20(void)
{
    lpu_model m = shape(LPU_ACT_SILU, true, true);
    m.weights = LPU_WEIGHTS_BINARY;
    m.zero_share = 0;
    check_pair(m, machine(16, 20, 2, LPU_CODE_BASE3));
}

static uint32_t below(uint32_t *seed, uint32_t end)
{
    *seed = *seed * 1664525u + 1013904223u;
    return (*seed >> 9) % end;
}

static lpu_design random_machine(uint32_t *seed)
{
    const lpu_code code = below(seed, 2) ? LPU_CODE_T2 : LPU_CODE_BASE3;
    const uint32_t lanes = 1u << below(seed, 4), rows = lanes * (1 + below(seed, 8)) + lanes * 4;
    const uint32_t cols = (uint32_t)lpu_ternary_per_byte(code) * (2 + below(seed, 11));
    lpu_design d = machine(rows, cols, 1 + below(seed, 4), code);

    d.vector_lanes = lanes;
    d.kv_trits = 2 + below(seed, 4);
    d.head_trits = 3 + below(seed, 3);
    d.stream_queue = 64;
    d.fifo_kib = 1 + below(seed, 16);
    d.fill_bytes_per_cycle = 1 + below(seed, 64);
    d.bus_bytes_per_cycle = 1 + below(seed, 64);
    d.outstanding_bursts = 1 + below(seed, 64);
    d.passes_max = 4 + below(seed, 12);
    return d;
}

static lpu_model random_model(uint32_t *seed)
{
    const lpu_activation activation = (lpu_activation)below(seed, LPU_ACT_GELU + 1);
    const bool is_gated = activation == LPU_ACT_RELU2 || below(seed, 2);
    lpu_model m = shape(activation, is_gated, below(seed, 2));

    m.kv_heads = 1 + below(seed, 3);
    m.heads = m.kv_heads * (1 + below(seed, 4));
    m.head_elems = 2 * (1 + below(seed, 40));
    m.hidden_elems = 10 + below(seed, 200);
    m.ffn_elems = 10 + below(seed, 300);
    m.vocab_elems = 20 + below(seed, 400);
    m.is_tied = below(seed, 2);
    return m;
}

static void random_models_on_random_machines(void)
{
    enum { PAIRS = 24 };

    for (uint32_t seed = 1; seed <= PAIRS && !test_is_over; seed++) {
        uint32_t state = seed * 2654435761u;
        const lpu_design d = random_machine(&state);
        const lpu_model m = random_model(&state);
        check_prompt(5 + below(&state, LONG_PROMPT - 5), m, d);
        if (test_is_over) printf("        in pair %u\n", seed);
    }
}

/* The ids that lpu_simulate assumes, a cache no longer than the pass: the same program. */
static void time_is_that_of_the_simulation(void)
{
    const lpu_model m = shape(LPU_ACT_RELU2, true, true);
    lpu_design d = machine(8, 10, 1, LPU_CODE_BASE3);
    int32_t tokens[PROMPT], next;
    lpu_weights *w;
    lpu_session *s;
    lpu_sim_result *r;

    CHECK_OK(lpu_dram_config_load(&d.dram, d.dram_name, diag));
    CHECK_OK(weights_open(&w, &m, 5, diag));
    CHECK_OK(lpu_session_open(&s, w, &d, PROMPT, diag));
    for (uint32_t i = 0; i < PROMPT; i++) {
        tokens[i] = (int32_t)((i + 1ull) * 2654435761u % m.vocab_elems);
    }
    CHECK_OK(lpu_session_run(s, tokens, PROMPT, &next, diag));
    const lpu_session_account *a = lpu_session_account_of(s, LPU_PHASE_PREFILL);
    const lpu_sim_request request = {
        .model = &w->model, .design = &d, .phase = LPU_PHASE_PREFILL, .tokens = PROMPT, .batch = 1};
    CHECK_OK(lpu_simulate(&r, &request, diag));
    CHECK_EQ(a->cycles, r->cycles);
    for (size_t i = 0; i < LPU_COUNTERS; i++) {
        const uint64_t found = lpu_counter_get(&a->counters, i);
        const uint64_t wanted = lpu_counter_get(&r->counters, i);
        CHECK(found == wanted, "%s is %llu, expected %llu", lpu_counter_row(i)->name,
              (unsigned long long)found, (unsigned long long)wanted);
    }
    lpu_simulate_close(&r);
    lpu_session_close(&s);
    lpu_weights_close(&w);
}

static void what_cannot_be_run_is_refused(void)
{
    const lpu_model m = shape(LPU_ACT_RELU2, true, true);
    lpu_design d = machine(8, 10, 1, LPU_CODE_BASE3);
    int32_t tokens[PROMPT + 1], next = 0;
    lpu_weights *w;
    lpu_session *s;
    lpu_diag why = {""};

    CHECK_OK(lpu_dram_config_load(&d.dram, d.dram_name, diag));
    CHECK_OK(weights_open(&w, &m, 4, diag));
    CHECK_EQ(lpu_session_open(&s, w, &d, CONTEXT, &why), LPU_ERR_RANGE);
    CHECK(strstr(why.text, "head of 5 trits"), "the sentence is \"%s\"", why.text);
    d.head_trits = 4;
    CHECK_EQ(lpu_session_open(&s, w, &d, CONTEXT + 1, &why), LPU_ERR_RANGE);
    CHECK_EQ(lpu_session_open(&s, w, &d, 0, &why), LPU_ERR_RANGE);
    d.lane = LPU_LANE_MAC_I8;
    CHECK_EQ(lpu_session_open(&s, w, &d, CONTEXT, &why), LPU_ERR_RANGE);
    CHECK(strstr(why.text, "MAC lanes"), "the sentence is \"%s\"", why.text);
    d.lane = LPU_LANE_ADD;
    d.code = LPU_CODE_B1;
    CHECK_EQ(lpu_session_open(&s, w, &d, CONTEXT, &why), LPU_ERR_RANGE);
    CHECK(!s, "a refused session is not NULL");
    d.code = LPU_CODE_BASE3;
    CHECK_OK(lpu_session_open(&s, w, &d, PROMPT, diag));
    prompt_fill(tokens, PROMPT + 1, m.vocab_elems);
    CHECK_EQ(lpu_session_run(s, tokens, PROMPT + 1, &next, &why), LPU_ERR_RANGE);
    CHECK_EQ(lpu_session_run(s, tokens, 0, &next, &why), LPU_ERR_RANGE);
    tokens[2] = -1;
    CHECK_EQ(lpu_session_run(s, tokens, 3, &next, &why), LPU_ERR_RANGE);
    CHECK(strstr(why.text, "token -1 at 2"), "the sentence is \"%s\"", why.text);
    tokens[2] = 331;
    CHECK_EQ(lpu_session_run(s, tokens, 3, &next, &why), LPU_ERR_RANGE);
    tokens[2] = 330;
    CHECK_OK(lpu_session_run(s, tokens, PROMPT, &next, diag));
    CHECK_EQ(lpu_session_run(s, tokens, 1, &next, &why), LPU_ERR_RANGE);
    lpu_session_close(&s);
    lpu_session_close(&s);
    lpu_weights_close(&w);
}

int main(void)
{
    RUN(relu2_with_sub_norms_on_8x10);
    RUN(silu_untied_on_16x20);
    RUN(gelu_without_a_gate_on_64x160);
    RUN(odd_sides_on_8x10);
    RUN(odd_sides_in_the_2_bit_code);
    RUN(one_head_per_group_in_the_2_bit_code);
    RUN(binary_weights_on_16x20);
    RUN(random_models_on_random_machines);
    RUN(time_is_that_of_the_simulation);
    RUN(what_cannot_be_run_is_refused);
    return test_failures != 0;
}
