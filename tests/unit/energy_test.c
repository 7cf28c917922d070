/* tests/unit/energy_test.c - is the sum right, is every price accounted for, and do the formulas of
 * the papers give the figures of the papers? */
#include "energy_model/energy.h"
#include "tests/unit/test.h"

#include <math.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[64]; /* a home of our own, with energy_model/prices in it */

static void path_of(char *path, const char *file)
{
    snprintf(path, 200, "%s/energy_model/prices/%s", dir, file);
}

static void write_file(const char *file, const char *text)
{
    char path[200];
    path_of(path, file);
    FILE *f = fopen(path, "w");
    if (f) fputs(text, f), fclose(f);
}

/* A table with every row of one half: price = row number + 1/4, but for the row that is skipped,
 * and with one line more at its end. */
static void write_table(const char *file, bool is_dram, const char *skipped, const char *extra)
{
    char text[16384] = "# name pj source\n\n";
    size_t at = strlen(text);

    for (size_t i = 0; i < LPU_COUNTERS; i++) {
        const lpu_counter_info *row = lpu_counter_row(i);
        if ((row->component == LPU_COMPONENT_dram) != is_dram) continue;
        if (skipped && !strcmp(row->name, skipped)) continue;
        at += (size_t)snprintf(text + at, sizeof(text) - at, "%s\t%zu.25\tsource of %s\n",
                               row->name, i, row->name);
    }
    snprintf(text + at, sizeof(text) - at, "%s", extra);
    write_file(file, text);
}

static size_t row_of(const char *name)
{
    for (size_t i = 0; i < LPU_COUNTERS; i++) {
        if (!strcmp(lpu_counter_row(i)->name, name)) return i;
    }
    return LPU_COUNTERS;
}

static bool is_near(double found, double expected, double share)
{
    return fabs(found - expected) <= share * fabs(expected);
}

/* ---- tables ---- */

static void every_row_arrives(void)
{
    lpu_prices prices;

    write_table("good.tsv", false, "lane_skips", "lane_skips  free   it is gated: \t see rtl \r\n");
    write_table("dram-good.tsv", true, NULL, "  # the end");
    CHECK_OK(lpu_prices_load(&prices, "good", "good", diag));
    CHECK(!strcmp(prices.logic, "good") && !strcmp(prices.dram, "good"), "names");
    for (size_t i = 0; i < LPU_COUNTERS; i++) {
        const lpu_price *p = &prices.of[i];
        const bool is_skip = i == row_of("lane_skips");
        CHECK(p->is_free == is_skip, "%s is free", lpu_counter_row(i)->name);
        CHECK(p->pj_each == (is_skip ? 0 : (double)i + 0.25), "%s costs %g",
              lpu_counter_row(i)->name, p->pj_each);
    }
    CHECK(!strcmp(prices.of[row_of("lane_skips")].source, "it is gated: \t see rtl"), "\"%s\"",
          prices.of[row_of("lane_skips")].source);
    CHECK_OK(lpu_prices_load(&prices, "good", "dram-good", diag));

    char path[200];
    path_of(path, "good.tsv");
    CHECK_OK(lpu_prices_load(&prices, path, "good", diag));
}

