/* workloads/train/train.c - steps: gradients by sequence and thread, summed in order, then AdamW.
 */
#include "workloads/train/train.h"

#include "workloads/train/train_private.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

static_assert(sizeof(lpu_real) == sizeof(float), "the trainer's state is in float");

static const double beta1 = 0.9, beta2 = 0.95; /* BitNet Training Tips, Code and FAQ, section 2 */
static const double adam_eps = 1e-8;
static const double second_stage = 2.0 / 3; /* of the rate: 1.5e-3, then 1e-3 (ibid., 700M) */
static const double cosine_floor = 0.1;
static const double embed_std = 0.02;

lpu_model lpu_train_model(void)
{
    return (lpu_model){.name = "setun",
                       .weights = LPU_WEIGHTS_TERNARY,
                       .activation = LPU_ACT_RELU2,
                       .is_gated = true,
                       .has_sub_norm = true,
                       .is_tied = true,
                       .activation_bits = 8,
                       .native_kv_bits = 16,
                       .rope_theta = 10000,
                       .norm_eps = 1e-5,
                       .active_share = 1};
}

/* ---- random numbers ---- */

/* splitmix64 (Steele, Lea, Flood, OOPSLA 2014, figure 16). */
static uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static double next_normal(uint64_t *state) /* Box and Muller, one of the two */
{
    const double u = ((double)(next_random(state) >> 11) + 0.5) * 0x1p-53;
    const double v = (double)(next_random(state) >> 11) * 0x1p-53;
    return sqrt(-2 * log(u)) * cos(6.283185307179586 * v);
}

static size_t window_at(const lpu_train *t, uint32_t step, uint32_t item)
{
    const size_t length = t->options.model.context_tokens + (size_t)1;
    uint64_t state = t->options.seed;

    state = next_random(&state) ^ step;
    state = next_random(&state) ^ item;
    return (size_t)(next_random(&state) % (t->token_count - length + 1));
}

/* ---- threads ---- */

typedef struct job {
    void (*work)(struct job *job, size_t member);
    lpu_train *t;
    const int32_t *tokens; /* of a measurement */
    size_t windows;
    double weight;                      /* of a sequence's loss in its gradient */
    double sums[LPU_TRAIN_THREADS_MAX]; /* by member: of the loss, or of squares */
    double scale, rate, decay;          /* of an update */
} job;

typedef struct member {
    pthread_t thread;
    job *of;
    size_t index;
    bool is_started;
} member;

static void *run_member(void *arg)
{
    const member *m = arg;
    m->of->work(m->of, m->index);
    return NULL;
}

/* All members, each in a thread; one whose thread cannot be had is run here. */
static void run(job *j, void (*work)(job *j, size_t member))
{
    member members[LPU_TRAIN_THREADS_MAX];
    const size_t count = j->t->options.threads;

    j->work = work;
    for (size_t i = 1; i < count; i++) {
        members[i] = (member){.of = j, .index = i};
        members[i].is_started = !pthread_create(&members[i].thread, NULL, run_member, &members[i]);
    }
    work(j, 0);
    for (size_t i = 1; i < count; i++) {
        if (members[i].is_started) pthread_join(members[i].thread, NULL);
        else work(j, i);
    }
}

/* The elements of a member: [*first, return). */
static size_t share(const lpu_train *t, size_t index, size_t *first)
{
    *first = t->elems * index / t->options.threads;
    return t->elems * (index + 1) / t->options.threads;
}

/* ---- weights ---- */

/* To 8 significant bits: exact as a half and as a bfloat16, so that coarse products are of the
 * weights that are exported. At least 2^-14. */
static float short_of(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof(bits));
    bits = (bits + 0x8000) & 0xffff0000;
    memcpy(&x, &bits, sizeof(x));
    return x;
}

LPU_TRAIN_CLONES
static void refresh_linear(float *used, const float *latent, size_t n)
{
    double sum = 0;

#pragma omp simd reduction(+ : sum)
    for (size_t i = 0; i < n; i++) sum += (double)fabsf(latent[i]);
    const double mean = fmax(sum / (double)n, 0x1p-14);
    const float scale = short_of((float)mean);
    for (size_t i = 0; i < n; i++) {
        const float one = (double)latent[i] > 0.5 * mean ? scale : 0.0f;
        used[i] = (double)latent[i] < -0.5 * mean ? -scale : one;
    }
}

