/* kernels/screen.c - three passes over fewer and fewer rows of the head.
 *
 * Bounds are held in FP32 and widened by more than FP32 and the 16-bit scales can be wrong (SLACK);
 * the one number that rows are held against is the exact logit of some row.
 */
#include "kernels/screen.h"

#include "kernels/int_scale.h"
#include "kernels/stream.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { GROUP = 64, STAGES = 3, X32 = -16 };

/* Rounding of mul is below 2^-16, of FP32 sums below 2^-21, of the final shift 1/2. */
#define SLACK 0x1p-14f

/* Stage i: what its digit weighs, and what the rest of w is after it: mean -+ most. */
static const struct {
    lpu_layout layout;
    int32_t unit;
    float mean, most;
} stages[STAGES] = {
    {LPU_LAYOUT_I4, 16, 2.5f, 7.5f}, /* 4 b + c: -5..10 */
    {LPU_LAYOUT_T2, 4, 0.5f, 1.5f},  /* c: -1..2 */
    {LPU_LAYOUT_T2, 1, 0.0f, 0.0f},
};

/* The best of a member's rows. */
typedef struct found {
    int32_t logit; /* exact; after the first stage that of any row, after the last that of row */
    size_t row, rows_read;
    bool is_any;
} found;

struct lpu_screen {
    lpu_kernels k;
    lpu_team *team;
    lpu_stream of[STAGES];
    size_t rows, cols;
    lpu_scale *scale;        /* (rows) */
    float *real;             /* (rows) the same, as a float */
    float *rest[STAGES - 1]; /* (rows) |rest - mean|_2 after a stage, rounded up */
    int32_t *acc, *part;     /* (rows) */
    uint8_t *is_in;          /* (groups) */
    bool is_sound;           /* every scale is of a size that FP32 can hold */
    lpu_screen_reads reads;

    /* The call in hand. */
    const int8_t *q;
    lpu_scale sq;
    int32_t *logits; /* of a call for all */
    size_t stage;
    float size, shift[STAGES], norm, most[STAGES]; /* of q: scale, mean sum q, |q|_2, most |q|_1 */
    int32_t best;                                  /* what a row has to reach; INT32_MIN: nothing */
    found found[LPU_TEAM_THREADS_MAX];
};

/* --- loading --- */

typedef struct loading {
    lpu_screen *s;
    const lpu_stream *from; /* the head in I8 */
    bool is_short[LPU_TEAM_THREADS_MAX];
} loading;

/* Takes w apart into its three digits; returns the squares of the rests after the first two, times
 * four: the means are halves. */
static void split(int8_t *digits[STAGES], size_t at, int32_t w, uint64_t squares[STAGES - 1])
{
    const int32_t c = ((w + 1) & 3) - 1, four = (w - c) / 4, b = ((four + 1) & 3) - 1;
    const int32_t after0 = 2 * (4 * b + c) - 5, after1 = 2 * c - 1;

    digits[0][at] = (int8_t)((four - b) / 4);
    digits[1][at] = (int8_t)b;
    digits[2][at] = (int8_t)c;
    squares[0] += (uint64_t)(after0 * after0);
    squares[1] += (uint64_t)(after1 * after1);
}

/* A group of rows, from the I8 stream to the three. */
static void load_group(const loading *l, size_t group, int8_t *digits[STAGES])
{
    lpu_screen *s = l->s;
    const size_t first = group * GROUP, left = s->rows - first, n = left < GROUP ? left : GROUP;
    int8_t *w = (int8_t *)l->from->w;

    for (size_t r = 0; r < n; r++) {
        uint64_t squares[STAGES - 1] = {0};
        for (size_t c = 0; c < s->cols; c++) {
            split(digits, r * s->cols + c, *lpu_layout_i8_at(w, l->from->block_bytes, first + r, c),
                  squares);
        }
        for (size_t i = 0; i + 1 < STAGES; i++) {
            s->rest[i][first + r] = 0.5f * sqrtf((float)squares[i]) * (1 + SLACK);
        }
    }
    uint8_t *coarse = s->of[0].w + 2 * group * s->of[0].block_bytes;
    lpu_layout_pack_i4(coarse, digits[0], n < 32 ? n : 32, s->cols);
    if (n > 32) {
        lpu_layout_pack_i4(coarse + s->of[0].block_bytes, digits[0] + 32 * s->cols, n - 32,
                           s->cols);
    }
    for (size_t i = 1; i < STAGES; i++) {
        lpu_layout_pack_t2(s->of[i].w + group * s->of[i].block_bytes, digits[i], n, s->cols);
    }
}

