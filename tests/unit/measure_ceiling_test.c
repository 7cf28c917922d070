/* tests/unit/measure_ceiling_test.c - what a pass must read and multiply, against sums by hand. */
#include "kernels/measure_ceiling.h"
#include "kernels/measure_machine.h"
#include "tests/unit/test.h"
#include "workloads/model.h"

#include <math.h>

/* 2B4T: hidden 2560, 20 heads and 5 KV heads of 128, ffn 6912 with a gate, 30 layers. */
static void counts_of_2b4t(void)
{
    /* q and o 2560 x 2560, k and v 640 x 2560, gate, up and down 6912 x 2560. */
    const uint64_t layer = 2 * 2560 * 2560 + 2 * 640 * 2560 + 3 * 6912 * 2560;
    /* Blocks of 80 rows: 32, 8, 87 (of 86.4), and 32; 16 bytes for each k of them. */
    const uint64_t b3 = 16 * (2 * 32 * 2560 + 2 * 8 * 2560 + 2 * 87 * 2560 + 32 * 6912);
    lpu_measure_ceiling c;
    lpu_model m;

    CHECK_OK(lpu_model_load(&m, "bitnet-b1.58-2b4t", diag));
    lpu_measure_ceiling_count(&c, &m, 30, LPU_LAYOUT_B3, 1, 512, 1000, 77);
    CHECK_EQ(c.bytes, 30 * (b3 + 2 * 640 * 513) + 1000);
    CHECK_EQ(c.macs, 30 * (layer + 2 * 2560 * 513) + 77);

    /* Eight tokens see 513, 514, ... 520 keys; halves take two bytes. */
    lpu_measure_ceiling_count(&c, &m, 30, LPU_LAYOUT_F16, 8, 512, 0, 0);
    CHECK_EQ(c.bytes, 30 * (2 * layer + 2 * 2 * 640 * 520));
    CHECK_EQ(c.macs, 30 * (8 * layer + 2 * 2560 * (8 * 512 + 36)));
}

static void the_lower_rate_binds(void)
{
    const lpu_measure_limits l = {.threads = 1,
                                  .read_bytes_per_s = 1e9,
                                  .macs_per_s = {[LPU_PEAK_I8] = 8e9,
                                                 [LPU_PEAK_TERNARY] = 16e9,
                                                 [LPU_PEAK_F32] = 1e9,
                                                 [LPU_PEAK_BF16] = 2e9}};
    lpu_measure_ceiling c = {.bytes = 1000000, .macs = 4000000};

    lpu_measure_ceiling_rate(&c, &l, LPU_LAYOUT_T2, 1, 500);
    CHECK(c.is_of_memory && fabs(c.memory_tokens_per_s - 1000) < 1e-6, "%g", c.memory_tokens_per_s);
    CHECK(fabs(c.products_tokens_per_s - 2000) < 1e-6 && fabs(c.share - 0.5) < 1e-9, "%g, %g",
          c.products_tokens_per_s, c.share);
    lpu_measure_ceiling_rate(&c, &l, LPU_LAYOUT_F16, 2, 100);
    CHECK(!c.is_of_memory && fabs(c.products_tokens_per_s - 500) < 1e-6 &&
              fabs(c.share - 0.2) < 1e-9,
          "%g, %g", c.products_tokens_per_s, c.share);
    /* Ternary products of many tokens have a peak of their own. */
    lpu_measure_ceiling_rate(&c, &l, LPU_LAYOUT_B3, 32, 100);
    CHECK(fabs(c.products_tokens_per_s - 32 * 4000) < 1e-6, "%g", c.products_tokens_per_s);
    lpu_measure_ceiling_rate(&c, &l, LPU_LAYOUT_I8, 32, 100);
    CHECK(fabs(c.products_tokens_per_s - 32 * 2000) < 1e-6, "%g", c.products_tokens_per_s);
    lpu_measure_ceiling_rate(&c, &l, LPU_LAYOUT_BF16, 2, 100);
    CHECK(fabs(c.products_tokens_per_s - 1000) < 1e-6, "%g", c.products_tokens_per_s);
}

/* The best of two looks at the machine is kept. */
static void limits_only_rise(void)
{
    lpu_measure_limits l = {0}, first;
    lpu_measure_machine *m;

    CHECK_OK(lpu_measure_machine_open(&m, 1, diag));
    lpu_measure_machine_limits(m, &l, 0.01);
    CHECK(l.threads == 1 && l.read_bytes_per_s > 0 && l.macs_per_s[LPU_PEAK_I8] > 0, "no limits");
    first = l;
    first.macs_per_s[LPU_PEAK_I8] *= 1000;
    first.read_bytes_per_s *= 1000;
    l = first;
    lpu_measure_machine_limits(m, &l, 0.01);
    CHECK(l.macs_per_s[LPU_PEAK_I8] >= first.macs_per_s[LPU_PEAK_I8], "the int8 peak fell");
    CHECK(l.read_bytes_per_s >= first.read_bytes_per_s, "the bandwidth fell");
    CHECK(l.least_read_bytes_per_s < l.read_bytes_per_s / 100, "its fall is not kept");
    CHECK(l.is_noisy, "a memory that changed is not noisy");
    lpu_measure_machine_read(m);
    const double rate = lpu_measure_machine_rate(m, &l);
    CHECK(isnan(rate) || (rate >= l.least_read_bytes_per_s && rate < l.read_bytes_per_s / 100),
          "%g B/s", rate);
    lpu_measure_machine_close(&m);
}

int main(void)
{
    RUN(counts_of_2b4t);
    RUN(the_lower_rate_binds);
    RUN(limits_only_rise);
    return test_failures > 0;
}
