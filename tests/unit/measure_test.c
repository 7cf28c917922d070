/* tests/unit/measure_test.c - the energy meter on counters made here, and a short measurement. */
#include "kernels/measure.h"
#include "kernels/meter.h"
#include "tests/unit/test.h"

#include <math.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- meter --- */

static char root[64];

static void put(int package, const char *name, const char *text)
{
    char path[160];
    snprintf(path, sizeof(path), "%s/intel-rapl:%d", root, package);
    mkdir(path, 0700);
    snprintf(path, sizeof(path), "%s/intel-rapl:%d/%s", root, package, name);
    FILE *file = fopen(path, "w");
    if (!file) abort();
    fputs(text, file);
    fclose(file);
}

static void drop(int package, const char *name)
{
    char path[160];
    snprintf(path, sizeof(path), "%s/intel-rapl:%d/%s", root, package, name);
    unlink(path);
    snprintf(path, sizeof(path), "%s/intel-rapl:%d", root, package);
    rmdir(path);
}

static void the_meter_adds_packages_and_wraps(void)
{
    lpu_meter m;
    double joules = -1;

    snprintf(root, sizeof(root), "/tmp/measure_test.%d", (int)getpid());
    mkdir(root, 0700);
    CHECK(!lpu_meter_init(&m, root), "found a meter in an empty directory");
    CHECK(!lpu_meter_read(&m, &joules) && joules < 0, "read %g J from no meter", joules);

    put(0, "energy_uj", "1000000\n");
    put(0, "max_energy_range_uj", "9000000\n");
    put(1, "energy_uj", "8500000\n");
    put(1, "max_energy_range_uj", "9000000\n");
    CHECK(lpu_meter_init(&m, root), "found no meter");
    CHECK_EQ(m.count, 2);
    put(0, "energy_uj", "1250000\n");
    put(1, "energy_uj", "500000\n"); /* 0.5 J to the end of the range, 0.5 J after it */
    CHECK(lpu_meter_read(&m, &joules), "the meter could not be read");
    CHECK(fabs(joules - 1.25) < 1e-9, "%.9g J, expected 1.25", joules);
    CHECK(lpu_meter_read(&m, &joules) && fabs(joules) < 1e-12, "%g J, expected 0", joules);
    drop(1, "energy_uj");
    CHECK(!lpu_meter_read(&m, &joules), "read a meter that is gone");

    drop(0, "energy_uj");
    drop(0, "max_energy_range_uj");
    drop(1, "max_energy_range_uj");
    rmdir(root);
}

/* --- measurement --- */

static const lpu_model small = {.name = "small",
                                .hidden_elems = 256,
                                .ffn_elems = 700,
                                .vocab_elems = 1000,
                                .layers = 3,
                                .heads = 4,
                                .kv_heads = 2,
                                .head_elems = 64,
                                .is_gated = true};

/* A share is of what memory gave in some part of the run, if that could be told. */
static void check_share(double bytes_per_s, double share, const lpu_measure_limits *l)
{
    if (isnan(share)) return;
    CHECK(bytes_per_s / share >= 0.999 * l->least_read_bytes_per_s &&
              bytes_per_s / share <= 1.001 * l->read_bytes_per_s,
          "%g of %g B/s: memory gave %g to %g", share, bytes_per_s, l->least_read_bytes_per_s,
          l->read_bytes_per_s);
}

static void a_measurement_adds_up(void)
{
    static lpu_measure m;
    const lpu_measure_options o = {
        .model = &small, .threads = 2, .seconds = 1, .memory_bytes = 64 << 20, .has_points = true};

    CHECK_OK(lpu_measure_run(&m, &o, diag));
    CHECK_EQ(m.threads_counts, 2);
    CHECK_EQ(m.threads[1], 2);
    CHECK_EQ(m.product_count, 5 * LPU_LAYOUTS * 2); /* q o; k v; gate up; down; head */
    CHECK_EQ(m.token_count, LPU_LAYOUTS * 2);
    for (size_t i = 0; i < m.product_count; i++) {
        const lpu_measure_product *p = &m.products[i];
        CHECK_EQ(p->bytes, lpu_layout_bytes(p->layout, p->rows, p->k));
        CHECK(p->time.median_ns > 0 && p->time.p10_ns <= p->time.median_ns &&
                  p->time.median_ns <= p->time.p90_ns,
              "%s: times %g %g %g", p->name, p->time.p10_ns, p->time.median_ns, p->time.p90_ns);
        const double weights = p->weights_per_s * p->time.median_ns * 1e-9;
        CHECK(fabs(weights - (double)(p->rows * p->k)) < 1, "%s: %g weights", p->name, weights);
        check_share(p->bytes_per_s, p->bandwidth_share, &m.limits[p->threads - 1]);
    }
    const lpu_measure_product *p = lpu_measure_find_product(&m, "gate, up", LPU_LAYOUT_B3, 2);
    CHECK(p && p->rows == 700 && p->k == 256, "gate and up are not there");
    const lpu_measure_token *t = lpu_measure_find_token(&m, LPU_LAYOUT_F16, 1);
    CHECK(t, "FP16 is not there");
    /* Whole blocks of 16 rows, two bytes a weight. */
    CHECK_EQ(t->bytes, 3 * 2 * 256 * (256 + 2 * 128 + 256 + 3 * 704 - 4) + 2 * 256 * 1008);
    CHECK_EQ(t->layers_timed, 3);
    CHECK(t->decode_tokens_per_s > 0 && t->prefill_tokens_per_s > 0, "no tokens per second");
    check_share((double)t->bytes * t->decode_tokens_per_s, t->bandwidth_share, &m.limits[0]);
    CHECK_EQ(m.point_count, LPU_LAYOUTS * LPU_MEASURE_BATCHES * 2 * 2);
    for (size_t i = 0; i < m.point_count; i++) {
        const lpu_measure_point *x = &m.points[i];
        check_share(x->bytes_per_s, x->bandwidth_share, &m.limits[x->threads - 1]);
    }
}

static void a_model_that_does_not_fit_is_refused(void)
{
    static lpu_measure m;
    lpu_diag why = {""};
    lpu_measure_options o = {.model = &small, .threads = 1, .seconds = 1, .memory_bytes = 1 << 20};

    CHECK_EQ(lpu_measure_run(&m, &o, &why), LPU_ERR_RANGE);
    CHECK(strstr(why.text, "small"), "the sentence is \"%s\"", why.text);
}

int main(void)
{
    RUN(the_meter_adds_packages_and_wraps);
    RUN(a_measurement_adds_up);
    RUN(a_model_that_does_not_fit_is_refused);
    return test_failures != 0;
}
