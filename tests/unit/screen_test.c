/* tests/unit/screen_test.c - the screened head against all logits, by the words of arithmetic.md.
 *
 * The data is made to mislead: rests that point all one way, ties, saturation, scales beyond FP32.
 */
#include "kernels/screen.h"
#include "tests/unit/test.h"
#include "workloads/ternary.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

typedef __int128 wide;

static uint64_t seed = 20250118;

static uint64_t draw(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed * 0x2545f4914f6cdd1dull >> 16;
}

/* --- the page, sections 1, 2 and 10 --- */

static wide floor_div(wide a, wide b)
{
    return a >= 0 ? a / b : -((-a + b - 1) / b);
}

/* mul(a, b), of which both mantissas have 16 bits: the product has 31 or 32. */
static lpu_scale mul(lpu_scale a, lpu_scale b)
{
    const wide u = (wide)a.m * b.m;
    int n = u >> 31 ? 16 : 15;
    if (!u) return (lpu_scale){0, 0};
    wide m = (u + ((wide)1 << (n - 1))) >> n;
    if (m == 65536) {
        m = 32768;
        n++;
    }
    return (lpu_scale){(uint16_t)m, (int16_t)(a.e + b.e + n)};
}

static int32_t apply(wide v, lpu_scale s)
{
    const int n = -16 - s.e;
    wide y = v * s.m;
    if (n >= 63) return 0;
    if (n > 0) y = floor_div(y + ((wide)1 << (n - 1)), (wide)1 << n);
    for (int i = n; i < 0 && y < (wide)1 << 40 && y > -((wide)1 << 40); i++) y *= 2;
    return (int32_t)(y > INT32_MAX ? INT32_MAX : y < -INT32_MAX ? -INT32_MAX : y);
}

/* --- heads --- */

typedef struct head {
    size_t rows, cols;
    uint32_t trits;
    int limit;
    int8_t *w, *q;
    lpu_scale *scales, sq;
} head;

static head head_open(size_t rows, size_t cols, uint32_t trits)
{
    head h = {rows,
              cols,
              trits,
              lpu_ternary_limit(trits),
              malloc(rows * cols),
              malloc(cols),
              malloc(rows * sizeof(lpu_scale)),
              {40000, -20}};
    if (!h.w || !h.q || !h.scales) abort();
    for (size_t c = 0; c < cols; c++) h.q[c] = (int8_t)((int)(draw() % 255) - 127);
    for (size_t i = 0; i < rows * cols; i++) {
        h.w[i] = (int8_t)((int)(draw() % (2 * (unsigned)h.limit + 1)) - h.limit);
    }
    for (size_t r = 0; r < rows; r++) {
        h.scales[r] = (lpu_scale){(uint16_t)(32768 + draw() % 4000), -18};
    }
    return h;
}

static void head_close(head *h)
{
    free(h->w);
    free(h->q);
    free(h->scales);
}

static lpu_matrix pack(const head *h)
{
    const size_t bytes = lpu_ternary_bytes(LPU_CODE_BASE3, h->cols);
    lpu_matrix m = {.rows = h->rows,
                    .cols = h->cols,
                    .trits = h->trits,
                    .planes = malloc(h->trits * h->rows * bytes),
                    .row_scales = h->scales};
    int8_t *digits = malloc(h->trits * h->cols), one[LPU_TRITS_MAX];
    if (!m.planes || !digits) abort();
    for (size_t r = 0; r < h->rows; r++) {
        for (size_t c = 0; c < h->cols; c++) {
            lpu_ternary_split(one, h->trits, h->w[r * h->cols + c]);
            for (uint32_t p = 0; p < h->trits; p++) digits[p * h->cols + c] = one[p];
        }
        for (uint32_t p = 0; p < h->trits; p++) {
            lpu_ternary_encode(LPU_CODE_BASE3, m.planes + (p * h->rows + r) * bytes,
                               digits + p * h->cols, h->cols);
        }
    }
    free(digits);
    return m;
}

