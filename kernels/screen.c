/* kernels/screen.c - steps of all rows, then all of a few.
 *
 * Bounds are held in FP32 and widened by more than FP32 and the 16-bit scales can be wrong (SLACK);
 * the one number that rows are held against is the exact logit of some row.
 */
#include "kernels/screen.h"

#include "kernels/int_scale.h"
#include "kernels/memory.h"
#include "kernels/stream.h"
#include "workloads/ternary.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    STEPS = 16, /* of four bits */
    GROUP = 64, /* rows that fall to a member together */
    RUN = 16,   /* rows that are looked at together */
    X32 = -16,
    CHANCE_BITS = 64,
};

/* Rounding of mul is below 2^-16, of FP32 sums below 2^-21, of the final shift 1/2. */
#define SLACK 0x1p-14f

/* The best of a member's rows. */
typedef struct found {
    int32_t logit;
    size_t row, exact_rows;
    bool is_any;
} found;

struct lpu_screen {
    lpu_kernels k;
    lpu_team *team;
    size_t rows, cols, row_bytes;
    int32_t limit, step; /* weights are -limit..limit */
    lpu_stream steps;    /* I4: a - 8 */
    int8_t *exact;       /* (rows, row_bytes), zeros behind the last weight */
    bool is_borrowed;    /* exact */
    uint8_t *u;          /* (cols) */
    lpu_scale *scale;    /* (rows) */
    float *real;         /* (rows) the same, as a float */
    int32_t *acc;        /* (rows) of the steps */
    uint32_t *kept;      /* (rows) */
    bool is_sound;       /* every scale is of a size that FP32 can hold */
    float deviation;     /* the bound of e, over |q|_2 */
    lpu_screen_reads reads;

    /* The call in hand. */
    const int8_t *q;
    lpu_scale sq;
    int32_t *logits;         /* of a call for all */
    float size, shift, wide; /* of q: its scale; what is added to acc; the bound of e */
    int32_t best;            /* what a row has to reach; INT32_MIN: nothing */
    found found[LPU_TEAM_THREADS_MAX];
};

static size_t row_bytes(size_t cols)
{
    return (cols + 63) / 64 * 64;
}

static size_t groups_of(const lpu_screen *s)
{
    return (s->rows + GROUP - 1) / GROUP;
}

/* The rows that fall to a member: *first and up to the one returned. */
static size_t share(const lpu_screen *s, size_t member, size_t members, size_t *first)
{
    size_t group;
    const size_t end = lpu_team_share(groups_of(s), member, members, &group) + group;
    *first = group * GROUP;
    return end * GROUP < s->rows ? end * GROUP : s->rows;
}

/* --- loading --- */

/* splitmix64 (Steele, Lea, Flood, OOPSLA 2014, figure 16) from a number of no meaning. */
static void draw(uint8_t *u, size_t cols, int32_t step)
{
    uint64_t state = 0x243f6a8885a308d3u;
    for (size_t c = 0; c < cols; c++) {
        uint64_t z = state += 0x9e3779b97f4a7c15u;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        u[c] = (uint8_t)((z ^ (z >> 31)) % (uint32_t)step);
    }
}

typedef struct loading {
    lpu_screen *s;
    const lpu_matrix *head;
    lpu_status status[LPU_TEAM_THREADS_MAX];
    lpu_diag diag[LPU_TEAM_THREADS_MAX];
} loading;

static void load_work(void *arg, size_t member, size_t members)
{
    loading *l = arg;
    lpu_screen *s = l->s;
    const size_t block = s->steps.block_rows;
    int8_t *steps = malloc(block * s->cols + 1), *digits = malloc(s->cols + 1);
    size_t first;
    const size_t end = share(s, member, members, &first);

    l->status[member] = steps && digits
                            ? LPU_OK
                            : lpu_fail(&l->diag[member], LPU_ERR_MEMORY, "screen: out of memory");
    for (size_t r = first; r < end && !l->status[member]; r += block) {
        const size_t n = end - r < block ? end - r : block;
        for (size_t i = 0; i < n && !l->status[member]; i++) {
            int8_t *row = s->exact + (r + i) * s->row_bytes;
            l->status[member] = lpu_stream_read_row(row, digits, l->head, r + i, &l->diag[member]);
            for (size_t c = 0; c < s->cols; c++) {
                steps[i * s->cols + c] =
                    (int8_t)((row[c] + s->u[c] + s->limit) / s->step - STEPS / 2);
            }
        }
        lpu_layout_pack_i4(s->steps.w + r / block * s->steps.block_bytes, steps, n, s->cols);
    }
    free(steps);
    free(digits);
}

