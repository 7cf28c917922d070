/* energy_model/prices.c - one price per counter, from a table of logic and a table of memory. */
#include "energy_model/energy.h"
#include "energy_model/tsv.h"

#include <string.h>

/* Which rows a table must have: those of the memory, or all others. */
typedef struct half {
    const char *prefix; /* of the file's name */
    bool is_dram;
    const char *has;
} half;

static const half logic_half = {"", false, "every counter of counters.def but dram_*"};
static const half dram_half = {"dram-", true, "every dram_* counter of counters.def"};

static bool belongs(const half *h, size_t i)
{
    return (lpu_counter_row(i)->component == LPU_COMPONENT_dram) == h->is_dram;
}

static size_t find(const char *name)
{
    size_t i = 0;
    while (i < LPU_COUNTERS && strcmp(lpu_counter_row(i)->name, name) != 0) i++;
    return i;
}

static lpu_status take_row(lpu_prices *prices, bool *is_known, const half *h, const lpu_tsv *tsv,
                           const lpu_tsv_row *row, lpu_diag *diag)
{
    const size_t i = find(row->name);

    if (i == LPU_COUNTERS || !belongs(h, i)) {
        return lpu_fail(diag, LPU_ERR_FORMAT, "%s:%zu: found a price of %s, expected %s", tsv->path,
                        tsv->line, row->name, h->has);
    }
    if (is_known[i]) {
        return lpu_fail(diag, LPU_ERR_FORMAT, "%s:%zu: found %s again, expected one row of it",
                        tsv->path, tsv->line, row->name);
    }
    is_known[i] = true;
    lpu_price *p = &prices->of[i];
    p->pj_each = row->value;
    p->is_free = row->is_free;
    memcpy(p->source, row->source, sizeof(p->source));
    return LPU_OK;
}

static lpu_status load_half(lpu_prices *prices, const char *name, const half *h, lpu_diag *diag)
{
    bool is_known[LPU_COUNTERS] = {false};
    lpu_tsv tsv;
    lpu_tsv_row row;
    lpu_status status = lpu_tsv_open(&tsv, h->prefix, name, diag);

    while (!status) {
        status = lpu_tsv_read(&tsv, &row, diag);
        if (!status) status = take_row(prices, is_known, h, &tsv, &row, diag);
    }
    for (size_t i = 0; status == LPU_DONE && i < LPU_COUNTERS; i++) {
        if (!belongs(h, i) || is_known[i]) continue;
        status = lpu_fail(diag, LPU_ERR_FORMAT, "%s:%zu: ends without a price of %s, expected %s",
                          tsv.path, tsv.line, lpu_counter_row(i)->name, h->has);
    }
    lpu_tsv_close(&tsv);
    return status == LPU_DONE ? LPU_OK : status;
}

static lpu_status keep_name(char *to, size_t bytes, const char *name, lpu_diag *diag)
{
    if (strlen(name) < bytes) {
        memcpy(to, name, strlen(name) + 1);
        return LPU_OK;
    }
    return lpu_fail(diag, LPU_ERR_RANGE, "%s: the name has %zu bytes, expected at most %zu", name,
                    strlen(name), bytes - 1);
}

lpu_status lpu_prices_load(lpu_prices *prices, const char *logic, const char *dram, lpu_diag *diag)
{
    memset(prices, 0, sizeof(*prices));

    lpu_status status = keep_name(prices->logic, sizeof(prices->logic), logic, diag);
    if (!status) status = keep_name(prices->dram, sizeof(prices->dram), dram, diag);
    if (!status) status = load_half(prices, logic, &logic_half, diag);
    if (!status) status = load_half(prices, dram, &dram_half, diag);
    return status;
}