/* Each wrong table: what it is called with, and what the sentence must hold. */
static void wrong_tables_name_file_and_line(void)
{
    static const struct {
        const char *skipped, *extra, *says;
    } wrong[] = {
        {"accum_adds", "", "ends without a price of accum_adds"},
        {NULL, "lane_adds 1 again\n", "found lane_adds again"},
        {NULL, "lane_subs 1 x\n", "found a price of lane_subs"},
        {NULL, "dram_activates 1 x\n", "found a price of dram_activates"},
        {"lane_adds", "lane_adds 0.1\n", "lane_adds has no source, expected its citation"},
        {"lane_adds", "lane_adds 0.1 \t \n", "lane_adds has no source"},
        {"lane_adds", "lane_adds free\n", "no source, expected the reason why it is free"},
        {"lane_adds", "lane_adds\n", "the price of lane_adds is \"\""},
        {"lane_adds", "lane_adds -1 x\n", "is \"-1\", expected picojoules or `free`"},
        {"lane_adds", "lane_adds 1e999 x\n", "is \"1e999\""},
        {"lane_adds", "lane_adds nan x\n", "is \"nan\""},
        {"lane_adds", "lane_adds 0x1 x\n", "is \"0x1\""},
        {"lane_adds", "lane_adds 1.2.3 x\n", "is \"1.2.3\""},
        {"lane_adds", "lane_adds Free x\n", "is \"Free\""},
        {"lane_adds", "lane_adds 1,5 x\n", "is \"1,5\""},
    };

    write_table("dram-good.tsv", true, NULL, "");
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        lpu_prices prices;
        lpu_diag diag = {""};
        char where[300];

        write_table("wrong.tsv", false, wrong[i].skipped, wrong[i].extra);
        /* two lines of head, the rows of logic, and the extra one */
        int line = 2 + (wrong[i].skipped ? -1 : 0) + (*wrong[i].extra ? 1 : 0);
        for (size_t c = 0; c < LPU_COUNTERS; c++) {
            line += lpu_counter_row(c)->component != LPU_COMPONENT_dram;
        }
        snprintf(where, sizeof(where), "wrong.tsv:%d: ", line);
        CHECK(lpu_prices_load(&prices, "wrong", "good", &diag) == LPU_ERR_FORMAT,
              "table %zu is accepted", i);
        CHECK(strstr(diag.text, where) && strstr(diag.text, wrong[i].says), "\"%s\", expected %s%s",
              diag.text, where, wrong[i].says);
    }
}

static void wrong_memories_and_names(void)
{
    lpu_prices prices;
    lpu_diag diag = {""};

    write_table("good.tsv", false, NULL, "");
    write_table("dram-bad.tsv", true, NULL, "lane_adds 1 x\n");
    CHECK(lpu_prices_load(&prices, "good", "bad", &diag) == LPU_ERR_FORMAT, "lanes in a memory");
    CHECK(strstr(diag.text, "dram-bad.tsv:8: found a price of lane_adds"), "%s", diag.text);
    write_table("dram-bad.tsv", true, "dram_refreshes", "");
    CHECK(lpu_prices_load(&prices, "good", "bad", &diag) == LPU_ERR_FORMAT, "no refreshes");
    CHECK(strstr(diag.text, "without a price of dram_refreshes"), "%s", diag.text);

    CHECK(lpu_prices_load(&prices, "nowhere", "bad", &diag) == LPU_ERR_IO, "no table");
    CHECK(strstr(diag.text, "\"nowhere\"") && strstr(diag.text, "good"), "%s", diag.text);
    CHECK(lpu_prices_load(&prices, "good", "nowhere", &diag) == LPU_ERR_IO, "no memory");
    CHECK(strstr(diag.text, "dram-bad") && !strstr(diag.text, ", good"), "%s", diag.text);
    CHECK(lpu_prices_load(&prices, "/nowhere/x.tsv", "bad", &diag) == LPU_ERR_IO, "no path");

    char name[400];
    memset(name, 'a', sizeof(name) - 1), name[sizeof(name) - 1] = '\0';
    CHECK(lpu_prices_load(&prices, name, "bad", &diag) == LPU_ERR_RANGE, "a long name");

    char text[1400]; /* a source of 256 bytes, and a line of 1300 */
    for (int bytes = 256; bytes <= 1300; bytes += 1044) {
        memcpy(text, "lane_adds 1 ", 12);
        memset(text + 12, 's', (size_t)bytes), text[12 + bytes] = '\0';
        write_table("long.tsv", false, "lane_adds", text);
        CHECK(lpu_prices_load(&prices, "long", "bad", &diag) == LPU_ERR_FORMAT, "%d bytes", bytes);
        CHECK(strstr(diag.text, "long.tsv:3") || strstr(diag.text, "long.tsv:4"), "%s", diag.text);
    }
}

/* ---- the system method ---- */