static size_t groups_of(const lpu_screen *s)
{
    return (s->rows + GROUP - 1) / GROUP;
}

static void load_work(void *arg, size_t member, size_t members)
{
    loading *l = arg;
    const size_t elems = GROUP * l->s->cols;
    int8_t *room = malloc(STAGES * elems + 1), *digits[STAGES];
    size_t first;
    const size_t n = lpu_team_share(groups_of(l->s), member, members, &first);

    l->is_short[member] = !room;
    for (size_t i = 0; i < STAGES && room; i++) digits[i] = room + i * elems;
    for (size_t g = first; g < first + n && room; g++) load_group(l, g, digits);
    free(room);
}

static lpu_status load(lpu_screen *s, const lpu_matrix *head, lpu_diag *diag)
{
    lpu_stream from;
    loading *l = calloc(1, sizeof(*l));
    bool is_short = false;

    if (!l) return lpu_fail(diag, LPU_ERR_MEMORY, "screen: out of memory");
    lpu_status status = lpu_stream_load(&from, LPU_LAYOUT_I8, head, s->team, diag);
    if (!status) {
        l->s = s;
        l->from = &from;
        lpu_team_run(s->team, load_work, l);
        lpu_stream_close(&from);
    }
    for (uint32_t i = 0; i < lpu_team_threads(s->team); i++) is_short = is_short || l->is_short[i];
    free(l);
    return is_short ? lpu_fail(diag, LPU_ERR_MEMORY, "screen: out of memory") : status;
}

/* --- packed files --- */

bool lpu_screen_pays(uint32_t allowed)
{
    return (lpu_cpu_flags() & allowed & LPU_CPU_AVX512VNNI) != 0;
}

/* The bounds are kept in whole lines of cache, as the streams are. */
static size_t rest_bytes(size_t rows)
{
    return (rows * sizeof(float) + 63) / 64 * 64;
}

size_t lpu_screen_bytes(size_t rows, size_t cols)
{
    size_t bytes = (STAGES - 1) * rest_bytes(rows);
    for (size_t i = 0; i < STAGES; i++) bytes += lpu_layout_bytes(stages[i].layout, rows, cols);
    return bytes;
}

const void *lpu_screen_piece(const lpu_screen *s, size_t index, size_t *bytes)
{
    _Static_assert(LPU_SCREEN_PIECES == 2 * STAGES - 1, "streams, then bounds");
    *bytes = index < STAGES ? s->of[index].bytes : rest_bytes(s->rows);
    return index < STAGES ? (const void *)s->of[index].w : s->rest[index - STAGES];
}

static lpu_status borrow(lpu_screen *s, const lpu_matrix *head, lpu_diag *diag)
{
    const uint8_t *at = head->stream;
    lpu_status status = LPU_OK;

    if (head->stream_bytes != lpu_screen_bytes(s->rows, s->cols)) {
        return lpu_fail(diag, LPU_ERR_FORMAT,
                        "screen: found %zu packed bytes of %zu by %zu, expected %zu",
                        head->stream_bytes, s->rows, s->cols, lpu_screen_bytes(s->rows, s->cols));
    }
    for (size_t i = 0; i < STAGES && !status; i++) {
        status = lpu_stream_borrow(&s->of[i], stages[i].layout, s->rows, s->cols, at, diag);
        at += s->of[i].bytes;
    }
    for (size_t i = 0; i + 1 < STAGES && !status; i++) {
        memcpy(s->rest[i], at, s->rows * sizeof(float));
        at += rest_bytes(s->rows);
    }
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
    s->is_sound = true;
    s->scale = calloc(s->rows + 1, sizeof(*s->scale));
    s->real = calloc(s->rows + 1, sizeof(*s->real));
    for (size_t i = 0; i + 1 < STAGES; i++) s->rest[i] = calloc(1, rest_bytes(s->rows) + 1);
    s->acc = calloc(s->rows + 1, sizeof(*s->acc));
    s->part = calloc(s->rows + 1, sizeof(*s->part));
    s->is_in = calloc(groups_of(s) + 1, 1);
    if (!s->scale || !s->real || !s->rest[0] || !s->rest[1] || !s->acc || !s->part || !s->is_in) {
        status = lpu_fail(diag, LPU_ERR_MEMORY, "screen: out of memory");
    }
    for (size_t r = 0; r < s->rows && !status; r++) {
        s->scale[r] = head->row_scales ? head->row_scales[r] : head->scale;
        s->real[r] = (float)lpu_scale_to_real(s->scale[r]);
        s->is_sound = s->is_sound && is_sound(s->scale[r]);
    }
    if (!status && head->stream) status = borrow(s, head, diag);
    for (size_t i = 0; i < STAGES && !status && !head->stream; i++) {
        status = lpu_stream_open(&s->of[i], stages[i].layout, s->rows, s->cols, diag);
    }
    if (!status && !head->stream) status = load(s, head, diag);
    for (size_t i = 0; i < STAGES; i++) s->reads.all_bytes += s->of[i].bytes;
    if (status) lpu_screen_close(&s);
    *out = s;
    return status;
}

