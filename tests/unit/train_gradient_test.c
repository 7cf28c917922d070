/* tests/unit/train_gradient_test.c - gradients of every kind of parameter against differences of
 * the loss. The pass is compiled here in double, so that differences are exact to eight digits. */
#pragma GCC diagnostic ignored "-Wunknown-pragmas" /* omp simd, which the Makefile turns on */
#define LPU_TRAIN_DOUBLE
#include "workloads/train/attention.c"
#include "workloads/train/matmul.c"
#include "workloads/train/matmul_bf16.c"
#include "workloads/train/pass.c"

#include "tests/unit/test.h"

#include <stdio.h>

enum { TOKENS = 70 }; /* more than one block of queries */

static uint64_t random_state;

static double next_normal(void)
{
    double sum = -6; /* twelve uniform numbers */
    for (int i = 0; i < 12; i++) {
        random_state = random_state * 6364136223846793005u + 1442695040888963407u;
        sum += (double)(random_state >> 11) * 0x1p-53;
    }
    return sum;
}

static lpu_model tiny(lpu_activation activation)
{
    return (lpu_model){.name = "tiny",
                       .activation = activation,
                       .is_gated = true,
                       .has_sub_norm = true,
                       .is_tied = true,
                       .hidden_elems = 20,
                       .ffn_elems = 28,
                       .vocab_elems = 23,
                       .layers = 2,
                       .heads = 4,
                       .kv_heads = 2,
                       .head_elems = 6,
                       .kv_layers = 2,
                       .context_tokens = TOKENS,
                       .rope_theta = 100,
                       .norm_eps = 1e-5};
}

static void fill(const lpu_model *m, double *w, int32_t *ids)
{
    random_state = 11;
    for (size_t i = 0; i < lpu_params_tensors(m); i++) {
        const lpu_params_tensor t = lpu_params_at(m, i);
        for (size_t j = 0; j < (size_t)t.rows * t.cols; j++) {
            w[t.first + j] =
                lpu_params_is_gain(t.id) ? 1 + 0.2 * next_normal() : 0.4 * next_normal();
        }
    }
    for (int i = 0; i <= TOKENS; i++)
        ids[i] = (int32_t)((unsigned)(i * i + 3 * i) % m->vocab_elems);
}

/* Offsets between a row and its rounded self, taken down in one run and put in place of rounding in
 * the next: of that function the straight-through gradient is the true one. */
typedef struct tape {
    double *offsets;
    size_t used, room;
    bool is_replayed;
} tape;

static void replay(double *row, size_t n, void *user)
{
    tape *tp = user;
    double before[64];

    if (tp->used + n > tp->room || n > 64) return;
    if (tp->is_replayed) {
        for (size_t i = 0; i < n; i++) row[i] += tp->offsets[tp->used++];
        return;
    }
    memcpy(before, row, n * sizeof(*row));
    lpu_train_pass_round(row, n, NULL);
    for (size_t i = 0; i < n; i++) tp->offsets[tp->used++] = row[i] - before[i];
}

/* The largest difference between gradient and slope over some elements of every tensor, as a share
 * of the tensor's largest gradient. */
