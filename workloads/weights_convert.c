/* workloads/weights_convert.c - matrices to base-3 planes, rows shared out over the cores.
 *
 * A byte of a plane is a sum over its five digits, so it is looked up: for each place of five and
 * each value, one 64-bit word has the contribution to every plane in a byte of its own.
 *
 *     word[0][v0] + word[1][v1] + ... + word[4][v4] = | 0 | 0 | 0 | plane 4 | ... | plane 0 |
 *
 * The sums stay below 243, so no byte carries into the next.
 */
#include "workloads/weights_convert.h"

#include "workloads/ternary.h"

#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    PLACES = 5,   /* digits in a byte */
    VALUES = 243, /* of a number of five trits */
    THREADS_MAX = 16,
    SHARE_MIN = 1 << 16, /* elements that are worth a thread */
};

static const float half_max = 65504; /* largest finite half */

typedef struct table {
    int32_t limit;
    uint32_t trits;
    uint64_t word[PLACES][VALUES]; /* by value + limit */
} table;

/* A tensor being converted; the same for all threads. */
typedef struct task {
    const lpu_gguf_tensor *t;
    const table *table;
    lpu_matrix *m;
    uint16_t *f16;
    float tensor_scale;      /* of I2_S, else 0 */
    size_t interleaved_rows; /* of one head; 0: rows stay where they are */
    char where[LPU_GGUF_NAME_BYTES + 260];
} task;

/* The rows of one thread, and what it found in them. */
typedef struct share {
    const task *task;
    size_t first_row, end_row;
    float scale; /* of its ternary weights; 0 where all are zero */
    uint64_t zero_elems;
    lpu_status status;
    lpu_diag diag;
} share;

/* The layout's owner packs each digit alone; -1 in all other places adds nothing. */
static void table_init(table *b, uint32_t trits)
{
    b->trits = trits;
    b->limit = lpu_ternary_limit(trits);
    for (int32_t value = -b->limit; value <= b->limit; value++) {
        int8_t digits[LPU_TRITS_MAX];
        lpu_ternary_split(digits, trits, value);
        for (size_t place = 0; place < PLACES; place++) {
            uint64_t word = 0;
            for (uint32_t p = 0; p < trits; p++) {
                int8_t alone[PLACES] = {-1, -1, -1, -1, -1};
                uint8_t byte;
                alone[place] = digits[p];
                lpu_ternary_encode(LPU_CODE_BASE3, &byte, alone, PLACES);
                word |= (uint64_t)byte << (8 * p);
            }
            b->word[place][value + b->limit] = word;
        }
    }
}

/* Packs a row of values; the array goes on with zeros up to a multiple of five. */
static void pack_row(const task *k, size_t row, const int8_t *values)
{
    const table *b = k->table;
    const size_t row_bytes = lpu_ternary_bytes(LPU_CODE_BASE3, k->m->cols);
    const size_t plane_bytes = row_bytes * k->m->rows;
    uint8_t *dst = k->m->planes + row * row_bytes;

    for (size_t i = 0; i < row_bytes; i++, values += PLACES) {
        uint64_t word = 0;
        for (size_t place = 0; place < PLACES; place++) {
            word += b->word[place][values[place] + b->limit];
        }
        for (uint32_t p = 0; p < b->trits; p++) {
            dst[p * plane_bytes + i] = (uint8_t)(word >> (8 * p));
        }
    }
}

/* Where a row of the file goes: rows 0, 1, 2, 3 of a head of 4 to 0, 2, 1, 3. */
static size_t row_place(const task *k, size_t row)
{
    const size_t n = k->interleaved_rows;
    if (!n) return row;
    return row / n * n + row % 2 * (n / 2) + row % n / 2;
}

static const uint8_t *row_data(const task *k, size_t row)
{
    return (const uint8_t *)k->t->data + row * lpu_quants_row_bytes(k->t->type, k->m->cols);
}

