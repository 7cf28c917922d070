/* tests/unit/train_test.c - training learns, goes on where it was, and exports what it trained. */
#include "kernels/forward.h"
#include "workloads/gguf.h"
#include "workloads/train/train.h"

#include "tests/unit/test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { TOKENS = 3000, CONTEXT = 24, VOCAB = 300 };

static int32_t *text; /* (TOKENS) */
static char base[64];

static const char *path_of(const char *name)
{
    static char paths[4][128];
    static int next;
    char *path = paths[next++ & 3];
    snprintf(path, sizeof(paths[0]), "%s_%s", base, name);
    return path;
}

/* A sentence of 17 tokens again and again. */
static void make_text(void)
{
    text = malloc(TOKENS * sizeof(*text));
    for (int i = 0; i < TOKENS; i++) text[i] = (i % 17) * (i % 17) * 5 % VOCAB;
}

/* Rows of 256: whole blocks of the ternary formats. */
static lpu_train_options tiny(void)
{
    lpu_train_options o = {.model = lpu_train_model(),
                           .batch = 4,
                           .steps = 30,
                           .warmup_steps = 5,
                           .threads = 2,
                           .seed = 3,
                           .schedule = LPU_TRAIN_TWO_STAGE,
                           .peak_rate = 2e-3,
                           .weight_decay = 0.1,
                           .clip_norm = 1};
    lpu_model *m = &o.model;
    m->hidden_elems = m->ffn_elems = 256;
    m->vocab_elems = VOCAB;
    m->layers = m->kv_layers = 2;
    m->heads = 4;
    m->kv_heads = 2;
    m->head_elems = 64;
    m->context_tokens = CONTEXT;
    return o;
}

/* Runs until step; the last report. */
static lpu_status run_to(lpu_train *t, uint32_t step, lpu_train_report *r, lpu_diag *diag)
{
    lpu_status status = LPU_OK;
    while (!status && lpu_train_steps(t) < step) status = lpu_train_step(t, r, diag);
    return status;
}

/* Two files hold the same bytes, of which there are some. */
static int same_files(const char *a, const char *b)
{
    FILE *f = fopen(a, "rb"), *g = fopen(b, "rb");
    int x = 0, y = 0;
    long count = -1;

    while (f && g && x != EOF && x == y) {
        x = fgetc(f);
        y = fgetc(g);
        count++;
    }
    if (f) fclose(f);
    if (g) fclose(g);
    return x == EOF && y == EOF && count > 1000;
}

static void learns(bool is_twin)
{
    lpu_train_options o = tiny();
    lpu_train_report first = {0}, last = {0};
    lpu_train *t;

    o.is_twin = is_twin;
    CHECK_OK(lpu_train_open(&t, &o, text, TOKENS, diag));
    CHECK_OK(run_to(t, 1, &first, diag));
    CHECK_OK(run_to(t, o.steps, &last, diag));
    CHECK(fabs(first.loss - log(VOCAB)) < 1, "the first loss is %g, that of no idea %g", first.loss,
          log(VOCAB));
    CHECK(last.loss < 0.5, "the last loss is %g", last.loss);
    CHECK_EQ(lpu_train_step(t, &last, NULL), LPU_DONE);
    lpu_train_close(&t);
}

static void ternary_learns(void)
{
    learns(false);
}
static void twin_learns(void)
{
    learns(true);
}

