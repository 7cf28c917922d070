/* tests/unit/machine_test.c - cycles of hand-made programs against the pipelines as documented; and
 * skipping and sharing against stepping every cycle of every segment.
 *
 * Closed forms, of a product (m, k) x (k, n) in tiles of R x C lanes on resident memory:
 *
 *     cycle 0  the stream issues             cycle 1  its bytes arrive; the product issues
 *     cycle 2  the first tile's command      cycle 3  its first bytes are taken from the FIFO
 *     cycle 4  they land in a buffer         cycle 5  the beat goes into the array
 *
 * From the array (sim/unit_array.h): a beat taken at t is in the tile at t + 2, the first vector is
 * taken at t + 3; D = ceil(log4 C) clocks of tree; the drain's first beat is out 3 + D cycles after
 * the last vector. With b beats a tile, m vectors and T tiles the last vector is taken at
 * L = 6 + b + (T - 1) max(b, m) + m, the last value is out in cycle L + 2 + D + drain beats, and
 * the next one is HALT's own.
 */
#include "sim/cost.h"
#include "sim/machine.h"
#include "sim/simulate.h"
#include "tests/unit/sim_odd.h"
#include "tests/unit/test.h"
#include "tests/unit/tiny_model.h"

#include <stdlib.h>

/* A machine whose streams are never short of bytes, and whose tile fills in one beat. */
typedef struct bench {
    lpu_model model;
    lpu_design design;
    lpu_layout layout;
    lpu_trace *trace;
    lpu_program program;
    lpu_insn_note note; /* of a linear product */
    lpu_port_stalls stalls;
} bench;

static void bench_open(bench *b, uint32_t rows, uint32_t cols, uint32_t lanes)
{
    memset(b, 0, sizeof(*b));
    CHECK_OK(tiny_model_init(&b->model, diag));
    CHECK_OK(lpu_design_load(&b->design, "ternary-resident", diag));
    b->design.rows = b->design.lines = rows;
    b->design.cols = cols;
    b->design.vector_lanes = lanes;
    b->design.fifo_kib = 1024;
    b->design.bus_bytes_per_cycle = b->design.fill_bytes_per_cycle = 1 << 20;
    CHECK_OK(lpu_trace_open(&b->trace, &b->model, LPU_PHASE_DECODE, 1, 0, 1, diag));
    for (uint32_t i = 0; i < b->trace->count; i++) {
        if (b->trace->ops[i].kind == LPU_OP_q_proj) b->note.op = i;
    }
    b->note.region = UINT32_MAX;
}

static void bench_close(bench *b)
{
    lpu_trace_close(&b->trace);
    lpu_program_close(&b->program);
    lpu_layout_close(&b->layout);
}

static void append(bench *b, lpu_insn insn)
{
    CHECK_OK(lpu_program_append(&b->program, &insn, &b->note));
}

static lpu_insn absent(lpu_insn_op op)
{
    return (lpu_insn){.op = (uint8_t)op,
                      .dst = LPU_BUFFER_NONE,
                      .a = LPU_BUFFER_NONE,
                      .b = LPU_BUFFER_NONE,
                      .c = LPU_BUFFER_NONE};
}

static void append_product(bench *b, uint32_t m, uint32_t n, uint32_t k)
{
    lpu_insn stream = absent(LPU_INSN_stream), product = absent(LPU_INSN_matmul);
    const lpu_cut cut = lpu_cut_ktiles(&(lpu_format){1, 5, 1}, k, b->design.cols);

    stream.flags = LPU_FLAG_ON_CHIP;
    stream.segs = 1;
    stream.seg_bytes = n * ((k + 4) / 5);
    product.m = m;
    product.n = n;
    product.k = k;
    product.seg_bytes = cut.line_bytes;
    product.segs = cut.more;
    product.stride = cut.pieces;
    product.planes = 1;
    append(b, stream);
    append(b, product);
}

