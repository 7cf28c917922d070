/* tests/unit/kernels_check_products.h - products of integers against the definition, and the
 * limits. */
#ifndef LPU_TESTS_UNIT_KERNELS_CHECK_PRODUCTS_H
#define LPU_TESTS_UNIT_KERNELS_CHECK_PRODUCTS_H

#include "tests/unit/kernels_check.h"

typedef enum product_kind {
    ALL_PLUS,
    ALL_MINUS,
    ALIGNED,
    ZERO,
    SPARSE,
    UNIFORM,
    KINDS
} product_kind;

/* One case: w (rows, k) of low..high, x (tokens, k). */
typedef struct problem {
    size_t rows, k, tokens;
    product_kind what;
    int8_t *w, *x;
} problem;

static problem problem_open(size_t rows, size_t k, size_t tokens, product_kind what, int low,
                            int high)
{
    problem p = {rows, k, tokens, what, malloc(rows * k + 1), malloc(tokens * k + 1)};
    if (!p.w || !p.x) abort();
    for (size_t i = 0; i < tokens * k; i++) {
        const int any = (int)(draw() % 255) - 127;
        p.x[i] = (int8_t)(what == ZERO                            ? 0
                          : what == ALL_PLUS || what == ALL_MINUS ? 127
                          : what == ALIGNED                       ? (draw() & 1 ? 127 : -127)
                          : what == SPARSE && draw() % 8          ? 0
                                                                  : any);
    }
    for (size_t i = 0; i < rows * k; i++) {
        const int any = (int)(draw() % (unsigned)(high - low + 1)) + low;
        p.w[i] = (int8_t)(what == ALL_PLUS               ? high
                          : what == ALL_MINUS            ? low
                          : what == ALIGNED              ? (p.x[i % k] > 0 ? high : low)
                          : what == SPARSE && draw() % 8 ? 0
                                                         : any);
    }
    return p;
}

static void problem_close(problem *p)
{
    free(p->w);
    free(p->x);
}

/* The definition. */
static int32_t product(const problem *p, size_t t, size_t r)
{
    int32_t sum = 0;
    for (size_t c = 0; c < p->k; c++) sum += p->w[r * p->k + c] * p->x[t * p->k + c];
    return sum;
}

static tight pack(const problem *p, lpu_layout layout)
{
    const size_t step = lpu_layout_block_rows(layout);
    const size_t bytes = lpu_layout_bytes(layout, p->rows, p->k);
    uint8_t *w = malloc(bytes + 1);
    if (!w) abort();
    for (size_t r = 0; r < p->rows; r += step) {
        const size_t n = p->rows - r < step ? p->rows - r : step;
        uint8_t *to = w + r / step * lpu_layout_block_bytes(layout, p->k);
        const int8_t *from = p->w + r * p->k;
        if (layout == LPU_LAYOUT_B1) lpu_layout_pack_b1(to, from, n, p->k);
        if (layout == LPU_LAYOUT_T2) lpu_layout_pack_t2(to, from, n, p->k);
        if (layout == LPU_LAYOUT_B3) lpu_layout_pack_b3(to, from, n, p->k);
        if (layout == LPU_LAYOUT_I4) lpu_layout_pack_i4(to, from, n, p->k);
        if (layout == LPU_LAYOUT_I8) lpu_layout_pack_i8(to, from, n, p->k);
    }
    const tight t = tight_open(w, bytes, 1);
    free(w);
    return t;
}

typedef struct call {
    lpu_layout layout;
    lpu_gemv_t2_i8_fn *gemv;
    lpu_gemv_i8_i8_fn *gemv_i8;
    lpu_gemm_t2_i8_fn *gemm;
    lpu_gemm_i8_i8_fn *gemm_i8;
} call;

