/* workloads/train/attention.c - blocks of queries against the keys that they may see. */
#include "workloads/train/attention.h"

/* back turns the other way, which is the gradient. */
LPU_TRAIN_CLONES
static void rotate(const lpu_train_pass *p, lpu_real *x, size_t heads, bool is_back)
{
    const size_t hd = p->model.head_elems, half = hd / 2;

    for (size_t t = 0; t < p->tokens; t++) {
        const lpu_real *rope = p->rope + t * hd;
        for (size_t h = 0; h < heads; h++, x += hd) {
            for (size_t i = 0; i < half; i++) {
                const lpu_real a = x[i], b = x[i + half], c = rope[2 * i];
                const lpu_real s = is_back ? -rope[2 * i + 1] : rope[2 * i + 1];
                x[i] = a * c - b * s;
                x[i + half] = a * s + b * c;
            }
        }
    }
}

/* Row r of scores sees keys 0..first + r; the rest of its keys get 0. */
LPU_TRAIN_CLONES
static void softmax(lpu_real *scores, size_t stride, size_t rows, size_t first, size_t keys,
                    lpu_real scale)
{
    for (size_t r = 0; r < rows; r++, scores += stride) {
        const size_t n = first + r + 1;
        lpu_real most = scores[0], sum = 0;
#pragma omp simd reduction(max : most)
        for (size_t i = 0; i < n; i++) most = scores[i] > most ? scores[i] : most;
#pragma omp simd reduction(+ : sum)
        for (size_t i = 0; i < n; i++) {
            scores[i] = lpu_real_exp((scores[i] - most) * scale);
            sum += scores[i];
        }
        for (size_t i = 0; i < n; i++) scores[i] /= sum;
        for (size_t i = n; i < keys; i++) scores[i] = 0;
    }
}

/* d = shares (d - sum(d shares)) scale */
LPU_TRAIN_CLONES
static void softmax_back(lpu_real *d, size_t keys, const lpu_real *shares, size_t stride,
                         size_t rows, lpu_real scale)
{
    for (size_t r = 0; r < rows; r++, d += keys, shares += stride) {
        lpu_real sum = 0;
#pragma omp simd reduction(+ : sum)
        for (size_t i = 0; i < keys; i++) sum += d[i] * shares[i];
        for (size_t i = 0; i < keys; i++) d[i] = shares[i] * (d[i] - sum) * scale;
    }
}

static size_t rows_at(const lpu_train_pass *p, size_t first)
{
    const size_t left = p->tokens - first;
    return left < LPU_ATTENTION_ROWS ? left : LPU_ATTENTION_ROWS;
}

void lpu_attention_run(const lpu_train_pass *p, lpu_train_layer *l)
{
    const lpu_model *m = &p->model;
    const size_t hd = m->head_elems, group = m->heads / m->kv_heads, t = p->tokens;
    const size_t wide = m->heads * hd, narrow = m->kv_heads * hd;
    const lpu_real scale = (lpu_real)(1 / sqrt((double)hd));

    rotate(p, l->q, m->heads, false);
    rotate(p, l->k, m->kv_heads, false);
    for (size_t h = 0; h < m->heads; h++) {
        const lpu_real *k = l->k + h / group * hd, *v = l->v + h / group * hd;
        for (size_t i = 0; i < t; i += LPU_ATTENTION_ROWS) {
            const size_t rows = rows_at(p, i), keys = i + rows;
            lpu_real *shares = l->shares + (h * t + i) * t;
            lpu_train_pass_product(p, shares, t,
                                   (lpu_matmul_view){l->q + i * wide + h * hd, wide, 1},
                                   (lpu_matmul_view){k, 1, narrow}, rows, keys, hd, false);
            softmax(shares, t, rows, i, keys, scale);
            lpu_train_pass_product(p, l->heads + i * wide + h * hd, wide,
                                   (lpu_matmul_view){shares, t, 1}, (lpu_matmul_view){v, narrow, 1},
                                   rows, hd, keys, false);
        }
    }
}

void lpu_attention_back(lpu_train_pass *p, const lpu_train_layer *l)
{
    const lpu_model *m = &p->model;
    const size_t hd = m->head_elems, group = m->heads / m->kv_heads, t = p->tokens;
    const size_t wide = m->heads * hd, narrow = m->kv_heads * hd;
    const lpu_real scale = (lpu_real)(1 / sqrt((double)hd));

    memset(p->dk, 0, t * narrow * sizeof(*p->dk));
    memset(p->dv, 0, t * narrow * sizeof(*p->dv));
    for (size_t h = 0; h < m->heads; h++) {
        const size_t kv = h / group * hd;
        for (size_t i = 0; i < t; i += LPU_ATTENTION_ROWS) {
            const size_t rows = rows_at(p, i), keys = i + rows, at = i * wide + h * hd;
            const lpu_real *shares = l->shares + (h * t + i) * t;
            const lpu_matmul_view dout = {p->dheads + at, wide, 1};
            lpu_train_pass_product(p, p->dscores, keys, dout,
                                   (lpu_matmul_view){l->v + kv, 1, narrow}, rows, keys, hd, false);
            lpu_train_pass_product(p, p->dv + kv, narrow, (lpu_matmul_view){shares, 1, t}, dout,
                                   keys, hd, rows, true);
            softmax_back(p->dscores, keys, shares, t, rows, scale);
            lpu_train_pass_product(p, p->dq + at, wide, (lpu_matmul_view){p->dscores, keys, 1},
                                   (lpu_matmul_view){l->k + kv, narrow, 1}, rows, hd, keys, false);
            lpu_train_pass_product(p, p->dk + kv, narrow, (lpu_matmul_view){p->dscores, 1, keys},
                                   (lpu_matmul_view){l->q + at, wide, 1}, keys, hd, rows, true);
        }
    }
    rotate(p, p->dq, m->heads, true);
    rotate(p, p->dk, m->kv_heads, true);
}
