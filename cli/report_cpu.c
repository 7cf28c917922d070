/* cli/report_cpu.c - times the kernels of this CPU, ternary beside FP16, and writes their table. */
#include "cli/cli.h"
#include "cli/report_measure.h"
#include "cli/report_table.h"
#include "energy_model/energy.h"
#include "kernels/measure.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* "AMD EPYC": the first model name that the kernel tells. */
static void find_name(char *name, size_t bytes)
{
    char line[512];
    FILE *file = fopen("/proc/cpuinfo", "r");

    snprintf(name, bytes, "a CPU without a name");
    while (file && fgets(line, sizeof(line), file)) {
        char *colon = strchr(line, ':');
        if (strncmp(line, "model name", 10) || !colon) continue;
        snprintf(name, bytes, "%s", colon + 1 + strspn(colon + 1, " \t"));
        name[strcspn(name, "\n")] = 0;
        break;
    }
    if (file) fclose(file);
}

/* The ternary layout whose token is the fastest. */
static const lpu_measure_token *best_token(const lpu_measure *m, uint32_t threads)
{
    const lpu_measure_token *t2 = lpu_measure_find_token(m, LPU_LAYOUT_T2, threads);
    const lpu_measure_token *b3 = lpu_measure_find_token(m, LPU_LAYOUT_B3, threads);

    if (!t2 || !b3) return t2 ? t2 : b3;
    return b3->decode_tokens_per_s > t2->decode_tokens_per_s ? b3 : t2;
}

static bool is_noisy(const lpu_measure *m, uint32_t threads)
{
    for (size_t i = 0; i < m->product_count; i++) {
        const lpu_measure_product *p = &m->products[i];
        if (p->threads == threads && lpu_sample_is_noisy(&p->time)) return true;
    }
    for (size_t i = 0; i < m->token_count; i++) {
        const lpu_measure_token *t = &m->tokens[i];
        if (t->threads == threads && lpu_sample_is_noisy(&t->decode)) return true;
    }
    return false;
}

static void put_product(lpu_report_writer *w, const lpu_measure_product *ternary,
                        const lpu_measure_product *fp16)
{
    const double spread =
        fmax(lpu_sample_spread(&ternary->time), fp16 ? lpu_sample_spread(&fp16->time) : 0);

    lpu_report_text(w, ternary->name);
    lpu_report_number(w, (double)ternary->rows);
    lpu_report_number(w, (double)ternary->k);
    lpu_report_number(w, ternary->threads);
    lpu_report_text(w, lpu_layout_name(ternary->layout));
    lpu_report_number(w, ternary->weights_per_s);
    lpu_report_number(w, fp16 ? fp16->weights_per_s : NAN);
    lpu_report_text(w, "-");
    lpu_report_text(w, "-");
    lpu_report_number(w, spread);
}

static void put_token(lpu_report_writer *w, const char *name, const lpu_measure_token *ternary,
                      double ternary_tokens_per_s, double fp16_tokens_per_s, double spread)
{
    lpu_report_text(w, name);
    lpu_report_text(w, "-");
    lpu_report_text(w, "-");
    lpu_report_number(w, ternary->threads);
    lpu_report_text(w, lpu_layout_name(ternary->layout));
    lpu_report_text(w, "-");
    lpu_report_text(w, "-");
    lpu_report_number(w, ternary_tokens_per_s);
    lpu_report_number(w, fp16_tokens_per_s);
    lpu_report_number(w, spread);
}

static lpu_status write_table(const lpu_report_cpu *cpu, const lpu_measure *m,
                              const lpu_measure_token *ternary, const lpu_measure_token *fp16,
                              const char *out, lpu_diag *diag)
{
    lpu_report_writer w;
    char prompt[64];
    const lpu_status status = lpu_report_writer_open(&w, out, LPU_REPORT_cpu_kernels, diag);

    if (status) return status;
    for (size_t i = 0; i < m->product_count; i++) {
        const lpu_measure_product *p = &m->products[i];
        const lpu_layout layout = p->is_head ? LPU_LAYOUT_I8 : ternary->layout;
        if (p->threads != cpu->threads || p->layout != layout) continue;
        put_product(&w, p, lpu_measure_find_product(m, p->name, LPU_LAYOUT_F16, cpu->threads));
    }
    put_token(&w, "whole token", ternary, ternary->decode_tokens_per_s, fp16->decode_tokens_per_s,
              fmax(lpu_sample_spread(&ternary->decode), lpu_sample_spread(&fp16->decode)));
    snprintf(prompt, sizeof(prompt), "prompt of %d tokens", LPU_MEASURE_PREFILL_TOKENS);
    put_token(&w, prompt, ternary, ternary->prefill_tokens_per_s, fp16->prefill_tokens_per_s,
              fmax(lpu_sample_spread(&ternary->prefill), lpu_sample_spread(&fp16->prefill)));
    return lpu_report_writer_commit(&w, diag);
}