static void refresh_tensor(lpu_train *t, const lpu_params_tensor *p)
{
    const size_t n = (size_t)p->rows * p->cols;
    const float *latent = t->state + p->first;
    float *used = t->used + p->first;

    if (t->options.is_twin || lpu_params_is_gain(p->id)) {
        memcpy(used, latent, n * sizeof(*used));
    } else if (p->id == LPU_PARAMS_EMBED) {
        for (size_t i = 0; i < n; i++) {
            used[i] = lpu_quants_f16_to_f32(lpu_quants_f32_to_f16(latent[i]));
        }
    } else {
        refresh_linear(used, latent, n);
    }
}

static void refresh_work(job *j, size_t index)
{
    const lpu_model *m = &j->t->options.model;

    for (size_t i = index; i < lpu_params_tensors(m); i += j->t->options.threads) {
        const lpu_params_tensor p = lpu_params_at(m, i);
        refresh_tensor(j->t, &p);
    }
}

void lpu_train_refresh(lpu_train *t)
{
    job j = {.t = t};
    run(&j, refresh_work);
}

static void fill_weights(lpu_train *t)
{
    const lpu_model *m = &t->options.model;

    for (size_t i = 0; i < lpu_params_tensors(m); i++) {
        const lpu_params_tensor p = lpu_params_at(m, i);
        const double std = p.id == LPU_PARAMS_EMBED ? embed_std : 1 / sqrt(p.cols);
        uint64_t state = t->options.seed ^ (i + 1) << 32;
        for (size_t k = 0; k < (size_t)p.rows * p.cols; k++) {
            t->state[p.first + k] =
                lpu_params_is_gain(p.id) ? 1 : (float)(std * next_normal(&state));
        }
    }
    lpu_train_refresh(t);
}

/* ---- making one ---- */

static lpu_status check(const lpu_train_options *o, const int32_t *tokens, size_t count,
                        lpu_diag *diag)
{
    const uint32_t context = o->model.context_tokens;
    lpu_status status = lpu_params_check(&o->model, diag);

    if (status) return status;
    if (!o->batch || !o->steps || o->threads < 1 || o->threads > LPU_TRAIN_THREADS_MAX ||
        context > 1 << 16 || o->model.layers > 1 << 10) {
        return lpu_fail(diag, LPU_ERR_RANGE,
                        "train: found batch %u, %u steps, %u threads, context %u, %u layers, "
                        "expected at least 1 of each, and at most %d threads, 65536, 1024",
                        o->batch, o->steps, o->threads, context, o->model.layers,
                        LPU_TRAIN_THREADS_MAX);
    }
    if (!(o->peak_rate > 0 && o->peak_rate < 1) || !(o->clip_norm > 0) ||
        !(o->weight_decay >= 0 && o->weight_decay <= 10)) {
        return lpu_fail(diag, LPU_ERR_RANGE,
                        "train: found rate %g, clip %g, decay %g, expected 0 to 1, more than 0, 0 "
                        "to 10",
                        o->peak_rate, o->clip_norm, o->weight_decay);
    }
    if (count < context + (size_t)1) {
        return lpu_fail(diag, LPU_ERR_RANGE, "train: found %zu tokens, expected at least %u", count,
                        context + 1);
    }
    for (size_t i = 0; i < count; i++) {
        if (tokens[i] >= 0 && (uint32_t)tokens[i] < o->model.vocab_elems) continue;
        return lpu_fail(diag, LPU_ERR_RANGE, "train: token %zu is %d, expected 0 to %u", i,
                        tokens[i], o->model.vocab_elems - 1);
    }
    return LPU_OK;
}