/* Cycles of the program as it stands, stepped and skipping: they must agree. */
static void run(bench *b, uint64_t *cycles, lpu_status *status, lpu_diag *why)
{
    lpu_counters *ops = calloc(b->trace->count, sizeof(*ops));
    uint64_t *begins = calloc(b->trace->count, sizeof(*begins));
    lpu_machine_run_result result[2] = {{0}, {0}};
    lpu_status found[2] = {LPU_OK, LPU_OK};

    append(b, absent(LPU_INSN_halt));
    CHECK_OK(lpu_program_end_segment(&b->program));
    CHECK_OK(lpu_layout_open(&b->layout, &b->model, &b->design, 1, 1, diag));
    for (int stepped = 0; stepped < 2; stepped++) {
        lpu_machine *m;
        CHECK_OK(lpu_machine_open(&m, &b->layout, stepped, diag));
        lpu_machine_stall(m, &b->stalls);
        found[stepped] =
            lpu_machine_run(m, &b->program, 0, b->trace, ops, begins, &result[stepped], why);
        lpu_machine_close(&m);
    }
    free(ops);
    free(begins);
    CHECK_EQ(found[0], found[1]);
    CHECK_EQ(result[0].cycles, result[1].cycles);
    CHECK_EQ(result[1].stepped_cycles, result[1].cycles);
    CHECK(result[0].stepped_cycles <= result[0].cycles, "skipping steps more");
    *cycles = result[0].cycles;
    *status = found[0];
}

static uint64_t up(uint64_t a, uint64_t b)
{
    return (a + b - 1) / b;
}

static uint64_t most(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static uint64_t tree_depth(uint64_t cols)
{
    uint64_t depth = 0, reach = 1;
    for (; reach < cols; reach *= 4) depth++;
    return depth;
}

typedef struct shape {
    uint32_t rows, cols, lanes, lines, m, n, k;
} shape;

/* No waiting but for the tile and the array itself. */
static void products(void)
{
    static const shape shapes[] = {
        {8, 10, 8, 8, 1, 8, 10},       {8, 10, 8, 8, 5, 8, 10},
        {8, 10, 4, 8, 1, 8, 10},       {8, 10, 8, 8, 7, 8, 95},
        {8, 10, 8, 2, 7, 8, 95},       {8, 10, 8, 2, 1, 8, 95},
        {8, 10, 8, 1, 3, 8, 20},       {8, 10, 8, 3, 1, 8, 40},
        {64, 160, 64, 64, 1, 64, 160}, {64, 160, 64, 64, 64, 64, 160},
        {64, 160, 64, 4, 1, 64, 2560}, {64, 160, 64, 4, 64, 64, 2560},
        {64, 160, 16, 8, 9, 64, 640},  {16, 320, 16, 16, 2, 16, 1},
        {64, 160, 64, 4, 20, 40, 700},
    };
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]) && !test_is_over; i++) {
        const shape *s = &shapes[i];
        const uint64_t beats = up(s->n, s->lines), tiles = up(s->k, s->cols);
        const uint64_t drain = s->m * up(s->n, s->lanes);
        const uint64_t last = 6 + beats + (tiles - 1) * most(beats, s->m) + s->m;
        uint64_t cycles = 0;
        lpu_status status;
        lpu_diag why = {""};
        bench b;

        bench_open(&b, s->rows, s->cols, s->lanes);
        b.design.lines = s->lines;
        append_product(&b, s->m, s->n, s->k);
        run(&b, &cycles, &status, &why);
        bench_close(&b);
        if (test_is_over) return;
        CHECK(!status, "%s", why.text);
        CHECK(cycles == last + tree_depth(s->cols) + 2 + drain + 2,
              "shape %zu: %llu cycles, expected %llu", i, (unsigned long long)cycles,
              (unsigned long long)(last + tree_depth(s->cols) + 2 + drain + 2));
    }
}

/* Row blocks alternate between the banks; drains that are shorter than a block's vectors hide. */
static void row_blocks(void)
{
    enum { M = 30, BLOCKS = 5, K = 800, TILES = 5 };
    uint64_t cycles = 0;
    lpu_status status;
    lpu_diag why = {""};
    bench b;

    bench_open(&b, 64, 160, 64);
    append_product(&b, M, BLOCKS * 64, K);
    run(&b, &cycles, &status, &why);
    bench_close(&b);
    if (test_is_over) return;
    /* One beat a tile: the vectors of all tiles follow one another without a gap. */
    CHECK_EQ(cycles, 7 + BLOCKS * TILES * M + tree_depth(160) + 2 + M + 2);
}