static void *linear_rows(void *user)
{
    share *s = user;
    const task *k = s->task;
    const size_t cols = k->m->cols;
    int8_t *values = calloc(cols + PLACES, 1);

    if (!values) s->status = lpu_fail(&s->diag, LPU_ERR_MEMORY, "%s: out of memory", k->where);
    for (size_t row = s->first_row; row < s->end_row && !s->status; row++) {
        s->status = lpu_quants_read_trits(k->t->type, values, &s->scale, row_data(k, row), cols,
                                          k->where, &s->diag);
        if (s->status) break;
        pack_row(k, row_place(k, row), values);
        uint64_t some = 0;
        for (size_t i = 0; i < cols; i++) some += (uint64_t)(values[i] & 1);
        s->zero_elems += cols - some;
    }
    free(values);
    return NULL;
}

/* v[i] = nearest integer to row[i] limit / a, half away from zero, a = max |row|. */
static void quantise_row(int8_t *values, const float *row, size_t cols, float a, int32_t limit)
{
    for (size_t i = 0; i < cols; i++) {
        const double v = (double)row[i] * limit / (double)a;
        values[i] = (int8_t)(v + (v < 0 ? -0.5 : 0.5));
    }
}

static void *embed_rows(void *user)
{
    share *s = user;
    const task *k = s->task;
    const size_t cols = k->m->cols;
    int8_t *values = calloc(cols + PLACES, 1);
    float *reals = malloc(cols * sizeof(*reals));

    if (!values || !reals) {
        s->status = lpu_fail(&s->diag, LPU_ERR_MEMORY, "%s: out of memory", k->where);
    }
    for (size_t row = s->first_row; row < s->end_row && !s->status; row++) {
        float a = 0;
        lpu_quants_decode(k->t->type, reals, row_data(k, row), cols, 0);
        for (size_t i = 0; i < cols; i++) {
            if (!(fabsf(reals[i]) <= half_max)) {
                s->status = lpu_fail(&s->diag, LPU_ERR_FORMAT,
                                     "%s: row %zu has %g in it, expected a number up to 65504",
                                     k->where, row, (double)reals[i]);
                break;
            }
            a = fmaxf(a, fabsf(reals[i]));
        }
        if (s->status) break;
        if (a > 0) quantise_row(values, reals, cols, a, k->table->limit);
        else memset(values, 0, cols);
        pack_row(k, row, values);
        k->m->row_scales[row] = lpu_scale_from_real((double)a / k->table->limit);
        lpu_quants_encode(LPU_QUANT_F16, k->f16 + row * cols, reals, cols);
    }
    free(values);
    free(reals);
    return NULL;
}

/* Runs work on all rows, in equal shares. A thread that cannot be had is done without. */
static size_t run_shares(const task *k, share *shares, void *(*work)(void *))
{
    pthread_t threads[THREADS_MAX];
    bool is_running[THREADS_MAX] = {false};
    const long cores = sysconf(_SC_NPROCESSORS_ONLN);
    const size_t rows = k->m->rows;
    size_t count = 1 + rows * k->m->cols / SHARE_MIN;

    if (count > (size_t)(cores > 1 ? cores : 1)) count = (size_t)(cores > 1 ? cores : 1);
    if (count > THREADS_MAX) count = THREADS_MAX;
    for (size_t i = 0; i < count; i++) {
        shares[i] = (share){.task = k,
                            .first_row = rows * i / count,
                            .end_row = rows * (i + 1) / count,
                            .scale = k->tensor_scale};
        if (i > 0) is_running[i] = !pthread_create(&threads[i], NULL, work, &shares[i]);
    }
    for (size_t i = 0; i < count; i++) {
        if (is_running[i]) pthread_join(threads[i], NULL);
        else work(&shares[i]);
    }
    return count;
}

