/* tests/unit/simulate_test.c - what a simulated pass moves, adds and takes, against closed forms.
 *
 * The oracle (sim_oracle.h) knows shapes and digits alone. Every shipped model runs on every kind
 * of lane that takes it; every shipped design runs with its own memory.
 */
#include "sim/port.h"
#include "sim/simulate.h"
#include "tests/unit/test.h"
#include "tests/unit/tiny_model.h"
#include "workloads/yaml.h"

#include "tests/unit/sim_odd.h"
#include "tests/unit/sim_oracle.h"

#include <math.h>
#include <stdlib.h>

typedef struct names {
    char **list;
    size_t count;
} names;

static void names_free(names *n)
{
    for (size_t i = 0; i < n->count; i++) free(n->list[i]);
    free(n->list);
}

/* The counters of all ops of one kind. */
static lpu_counters sum_of(const lpu_sim_result *r, lpu_op_kind kind)
{
    lpu_counters sum = {0};
    for (size_t i = 0; i < r->trace->count; i++) {
        if (r->trace->ops[i].kind == kind) lpu_counters_add(&sum, &r->ops[i].counters, 1);
    }
    return sum;
}

/* ---- what holds for every run ---- */

/* The cycles of the array by cause, all ops, and the run are one number. */
static void check_sums(const lpu_sim_result *r)
{
    const lpu_counters *c = &r->counters;
    lpu_counters sum = {0};
    uint64_t cycles = 0, begin = 0;

    for (size_t i = 0; i < r->trace->count; i++) {
        lpu_counters_add(&sum, &r->ops[i].counters, 1);
        cycles += r->ops[i].cycles;
        CHECK(r->ops[i].begin_cycles >= begin || r->trace->ops[i].layer >= 0 || i,
              "op %zu begins at %llu", i, (unsigned long long)r->ops[i].begin_cycles);
        CHECK(r->ops[i].begin_cycles <= r->cycles, "op %zu begins after the end", i);
        begin = r->ops[i].begin_cycles;
    }
    for (size_t i = 0; i < LPU_COUNTERS; i++) {
        CHECK(lpu_counter_get(&sum, i) == lpu_counter_get(c, i), "%s: ops have %llu, the run %llu",
              lpu_counter_row(i)->name, (unsigned long long)lpu_counter_get(&sum, i),
              (unsigned long long)lpu_counter_get(c, i));
    }
    CHECK_EQ(cycles, r->cycles);
    CHECK_EQ(c->run_cycles, r->cycles);
    CHECK_EQ(c->array_pass_cycles + c->stall_memory_cycles + c->stall_fill_cycles +
                 c->stall_accum_cycles + c->stall_vector_cycles + c->stall_sync_cycles +
                 c->stall_issue_cycles,
             r->cycles);
    CHECK(c->vector_busy_cycles <= r->cycles, "the vector unit is busy for longer than the run");
    CHECK_EQ(c->fifo_read_bytes, c->fifo_write_bytes);
    CHECK(r->stepped_cycles <= r->cycles, "stepped %llu of %llu cycles",
          (unsigned long long)r->stepped_cycles, (unsigned long long)r->cycles);
}

/* No run is faster than its memory, its bus or its array, and none takes all of them in turn and
 * half as long again. */