static void counts_times_prices(void)
{
    lpu_prices prices = {.logic = "by hand"};
    lpu_counters counters = {0};
    double pj[LPU_COMPONENTS];

    prices.of[row_of("lane_adds")].pj_each = 0.5;
    prices.of[row_of("tree_add_bits")].pj_each = 0.25;
    prices.of[row_of("vector_adds")].pj_each = 2;
    prices.of[row_of("fifo_read_bytes")].pj_each = 3;
    prices.of[row_of("instructions")].pj_each = 100;
    prices.of[row_of("link_bytes")].pj_each = 10;
    prices.of[row_of("dram_read_bytes")].pj_each = 32;
    prices.of[row_of("dram_activates")].pj_each = 1000;
    prices.of[row_of("lane_ns")].pj_each = 0.125;
    counters.lane_adds = 1000, counters.tree_add_bits = 8000, counters.lane_skips = 77;
    counters.vector_adds = 50, counters.fifo_read_bytes = 200, counters.instructions = 3;
    counters.link_bytes = 6, counters.dram_read_bytes = 64, counters.dram_activates = 2;
    counters.lane_ns = 800, counters.run_cycles = 12345;

    const double sum = lpu_energy_system_pj(&prices, &counters, pj);
    CHECK(pj[LPU_COMPONENT_arithmetic] == 500 + 2000, "arithmetic %g",
          pj[LPU_COMPONENT_arithmetic]);
    CHECK(pj[LPU_COMPONENT_vector] == 100 && pj[LPU_COMPONENT_sram] == 600, "vector, sram");
    CHECK(pj[LPU_COMPONENT_control] == 300 && pj[LPU_COMPONENT_links] == 60, "control, links");
    CHECK(pj[LPU_COMPONENT_dram] == 2048 + 2000 && pj[LPU_COMPONENT_static] == 100, "dram, static");
    CHECK(pj[LPU_COMPONENT_none] == 0 && pj[LPU_COMPONENT_clock] == 0, "time and clock");
    CHECK(sum == 2500 + 100 + 600 + 300 + 60 + 4048 + 100, "sum %g", sum);

    CHECK(lpu_energy_scope_pj(pj, LPU_SCOPE_DATAPATH) == 2500, "datapath");
    CHECK(lpu_energy_scope_pj(pj, LPU_SCOPE_CORE) == 2500 + 100 + 600 + 300 + 100, "core");
    CHECK(lpu_energy_scope_pj(pj, LPU_SCOPE_SYSTEM) == sum, "system");
    CHECK(!strcmp(lpu_scope_name(LPU_SCOPE_CORE), "core"), "%s", lpu_scope_name(LPU_SCOPE_CORE));
}

/* ---- what ships ---- */

static void shipped_tables_hold_the_published_figures(void)
{
    static const struct {
        const char *logic, *counter;
        double pj;
    } published[] = {
        {"45nm-literature", "mul_f16_ops", 1.1},
        {"45nm-literature", "add_f32_ops", 0.9},
        {"45nm-literature", "accum_adds", 0.1},
        {"45nm-literature", "fifo_read_bytes", 20.0 / 8},
        {"45nm-literature", "weight_sram_bytes", 100.0 / 8},
        {"7nm-literature", "mul_f16_ops", 0.34},
        {"7nm-literature", "mul_i8_ops", 0.07},
        {"7nm-literature", "accum_adds", 0.03},
        {"7nm-literature", "accum_read_bytes", 7.5 / 8},
        {"7nm-literature", "act_read_bytes", 14.0 / 8},
    };
    static const struct {
        const char *dram;
        double pj_per_bit;
    } memories[] = {{"lpddr5x", 4.0},     {"lpddr4", 4.6}, {"ddr4", 1300.0 / 64},
                    {"hbm2", 350.0 / 64}, {"hbm2e", 6.0},  {"hbm3", 4.05}};
    lpu_prices prices;

    for (size_t i = 0; i < sizeof(published) / sizeof(published[0]); i++) {
        CHECK_OK(lpu_prices_load(&prices, published[i].logic, "lpddr5x", diag));
        const double pj = prices.of[row_of(published[i].counter)].pj_each;
        CHECK(is_near(pj, published[i].pj, 1e-9), "%s of %s is %g", published[i].counter,
              published[i].logic, pj);
        /* 32 bits of a tree are one INT32 addition */
        CHECK(is_near(32 * prices.of[row_of("tree_add_bits")].pj_each,
                      prices.of[row_of("accum_adds")].pj_each, 1e-9),
              "tree_add_bits");
        CHECK(is_near(prices.of[row_of("lane_adds")].pj_each,
                      8 * 0.4 * prices.of[row_of("tree_add_bits")].pj_each, 1e-9),
              "lane_adds");
    }
    for (size_t i = 0; i < sizeof(memories) / sizeof(memories[0]); i++) {
        CHECK_OK(lpu_prices_load(&prices, "7nm-literature", memories[i].dram, diag));
        const double pj = prices.of[row_of("dram_read_bytes")].pj_each;
        CHECK(is_near(pj, 8 * memories[i].pj_per_bit, 1e-3), "%s reads at %g", memories[i].dram,
              pj);
        CHECK(prices.of[row_of("dram_write_bytes")].pj_each == pj, "%s writes", memories[i].dram);
    }
}