static lpu_status begin(task *k, lpu_matrix *m, const lpu_gguf *g, const lpu_gguf_tensor *t,
                        uint32_t trits, lpu_diag *diag)
{
    k->t = t;
    k->m = m;
    snprintf(k->where, sizeof(k->where), "%.255s: %.64s", lpu_gguf_name(g), t->name);
    m->cols = (size_t)t->elems[0];
    m->rows = (size_t)t->elems[1];
    m->trits = trits;
    m->planes = malloc(trits * m->rows * lpu_ternary_bytes(LPU_CODE_BASE3, m->cols));
    if (m->planes) return LPU_OK;
    return lpu_fail(diag, LPU_ERR_MEMORY, "%s: out of memory", k->where);
}

/* The first sentence in the order of rows, so that it does not depend on who was faster. */
static lpu_status first_failure(const share *shares, size_t count, lpu_diag *diag)
{
    for (size_t i = 0; i < count; i++) {
        if (!shares[i].status) continue;
        return lpu_fail(diag, shares[i].status, "%s", shares[i].diag.text);
    }
    return LPU_OK;
}

/* Every share found one magnitude; they must be the same. */
static lpu_status join_scales(const task *k, const share *shares, size_t count, float *scale,
                              lpu_diag *diag)
{
    *scale = k->tensor_scale;
    for (size_t i = 0; i < count; i++) {
        if (shares[i].scale == 0 || shares[i].scale == *scale) continue;
        if (*scale != 0) {
            return lpu_fail(diag, LPU_ERR_FORMAT,
                            "%s: a weight of row %zu or after has magnitude %.9g, expected 0 or "
                            "%.9g: one magnitude for the whole tensor makes it ternary",
                            k->where, shares[i].first_row, (double)shares[i].scale, (double)*scale);
        }
        *scale = shares[i].scale;
    }
    return LPU_OK;
}

static lpu_status read_tensor_scale(task *k, lpu_diag *diag)
{
    if (k->t->type != LPU_QUANT_I2_S) return LPU_OK;

    const uint8_t *tail = row_data(k, k->m->rows);
    memcpy(&k->tensor_scale, tail, sizeof(k->tensor_scale));
    if (isfinite(k->tensor_scale) && k->tensor_scale >= 0) return LPU_OK;
    return lpu_fail(diag, LPU_ERR_FORMAT, "%s: its scale is %g, expected a positive number",
                    k->where, (double)k->tensor_scale);
}

lpu_status lpu_weights_convert_linear(lpu_matrix *m, const lpu_gguf *g, const lpu_gguf_tensor *t,
                                      float factor, size_t interleaved_rows, uint64_t *zero_elems,
                                      lpu_diag *diag)
{
    share shares[THREADS_MAX];
    task k = {0};
    table b;
    lpu_status status;

    if (!lpu_quants_find((uint32_t)t->type)->holds_trits) {
        return lpu_fail(diag, LPU_ERR_FORMAT, "%s: %s is %s, expected a ternary type",
                        lpu_gguf_name(g), t->name, lpu_quants_find((uint32_t)t->type)->name);
    }
    table_init(&b, 1);
    k.table = &b;
    k.interleaved_rows = interleaved_rows;
    status = begin(&k, m, g, t, 1, diag);
    if (!status) status = read_tensor_scale(&k, diag);
    if (status) return status;

    const size_t count = run_shares(&k, shares, linear_rows);
    float scale;
    status = first_failure(shares, count, diag);
    if (!status) status = join_scales(&k, shares, count, &scale, diag);
    if (status) return status;
    for (size_t i = 0; i < count; i++) *zero_elems += shares[i].zero_elems;
    m->real_scale = scale * factor;
    if (!isfinite(m->real_scale)) {
        return lpu_fail(diag, LPU_ERR_FORMAT, "%s: its scale overflows, expected a finite one",
                        k.where);
    }
    m->scale = lpu_scale_from_real((double)m->real_scale);
    return LPU_OK;
}

