/* cli/train.c - lpu train: a small ternary model, or its full-precision twin, from a text. */
#include "cli/cli.h"

#include "workloads/train/train.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    TEXT_WINDOWS = 64, /* sequences of the training text that are measured; all of the held-out */
    LOG_WINDOWS = 64,  /* sequences of the held-out text that are measured on the way */
    TEXT_BYTES_MAX = 1 << 30,
    LINE_BYTES = 256,
};

static const char log_head[] = "step\ttokens\tloss\trate\tnorm\ttokens_per_s\theldout_loss\n";

static const double line_s = 2; /* between two lines of progress */

typedef struct options {
    const char *text, *heldout, *out, *checkpoint, *log;
    const char *type, *schedule, *activation, *rate, *decay;
    uint32_t hidden, ffn, layers, heads, kv_heads, vocab, context;
    uint32_t batch, steps, warmup, save_every, log_every, measure_every, threads, seed;
    bool is_twin;
} options;

static const options defaults = {.type = "tq2_0",
                                 .schedule = "two-stage",
                                 .activation = "relu2",
                                 .rate = "0.0015",
                                 .decay = "0.1",
                                 .hidden = 256,
                                 .ffn = 768,
                                 .layers = 8,
                                 .heads = 4,
                                 .vocab = 4096,
                                 .context = 256,
                                 .batch = 16,
                                 .steps = 1000,
                                 .warmup = 50,
                                 .save_every = 100,
                                 .log_every = 10,
                                 .measure_every = 100,
                                 .seed = 1};

/* One text: its bytes and its ids, bos first. */
typedef struct text {
    uint8_t *data;
    size_t bytes;
    int32_t *ids;
    size_t count;
} text;

typedef struct work {
    lpu_train_options train;
    lpu_quant type;
    text text, heldout;
    lpu_tokenizer *tokenizer;
    lpu_train *t;
    double begin_s, last_s;
    uint32_t first_step;
    FILE *log;
    double log_sum; /* of the losses since the last row */
    uint32_t log_steps;
} work;

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- the command line ---- */

static lpu_status read_real(const char *option, const char *given, double *value, lpu_diag *diag)
{
    char *end;

    *value = strtod(given, &end);
    if (end != given && !*end && *value >= 0 && *value <= 10) return LPU_OK;
    return lpu_fail(diag, LPU_ERR_RANGE, "found %s %s, expected a number from 0 to 10", option,
                    given);
}

/* The index of name in a list that ends with NULL. */
static lpu_status read_choice(const char *option, const char *name, const char *const *names,
                              int *index, lpu_diag *diag)
{
    for (*index = 0; names[*index]; (*index)++) {
        if (!strcmp(names[*index], name)) return LPU_OK;
    }
    return lpu_fail(diag, LPU_ERR_RANGE, "found %s %s, expected %s or %s", option, name, names[0],
                    names[1]);
}

static lpu_status read_shape(const options *o, lpu_model *m, lpu_diag *diag)
{
    static const char *const activations[] = {"relu2", "silu", NULL};
    int index;
    lpu_status status = read_choice("--activation", o->activation, activations, &index, diag);

    if (status) return status;
    if (!o->heads || o->hidden % o->heads) {
        return lpu_fail(diag, LPU_ERR_RANGE,
                        "found --hidden %u and --heads %u, expected a multiple of the heads",
                        o->hidden, o->heads);
    }
    *m = lpu_train_model();
    if (index) m->activation = LPU_ACT_SILU;
    m->hidden_elems = o->hidden;
    m->ffn_elems = o->ffn;
    m->layers = m->kv_layers = o->layers;
    m->heads = o->heads;
    m->kv_heads = o->kv_heads ? o->kv_heads : o->heads;
    m->head_elems = o->hidden / o->heads;
    m->vocab_elems = o->vocab;
    m->context_tokens = o->context;
    snprintf(m->name, sizeof(m->name), "setun-%ux%u%s", o->layers, o->hidden,
             o->is_twin ? "-fp16" : "");
    snprintf(m->title, sizeof(m->title), "%s", m->name);
    snprintf(m->family, sizeof(m->family), "Setun");
    return LPU_OK;
}

static lpu_status read_type(const options *o, lpu_quant *type, lpu_diag *diag)
{
    const lpu_quant_info *info = lpu_quants_named(o->type);

    if (!info || (info->type != LPU_QUANT_TQ1_0 && info->type != LPU_QUANT_TQ2_0)) {
        return lpu_fail(diag, LPU_ERR_RANGE, "found --type %s, expected tq1_0 or tq2_0", o->type);
    }
    *type = info->type;
    return LPU_OK;
}

