/* cli/report_summary.c - the run in words and single numbers. */
#include "cli/report_summary.h"

#include "cli/report_write.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

/* A number for a person: three digits. */
static const char *three(char *buffer, double value)
{
    enum { BYTES = 32 };

    if (!isfinite(value)) {
        snprintf(buffer, BYTES, "-");
    } else {
        const double size = fabs(value);
        snprintf(buffer, BYTES, "%.*f",
                 size < 0.09995  ? 4
                 : size < 0.9995 ? 3
                 : size < 9.995  ? 2
                 : size < 99.95  ? 1
                                 : 0,
                 value);
    }
    return buffer;
}

/* 1234567 as 1,234,567. */
static const char *grouped(char *buffer, uint64_t value)
{
    char digits[32];
    const int n = snprintf(digits, sizeof(digits), "%" PRIu64, value);
    char *to = buffer;

    for (int i = 0; i < n; i++) {
        if (i && (n - i) % 3 == 0) *to++ = ',';
        *to++ = digits[i];
    }
    *to = 0;
    return buffer;
}

/* The two machines side by side; ratios are NaN where one of them could not run. */
typedef struct pair {
    const lpu_report_job *ternary, *fp16;
    double paper, scope[LPU_SCOPES];
} pair;

static pair pair_of(const lpu_report_run *run, lpu_phase phase)
{
    pair p = {.paper = NAN, .scope = {NAN, NAN, NAN}};

    p.ternary = lpu_report_find(&run->jobs, LPU_REPORT_DESIGN, LPU_REPORT_TERNARY, phase);
    p.fp16 = lpu_report_find(&run->jobs, LPU_REPORT_DESIGN, LPU_REPORT_FP16, phase);
    if (!p.ternary || !p.fp16) return p;
    p.paper =
        lpu_report_paper_pj(p.fp16, &run->paper) / lpu_report_paper_pj(p.ternary, &run->paper);
    for (int s = 0; s < LPU_SCOPES; s++) {
        p.scope[s] = lpu_report_scope_pj(p.fp16, (lpu_scope)s) /
                     lpu_report_scope_pj(p.ternary, (lpu_scope)s);
    }
    return p;
}

/* ---- the values of the page ---- */

