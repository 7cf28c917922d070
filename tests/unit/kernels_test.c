/* tests/unit/kernels_test.c - every row of kernels.def against loops written from the definition.
 *
 * Shapes go around the kernel's own step; inputs are extremes, zeros, sparse and random; buffers
 * are unaligned, have guard bands, and end where the allocation ends (for the address sanitizer).
 * KERNELS_SEED sets the seed; KERNELS_ONLY names the one instruction set to be tested.
 */
#include "tests/unit/kernels_check.h"
#include "tests/unit/kernels_check_floats.h"
#include "tests/unit/kernels_check_groups.h"
#include "tests/unit/kernels_check_passes.h"
#include "tests/unit/kernels_check_products.h"
#include "tests/unit/kernels_check_reals.h"
#include "tests/unit/kernels_check_softmax.h"

/* --- the table
 * -------------------------------------------------------------------------------------- */

static void the_mask_is_read(void)
{
    lpu_diag why = {""};
    uint32_t allowed;
    CHECK_OK(lpu_cpu_parse(&allowed, NULL, diag));
    CHECK_EQ(allowed, LPU_CPU_ALL);
    CHECK_OK(lpu_cpu_parse(&allowed, "c", diag));
    CHECK_EQ(allowed, 0);
    CHECK_OK(lpu_cpu_parse(&allowed, "avx512vnni,avx2", diag));
    CHECK_EQ(allowed, LPU_CPU_AVX2 | LPU_CPU_AVX512VNNI);
    CHECK_EQ(lpu_cpu_parse(&allowed, "avx", &why), LPU_ERR_FORMAT);
    CHECK(strstr(why.text, "\"avx\""), "the sentence is \"%s\"", why.text);
    CHECK_EQ(lpu_cpu_parse(&allowed, "c,", &why), LPU_ERR_FORMAT);

    lpu_kernels k;
    lpu_kernels_init(&k, 0);
    CHECK(k.gemv_t2_i8 == lpu_gemv_t2_i8_c && k.gate_i32 == lpu_gate_i32_c,
          "a masked table is not portable");
}

static void every_op_has_a_kernel(void)
{
    lpu_kernels k;
    memset(&k, 0, sizeof(k));
    lpu_kernels_init(&k, LPU_CPU_ALL);
    void *entry[sizeof(k) / sizeof(void *)];
    memcpy(entry, &k, sizeof(k));
    for (size_t i = 0; i < sizeof(k) / sizeof(void *); i++) CHECK(entry[i], "op %zu is empty", i);
}

int main(void)
{
    const char *text = getenv("KERNELS_SEED"), *only = getenv("KERNELS_ONLY");
    if (text) seed = strtoull(text, NULL, 10) | 1;
    printf("seed %llu\n", (unsigned long long)seed);

    if (!only) {
        RUN(the_mask_is_read);
        RUN(every_op_has_a_kernel);
        RUN(half_converts_every_value);
        RUN(half_rounds_like_the_compiler);
        RUN(bf16_rounds_to_nearest);
    }

#define LPU_KERNEL(op, isa, flags, step_rows, step_k)                                              \
    now = (row){#op "_" #isa, flags, step_rows, step_k};                                           \
    test_is_over = 0;                                                                              \
    if (only && strcmp(only, #isa)) {                                                              \
    } else if ((lpu_cpu_flags() & now.needs) != now.needs) {                                       \
        printf("skip    %s: this CPU lacks %s\n", now.name, #isa);                                 \
    } else {                                                                                       \
        check_##op(lpu_##op##_##isa);                                                              \
        if (!test_is_over) printf("ok      %s\n", now.name);                                       \
    }                                                                                              \
    fflush(stdout);
#include "kernels/kernels.def"
#undef LPU_KERNEL
    return test_failures != 0;
}