static lpu_status open_memory(lpu_train *t, lpu_diag *diag)
{
    lpu_train_rounder *rounder = t->options.is_twin ? NULL : lpu_train_pass_round;
    lpu_status status = LPU_OK;

    t->state = calloc(t->elems, 3 * sizeof(*t->state));
    t->used = calloc(t->elems, sizeof(*t->used));
    t->grads = calloc(t->elems, t->options.threads * sizeof(*t->grads));
    if (!t->state || !t->used || !t->grads) {
        return lpu_fail(diag, LPU_ERR_MEMORY, "train: no memory for %zu parameters", t->elems);
    }
    for (size_t i = 0; i < t->options.threads && !status; i++) {
        status = lpu_train_pass_open(&t->passes[i], &t->options.model,
                                     t->options.model.context_tokens, rounder, diag);
    }
    return status;
}

lpu_status lpu_train_open(lpu_train **out, const lpu_train_options *options, const int32_t *tokens,
                          size_t count, lpu_diag *diag)
{
    lpu_status status = check(options, tokens, count, diag);

    *out = NULL;
    if (status) return status;
    lpu_train *t = calloc(1, sizeof(*t));
    if (!t) return lpu_fail(diag, LPU_ERR_MEMORY, "train: out of memory");
    t->options = *options;
    t->tokens = tokens;
    t->token_count = count;
    t->elems = lpu_params_elems(&options->model);
    t->token_hash = 0xcbf29ce484222325u; /* FNV-1a, 64 bits: offset and prime of RFC 9923 */
    for (size_t i = 0; i < count; i++) {
        t->token_hash = (t->token_hash ^ (uint32_t)tokens[i]) * 0x100000001b3u;
    }
    status = open_memory(t, diag);
    if (status) lpu_train_close(&t);
    else fill_weights(t);
    *out = t;
    return status;
}

void lpu_train_close(lpu_train **out)
{
    lpu_train *t = *out;

    if (!t) return;
    for (size_t i = 0; i < LPU_TRAIN_THREADS_MAX; i++) lpu_train_pass_close(&t->passes[i]);
    free(t->state);
    free(t->used);
    free(t->grads);
    free(t);
    *out = NULL;
}

uint32_t lpu_train_steps(const lpu_train *t)
{
    return t->step;
}

size_t lpu_train_elems(const lpu_train *t)
{
    return t->elems;
}

/* ---- a step ---- */

static void gradient_work(job *j, size_t index)
{
    lpu_train *t = j->t;
    float *grads = t->grads + index * t->elems;
    double sum = 0;

    memset(grads, 0, t->elems * sizeof(*grads));
    for (size_t i = index; i < t->options.batch; i += t->options.threads) {
        const int32_t *ids = t->tokens + window_at(t, t->step, (uint32_t)i);
        sum += lpu_train_pass_run(t->passes[index], t->used, ids, grads, j->weight);
    }
    j->sums[index] = sum;
}

/* The threads' gradients, added up in order; and the sum of their squares. */
static void reduce_work(job *j, size_t index)
{
    const lpu_train *t = j->t;
    size_t first;
    const size_t last = share(t, index, &first);
    double squares = 0;

    for (size_t k = 1; k < t->options.threads; k++) {
        const float *other = t->grads + k * t->elems;
        for (size_t i = first; i < last; i++) t->grads[i] += other[i];
    }
    for (size_t i = first; i < last; i++) squares += (double)t->grads[i] * (double)t->grads[i];
    j->sums[index] = squares;
}

LPU_TRAIN_CLONES
static void update_span(const lpu_train *t, const job *j, size_t first, size_t last, bool decays)
{
    float *w = t->state, *m = w + t->elems, *v = m + t->elems;
    const float b1 = (float)beta1, b2 = (float)beta2, scale = (float)j->scale;
    const double bias1 = 1 - pow(beta1, t->step + 1.0), bias2 = 1 - pow(beta2, t->step + 1.0);
    const float rate = (float)(j->rate / bias1), root = (float)(1 / sqrt(bias2));
    const float keep = decays ? (float)(1 - j->rate * j->decay) : 1;
    const float eps = (float)adam_eps;

    for (size_t i = first; i < last; i++) {
        const float g = t->grads[i] * scale;
        m[i] = b1 * m[i] + (1 - b1) * g;
        v[i] = b2 * v[i] + (1 - b2) * g * g;
        w[i] = w[i] * keep - rate * m[i] / (sqrtf(v[i]) * root + eps);
    }
}