static void check_bounds(const lpu_sim_result *r, const lpu_design *d)
{
    const lpu_counters *c = &r->counters;
    const double clock_hz = 1e6 * d->clock_mhz;
    const double dram_cycles = (double)(c->dram_read_bytes + c->dram_write_bytes) /
                               lpu_dram_peak_bytes_per_s(&d->dram) * clock_hz;
    const double cycles = (double)r->cycles;
    const bool is_resident = d->residence == LPU_WEIGHTS_ON_CHIP;
    const double bus_cycles =
        (double)(is_resident ? c->fifo_read_bytes : c->dram_read_bytes) / d->bus_bytes_per_cycle;
    /* With few reads in flight, each waits for the one before: at most 200 ns. */
    const double bursts = (double)(c->dram_read_bytes + c->dram_write_bytes) / d->dram.burst_bytes;
    const double latency_cycles = bursts * 200e-9 * clock_hz / d->outstanding_bursts;
    const double fill_cycles = (double)c->fifo_read_bytes / d->fill_bytes_per_cycle;
    const double most = dram_cycles + latency_cycles + 2 * bus_cycles + 2 * fill_cycles +
                        (double)c->array_pass_cycles + (double)c->vector_busy_cycles +
                        (double)c->accum_read_bytes / 4 / d->vector_lanes;

    CHECK(cycles >= dram_cycles, "%.0f cycles, the memory alone takes %.0f", cycles, dram_cycles);
    CHECK(cycles >= bus_cycles, "%.0f cycles, the bus alone takes %.0f", cycles, bus_cycles);
    CHECK(cycles >= fill_cycles, "%.0f cycles, filling alone takes %.0f", cycles, fill_cycles);
    CHECK(cycles <= 1.5 * most + 300.0 * (double)c->instructions,
          "%.0f cycles, expected at most those of %.0f one after another", cycles, most);
    /* Powered throughout: to the nanosecond of each segment. */
    const double ns = 1e9 * r->seconds, slack_ns = 2.0 * (double)c->instructions;
    const double lanes = (double)d->rows * d->cols * r->chips;
    CHECK((double)c->lane_ns >= (ns - slack_ns) * lanes && (double)c->lane_ns <= ns * lanes + 1,
          "lanes are powered for %.0f ns of %.0f", (double)c->lane_ns / lanes, ns);
    if (is_resident) return;
    const double channels = d->dram.channels, refi_ns = 1e-3 * d->dram.t_refi_ps;
    CHECK((double)c->dram_channel_ns >= (ns - slack_ns) * channels &&
              (double)c->dram_channel_ns <= ns * channels + 1,
          "channels are powered for %.0f ns of %.0f", (double)c->dram_channel_ns / channels, ns);
    const double refreshes = (double)c->dram_refreshes, times = ns / refi_ns;
    CHECK(refreshes >= 0.9 * channels * (times - 1) &&
              refreshes <= channels * (times + (double)c->instructions),
          "%.0f refreshes in %.0f ns", refreshes, ns);
    CHECK((double)c->dram_activates * d->dram.row_bytes >= (double)c->dram_read_bytes &&
              (double)c->dram_activates <= 2 * bursts,
          "%llu rows opened for %llu bytes", (unsigned long long)c->dram_activates,
          (unsigned long long)c->dram_read_bytes);
}

static uint64_t lanes_of(const lpu_counters *c)
{
    return c->lane_adds + c->lane_skips + c->mul_f16_ops + c->mul_i8_ops + c->mul_i4_ops;
}

/* Bytes and additions of every kind of op, and the vectors of the whole run. */
static void check_work(const lpu_sim_result *r, const sim_oracle *o)
{
    const bool is_resident = o->d->residence == LPU_WEIGHTS_ON_CHIP;
    const uint64_t burst = o->d->dram.burst_bytes;

    for (int k = 0; k < LPU_OP_KINDS; k++) {
        const lpu_counters c = sum_of(r, (lpu_op_kind)k);
        const char *name = lpu_op_name((lpu_op_kind)k);
        CHECK(c.fifo_write_bytes == o->stream_bytes[k], "%s streams %llu bytes, expected %llu",
              name, (unsigned long long)c.fifo_write_bytes, (unsigned long long)o->stream_bytes[k]);
        CHECK(lanes_of(&c) == o->lanes[k], "%s has %llu lane operations, expected %llu", name,
              (unsigned long long)lanes_of(&c), (unsigned long long)o->lanes[k]);
        CHECK(c.accum_adds == o->accum_adds[k], "%s has %llu accumulations, expected %llu", name,
              (unsigned long long)c.accum_adds, (unsigned long long)o->accum_adds[k]);
        CHECK(c.horner_adds == o->horner_adds[k], "%s has %llu Horner steps, expected %llu", name,
              (unsigned long long)c.horner_adds, (unsigned long long)o->horner_adds[k]);
        CHECK(is_resident ? c.dram_read_bytes == 0
                          : c.dram_read_bytes >= o->stream_bytes[k] + o->load_bytes[k] &&
                                c.dram_read_bytes % burst == 0,
              "%s reads %llu bytes of DRAM for %llu", name, (unsigned long long)c.dram_read_bytes,
              (unsigned long long)(o->stream_bytes[k] + o->load_bytes[k]));
    }
    CHECK_EQ(r->counters.array_pass_cycles, o->passes);
    CHECK_EQ(r->counters.lane_clock_cycles, o->passes * o->d->rows * o->d->cols);
}

