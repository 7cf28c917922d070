/* tests/unit/kernels_test.c - every row of kernels.def against loops written from the definition.
 *
 * Shapes go around the kernel's own step; inputs are extremes, zeros, sparse and random; buffers
 * are unaligned, have guard bands, and end where the allocation ends (for the address sanitizer).
 * KERNELS_SEED sets the seed.
 */
#include "kernels/half.h"
#include "kernels/kernels.h"
#include "tests/unit/test.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

static uint64_t seed = 20250117;

static uint64_t draw(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed * 0x2545f4914f6cdd1dull >> 16;
}

/* The row of kernels.def under test. */
typedef struct row {
    const char *name;
    uint32_t needs;
    size_t rows, k_step;
} row;
static row now;

/* --- memory ------------------------------------------------------------------------------------
 */

enum { GUARD = 64, FILL = 0xa5 };

/* bytes bytes, one past an aligned address, with guard bands; freed by the caller via base. */
typedef struct guarded {
    uint8_t *base, *data;
    size_t bytes;
} guarded;

static guarded guarded_open(size_t bytes, size_t align)
{
    guarded g = {malloc(bytes + 2 * GUARD + align), NULL, bytes};
    if (!g.base) abort();
    memset(g.base, FILL, bytes + 2 * GUARD + align);
    g.data = g.base + GUARD + align;
    return g;
}

static bool guards_hold(const guarded *g)
{
    for (const uint8_t *p = g->base; p < g->data; p++) {
        if (*p != FILL) return false;
    }
    for (size_t i = 0; i < GUARD; i++) {
        if (g->data[g->bytes + i] != FILL) return false;
    }
    return true;
}

/* A copy that ends where its allocation ends, at an odd address where one is asked for. */
typedef struct tight {
    uint8_t *base, *data;
} tight;

static tight tight_open(const void *from, size_t bytes, size_t skew)
{
    tight t = {malloc(bytes + skew + 1), NULL};
    if (!t.base) abort();
    t.data = t.base + skew;
    if (bytes) memcpy(t.data, from, bytes);
    t.base = realloc(t.base, bytes + skew ? bytes + skew : 1);
    if (!t.base) abort();
    t.data = t.base + skew;
    return t;
}

/* --- products of integers -----------------------------------------------------------------------
 */

typedef enum kind { ALL_PLUS, ALL_MINUS, ALIGNED, ZERO, SPARSE, UNIFORM, KINDS } kind;

/* One case: w (rows, k) of low..high, x (tokens, k). */
typedef struct problem {
    size_t rows, k, tokens;
    kind what;
    int8_t *w, *x;
} problem;

static problem problem_open(size_t rows, size_t k, size_t tokens, kind what, int low, int high)
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

