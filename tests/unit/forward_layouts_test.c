/* tests/unit/forward_layouts_test.c - one model in every format of its weights: what must be equal,
 * what must be near, and what a cache may forget. */
#include "kernels/cpu.h"
#include "kernels/forward.h"
#include "kernels/measure_model.h"
#include "tests/unit/small_model.h"
#include "tests/unit/test.h"
#include "workloads/synth.h"

#include <math.h>
#include <stdlib.h>
#include <unistd.h>

enum { CONTEXT = 48, PROMPT = 21 };

static lpu_status open_weights(lpu_weights **w, lpu_diag *diag)
{
    const lpu_model m = small_model(LPU_ACT_RELU2, true, true, CONTEXT);
    const lpu_synth synth = {.model = &m,
                             .type = LPU_QUANT_TQ2_0,
                             .embed_type = LPU_QUANT_F16,
                             .zero_share = 0.3,
                             .seed = 7};
    char path[64];

    snprintf(path, sizeof(path), "/tmp/forward_layouts_test.%d", (int)getpid());
    lpu_status status = lpu_synth_write(path, &synth, diag);
    if (!status) status = lpu_weights_open(w, path, 5, CONTEXT, diag);
    unlink(path);
    return status;
}

static void fill_prompt(int32_t *tokens, const lpu_weights *w)
{
    for (uint32_t i = 0; i < CONTEXT; i++) {
        tokens[i] = (int32_t)((i * 2654435761u >> 7) % w->model.vocab_elems);
    }
}

/* The integers of a pass do not depend on how the weights are stored. */
static void integer_layouts_are_equal(void)
{
    static const lpu_layout layouts[] = {LPU_LAYOUT_B3, LPU_LAYOUT_T2, LPU_LAYOUT_I4,
                                         LPU_LAYOUT_I8};
    int32_t tokens[CONTEXT], first = 0, next, *logits;
    lpu_weights *w;

    CHECK_OK(open_weights(&w, diag));
    const size_t n = w->model.vocab_elems;
    fill_prompt(tokens, w);
    logits = malloc(n * sizeof(*logits));
    if (!logits) abort();
    for (size_t i = 0; i < sizeof(layouts) / sizeof(*layouts); i++) {
        lpu_forward *f;
        CHECK_OK(lpu_forward_open_layout(&f, w, layouts[i], 5, CONTEXT, 2, diag));
        CHECK_OK(lpu_forward_run(f, tokens, PROMPT, &next, diag));
        if (!i) {
            first = next;
            memcpy(logits, lpu_forward_logits_x32(f), n * sizeof(*logits));
        }
        CHECK_EQ(next, first);
        CHECK(!memcmp(logits, lpu_forward_logits_x32(f), n * sizeof(*logits)),
              "the logits of %s are not those of %s", lpu_layout_name(layouts[i]),
              lpu_layout_name(layouts[0]));
        lpu_forward_close(&f);
    }
    free(logits);
    lpu_weights_close(&w);
}

static double angle(const float *a, const float *b, size_t n)
{
    double aa = 0, bb = 0, ab = 0;
    for (size_t i = 0; i < n; i++) {
        aa += (double)a[i] * (double)a[i];
        bb += (double)b[i] * (double)b[i];
        ab += (double)a[i] * (double)b[i];
    }
    return ab / sqrt(aa * bb);
}

/* Q4_0 holds one sign of a ternary weight exactly, the other as 7/8 of it. */
static void real_layouts_are_near(void)
{
    static const struct {
        lpu_layout layout;
        double cosine;
    } kinds[] = {{LPU_LAYOUT_F16, 1},
                 {LPU_LAYOUT_BF16, 0.998},
                 {LPU_LAYOUT_Q8, 0.998},
                 {LPU_LAYOUT_Q4, 0.93}};
    int32_t tokens[CONTEXT], next;
    lpu_weights *w;

    CHECK_OK(open_weights(&w, diag));
    const size_t n = w->model.vocab_elems;
    fill_prompt(tokens, w);
    float *logits = malloc(n * sizeof(*logits));
    if (!logits) abort();
    for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
        lpu_forward *f;
        CHECK_OK(lpu_forward_open_layout(&f, w, kinds[i].layout, 5, CONTEXT, 2, diag));
        CHECK_OK(lpu_forward_run(f, tokens, PROMPT, &next, diag));
        if (!i) memcpy(logits, lpu_forward_logits_f32(f), n * sizeof(*logits));
        const double cosine = angle(logits, lpu_forward_logits_f32(f), n);
        CHECK(cosine > kinds[i].cosine - 1e-9, "%s: cosine %.5f, expected above %.3f",
              lpu_layout_name(kinds[i].layout), cosine, kinds[i].cosine);
        lpu_forward_close(&f);
    }
    free(logits);
    lpu_weights_close(&w);
}