/* One value out per cycle: the drains follow one another without a gap. */
static void drains_hold_the_banks(void)
{
    enum { M = 10, BLOCKS = 4, ROWS = 64 };
    uint64_t cycles = 0;
    lpu_status status;
    lpu_diag why = {""};
    bench b;

    bench_open(&b, ROWS, 160, 1);
    append_product(&b, M, BLOCKS * ROWS, 160);
    run(&b, &cycles, &status, &why);
    bench_close(&b);
    if (test_is_over) return;
    const uint64_t first_block_ends = 7 + M;
    CHECK_EQ(cycles, first_block_ends + tree_depth(160) + 2 + BLOCKS * M * ROWS + 2);
}

/* The last byte arrives in cycle ceil(bytes / bus) and is taken a cycle later: 2 + 3 cycles after
 * that the last tile's vectors. */
static void short_of_bytes(void)
{
    enum { M = 3, N = 64, K = 3200 };
    static const uint32_t buses[] = {1, 7, 100, 333};

    for (size_t i = 0; i < sizeof(buses) / sizeof(buses[0]); i++) {
        uint64_t cycles = 0;
        lpu_status status;
        lpu_diag why = {""};
        bench b;

        bench_open(&b, 64, 160, 64);
        b.design.bus_bytes_per_cycle = buses[i];
        append_product(&b, M, N, K);
        run(&b, &cycles, &status, &why);
        bench_close(&b);
        if (test_is_over) return;
        CHECK_EQ(cycles, up(N * K / 5, buses[i]) + 1 + 2 + 3 + M - 1 + tree_depth(160) + 2 + M + 2);
    }
}

/* A beat of 64 lines of 32 bytes takes ceil(2048 / port) cycles to gather. */
static void a_narrow_port(void)
{
    enum { M = 2, TILES = 20, K = 160 * TILES };
    static const uint32_t ports[] = {32, 500, 2047, 2048};

    for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++) {
        const uint64_t each = up(2048, ports[i]);
        uint64_t cycles = 0;
        lpu_status status;
        lpu_diag why = {""};
        bench b;

        bench_open(&b, 64, 160, 64);
        b.design.fill_bytes_per_cycle = ports[i];
        append_product(&b, M, 64, K);
        run(&b, &cycles, &status, &why);
        bench_close(&b);
        if (test_is_over) return;
        /* The last beat is in at 4 + each x tiles, or the array is what counts. */
        const uint64_t by_port = 4 + each * TILES + 3 + M - 1, by_array = 6 + each + TILES * M;
        CHECK_EQ(cycles, most(by_port, by_array) + tree_depth(160) + 2 + M + 2);
    }
}

/* Operations of the vector unit, one after another, by the schedule of sim/vector.def.
 *
 * A pass of a row has ceil(n / L) beats. The row's next pass begins `wait` cycles after the beats
 * of this one: 12 behind a maximum, 21 behind results, 12 more behind a power, and the scalar
 * job's. With one row the waits add up; with four long ones they hide behind the other rows. */