/* 12 steps, against 7 steps, a checkpoint, and 5 steps of another trainer. */
static void resumes_to_the_byte(void)
{
    lpu_train_options o = tiny();
    lpu_train_report r;
    lpu_train *whole, *half, *rest;

    o.steps = 12;
    CHECK_OK(lpu_train_open(&whole, &o, text, TOKENS, diag));
    CHECK_OK(run_to(whole, 12, &r, diag));
    CHECK_OK(lpu_train_save(whole, path_of("whole"), diag));
    CHECK_OK(lpu_train_open(&half, &o, text, TOKENS, diag));
    CHECK_OK(run_to(half, 7, &r, diag));
    CHECK_OK(lpu_train_save(half, path_of("half"), diag));
    CHECK(!same_files(path_of("whole"), path_of("half")), "7 steps are 12");
    CHECK_OK(lpu_train_open(&rest, &o, text, TOKENS, diag));
    CHECK_OK(lpu_train_load(rest, path_of("half"), diag));
    CHECK_EQ(lpu_train_steps(rest), 7);
    CHECK_OK(run_to(rest, 12, &r, diag));
    CHECK_OK(lpu_train_save(rest, path_of("rest"), diag));
    CHECK(same_files(path_of("whole"), path_of("rest")), "the resumed run is another");
    lpu_train_close(&whole);
    lpu_train_close(&half);
    lpu_train_close(&rest);
}

/* A checkpoint of another seed, a short one, and a file that is none leave the trainer as it was.
 */
static void refuses_checkpoints(void)
{
    lpu_train_options o = tiny();
    lpu_diag why = {""};
    lpu_train *t;

    o.steps = 12;
    CHECK_OK(lpu_train_open(&t, &o, text, TOKENS, diag));
    CHECK(!truncate(path_of("half"), 100000), "cannot truncate");
    CHECK_EQ(lpu_train_load(t, path_of("half"), &why), LPU_ERR_FORMAT);
    CHECK(strstr(why.text, "bytes in all"), "\"%s\"", why.text);
    CHECK(!truncate(path_of("half"), 3), "cannot truncate");
    CHECK_EQ(lpu_train_load(t, path_of("half"), &why), LPU_ERR_FORMAT);
    CHECK_EQ(lpu_train_load(t, path_of("nowhere"), &why), LPU_ERR_IO);
    CHECK_EQ(lpu_train_steps(t), 0);
    lpu_train_close(&t);
    o.seed++;
    CHECK_OK(lpu_train_open(&t, &o, text, TOKENS, diag));
    CHECK_EQ(lpu_train_load(t, path_of("whole"), &why), LPU_ERR_FORMAT);
    CHECK(strstr(why.text, "other options"), "\"%s\"", why.text);
    lpu_train_close(&t);
}

/* Mean -ln p of one sequence by the project's FP16 pass, token by token. */
static lpu_status forward_loss(const char *path, double *loss, lpu_diag *diag)
{
    lpu_weights *w = NULL;
    lpu_forward *f = NULL;
    lpu_status status = lpu_weights_open(&w, path, 5, 0, diag);

    *loss = 0;
    if (!status) status = lpu_forward_open(&f, w, LPU_FORWARD_FP16, 5, CONTEXT, 1, diag);
    for (int i = 0; i < CONTEXT && !status; i++) {
        int32_t next;
        double sum = 0;
        status = lpu_forward_run(f, text + i, 1, &next, diag);
        if (status) break;
        const float *logits = lpu_forward_logits_f32(f);
        for (int v = 0; v < VOCAB; v++) sum += exp((double)(logits[v] - logits[next]));
        *loss += log(sum) - (double)(logits[text[i + 1]] - logits[next]);
    }
    *loss /= CONTEXT;
    lpu_forward_close(&f);
    lpu_weights_close(&w);
    return status;
}

/* The pass rounds keys, values and activations to halves on its way; the trainer does not. A step
 * of rounding that falls to the other side moves a loss of some nats by thousandths. */
