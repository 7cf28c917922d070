/* kernels/measure_library.c - loads libraries of products at run time, and times them. */
#include "kernels/measure_library.h"

#include "kernels/half.h"
#include "kernels/kernels.h"
#include "kernels/memory.h"
#include "kernels/stream.h"
#include "kernels/team.h"

#include <dlfcn.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 640, K = 2560, TOKENS_MAX = 512, RUNS_MIN = 5, POOL_BYTES = 128 << 20 };

static const size_t batches[] = {1, 8, 64, TOKENS_MAX};

/* oneDNN, include/oneapi/dnnl/dnnl.h of versions 2 and 3; rows first. */
typedef int dnnl_sgemm_fn(char ta, char tb, int64_t m, int64_t n, int64_t k, float alpha,
                          const float *a, int64_t lda, const float *b, int64_t ldb, float beta,
                          float *c, int64_t ldc);
typedef int dnnl_bgemm_fn(char ta, char tb, int64_t m, int64_t n, int64_t k, float alpha,
                          const uint16_t *a, int64_t lda, const uint16_t *b, int64_t ldb,
                          float beta, float *c, int64_t ldc);
typedef int dnnl_igemm_fn(char ta, char tb, char oc, int64_t m, int64_t n, int64_t k, float alpha,
                          const uint8_t *a, int64_t lda, uint8_t ao, const int8_t *b, int64_t ldb,
                          int8_t bo, float beta, int32_t *c, int64_t ldc, const int32_t *co);

/* OpenBLAS, cblas.h: 101 is row-major, 111 as it is, 112 transposed. */
typedef void blas_sgemm_fn(int order, int ta, int tb, int m, int n, int k, float alpha,
                           const float *a, int lda, const float *b, int ldb, float beta, float *c,
                           int ldc);
typedef void set_threads_fn(int threads);

typedef enum kind { DNNL_F32, DNNL_BF16, DNNL_I8, BLAS_F32, KINDS } kind;

typedef struct bench {
    lpu_measure_library *out;
    lpu_kernels k;
    lpu_team *team;
    dnnl_sgemm_fn *dnnl_f32;
    dnnl_bgemm_fn *dnnl_bf16;
    dnnl_igemm_fn *dnnl_i8;
    blas_sgemm_fn *blas_f32;
    set_threads_fn *dnnl_threads, *blas_threads;
    uint8_t *pool, *x; /* weights, all of them one; activations, the same */
    size_t cursor;
    void *y;
    lpu_samples theirs, ours;
} bench;

static const struct {
    const char *name, *type;
    lpu_layout layout;
    size_t weight_bytes;
} kinds[KINDS] = {[DNNL_F32] = {"oneDNN", "FP32", LPU_LAYOUT_F16, 4},
                  [DNNL_BF16] = {"oneDNN", "BF16", LPU_LAYOUT_BF16, 2},
                  [DNNL_I8] = {"oneDNN", "int8", LPU_LAYOUT_I8, 1},
                  [BLAS_F32] = {"OpenBLAS", "FP32", LPU_LAYOUT_F16, 4}};

static void *symbol(void *library, const char *name)
{
    return library ? dlsym(library, name) : NULL;
}

static void load(bench *b)
{
    void *dnnl = dlopen("libdnnl.so.3", RTLD_NOW | RTLD_GLOBAL);
    if (!dnnl) dnnl = dlopen("libdnnl.so.2", RTLD_NOW | RTLD_GLOBAL);
    void *blas = dlopen("libopenblas.so.0", RTLD_NOW);

    *(void **)&b->dnnl_f32 = symbol(dnnl, "dnnl_sgemm");
    *(void **)&b->dnnl_bf16 = symbol(dnnl, "dnnl_gemm_bf16bf16f32");
    *(void **)&b->dnnl_i8 = symbol(dnnl, "dnnl_gemm_u8s8s32");
    *(void **)&b->dnnl_threads = symbol(dnnl, "omp_set_num_threads");
    *(void **)&b->blas_f32 = symbol(blas, "cblas_sgemm");
    *(void **)&b->blas_threads = symbol(blas, "openblas_set_num_threads");
    b->out->has_onednn = b->dnnl_f32;
    b->out->has_openblas = b->blas_f32;
}