static void vector_operations(void)
{
    enum { LANES = 16, START = 2, STEP = 25, END = 20, MAX = 12, RESULT = 21, POWER = 12 };
    enum { QUANT = 14, NORM = 49, MUL = 3, PROB = 23, NONE = LPU_BUFFER_NONE };
    static const struct {
        lpu_insn insn;
        uint64_t cycles;
    } rows[] = {
        {{.op = LPU_INSN_normq, .m = 1, .n = 256},
         START + STEP + 3 * 16 + MAX + RESULT + NORM + END},
        {{.op = LPU_INSN_normq, .b = NONE, .m = 1, .n = 250},
         START + STEP + 2 * 16 + MAX + QUANT + END},
        /* Blocks of four and three rows, a beat each: the second pass begins 1 + 26 on. */
        {{.op = LPU_INSN_quant, .m = 7, .n = 10}, START + STEP + 27 + 4 + 27 + 3 + END},
        {{.op = LPU_INSN_dequant, .m = 9, .n = 33}, START + STEP + 9 * 3 + END},
        {{.op = LPU_INSN_residual, .m = 1, .n = 16}, START + STEP + 1 + END},
        {{.op = LPU_INSN_rope, .m = 20, .n = 128}, START + 20 * 2 * 4 + END},
        {{.op = LPU_INSN_rope, .m = 1, .n = 2}, START + 2 + END},
        /* Four rows of 100 beats: only the query's scale is waited for, and the end of the powers.
         */
        {{.op = LPU_INSN_softmax, .m = 4, .n = 1600},
         START + 2 * STEP + 1 + MAX + MUL + 4 * 4 * 100 + POWER + END},
        {{.op = LPU_INSN_softmax, .m = 1, .n = 5},
         START + 2 * STEP + 5 + MAX + MUL + 3 * RESULT + POWER + PROB + END},
        {{.op = LPU_INSN_gate, .mode = LPU_ACT_RELU2, .b = NONE, .m = 3, .n = 6912},
         START + STEP + 2 * 3 * 432 + END},
        {{.op = LPU_INSN_gate, .mode = LPU_ACT_RELU2, .m = 1, .n = 16},
         START + STEP + 3 + 2 * MAX + END},
        {{.op = LPU_INSN_gate, .mode = LPU_ACT_SILU, .m = 1, .n = 16},
         START + STEP + 3 + RESULT + POWER + MAX + END},
        {{.op = LPU_INSN_gate, .mode = LPU_ACT_GELU, .b = NONE, .m = 9, .n = 16},
         START + STEP + 9 + POWER + END},
        /* The second row's maximum is known 21 behind its beats. */
        {{.op = LPU_INSN_argmax, .m = 2, .n = 1000}, START + STEP + 2 * 63 + RESULT + 1 + END},
        /* 16 lanes hold the digits of three bytes: 15 elements, a beat for each of five planes. */
        {{.op = LPU_INSN_embed, .planes = 5, .m = 3, .n = 200},
         START + 3 * STEP + 3 * 14 * 5 + END},
        /* Keys of 128 in one line of 26 bytes; values in three blocks: 13, 13 and 6 bytes. */
        {{.op = LPU_INSN_kvpack, .planes = 5, .m = 1, .n = 128, .seg_bytes = 26, .stride = 1},
         START + 7 * STEP + 8 + MAX + QUANT + 9 * 5 + END},
        {{.op = LPU_INSN_kvpack,
          .mode = 1,
          .planes = 2,
          .m = 1,
          .n = 157,
          .seg_bytes = 13,
          .segs = 6,
          .stride = 3},
         START + 7 * STEP + 10 + MAX + QUANT + (5 + 5 + 2) * 2 + END},
    };
    uint64_t cycles = 0, expected = 1;
    lpu_status status;
    lpu_diag why = {""};
    bench b;

    bench_open(&b, 64, 160, LANES);
    b.design.lane = LPU_LANE_ADD;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        lpu_insn insn = rows[i].insn;
        insn.dst = insn.a = insn.c = LPU_BUFFER_NONE;
        if (insn.b != LPU_BUFFER_NONE) insn.b = 0;
        insn.m_inner = 1;
        append(&b, insn);
        expected += rows[i].cycles;
        const uint64_t found = lpu_cost_vector_cycles(&b.design, &insn);
        CHECK(found == rows[i].cycles, "row %zu (%s) takes %llu cycles, expected %llu", i,
              lpu_insn_name(insn.op), (unsigned long long)found,
              (unsigned long long)rows[i].cycles);
    }
    run(&b, &cycles, &status, &why);
    bench_close(&b);
    if (test_is_over) return;
    CHECK_EQ(cycles, expected + 2);
}

/* Buffer 1 is written by the vector unit and read by the product: the product waits for it. */
static void the_scoreboard_holds(void)
{
    uint64_t free_cycles = 0, held_cycles = 0;
    lpu_status status;
    lpu_diag why = {""};

    for (uint8_t held = 0; held < 2; held++) {
        lpu_insn quant = absent(LPU_INSN_quant);
        bench b;

        bench_open(&b, 64, 160, 64);
        quant.dst = 1;
        quant.m = 10;
        quant.n = 64;
        append(&b, quant);
        append_product(&b, 1, 64, 160);
        b.program.insns[b.program.count - 1].a = held ? 1 : 2;
        run(&b, held ? &held_cycles : &free_cycles, &status, &why);
        bench_close(&b);
        if (test_is_over) return;
    }
    /* Set-up; ten rows in blocks of 4, 4 and 2, each of which waits once for a job; the end. */
    const uint64_t quant_cycles = 2 + 25 + (27 + 4) + (27 + 4) + (27 + 2) + 20;
    CHECK_EQ(free_cycles, quant_cycles + 3);
    /* Retired in cycle 1 + quant, issued in the same one, its tile's command a cycle later; the
     * beat's bytes are taken a cycle after that: all as if the product had issued in cycle 1. */
    CHECK_EQ(held_cycles, quant_cycles + 7 + 1 + tree_depth(160) + 2 + 1 + 2);
}