static void check_case(const call *f, size_t rows, size_t k, size_t tokens, product_kind what)
{
    const size_t y_stride = rows + 3;
    const size_t block = lpu_layout_block_bytes(f->layout, k);
    static const int range[][2] = {[LPU_LAYOUT_B1] = {-1, 1},
                                   [LPU_LAYOUT_T2] = {-1, 1},
                                   [LPU_LAYOUT_B3] = {-1, 1},
                                   [LPU_LAYOUT_I4] = {-8, 7},
                                   [LPU_LAYOUT_I8] = {-127, 127}};
    problem p = problem_open(rows, k, tokens, what, range[f->layout][0], range[f->layout][1]);
    for (size_t i = 0; f->layout == LPU_LAYOUT_B1 && i < rows * k; i++) {
        if (!p.w[i]) p.w[i] = 1; /* there is no zero */
    }
    const tight w = pack(&p, f->layout), x = tight_open(p.x, tokens * k, 1);
    const guarded y = guarded_open((y_stride * (tokens - 1) + rows) * 4, 0);
    int32_t *to = (int32_t *)(void *)y.data;
    const int8_t *in = (const int8_t *)x.data;

    if (f->gemv) f->gemv(to, w.data, in, rows, k);
    if (f->gemv_i8) f->gemv_i8(to, w.data, block, in, rows, k);
    if (f->gemm) f->gemm(to, y_stride, w.data, in, k, rows, k, tokens, room());
    if (f->gemm_i8) f->gemm_i8(to, y_stride, w.data, block, in, k, rows, k, tokens);

    size_t bad = SIZE_MAX;
    int32_t found = 0, expected = 0;
    for (size_t t = 0; t < tokens && bad == SIZE_MAX; t++) {
        for (size_t r = 0; r < rows && bad == SIZE_MAX; r++) {
            expected = product(&p, t, r);
            found = to[t * y_stride + r];
            if (found != expected) bad = t * y_stride + r;
        }
        for (size_t i = 0; t + 1 < tokens && i < 3 * sizeof(*to); i++) {
            if (y.data[(t * y_stride + rows) * 4 + i] != FILL) bad = t * y_stride + rows;
        }
    }
    const bool is_kept = guards_hold(&y);
    problem_close(&p);
    tight_close(&w);
    tight_close(&x);
    free(y.base);
    CHECK(bad == SIZE_MAX, "%s rows %zu k %zu tokens %zu inputs %d: y[%zu] is %d, expected %d",
          now.name, rows, k, tokens, what, bad, found, expected);
    CHECK(is_kept, "%s rows %zu k %zu tokens %zu: wrote outside y", now.name, rows, k, tokens);
}