/* ---- the papers ---- */

/* A decoder of the papers: 12 h^2 weights a layer, as 4 h^2 of attention and 2 x 4 h^2 without a
 * gate (a gated one of 8 h / 3 has as many, but 8 h / 3 is seldom whole). */
static lpu_model decoder(uint32_t hidden, uint32_t layers, lpu_weight_kind weights)
{
    return (lpu_model){.weights = weights,
                       .hidden_elems = hidden,
                       .ffn_elems = 4 * hidden,
                       .vocab_elems = 32000,
                       .layers = layers,
                       .heads = hidden / 128,
                       .kv_heads = hidden / 128,
                       .head_elems = 128,
                       .kv_layers = layers,
                       .context_tokens = 2048,
                       .activation_bits = 8};
}

static void b158_figure_3(void)
{
    /* arXiv 2402.17764, figure 3, for 512 tokens: joules as plotted (vector drawing), and ratios as
     * printed. 3B is plotted for 2560 x 32, not for the shape that was trained. */
    static const struct {
        uint32_t hidden, layers;
        double llama_j, bitnet_j, ratio;
    } rows[] = {
        {2048, 24, 0.3220, 0.01730, 18.6}, {2560, 32, 0.6655, 0.03066, 21.7},
        {4096, 32, 1.6834, 0.05776, 29.1}, {5120, 40, 3.2740, 0.09927, 32.9},
        {8192, 80, 16.662, 0.40429, 41.2},
    };
    lpu_paper_prices p;

    CHECK_OK(lpu_paper_load(&p, "7nm", diag));
    CHECK(is_near((p.mul_f16 + p.add_f16) / p.add_i8, 71.4, 0.001), "not 71.4x");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const lpu_model f16 = decoder(rows[i].hidden, rows[i].layers, LPU_WEIGHTS_FP16);
        const lpu_model b158 = decoder(rows[i].hidden, rows[i].layers, LPU_WEIGHTS_TERNARY);
        const double llama_j = 1e-12 * lpu_energy_paper_pass_pj(&p, &f16, 512);
        const double bitnet_j = 1e-12 * lpu_energy_paper_pass_pj(&p, &b158, 512);

        CHECK(is_near(llama_j, rows[i].llama_j, 0.001), "LLaMA %u: %g J", rows[i].hidden, llama_j);
        CHECK(is_near(bitnet_j, rows[i].bitnet_j, 0.01), "BitNet %u: %g J", rows[i].hidden,
              bitnet_j);
        CHECK(is_near(llama_j / bitnet_j, rows[i].ratio, 0.01), "%u: %gx", rows[i].hidden,
              llama_j / bitnet_j);
    }
    /* The gated form of the same size: 8 h / 3 is whole for h = 3072. */
    lpu_model glu = decoder(3072, 28, LPU_WEIGHTS_TERNARY), plain = glu;
    glu.is_gated = true, glu.ffn_elems = 8192;
    CHECK(lpu_energy_paper_pass_pj(&p, &glu, 512) == lpu_energy_paper_pass_pj(&p, &plain, 512),
          "a gate of 8 h / 3 is not 12 h^2");
}