/* A store of 100 beats of resident memory's 64 bytes issues in cycle 0, is fetched in cycle 1,
 * sends its last beat in 101 and retires in 102. A load of as many bytes issues in cycle 1 and
 * reads from cycle 2 on, or with the fence from 103; it retires in the cycle after its last beat.
 */
static void the_fence_holds(void)
{
    enum { BUS = 64, BEATS = 100 };
    uint64_t cycles[2] = {0};
    lpu_status status;
    lpu_diag why = {""};

    for (int fenced = 0; fenced < 2; fenced++) {
        lpu_insn store = absent(LPU_INSN_store), load = absent(LPU_INSN_load);
        bench b;

        bench_open(&b, 64, 160, 64);
        b.design.bus_bytes_per_cycle = BUS;
        store.a = 1;
        load.dst = 2;
        store.segs = load.segs = 1;
        store.seg_bytes = load.seg_bytes = BUS * BEATS;
        store.flags = LPU_FLAG_ON_CHIP;
        load.flags = (uint8_t)(LPU_FLAG_ON_CHIP | (fenced ? LPU_FLAG_FENCE : 0));
        append(&b, store);
        append(&b, load);
        run(&b, &cycles[fenced], &status, &why);
        bench_close(&b);
        if (test_is_over) return;
    }
    CHECK_EQ(cycles[0], 2 + BEATS + 2);
    CHECK_EQ(cycles[1], 3 + 2 * BEATS + 2);
}

/* A load of one burst of DRAM issues in cycle 0, is fetched in 1 and on AR from 3 on; what R ends
 * in cycle t retires in t + 2, and HALT is next. */
static void a_load_from_memory(void)
{
    enum { AR = 3 };
    uint64_t cycles = 0, last = AR;
    lpu_insn load = absent(LPU_INSN_load);
    lpu_port *port;
    lpu_status status;
    lpu_diag why = {""};
    bench b;

    bench_open(&b, 64, 160, 64);
    b.design.bus_bytes_per_cycle = 64;
    load.dst = 2;
    load.addr = 1 << 20;
    load.segs = 1;
    load.seg_bytes = 100;
    append(&b, load);
    run(&b, &cycles, &status, &why);
    const lpu_port_config config = {&b.design.dram, b.design.clock_mhz, 64, 1, {0}};
    if (!test_is_over) CHECK_OK(lpu_port_open(&port, &config, diag));
    lpu_port_begin(port, AR);
    for (lpu_port_read(port, load.addr, 0); !lpu_port_is_idle(port); last++) {
        lpu_port_beat beat;
        lpu_port_begin(port, last + 1);
        while (lpu_port_r(port, &beat)) continue;
    }
    lpu_port_close(&port);
    bench_close(&b);
    CHECK_EQ(cycles, last + 2 + 1 + 1);
}

/* Loads and stores of DRAM, some of them fenced, with every kind of stall: stepped and skipped
 * alike, and none of it faster than without. */
static void stalls_of_memory(void)
{
    static const lpu_port_stalls stalls[] = {
        {.seed = 0},
        {.seed = 1, .ar = 200},
        {.seed = 2, .aw = 250},
        {.seed = 3, .w = 250},
        {.seed = 4, .r = 200},
        {.seed = 5, .b = 255},
        {.seed = 6, .ar = 40, .aw = 50, .w = 60, .r = 70, .b = 80},
    };
    uint64_t free_cycles = 0;

    for (size_t k = 0; k < sizeof(stalls) / sizeof(stalls[0]); k++) {
        uint64_t cycles = 0;
        lpu_status status = LPU_OK;
        lpu_diag why = {""};
        bench b;

        bench_open(&b, 64, 160, 64);
        b.design.bus_bytes_per_cycle = 16;
        b.stalls = stalls[k];
        for (uint32_t i = 0; i < 40; i++) {
            lpu_insn move = absent(i % 3 ? LPU_INSN_load : LPU_INSN_store);
            if (i % 3) move.dst = (uint8_t)(8 + i % 5);
            else move.a = 1;
            if (i % 3 == 1) move.flags = LPU_FLAG_FENCE;
            move.addr = 5000 * i;
            move.segs = 1 + i % 4;
            move.seg_bytes = 1 + 37 * i;
            move.stride = 2000;
            append(&b, move);
        }
        run(&b, &cycles, &status, &why);
        bench_close(&b);
        if (test_is_over) return;
        CHECK(!status, "%s", why.text);
        if (!k) free_cycles = cycles;
        CHECK(!k || cycles > free_cycles, "stalls %zu: %llu cycles, without %llu", k,
              (unsigned long long)cycles, (unsigned long long)free_cycles);
    }
}

