/* cli/report_jobs.c - lists the passes of the report and runs them, two at a time. */
#include "cli/report_jobs.h"

#include "workloads/yaml.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { THREADS = 2 };

/* arXiv 2402.17764: figure 2 (latency, memory) and figure 3 (energy), from the vector drawings in
 * the PDF. The energy of 3B was drawn for 2560 x 32, not for the 3200 x 26 that was trained. */
const lpu_report_size lpu_report_sizes[LPU_REPORT_SIZES] = {
    {1.3, "bitnet-b1.58-1.3b", 0.976, 1.630, 1.14, 3.34, 18.6, 2048, 24},
    {3, "bitnet-b1.58-3b", 1.877, 5.074, 2.22, 7.89, 21.7, 2560, 32},
    {7, "bitnet-b1.58-7b", 3.304, 9.578, 3.32, 14.60, 29.1, 4096, 32},
    {13, "bitnet-b1.58-13b", 4.506, 16.606, 5.37, 27.48, 32.9, 5120, 40},
    {70, "bitnet-b1.58-70b", 19.235, 78.942, 18.38, 131.6, 41.2, 8192, 80},
};

/* ---- the list ---- */

static lpu_status add(lpu_report_jobs *jobs, const lpu_report_job *job, lpu_diag *diag)
{
    if (jobs->count == jobs->room) {
        const size_t room = 2 * jobs->room + 32;
        lpu_report_job *grown = realloc(jobs->job, room * sizeof(*grown));
        if (!grown) return lpu_fail(diag, LPU_ERR_MEMORY, "report: out of memory");
        jobs->job = grown;
        jobs->room = room;
    }
    jobs->job[jobs->count++] = *job;
    return LPU_OK;
}

/* The model as a design holds it: the FP16 twin for FP16 lanes, signs alone for a 1-bit code. */
static lpu_status see_model(lpu_model *seen, const lpu_model *model, const lpu_design *design,
                            lpu_diag *diag)
{
    *seen = *model;
    if (design->lane == LPU_LANE_MAC_F16 && model->weights != LPU_WEIGHTS_FP16) {
        if (*model->twin) return lpu_model_load(seen, model->twin, diag);
        return lpu_fail(diag, LPU_ERR_RANGE, "%s has no FP16 twin, and %s needs one", model->name,
                        design->name);
    }
    if (design->lane == LPU_LANE_ADD && design->code == LPU_CODE_B1 &&
        model->weights == LPU_WEIGHTS_TERNARY) {
        seen->weights = LPU_WEIGHTS_BINARY;
        seen->zero_share = 0;
        snprintf(seen->name, sizeof(seen->name), "%.50s-as-1bit", model->name);
    }
    return LPU_OK;
}

static lpu_status add_design(lpu_report_jobs *jobs, const lpu_model *model,
                             const lpu_design *design, bool is_quick, lpu_diag *diag)
{
    static const uint32_t batches[] = {2, 4, 8, 16, 32, 64}, few[] = {8};
    lpu_report_job job = {.group = LPU_REPORT_DESIGN, .design = *design, .series = "", .batch = 1};
    lpu_status status = see_model(&job.model, model, design, diag);

    if (status) return status;
    job.phase = LPU_PHASE_DECODE;
    job.tokens = 1;
    job.context = LPU_REPORT_CONTEXT;
    status = add(jobs, &job, diag);

    job.group = LPU_REPORT_BATCH;
    for (size_t i = 0; i < (is_quick ? 1 : 6) && !status; i++) {
        job.batch = is_quick ? few[i] : batches[i];
        status = add(jobs, &job, diag);
    }
    job.group = LPU_REPORT_DESIGN;
    job.batch = 1;
    job.phase = LPU_PHASE_PREFILL;
    job.tokens = LPU_REPORT_PROMPT;
    job.context = 0;
    return status ? status : add(jobs, &job, diag);
}

static lpu_status add_size(lpu_report_jobs *jobs, const lpu_report_size *size, const char *series,
                           const lpu_design *design, const lpu_design *fp16, bool has_prefill,
                           lpu_diag *diag)
{
    lpu_model ternary;
    lpu_status status = lpu_model_load(&ternary, size->model, diag);

    for (int is_fp16 = 0; is_fp16 < 2 && !status; is_fp16++) {
        lpu_report_job job = {.group = LPU_REPORT_SIZE,
                              .series = series,
                              .size_b = size->size_b,
                              .design = *design,
                              .phase = LPU_PHASE_DECODE,
                              .tokens = 1,
                              .context = LPU_REPORT_CONTEXT,
                              .batch = 1};
        if (is_fp16) job.design = *fp16;
        status = see_model(&job.model, &ternary, &job.design, diag);
        if (!status) status = add(jobs, &job, diag);
        job.phase = LPU_PHASE_PREFILL;
        job.tokens = LPU_REPORT_PROMPT;
        job.context = 0;
        if (!status && has_prefill) status = add(jobs, &job, diag);
    }
    return status;
}