/* Every logit and the token, for some teams and instruction sets. */
static lpu_screen_reads check(const head *h, const char *what)
{
    static const uint32_t ways[][2] = {
        {LPU_CPU_ALL, 1}, {LPU_CPU_ALL, 3}, {LPU_CPU_AVX2, 2}, {0, 1}};
    lpu_screen_reads reads = {0};
    int32_t *expected = malloc(h->rows * 4), *found = malloc(h->rows * 4);
    size_t best = 0, bad = SIZE_MAX, row = 0;
    if (!expected || !found) abort();

    for (size_t r = 0; r < h->rows; r++) {
        wide acc = 0;
        for (size_t c = 0; c < h->cols; c++) acc += h->w[r * h->cols + c] * h->q[c];
        expected[r] = apply(acc, mul(h->sq, h->scales[r]));
        if (expected[r] > expected[best]) best = r;
    }
    lpu_matrix m = pack(h);
    size_t way = 0;
    for (; way < 4 && bad == SIZE_MAX; way++) {
        lpu_kernels k;
        lpu_team *team;
        lpu_screen *s;
        lpu_kernels_init(&k, ways[way][0]);
        if (lpu_team_open(&team, ways[way][1], NULL)) abort();
        if (lpu_screen_open(&s, &m, &k, team, NULL)) abort();
        row = lpu_screen_argmax(s, h->q, h->sq);
        if (row != best) bad = row;
        reads = lpu_screen_last_reads(s);
        lpu_screen_logits(s, found, h->q, h->sq);
        for (size_t r = 0; r < h->rows && bad == SIZE_MAX; r++) {
            if (found[r] != expected[r]) bad = r;
        }
        lpu_screen_close(&s);
        lpu_team_close(&team);
    }
    const int32_t found_bad = bad == SIZE_MAX ? 0 : found[bad];
    const int32_t expected_bad = bad == SIZE_MAX ? 0 : expected[bad], most = expected[best];
    free(m.planes);
    free(expected);
    free(found);
    if (bad != SIZE_MAX) {
        test_fail(
            __FILE__, __LINE__,
            "%s, way %zu: row %zu (found token %zu, expected %zu of %d): logit %d, expected %d",
            what, way - 1, bad, row, best, most, found_bad, expected_bad);
    }
    return reads;
}

/* --- tests --- */

static void random_heads_of_any_shape(void)
{
    static const size_t rows[] = {1, 31, 63, 64, 65, 97, 129, 500}, cols[] = {1, 3, 4, 64, 131};
    for (size_t i = 0; i < 8 && !test_is_over; i++) {
        for (size_t j = 0; j < 5 && !test_is_over; j++) {
            head h = head_open(rows[i], cols[j], 3 + (uint32_t)(i + j) % 3);
            check(&h, "random");
            head_close(&h);
        }
    }
}

/* One row points where q does: of the others, steps are read, which are half, and no more. The row
 * is read to know its logit (each member has one), and then as one that can be the largest. */
static void a_clear_winner_is_found_in_half_the_bytes(void)
{
    head h = head_open(4000, 512, 5);
    for (size_t c = 0; c < h.cols; c++) h.w[2345 * h.cols + c] = (int8_t)(h.q[c] * 121 / 127);
    const lpu_screen_reads r = check(&h, "clear winner");
    head_close(&h);
    CHECK_EQ(r.rows, 4000);
    CHECK_EQ(r.exact_rows, 2);
    CHECK_EQ(r.bytes, 4000 * 512 / 2 + 2 * 512);
}

/* Rows that have nothing to do with q: the best is only a little ahead, and yet most are ruled out.
 */
static void few_rows_of_chance_are_read_in_full(void)
{
    head h = head_open(3000, 512, 5);
    for (int i = 0; i < 8 && !test_is_over; i++) {
        for (size_t c = 0; c < h.cols; c++) h.q[c] = (int8_t)((int)(draw() % 255) - 127);
        const lpu_screen_reads r = check(&h, "chance");
        if (!test_is_over) CHECK(r.exact_rows < 300, "%zu of 3000 rows in full", r.exact_rows);
    }
    head_close(&h);
}

/* The lowest of equals, near and far, and all rows the same: nothing can be ruled out. */
static void ties_take_the_lowest_row(void)
{
    head h = head_open(700, 100, 5);
    for (size_t r = 0; r < h.rows; r++) h.scales[r] = h.scales[0];
    for (size_t c = 0; c < h.cols; c++) {
        h.w[130 * h.cols + c] = h.w[131 * h.cols + c] = h.w[699 * h.cols + c] =
            (int8_t)(h.q[c] > 0 ? 90 : -90);
    }
    check(&h, "three equals");
    for (size_t r = 1; r < h.rows && !test_is_over; r++) {
        memcpy(h.w + r * h.cols, h.w, h.cols);
    }
    const lpu_screen_reads all = test_is_over ? (lpu_screen_reads){0} : check(&h, "all equal");
    memset(h.q, 0, h.cols);
    if (!test_is_over) check(&h, "zero activations");
    head_close(&h);
    if (!test_is_over) CHECK_EQ(all.exact_rows, 701);
}

