/* tests/unit/amx_test.c - the kernels with tiles on CPUs that have none: every row of kernels.def
 * for AMX against the definition, on any x86 with AVX-512. Twice:
 *
 *     in C       compiled again, the intrinsics being functions in plain C (amx_in_c.h);
 *     trapped    as they are in the library, each instruction that the CPU does not know being done
 *                by those functions (amx_trap.h).
 *
 * The tiles themselves are held to products of matrices written from the definition first.
 */
#define _GNU_SOURCE /* names of registers */
#include "kernels/kernels.h"

#include <stdio.h>

#if LPU_ARCH_X86 && defined(__GNUC__) && !defined(__clang__)

#include "tests/unit/amx_in_c.h"
#include "tests/unit/amx_trap.h"

/* --- the kernels: lpu_gemm_t2_i8_amx is in_c_gemm_t2_i8 here --- */

#define lpu_gemm_b1_i8_amx     in_c_gemm_b1_i8
#define lpu_gemm_t2_i8_amx     in_c_gemm_t2_i8
#define lpu_gemm_b3_i8_amx     in_c_gemm_b3_i8
#define lpu_gemm_i4_i8_amx     in_c_gemm_i4_i8
#define lpu_gemm_i8_i8_amx     in_c_gemm_i8_i8
#define lpu_gemm_bf16_bf16_amx in_c_gemm_bf16_bf16
#define lpu_peak_i8_amx        in_c_peak_i8
#define lpu_peak_bf16_amx      in_c_peak_bf16
#define ROW_c(...)
#define ROW_avx2(...)
#define ROW_avx512vnni(...)
#define ROW_avx512bf16(...)
#define ROW_avx512fp16(...)
#define LPU_KERNEL(op, isa, needs, rows, k_step) ROW_##isa(op, rows, k_step)

#define ROW_amx(op, rows, k_step) lpu_##op##_fn in_c_##op;
#include "kernels/kernels.def"
#undef ROW_amx

#pragma GCC push_options
#pragma GCC target("avx512f,avx512bw,avx512vl,avx512vnni,avx512vbmi,avx2,fma,f16c")
#include "kernels/b1_i8_amx.c"
#include "kernels/b3_i8_amx.c"
#include "kernels/bf16_bf16_amx.c"
#include "kernels/i4_i8_amx.c"
#include "kernels/i8_i8_amx.c"
#include "kernels/limits_amx.c"
#include "kernels/t2_i8_amx.c"
#pragma GCC pop_options

#undef lpu_gemm_b1_i8_amx
#undef lpu_gemm_t2_i8_amx
#undef lpu_gemm_b3_i8_amx
#undef lpu_gemm_i4_i8_amx
#undef lpu_gemm_i8_i8_amx
#undef lpu_gemm_bf16_bf16_amx
#undef lpu_peak_i8_amx
#undef lpu_peak_bf16_amx

/* --- what checks them --- */

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#include "tests/unit/kernels_check.h"
#include "tests/unit/kernels_check_floats.h"
#include "tests/unit/kernels_check_products.h"
#pragma GCC diagnostic pop

#include <sys/wait.h>

/* --- tiles --- */

typedef struct shape {
    size_t m, k, n; /* k and n in elements of four bytes */
} shape;

/* Tile 0 is m x n, 1 is m x k, 2 is k x n, as the bytes of a configuration. */
static void configuration(uint8_t *c, shape s)
{
    const size_t rows[] = {s.m, s.m, s.k}, columns[] = {s.n, s.k, s.n};
    memset(c, 0, 64);
    c[0] = 1;
    for (size_t i = 0; i < 3; i++) {
        c[16 + 2 * i] = (uint8_t)(4 * columns[i]);
        c[48 + i] = (uint8_t)rows[i];
    }
}

static void draw_bytes(uint8_t *to, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) to[i] = (uint8_t)draw();
}

enum { STRIDE = 67 };

/* Element i of row r, a signed or an unsigned byte. */
static int64_t byte_at(const uint8_t *tile, size_t r, size_t i, bool is_signed)
{
    const int value = tile[r * STRIDE + i];
    return is_signed && value > 127 ? value - 256 : value;
}