static lpu_status load(lpu_screen *s, const lpu_matrix *head, lpu_diag *diag)
{
    lpu_status status = lpu_stream_open(&s->steps, LPU_LAYOUT_I4, s->rows, s->cols, diag);
    loading *l = calloc(1, sizeof(*l));

    s->exact = lpu_memory_open(s->rows * s->row_bytes);
    if (!status && (!l || !s->exact)) {
        status = lpu_fail(diag, LPU_ERR_MEMORY, "screen: out of memory");
    }
    if (!status) {
        l->s = s;
        l->head = head;
        lpu_team_run(s->team, load_work, l);
    }
    for (uint32_t i = 0; i < lpu_team_threads(s->team) && !status; i++) {
        status = l->status[i];
        if (status && diag) *diag = l->diag[i];
    }
    free(l);
    return status;
}

/* --- packed files --- */

bool lpu_screen_pays(uint32_t allowed)
{
    return (lpu_cpu_flags() & allowed & (LPU_CPU_AVX2 | LPU_CPU_AVX512VNNI)) != 0;
}

size_t lpu_screen_bytes(size_t rows, size_t cols)
{
    return lpu_layout_bytes(LPU_LAYOUT_I4, rows, cols) + rows * row_bytes(cols);
}

const void *lpu_screen_piece(const lpu_screen *s, size_t index, size_t *bytes)
{
    *bytes = index ? s->rows * s->row_bytes : s->steps.bytes;
    return index ? (const void *)s->exact : s->steps.w;
}

static lpu_status borrow(lpu_screen *s, const lpu_matrix *head, lpu_diag *diag)
{
    if (head->stream_bytes != lpu_screen_bytes(s->rows, s->cols)) {
        return lpu_fail(diag, LPU_ERR_FORMAT,
                        "screen: found %zu packed bytes of %zu by %zu, expected %zu",
                        head->stream_bytes, s->rows, s->cols, lpu_screen_bytes(s->rows, s->cols));
    }
    lpu_status status =
        lpu_stream_borrow(&s->steps, LPU_LAYOUT_I4, s->rows, s->cols, head->stream, diag);
    s->is_borrowed = true;
    s->exact = (int8_t *)(uintptr_t)(head->stream + s->steps.bytes);
    return status;
}

/* A scale that FP32 holds with all its bits, times anything that it meets here. */
static bool is_sound(lpu_scale s)
{
    return !s.m || (s.e > -60 && s.e < 40);
}

lpu_status lpu_screen_open(lpu_screen **out, const lpu_matrix *head, const lpu_kernels *k,
                           lpu_team *team, lpu_diag *diag)
{
    lpu_status status = LPU_OK;

    *out = NULL;
    assert(head->trits <= 5);
    lpu_screen *s = calloc(1, sizeof(*s));
    if (!s) return lpu_fail(diag, LPU_ERR_MEMORY, "screen: out of memory");
    s->k = *k;
    s->team = team;
    s->rows = head->rows;
    s->cols = head->cols;
    s->row_bytes = row_bytes(s->cols);
    s->is_sound = true;
    /* 2 limit + u has at most 16 steps. */
    s->limit = lpu_ternary_limit(head->trits);
    s->step = (2 * s->limit + STEPS - 2) / (STEPS - 1);
    s->u = calloc(s->cols + 1, 1);
    s->scale = calloc(s->rows + 1, sizeof(*s->scale));
    s->real = calloc(s->rows + RUN, sizeof(*s->real));
    s->acc = calloc(s->rows + RUN, sizeof(*s->acc));
    s->kept = calloc(s->rows + 1, sizeof(*s->kept));
    if (!s->u || !s->scale || !s->real || !s->acc || !s->kept) {
        status = lpu_fail(diag, LPU_ERR_MEMORY, "screen: out of memory");
    } else {
        draw(s->u, s->cols, s->step);
    }
    for (size_t r = 0; r < s->rows && !status; r++) {
        s->scale[r] = head->row_scales ? head->row_scales[r] : head->scale;
        s->real[r] = (float)lpu_scale_to_real(s->scale[r]);
        s->is_sound = s->is_sound && is_sound(s->scale[r]);
    }
    /* exp(-z^2 / 2) is 2^-64 over the rows. */
    const double z = sqrt(2 * (log(2) * CHANCE_BITS + log((double)s->rows)));
    s->deviation = (float)(z * sqrt((s->step * s->step - 1) / 12.0));
    if (!status) status = head->stream ? borrow(s, head, diag) : load(s, head, diag);
    s->reads.all_bytes = (uint64_t)s->rows * s->cols;
    if (status) lpu_screen_close(&s);
    *out = s;
    return status;
}