static void check_product(const call *f, bool is_gemm)
{
    const size_t rows[] = {0,           1, now.rows - 1, now.rows, now.rows + 1, 3 * now.rows + 7,
                           4 * now.rows};
    const size_t k[] = {0, 1, 3, now.k_step - 1, now.k_step, now.k_step + 1, 3 * now.k_step + 7};
    const size_t many[] = {1, 2, 3, 4, 5, 6, 7, 13};

    for (size_t r = 0; r < sizeof(rows) / sizeof(*rows); r++) {
        for (size_t c = 0; c < sizeof(k) / sizeof(*k); c++) {
            for (product_kind what = 0; what < KINDS; what++) {
                const size_t tokens = is_gemm ? many[draw() % 8] : 1;
                check_case(f, rows[r], k[c], tokens, what);
                if (test_is_over) return;
            }
        }
    }
    for (size_t i = 0; i < (is_gemm ? 8 : 1); i++) {
        check_case(f, 2 * now.rows + 5, 2 * now.k_step + 2, many[i], UNIFORM);
        if (test_is_over) return;
    }
    /* A step that lacks blocks, each with weights in all places of tight_open. */
    const size_t block_rows = lpu_layout_block_rows(f->layout);
    for (size_t r = block_rows; r < now.rows; r += block_rows) {
        for (size_t i = 0; i < 6; i++) {
            check_case(f, r + i / 3, 2 * now.k_step + 1, is_gemm ? many[draw() % 8] : 1, UNIFORM);
            if (test_is_over) return;
        }
    }
    /* Around tiles of 16 tokens, and several blocks of tokens and of k. */
    const size_t more[][2] = {{15, 2}, {16, 2}, {17, 2}, {33, 10}, {47, 2}, {261, 1}, {300, 2}};
    for (size_t i = 0; i < (is_gemm ? sizeof(more) / sizeof(*more) : 0); i++) {
        check_case(f, now.rows + 3, more[i][1] * now.k_step + 5, more[i][0], UNIFORM);
        if (test_is_over) return;
    }
    /* Many tokens and rows, so that looking up begins (kernels/lookup.h): tokens that are left
     * over, pieces of rows and of k, sums that leave 16 bits. */
    const size_t many_more[][3] = {{320, 64, 32},   {321, 16, 33},   {384, 17, 64},
                                   {480, 3, 32},    {641, 518, 32},  {400, 1040, 47},
                                   {399, 2565, 64}, {960, 5130, 32}, {7041, 30, 32}};
    for (size_t i = 0; i < (is_gemm ? sizeof(many_more) / sizeof(*many_more) : 0); i++) {
        const size_t *c = many_more[i];
        const product_kind what = i % 3 ? UNIFORM : ALIGNED;
        check_case(f, c[0], c[1], c[2], what);
        if (!test_is_over && c[0] * c[1] < 1 << 19) check_case(f, c[0], c[1], c[2], ALL_MINUS);
        if (test_is_over) return;
    }
    /* The longest sums: every product of the largest size, of one sign. */
    check_case(f, now.rows, LPU_LAYOUT_K_MAX, 1, ALL_PLUS);
    if (!test_is_over) check_case(f, now.rows, LPU_LAYOUT_K_MAX - 1, 1, ALL_MINUS);
}

static void check_gemv_b1_i8(lpu_gemv_b1_i8_fn *f)
{
    check_product(&(call){.layout = LPU_LAYOUT_B1, .gemv = f}, false);
}

static void check_gemm_b1_i8(lpu_gemm_b1_i8_fn *f)
{
    check_product(&(call){.layout = LPU_LAYOUT_B1, .gemm = f}, true);
}

static void check_gemv_t2_i8(lpu_gemv_t2_i8_fn *f)
{
    check_product(&(call){.layout = LPU_LAYOUT_T2, .gemv = f}, false);
}

static void check_gemm_t2_i8(lpu_gemm_t2_i8_fn *f)
{
    check_product(&(call){.layout = LPU_LAYOUT_T2, .gemm = f}, true);
}

static void check_gemv_b3_i8(lpu_gemv_b3_i8_fn *f)
{
    check_product(&(call){.layout = LPU_LAYOUT_B3, .gemv = f}, false);
}

static void check_gemm_b3_i8(lpu_gemm_b3_i8_fn *f)
{
    check_product(&(call){.layout = LPU_LAYOUT_B3, .gemm = f}, true);
}

static void check_gemv_i4_i8(lpu_gemv_i4_i8_fn *f)
{
    check_product(&(call){.layout = LPU_LAYOUT_I4, .gemv = f}, false);
}

static void check_gemm_i4_i8(lpu_gemm_i4_i8_fn *f)
{
    check_product(&(call){.layout = LPU_LAYOUT_I4, .gemm = f}, true);
}

static void check_gemv_i8_i8(lpu_gemv_i8_i8_fn *f)
{
    check_product(&(call){.layout = LPU_LAYOUT_I8, .gemv_i8 = f}, false);
}

static void check_gemm_i8_i8(lpu_gemm_i8_i8_fn *f)
{
    check_product(&(call){.layout = LPU_LAYOUT_I8, .gemm_i8 = f}, true);
}