/* Joules of a decode step: by the processor's meter, or else by a formula that says so. */
static void put_energy(lpu_report_writer *w, const char *name, const lpu_measure_token *t,
                       double pj_per_byte)
{
    lpu_report_text(w, name);
    if (t->has_joules) {
        lpu_report_text(w, "measured");
        lpu_report_number(w, t->joules_per_token * 1e12);
        lpu_report_text(w, "RAPL: energy of the packages over the timed passes");
        return;
    }
    lpu_report_text(w, "modelled");
    lpu_report_number(w, (double)t->bytes * pj_per_byte);
    lpu_report_text(w, "no RAPL meter here: bytes of weights x the DDR4 price of a byte read, "
                       "memory alone");
}

static lpu_status write_energy(const lpu_measure_token *ternary, const lpu_measure_token *fp16,
                               const char *out, lpu_diag *diag)
{
    lpu_report_writer w;
    lpu_prices prices;
    lpu_status status = lpu_prices_load(&prices, "7nm-literature", "ddr4", diag);

    if (!status) status = lpu_report_writer_open(&w, out, LPU_REPORT_cpu_energy, diag);
    if (status) return status;
    const double pj_per_byte =
        prices.of[offsetof(lpu_counters, dram_read_bytes) / sizeof(uint64_t)].pj_each;
    put_energy(&w, "ternary", ternary, pj_per_byte);
    put_energy(&w, "FP16", fp16, pj_per_byte);
    return lpu_report_writer_commit(&w, diag);
}

lpu_status lpu_report_cpu_run(lpu_report_cpu *cpu, const lpu_model *model, const char *out,
                              double budget_s, lpu_diag *diag)
{
    lpu_progress progress;
    lpu_measure *m = calloc(1, sizeof(*m));

    if (!m) return lpu_fail(diag, LPU_ERR_MEMORY, "report: out of memory");
    find_name(cpu->name, sizeof(cpu->name));
    cpu->cores = (uint32_t)sysconf(_SC_NPROCESSORS_ONLN);
    lpu_progress_init(&progress, "timing the kernels of this CPU");
    const lpu_measure_options options = {
        .model = model, .seconds = budget_s, .progress = lpu_progress_show, .user = &progress};
    lpu_status status = lpu_measure_run(m, &options, diag);
    lpu_progress_end(&progress);

    if (!status) {
        cpu->threads = m->threads[m->threads_counts - 1];
        memcpy(cpu->isa, m->isa, sizeof(cpu->isa));
        cpu->read_bytes_per_s = m->limits[m->threads_counts - 1].read_bytes_per_s;
        const lpu_measure_token *ternary = best_token(m, cpu->threads);
        const lpu_measure_token *fp16 = lpu_measure_find_token(m, LPU_LAYOUT_F16, cpu->threads);
        if (ternary && fp16) {
            cpu->ternary_tokens_per_s = ternary->decode_tokens_per_s;
            cpu->fp16_tokens_per_s = fp16->decode_tokens_per_s;
            cpu->ternary_bandwidth_share = ternary->bandwidth_share;
            cpu->fp16_bandwidth_share = fp16->bandwidth_share;
            cpu->is_noisy = is_noisy(m, cpu->threads);
            status = write_table(cpu, m, ternary, fp16, out, diag);
            if (!status) status = write_energy(ternary, fp16, out, diag);
        } else {
            status = lpu_fail(diag, LPU_ERR_FORMAT,
                              "report: the measurement came without a ternary or an FP16 token");
        }
    }
    free(m);
    return status;
}
