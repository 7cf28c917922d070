/* energy_model/paper.c - the paper method: arithmetic alone, by the formulas of the literature.
 *
 * No memory, no wires, no control, no softmax, no norms, no LM head: what the published figures
 * leave out is left out here, so that they can be met.
 */
#include "energy_model/energy.h"
#include "energy_model/tsv.h"

#include <assert.h>
#include <string.h>

/* ---- prices ---- */

enum { PAPER_ROWS = 6 };

static double *field(lpu_paper_prices *p, size_t i, const char **name)
{
    const struct {
        const char *name;
        double *value;
    } rows[PAPER_ROWS] = {
        {"mul_f32", &p->mul_f32}, {"add_f32", &p->add_f32}, {"mul_f16", &p->mul_f16},
        {"add_f16", &p->add_f16}, {"mul_i8", &p->mul_i8},   {"add_i8", &p->add_i8},
    };
    *name = rows[i].name;
    return rows[i].value;
}

static lpu_status take_row(lpu_paper_prices *p, bool *is_known, const lpu_tsv *tsv,
                           const lpu_tsv_row *row, lpu_diag *diag)
{
    for (size_t i = 0; i < PAPER_ROWS; i++) {
        const char *name;
        double *value = field(p, i, &name);

        if (strcmp(row->name, name) != 0) continue;
        if (row->is_free || row->value <= 0) {
            return lpu_fail(diag, LPU_ERR_FORMAT, "%s:%zu: %s is free, expected picojoules above 0",
                            tsv->path, tsv->line, name);
        }
        if (is_known[i]) {
            return lpu_fail(diag, LPU_ERR_FORMAT, "%s:%zu: found %s again, expected one row of it",
                            tsv->path, tsv->line, name);
        }
        is_known[i] = true;
        *value = row->value;
        if (!*p->source) memcpy(p->source, row->source, sizeof(p->source));
        return LPU_OK;
    }
    return lpu_fail(diag, LPU_ERR_FORMAT,
                    "%s:%zu: found %s, expected mul_ or add_ of f32, f16 or i8", tsv->path,
                    tsv->line, row->name);
}

lpu_status lpu_paper_load(lpu_paper_prices *prices, const char *node, lpu_diag *diag)
{
    bool is_known[PAPER_ROWS] = {false};
    lpu_tsv tsv;
    lpu_tsv_row row;

    memset(prices, 0, sizeof(*prices));
    if (strlen(node) >= sizeof(prices->node)) {
        return lpu_fail(diag, LPU_ERR_RANGE, "%s: the name has %zu bytes, expected at most %zu",
                        node, strlen(node), sizeof(prices->node) - 1);
    }
    memcpy(prices->node, node, strlen(node) + 1);

    lpu_status status = lpu_tsv_open(&tsv, "paper-", node, diag);
    while (!status) {
        status = lpu_tsv_read(&tsv, &row, diag);
        if (!status) status = take_row(prices, is_known, &tsv, &row, diag);
    }
    for (size_t i = 0; status == LPU_DONE && i < PAPER_ROWS; i++) {
        const char *name;
        field(prices, i, &name);
        if (is_known[i]) continue;
        status = lpu_fail(diag, LPU_ERR_FORMAT, "%s:%zu: ends without a price of %s", tsv.path,
                          tsv.line, name);
    }
    lpu_tsv_close(&tsv);
    return status == LPU_DONE ? LPU_OK : status;
}

/* ---- BitNet b1.58, figure 3 ---- */

static double f16_mac_pj(const lpu_paper_prices *p)
{
    return p->mul_f16 + p->add_f16;
}

/* A weight of -1, 0 or +1 costs one INT8 addition; an FP16 weight a multiplication and an addition.
 */
static double linear_mac_pj(const lpu_paper_prices *p, lpu_weight_kind weights)
{
    return weights == LPU_WEIGHTS_FP16 ? f16_mac_pj(p) : p->add_i8;
}