static void a_program_that_cannot_go_on(void)
{
    uint64_t cycles = 0;
    lpu_status status = LPU_OK;
    lpu_diag why = {""};
    bench b;

    bench_open(&b, 64, 160, 64);
    append_product(&b, 1, 64, 160);
    b.program.insns[0].seg_bytes -= 1; /* the tile never fills */
    run(&b, &cycles, &status, &why);
    bench_close(&b);
    if (test_is_over) return;
    CHECK_EQ(status, LPU_ERR_TIMEOUT);
    CHECK(strstr(why.text, "nothing is under way"), "%s", why.text);
}

/* ---- fast = slow ---- */

/* Every counter of every op, every begin and the end. */
static void check_same(const lpu_sim_result *a, const lpu_sim_result *b, const char *how)
{
    CHECK(a->cycles == b->cycles, "%s: %llu cycles, else %llu", how, (unsigned long long)a->cycles,
          (unsigned long long)b->cycles);
    CHECK_EQ(a->trace->count, b->trace->count);
    for (size_t i = 0; i < a->trace->count; i++) {
        const lpu_sim_op *x = &a->ops[i], *y = &b->ops[i];
        const char *name = lpu_op_name(a->trace->ops[i].kind);
        CHECK(x->begin_cycles == y->begin_cycles && x->cycles == y->cycles,
              "%s: op %zu %s takes %llu from %llu, else %llu from %llu", how, i, name,
              (unsigned long long)x->cycles, (unsigned long long)x->begin_cycles,
              (unsigned long long)y->cycles, (unsigned long long)y->begin_cycles);
        for (size_t c = 0; c < LPU_COUNTERS; c++) {
            CHECK(lpu_counter_get(&x->counters, c) == lpu_counter_get(&y->counters, c),
                  "%s: op %zu %s has %llu %s, else %llu", how, i, name,
                  (unsigned long long)lpu_counter_get(&x->counters, c), lpu_counter_row(c)->name,
                  (unsigned long long)lpu_counter_get(&y->counters, c));
        }
    }
}

/* The same pass: skipping and sharing twice, stepping, without sharing, and neither. */
static void check_fast_is_slow(lpu_sim_request q)
{
    static const char *const hows[] = {"again", "stepped", "unshared", "stepped and unshared"};
    lpu_sim_result *fast = NULL;

    CHECK_OK(lpu_simulate(&fast, &q, diag));
    for (int how = 0; how < 4 && !test_is_over; how++) {
        lpu_sim_result *slow = NULL;
        q.is_stepped = how & 1;
        q.is_unshared = how & 2;
        CHECK_OK(lpu_simulate(&slow, &q, diag));
        check_same(fast, slow, hows[how]);
        if (!test_is_over && how == 3) CHECK_EQ(slow->stepped_cycles <= slow->cycles, 1);
        lpu_simulate_close(&slow);
    }
    if (test_is_over) printf("        on %s\n", q.design->name);
    lpu_simulate_close(&fast);
}

static void fast_is_slow_on_every_design(void)
{
    static const char *const designs[] = {"ternary-edge", "ternary-hbm", "ternary-resident",
                                          "binary-edge",  "int4-mac",    "int8-mac",
                                          "fp16-mac",     "fp16-mac-hbm"};
    lpu_model m;

    CHECK_OK(tiny_model_init(&m, diag));
    m.layers = 6; /* every third with a cache, the others with a state */
    m.kv_layers = 2;
    m.vocab_elems = 3000;
    m.context_tokens = 4096;
    for (size_t i = 0; i < sizeof(designs) / sizeof(designs[0]) && !test_is_over; i++) {
        lpu_design d;
        CHECK_OK(lpu_design_load(&d, designs[i], diag));
        lpu_sim_request q = {.model = &m,
                             .design = &d,
                             .phase = LPU_PHASE_DECODE,
                             .tokens = 1,
                             .context = 100,
                             .batch = 3};
        check_fast_is_slow(q);
        q.phase = LPU_PHASE_PREFILL;
        q.tokens = 150;
        q.batch = 2;
        if (!test_is_over) check_fast_is_slow(q);
    }
}