static void check_nonzeros_i8(lpu_nonzeros_i8_fn *f)
{
    for (size_t n = 0; n < 200 && !test_is_over; n++) {
        int8_t x[200], found[200 + LPU_NONZEROS_SPARE];
        uint16_t at[200 + LPU_NONZEROS_SPARE];
        const uint64_t every = 1 + draw() % 9;
        size_t expected = 0;
        for (size_t i = 0; i < n; i++) {
            x[i] = draw() % every ? 0 : (int8_t)((int)(draw() % 255) - 127);
        }
        const tight t = tight_open(x, n, 1);
        const size_t count = f(at, found, (const int8_t *)t.data, n);
        tight_close(&t);
        for (size_t i = 0; i < n; i++) {
            if (!x[i]) continue;
            CHECK(expected < count && at[expected] == i && found[expected] == x[i],
                  "%s n %zu: element %zu is not the one at %zu", now.name, n, expected, i);
            expected++;
        }
        CHECK_EQ(count, expected);
    }
}

/* Some columns of a matrix, in any order, added to what is in y. */
static void check_columns_case(lpu_columns_b3_i8_fn *f, size_t rows, size_t k, size_t count,
                               size_t chunk, product_kind what)
{
    problem p = problem_open(rows, k, 1, what, -1, 1);
    const size_t column_bytes = lpu_layout_column_bytes(rows);
    uint8_t *packed = calloc(k * column_bytes + 1, 1);
    uint16_t *at = malloc((count + 1) * sizeof(*at));
    int8_t *x = malloc(count + 1);
    if (!packed || !at || !x) abort();
    for (size_t r = 0; r < rows; r += 320) {
        const size_t n = rows - r < 320 ? rows - r : 320;
        lpu_layout_pack_columns(packed, column_bytes, p.w + r * k, r, n, k);
    }
    for (size_t i = 0; i < count; i++) {
        at[i] = (uint16_t)(draw() % k);
        x[i] = p.x[at[i]];
    }
    const tight w = tight_open(packed, k * column_bytes, 1);
    const tight list = tight_open(at, count * sizeof(*at), 2), values = tight_open(x, count, 1);
    const guarded y = guarded_open(rows * 4, 0);
    int32_t *to = (int32_t *)(void *)y.data;
    for (size_t r = 0; r < rows; r++) to[r] = (int32_t)r * 1000 - 5;

    f(to, w.data, column_bytes, (const uint16_t *)(const void *)list.data,
      (const int8_t *)values.data, count, rows, chunk);
    for (size_t r = 0; r < rows; r++) {
        int32_t expected = (int32_t)r * 1000 - 5;
        for (size_t i = 0; i < count; i++) expected += p.w[r * k + at[i]] * x[i];
        CHECK(to[r] == expected, "%s rows %zu k %zu count %zu chunk %zu: y[%zu] is %d, expected %d",
              now.name, rows, k, count, chunk, r, to[r], expected);
    }
    CHECK(guards_hold(&y), "%s rows %zu count %zu: wrote outside y", now.name, rows, count);
    free(y.base);
    free(packed);
    free(at);
    free(x);
    tight_close(&w);
    tight_close(&list);
    tight_close(&values);
    problem_close(&p);
}

static void check_columns_b3_i8(lpu_columns_b3_i8_fn *f)
{
    static const size_t rows[] = {1, 15, 16, 79, 80, 81, 319, 320, 321, 667};
    static const size_t counts[] = {0, 1, 2, 3, 4, 5, 7, 8, 61, 64, 130};
    static const size_t chunks[] = {4, 8, 64, 1024};

    for (size_t r = 0; r < sizeof(rows) / sizeof(*rows); r++) {
        for (size_t c = 0; c < sizeof(counts) / sizeof(*counts) && !test_is_over; c++) {
            const product_kind what = (product_kind)(draw() % KINDS);
            check_columns_case(f, rows[r], 1 + draw() % 150, counts[c], chunks[draw() % 4], what);
        }
    }
    if (!test_is_over) check_columns_case(f, 320, 30000, 60000, 64, ALL_PLUS);
    if (!test_is_over) check_columns_case(f, 320, 30000, 60000, 1 << 16, ALL_MINUS);
}