static void tiles_of_bytes_are_products_of_matrices(void)
{
    static const shape shapes[] = {{16, 16, 16}, {1, 1, 1}, {3, 16, 16}, {16, 5, 7}, {2, 9, 16}};
    uint8_t a[16 * STRIDE], b[16 * STRIDE], c[16 * STRIDE], d[16 * STRIDE], with[64];

    for (size_t i = 0; i < 4 * sizeof(shapes) / sizeof(*shapes); i++) {
        const shape s = shapes[i / 4];
        const bool is_a_signed = i % 4 < 2, is_b_signed = i % 2 == 0;
        draw_bytes(a, sizeof(a));
        draw_bytes(b, sizeof(b));
        draw_bytes(c, sizeof(c));
        memcpy(d, c, sizeof(d));
        configuration(with, s);
        _tile_loadconfig(with);
        _tile_loadd(0, c, STRIDE);
        _tile_loadd(1, a, STRIDE);
        _tile_loadd(2, b, STRIDE);
        if (i % 4 == 0) _tile_dpbssd(0, 1, 2);
        if (i % 4 == 1) _tile_dpbsud(0, 1, 2);
        if (i % 4 == 2) _tile_dpbusd(0, 1, 2);
        if (i % 4 == 3) _tile_dpbuud(0, 1, 2);
        _tile_stored(0, d, STRIDE);
        _tile_release();
        for (size_t m = 0; m < 16; m++) {
            for (size_t n = 0; n < 16; n++) {
                uint32_t before, found;
                memcpy(&before, c + m * STRIDE + 4 * n, 4);
                memcpy(&found, d + m * STRIDE + 4 * n, 4);
                int64_t sum = 0;
                for (size_t k = 0; k < 4 * s.k && m < s.m && n < s.n; k++) {
                    /* b is stored as (k / 4, n, k % 4). */
                    sum += byte_at(a, m, k, is_a_signed) *
                           byte_at(b, k / 4, 4 * n + k % 4, is_b_signed);
                }
                CHECK(found == (uint32_t)(before + (uint64_t)sum), "%zu: (%zu, %zu) is %x", i, m, n,
                      found);
            }
        }
    }
}

/* One product of tiles of one row and column: sum += a[0] b[0] + ... + a[7] b[7]. */
static float sum_of_bf16(float sum, const float *a, const float *b)
{
    uint8_t with[64], x[16], w[16];
    configuration(with, (shape){1, 4, 1});
    for (size_t k = 0; k < 8; k++) {
        memcpy(x + 2 * k, (const uint8_t *)&a[k] + 2, 2);
        memcpy(w + 2 * k, (const uint8_t *)&b[k] + 2, 2);
    }
    _tile_loadconfig(with);
    _tile_loadd(0, &sum, 4);
    _tile_loadd(1, x, 16);
    _tile_loadd(2, w, 4);
    _tile_dpbf16ps(0, 1, 2);
    _tile_stored(0, &sum, 4);
    _tile_release();
    return sum;
}