static void compare(lpu_activation activation, bool is_rounded)
{
    static double offsets[64 * 1024];
    const lpu_model m = tiny(activation);
    const size_t elems = lpu_params_elems(&m);
    const double step = 1e-5, weight = 0.37;
    double *w = calloc(elems, sizeof(*w)), *g = calloc(elems, sizeof(*g));
    int32_t ids[TOKENS + 1];
    tape tp = {offsets, 0, sizeof(offsets) / sizeof(offsets[0]), false};
    lpu_train_pass *p;

    fill(&m, w, ids);
    CHECK_OK(lpu_train_pass_open(&p, &m, TOKENS, is_rounded ? replay : NULL, diag));
    p->user = &tp;
    lpu_train_pass_run(p, w, ids, g, weight);
    CHECK(!is_rounded || tp.used == (size_t)TOKENS * 2 * (20 + 24 + 20 + 28), "%zu were rounded",
          tp.used);
    tp.is_replayed = true;
    for (size_t i = 0; i < lpu_params_tensors(&m); i++) {
        const lpu_params_tensor t = lpu_params_at(&m, i);
        const size_t n = (size_t)t.rows * t.cols;
        double most = 0;
        for (size_t j = 0; j < n; j++) most = fmax(most, fabs(g[t.first + j]));
        CHECK(most > 1e-4, "%s: the largest gradient is %g", t.name, most);
        for (size_t j = 0; j < n; j += n / 9) {
            double *x = &w[t.first + j];
            const double at = *x;
            *x = at + step;
            tp.used = 0;
            const double above = lpu_train_pass_run(p, w, ids, NULL, weight);
            *x = at - step;
            tp.used = 0;
            const double below = lpu_train_pass_run(p, w, ids, NULL, weight);
            *x = at;
            const double slope = weight * (above - below) / (2 * step);
            CHECK(fabs(slope - g[t.first + j]) < 1e-6 * most, "%s[%zu]: gradient %g, slope %g",
                  t.name, j, g[t.first + j], slope);
        }
    }
    lpu_train_pass_close(&p);
    free(w);
    free(g);
}

static void gradients_relu2(void)
{
    compare(LPU_ACT_RELU2, false);
}
static void gradients_silu(void)
{
    compare(LPU_ACT_SILU, false);
}
static void gradients_straight_through(void)
{
    compare(LPU_ACT_RELU2, true);
}

/* Levels of 1/127 of the largest, halves to even. */
static void rounds_by_absmax(void)
{
    double row[] = {-254, 1, 3, 126.9, 0, 127.4};
    static const double expected[] = {-254, 0, 4, 126, 0, 128};

    lpu_train_pass_round(row, 6, NULL);
    for (int i = 0; i < 6; i++) CHECK(row[i] == expected[i], "element %d is %g", i, row[i]);
}

static void products(void)
{
    static double a[300 * 300], b[300 * 300], c[300 * 300];
    static double scratch[LPU_MATMUL_SCRATCH] __attribute__((aligned(64)));
    static const size_t sizes[][3] = {
        {1, 1, 1}, {5, 7, 3}, {6, 8, 256}, {247, 19, 263}, {13, 40, 5}};

    for (size_t i = 0; i < 300 * 300; i++) a[i] = next_normal(), b[i] = next_normal();
    for (size_t s = 0; s < 4 * sizeof(sizes) / sizeof(sizes[0]); s++) {
        const size_t m = sizes[s / 4][0], n = sizes[s / 4][1], k = sizes[s / 4][2];
        const lpu_matmul_view x = {a, s & 1 ? 1 : 300, s & 1 ? 300 : 1};
        const lpu_matmul_view y = {b, s & 2 ? 1 : 300, s & 2 ? 300 : 1};
        for (size_t i = 0; i < 300 * 300; i++) c[i] = 5;
        lpu_matmul_run(c, 300, x, y, m, n, k, s & 1, scratch);
        for (size_t i = 0; i < 300; i++) {
            for (size_t j = 0; j < 300; j++) {
                double sum = i < m && j < n && !(s & 1) ? 0 : 5;
                for (size_t q = 0; q < k && i < m && j < n; q++) {
                    sum += a[i * x.row + q * x.col] * b[q * y.row + j * y.col];
                }
                CHECK(fabs(c[i * 300 + j] - sum) < 1e-10, "product %zu at %zu, %zu is %g, not %g",
                      s, i, j, c[i * 300 + j], sum);
            }
        }
    }
}

int main(void)
{
    RUN(products);
    RUN(rounds_by_absmax);
    RUN(gradients_relu2);
    RUN(gradients_silu);
    RUN(gradients_straight_through);
    return test_failures != 0;
}
