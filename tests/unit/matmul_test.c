/* tests/unit/matmul_test.c - the products of training against sums in double, of every shape. */
#include "workloads/quants.h"
#include "workloads/train/matmul.h"

#include "tests/unit/test.h"

#include <math.h>
#include <stdlib.h>

typedef void product(float *c, size_t stride, lpu_matmul_view a, lpu_matmul_view b, size_t m,
                     size_t n, size_t k, bool adds, float *scratch);

static uint64_t random_state = 5;

static uint32_t next_random(void) /* Knuth's MMIX generator (TAOCP 2, 3.3.4, table 1) */
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(random_state >> 33);
}

static float next_real(void)
{
    return (float)next_random() * 0x1p-30f - 1;
}

static double rounded(float x, bool is_rounded)
{
    return (double)(is_rounded ? lpu_quants_bf16_to_f32(lpu_quants_f32_to_bf16(x)) : x);
}

/* The element of c that is farthest from the sum in double, in units of the sum of magnitudes. */
static double worst_of(product *run, size_t m, size_t n, size_t k, int layout, bool adds,
                       bool is_rounded)
{
    const size_t stride = n + 3;
    const size_t apart = layout & 4 ? 2 : 1; /* elements lie side by side in neither direction */
    float *a = malloc(m * k * apart * sizeof(*a)), *b = malloc(k * n * apart * sizeof(*b));
    float *c = malloc(m * stride * sizeof(*c)), *before = malloc(m * stride * sizeof(*c));
    float *scratch = aligned_alloc(64, LPU_MATMUL_SCRATCH * sizeof(*scratch));
    const lpu_matmul_view left = {a, apart * (layout & 1 ? 1 : k), apart * (layout & 1 ? m : 1)};
    const lpu_matmul_view right = {b, apart * (layout & 2 ? 1 : n), apart * (layout & 2 ? k : 1)};
    double worst = 0;

    for (size_t i = 0; i < m * k * apart; i++) a[i] = next_real();
    for (size_t i = 0; i < k * n * apart; i++) b[i] = next_real();
    for (size_t i = 0; i < m * stride; i++) before[i] = c[i] = next_real();
    run(c, stride, left, right, m, n, k, adds, scratch);
    for (size_t i = 0; i < m; i++) {
        for (size_t j = 0; j < n; j++) {
            double sum = adds ? (double)before[i * stride + j] : 0, size = 1;
            for (size_t p = 0; p < k; p++) {
                const double x = rounded(a[i * left.row + p * left.col], is_rounded) *
                                 rounded(b[p * right.row + j * right.col], is_rounded);
                sum += x;
                size += fabs(x);
            }
            worst = fmax(worst, fabs((double)c[i * stride + j] - sum) / size);
        }
        for (size_t j = n; j < stride; j++) { /* what lies beside is left alone */
            if (c[i * stride + j] != before[i * stride + j]) worst = 1;
        }
    }
    free(a);
    free(b);
    free(c);
    free(before);
    free(scratch);
    return worst;
}

static void all_shapes(product *run, bool is_rounded)
{
    static const size_t sizes[][3] = {{1, 1, 1},     {6, 16, 8},     {12, 32, 256}, {13, 33, 257},
                                      {5, 40, 7},    {290, 20, 64},  {64, 70, 300}, {256, 48, 128},
                                      {300, 31, 33}, {24, 128, 513}, {70, 6, 70},   {2, 5, 255}};

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        for (int layout = 0; layout < 8; layout++) {
            const size_t *s = sizes[i];
            const double worst =
                worst_of(run, s[0], s[1], s[2], layout & 3, layout & 4, is_rounded);
            CHECK(worst < 1e-6, "%zu by %zu by %zu, layout %d: off by %g", s[0], s[1], s[2], layout,
                  worst);
        }
    }
}

static void floats(void)
{
    all_shapes(lpu_matmul_run, false);
}

/* Of bfloat16 where the CPU has it, and then not of floats: 8 bits are seen. */
static void coarse(void)
{
    bool has_bf16 = false;
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
    has_bf16 = __builtin_cpu_supports("avx512bf16");
#endif
    all_shapes(lpu_matmul_run_coarse, has_bf16);
    if (!has_bf16) return;
    const double far = worst_of(lpu_matmul_run_coarse, 20, 20, 20, 0, false, false);
    CHECK(far > 1e-5 && far < 4e-3, "off from floats by %g", far);
}

int main(void)
{
    RUN(floats);
    RUN(coarse);
    return test_failures != 0;
}