/* Linear matrices begin at multiples of 64 bytes: they are read in whole bursts and nothing else,
 * but for the beginning and the end of the first and the last burst. */
static void check_linear_bursts(const lpu_sim_result *r, const sim_oracle *o, uint64_t chunks)
{
    enum { ALIGN = 64 };
    const lpu_model *m = o->m;
    const uint64_t burst = lpu_port_burst_bytes(&o->d->dram, o->d->bus_bytes_per_cycle);
    const uint64_t h = m->hidden_elems, matrices = m->layers * chunks;
    const uint64_t bytes = m->ffn_elems * o->linear.planes * sim_row_bytes(&o->linear, h);
    const uint64_t slack = burst > ALIGN ? burst - ALIGN : 0;
    const lpu_counters c = sum_of(r, LPU_OP_up_proj);

    if (o->d->residence == LPU_WEIGHTS_ON_CHIP) return;
    CHECK(c.dram_read_bytes >= matrices * sim_up(bytes, burst) * burst &&
              c.dram_read_bytes <= matrices * sim_up(bytes + slack, burst) * burst,
          "%llu matrices of %llu bytes are read as %llu", (unsigned long long)matrices,
          (unsigned long long)bytes, (unsigned long long)c.dram_read_bytes);
}

/* What is written to the scratchpad beside the vector unit's own results. */
static void check_loads(const lpu_sim_result *r, const sim_oracle *o, uint64_t out_rows)
{
    const lpu_model *m = o->m;
    const uint64_t rows = r->tokens, h = m->hidden_elems;
    const uint64_t q = (uint64_t)m->heads * m->head_elems;
    const uint64_t kv = (uint64_t)m->kv_heads * m->head_elems;
    const bool has_quant = m->weights != LPU_WEIGHTS_FP16; /* else rope has it */
    const struct {
        lpu_op_kind op;
        uint64_t results; /* bytes, as sim/vector.def has them */
    } rows_of[] = {
        {LPU_OP_embed, 4 * rows * h},
        {LPU_OP_attn_norm, m->layers * rows * h},
        {LPU_OP_ffn_norm, m->layers * rows * h},
        {LPU_OP_final_norm, out_rows * h},
        {LPU_OP_argmax, 0},
        {LPU_OP_rope, m->kv_layers * rows * (4 * (q + kv) + (has_quant ? 0 : q))},
    };
    for (size_t i = 0; i < sizeof(rows_of) / sizeof(rows_of[0]); i++) {
        const lpu_op_kind op = rows_of[i].op;
        const lpu_counters c = sum_of(r, op);
        CHECK(c.vector_write_bytes == rows_of[i].results + o->load_bytes[op],
              "%s writes %llu bytes, expected %llu and %llu loaded", lpu_op_name(op),
              (unsigned long long)c.vector_write_bytes, (unsigned long long)rows_of[i].results,
              (unsigned long long)o->load_bytes[op]);
    }
    /* kvpack reads an element for its maximum and for each digit; the writer what it stores. */
    const lpu_counters c = sum_of(r, LPU_OP_kv_write);
    CHECK_EQ(c.vector_read_bytes,
             o->store_bytes + m->kv_layers * rows * 2 * kv * 4 * (1 + o->kv.planes));
    if (o->d->residence == LPU_WEIGHTS_IN_DRAM) {
        CHECK(c.dram_write_bytes >= o->store_bytes, "the cache takes %llu bytes, %llu written",
              (unsigned long long)o->store_bytes, (unsigned long long)c.dram_write_bytes);
    }
}