/* Each expected value is worked out by hand. */
static void tiles_of_bf16_round_as_defined(void)
{
    static const struct {
        const char *what;
        float sum, a[8], b[8], expected;
    } cases[] = {
        {"integers", 5, {1, 2, 3, 4, 5, 6, 7, 8}, {1, -1, 2, -2, 3, -3, 4, -4}, 5 - 1 - 2 - 3 - 4},
        {"each half its sum", 0, {0x1p24f, 1, 1, 1}, {1, 1, 1, 1}, 0x1p24f + 2},
        {"to even, down", 0, {0x1p24f, 0, 1}, {1, 0, 1}, 0x1p24f},
        {"to even, up", 0, {0x1p24f, 0, 3}, {1, 0, 1}, 0x1p24f + 4},
        {"halves meet first", 0x1p24f, {1, 1}, {1, 1}, 0x1p24f + 2},
        {"not with c", 0x1p24f, {0, 1}, {0, 1}, 0x1p24f},
        {"small operand", 0, {0x1p-127f}, {0x1p20f}, 0},
        {"small product", 0, {0x1p-100f}, {0x1p-40f}, 0},
        {"small c", 0x1p-130f, {0x1p-126f}, {1}, 0x1p-126f},
        {"one rounding", 0, {0x1.8p-126f, 0, -0x1p-64f}, {1, 0, 0x1p-63f}, 0x1p-126f},
        {"difference", 0, {0x1p-126f, 0x1.8p-126f}, {1, -1}, 0},
        {"halves, then c", 0x1p-126f, {0x1p-126f, 0x1.8p-126f}, {1, -1}, 0x1p-126f},
        {"each step is flushed", 0, {0x1p-64f, 0, 0x1p-64f}, {0x1p-63f, 0, 0x1p-63f}, 0},
        {"large", 0, {0x1p100f, 0x1p100f}, {0x1p27f, 0x1p27f}, INFINITY},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        const float found = sum_of_bf16(cases[i].sum, cases[i].a, cases[i].b);
        CHECK(found >= cases[i].expected && found <= cases[i].expected, "%s: %a, expected %a",
              cases[i].what, (double)found, (double)cases[i].expected);
    }
}

/* What the CPU answers with an exception ends a child. */
static void wrong_use_is_caught(void)
{
    for (int i = 0; i < 9; i++) {
        fflush(stdout);
        const pid_t child = fork();
        if (!child) {
            uint8_t c[64], room[2048];
            configuration(c, (shape){4, 5, 6});
            if (i == 1) c[0] = 2;       /* no such palette */
            if (i == 2) c[48] = 17;     /* too many rows */
            if (i == 3) c[16 + 2] = 68; /* rows too long */
            if (i == 4) c[48 + 9] = 1;  /* no such tile */
            if (i == 5) c[48] = 5;      /* rows of sums and first operand */
            if (i == 6) c[48 + 2] = 6;  /* k of both operands */
            if (i == 7) c[16] = 28;     /* columns */
            if (!freopen("/dev/null", "w", stderr)) _exit(2);
            if (i != 8) _tile_loadconfig(c);
            _tile_zero(0); /* i == 8: without a configuration */
            memset(room, 0, sizeof(room));
            _tile_loadd(1, room, 64);
            _tile_loadd(2, room, 64);
            _tile_dpbssd(0, 1, 2);
            _exit(0);
        }
        int status = 0;
        CHECK(child > 0 && waitpid(child, &status, 0) == child, "there is no child");
        CHECK(i ? WIFSIGNALED(status) : WIFEXITED(status) && !WEXITSTATUS(status),
              "case %d ended with status %x", i, (unsigned)status);
    }
}

/* --- the rows --- */

static void check_peak(uint64_t (*f)(size_t), uint64_t each)
{
    CHECK_EQ(f(0), 0);
    CHECK_EQ(f(1), each);
    CHECK_EQ(f(300), 300 * each);
}

static void check_peak_of_i8(lpu_peak_i8_fn *f)
{
    check_peak(f, 4 * 16 * 16 * 64);
}

static void check_peak_of_bf16(lpu_peak_bf16_fn *f)
{
    check_peak(f, 4 * 16 * 16 * 32);
}

/* Beside the cases of every row, several chunks of k and panels of tokens. */
static void check_panels_of_bf16(lpu_gemm_bf16_bf16_fn *f)
{
    check_gemm_bf16_bf16(f);
    if (!test_is_over) check_bf16_case(NULL, f, now.rows + 3, 10 * now.k_step + 5, 33);
    if (!test_is_over) check_bf16_case(NULL, f, 2 * now.rows, 3, 300);
    if (!test_is_over) check_bf16_case(NULL, f, 21, 2 * now.k_step, 16);
}

/* What a kernel finds on its stack, unless it has written there, is no number in BF16. */
__attribute__((noinline)) static void spoil_stack(void)
{
    uint8_t room[1 << 20];
    memset(room, 0xff, sizeof(room));
    __asm__ volatile("" : : "r"(room) : "memory");
}