/* Decay is for matrices. */
static void update_work(job *j, size_t index)
{
    const lpu_train *t = j->t;
    const lpu_model *m = &t->options.model;
    size_t first;
    const size_t last = share(t, index, &first);

    for (size_t i = 0; i < lpu_params_tensors(m); i++) {
        const lpu_params_tensor p = lpu_params_at(m, i);
        const size_t end = p.first + (size_t)p.rows * p.cols;
        const size_t from = p.first > first ? p.first : first, to = end < last ? end : last;
        if (from < to) update_span(t, j, from, to, !lpu_params_is_gain(p.id));
    }
}

static double total(const job *j)
{
    double sum = 0;
    for (size_t i = 0; i < j->t->options.threads; i++) sum += j->sums[i];
    return sum;
}

static void schedule(const lpu_train *t, double *rate, double *decay)
{
    const lpu_train_options *o = &t->options;
    const double done = (double)t->step / o->steps;

    *decay = o->weight_decay;
    if (t->step < o->warmup_steps) {
        *rate = o->peak_rate * (t->step + 1.0) / o->warmup_steps;
    } else if (o->schedule == LPU_TRAIN_COSINE) {
        const double wave = 0.5 * (1 + cos(3.141592653589793 * done));
        *rate = o->peak_rate * (cosine_floor + (1 - cosine_floor) * wave);
    } else {
        const bool is_second = t->step >= o->steps / 2;
        *rate = o->peak_rate * (1 - done) * (is_second ? second_stage : 1);
        if (is_second) *decay = 0;
    }
}

lpu_status lpu_train_step(lpu_train *t, lpu_train_report *report, lpu_diag *diag)
{
    const lpu_train_options *o = &t->options;
    const double tokens = (double)o->batch * o->model.context_tokens;
    job j = {.t = t, .weight = 1 / tokens};

    if (t->step >= o->steps) return LPU_DONE;
    run(&j, gradient_work);
    report->loss = total(&j) / tokens;
    run(&j, reduce_work);
    report->norm = sqrt(total(&j));
    if (!isfinite(report->loss) || !isfinite(report->norm)) {
        return lpu_fail(diag, LPU_ERR_RANGE,
                        "train: the loss of step %u is %g, its gradient %g, expected finite "
                        "numbers: a lower rate may help",
                        t->step + 1, report->loss, report->norm);
    }
    schedule(t, &j.rate, &j.decay);
    j.scale = report->norm > o->clip_norm ? o->clip_norm / report->norm : 1;
    run(&j, update_work);
    lpu_train_refresh(t);
    t->step++;
    report->step = t->step;
    report->rate = j.rate;
    return LPU_OK;
}

/* ---- measuring ---- */

static void loss_work(job *j, size_t index)
{
    lpu_train *t = j->t;

    j->sums[index] = 0;
    for (size_t i = index; i < j->windows; i += t->options.threads) {
        const int32_t *ids = j->tokens + i * t->options.model.context_tokens;
        j->sums[index] += lpu_train_pass_run(t->passes[index], t->used, ids, NULL, 0);
    }
}

lpu_status lpu_train_loss(lpu_train *t, const int32_t *tokens, size_t count, size_t windows,
                          double *loss, lpu_diag *diag)
{
    const size_t context = t->options.model.context_tokens;
    const size_t most = count ? (count - 1) / context : 0;
    job j = {.t = t, .tokens = tokens, .windows = windows < most ? windows : most};

    if (!j.windows) {
        return lpu_fail(diag, LPU_ERR_RANGE, "train: found %zu tokens, expected at least %zu",
                        count, context + 1);
    }
    for (size_t i = 0; i < count; i++) {
        if (tokens[i] >= 0 && (uint32_t)tokens[i] < t->options.model.vocab_elems) continue;
        return lpu_fail(diag, LPU_ERR_RANGE, "train: token %zu is %d, expected 0 to %u", i,
                        tokens[i], t->options.model.vocab_elems - 1);
    }
    run(&j, loss_work);
    *loss = total(&j) / (double)(j.windows * context);
    return LPU_OK;
}