void lpu_screen_close(lpu_screen **out)
{
    lpu_screen *s = *out;

    if (!s) return;
    for (size_t i = 0; i < STAGES; i++) lpu_stream_close(&s->of[i]);
    for (size_t i = 0; i + 1 < STAGES; i++) free(s->rest[i]);
    free(s->scale);
    free(s->real);
    free(s->acc);
    free(s->part);
    free(s->is_in);
    free(s);
    *out = NULL;
}

/* --- products --- */

/* The rows of groups first..end. */
static size_t rows_of(const lpu_screen *s, size_t first, size_t end)
{
    return (end * GROUP < s->rows ? end * GROUP : s->rows) - first * GROUP;
}

/* acc += unit * (digits of a stage) q for the rows of groups first..end. */
static void add_digits(lpu_screen *s, size_t stage, size_t first, size_t end)
{
    const lpu_stream *from = &s->of[stage];
    const size_t row = first * GROUP, n = rows_of(s, first, end);
    const uint8_t *w = from->w + row / from->block_rows * from->block_bytes;

    if (!stage) {
        s->k.gemv_i4_i8(s->acc + row, w, s->q, n, s->cols);
        for (size_t r = row; r < row + n; r++) s->acc[r] *= stages[0].unit;
        return;
    }
    s->k.gemv_t2_i8(s->part + row, w, s->q, n, s->cols);
    for (size_t r = row; r < row + n; r++) s->acc[r] += stages[stage].unit * s->part[r];
}

static int32_t logit(const lpu_screen *s, int64_t acc, size_t row)
{
    return lpu_int_apply(acc, lpu_int_mul(s->sq, s->scale[row]), X32);
}

/* How far the sum of a row can be from acc + shift after a stage. */
static inline float bound(const lpu_screen *s, size_t stage, size_t row)
{
    if (stage + 1 == STAGES) return 0;
    const float by_norm = s->rest[stage][row] * s->norm;
    return by_norm < s->most[stage] ? by_norm : s->most[stage];
}

/* Whether a row is below the best for sure. Its logit is below what is compared, or that is NaN,
 * from sizes beyond FP32, and the row is kept. */
static inline bool is_row_out(const lpu_screen *s, size_t stage, size_t row)
{
    const float acc = (float)s->acc[row], wide = bound(s, stage, row), best = (float)s->best;
    const float sizes = fabsf(acc) + fabsf(s->shift[stage]) + wide;
    const float most = acc + s->shift[stage] + wide + sizes * SLACK;

    return s->size * s->real[row] * most + 1 + fabsf(best) * SLACK < best;
}

/* Whether all rows of a group are, by what is known after a stage. */
static bool is_group_out(const lpu_screen *s, size_t stage, size_t group)
{
    const size_t first = group * GROUP, end = first + rows_of(s, group, group + 1);

    if (s->best == INT32_MIN) return false;
    for (size_t r = first; r < end; r++) {
        if (!is_row_out(s, stage, r)) return false;
    }
    return true;
}

/* The row that looks largest after the first stage. */
static void find_row(const lpu_screen *s, size_t group, float *most, found *f)
{
    const size_t first = group * GROUP, end = first + rows_of(s, group, group + 1);

    for (size_t r = first; r < end; r++) {
        const float about = s->real[r] * ((float)s->acc[r] + s->shift[0]);
        if (f->is_any && !(about > *most)) continue;
        *most = about;
        f->row = r;
        f->is_any = true;
    }
}