void lpu_screen_close(lpu_screen **out)
{
    lpu_screen *s = *out;

    if (!s) return;
    lpu_stream_close(&s->steps);
    if (!s->is_borrowed) lpu_memory_close(s->exact, s->rows * s->row_bytes);
    free(s->u);
    free(s->scale);
    free(s->real);
    free(s->acc);
    free(s->kept);
    free(s);
    *out = NULL;
}

/* --- rows in full --- */

static int32_t logit(const lpu_screen *s, int32_t acc, size_t row)
{
    return lpu_int_apply(acc, lpu_int_mul(s->sq, s->scale[row]), X32);
}

/* The best of some rows, ascending, by their exact logits. */
static void look_at(const lpu_screen *s, const uint32_t *rows, size_t count, found *f)
{
    enum { MOST = 64 };
    int32_t acc[MOST];

    for (size_t i = 0; i < count; i += MOST) {
        const size_t n = count - i < MOST ? count - i : MOST;
        s->k.rows_i8_i8(acc, s->exact, s->row_bytes, rows + i, s->q, n, s->cols);
        for (size_t j = 0; j < n; j++) {
            const int32_t y = logit(s, acc[j], rows[i + j]);
            if (f->is_any && y <= f->logit) continue;
            f->logit = y;
            f->row = rows[i + j];
            f->is_any = true;
        }
    }
    f->exact_rows += count;
}

/* --- bounds --- */

/* What is known of a sum over w q after the steps. */
static inline float about(const lpu_screen *s, size_t row)
{
    return (float)s->step * (float)s->acc[row] + s->shift;
}

/* Whether a row is below the best for sure. Its logit is below what is compared, or that is NaN,
 * from sizes beyond FP32, and the row is kept. */
static inline bool is_out(const lpu_screen *s, size_t row, float best)
{
    const float middle = about(s, row), sizes = fabsf(middle) + fabsf(s->shift) + s->wide;
    return s->size * s->real[row] * (middle + s->wide + 2 * sizes * SLACK) + 1 +
               fabsf(best) * SLACK <
           best;
}

/* Rows first..end that are not out, ascending. */
static size_t keep_rows(const lpu_screen *s, uint32_t *kept, size_t first, size_t end)
{
    const bool keeps_all = s->best == INT32_MIN;
    const float best = (float)s->best;
    size_t count = 0;

    for (size_t r = first; r < end; r += RUN) {
        int out = 0;
        for (size_t i = 0; i < RUN; i++) out += is_out(s, r + i, best);
        if (out == RUN && !keeps_all) continue;
        for (size_t i = r; i < r + RUN && i < end; i++) {
            if (keeps_all || !is_out(s, i, best)) kept[count++] = (uint32_t)i;
        }
    }
    return count;
}

/* The row that looks largest. */
static uint32_t find_row(const lpu_screen *s, size_t first, size_t end)
{
    size_t row = first;
    float most = s->real[first] * about(s, first);

    for (size_t r = first; r < end; r += RUN) {
        float here = -HUGE_VALF;
        for (size_t i = 0; i < RUN; i++) {
            const float v = s->real[r + i] * about(s, r + i);
            here = v > here ? v : here;
        }
        for (size_t i = r; here > most && i < r + RUN && i < end; i++) {
            const float v = s->real[i] * about(s, i);
            if (!(v > most)) continue;
            most = v;
            row = i;
        }
    }
    return (uint32_t)row;
}