static void check_case(const call *f, size_t rows, size_t k, size_t tokens, kind what)
{
    const size_t y_stride = rows + 3;
    const size_t block = lpu_layout_block_bytes(f->layout, k);
    static const int range[][2] = {[LPU_LAYOUT_B1] = {-1, 1},
                                   [LPU_LAYOUT_T2] = {-1, 2},
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
    if (f->gemm) f->gemm(to, y_stride, w.data, in, k, rows, k, tokens);
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
    free(w.base);
    free(x.base);
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
            for (kind what = 0; what < KINDS; what++) {
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

/* --- FP16
 * ----------------------------------------------------------------------------------------- */

/* A sum of k products in FP32, in any order, is within (k + 1) 2^-24 of the sum of their sizes. */
static void check_f16_case(lpu_gemv_f16_f32_fn *gemv, lpu_gemm_f16_f32_fn *gemm, size_t rows,
                           size_t k, size_t tokens)
{
    const size_t y_stride = rows + 3, step = lpu_layout_block_rows(LPU_LAYOUT_F16);
    _Float16 *halves = malloc(2 * rows * k + 2);
    float *floats = malloc(4 * tokens * k + 4);
    uint8_t *packed = malloc(lpu_layout_bytes(LPU_LAYOUT_F16, rows, k) + 1);
    if (!halves || !floats || !packed) abort();
    for (size_t i = 0; i < rows * k; i++) {
        halves[i] = (_Float16)ldexp((double)(draw() % 4097) - 2048.0, -(int)(draw() % 24));
    }
    for (size_t i = 0; i < tokens * k; i++) {
        floats[i] = (float)ldexp((double)(draw() % 2001) - 1000.0, -(int)(draw() % 12));
    }
    for (size_t r = 0; r < rows; r += step) {
        lpu_layout_pack_f16(packed + r / step * lpu_layout_block_bytes(LPU_LAYOUT_F16, k),
                            (const uint16_t *)(const void *)(halves + r * k),
                            rows - r < step ? rows - r : step, k);
    }
    const tight w = tight_open(packed, lpu_layout_bytes(LPU_LAYOUT_F16, rows, k), 1);
    const tight x = tight_open(floats, tokens * k * 4, 4);
    const guarded y = guarded_open((y_stride * (tokens - 1) + rows) * 4, 4);
    float *to = (float *)(void *)y.data;
    const float *in = (const float *)(const void *)x.data;

    if (gemv) gemv(to, w.data, in, rows, k);
    if (gemm) gemm(to, y_stride, w.data, in, k, rows, k, tokens);

    bool is_near = true;
    double found = 0, expected = 0, size = 0;
    for (size_t t = 0; t < tokens && is_near; t++) {
        for (size_t r = 0; r < rows && is_near; r++) {
            expected = size = 0;
            for (size_t c = 0; c < k; c++) {
                const double v = (double)halves[r * k + c] * (double)floats[t * k + c];
                expected += v;
                size += fabs(v);
            }
            found = (double)to[t * y_stride + r];
            is_near = fabs(found - expected) <= ((double)k + 1.0) * 0x1p-24 * size;
        }
    }
    const bool is_kept = guards_hold(&y);
    free(halves);
    free(floats);
    free(packed);
    free(w.base);
    free(x.base);
    free(y.base);
    CHECK(is_near, "%s rows %zu k %zu tokens %zu: y is %.9g, expected %.9g within %.3g", now.name,
          rows, k, tokens, found, expected, ((double)k + 1.0) * 0x1p-24 * size);
    CHECK(is_kept, "%s rows %zu k %zu: wrote outside y", now.name, rows, k);
}

static void check_f16(lpu_gemv_f16_f32_fn *gemv, lpu_gemm_f16_f32_fn *gemm)
{
    const size_t rows[] = {0, 1, now.rows - 1, now.rows, now.rows + 1, 3 * now.rows + 7};
    const size_t k[] = {0, 1, 3, 4, 5, 19, 64, 257};
    const size_t many[] = {1, 3, 4, 5, 12, 13, 29};

    for (size_t r = 0; r < sizeof(rows) / sizeof(*rows); r++) {
        for (size_t c = 0; c < sizeof(k) / sizeof(*k); c++) {
            for (size_t t = 0; t < (gemm ? 7 : 1); t++) {
                check_f16_case(gemv, gemm, rows[r], k[c], gemm ? many[t] : 1);
                if (test_is_over) return;
            }
        }
    }
}

static void check_gemv_f16_f32(lpu_gemv_f16_f32_fn *f)
{
    check_f16(f, NULL);
}
static void check_gemm_f16_f32(lpu_gemm_f16_f32_fn *f)
{
    check_f16(NULL, f);
}

/* Eight products are summed in FP16: a rounding each, and below 2^-14 half of 2^-24. */
static void check_f16_f16_case(lpu_gemv_f16_f16_fn *gemv, lpu_gemm_f16_f16_fn *gemm, size_t rows,
                               size_t k, size_t tokens)
{
    const size_t y_stride = rows + 3, block = lpu_layout_block_bytes(LPU_LAYOUT_F16, k);
    const size_t bytes = lpu_layout_bytes(LPU_LAYOUT_F16, rows, k);
    _Float16 *halves = malloc(2 * (rows + tokens) * k + 2);
    uint8_t *packed = malloc(bytes + 1);
    if (!halves || !packed) abort();
    for (size_t i = 0; i < (rows + tokens) * k; i++) {
        halves[i] = (_Float16)ldexp((double)(draw() % 4097) - 2048.0, -8 - (int)(draw() % 8));
    }
    for (size_t r = 0; r < rows; r += 16) {
        lpu_layout_pack_f16(packed + r / 16 * block,
                            (const uint16_t *)(const void *)(halves + r * k),
                            rows - r < 16 ? rows - r : 16, k);
    }
    const tight w = tight_open(packed, bytes, 1);
    const tight x = tight_open(halves + rows * k, 2 * tokens * k, 2);
    const guarded y = guarded_open((y_stride * (tokens - 1) + rows) * 4, 4);
    float *to = (float *)(void *)y.data;
    const uint16_t *in = (const uint16_t *)(const void *)x.data;
    const double unit = now.needs ? 9 * 0x1p-11 : ((double)k + 1.0) * 0x1p-24;

    if (gemv) gemv(to, w.data, in, rows, k);
    if (gemm) gemm(to, y_stride, w.data, in, k, rows, k, tokens);

    bool is_near = true;
    double found = 0, expected = 0, most = 0;
    for (size_t t = 0; t < tokens && is_near; t++) {
        for (size_t r = 0; r < rows && is_near; r++) {
            double size = 0;
            expected = 0;
            for (size_t c = 0; c < k; c++) {
                const double v = (double)halves[r * k + c] * (double)halves[(rows + t) * k + c];
                expected += v;
                size += fabs(v);
            }
            found = (double)to[t * y_stride + r];
            most = unit * size + (now.needs ? (double)k * 0x1p-25 : 0);
            is_near = fabs(found - expected) <= most;
        }
    }
    const bool is_kept = guards_hold(&y);
    free(halves);
    free(packed);
    free(w.base);
    free(x.base);
    free(y.base);
    CHECK(is_near, "%s rows %zu k %zu tokens %zu: y is %.9g, expected %.9g within %.3g", now.name,
          rows, k, tokens, found, expected, most);
    CHECK(is_kept, "%s rows %zu k %zu: wrote outside y", now.name, rows, k);
}

static void check_f16_f16(lpu_gemv_f16_f16_fn *gemv, lpu_gemm_f16_f16_fn *gemm)
{
    const size_t rows[] = {0, 1, 15, 16, 17, 55}, k[] = {0, 1, 2, 15, 16, 17, 33, 257};
    const size_t many[] = {1, 3, 7, 8, 9, 16, 29};

    for (size_t r = 0; r < sizeof(rows) / sizeof(*rows); r++) {
        for (size_t c = 0; c < sizeof(k) / sizeof(*k); c++) {
            for (size_t t = 0; t < (gemm ? 7 : 1); t++) {
                check_f16_f16_case(gemv, gemm, rows[r], k[c], gemm ? many[t] : 1);
                if (test_is_over) return;
            }
        }
    }
}

static void check_gemv_f16_f16(lpu_gemv_f16_f16_fn *f)
{
    check_f16_f16(f, NULL);
}
static void check_gemm_f16_f16(lpu_gemm_f16_f16_fn *f)
{
    check_f16_f16(NULL, f);
}

/* Products of BF16 are exact in FP32; the instruction adds two of them in two steps of its own. */
static void check_bf16_case(lpu_gemv_bf16_bf16_fn *gemv, lpu_gemm_bf16_bf16_fn *gemm, size_t rows,
                            size_t k, size_t tokens)
{
    const size_t y_stride = rows + 3, block = lpu_layout_block_bytes(LPU_LAYOUT_BF16, k);
    const size_t bytes = lpu_layout_bytes(LPU_LAYOUT_BF16, rows, k);
    uint16_t *bits = malloc(2 * (rows + tokens) * k + 2);
    uint8_t *packed = malloc(bytes + 1);
    if (!bits || !packed) abort();
    for (size_t i = 0; i < (rows + tokens) * k; i++) { /* 2^-14 to 2^17, both signs, and zeros */
        bits[i] = (uint16_t)(draw() % 16 ? (draw() & 0x8fff) + 0x3880 : 0);
    }
    for (size_t r = 0; r < rows; r += 16) {
        lpu_layout_pack_bf16(packed + r / 16 * block, bits + r * k, rows - r < 16 ? rows - r : 16,
                             k);
    }
    const tight w = tight_open(packed, bytes, 1),
                x = tight_open(bits + rows * k, 2 * tokens * k, 2);
    const guarded y = guarded_open((y_stride * (tokens - 1) + rows) * 4, 4);
    float *to = (float *)(void *)y.data;
    const uint16_t *in = (const uint16_t *)(const void *)x.data;

    if (gemv) gemv(to, w.data, in, rows, k);
    if (gemm) gemm(to, y_stride, w.data, in, k, rows, k, tokens);

    bool is_near = true;
    double found = 0, expected = 0, size = 0;
    for (size_t t = 0; t < tokens && is_near; t++) {
        for (size_t r = 0; r < rows && is_near; r++) {
            expected = size = 0;
            for (size_t c = 0; c < k; c++) {
                const uint16_t b[2] = {bits[r * k + c], bits[(rows + t) * k + c]};
                double v = 1;
                for (int i = 0; i < 2; i++) { /* the definition: sign, exponent, seven bits */
                    v *= b[i] & 0x7fff ? ldexp(128 + b[i] % 128, (b[i] >> 7 & 255) - 134) *
                                             (b[i] >> 15 ? -1 : 1)
                                       : 0;
                }
                expected += v;
                size += fabs(v);
            }
            found = (double)to[t * y_stride + r];
            is_near = fabs(found - expected) <= ((double)k + 1.0) * 0x1p-24 * size;
        }
    }
    const bool is_kept = guards_hold(&y);
    free(bits);
    free(packed);
    free(w.base);
    free(x.base);
    free(y.base);
    CHECK(is_near, "%s rows %zu k %zu tokens %zu: y is %.9g, expected %.9g within %.3g", now.name,
          rows, k, tokens, found, expected, ((double)k + 1.0) * 0x1p-24 * size);
    CHECK(is_kept, "%s rows %zu k %zu: wrote outside y", now.name, rows, k);
}

static void check_bf16(lpu_gemv_bf16_bf16_fn *gemv, lpu_gemm_bf16_bf16_fn *gemm)
{
    const size_t rows[] = {0, 1, now.rows - 1, now.rows, now.rows + 1, 3 * now.rows + 7};
    const size_t k[] = {0, 1, 2, 3, 19, 64, 257};
    const size_t many[] = {1, 3, 7, 8, 9, 16, 29};

    for (size_t r = 0; r < sizeof(rows) / sizeof(*rows); r++) {
        for (size_t c = 0; c < sizeof(k) / sizeof(*k); c++) {
            for (size_t t = 0; t < (gemm ? 7 : 1); t++) {
                check_bf16_case(gemv, gemm, rows[r], k[c], gemm ? many[t] : 1);
                if (test_is_over) return;
            }
        }
    }
}

static void check_gemv_bf16_bf16(lpu_gemv_bf16_bf16_fn *f)
{
    check_bf16(f, NULL);
}
static void check_gemm_bf16_bf16(lpu_gemm_bf16_bf16_fn *f)
{
    check_bf16(NULL, f);
}

/* The nearer neighbour, and the even one of two that are as near. */
static void bf16_rounds_to_nearest(void)
{
    for (uint32_t i = 0; i < 500000; i++) {
        uint32_t bits = (uint32_t)draw();
        if (i & 1) bits = (bits & 0xffff0000) | 0x8000; /* ties */
        float f;
        memcpy(&f, &bits, 4);
        if (!isfinite(f) || fabsf(f) > 3e38f) continue;
        const uint16_t found = lpu_bf16_from_float(f);
        const double off = fabs((double)lpu_bf16_to_float(found) - (double)f);
        const double up = fabs((double)lpu_bf16_to_float((uint16_t)(found + 1)) - (double)f);
        const double down = fabs((double)lpu_bf16_to_float((uint16_t)(found - 1)) - (double)f);
        const bool is_tie = off >= up || off >= down;
        CHECK(off <= up && (off <= down || !(found & 0x7fff)) && (!is_tie || !(found & 1)),
              "%.9g becomes %04x", (double)f, found);
    }
}

static void half_converts_every_value(void)
{
    for (uint32_t h = 0; h < 65536; h++) {
        const uint16_t bits = (uint16_t)h;
        _Float16 half;
        memcpy(&half, &bits, 2);
        const float f = lpu_half_to_float(bits), e = (float)half;
        CHECK(!memcmp(&f, &e, 4) || (isnan(f) && isnan(e)), "half %04x is %g, expected %g", h,
              (double)f, (double)e);
        if (!isnan(f)) CHECK_EQ(lpu_half_from_float(f), bits);
    }
}

static void half_rounds_like_the_compiler(void)
{
    for (uint32_t i = 0; i < 3000000; i++) {
        uint32_t bits = (uint32_t)draw();
        if (i & 1) bits &= 0xfffff000; /* ties */
        float f;
        memcpy(&f, &bits, 4);
        if (isnan(f)) continue;
        const _Float16 half = (_Float16)f;
        uint16_t expected;
        memcpy(&expected, &half, 2);
        CHECK(lpu_half_from_float(f) == expected, "%.9g becomes %04x, expected %04x", (double)f,
              lpu_half_from_float(f), expected);
    }
}

/* --- passes
 * ----------------------------------------------------------------------------------------- */

typedef __int128 wide;

/* floor((v + 2^(n-1)) / 2^n), by division. */
static wide rsh(wide v, int n)
{
    if (n <= 0) return v * ((wide)1 << -n);
    const wide unit = (wide)1 << n, u = v + unit / 2;
    return u >= 0 ? u / unit : -((-u + unit - 1) / unit);
}

static int32_t sat(wide v)
{
    return v > 2147483647 ? 2147483647 : v < -2147483647 ? -2147483647 : (int32_t)v;
}

/* Elements of every size, both signs, with the extremes. */
static int32_t element(size_t i)
{
    if (i % 17 == 3) return 2147483647;
    if (i % 19 == 4) return -2147483647;
    if (i % 23 == 5) return 0;
    const int32_t v = (int32_t)(draw() & 0x7fffffff) >> (draw() % 31);
    return draw() & 1 ? v : -v;
}

enum { LONGEST = 200 };

/* Runs body for lengths around the step, with x and y unaligned and y guarded. */
#define EACH_LENGTH(type)                                                                          \
    const size_t lengths[] = {                                                                     \
        0, 1, 2, now.k_step - 1, now.k_step, now.k_step + 1, 3 * now.k_step + 7, LONGEST};         \
    for (size_t l_ = 0; l_ < 8 && !test_is_over; l_++)                                             \
        for (int round_ = 0; round_ < 20 && !test_is_over; round_++)

static int32_t in_a[LONGEST + 1], in_b[LONGEST + 1];
static int16_t in_g[LONGEST + 1];
static int32_t *const xa = in_a + 1, *const xb = in_b + 1;
static int16_t *const xg = in_g + 1;

static void fill(size_t n)
{
    for (size_t i = 0; i < n; i++) {
        xa[i] = element(i);
        xb[i] = element(i + 7);
        xg[i] = (int16_t)((int)(draw() % 65535) - 32767);
    }
}

static void compare(const guarded *y, const int32_t *expected, size_t n)
{
    const int32_t *found = (const int32_t *)(const void *)y->data;
    for (size_t i = 0; i < n; i++) {
        CHECK(found[i] == expected[i], "%s n %zu: y[%zu] is %d, expected %d", now.name, n, i,
              found[i], expected[i]);
    }
    CHECK(guards_hold(y), "%s n %zu: wrote outside y", now.name, n);
}

static void check_absmax_i32(lpu_absmax_i32_fn *f)
{
    EACH_LENGTH()
    {
        const size_t n = lengths[l_];
        uint32_t most = 0;
        fill(n);
        for (size_t i = 0; i < n; i++) {
            if (round_ > 4 && round_ < 15) xa[i] /= 1 << round_;
            const uint32_t a = (uint32_t)(xa[i] > 0 ? xa[i] : -xa[i]);
            if (a > most) most = a;
        }
        CHECK_EQ(f(xa, n), most);
    }
}

static void check_sumsq_i32(lpu_sumsq_i32_fn *f)
{
    EACH_LENGTH()
    {
        const size_t n = lengths[l_];
        const int32_t shift = round_ % 17;
        wide sum = 0;
        fill(n);
        for (size_t i = 0; i < n; i++) {
            xa[i] /= 1 << (15 - (shift < 15 ? shift : 15));
            sum += rsh(xa[i], shift) * rsh(xa[i], shift);
        }
        CHECK_EQ(f(xa, n, shift), sum);
    }
}

static void check_gain_i32(lpu_gain_i32_fn *f)
{
    EACH_LENGTH()
    {
        const size_t n = lengths[l_];
        const guarded y = guarded_open(4 * n, 4);
        int32_t expected[LONGEST];
        fill(n);
        for (size_t i = 0; i < n; i++) expected[i] = (int32_t)rsh((wide)xa[i] * xg[i], 15);
        f((int32_t *)(void *)y.data, xa, xg, n);
        compare(&y, expected, n);
        free(y.base);
    }
}

static void check_quant_i32(lpu_quant_i32_fn *f)
{
    EACH_LENGTH()
    {
        const size_t n = lengths[l_];
        const int32_t limit = round_ & 1 ? 127 : 13, bits = 31 - round_;
        uint32_t most = 0;
        fill(n);
        for (size_t i = 0; i < n; i++) {
            xa[i] /= 1 << (31 - bits);
            const uint32_t a = (uint32_t)(xa[i] > 0 ? xa[i] : -xa[i]);
            if (a > most) most = a;
        }
        if (!most) continue;
        int b = 0;
        while (most >> b) b++;
        const int64_t r = ((int64_t)limit << (b + 16)) / most;
        const guarded q = guarded_open(n, 1);
        f((int8_t *)q.data, xa, n, (int32_t)r, b + 16);
        for (size_t i = 0; i < n; i++) {
            CHECK_EQ((int8_t)q.data[i], rsh((wide)xa[i] * r, b + 16));
            CHECK(abs((int8_t)q.data[i]) <= limit, "%s: %d is above %d", now.name,
                  (int8_t)q.data[i], limit);
        }
        CHECK(guards_hold(&q), "%s n %zu: wrote outside q", now.name, n);
        free(q.base);
    }
}

static void check_scale_i32(lpu_scale_i32_fn *f)
{
    EACH_LENGTH()
    {
        const size_t n = lengths[l_];
        const int32_t shift = round_ == 0 ? 1 : round_ == 1 ? 62 : 1 + (int32_t)(draw() % 48);
        const uint16_t m = (uint16_t)(round_ == 2 ? 65535 : 32768 + draw() % 32768);
        const guarded y = guarded_open(4 * n, 4);
        int32_t expected[LONGEST];
        fill(n);
        for (size_t i = 0; i < n; i++) expected[i] = sat(rsh((wide)xa[i] * m, shift));
        f((int32_t *)(void *)y.data, xa, n, m, shift);
        compare(&y, expected, n);
        free(y.base);
    }
}

static void check_addsat_i32(lpu_addsat_i32_fn *f)
{
    EACH_LENGTH()
    {
        const size_t n = lengths[l_];
        const guarded y = guarded_open(4 * n, 4);
        int32_t expected[LONGEST];
        fill(n);
        for (size_t i = 0; i < n; i++) expected[i] = sat((wide)xa[i] + xb[i]);
        memcpy(y.data, xb, 4 * n);
        f((int32_t *)(void *)y.data, xa, n);
        compare(&y, expected, n);
        free(y.base);
    }
}

static void check_rope_i32(lpu_rope_i32_fn *f)
{
    EACH_LENGTH()
    {
        const size_t n = lengths[l_] & ~(size_t)1, h = n / 2;
        const guarded y = guarded_open(4 * n, 4);
        int32_t expected[LONGEST];
        fill(n);
        for (size_t i = 0; i < n; i++) xg[i] = (int16_t)(xg[i] / 2);
        for (size_t i = 0; i < h; i++) {
            const wide c = xg[2 * i], s = xg[2 * i + 1];
            expected[i] = sat(rsh(xa[i] * c - xa[i + h] * s, 14));
            expected[i + h] = sat(rsh(xa[i] * s + xa[i + h] * c, 14));
        }
        memcpy(y.data, xa, 4 * n);
        f((int32_t *)(void *)y.data, n, xg);
        compare(&y, expected, n);
        free(y.base);
    }
}

/* max(0, bits of the largest - 15). */
static int gate_shift(const int32_t *x, size_t n, bool is_positive)
{
    int64_t most = 0;
    for (size_t i = 0; i < n; i++) {
        const int64_t a = x[i] < 0 ? (is_positive ? 0 : -(int64_t)x[i]) : x[i];
        if (a > most) most = a;
    }
    int b = 0;
    while (most >> b) b++;
    return b > 15 ? b - 15 : 0;
}

static void check_relu2_i32(lpu_relu2_i32_fn *f)
{
    EACH_LENGTH()
    {
        const size_t n = lengths[l_];
        const guarded y = guarded_open(4 * n, 4);
        int32_t expected[LONGEST];
        fill(n);
        for (size_t i = 0; i < n; i++) xa[i] /= 1 << round_;
        const int sg = gate_shift(xa, n, true), su = gate_shift(xb, n, false);
        for (size_t i = 0; i < n; i++) {
            const wide g = rsh(xa[i] > 0 ? xa[i] : 0, sg), u = rsh(xb[i], su);
            expected[i] = (int32_t)rsh(g * g * u, 15);
        }
        f((int32_t *)(void *)y.data, xa, xb, n, sg, su);
        compare(&y, expected, n);
        free(y.base);
    }
}

static void check_gate_i32(lpu_gate_i32_fn *f)
{
    EACH_LENGTH()
    {
        const size_t n = lengths[l_];
        const guarded y = guarded_open(4 * n, 4);
        int32_t expected[LONGEST];
        fill(n);
        for (size_t i = 0; i < n; i++) xb[i] /= 1 << round_;
        const int sg = gate_shift(xa, n, false), su = gate_shift(xb, n, false);
        for (size_t i = 0; i < n; i++) expected[i] = (int32_t)(rsh(xa[i], sg) * rsh(xb[i], su));
        f((int32_t *)(void *)y.data, xa, xb, n, sg, su);
        compare(&y, expected, n);
        free(y.base);
    }
}

/* P[j] by definition, in long double. */
static int64_t power(int64_t j)
{
    return (int64_t)floorl(65536.0L * exp2l(-(long double)j / 64) + 0.5L);
}

static int32_t sigmoid_by_the_page(int32_t x, int64_t c)
{
    const wide size = x < 0 ? -(wide)x : x;
    const int64_t y = (int64_t)rsh(size * c, 16);
    const int64_t j = (y / 1024) % 64, r = y % 1024;
    const int64_t p = power(j) - (power(j) - power(j + 1)) * r / 1024;
    const int64_t q = y / 65536 >= 17 ? 0 : p / ((int64_t)1 << (y / 65536));
    int64_t sig = ((int64_t)1 << 32) / (65536 + q);
    if (x < 0) sig = 65536 - sig;
    return (int32_t)rsh((wide)x * sig, 16);
}

static void check_sigmoid_i32(lpu_sigmoid_i32_fn *f)
{
    EACH_LENGTH()
    {
        const size_t n = lengths[l_];
        const int32_t c = round_ & 1 ? 94548 : 160921;
        const guarded y = guarded_open(4 * n, 4);
        int32_t expected[LONGEST];
        fill(n);
        for (size_t i = 0; i < n; i++) expected[i] = sigmoid_by_the_page(xa[i], c);
        f((int32_t *)(void *)y.data, xa, n, c);
        compare(&y, expected, n);
        free(y.base);
    }
    for (int32_t q = 0; q <= 65536; q++) { /* the division, for every divisor there is */
        CHECK_EQ((int32_t)(4294967296.0 / (double)(65536 + q)), ((int64_t)1 << 32) / (65536 + q));
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
        free(t.base);
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

static void check_peak_f32(lpu_peak_f32_fn *f)
{
    check_peak_i8(f);
}

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
    const char *text = getenv("KERNELS_SEED");
    if (text) seed = strtoull(text, NULL, 10) | 1;
    printf("seed %llu\n", (unsigned long long)seed);

    RUN(the_mask_is_read);
    RUN(every_op_has_a_kernel);
    RUN(half_converts_every_value);
    RUN(half_rounds_like_the_compiler);
    RUN(bf16_rounds_to_nearest);

#define LPU_KERNEL(op, isa, flags, step_rows, step_k)                                              \
    now = (row){#op "_" #isa, flags, step_rows, step_k};                                           \
    test_is_over = 0;                                                                              \
    if ((lpu_cpu_flags() & now.needs) != now.needs) {                                              \
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