#define check_peak_i8        check_peak_of_i8
#define check_peak_bf16      check_peak_of_bf16
#define check_gemm_bf16_bf16 check_panels_of_bf16

/* 256 tokens (16 tiles), 64 bytes of k 16 times (2 chunks), one strip: the counts that the estimate
 * of kernels/amx.h is made of. */
static void a_strip_takes_as_many_instructions_as_estimated(void)
{
    enum { TOKENS = 256, K = 1024, ROWS = 128 };
    static uint8_t w[ROWS * K];
    static int8_t x[TOKENS * K];
    static int32_t y[TOKENS * ROWS];
    static const struct {
        lpu_gemm_t2_i8_fn *f;
        size_t rows;
        uint64_t tiles; /* of weights, in a step */
        uint64_t strips;
    } cases[] = {{in_c_gemm_t2_i8, 64, 4, 1},
                 {in_c_gemm_b3_i8, 80, 5, 1},
                 {in_c_gemm_i4_i8, 64, 4, 1},
                 {in_c_gemm_b1_i8, 128, 4, 2}};

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        const uint64_t tiles = cases[i].tiles, passes = 16 * cases[i].strips;
        amx.products = amx.loads = amx.stores = 0;
        cases[i].f(y, ROWS, w, x, K, cases[i].rows, K, TOKENS, NULL);
        CHECK_EQ(amx.products, passes * 16 * tiles);
        CHECK_EQ(amx.loads,
                 passes * (16 * (tiles + 1) + tiles)); /* sums, before the second chunk */
        CHECK_EQ(amx.stores, passes * 2 * tiles);

        /* Few tokens: sums stay. */
        amx.products = amx.loads = amx.stores = 0;
        cases[i].f(y, ROWS, w, x, K, cases[i].rows, K, 9, NULL);
        CHECK_EQ(amx.products, cases[i].strips * 16 * tiles);
        CHECK_EQ(amx.loads, cases[i].strips * 16 * (tiles + 1));
        CHECK_EQ(amx.stores, cases[i].strips * tiles);
    }
}

/* Before and after a row. */
static void open_row(const char *name, size_t step_rows, size_t step_k)
{
    now = (row){name, LPU_CPU_AMX, step_rows, step_k};
    test_is_over = 0;
    amx.products = 0;
    spoil_stack();
}

static void close_row(void)
{
    if (!test_is_over && (amx.is_configured || !amx.products)) {
        test_fail(__FILE__, __LINE__, "%s left its tiles, or had none", now.name);
    }
    if (!test_is_over) printf("ok      %s\n", now.name);
    fflush(stdout);
}

static void check_rows_in_c(void)
{
#define ROW_amx(op, step_rows, step_k)                                                             \
    open_row(#op "_amx in C", step_rows, step_k);                                                  \
    check_##op(in_c_##op);                                                                         \
    close_row();
#include "kernels/kernels.def"
#undef ROW_amx
}

static void check_rows_trapped(void)
{
#define ROW_amx(op, step_rows, step_k)                                                             \
    open_row(#op "_amx trapped", step_rows, step_k);                                               \
    check_##op(lpu_##op##_amx);                                                                    \
    close_row();
#include "kernels/kernels.def"
#undef ROW_amx
}

int main(void)
{
    RUN(tiles_of_bytes_are_products_of_matrices);
    RUN(tiles_of_bf16_round_as_defined);
    RUN(wrong_use_is_caught);
    if (!(lpu_cpu_flags() & LPU_CPU_AVX512VNNI)) {
        printf("skip    the rows for AMX: this CPU lacks AVX-512 VNNI\n");
        return test_failures != 0;
    }
    RUN(a_strip_takes_as_many_instructions_as_estimated);
    check_rows_in_c();
    if (amx_trap()) check_rows_trapped();
    else printf("skip    the rows for AMX trapped: this CPU has tiles, see kernels_test\n");
    return test_failures != 0;
}

#else

int main(void)
{
    printf("skip    tiles in C: the rest of these kernels is AVX-512, compiled by gcc\n");
    return 0;
}

#endif