static void model_2b4t_and_its_baselines(void)
{
    /* arXiv 2504.12285, table 1. Shapes: the models' own configurations. */
    static const struct {
        const char *name;
        lpu_model m;
        double j;
    } rows[] = {
#define SHAPE(h, f, l, q, kv, d)                                                                   \
    .is_gated = true, .hidden_elems = h, .ffn_elems = f, .layers = l, .kv_layers = l, .heads = q,  \
    .kv_heads = kv, .head_elems = d
        {"2B4T", {.weights = LPU_WEIGHTS_TERNARY, SHAPE(2560, 6912, 30, 20, 5, 128)}, 0.0276},
        {"LLaMA 3.2 1B", {.weights = LPU_WEIGHTS_FP16, SHAPE(2048, 8192, 16, 32, 8, 64)}, 0.258},
        {"Gemma 3 1B", {.weights = LPU_WEIGHTS_FP16, SHAPE(1152, 6912, 26, 4, 1, 256)}, 0.186},
        {"Qwen2.5 1.5B", {.weights = LPU_WEIGHTS_FP16, SHAPE(1536, 8960, 28, 12, 2, 128)}, 0.347},
        {"SmolLM2 1.7B", {.weights = LPU_WEIGHTS_FP16, SHAPE(2048, 8192, 24, 32, 32, 64)}, 0.425},
        {"MiniCPM 2B", {.weights = LPU_WEIGHTS_FP16, SHAPE(2304, 5760, 40, 36, 36, 64)}, 0.649},
#undef SHAPE
    };
    lpu_paper_prices p;

    CHECK_OK(lpu_paper_load(&p, "7nm", diag));
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const double j = 1e-12 * lpu_energy_paper_pass_pj(&p, &rows[i].m, 512);
        /* published with three digits; 0.028 is 0.0276 with two */
        CHECK(is_near(j, rows[i].j, 0.004), "%s: %g J, published %g", rows[i].name, j, rows[i].j);
    }
}

/* arXiv 2310.11453, table 1: joules for 512 tokens: 7 nm MUL, ADD, 45 nm MUL, ADD. */
static const struct table_1 {
    uint32_t hidden, layers, bits;
    double j[4];
} table_1[] = {
    {4096, 32, 32, {4.41, 1.28, 12.46, 3.03}},   {4096, 32, 16, {1.14, 0.54, 3.70, 1.35}},
    {4096, 32, 1, {0.02, 0.04, 0.08, 0.13}},     {5120, 40, 32, {8.58, 2.49, 24.23, 5.89}},
    {5120, 40, 16, {2.23, 1.05, 7.20, 2.62}},    {5120, 40, 1, {0.04, 0.06, 0.12, 0.24}},
    {7168, 48, 32, {20.09, 5.83, 56.73, 13.80}}, {7168, 48, 16, {5.21, 2.45, 16.87, 6.13}},
    {7168, 48, 1, {0.06, 0.14, 0.20, 0.53}},
};

/* Two of the 36 cannot be met: BitNet's additions at 7 nm, 0.034 J where 0.04 is printed (6.7B) and
 * 0.135 where 0.14 is (30B); 13B, 0.062, agrees with its 0.06. A price of 0.0073 pJ for the INT8
 * addition in the place of the 0.007 of the paper's own table 2 would give all three. */
static bool is_exception(const struct table_1 *row, int column)
{
    return row->bits == 1 && column == 1 && row->hidden != 5120;
}

static void bitnet_table_1(void)
{
    lpu_paper_prices p[2];

    CHECK_OK(lpu_paper_load(&p[0], "7nm", diag));
    CHECK_OK(lpu_paper_load(&p[1], "45nm", diag));
    for (size_t i = 0; i < sizeof(table_1) / sizeof(table_1[0]); i++) {
        const struct table_1 *row = &table_1[i];
        const lpu_model m = decoder(row->hidden, row->layers, LPU_WEIGHTS_BINARY);

        for (int node = 0; node < 2; node++) {
            const lpu_bitnet_energy e = lpu_energy_bitnet_pass(&p[node], &m, 512, row->bits);
            for (int column = 2 * node; column < 2 * node + 2; column++) {
                const double j = 1e-12 * (column & 1 ? e.add_pj : e.mul_pj);
                const double off = fabs(j - row->j[column]);
                /* printed with two decimals */
                if (!is_exception(row, column)) {
                    CHECK(off <= 0.0051, "%u, %u bits, column %d: %g J, printed %g", row->hidden,
                          row->bits, column, j, row->j[column]);
                } else {
                    CHECK(off > 0.005 && off < 0.007, "%u: %g J is no exception", row->hidden, j);
                }
            }
        }
    }
}