static lpu_status add_sizes(lpu_report_jobs *jobs, bool is_quick, lpu_diag *diag)
{
    static const struct {
        const char *series, *ternary, *fp16;
    } memories[] = {{"edge", "ternary-edge", "fp16-mac"}, {"hbm", "ternary-hbm", "fp16-mac-hbm"}};
    lpu_design design, fp16;
    lpu_status status = LPU_OK;

    for (size_t m = 0; m < 2 && !status; m++) {
        status = lpu_design_load(&design, memories[m].ternary, diag);
        if (!status) status = lpu_design_load(&fp16, memories[m].fp16, diag);
        for (size_t s = 0; s < LPU_REPORT_SIZES && !status; s++) {
            if (is_quick && s > 0) continue;
            status = add_size(jobs, &lpu_report_sizes[s], memories[m].series, &design, &fp16,
                              m == 0, diag);
        }
    }
    return status;
}

lpu_status lpu_report_jobs_open(lpu_report_jobs *jobs, const char *model, bool is_quick,
                                lpu_diag *diag)
{
    char **names = NULL;
    size_t count = 0;
    lpu_model loaded;

    *jobs = (lpu_report_jobs){0};
    lpu_status status = lpu_model_load(&loaded, model, diag);
    if (!status) memcpy(jobs->title, loaded.title, sizeof(jobs->title));
    if (!status) status = lpu_yaml_list("sim/designs", &names, &count, diag);
    if (!status) status = add_sizes(jobs, is_quick, diag);
    /* In the order of the figures: adders before multipliers, few bits before many. */
    for (int lane = LPU_LANE_ADD; lane <= LPU_LANE_MAC_F16; lane++) {
        for (int code = LPU_CODE_BASE3; code <= LPU_CODE_B1; code++) {
            for (size_t i = 0; i < count && !status; i++) {
                lpu_design design;
                status = lpu_design_load(&design, names[i], diag);
                if (status || (int)design.lane != lane || (int)design.code != code) continue;
                status = add_design(jobs, &loaded, &design, is_quick, diag);
            }
        }
    }
    for (size_t i = 0; i < count; i++) free(names[i]);
    free(names);
    return status;
}

void lpu_report_jobs_close(lpu_report_jobs *jobs)
{
    for (size_t i = 0; i < jobs->count; i++) lpu_simulate_close(&jobs->job[i].result);
    free(jobs->job);
    *jobs = (lpu_report_jobs){0};
}

/* ---- the run ---- */

static void note_share(void *user, double share_done)
{
    _Atomic double *share = user;
    atomic_store(share, share_done);
}

typedef struct pool {
    lpu_report_jobs *jobs;
    lpu_report_job **order; /* (count) the longest first, so that the last pass is a short one */
    _Atomic double done_cost;
    double all_cost;
    _Atomic size_t next, done;
    struct worker {
        struct pool *pool;
        pthread_t thread;
        _Atomic double share, cost; /* of the pass in hand */
        _Atomic int failed;         /* lpu_status */
        lpu_diag diag;
    } workers[THREADS];
} pool;

/* Prices the counts of a finished pass. */
static lpu_status price(lpu_report_job *job, lpu_diag *diag)
{
    const lpu_status status =
        lpu_prices_load(&job->prices, job->design.price, job->design.dram.price, diag);
    if (status) return status;

    const double tokens = (double)job->result->tokens;
    job->system_pj =
        lpu_energy_system_pj(&job->prices, &job->result->counters, job->component_pj) / tokens;
    for (size_t c = 0; c < LPU_COMPONENTS; c++) job->component_pj[c] /= tokens;
    return LPU_OK;
}

static lpu_status run(lpu_report_job *job, _Atomic double *share, lpu_diag *diag)
{
    const lpu_sim_request request = {
        .model = &job->model,
        .design = &job->design,
        .phase = job->phase,
        .tokens = job->tokens,
        .context = job->context,
        .batch = job->batch,
        .progress = note_share,
        .user = share,
    };
    const lpu_status status = lpu_simulate(&job->result, &request, &job->diag);

    if (status == LPU_ERR_RANGE) return LPU_OK; /* this machine cannot hold it: a finding */
    if (!status) return price(job, diag);
    if (diag) *diag = job->diag;
    return status;
}

/* What a pass takes to simulate, roughly: the bytes that its machine streams. */
static double cost(const lpu_report_job *job)
{
    const double bits = lpu_design_weight_decibits(&job->design) / 10.0;
    const double reads = job->phase == LPU_PHASE_DECODE ? 1 : job->tokens / 64.0;

    return reads * bits * (double)lpu_model_total_elems(&job->model);
}