static uint64_t linear_bytes(const sim_oracle *o)
{
    return o->stream_bytes[LPU_OP_q_proj] + o->stream_bytes[LPU_OP_up_proj];
}

/* The chunks of a decode pass are read off the run: a whole number, and enough of them. */
static uint64_t chunks_of(const lpu_sim_result *r, const lpu_design *d)
{
    const lpu_model *m = &r->trace->model;
    sim_oracle one;

    sim_oracle_init(&one, m, d);
    sim_decode(&one, 0, 1, 1);
    const uint64_t found =
        sum_of(r, LPU_OP_q_proj).fifo_write_bytes + sum_of(r, LPU_OP_up_proj).fifo_write_bytes;
    return found % linear_bytes(&one) ? 0 : found / linear_bytes(&one);
}

static void check_decode(const lpu_model *m, const lpu_design *d, uint32_t context, uint32_t batch)
{
    lpu_sim_result *r = NULL;
    const lpu_sim_request q = {.model = m,
                               .design = d,
                               .phase = LPU_PHASE_DECODE,
                               .tokens = 1,
                               .context = context,
                               .batch = batch};
    sim_oracle o;

    CHECK_OK(lpu_simulate(&r, &q, diag));
    const uint64_t chunks = chunks_of(r, d);
    sim_oracle_init(&o, m, d);
    sim_decode(&o, context, batch, chunks);
    if (!chunks || chunks * d->passes_max < batch || (batch == 1 && chunks != 1)) {
        test_fail(__FILE__, __LINE__, "%llu chunks for %u rows", (unsigned long long)chunks, batch);
    }
    if (!test_is_over) check_sums(r);
    if (!test_is_over) check_bounds(r, d);
    if (!test_is_over) check_work(r, &o);
    if (!test_is_over) check_linear_bursts(r, &o, chunks);
    if (!test_is_over) check_loads(r, &o, batch);
    if (test_is_over) printf("        in %s on %s, context %u\n", m->name, d->name, context);
    lpu_simulate_close(&r);
}

/* ---- shipped models and designs ---- */

/* Memory and ports that keep no lane waiting: a run is then short to simulate. */
static void put_on_chip(lpu_design *d)
{
    d->residence = LPU_WEIGHTS_ON_CHIP;
    d->weight_sram_kib = 1 << 20;
    d->link_bytes_per_cycle = 64;
    d->bus_bytes_per_cycle = d->fill_bytes_per_cycle = 1 << 16;
    d->lines = d->rows;
    d->fifo_kib = 1 << 14;
}

static void check_refused(const lpu_model *m, const lpu_design *d)
{
    lpu_sim_result *r = NULL;
    lpu_diag diag = {""};
    const lpu_sim_request q = {
        .model = m, .design = d, .phase = LPU_PHASE_DECODE, .tokens = 1, .batch = 1};

    CHECK_EQ(lpu_simulate(&r, &q, &diag), LPU_ERR_RANGE);
    CHECK(!r && strstr(diag.text, m->name) && strstr(diag.text, "no multiplier"), "%s", diag.text);
}

static void check_every_model(const char *design_name)
{
    lpu_design d;
    names models = {0};

    CHECK_OK(lpu_design_load(&d, design_name, diag));
    CHECK_OK(lpu_yaml_list("workloads/models", &models.list, &models.count, diag));
    put_on_chip(&d);
    for (size_t i = 0; i < models.count && !test_is_over; i++) {
        lpu_model m;
        CHECK_OK(lpu_model_load(&m, models.list[i], diag));
        if (m.weights == LPU_WEIGHTS_FP16 && d.lane == LPU_LANE_ADD) check_refused(&m, &d);
        else check_decode(&m, &d, 64, 1);
    }
    CHECK(models.count >= 50, "%zu models", models.count);
    names_free(&models);
}