static lpu_status read_options(const options *o, work *w, lpu_diag *diag)
{
    static const char *const schedules[] = {"cosine", "two-stage", NULL};
    lpu_train_options *t = &w->train;
    int schedule = 0;

    if (!o->text) return lpu_fail(diag, LPU_ERR_RANGE, "found no --text, expected a file");
    if (!o->out) return lpu_fail(diag, LPU_ERR_RANGE, "found no --out, expected a file to write");
    *t = (lpu_train_options){.is_twin = o->is_twin,
                             .batch = o->batch,
                             .steps = o->steps,
                             .warmup_steps = o->warmup,
                             .seed = o->seed,
                             .clip_norm = 1};
    const long cores = sysconf(_SC_NPROCESSORS_ONLN);
    t->threads = o->threads ? o->threads : (uint32_t)(cores > 1 ? cores : 1);
    if (t->threads > t->batch) t->threads = t->batch; /* a sequence is one thread's */
    if (!o->threads && t->threads > LPU_TRAIN_THREADS_MAX) t->threads = LPU_TRAIN_THREADS_MAX;

    lpu_status status = read_shape(o, &t->model, diag);
    if (!status) status = read_type(o, &w->type, diag);
    if (!status) status = read_choice("--schedule", o->schedule, schedules, &schedule, diag);
    if (!status) status = read_real("--rate", o->rate, &t->peak_rate, diag);
    if (!status) status = read_real("--decay", o->decay, &t->weight_decay, diag);
    t->schedule = schedule ? LPU_TRAIN_TWO_STAGE : LPU_TRAIN_COSINE;
    return status;
}

/* ---- texts ---- */

static lpu_status load_text(text *x, const char *path, lpu_diag *diag)
{
    FILE *file = fopen(path, "rb");
    struct stat info;
    lpu_status status = LPU_OK;

    if (!file || fstat(fileno(file), &info) || !S_ISREG(info.st_mode)) {
        if (file) fclose(file);
        return lpu_fail(diag, LPU_ERR_IO, "%s: %s", path, file ? "is no file" : strerror(errno));
    }
    if (info.st_size < 1 || info.st_size > TEXT_BYTES_MAX) {
        status = lpu_fail(diag, LPU_ERR_RANGE, "%s: found %lld bytes, expected 1 to %d", path,
                          (long long)info.st_size, TEXT_BYTES_MAX);
    } else {
        x->bytes = (size_t)info.st_size;
        x->data = malloc(x->bytes);
        if (!x->data) status = lpu_fail(diag, LPU_ERR_MEMORY, "%s: out of memory", path);
        else if (fread(x->data, 1, x->bytes, file) != x->bytes) {
            status = lpu_fail(diag, LPU_ERR_IO, "%s: cannot read it all", path);
        }
    }
    fclose(file);
    return status;
}

static lpu_status encode_text(text *x, const lpu_tokenizer *t, lpu_diag *diag)
{
    int32_t *ids;
    size_t count;
    lpu_status status = lpu_tokenizer_encode(t, x->data, x->bytes, &ids, &count, diag);

    if (status) return status;
    x->ids = malloc((count + 1) * sizeof(*x->ids));
    if (x->ids) {
        x->ids[0] = lpu_tokenizer_bos(t);
        memcpy(x->ids + 1, ids, count * sizeof(*ids));
        x->count = count + 1;
    }
    free(ids);
    return x->ids ? LPU_OK : lpu_fail(diag, LPU_ERR_MEMORY, "out of memory");
}

static lpu_status open_work(const options *o, work *w, lpu_diag *diag)
{
    lpu_status status = load_text(&w->text, o->text, diag);

    if (!status && o->heldout) status = load_text(&w->heldout, o->heldout, diag);
    if (!status) {
        status = lpu_tokenizer_train(&w->tokenizer, w->text.data, w->text.bytes,
                                     w->train.model.vocab_elems, diag);
    }
    if (!status) status = encode_text(&w->text, w->tokenizer, diag);
    if (!status && o->heldout) status = encode_text(&w->heldout, w->tokenizer, diag);
    if (!status && o->heldout && w->heldout.count <= w->train.model.context_tokens) {
        status = lpu_fail(diag, LPU_ERR_RANGE, "%s: found %zu tokens, expected at least %u",
                          o->heldout, w->heldout.count, w->train.model.context_tokens + 1);
    }
    if (!status) status = lpu_train_open(&w->t, &w->train, w->text.ids, w->text.count, diag);
    if (!status && o->checkpoint && !access(o->checkpoint, F_OK)) {
        status = lpu_train_load(w->t, o->checkpoint, diag);
    }
    return status;
}

static void close_work(work *w)
{
    if (w->log) fclose(w->log);
    lpu_train_close(&w->t);
    lpu_tokenizer_close(&w->tokenizer);
    free(w->text.data);
    free(w->text.ids);
    free(w->heldout.data);
    free(w->heldout.ids);
}