/* Machines out of balance: each waits in another place. */
static void fast_is_slow_out_of_balance(void)
{
    lpu_model m;

    CHECK_OK(tiny_model_init(&m, diag));
    m.context_tokens = 4096;
    for (int i = 0; i < 8 && !test_is_over; i++) {
        lpu_design d;
        CHECK_OK(lpu_design_load(&d, "ternary-edge", diag));
        d.vector_lanes = i & 1 ? 1 : 64;
        d.bus_bytes_per_cycle = i & 2 ? 3 : 128;
        d.fill_bytes_per_cycle = i & 4 ? 5 : 128;
        d.outstanding_bursts = i & 1 ? 2 : 256;
        d.fifo_kib = i & 2 ? 1 : 64;
        d.clock_mhz = i & 4 ? 933 : 1777;
        const lpu_sim_request q = {.model = &m,
                                   .design = &d,
                                   .phase = i & 1 ? LPU_PHASE_DECODE : LPU_PHASE_PREFILL,
                                   .tokens = i & 1 ? 1 : 40,
                                   .context = 30,
                                   .batch = 2};
        check_fast_is_slow(q);
    }
}

static void fast_is_slow_in_odd_shapes(void)
{
    uint32_t seed = 1958;

    for (int i = 0; i < 30 && !test_is_over; i++) {
        lpu_model m;
        lpu_design d;
        CHECK_OK(tiny_model_init(&m, diag));
        CHECK_OK(lpu_design_load(&d, i % 2 ? "ternary-resident" : "ternary-hbm", diag));
        if (i % 2 == 0) d.weight_sram_kib = 1 << 16, d.link_bytes_per_cycle = 1;
        odd_model(&m, &seed);
        odd_design(&d, &seed);
        const lpu_sim_request q = {.model = &m,
                                   .design = &d,
                                   .phase = i & 4 ? LPU_PHASE_DECODE : LPU_PHASE_PREFILL,
                                   .tokens = i & 4 ? 1 : 1 + odd_below(&seed, 50),
                                   .context = odd_below(&seed, 100),
                                   .batch = 1 + odd_below(&seed, 3)};
        check_fast_is_slow(q);
        if (test_is_over) printf("        case %d\n", i);
    }
}

static void sharing_2b4t(void)
{
    lpu_model m;
    lpu_design d;
    lpu_sim_result *shared, *alone;
    lpu_sim_request q = {.model = &m,
                         .design = &d,
                         .phase = LPU_PHASE_DECODE,
                         .tokens = 1,
                         .context = 512,
                         .batch = 1};

    CHECK_OK(lpu_model_load(&m, "bitnet-b1.58-2b4t", diag));
    CHECK_OK(lpu_design_load(&d, "ternary-edge", diag));
    CHECK_OK(lpu_simulate(&shared, &q, diag));
    q.is_unshared = true;
    CHECK_OK(lpu_simulate(&alone, &q, diag));
    check_same(shared, alone, "unshared");
    CHECK(alone->stepped_cycles > 10 * shared->stepped_cycles, "%llu cycles stepped, %llu shared",
          (unsigned long long)alone->stepped_cycles, (unsigned long long)shared->stepped_cycles);
    lpu_simulate_close(&shared);
    lpu_simulate_close(&alone);
}

/* ---- better machines, longer contexts, larger batches ---- */

static void run_2b4t(uint64_t *cycles, const lpu_design *d, uint32_t context, uint32_t batch)
{
    lpu_model m;
    lpu_sim_result *r;
    const lpu_sim_request q = {.model = &m,
                               .design = d,
                               .phase = LPU_PHASE_DECODE,
                               .tokens = 1,
                               .context = context,
                               .batch = batch};

    CHECK_OK(lpu_model_load(&m, "bitnet-b1.58-2b4t", diag));
    m.vocab_elems = 4000;
    CHECK_OK(lpu_simulate(&r, &q, diag));
    *cycles = r->cycles;
    lpu_simulate_close(&r);
}