static void every_model_on_ternary_lanes(void)
{
    check_every_model("ternary-resident");
}

static void every_model_on_binary_lanes(void)
{
    check_every_model("binary-edge");
}

static void every_model_on_int4_lanes(void)
{
    check_every_model("int4-mac");
}

static void every_model_on_int8_lanes(void)
{
    check_every_model("int8-mac");
}

static void every_model_on_fp16_lanes(void)
{
    check_every_model("fp16-mac");
}

/* Widths, heads and precision as shipped; fewer layers and words, so that it takes no minute. */
static void shrink(lpu_model *m)
{
    const uint32_t each = m->layers / m->kv_layers;
    m->layers = 2 * each;
    m->kv_layers = 2;
    m->vocab_elems = 1000;
}

static void every_design_with_its_memory(void)
{
    static const char *const models[] = {"bitnet-125m", "bitnet-b1.58-700m", "bonsai-1.7b-ternary",
                                         "llama-700m"};
    names designs = {0};

    CHECK_OK(lpu_yaml_list("sim/designs", &designs.list, &designs.count, diag));
    for (size_t i = 0; i < designs.count; i++) {
        lpu_design d;
        CHECK_OK(lpu_design_load(&d, designs.list[i], diag));
        for (size_t j = 0; j < sizeof(models) / sizeof(models[0]) && !test_is_over; j++) {
            lpu_model m;
            CHECK_OK(lpu_model_load(&m, models[j], diag));
            shrink(&m);
            if (m.weights == LPU_WEIGHTS_FP16 && d.lane == LPU_LANE_ADD) check_refused(&m, &d);
            else check_decode(&m, &d, 64, j == 0 ? 70 : 1);
        }
    }
    CHECK(designs.count >= 8, "%zu designs", designs.count);
    names_free(&designs);
}

/* Every fourth layer keeps a cache, the others a state. */
static void linear_attention(void)
{
    lpu_model m;
    lpu_design d;

    CHECK_OK(lpu_model_load(&m, "bonsai-27b-ternary", diag));
    shrink(&m);
    m.ffn_elems = 1024;
    CHECK_OK(lpu_design_load(&d, "ternary-edge", diag));
    check_decode(&m, &d, 64, 3);
}

/* ---- 2B4T against the memory ---- */

static void is_bound_by_memory(void)
{
    lpu_model m;
    lpu_design d;
    lpu_sim_result *r;
    const lpu_sim_request q = {.model = &m,
                               .design = &d,
                               .phase = LPU_PHASE_DECODE,
                               .tokens = 1,
                               .context = 512,
                               .batch = 1};
    sim_oracle o;

    CHECK_OK(lpu_model_load(&m, "bitnet-b1.58-2b4t", diag));
    CHECK_OK(lpu_design_load(&d, "ternary-edge", diag));
    CHECK_OK(lpu_simulate(&r, &q, diag));
    sim_oracle_init(&o, &m, &d);
    sim_decode(&o, 512, 1, 1);
    uint64_t bytes = o.store_bytes;
    for (int k = 0; k < LPU_OP_KINDS; k++) bytes += o.stream_bytes[k] + o.load_bytes[k];
    const double bound_s = (double)bytes / lpu_dram_peak_bytes_per_s(&d.dram);
    CHECK(r->seconds >= bound_s, "%.6f s, %.6f s at peak bandwidth", r->seconds, bound_s);
    CHECK(r->seconds <= 1.12 * bound_s, "%.6f s, %.6f s at peak bandwidth", r->seconds, bound_s);
    check_sums(r);
    lpu_simulate_close(&r);
}

/* ---- prefill ---- */