static bool is_there(const bench *b, kind w)
{
    return w == DNNL_F32    ? b->dnnl_f32 != NULL
           : w == DNNL_BF16 ? b->dnnl_bf16 != NULL
           : w == DNNL_I8   ? b->dnnl_i8 != NULL
                            : b->blas_f32 != NULL;
}

/* Weights and activations that are all one, in the library's type or in ours. */
static void fill(bench *b, kind w, bool is_ours)
{
    const float one = 1;
    const uint16_t half = lpu_half_from_float(1), brain = lpu_bf16_from_float(1);

    for (size_t i = 0; i < POOL_BYTES; i += 4) {
        if (w == DNNL_I8) memset(b->pool + i, 1, 4);
        else if (w == DNNL_BF16) memcpy(b->pool + i, &brain, 2), memcpy(b->pool + i + 2, &brain, 2);
        else if (is_ours) memcpy(b->pool + i, &half, 2), memcpy(b->pool + i + 2, &half, 2);
        else memcpy(b->pool + i, &one, 4);
    }
    for (size_t i = 0; i < (size_t)TOKENS_MAX * K; i++) {
        if (w == DNNL_I8) b->x[i] = 1;
        else if (w == DNNL_BF16) memcpy(b->x + 2 * i, &brain, 2);
        else memcpy(b->x + 4 * i, &one, 4);
    }
}

/* The next weights of the pool. */
static const uint8_t *next(bench *b, size_t bytes)
{
    if (b->cursor + bytes > POOL_BYTES) b->cursor = 0;
    b->cursor += bytes;
    return b->pool + b->cursor - bytes;
}

static void run_theirs(bench *b, kind w, size_t tokens)
{
    const uint8_t *from = next(b, (size_t)ROWS * K * kinds[w].weight_bytes);
    const void *x = b->x;
    const int64_t m = (int64_t)tokens;
    const int32_t zero = 0;
    const lpu_stopwatch watch = lpu_sample_start();

    switch (w) {
    case DNNL_F32:
        b->dnnl_f32('N', 'T', m, ROWS, K, 1, x, K, (const void *)from, K, 0, b->y, ROWS);
        break;
    case DNNL_BF16:
        b->dnnl_bf16('N', 'T', m, ROWS, K, 1, x, K, (const void *)from, K, 0, b->y, ROWS);
        break;
    case DNNL_I8:
        b->dnnl_i8('N', 'T', 'F', m, ROWS, K, 1, x, K, 0, (const void *)from, K, 0, 0, b->y, ROWS,
                   &zero);
        break;
    default:
        b->blas_f32(101, 111, 112, (int)m, ROWS, K, 1, x, K, (const void *)from, K, 0, b->y, ROWS);
        break;
    }
    lpu_sample_stop(&watch, &b->theirs);
}

typedef struct job {
    bench *b;
    lpu_stream s;
    size_t tokens;
} job;

static void our_work(void *arg, size_t member, size_t members)
{
    const job *j = arg;
    const bench *b = j->b;
    const void *x = b->x;
    size_t rows;

    if (j->s.layout == LPU_LAYOUT_F16) {
        lpu_stream_multiply_f32(&j->s, &b->k, b->y, ROWS, x, K, j->tokens, member, members, &rows);
    } else if (j->s.layout == LPU_LAYOUT_BF16) {
        lpu_stream_multiply_bf16(&j->s, &b->k, b->y, ROWS, x, K, j->tokens, member, members, &rows);
    } else {
        lpu_stream_multiply_i32(&j->s, &b->k, b->y, ROWS, x, K, j->tokens,
                                lpu_team_room(b->team, member), member, members, &rows);
    }
}

static void run_ours(bench *b, kind w, size_t tokens)
{
    const lpu_layout l = kinds[w].layout;
    const size_t bytes = lpu_layout_bytes(l, ROWS, K);
    job j = {
        .b = b,
        .tokens = tokens,
        .s = {l, ROWS, K, lpu_layout_block_rows(l), lpu_layout_block_bytes(l, K), bytes, NULL}};

    j.s.w = b->pool + (next(b, bytes) - b->pool);
    const lpu_stopwatch watch = lpu_sample_start();
    lpu_team_run(b->team, our_work, &j);
    lpu_sample_stop(&watch, &b->ours);
}