/* Rows of int8 here and there, and all of them in order. */
static void check_rows_i8_i8(lpu_rows_i8_i8_fn *f)
{
    const size_t k[] = {0, 1, 63, 64, 65, 127, 128, 129, 200, 2560};

    for (size_t i = 0; i < sizeof(k) / sizeof(*k) && !test_is_over; i++) {
        for (product_kind what = 0; what < KINDS && !test_is_over; what++) {
            const size_t rows = 1 + draw() % 7, count = draw() % 10, stride = k[i] + draw() % 3;
            const bool is_list = draw() & 1;
            const size_t n = is_list ? count : rows;
            problem p = problem_open(rows, k[i], 1, what, -127, 127);
            uint32_t list[10];
            int8_t *spaced = calloc(rows * stride + 1, 1);
            if (!spaced) abort();
            for (size_t r = 0; r < rows; r++) memcpy(spaced + r * stride, p.w + r * k[i], k[i]);
            for (size_t j = 0; j < count; j++) list[j] = (uint32_t)(draw() % rows);
            const size_t bytes = rows * stride - (stride - k[i]);
            const tight w = tight_open(spaced, bytes, 1), x = tight_open(p.x, k[i], 1);
            const guarded y = guarded_open(n * 4, 0);
            int32_t *to = (int32_t *)(void *)y.data;

            f(to, (const int8_t *)w.data, stride, is_list ? list : NULL, (const int8_t *)x.data, n,
              k[i]);
            for (size_t j = 0; j < n; j++) {
                const int32_t expected = product(&p, 0, is_list ? list[j] : j);
                CHECK(to[j] == expected, "%s k %zu inputs %d: y[%zu] is %d, expected %d", now.name,
                      k[i], what, j, to[j], expected);
            }
            CHECK(guards_hold(&y), "%s k %zu: wrote outside y", now.name, k[i]);
            free(y.base);
            free(spaced);
            tight_close(&w);
            tight_close(&x);
            problem_close(&p);
        }
    }
}

/* --- limits --- */

static void check_read_u64(lpu_read_u64_fn *f)
{
    for (size_t bytes = 0; bytes <= 11 * now.k_step; bytes += now.k_step) {
        uint8_t *from = malloc(bytes + 1);
        uint64_t expected = 0, word;
        if (!from) abort();
        for (size_t i = 0; i < bytes; i++) from[i] = (uint8_t)draw();
        for (size_t i = 0; i < bytes; i += 8) {
            memcpy(&word, from + i, 8);
            expected ^= word;
        }
        const tight t = tight_open(from, bytes, 1);
        const uint64_t found = f(t.data, bytes);
        tight_close(&t);
        free(from);
        CHECK(found == expected, "%s bytes %zu: %llx, expected %llx", now.name, bytes,
              (unsigned long long)found, (unsigned long long)expected);
    }
}

/* The sum of ones grows with the rounds, from nothing, by the same number each. */
static void check_peak_i8(lpu_peak_i8_fn *f)
{
    CHECK_EQ(f(0), 0);
    CHECK(f(1) >= 64, "%s: a round has %llu products", now.name, (unsigned long long)f(1));
    CHECK_EQ(f(1000), 1000 * f(1));
    CHECK_EQ(f(1 << 20), f(1) << 20);
}

static void check_peak_t2(lpu_peak_t2_fn *f)
{
    check_peak_i8(f);
}

static void check_peak_bf16(lpu_peak_bf16_fn *f)
{
    check_peak_i8(f);
}

static void check_peak_f32(lpu_peak_f32_fn *f)
{
    check_peak_i8(f);
}

#endif