static void check_prefill(const lpu_model *m, const lpu_design *d, uint32_t tokens,
                          uint32_t context, uint32_t batch)
{
    lpu_sim_result *r = NULL;
    const lpu_sim_request q = {.model = m,
                               .design = d,
                               .phase = LPU_PHASE_PREFILL,
                               .tokens = tokens,
                               .context = context,
                               .batch = batch};
    sim_oracle o;

    CHECK_OK(lpu_simulate(&r, &q, diag));
    sim_oracle_init(&o, m, d);
    sim_prefill(&o, tokens, context, batch);
    CHECK_EQ(r->tokens, (uint64_t)tokens * batch);
    check_sums(r);
    if (!test_is_over) check_bounds(r, d);
    if (!test_is_over) check_work(r, &o);
    if (!test_is_over) check_loads(r, &o, batch);
    if (test_is_over) printf("        in %u tokens on %s, context %u\n", tokens, d->name, context);
    lpu_simulate_close(&r);
}

static void prompts_in_chunks(void)
{
    static const char *const designs[] = {"ternary-edge", "binary-edge", "int4-mac",
                                          "ternary-resident"};
    lpu_model m;

    CHECK_OK(lpu_model_load(&m, "bitnet-b1.58-2b4t", diag));
    shrink(&m);
    for (size_t i = 0; i < sizeof(designs) / sizeof(designs[0]) && !test_is_over; i++) {
        lpu_design d;
        CHECK_OK(lpu_design_load(&d, designs[i], diag));
        d.scratch_kib = 1 << 18; /* chunks are then of passes_max tokens */
        check_prefill(&m, &d, 64, 0, 1);
        if (!test_is_over) check_prefill(&m, &d, 65, 7, 2);
        if (!test_is_over) check_prefill(&m, &d, 150, 0, 1);
    }
}

/* The weights are read once per chunk; a scratchpad too small for passes_max makes more chunks. */
static void chunks_of_a_small_scratchpad(void)
{
    lpu_model m;
    lpu_design d;
    uint64_t chunks_before = 0;

    CHECK_OK(lpu_model_load(&m, "bitnet-b1.58-2b4t", diag));
    shrink(&m);
    CHECK_OK(lpu_design_load(&d, "ternary-resident", diag));
    for (uint32_t kib = 1 << 14; kib >= 1 << 10; kib /= 2) {
        lpu_sim_result *r;
        const lpu_sim_request q = {
            .model = &m, .design = &d, .phase = LPU_PHASE_PREFILL, .tokens = 128, .batch = 1};
        d.scratch_kib = kib;
        CHECK_OK(lpu_simulate(&r, &q, diag));
        const uint64_t chunks = chunks_of(r, &d);
        /* X and FFN alone take 4 (hidden + 2 ffn) bytes a token. */
        const uint64_t most = kib * 1024ull / (4 * (m.hidden_elems + 2 * m.ffn_elems));
        CHECK(chunks && chunks >= chunks_before && chunks * most >= 128 && chunks * 64 >= 128,
              "%u KiB: %llu chunks, before %llu", kib, (unsigned long long)chunks,
              (unsigned long long)chunks_before);
        chunks_before = chunks;
        lpu_simulate_close(&r);
    }
    CHECK(chunks_before > 2, "no more than %llu chunks in a MiB",
          (unsigned long long)chunks_before);
}

/* ---- odd shapes ---- */

static void odd_shapes(void)
{
    uint32_t seed = 20260705;

    for (int i = 0; i < 60 && !test_is_over; i++) {
        lpu_model m;
        lpu_design d;
        CHECK_OK(tiny_model_init(&m, diag));
        CHECK_OK(lpu_design_load(&d, i % 2 ? "ternary-resident" : "ternary-edge", diag));
        if (i % 2 == 0) d.weight_sram_kib = 1 << 16, d.link_bytes_per_cycle = 1;
        odd_model(&m, &seed);
        odd_design(&d, &seed);
        CHECK_OK(lpu_design_check(&d, diag));
        const uint32_t context = odd_below(&seed, 200), batch = 1 + odd_below(&seed, 5);
        check_decode(&m, &d, context, batch);
        if (!test_is_over) {
            check_prefill(&m, &d, 1 + odd_below(&seed, 100), context, 1 + batch / 3);
        }
        if (test_is_over) printf("        case %d\n", i);
    }
}