lpu_status lpu_weights_convert_halves(lpu_matrix *m, const lpu_gguf *g, const lpu_gguf_tensor *t,
                                      lpu_diag *diag)
{
    const size_t rows = (size_t)t->elems[1], cols = (size_t)t->elems[0];
    const size_t row_bytes = lpu_quants_row_bytes(t->type, cols);
    float *row = malloc(cols * sizeof(*row));

    m->rows = rows;
    m->cols = cols;
    m->f16 = malloc(rows * cols * sizeof(*m->f16));
    if (!row || !m->f16) {
        free(row);
        return lpu_fail(diag, LPU_ERR_MEMORY, "%s: out of memory", lpu_gguf_name(g));
    }
    for (size_t r = 0; r < rows; r++) {
        lpu_quants_decode(t->type, row, (const uint8_t *)t->data + r * row_bytes, cols, 0);
        for (size_t c = 0; c < cols; c++) m->f16[r * cols + c] = lpu_quants_f32_to_f16(row[c]);
    }
    free(row);
    return LPU_OK;
}

lpu_status lpu_weights_convert_embed(lpu_matrix *m, uint16_t **f16, const lpu_gguf *g,
                                     const lpu_gguf_tensor *t, uint32_t trits, lpu_diag *diag)
{
    share shares[THREADS_MAX];
    task k = {0};
    table b;
    lpu_status status;

    if (lpu_quants_find((uint32_t)t->type)->tail_bytes) {
        return lpu_fail(diag, LPU_ERR_FORMAT, "%s: %s is %s, expected a type with scales by row",
                        lpu_gguf_name(g), t->name, lpu_quants_find((uint32_t)t->type)->name);
    }
    table_init(&b, trits);
    k.table = &b;
    status = begin(&k, m, g, t, trits, diag);
    *f16 = malloc(m->rows * m->cols * sizeof(**f16));
    m->row_scales = malloc(m->rows * sizeof(*m->row_scales));
    if (!status && (!*f16 || !m->row_scales)) {
        status = lpu_fail(diag, LPU_ERR_MEMORY, "%s: out of memory", k.where);
    }
    if (status) return status;
    k.f16 = *f16;
    return first_failure(shares, run_shares(&k, shares, embed_rows), diag);
}

/* The smallest exponent e with max 2^-e <= 32767. */
static int16_t gain_exponent(float max)
{
    int exponent;
    if (max == 0) return 0;
    const double fraction = frexp((double)max, &exponent); /* 1/2 <= fraction < 1 */
    return (int16_t)(exponent - 15 + (fraction * 32768 > 32767));
}

lpu_status lpu_weights_convert_gain(lpu_gain *gain, const lpu_gguf *g, const lpu_gguf_tensor *t,
                                    lpu_diag *diag)
{
    float max = 0;

    gain->elems = (size_t)t->elems[0];
    gain->g = malloc(gain->elems * sizeof(*gain->g));
    gain->real = malloc(gain->elems * sizeof(*gain->real));
    if (!gain->g || !gain->real) {
        return lpu_fail(diag, LPU_ERR_MEMORY, "%s: out of memory", lpu_gguf_name(g));
    }
    lpu_quants_decode(t->type, gain->real, t->data, gain->elems, 0);
    for (size_t i = 0; i < gain->elems; i++) {
        if (!isfinite(gain->real[i])) {
            return lpu_fail(diag, LPU_ERR_FORMAT,
                            "%s: %s: element %zu is not finite, expected a "
                            "number",
                            lpu_gguf_name(g), t->name, i);
        }
        max = fmaxf(max, fabsf(gain->real[i]));
    }
    gain->exponent = gain_exponent(max);
    for (size_t i = 0; i < gain->elems; i++) {
        gain->g[i] = (int16_t)lround(ldexp((double)gain->real[i], -gain->exponent));
    }
    return LPU_OK;
}