static void bitnet_figure_1(void)
{
    /* arXiv 2310.11453, figure 1: energy of FP16 over BitNet, 7 nm. */
    static const struct {
        uint32_t hidden, layers, heads;
        double ratio;
    } rows[] = {{768, 12, 12, 8.8},   {1024, 24, 16, 11.0}, {1536, 24, 16, 15.0},
                {2048, 24, 32, 18.6}, {2560, 32, 32, 21.7}, {7168, 48, 56, 38.8}};
    lpu_paper_prices p;

    CHECK_OK(lpu_paper_load(&p, "7nm", diag));
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        lpu_model m = decoder(rows[i].hidden, rows[i].layers, LPU_WEIGHTS_BINARY);
        m.heads = m.kv_heads = rows[i].heads, m.head_elems = rows[i].hidden / rows[i].heads;
        const lpu_bitnet_energy f16 = lpu_energy_bitnet_pass(&p, &m, 512, 16);
        const lpu_bitnet_energy bit = lpu_energy_bitnet_pass(&p, &m, 512, 1);
        const double ratio = (f16.mul_pj + f16.add_pj) / (bit.mul_pj + bit.add_pj);
        CHECK(is_near(ratio, rows[i].ratio, 0.01), "%u: %gx, published %g", rows[i].hidden, ratio,
              rows[i].ratio);
    }
}

static void bitnet_product_by_hand(void)
{
    const lpu_paper_prices p = {
        .mul_f32 = 1000, .add_f32 = 100, .mul_f16 = 10, .add_f16 = 1, .add_i8 = 0.25};
    const lpu_model m = {.hidden_elems = 4,
                         .ffn_elems = 6,
                         .layers = 2,
                         .kv_layers = 1,
                         .heads = 2,
                         .kv_heads = 1,
                         .head_elems = 2,
                         .is_gated = true};
    /* 3 tokens. q and o 4 x 4; k and v 4 x 2; gate and up 4 x 6; down 6 x 4: 120 weights a layer.
     * Attention of one layer: 2 heads, scores 3 x 2 x 3, values 3 x 3 x 2. */
    const lpu_bitnet_energy f32 = lpu_energy_bitnet_pass(&p, &m, 3, 32);
    CHECK(f32.mul_pj == 1000.0 * (2 * 3 * 120 + 2 * (18 + 18)), "mul %g", f32.mul_pj);
    /* (n - 1): q, o, k, v, gate and up lose 3 x outputs, down too */
    const double adds = 3.0 * (120 - (4 + 2 + 2 + 4 + 6 + 6 + 4));
    CHECK(f32.add_pj == 100 * (2 * adds + 2 * (3 * 1 * 3 + 3 * 2 * 2)), "add %g", f32.add_pj);

    const lpu_bitnet_energy one = lpu_energy_bitnet_pass(&p, &m, 3, 1);
    const double scales = 3.0 * (8 + 6 + 6 + 8 + 10 + 10 + 10); /* m p + m n */
    CHECK(one.mul_pj == 10 * (2 * scales + 2 * (18 + 18)), "mul %g", one.mul_pj);
    CHECK(one.add_pj == 0.25 * 2 * adds + 2 * (3 * 1 * 3 + 3 * 2 * 2), "add %g", one.add_pj);

    /* Figure 3's formula: 240 weights; attention in one layer of the two, on queries 4 wide. */
    lpu_model wide = m;
    wide.weights = LPU_WEIGHTS_TERNARY, wide.hidden_elems = 5;
    CHECK(lpu_energy_paper_pass_pj(&p, &m, 3) == 0.25 * 3 * 240 + 11 * (2 * 3 * 3 * 4), "pass");
    CHECK(lpu_energy_paper_pass_pj(&p, &wide, 3) == 0.25 * 3 * 300 + 11 * (2 * 3 * 3 * 4), "wide");
}

static void trace_op_by_op(void)
{
    const lpu_paper_prices p = {.mul_f16 = 10, .add_f16 = 1, .add_i8 = 0.5};
    lpu_op ops[4] = {{.operand = LPU_OPERAND_LINEAR, .macs = 1000},
                     {.operand = LPU_OPERAND_KV, .macs = 30},
                     {.operand = LPU_OPERAND_HEAD, .macs = 1 << 20},
                     {.operand = LPU_OPERAND_NONE}};
    lpu_trace trace = {.model = {.weights = LPU_WEIGHTS_TERNARY}, .ops = ops, .count = 4};
    double pj[4];

    CHECK(lpu_energy_paper_trace_pj(&p, &trace, pj) == 500 + 330, "sum");
    CHECK(pj[0] == 500 && pj[1] == 330 && pj[2] == 0 && pj[3] == 0, "op by op");
    trace.model.weights = LPU_WEIGHTS_BINARY;
    CHECK(lpu_energy_paper_trace_pj(&p, &trace, NULL) == 500 + 330, "binary");
    trace.model.weights = LPU_WEIGHTS_FP16;
    CHECK(lpu_energy_paper_trace_pj(&p, &trace, NULL) == 11000 + 330, "FP16");
}