/* Tokens taken back leave no trace; made-up ones may be there; times grow. */
static void check_cache(const lpu_weights *w, lpu_layout layout, int32_t *tokens)
{
    int32_t first, next;
    lpu_diag why = {""};
    lpu_forward *f;
    double before[LPU_FORWARD_PARTS];

    CHECK_OK(lpu_forward_open_layout(&f, w, layout, 5, CONTEXT, 2, diag));
    CHECK_OK(lpu_forward_run(f, tokens, PROMPT, &first, diag));
    CHECK_OK(lpu_forward_run(f, tokens + 3, 9, &next, diag));
    CHECK_EQ(lpu_forward_keep(f, PROMPT + 10, &why), LPU_ERR_RANGE);
    CHECK_OK(lpu_forward_keep(f, PROMPT - 5, diag));
    CHECK_OK(lpu_forward_run(f, tokens + PROMPT - 5, 5, &next, diag));
    CHECK_EQ(next, first);

    CHECK_EQ(lpu_forward_fill(f, CONTEXT + 1, &why), LPU_ERR_RANGE);
    CHECK_OK(lpu_forward_fill(f, CONTEXT - 2, diag));
    memcpy(before, lpu_forward_part_ns(f), sizeof(before));
    CHECK_OK(lpu_forward_run(f, tokens, 2, &next, diag));
    for (size_t i = 0; i < LPU_FORWARD_PARTS; i++) {
        CHECK(lpu_forward_part_ns(f)[i] > before[i], "part %zu took no time", i);
    }
    CHECK_EQ(lpu_forward_run(f, tokens, 1, &next, &why), LPU_ERR_RANGE);
    CHECK_OK(lpu_forward_keep(f, 0, diag));
    CHECK_OK(lpu_forward_run(f, tokens, PROMPT, &next, diag));
    CHECK_EQ(next, first);
    lpu_forward_close(&f);
}

static void a_cache_forgets(void)
{
    int32_t tokens[CONTEXT];
    lpu_weights *w;

    CHECK_OK(open_weights(&w, diag));
    fill_prompt(tokens, w);
    check_cache(w, LPU_LAYOUT_B3, tokens);
    check_cache(w, LPU_LAYOUT_F16, tokens);
    lpu_weights_close(&w);
}

/* Tokens that go through together, whose heads share what is read of the cache, see what they would
 * see one by one. */
static void together_is_one_by_one(void)
{
    int32_t tokens[CONTEXT], next;
    lpu_forward *f[2];
    lpu_weights *w;

    CHECK_OK(open_weights(&w, diag));
    fill_prompt(tokens, w);
    const size_t n = w->model.vocab_elems;
    for (size_t i = 0; i < 2; i++) {
        CHECK_OK(lpu_forward_open(&f[i], w, LPU_FORWARD_FP16, 5, CONTEXT, 1, diag));
    }
    CHECK_OK(lpu_forward_run(f[0], tokens, CONTEXT, &next, diag));
    for (size_t i = 0; i < CONTEXT; i++)
        CHECK_OK(lpu_forward_run(f[1], tokens + i, 1, &next, diag));
    const double cosine = angle(lpu_forward_logits_f32(f[0]), lpu_forward_logits_f32(f[1]), n);
    CHECK(cosine > 0.9999, "the cosine of the logits is %.6f, expected above 0.9999", cosine);
    lpu_forward_close(&f[0]);
    lpu_forward_close(&f[1]);
    lpu_weights_close(&w);
}