/* Rests that all point with q or all against it, behind leading digits that say the opposite. */
static void rests_that_all_point_one_way(void)
{
    for (int round = 0; round < 60 && !test_is_over; round++) {
        head h = head_open(400, 96, 5);
        for (size_t c = 0; c < h.cols; c++) h.q[c] = (int8_t)(round % 3 ? 127 : -127);
        if (round % 2) {
            for (size_t c = 0; c < h.cols; c += 2) h.q[c] = (int8_t)-h.q[c];
        }
        const int lead = (int)(draw() % 11) - 5;
        for (size_t r = 0; r < h.rows; r++) {
            const bool is_low = draw() % 2;
            const int less = (int)(draw() % 2), step = round % 4 < 2 ? 16 : 4;
            h.scales[r] = (lpu_scale){40000, -18};
            for (size_t c = 0; c < h.cols; c++) {
                /* A leading digit less, and the largest rest for it, against more and the least. */
                const bool is_plus = h.q[c] > 0;
                const int high = step == 16 ? 10 : 2, low = step == 16 ? -5 : -1;
                const int digit = is_plus ? lead - (is_low ? less : 0) : lead + (is_low ? less : 0);
                const int noise = draw() % 64 ? 0 : 1;
                const int rest = is_plus == is_low ? high - noise : low + noise;
                h.w[r * h.cols + c] = (int8_t)(step * digit + rest);
            }
        }
        check(&h, "one way");
        head_close(&h);
    }
}

static void logits_that_saturate_or_vanish(void)
{
    static const int16_t exponents[] = {-20, -2, 0, 3, 30, 60, 200, -30, -38, -45, -80, -300};
    for (size_t i = 0; i < 12 && !test_is_over; i++) {
        for (int sign = -1; sign <= 1 && !test_is_over; sign++) {
            head h = head_open(300, 40, 5);
            h.sq.e = exponents[i];
            for (size_t r = 0; r < h.rows; r++) {
                h.scales[r].e = (int16_t)(-18 - (int)(draw() % 12));
                if (draw() % 8 == 0) h.scales[r] = (lpu_scale){0, 0};
                if (i == 3 && draw() % 16 == 0) h.scales[r].e = 90;
            }
            for (size_t j = 0; sign && j < h.rows * h.cols; j++) { /* all of one sign */
                h.w[j] = (int8_t)(sign * (h.q[j % h.cols] > 0 ? abs(h.w[j]) : -abs(h.w[j])));
            }
            check(&h, sign < 0 ? "all below zero" : sign ? "all above zero" : "any");
            head_close(&h);
        }
    }
}

/* All are at the lowest logit there is, one by far less than the others: the first is the token. */
static void the_first_of_all_that_saturate_below(void)
{
    head h = head_open(300, 3, 5);
    h.q[0] = h.q[1] = 127;
    h.q[2] = 2;
    h.sq = (lpu_scale){32768, -14};
    for (size_t r = 0; r < h.rows; r++) {
        h.w[3 * r] = -121;
        h.w[3 * r + 1] = r == 100 ? -8 : -121; /* -16385 times 2^17, or twice that */
        h.w[3 * r + 2] = -1;
        h.scales[r] = (lpu_scale){32768, -15};
    }
    check(&h, "saturated");
    head_close(&h);
}

/* A few activations carry nearly all: the bound by sizes is the tighter one. */
static void a_few_large_activations(void)
{
    head h = head_open(3000, 600, 5);
    for (size_t c = 0; c < h.cols; c++)
        h.q[c] = (int8_t)(c % 97 == 5 ? 127 : (int)(draw() % 5) - 2);
    check(&h, "few large");
    head_close(&h);
}

int main(void)
{
    RUN(random_heads_of_any_shape);
    RUN(a_clear_winner_is_found_in_half_the_bytes);
    RUN(few_rows_of_chance_are_read_in_full);
    RUN(ties_take_the_lowest_row);
    RUN(rests_that_all_point_one_way);
    RUN(logits_that_saturate_or_vanish);
    RUN(the_first_of_all_that_saturate_below);
    RUN(a_few_large_activations);
    return test_failures != 0;
}