static void put(lpu_report_writer *w, const char *key, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void put(lpu_report_writer *w, const char *key, const char *format, ...)
{
    char text[1024];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    lpu_report_text(w, key);
    lpu_report_text(w, text);
}

static const char *spoken(lpu_component component)
{
    switch (component) {
    case LPU_COMPONENT_dram: return "DRAM";
    case LPU_COMPONENT_sram: return "on-chip memory";
    case LPU_COMPONENT_static: return "leakage";
    case LPU_COMPONENT_clock: return "the clock";
    case LPU_COMPONENT_vector: return "the vector unit";
    default: return lpu_component_name(component);
    }
}

/* Some technologies publish no leakage: then nothing is charged for it. */
static bool has_leakage(const lpu_report_job *job)
{
    return job && job->component_pj[LPU_COMPONENT_static] > 0;
}

static void put_sentence(lpu_report_writer *w, const lpu_report_run *run)
{
    const pair d = pair_of(run, LPU_PHASE_DECODE), p = pair_of(run, LPU_PHASE_PREFILL);
    char a[32], b[32], c[32], e[32];
    double d_share, p_share;

    if (!d.ternary || !d.fp16 || !p.ternary || !p.fp16) {
        put(w, "summary_sentence", "%s and %s did not both run: see what was not run.",
            LPU_REPORT_TERNARY, LPU_REPORT_FP16);
        return;
    }
    const lpu_component d_most = lpu_report_dominant(d.ternary, &d_share);
    const lpu_component p_most = lpu_report_dominant(p.ternary, &p_share);
    char same[64];
    snprintf(same, sizeof(same), "%s", p_most == d_most ? "" : spoken(p_most));
    put(w, "summary_sentence",
        "On %s running %s, %s× is left for a decoded token and %s× for a token of a prompt once "
        "memory, wires, clock%s are counted as well: the datapath alone gains %s× and "
        "%s×, but %s takes %.0f%% of the energy of a decoded token and %s%s%.0f%% of that of a "
        "prompt.",
        d.ternary->design.name, d.ternary->model.title, three(a, d.scope[LPU_SCOPE_SYSTEM]),
        three(b, p.scope[LPU_SCOPE_SYSTEM]),
        has_leakage(d.ternary) ? " and leakage" : " and control",
        three(c, d.scope[LPU_SCOPE_DATAPATH]), three(e, p.scope[LPU_SCOPE_DATAPATH]),
        spoken(d_most), 100 * d_share, same, *same ? " " : "", 100 * p_share);
}

static void put_machines(lpu_report_writer *w, const lpu_report_run *run)
{
    const pair d = pair_of(run, LPU_PHASE_DECODE);
    char text[32];

    put(w, "model_title", "%s", run->jobs.title);
    put(w, "ternary_design", "%s", LPU_REPORT_TERNARY);
    put(w, "fp16_design", "%s", LPU_REPORT_FP16);
    put(w, "ternary_speed", "%s tokens/s",
        three(text, d.ternary ? d.ternary->result->tokens_per_s : NAN));
    put(w, "ternary_energy", "%s mJ", three(text, d.ternary ? d.ternary->system_pj / 1e9 : NAN));
    put(w, "fp16_energy", "%s mJ", three(text, d.fp16 ? d.fp16->system_pj / 1e9 : NAN));
    put(w, "logic_prices", "%s", d.ternary ? d.ternary->prices.logic : "-");
    put(w, "dram_prices", "%s", d.ternary ? d.ternary->prices.dram : "-");
    put(w, "leakage_note", "%s",
        has_leakage(d.ternary) ? "Leakage runs with the time of the token."
                               : "These prices know no leakage: the sums are lower bounds.");
    put(w, "context", "%u", LPU_REPORT_CONTEXT);
    put(w, "prompt", "%u", LPU_REPORT_PROMPT);
    put(w, "scale_note", "Prices: %s for logic, %s for memory, each with its source below.%s",
        d.ternary ? d.ternary->prices.logic : "-", d.ternary ? d.ternary->prices.dram : "-",
        run->is_quick ? " A quick run: few batches and sizes, short timings." : "");
}

static void put_measured(lpu_report_writer *w, const lpu_report_run *run)
{
    char a[32], b[32];

    put(w, "cpu_speed", "%s tokens/s", three(a, run->cpu.ternary_tokens_per_s));
    put(w, "cpu_text", "ternary decode on this CPU, %u thread%s; %s in FP16", run->cpu.threads,
        run->cpu.threads == 1 ? "" : "s", three(b, run->cpu.fp16_tokens_per_s));
    put(w, "cpu_sentence",
        "Plain reads reach %s GB/s on this machine; ternary decode uses %.0f%% of that and FP16 "
        "decode %.0f%%.%s",
        three(a, run->cpu.read_bytes_per_s / 1e9), 100 * run->cpu.ternary_bandwidth_share,
        100 * run->cpu.fp16_bandwidth_share,
        run->cpu.is_noisy
            ? " Other load disturbed these timings: measure again before quoting them."
            : "");
    if (run->rtl.is_absent) {
        put(w, "rtl_count", "RTL not run");
        put(w, "rtl_text", "its harness was not built");
        put(w, "rtl_sentence",
            "Not run: lpu_rtl_array, which Verilator builds beside lpu, was not found.");
        return;
    }
    put(w, "rtl_count", "%s clocks", grouped(a, run->rtl.cycles));
    put(w, "rtl_text", "of the RTL array beside the simulator, %s differences",
        grouped(b, run->rtl.differences));
    put(w, "rtl_sentence",
        "The RTL of the array and the simulator took the same commands, weights and activations, "
        ""
        "clock by clock, on matrices of %s: %s clocks, with %s differences in handshakes or "
        "values.",
        run->jobs.title, grouped(a, run->rtl.cycles), grouped(b, run->rtl.differences));
}

static void put_trained(lpu_report_writer *w, const lpu_report_run *run)
{
    const lpu_report_trained *t = &run->trained;
    char a[32], b[32], c[32];

    if (t->is_absent) {
        put(w, "trained_sentence", "Not run: workloads/shipped was not found.");
        put(w, "recorded_sentence", "Not run: workloads/shipped was not found.");
        return;
    }
    put(w, "trained_sentence",
        "%s, on %s tokens of text: perplexity %s in FP16, %s in the integers of the LPU.", t->name,
        grouped(a, t->tokens), three(b, t->fp16_perplexity), three(c, t->perplexity));
    put(w, "recorded_sentence",
        "With what was measured in place of what shapes assume, the adders of a token take %s "
        "times the energy, and the whole token %s times.",
        three(a, t->arithmetic_share_of_assumed), three(b, t->system_share_of_assumed));
}

static void put_provenance(lpu_report_writer *w, const lpu_report_run *run)
{
    struct utsname system;
    const time_t now = time(NULL);
    struct tm utc;
    char date[64], text[32];
    uint64_t passes = 0, cycles = 0;

    gmtime_r(&now, &utc);
    strftime(date, sizeof(date), "%Y-%m-%d %H:%M UTC", &utc);
    for (size_t i = 0; i < run->jobs.count; i++) {
        if (!run->jobs.job[i].result) continue;
        passes++;
        cycles += run->jobs.job[i].result->cycles;
    }
    put(w, "command", "%s", run->command);
    put(w, "version", "lpu 0.1");
    put(w, "date", "%s", date);
    put(w, "wall_seconds", "%.0f", run->wall_s);
    put(w, "simulations", "%" PRIu64, passes);
    put(w, "simulated_cycles", "%s", grouped(text, cycles));
    put(w, "cpu_model", "%s", run->cpu.name);
    put(w, "cpu_cores", "%u", run->cpu.cores);
    put(w, "cpu_isa", "%s", run->cpu.isa);
    if (uname(&system)) memset(&system, 0, sizeof(system));
    put(w, "operating_system", "%s %s %s", system.sysname, system.release, system.machine);
}

lpu_status lpu_report_summary_write(const lpu_report_run *run, lpu_diag *diag)
{
    lpu_report_writer w;
    char text[32];
    const lpu_status status = lpu_report_writer_open(&w, run->out, LPU_REPORT_summary, diag);

    if (status) return status;
    put(&w, "op_ratio", "%s", three(text, lpu_report_op_ratio(&run->paper)));
    put_sentence(&w, run);
    put_machines(&w, run);
    put_measured(&w, run);
    put_trained(&w, run);
    put_provenance(&w, run);
    return lpu_report_writer_commit(&w, diag);
}

/* ---- the terminal ---- */

static void print_design(lpu_table *t, const lpu_report_run *run, const lpu_report_job *decode)
{
    const lpu_report_job *prefill =
        lpu_report_find(&run->jobs, LPU_REPORT_DESIGN, decode->design.name, LPU_PHASE_PREFILL);
    char text[32];
    double share;
    const lpu_component most = lpu_report_dominant(decode, &share);

    lpu_table_cell(t, "%s", decode->design.name);
    lpu_table_cell(t, "%s", three(text, decode->result->tokens_per_s));
    lpu_table_cell(t, "%s", three(text, decode->system_pj / 1e9));
    lpu_table_cell(t, "%s", three(text, lpu_report_paper_pj(decode, &run->paper) / 1e9));
    lpu_table_cell(t, "%s %.0f%%", lpu_component_name(most), 100 * share);
    lpu_table_cell(t, "%s", three(text, prefill ? prefill->result->tokens_per_s : NAN));
    lpu_table_cell(t, "%s", three(text, prefill ? prefill->system_pj / 1e9 : NAN));
}

static void print_designs(const lpu_report_run *run, FILE *file)
{
    static const char *const heads[] = {"design",          "decode tokens/s", "mJ/token",
                                        "arithmetic only", "dominated by",    "prefill tokens/s",
                                        "mJ/token"};
    lpu_table *t = lpu_table_open(7, heads);

    for (size_t i = 0; i < run->jobs.count; i++) {
        const lpu_report_job *j = &run->jobs.job[i];
        if (!j->result || j->group != LPU_REPORT_DESIGN || j->phase != LPU_PHASE_DECODE) continue;
        print_design(t, run, j);
    }
    lpu_table_print(t, file);
    lpu_table_close(&t);
}

static void print_ratio(const lpu_report_run *run, lpu_phase phase, FILE *file)
{
    const pair p = pair_of(run, phase);
    char a[32], b[32], c[32], d[32], e[32];

    fprintf(file,
            "  %-8s one operation %s, arithmetic of the pass %s, datapath %s, core %s, system %s\n",
            phase == LPU_PHASE_DECODE ? "decode" : "prefill",
            three(a, lpu_report_op_ratio(&run->paper)), three(b, p.paper),
            three(c, p.scope[LPU_SCOPE_DATAPATH]), three(d, p.scope[LPU_SCOPE_CORE]),
            three(e, p.scope[LPU_SCOPE_SYSTEM]));
}

void lpu_report_summary_print(const lpu_report_run *run, FILE *file)
{
    char a[32], b[32];
    size_t skipped = 0;

    fprintf(file,
            "%s: decode after %d tokens, and a prompt of %d. Modelled; mJ/token is the whole "
            "machine,\narithmetic only is the method of the papers.\n\n",
            run->jobs.title, LPU_REPORT_CONTEXT, LPU_REPORT_PROMPT);
    print_designs(run, file);
    fprintf(file, "\nFP16 energy / ternary energy, %s over %s (modelled)\n", LPU_REPORT_FP16,
            LPU_REPORT_TERNARY);
    print_ratio(run, LPU_PHASE_DECODE, file);
    print_ratio(run, LPU_PHASE_PREFILL, file);

    fprintf(file,
            "\nthis CPU (measured)   ternary %s tokens/s, FP16 %s tokens/s, %u thread%s, %s%s\n",
            three(a, run->cpu.ternary_tokens_per_s), three(b, run->cpu.fp16_tokens_per_s),
            run->cpu.threads, run->cpu.threads == 1 ? "" : "s", run->cpu.isa,
            run->cpu.is_noisy ? "; noisy, measure again" : "");
    if (run->rtl.is_absent) {
        fprintf(file, "RTL                   not run: lpu_rtl_array was not built\n");
    } else {
        fprintf(file,
                "RTL (measured)        %s clocks in lockstep with the simulator, %s differences\n",
                grouped(a, run->rtl.cycles), grouped(b, run->rtl.differences));
    }
    if (!run->trained.is_absent) {
        fprintf(
            file,
            "trained model         perplexity %s in FP16, %s in the LPU's integers (measured)\n",
            three(a, run->trained.fp16_perplexity), three(b, run->trained.perplexity));
    }
    for (size_t i = 0; i < run->jobs.count; i++) skipped += !run->jobs.job[i].result;
    if (skipped) {
        fprintf(file,
                "not run               %zu passes that their machines cannot hold: "
                "%s/tables/skipped.tsv\n",
                skipped, run->out);
    }
    fprintf(file, "\nreport                %s/index.html (%.0f s)\n", run->out, run->wall_s);
}

/* ---- JSON ---- */

static json_t *number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *json_ratios(const lpu_report_run *run, lpu_phase phase)
{
    const pair p = pair_of(run, phase);
    json_t *o = json_object();

    json_object_set_new(o, "one_operation", number(lpu_report_op_ratio(&run->paper)));
    json_object_set_new(o, "paper", number(p.paper));
    for (int s = 0; s < LPU_SCOPES; s++) {
        json_object_set_new(o, lpu_scope_name((lpu_scope)s), number(p.scope[s]));
    }
    return o;
}

static json_t *json_pass(const lpu_report_job *j, const lpu_paper_prices *paper)
{
    double share;
    const lpu_component most = lpu_report_dominant(j, &share);
    json_t *o = json_object();

    json_object_set_new(o, "design", json_string(j->design.name));
    json_object_set_new(o, "model", json_string(j->model.name));
    json_object_set_new(o, "phase",
                        json_string(j->phase == LPU_PHASE_DECODE ? "decode" : "prefill"));
    json_object_set_new(o, "tokens_per_s", number(j->result->tokens_per_s));
    json_object_set_new(o, "system_pj_per_token", number(j->system_pj));
    json_object_set_new(o, "paper_pj_per_token", number(lpu_report_paper_pj(j, paper)));
    json_object_set_new(o, "dominant", json_string(lpu_component_name(most)));
    json_object_set_new(o, "dominant_share", number(share));
    return o;
}

json_t *lpu_report_summary_json(const lpu_report_run *run)
{
    json_t *o = json_object(), *passes = json_array(), *cpu = json_object(), *rtl = json_null(),
           *trained = json_null();

    for (size_t i = 0; i < run->jobs.count; i++) {
        const lpu_report_job *j = &run->jobs.job[i];
        if (!j->result || j->group != LPU_REPORT_DESIGN) continue;
        json_array_append_new(passes, json_pass(j, &run->paper));
    }
    json_object_set_new(cpu, "ternary_tokens_per_s", number(run->cpu.ternary_tokens_per_s));
    json_object_set_new(cpu, "fp16_tokens_per_s", number(run->cpu.fp16_tokens_per_s));
    json_object_set_new(cpu, "threads", json_integer(run->cpu.threads));
    json_object_set_new(cpu, "kernels", json_string(run->cpu.isa));
    if (!run->rtl.is_absent) {
        rtl = json_object();
        json_object_set_new(rtl, "cycles", json_integer((json_int_t)run->rtl.cycles));
        json_object_set_new(rtl, "differences", json_integer((json_int_t)run->rtl.differences));
    }
    if (!run->trained.is_absent) {
        trained = json_object();
        json_object_set_new(trained, "fp16_perplexity", number(run->trained.fp16_perplexity));
        json_object_set_new(trained, "perplexity", number(run->trained.perplexity));
    }
    json_object_set_new(o, "passes", passes);
    json_object_set_new(o, "decode_ratio", json_ratios(run, LPU_PHASE_DECODE));
    json_object_set_new(o, "prefill_ratio", json_ratios(run, LPU_PHASE_PREFILL));
    json_object_set_new(o, "cpu", cpu);
    json_object_set_new(o, "rtl", rtl);
    json_object_set_new(o, "trained", trained);
    json_object_set_new(o, "wall_s", number(run->wall_s));
    json_object_set_new(o, "page", json_sprintf("%s/index.html", run->out));
    return o;
}