/* ---- training ---- */

static double tokens_per_s(const work *w, double now)
{
    const double steps = lpu_train_steps(w->t) - w->first_step;
    return steps * w->train.batch * w->train.model.context_tokens / (now - w->begin_s);
}

static void print_step(work *w, const lpu_train_report *r)
{
    const double now = now_s();

    if (now - w->last_s < line_s && r->step < w->train.steps) return;
    w->last_s = now;
    const double speed = tokens_per_s(w, now);
    const double left =
        (double)(w->train.steps - r->step) * w->train.batch * w->train.model.context_tokens / speed;
    fprintf(stderr, "step %u of %u  loss %.4f  norm %.2f  rate %.2e  %.0f tokens/s  %.0f s left\n",
            r->step, w->train.steps, r->loss, r->norm, r->rate, speed, left);
}

/* The log, with the rows of an earlier run up to the step of its checkpoint. */
static lpu_status open_log(const options *o, work *w, lpu_diag *diag)
{
    FILE *old = fopen(o->log, "r");
    char line[LINE_BYTES], *kept = NULL;
    size_t bytes = 0, row = 0;
    FILE *memory = open_memstream(&kept, &bytes);

    while (old && memory && fgets(line, sizeof(line), old)) {
        const unsigned long step = strtoul(line, NULL, 10);
        if (row++ && step && step <= lpu_train_steps(w->t)) fputs(line, memory);
    }
    if (old) fclose(old);
    if (memory) fclose(memory);
    w->log = fopen(o->log, "w");
    if (w->log) fputs(log_head, w->log);
    if (w->log && kept) fwrite(kept, 1, bytes, w->log);
    free(kept);
    return w->log && memory ? LPU_OK
                            : lpu_fail(diag, LPU_ERR_IO, "%s: %s", o->log, strerror(errno));
}

/* A row is the mean of the steps since the row before; the last column only where it was measured.
 */
static lpu_status log_step(const options *o, work *w, const lpu_train_report *r, lpu_diag *diag)
{
    const uint64_t tokens = (uint64_t)r->step * w->train.batch * w->train.model.context_tokens;
    const bool is_last = r->step == w->train.steps;
    double loss;

    w->log_sum += r->loss;
    w->log_steps++;
    if (!w->log || (!is_last && (!o->log_every || r->step % o->log_every))) return LPU_OK;
    fprintf(w->log, "%u\t%llu\t%.4f\t%.3e\t%.3f\t%.0f\t", r->step, (unsigned long long)tokens,
            w->log_sum / w->log_steps, r->rate, r->norm, tokens_per_s(w, now_s()));
    w->log_sum = 0;
    w->log_steps = 0;
    if (o->heldout && o->measure_every && (is_last || r->step % o->measure_every == 0)) {
        const lpu_status status =
            lpu_train_loss(w->t, w->heldout.ids, w->heldout.count, LOG_WINDOWS, &loss, diag);
        if (status) return status;
        fprintf(w->log, "%.4f", loss);
    }
    fputc('\n', w->log);
    return fflush(w->log)
               ? lpu_fail(diag, LPU_ERR_IO, "%s: cannot write: %s", o->log, strerror(errno))
               : LPU_OK;
}

static lpu_status train(const options *o, work *w, lpu_diag *diag)
{
    lpu_train_report r;
    lpu_status status = LPU_OK;

    w->first_step = lpu_train_steps(w->t);
    w->begin_s = w->last_s = now_s();
    if (o->log) status = open_log(o, w, diag);
    while (!status) {
        status = lpu_train_step(w->t, &r, diag);
        if (status) break;
        print_step(w, &r);
        const bool is_due = o->save_every && r.step % o->save_every == 0;
        status = log_step(o, w, &r, diag);
        if (!status && o->checkpoint && (is_due || r.step == w->train.steps)) {
            status = lpu_train_save(w->t, o->checkpoint, diag);
        }
    }
    if (status == LPU_DONE) status = LPU_OK;
    return status ? status : lpu_train_export(w->t, o->out, w->tokenizer, w->type, diag);
}

/* Over the first windows; bits per byte is of the bytes that were predicted. */
static lpu_status print_loss(work *w, const char *name, const text *x, size_t windows,
                             lpu_diag *diag)
{
    const size_t context = w->train.model.context_tokens;
    const size_t most = (x->count - 1) / context;
    const size_t count = (windows < most ? windows : most) * context;
    size_t bytes = 0;
    double loss;
    lpu_status status = lpu_train_loss(w->t, x->ids, x->count, windows, &loss, diag);

    if (status) return status;
    for (size_t i = 1; i <= count; i++) {
        size_t n;
        lpu_tokenizer_token(w->tokenizer, x->ids[i], &n);
        bytes += n;
    }
    printf("%s: %.4f nats per token, %.4f bits per byte, over %zu tokens\n", name, loss,
           loss * 1.4426950408889634 * (double)count / (double)bytes, count); /* log2(e) */
    return LPU_OK;
}