/* Times of layers are scaled up, that of the head is not; a test beyond the context is left out. */
static void a_model_is_measured(void)
{
    static lpu_measure_model m;
    static const uint32_t threads[] = {1, 2};
    static const lpu_layout layouts[] = {LPU_LAYOUT_F16, LPU_LAYOUT_B3};
    static const lpu_measure_test tests[] = {{16, 0}, {1, CONTEXT - 1}, {1, CONTEXT}, {4, 2}};
    lpu_diag why = {""};
    lpu_weights *w;

    CHECK_OK(open_weights(&w, diag));
    lpu_measure_model_options o = {.weights = w,
                                   .layers = 20,
                                   .kv_trits = 5,
                                   .threads = threads,
                                   .threads_count = 2,
                                   .layouts = layouts,
                                   .layout_count = 2,
                                   .tests = tests,
                                   .test_count = 4,
                                   .seconds = 0.1};

    CHECK_OK(lpu_measure_model_run(&m, &o, diag));
    CHECK_EQ(m.count, 2 * 2 * 3);
    CHECK_EQ(m.layers_timed, 2);
    for (size_t i = 0; i < m.count; i++) {
        const lpu_measure_pass *p = &m.passes[i];
        double all = 0;
        for (size_t j = 0; j < LPU_FORWARD_PARTS; j++) all += p->part_share[j];
        CHECK(fabs(all - 1) < 1e-9, "the shares of pass %zu add up to %g", i, all);
        CHECK(p->time.runs >= 3 &&
                  fabs(p->tokens_per_s * p->time.median_ns * 1e-9 - p->test.tokens) < 1e-6,
              "pass %zu: %u runs, %g tokens/s in %g ns", i, p->time.runs, p->tokens_per_s,
              p->time.median_ns);
    }
    CHECK_EQ(m.passes[4].test.tokens, 1);
    CHECK_EQ(m.passes[4].layout, LPU_LAYOUT_B3);
    CHECK_EQ(m.passes[6].threads, 2);
    /* 20 layers of 1.6 bits in whole blocks of 80 rows, and an int8 head. */
    CHECK_EQ(m.passes[3].weight_bytes,
             20ull * (256 * 16 * (4 + 2 * 2 + 4 + 2 * 7) + 512 * 16 * 4) + 256 * 336);
    o.layers = 1;
    CHECK_EQ(lpu_measure_model_run(&m, &o, &why), LPU_ERR_RANGE);
    lpu_weights_close(&w);
}

/* --- each instruction set in turn --- */

static const char *mask;

/* The same integers with the kernels of one instruction set as with the portable ones. */
static void masked_kernels_give_the_same_integers(void)
{
    int32_t tokens[CONTEXT], first, next;
    uint32_t allowed;
    lpu_forward *f[2];
    lpu_weights *w;

    CHECK_OK(lpu_cpu_parse(&allowed, mask, diag));
    if ((lpu_cpu_flags() & allowed) != allowed)
        SKIP("pass with LPU_CPU=%s: this CPU lacks it", mask);
    CHECK_OK(open_weights(&w, diag));
    fill_prompt(tokens, w);
    for (size_t i = 0; i < 2; i++) {
        setenv("LPU_CPU", i ? mask : "c", 1);
        CHECK_OK(lpu_forward_open(&f[i], w, LPU_FORWARD_TERNARY, 4, CONTEXT, 2, diag));
    }
    unsetenv("LPU_CPU");
    CHECK_OK(lpu_forward_run(f[0], tokens, PROMPT, &first, diag));
    CHECK_OK(lpu_forward_run(f[1], tokens, PROMPT, &next, diag));
    CHECK_EQ(next, first);
    CHECK(!memcmp(lpu_forward_logits_x32(f[0]), lpu_forward_logits_x32(f[1]),
                  w->model.vocab_elems * sizeof(int32_t)),
          "the logits with LPU_CPU=%s are not those of portable C", mask);
    lpu_forward_close(&f[0]);
    lpu_forward_close(&f[1]);
    lpu_weights_close(&w);
}

int main(void)
{
    static const char *const masks[] = {"avx2", "avx512vnni", "avx512vnni,avx512bf16",
                                        "avx512vnni,avx512fp16"};
    RUN(integer_layouts_are_equal);
    RUN(real_layouts_are_near);
    RUN(together_is_one_by_one);
    RUN(a_cache_forgets);
    RUN(a_model_is_measured);
    for (size_t i = 0; i < sizeof(masks) / sizeof(*masks); i++) {
        mask = masks[i];
        RUN(masked_kernels_give_the_same_integers);
    }
    return test_failures != 0;
}