/* Its exact logit, or a larger one of its group: the largest of all is at least that. */
static int32_t exact_of_group(const lpu_screen *s, size_t group)
{
    const size_t first = group * GROUP, n = rows_of(s, group, group + 1);
    int32_t digits[STAGES][GROUP], most = -INT32_MAX;

    for (size_t i = 1; i < STAGES; i++) {
        const uint8_t *w = s->of[i].w + group * s->of[i].block_bytes;
        s->k.gemv_t2_i8(digits[i], w, s->q, n, s->cols);
    }
    for (size_t r = 0; r < n; r++) {
        const int32_t acc =
            s->acc[first + r] + stages[1].unit * digits[1][r] + stages[2].unit * digits[2][r];
        const int32_t y = logit(s, acc, first + r);
        if (y > most) most = y;
    }
    return most;
}

/* The lowest row of the largest logit in a group. */
static void find_logit(const lpu_screen *s, size_t group, found *f)
{
    const size_t first = group * GROUP, end = first + rows_of(s, group, group + 1);

    for (size_t r = first; r < end; r++) {
        if (s->best != INT32_MIN && is_row_out(s, STAGES - 1, r)) continue;
        const int32_t y = logit(s, s->acc[r], r);
        if (f->is_any && y <= f->logit) continue;
        *f = (found){y, r, f->rows_read, true};
    }
}

/* One stage of a member's groups: those that are still in, whole runs of them at a time. */
static void stage_work(void *arg, size_t member, size_t members)
{
    lpu_screen *s = arg;
    const size_t stage = s->stage;
    size_t g;
    const size_t count = lpu_team_share(groups_of(s), member, members, &g), last = g + count;
    found f = {0};
    float most = 0;

    for (size_t i = g; i < last; i++) {
        s->is_in[i] = !stage || (s->is_in[i] && !is_group_out(s, stage - 1, i));
    }
    for (; g < last; g++) {
        size_t end = g;
        while (end < last && s->is_in[end]) end++;
        if (end == g) continue;
        add_digits(s, stage, g, end);
        f.rows_read += rows_of(s, g, end);
        for (; g < end; g++) {
            if (!stage) find_row(s, g, &most, &f);
            if (stage + 1 == STAGES) find_logit(s, g, &f);
        }
    }
    if (!stage && f.is_any) f.logit = exact_of_group(s, f.row / GROUP);
    s->found[member] = f;
}

/* What the bounds need to know of q. */
static void begin(lpu_screen *s, const int8_t *q, lpu_scale sq)
{
    int64_t sum = 0, squares = 0, sizes = 0;

    for (size_t c = 0; c < s->cols; c++) {
        sum += q[c];
        squares += q[c] * q[c];
        sizes += abs(q[c]);
    }
    s->q = q;
    s->sq = sq;
    s->size = 65536.0f * (float)lpu_scale_to_real(sq);
    s->norm = sqrtf((float)squares) * (1 + SLACK);
    for (size_t i = 0; i < STAGES; i++) {
        s->shift[i] = stages[i].mean * (float)sum;
        s->most[i] = stages[i].most * (float)sizes;
    }
    s->best = INT32_MIN;
}

size_t lpu_screen_argmax(lpu_screen *s, const int8_t *q, lpu_scale sq)
{
    const size_t members = lpu_team_threads(s->team);
    size_t *rows[STAGES] = {&s->reads.rows, &s->reads.second_rows, &s->reads.third_rows};
    found all = {0};

    begin(s, q, sq);
    s->reads.bytes = 0;
    for (s->stage = 0; s->stage < STAGES; s->stage++) {
        lpu_team_run(s->team, stage_work, s);
        all = (found){0};
        for (size_t i = 0; i < members; i++) {
            const found *f = &s->found[i];
            all.rows_read += f->rows_read;
            if (!f->is_any || (all.is_any && f->logit <= all.logit)) continue;
            all = (found){f->logit, f->row, all.rows_read, true};
        }
        *rows[s->stage] = all.rows_read;
        s->reads.bytes += all.rows_read * s->cols * (s->stage ? 2 : 4) / 8;
        /* At the lowest logit there is, saturation can make equals of all that is below. */
        const bool is_usable = s->is_sound && is_sound(sq) && all.logit > -INT32_MAX;
        if (!s->stage && is_usable) s->best = all.logit;
    }
    return all.row;
}

static void logits_work(void *arg, size_t member, size_t members)
{
    lpu_screen *s = arg;
    size_t first;
    const size_t n = lpu_team_share(groups_of(s), member, members, &first);

    if (!n) return;
    for (size_t i = 0; i < STAGES; i++) add_digits(s, i, first, first + n);
    for (size_t r = first * GROUP; r < first * GROUP + rows_of(s, first, first + n); r++) {
        s->logits[r] = logit(s, s->acc[r], r);
    }
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