static lpu_status run(const options *o, work *w, lpu_diag *diag)
{
    lpu_status status = open_work(o, w, diag);

    if (status) return status;
    fprintf(stderr, "%s: %zu parameters, %s, %zu tokens of text, %u threads\n", w->train.model.name,
            lpu_train_elems(w->t), w->train.is_twin ? "full precision" : "ternary", w->text.count,
            w->train.threads);
    status = train(o, w, diag);
    if (!status) status = print_loss(w, "text", &w->text, TEXT_WINDOWS, diag);
    if (!status && o->heldout) status = print_loss(w, "held out", &w->heldout, SIZE_MAX, diag);
    if (!status) printf("%s: written\n", o->out);
    return status;
}

int lpu_command_train(int argc, char **argv)
{
    options o = defaults;
    const lpu_option list[] = {
        {"--text", "FILE", "what to train on, and the tokenizer too", &o.text, NULL, NULL},
        {"--heldout", "FILE", "what to measure on at the end", &o.heldout, NULL, NULL},
        {"--out", "FILE", "the GGUF file to write", &o.out, NULL, NULL},
        {"--checkpoint", "FILE", "written on the way; found there, it is resumed", &o.checkpoint,
         NULL, NULL},
        {"--save-every", "N", "steps between two checkpoints (100)", NULL, &o.save_every, NULL},
        {"--log", "FILE", "a table of step, tokens, loss, rate, norm, tokens/s, held-out loss",
         &o.log, NULL, NULL},
        {"--log-every", "N", "steps of a row, of which the loss is the mean (10)", NULL,
         &o.log_every, NULL},
        {"--measure-every", "N", "steps between two held-out losses of the log (100; 0: only last)",
         NULL, &o.measure_every, NULL},
        {"--fp16-twin", NULL, "train the full-precision twin on the same data in the same order",
         NULL, NULL, &o.is_twin},
        {"--type", "TYPE", "of the ternary matrices: tq1_0 or tq2_0 (tq2_0)", &o.type, NULL, NULL},
        {"--hidden", "N", "elements of the residual stream (256)", NULL, &o.hidden, NULL},
        {"--ffn", "N", "elements of the gate (768)", NULL, &o.ffn, NULL},
        {"--layers", "N", "(8)", NULL, &o.layers, NULL},
        {"--heads", "N", "of queries (4)", NULL, &o.heads, NULL},
        {"--kv-heads", "N", "of keys and values (0: as many)", NULL, &o.kv_heads, NULL},
        {"--vocab", "N", "tokens, at least 257 (4096)", NULL, &o.vocab, NULL},
        {"--context", "N", "tokens of a sequence (256)", NULL, &o.context, NULL},
        {"--activation", "NAME", "of the gate: relu2 or silu (relu2)", &o.activation, NULL, NULL},
        {"--batch", "N", "sequences of a step (16)", NULL, &o.batch, NULL},
        {"--steps", "N", "(1000)", NULL, &o.steps, NULL},
        {"--warmup", "N", "steps in which the rate rises (50)", NULL, &o.warmup, NULL},
        {"--schedule", "NAME", "cosine or two-stage (two-stage)", &o.schedule, NULL, NULL},
        {"--rate", "REAL", "peak learning rate (0.0015)", &o.rate, NULL, NULL},
        {"--decay", "REAL", "of the weights (0.1)", &o.decay, NULL, NULL},
        {"--threads", "N", "(0: all cores)", NULL, &o.threads, NULL},
        {"--seed", "N", "the same seed and threads make the same bytes (1)", NULL, &o.seed, NULL},
        {0},
    };
    const lpu_usage usage = {
        .name = "train",
        .text = "train a small ternary model, or its full-precision twin, on a text",
        .examples = "lpu train --text README.md --vocab 300 --layers 2 --steps 5 --batch 2 "
                    "--out /tmp/small.gguf\n",
        .options = list,
    };
    int exit_code;
    lpu_diag diag = {""};
    work w = {0};

    if (lpu_cli_parse(&usage, argc, argv, &exit_code), exit_code >= 0) return exit_code;
    if (read_options(&o, &w, &diag)) {
        lpu_cli_fail(&usage, &diag);
        return LPU_EXIT_USAGE;
    }
    const lpu_status status = run(&o, &w, &diag);
    close_work(&w);
    return status ? lpu_cli_fail(&usage, &diag) : LPU_EXIT_OK;
}