/* Every element of the product of ones is K. */
static bool is_right(const bench *b, kind w, size_t tokens)
{
    for (size_t i = 0; i < ROWS * tokens; i++) {
        const double v =
            w == DNNL_I8 ? (double)((const int32_t *)b->y)[i] : (double)((const float *)b->y)[i];
        if (fabs(v - K) > 0.5) return false;
    }
    return true;
}

/* Half of the time for them, half for us: a library's threads stay awake for a while. */
static lpu_status measure(bench *b, kind w, size_t tokens, double seconds, lpu_diag *diag)
{
    lpu_measure_library_row *r = &b->out->row[b->out->count];
    const double macs = (double)ROWS * K * (double)tokens;

    for (int is_ours = 0; is_ours < 2; is_ours++) {
        fill(b, w, is_ours);
        const double end = lpu_sample_now_ns() + 0.5e9 * seconds;
        for (size_t i = 0; i < RUNS_MIN || lpu_sample_now_ns() < end; i++) {
            if (is_ours) run_ours(b, w, tokens);
            else run_theirs(b, w, tokens);
        }
        if (!is_right(b, w, tokens)) {
            return lpu_fail(diag, LPU_ERR_FORMAT, "library: %s %s: a product of ones is not %d",
                            is_ours ? "ours beside" : kinds[w].name, kinds[w].type, K);
        }
    }
    *r = (lpu_measure_library_row){.name = kinds[w].name,
                                   .type = kinds[w].type,
                                   .layout = kinds[w].layout,
                                   .threads = lpu_team_threads(b->team),
                                   .tokens = tokens,
                                   .time = lpu_sample_summarise(&b->theirs),
                                   .our_time = lpu_sample_summarise(&b->ours)};
    r->macs_per_s = 1e9 * macs / r->time.median_ns;
    r->our_macs_per_s = 1e9 * macs / r->our_time.median_ns;
    b->out->count++;
    return LPU_OK;
}

static lpu_status measure_all(bench *b, uint32_t threads, double seconds, lpu_diag *diag)
{
    const size_t count = sizeof(batches) / sizeof(*batches);

    lpu_status status = lpu_team_open(&b->team, threads, diag);
    if (status) return status;
    if (b->dnnl_threads) b->dnnl_threads((int)lpu_team_threads(b->team));
    if (b->blas_threads) b->blas_threads((int)lpu_team_threads(b->team));
    for (kind w = 0; w < KINDS; w++) {
        for (size_t i = 0; i < count && !status && is_there(b, w); i++) {
            status = measure(b, w, batches[i], seconds / (KINDS * (double)count), diag);
        }
    }
    lpu_team_close(&b->team);
    return status;
}

lpu_status lpu_measure_library_run(lpu_measure_library *out, uint32_t threads, double seconds,
                                   lpu_diag *diag)
{
    uint32_t allowed;
    lpu_status status = lpu_cpu_allowed(&allowed, diag);
    bench *b = status ? NULL : calloc(1, sizeof(*b));

    *out = (lpu_measure_library){.rows = ROWS, .k = K};
    if (status) return status;
    if (b) {
        b->out = out;
        b->pool = lpu_memory_open(POOL_BYTES);
        b->x = lpu_memory_open((size_t)4 * TOKENS_MAX * K);
        b->y = lpu_memory_open((size_t)4 * TOKENS_MAX * ROWS);
    }
    if (!b || !b->pool || !b->x || !b->y) {
        status = lpu_fail(diag, LPU_ERR_MEMORY, "library: out of memory");
    } else {
        lpu_kernels_init(&b->k, allowed);
        load(b);
        if (threads != 1) status = measure_all(b, threads, 0.5 * seconds, diag);
        if (!status) status = measure_all(b, 1, threads == 1 ? seconds : 0.5 * seconds, diag);
    }
    if (b) {
        lpu_memory_close(b->pool, POOL_BYTES);
        lpu_memory_close(b->x, (size_t)4 * TOKENS_MAX * K);
        lpu_memory_close(b->y, (size_t)4 * TOKENS_MAX * ROWS);
    }
    free(b);
    return status;
}