static int by_cost(const void *a, const void *b)
{
    const double ca = cost(*(lpu_report_job *const *)a), cb = cost(*(lpu_report_job *const *)b);
    return (ca < cb) - (ca > cb);
}

static void add_cost(_Atomic double *sum, double more)
{
    double seen = atomic_load(sum);
    while (!atomic_compare_exchange_weak(sum, &seen, seen + more)) {}
}

static void *work(void *user)
{
    struct worker *w = user;
    lpu_report_jobs *jobs = w->pool->jobs;

    while (!w->failed) {
        const size_t i = atomic_fetch_add(&w->pool->next, 1);
        if (i >= jobs->count) break;
        lpu_report_job *job = w->pool->order[i];
        atomic_store(&w->cost, cost(job));
        w->failed = run(job, &w->share, &w->diag);
        atomic_store(&w->share, 0);
        add_cost(&w->pool->done_cost, cost(job));
        atomic_fetch_add(&w->pool->done, 1);
    }
    return NULL;
}

static void show(pool *p, lpu_progress *progress)
{
    const size_t done = atomic_load(&p->done), total = p->jobs->count;
    const lpu_report_job *job = p->order[done < total ? done : total - 1];
    double share = atomic_load(&p->done_cost);
    char text[160];

    for (size_t t = 0; t < THREADS; t++) {
        share += atomic_load(&p->workers[t].share) * atomic_load(&p->workers[t].cost);
    }
    snprintf(text, sizeof(text), "simulating %zu of %zu: %s on %s, %s", done + 1, total,
             job->model.name, job->design.name,
             job->phase == LPU_PHASE_DECODE ? "decode" : "prefill");
    progress->text = text;
    lpu_progress_show(progress, share / p->all_cost);
    progress->text = "";
}

static lpu_status pool_init(pool *p, lpu_report_jobs *jobs, lpu_diag *diag)
{
    p->jobs = jobs;
    p->order = calloc(jobs->count + 1, sizeof(lpu_report_job *));
    if (!p->order) return lpu_fail(diag, LPU_ERR_MEMORY, "report: out of memory");
    for (size_t i = 0; i < jobs->count; i++) {
        p->order[i] = &jobs->job[i];
        p->all_cost += cost(&jobs->job[i]);
    }
    qsort(p->order, jobs->count, sizeof(lpu_report_job *), by_cost);
    return LPU_OK;
}

lpu_status lpu_report_jobs_run(lpu_report_jobs *jobs, lpu_diag *diag)
{
    pool p = {0};
    lpu_progress progress;
    lpu_status status = pool_init(&p, jobs, diag);
    size_t started = 0;

    if (status) return status;
    lpu_progress_init(&progress, "");
    for (; started < THREADS; started++) {
        struct worker *w = &p.workers[started];
        w->pool = &p;
        if (pthread_create(&w->thread, NULL, work, w)) break;
    }
    if (!started) status = lpu_fail(diag, LPU_ERR_MEMORY, "report: no thread can be started");
    for (bool is_over = !started; !is_over;) {
        usleep(50000);
        is_over = atomic_load(&p.done) >= jobs->count;
        for (size_t t = 0; t < started; t++) is_over |= p.workers[t].failed != LPU_OK;
        if (!is_over) show(&p, &progress);
    }
    for (size_t t = 0; t < started; t++) {
        pthread_join(p.workers[t].thread, NULL);
        if (p.workers[t].failed && !status) {
            status = (lpu_status)p.workers[t].failed;
            if (diag) *diag = p.workers[t].diag;
        }
    }
    lpu_progress_end(&progress);
    free(p.order);
    return status;
}

/* ---- look-up ---- */

const lpu_report_job *lpu_report_find(const lpu_report_jobs *jobs, lpu_report_group group,
                                      const char *design, lpu_phase phase)
{
    for (size_t i = 0; i < jobs->count; i++) {
        const lpu_report_job *j = &jobs->job[i];
        if (j->result && j->group == group && j->phase == phase &&
            !strcmp(j->design.name, design)) {
            return j;
        }
    }
    return NULL;
}

const lpu_report_job *lpu_report_find_size(const lpu_report_jobs *jobs, const char *series,
                                           bool is_fp16, double size_b, lpu_phase phase)
{
    for (size_t i = 0; i < jobs->count; i++) {
        const lpu_report_job *j = &jobs->job[i];
        if (j->result && j->group == LPU_REPORT_SIZE && j->phase == phase && j->size_b == size_b &&
            (j->model.weights == LPU_WEIGHTS_FP16) == is_fp16 && !strcmp(j->series, series)) {
            return j;
        }
    }
    return NULL;
}