static void exports_what_it_trained(void)
{
    static const lpu_quant types[] = {LPU_QUANT_TQ2_0, LPU_QUANT_TQ1_0};
    static const char corpus[] = "one two three four five six seven eight nine ten eleven twelve "
                                 "thirteen fourteen fifteen sixteen seventeen eighteen nineteen";
    lpu_train_options o = tiny();
    lpu_train_report r;
    lpu_train *t;
    lpu_tokenizer *k;
    double trained, run;

    CHECK_OK(lpu_tokenizer_train(&k, corpus, strlen(corpus), VOCAB, diag));
    for (int i = 0; i < 4; i++) {
        o.model.activation = i < 2 ? LPU_ACT_RELU2 : LPU_ACT_SILU;
        CHECK_OK(lpu_train_open(&t, &o, text, TOKENS, diag));
        CHECK_OK(run_to(t, 9, &r, diag));
        CHECK_OK(lpu_train_loss(t, text, CONTEXT + 1, 9, &trained, diag));
        CHECK_OK(lpu_train_export(t, path_of("gguf"), k, types[i & 1], diag));
        CHECK_OK(forward_loss(path_of("gguf"), &run, diag));
        CHECK(trained > 0.5 && trained < 5.5, "the loss is %g", trained);
        CHECK(fabs(run - trained) < 1e-3 * trained, "the trainer's loss is %.6f, the file's %.6f",
              trained, run);
        lpu_train_close(&t);
    }
    o.is_twin = true; /* of full precision: nothing is rounded but keys and values */
    CHECK_OK(lpu_train_open(&t, &o, text, TOKENS, diag));
    CHECK_OK(run_to(t, 9, &r, diag));
    CHECK_OK(lpu_train_loss(t, text, CONTEXT + 1, 9, &trained, diag));
    CHECK_OK(lpu_train_export(t, path_of("twin"), k, types[0], diag));
    CHECK_OK(forward_loss(path_of("twin"), &run, diag));
    CHECK(fabs(run - trained) < 1e-3 * trained, "the twin's loss is %.6f, its file's %.6f", trained,
          run);
    lpu_train_close(&t);

    lpu_gguf *g;
    lpu_tokenizer *back;
    CHECK_OK(lpu_gguf_open(&g, path_of("gguf"), diag));
    CHECK(lpu_gguf_find(g, "blk.1.ffn_down.weight")->type == LPU_QUANT_TQ1_0,
          "ffn_down is no TQ1_0");
    CHECK_OK(lpu_tokenizer_load(&back, g, diag));
    CHECK_EQ(lpu_tokenizer_vocab(back), VOCAB);
    lpu_gguf_close(&g);
    lpu_tokenizer_close(&back);
    lpu_tokenizer_close(&k);
}

static void bad_arguments(void)
{
    lpu_diag why = {""};
    lpu_train_options o = tiny();
    lpu_train *t;
    const int32_t beyond[CONTEXT + 1] = {[CONTEXT] = VOCAB};

    CHECK_EQ(lpu_train_open(&t, &o, text, CONTEXT, &why), LPU_ERR_RANGE);
    CHECK(strstr(why.text, "found 24 tokens, expected at least 25"), "\"%s\"", why.text);
    CHECK_EQ(lpu_train_open(&t, &o, beyond, CONTEXT + 1, &why), LPU_ERR_RANGE);
    CHECK(strstr(why.text, "token 24 is 300, expected 0 to 299"), "\"%s\"", why.text);
    o.model.is_tied = false;
    CHECK_EQ(lpu_train_open(&t, &o, text, TOKENS, &why), LPU_ERR_RANGE);
    o = tiny();
    o.threads = 65;
    CHECK_EQ(lpu_train_open(&t, &o, text, TOKENS, &why), LPU_ERR_RANGE);
    o = tiny();
    o.peak_rate = NAN;
    CHECK_EQ(lpu_train_open(&t, &o, text, TOKENS, &why), LPU_ERR_RANGE);
}

int main(void)
{
    snprintf(base, sizeof(base), "/tmp/lpu_train_test_%ld", (long)getpid());
    make_text();
    RUN(ternary_learns);
    RUN(twin_learns);
    RUN(resumes_to_the_byte);
    RUN(refuses_checkpoints);
    RUN(exports_what_it_trained);
    RUN(bad_arguments);
    static const char *const names[] = {"whole", "half", "rest", "gguf", "twin"};
    for (int i = 0; i < 5; i++) unlink(path_of(names[i]));
    free(text);
    return test_failures != 0;
}