/* MACs of one attention product (scores or values) of a pass: every token against every other, no
 * causal mask, as published. h is the width of the queries: the model's hidden size, but for models
 * whose heads do not add up to it (Gemma 3). */
static double attention_macs(const lpu_model *model, double tokens)
{
    return tokens * tokens * model->kv_layers * model->heads * model->head_elems;
}

double lpu_energy_paper_pass_pj(const lpu_paper_prices *prices, const lpu_model *model,
                                double tokens)
{
    const double linear_macs = tokens * (double)lpu_model_linear_elems(model);

    return linear_mac_pj(prices, model->weights) * linear_macs +
           f16_mac_pj(prices) * 2 * attention_macs(model, tokens);
}

double lpu_energy_paper_trace_pj(const lpu_paper_prices *prices, const lpu_trace *trace,
                                 double *per_op_pj)
{
    double sum_pj = 0;

    for (size_t i = 0; i < trace->count; i++) {
        const lpu_op *op = &trace->ops[i];
        double pj = 0;

        if (op->operand == LPU_OPERAND_LINEAR) {
            pj = linear_mac_pj(prices, trace->model.weights) * (double)op->macs;
        } else if (op->operand == LPU_OPERAND_KV) {
            pj = f16_mac_pj(prices) * (double)op->macs;
        }
        if (per_op_pj) per_op_pj[i] = pj;
        sum_pj += pj;
    }
    return sum_pj;
}

/* ---- BitNet (W1A8), section 2.4 and table 1 ---- */

/* An (m, n) x (n, p) product: E_add = m (n - 1) p, E_mul = m n p, or m p + m n when W is binary. */
static void add_product(lpu_bitnet_energy *e, double m, double n, double p, double mul_pj,
                        double add_pj, bool is_binary)
{
    e->add_pj += m * (n - 1) * p * add_pj;
    e->mul_pj += (is_binary ? m * p + m * n : m * n * p) * mul_pj;
}

lpu_bitnet_energy lpu_energy_bitnet_pass(const lpu_paper_prices *prices, const lpu_model *model,
                                         double tokens, uint32_t weight_bits)
{
    const bool is_binary = weight_bits == 1, is_f32 = weight_bits == 32;
    const double mul_pj = is_f32 ? prices->mul_f32 : prices->mul_f16;
    const double add_pj = is_f32 ? prices->add_f32 : prices->add_f16;
    const double weight_pj = is_binary ? prices->add_i8 : add_pj;

    const double h = model->hidden_elems, f = model->ffn_elems, d = model->head_elems;
    const double q = model->heads * d, kv = model->kv_heads * d;

    assert(weight_bits == 1 || weight_bits == 16 || weight_bits == 32);
    lpu_bitnet_energy layer = {0, 0}, attention = {0, 0};
    add_product(&layer, tokens, h, q, mul_pj, weight_pj, is_binary);
    add_product(&layer, tokens, h, kv, mul_pj, weight_pj, is_binary);
    add_product(&layer, tokens, h, kv, mul_pj, weight_pj, is_binary);
    add_product(&layer, tokens, q, h, mul_pj, weight_pj, is_binary);
    for (int i = 0; i < (model->is_gated ? 2 : 1); i++) {
        add_product(&layer, tokens, h, f, mul_pj, weight_pj, is_binary);
    }
    add_product(&layer, tokens, f, h, mul_pj, weight_pj, is_binary);

    add_product(&attention, tokens, d, tokens, mul_pj, add_pj, false); /* scores of one head */
    add_product(&attention, tokens, tokens, d, mul_pj, add_pj, false); /* values of one head */

    const double heads = (double)model->kv_layers * model->heads;
    return (lpu_bitnet_energy){
        .mul_pj = model->layers * layer.mul_pj + heads * attention.mul_pj,
        .add_pj = model->layers * layer.add_pj + heads * attention.add_pj,
    };
}