static void more_is_never_slower(void)
{
    lpu_design base;
    uint64_t before, after;

    CHECK_OK(lpu_design_load(&base, "ternary-resident", diag));
    run_2b4t(&before, &base, 256, 8);
    for (int i = 0; i < 6 && !test_is_over; i++) {
        lpu_design d = base;
        if (i == 0) d.rows *= 2, d.lines *= 2, d.fill_bytes_per_cycle *= 2;
        if (i == 1) d.cols *= 2, d.fill_bytes_per_cycle *= 2;
        if (i == 2) d.bus_bytes_per_cycle *= 2;
        if (i == 3) d.fill_bytes_per_cycle *= 2;
        if (i == 4) d.fifo_kib *= 2;
        if (i == 5) d.rows *= 2, d.vector_lanes *= 2;
        run_2b4t(&after, &d, 256, 8);
        if (test_is_over) return;
        CHECK(after <= before, "change %d: %llu cycles, before %llu", i, (unsigned long long)after,
              (unsigned long long)before);
    }
    CHECK_OK(lpu_design_load(&base, "ternary-edge", diag));
    before = 0;
    for (uint32_t context = 16; context < 4096 && !test_is_over; context *= 4) {
        run_2b4t(&after, &base, context, 1);
        CHECK(after > before, "context %u: %llu cycles, before %llu", context,
              (unsigned long long)after, (unsigned long long)before);
        before = after;
    }
    run_2b4t(&before, &base, 64, 1);
    run_2b4t(&after, &base, 64, 16);
    CHECK(after > before && after < 16 * before / 4, "16 sequences take %llu cycles, one %llu",
          (unsigned long long)after, (unsigned long long)before);
}

/* A scratchpad that holds 64 keys or 4000: past that, a sentence. */
static void a_context_too_long(void)
{
    lpu_model m;
    lpu_design d;
    lpu_sim_result *r;
    lpu_diag diag = {""};
    lpu_sim_request q = {.model = &m,
                         .design = &d,
                         .phase = LPU_PHASE_DECODE,
                         .tokens = 1,
                         .context = 262143,
                         .batch = 1};

    CHECK_EQ(lpu_model_load(&m, "bonsai-27b-ternary", &diag), LPU_OK);
    CHECK_EQ(lpu_design_load(&d, "ternary-edge", &diag), LPU_OK);
    CHECK_EQ(lpu_simulate(&r, &q, &diag), LPU_ERR_RANGE);
    CHECK(!r && strstr(diag.text, "KiB of scratchpad, the design has 6144"), "%s", diag.text);
    q.context = 262144;
    CHECK_EQ(lpu_simulate(&r, &q, &diag), LPU_ERR_RANGE);
    CHECK(!r && strstr(diag.text, "at most the 262144 of bonsai-27b"), "%s", diag.text);
    q.context = 16;
    q.batch = 1 << 20;
    CHECK_EQ(lpu_simulate(&r, &q, &diag), LPU_ERR_RANGE);
    CHECK(!r && strstr(diag.text, "caches in 64 layers, expected at most"), "%s", diag.text);
    q.batch = 1;
    d.stream_queue = 2;
    CHECK_EQ(lpu_simulate(&r, &q, &diag), LPU_ERR_RANGE);
    CHECK(!r && strstr(diag.text, "stream_queue is 2, expected at least"), "%s", diag.text);
    CHECK_EQ(lpu_design_load(&d, "fp16-mac", &diag), LPU_OK);
    m.hidden_elems = m.ffn_elems = 1 << 18;
    d.scratch_kib = 1 << 20;
    CHECK_EQ(lpu_simulate(&r, &q, &diag), LPU_ERR_RANGE);
    CHECK(!r && strstr(diag.text, "a matrix of 137438953472 bytes"), "%s", diag.text);
}

int main(void)
{
    RUN(products);
    RUN(row_blocks);
    RUN(drains_hold_the_banks);
    RUN(short_of_bytes);
    RUN(a_narrow_port);
    RUN(vector_operations);
    RUN(the_scoreboard_holds);
    RUN(the_fence_holds);
    RUN(a_load_from_memory);
    RUN(stalls_of_memory);
    RUN(a_program_that_cannot_go_on);
    RUN(fast_is_slow_on_every_design);
    RUN(fast_is_slow_out_of_balance);
    RUN(fast_is_slow_in_odd_shapes);
    RUN(sharing_2b4t);
    RUN(more_is_never_slower);
    RUN(a_context_too_long);
    return test_failures != 0;
}