/* --- the two jobs --- */

/* Steps of all rows, and the exact logit of one: the largest of all is at least that. */
static void steps_work(void *arg, size_t member, size_t members)
{
    lpu_screen *s = arg;
    size_t first;
    const size_t end = share(s, member, members, &first);
    found f = {0};

    if (first < end) {
        const uint8_t *w = s->steps.w + first / s->steps.block_rows * s->steps.block_bytes;
        s->k.gemv_i4_i8(s->acc + first, w, s->q, end - first, s->cols);
        const uint32_t row = find_row(s, first, end);
        look_at(s, &row, 1, &f);
    }
    s->found[member] = f;
}

static void exact_work(void *arg, size_t member, size_t members)
{
    lpu_screen *s = arg;
    size_t first;
    const size_t end = share(s, member, members, &first);
    found f = {0};

    look_at(s, s->kept + first, keep_rows(s, s->kept + first, first, end), &f);
    s->found[member] = f;
}

/* The best that the members found; the lowest row among equals. */
static found gather(const lpu_screen *s)
{
    found all = {0};

    for (size_t i = 0; i < lpu_team_threads(s->team); i++) {
        const found *f = &s->found[i];
        all.exact_rows += f->exact_rows;
        if (!f->is_any || (all.is_any && f->logit <= all.logit)) continue;
        all = (found){f->logit, f->row, all.exact_rows, true};
    }
    return all;
}

/* What the bounds need to know of q. */
static void begin(lpu_screen *s, const int8_t *q, lpu_scale sq)
{
    int64_t sum = 0, drawn = 0, squares = 0, sizes = 0;

    for (size_t c = 0; c < s->cols; c++) {
        sum += q[c];
        drawn += s->u[c] * q[c];
        squares += q[c] * q[c];
        sizes += abs(q[c]);
    }
    const float mean = 0.5f * (float)(s->step - 1);
    const float by_chance = s->deviation * sqrtf((float)squares), by_size = mean * (float)sizes;
    s->q = q;
    s->sq = sq;
    s->size = 65536.0f * (float)lpu_scale_to_real(sq);
    /* w q = step (acc + 8 sum q) + mean sum q + e - sum (u + limit) q. */
    s->shift = (float)((s->step * STEPS / 2 - s->limit) * sum - drawn) + mean * (float)sum;
    s->wide = (by_chance < by_size ? by_chance : by_size) * (1 + SLACK);
    s->best = INT32_MIN;
}

size_t lpu_screen_argmax(lpu_screen *s, const int8_t *q, lpu_scale sq)
{
    begin(s, q, sq);
    lpu_team_run(s->team, steps_work, s);
    const found some = gather(s);
    /* At the lowest logit there is, saturation can make equals of all that is below. */
    if (s->is_sound && is_sound(sq) && some.logit > -INT32_MAX) s->best = some.logit;
    lpu_team_run(s->team, exact_work, s);
    const found all = gather(s);
    s->reads.rows = s->rows;
    s->reads.exact_rows = some.exact_rows + all.exact_rows;
    s->reads.bytes = (uint64_t)s->rows * s->cols / 2 + s->reads.exact_rows * s->cols;
    return all.row;
}

static void logits_work(void *arg, size_t member, size_t members)
{
    lpu_screen *s = arg;
    size_t first;
    const size_t end = share(s, member, members, &first);

    if (first >= end) return;
    s->k.rows_i8_i8(s->logits + first, s->exact + first * s->row_bytes, s->row_bytes, NULL, s->q,
                    end - first, s->cols);
    for (size_t r = first; r < end; r++) s->logits[r] = logit(s, s->logits[r], r);
}

void lpu_screen_logits(lpu_screen *s, int32_t *logits, const int8_t *q, lpu_scale sq)
{
    begin(s, q, sq);
    s->logits = logits;
    lpu_team_run(s->team, logits_work, s);
}

lpu_screen_reads lpu_screen_last_reads(const lpu_screen *s)
{
    return s->reads;
}