/* ---- recorded passes ---- */

/* Layer by layer other shares: digits and bits are split by them, and nothing else moves. */
static void shares_of_a_recorded_pass(void)
{
    lpu_model m;
    lpu_design d;
    lpu_trace *t = NULL;
    lpu_sim_result *plain = NULL, *recorded = NULL;
    lpu_diag why = {""};

    CHECK_OK(lpu_model_load(&m, "bitnet-b1.58-700m", diag));
    CHECK_OK(lpu_design_load(&d, "ternary-edge", diag));
    m.layers = m.kv_layers = 3;
    CHECK_OK(lpu_trace_open(&t, &m, LPU_PHASE_DECODE, 1, 40, 1, diag));
    for (size_t i = 0; i < t->count; i++) {
        lpu_op *op = &t->ops[i];
        if (op->operand == LPU_OPERAND_NONE) continue;
        op->zero_weight_share = 0.25 * (1 + op->layer % 3);
        op->toggle_share = 0.125 * (2 + op->layer); /* the head's: a quarter of random or less */
    }
    const lpu_sim_request shapes = {
        .model = &m, .design = &d, .phase = t->phase, .tokens = 1, .context = 40, .batch = 1};
    const lpu_sim_request shares = {.design = &d, .trace = t};
    CHECK_OK(lpu_simulate(&plain, &shapes, diag));
    CHECK_OK(lpu_simulate(&recorded, &shares, diag));
    CHECK_EQ(recorded->cycles, plain->cycles);
    for (size_t i = 0; i < t->count; i++) {
        const lpu_op *op = &t->ops[i];
        const lpu_counters *a = &plain->ops[i].counters, *b = &recorded->ops[i].counters;
        const double lanes = (double)lanes_of(a), bits = (double)a->tree_add_bits;
        CHECK_EQ(lanes_of(b), lanes_of(a));
        CHECK_EQ(b->tree_add_bits + b->tree_quiet_bits, a->tree_add_bits);
        CHECK_EQ(a->tree_quiet_bits, 0);
        if (!lpu_op_is_product(op->kind)) continue;
        /* each instruction of the operation rounds once */
        CHECK(fabs((double)b->lane_skips - lanes * op->zero_weight_share) < 64,
              "op %zu: %llu skips", i, (unsigned long long)b->lane_skips);
        CHECK(fabs((double)b->tree_quiet_bits - bits * (1 - 2 * op->toggle_share)) < 64,
              "op %zu: %llu quiet bits", i, (unsigned long long)b->tree_quiet_bits);
    }
    lpu_simulate_close(&recorded);
    t->ops[1].n++; /* no longer a pass of the model */
    CHECK_EQ(lpu_simulate(&recorded, &shares, &why), LPU_ERR_RANGE);
    CHECK(!recorded && strstr(why.text, "not those of a decode"), "%s", why.text);
    lpu_simulate_close(&plain);
    lpu_trace_close(&t);
}

int main(void)
{
    RUN(shares_of_a_recorded_pass);
    RUN(every_model_on_ternary_lanes);
    RUN(every_model_on_binary_lanes);
    RUN(every_model_on_int4_lanes);
    RUN(every_model_on_int8_lanes);
    RUN(every_model_on_fp16_lanes);
    RUN(every_design_with_its_memory);
    RUN(linear_attention);
    RUN(is_bound_by_memory);
    RUN(prompts_in_chunks);
    RUN(chunks_of_a_small_scratchpad);
    RUN(odd_shapes);
    return test_failures != 0;
}