/* A prefill of one prompt by its trace is the formula, but for the causal half of attention, which
 * the formula charges in full. */
static void trace_agrees_with_the_formula(void)
{
    lpu_paper_prices p;
    lpu_trace *trace = NULL;
    lpu_model m;

    CHECK_OK(lpu_paper_load(&p, "7nm", diag));
    CHECK_OK(lpu_model_load(&m, "bitnet-b1.58-2b4t", diag));
    CHECK_OK(lpu_trace_open(&trace, &m, LPU_PHASE_PREFILL, 512, 0, 1, diag));
    const double by_trace = lpu_energy_paper_trace_pj(&p, trace, NULL);
    const double linear = p.add_i8 * 512 * 2084044800.0;
    const double by_pass = lpu_energy_paper_pass_pj(&p, &m, 512);
    lpu_trace_close(&trace);
    CHECK(by_trace > linear && by_trace <= by_pass * (1 + 1e-9), "trace %g, formula %g", by_trace,
          by_pass);
    CHECK(is_near(by_pass - linear, 0.5 * 2 * 30 * 512.0 * 512 * 2560, 1e-9), "attention");
}

static void wrong_papers(void)
{
    static const struct {
        const char *text, *says;
    } wrong[] = {
        {"mul_f32 1 x\n", "paper-1nm.tsv:1: ends without a price of add_f32"},
        {"# a\nmul_f32 1 x\nmul_f32 1 x\n", ":3: found mul_f32 again"},
        {"mul_f64 1 x\n", ":1: found mul_f64"},
        {"mul_f32 free x\n", ":1: mul_f32 is free"},
        {"mul_f32 1\n", ":1: the price of mul_f32 has no source"},
    };
    lpu_paper_prices p;
    lpu_diag diag;

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        write_file("paper-1nm.tsv", wrong[i].text);
        CHECK(lpu_paper_load(&p, "1nm", &diag) == LPU_ERR_FORMAT, "paper %zu is accepted", i);
        CHECK(strstr(diag.text, wrong[i].says), "\"%s\", expected %s", diag.text, wrong[i].says);
    }
    CHECK(lpu_paper_load(&p, "3nm", &diag) == LPU_ERR_IO, "no node");
    CHECK(strstr(diag.text, "paper-1nm"), "%s", diag.text);
}

/* A home of its own, so that wrong tables never stand beside the real ones. */
static bool open_home(void)
{
    char path[200];

    snprintf(dir, sizeof(dir), "/tmp/lpu-energy-test-XXXXXX");
    if (!mkdtemp(dir)) return false;
    snprintf(path, sizeof(path), "%s/energy_model", dir);
    if (mkdir(path, 0700)) return false;
    path_of(path, "");
    return !mkdir(path, 0700) && !setenv("LPU_HOME", dir, 1);
}

static void close_home(void)
{
    static const char *const files[] = {
        "good.tsv", "dram-good.tsv", "dram-bad.tsv", "wrong.tsv", "long.tsv", "paper-1nm.tsv", ""};
    char path[200];

    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        path_of(path, files[i]);
        remove(path);
    }
    snprintf(path, sizeof(path), "%s/energy_model", dir);
    rmdir(path);
    rmdir(dir);
    unsetenv("LPU_HOME");
}

int main(void)
{
    if (!open_home()) {
        printf("not ok  a temporary directory\n");
        return 1;
    }
    RUN(every_row_arrives);
    RUN(wrong_tables_name_file_and_line);
    RUN(wrong_memories_and_names);
    RUN(wrong_papers);
    close_home();

    RUN(counts_times_prices);
    RUN(shipped_tables_hold_the_published_figures);
    RUN(b158_figure_3);
    RUN(model_2b4t_and_its_baselines);
    RUN(bitnet_table_1);
    RUN(bitnet_figure_1);
    RUN(bitnet_product_by_hand);
    RUN(trace_op_by_op);
    RUN(trace_agrees_with_the_formula);
    return test_failures != 0;
}
