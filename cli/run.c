/* cli/run.c - lpu run: text of a GGUF model, and what it took. */
#include "cli/run_generate.h"

#include "workloads/ternary.h"

#include <stdlib.h>
#include <string.h>

typedef struct options {
    const char *model, *prompt, *tokens, *backend, *design, *temperature, *top_p;
    uint32_t count, kv_trits, head_trits, threads, top_k, seed; /* UINT32_MAX: not given */
    bool is_json;
} options;

/* ---- reading the command line ---- */

/* "1,2,3". */
static lpu_status read_tokens(const options *o, lpu_run_job *j, lpu_diag *diag)
{
    const char *at = o->tokens;

    if (!at) return lpu_fail(diag, LPU_ERR_RANGE, "found no --tokens, expected ids: 1,2,3");
    j->prompt = malloc((strlen(at) / 2 + 1) * sizeof(*j->prompt));
    if (!j->prompt) return lpu_fail(diag, LPU_ERR_MEMORY, "out of memory");
    for (;;) {
        const size_t digits = strspn(at, "0123456789");
        const unsigned long long id = strtoull(at, NULL, 10);
        const char end = at[digits];

        if (!digits || digits > 10 || id > INT32_MAX || (end && end != ',')) {
            return lpu_fail(diag, LPU_ERR_RANGE,
                            "found \"%.40s\" in --tokens, expected ids with commas between them: "
                            "1,2,3",
                            at);
        }
        j->prompt[j->prompt_count++] = (int32_t)id;
        if (!end) return LPU_OK;
        at += digits + 1;
    }
}

/* With --prompt, --tokens says how many to make; without, it is the prompt. */
static lpu_status read_prompt(const options *o, lpu_run_job *j, lpu_diag *diag)
{
    if (!o->prompt) return read_tokens(o, j, diag);
    j->text = o->prompt;
    if (!o->tokens) return LPU_OK;
    const unsigned long long count = strtoull(o->tokens, NULL, 10);
    if (o->tokens[strspn(o->tokens, "0123456789")] || !*o->tokens || count > UINT32_MAX) {
        return lpu_fail(diag, LPU_ERR_RANGE,
                        "found --tokens %.40s with --prompt, expected how many to make", o->tokens);
    }
    j->count = (uint32_t)count;
    return LPU_OK;
}

static lpu_status read_real(const char *option, const char *given, double least, double most,
                            double *value, lpu_diag *diag)
{
    char *end;

    *value = strtod(given, &end);
    if (end != given && !*end && *value >= least && *value <= most) return LPU_OK;
    return lpu_fail(diag, LPU_ERR_RANGE, "found %s %s, expected a number from %g to %g", option,
                    given, least, most);
}

/* Greedy, unless a way to draw is given: then at temperature 1. */
static lpu_status read_sampling(const options *o, lpu_run_job *j, lpu_diag *diag)
{
    const bool is_drawn = o->temperature || o->top_p || o->top_k != UINT32_MAX;
    lpu_status status = LPU_OK;

    if (!is_drawn && o->seed != UINT32_MAX) {
        return lpu_fail(diag, LPU_ERR_RANGE,
                        "found --seed without --temperature, --top-k or --top-p, expected one of "
                        "them: the greedy token needs no seed");
    }
    j->temperature = is_drawn;
    j->top_p = 1;
    if (o->temperature) {
        status = read_real("--temperature", o->temperature, 0.01, 100, &j->temperature, diag);
    }
    if (!status && o->top_p) status = read_real("--top-p", o->top_p, 0, 1, &j->top_p, diag);
    j->top_k = o->top_k == UINT32_MAX ? 0 : o->top_k;
    j->seed = o->seed == UINT32_MAX ? 1 : o->seed;
    return status;
}

static lpu_status misfit(const options *o, const char *option, const char *expected, lpu_diag *diag)
{
    return lpu_fail(diag, LPU_ERR_RANGE, "found %s with --backend %s, expected it with %s", option,
                    o->backend, expected);
}

/* Options that the backend would not look at. */
static lpu_status check_fit(const options *o, const lpu_backend *b, lpu_diag *diag)
{
    if (o->design && !b->is_modelled) return misfit(o, "--design", "sim", diag);
    if (o->threads != UINT32_MAX && b->is_modelled) {
        return misfit(o, "--threads", "cpu or fp16", diag);
    }
    if (o->kv_trits != UINT32_MAX && !b->has_trits) {
        return misfit(o, "--kv-trits", "cpu or sim", diag);
    }
    if (o->head_trits != UINT32_MAX && !b->has_trits) {
        return misfit(o, "--head-trits", "cpu or sim", diag);
    }
    return LPU_OK;
}

static lpu_status check_range(const char *option, uint32_t found, uint32_t least, uint32_t most,
                              lpu_diag *diag)
{
    if (found >= least && found <= most) return LPU_OK;
    return lpu_fail(diag, LPU_ERR_RANGE, "found %s %u, expected %u to %u", option, found, least,
                    most);
}

static lpu_status read_design(const options *o, lpu_run_job *j, lpu_diag *diag)
{
    lpu_design *d = &j->design;
    lpu_status status = lpu_design_load(d, o->design ? o->design : "ternary-edge", diag);

    if (!status) status = lpu_prices_load(&j->prices, d->price, d->dram.price, diag);
    if (status) return status;
    if (d->lane != LPU_LANE_ADD || d->code == LPU_CODE_B1) {
        return lpu_fail(diag, LPU_ERR_RANGE,
                        "found --design %s, which has %s, expected a design that adds trits, as "
                        "ternary-edge",
                        d->name, d->lane == LPU_LANE_ADD ? "1-bit weights" : "multipliers");
    }
    if (o->kv_trits != UINT32_MAX) d->kv_trits = o->kv_trits;
    if (o->head_trits != UINT32_MAX) d->head_trits = o->head_trits;
    j->kv_trits = d->kv_trits;
    j->head_trits = d->head_trits;
    return LPU_OK;
}

static lpu_status read_job(const options *o, lpu_run_job *j, lpu_diag *diag)
{
    if (!o->model) return lpu_fail(diag, LPU_ERR_RANGE, "found no --model, expected a GGUF file");
    *j = (lpu_run_job){.path = o->model,
                       .count = o->count,
                       .kv_trits = LPU_TRITS_MAX,
                       .head_trits = LPU_TRITS_MAX};
    if (o->kv_trits != UINT32_MAX) j->kv_trits = o->kv_trits;
    j->has_head_trits = o->head_trits != UINT32_MAX;
    if (j->has_head_trits) j->head_trits = o->head_trits;
    if (o->threads != UINT32_MAX) j->threads = o->threads;

    lpu_status status = lpu_backend_find(&j->backend, o->backend, diag);
    if (!status) status = check_fit(o, j->backend, diag);
    if (!status) status = read_prompt(o, j, diag);
    if (!status) status = read_sampling(o, j, diag);
    if (!status) {
        status = check_range(o->prompt && o->tokens ? "--tokens" : "--count", j->count, 1, 1 << 24,
                             diag);
    }
    if (!status && j->backend->is_modelled) status = read_design(o, j, diag);
    if (!status) status = check_range("--kv-trits", j->kv_trits, 2, LPU_TRITS_MAX, diag);
    if (!status) status = check_range("--head-trits", j->head_trits, 3, LPU_TRITS_MAX, diag);
    if (status) return status;
    j->made = calloc(j->count, sizeof(*j->made));
    return j->made ? LPU_OK : lpu_fail(diag, LPU_ERR_MEMORY, "out of memory");
}

/* ---- results ---- */

typedef struct screen {
    const char *prompt; /* goes before the first token; NULL: ids are shown */
    bool is_first;
} screen;

/* Each id, or its text, at once, as a person watches. */
static void show_token(void *user, int32_t token, const uint8_t *bytes, size_t byte_count)
{
    screen *s = user;
    if (s->is_first && s->prompt) printf("%s", s->prompt);
    if (bytes) fwrite(bytes, 1, byte_count, stdout);
    else printf("%s%d", s->is_first ? "" : " ", token);
    fflush(stdout);
    s->is_first = false;
}

static void print_table(const lpu_run_job *j)
{
    static const char *const heads[] = {"phase",    "tokens", "time",
                                        "tokens/s", "cycles", "energy per token"};
    static const char *const names[] = {"prefill", "decode"};
    const bool is_sim = j->backend->is_modelled;
    lpu_table *t = lpu_table_open(is_sim ? 6 : 4, heads);
    char text[32];

    for (int i = 0; i <= LPU_PHASE_DECODE; i++) {
        const lpu_run_phase *p = &j->phases[i];
        if (!p->tokens) continue;
        lpu_table_cell(t, "%s", names[i]);
        lpu_table_cell(t, "%llu", (unsigned long long)p->tokens);
        lpu_table_cell(t, "%s", lpu_cli_si(text, p->seconds, "s"));
        lpu_table_cell(t, "%.1f", (double)p->tokens / p->seconds);
        if (!is_sim) continue;
        lpu_table_cell(t, "%llu", (unsigned long long)p->cycles);
        lpu_table_cell(t, "%s", lpu_cli_si(text, 1e-12 * p->pj / (double)p->tokens, "J"));
    }
    lpu_table_print(t, stdout);
    lpu_table_close(&t);
}

static void print_text(const lpu_run_job *j)
{
    char wall[32];

    printf("\n\n");
    if (j->backend->is_modelled) {
        printf("%s, modelled on %s at %u MHz (prices: %s, %s), simulated in %s\n\n", j->model,
               j->design.name, j->design.clock_mhz, j->prices.logic, j->prices.dram,
               lpu_cli_si(wall, j->wall_s, "s"));
    } else {
        printf("%s, measured on this CPU, %s\n\n", j->model, j->backend->text);
    }
    print_table(j);
}

static json_t *phase_json(const lpu_run_job *j, lpu_phase phase)
{
    const lpu_run_phase *p = &j->phases[phase];
    if (!p->tokens) return json_null();

    json_t *object = json_pack("{s:I s:f s:f}", "tokens", (json_int_t)p->tokens, "seconds",
                               p->seconds, "tokens_per_s", (double)p->tokens / p->seconds);
    if (!j->backend->is_modelled) return object;
    json_object_set_new(object, "cycles", json_integer((json_int_t)p->cycles));
    json_object_set_new(object, "j_per_token", json_real(1e-12 * p->pj / (double)p->tokens));
    return object;
}

/* The bytes of a token may be a part of a letter: what is no UTF-8 in the end is left out. */
static void add_text(const lpu_run_job *j, json_t *object)
{
    uint8_t *text;
    size_t bytes;

    if (lpu_tokenizer_decode(j->tokenizer, j->made, j->count, &text, &bytes, NULL)) return;
    json_t *made = json_stringn((const char *)text, bytes);
    json_object_set_new(object, "prompt", json_string(j->text));
    json_object_set_new(object, "text", made ? made : json_null());
    free(text);
}

static void print_json(const lpu_run_job *j)
{
    const bool is_sim = j->backend->is_modelled;
    json_t *tokens = json_array();

    for (uint32_t i = 0; i < j->count; i++) {
        json_array_append_new(tokens, json_integer(j->made[i]));
    }
    json_t *object = json_pack("{s:s s:s s:s s:o s:o s:o s:f}", "model", j->model, "backend",
                               j->backend->name, "times", is_sim ? "modelled" : "measured",
                               "tokens", tokens, "prefill", phase_json(j, LPU_PHASE_PREFILL),
                               "decode", phase_json(j, LPU_PHASE_DECODE), "wall_s", j->wall_s);
    if (j->text) add_text(j, object);
    if (j->backend->has_trits) {
        json_object_set_new(object, "kv_trits", json_integer(j->kv_trits));
        json_object_set_new(object, "head_trits", json_integer(j->head_trits));
    }
    if (is_sim) {
        json_object_set_new(object, "design", json_string(j->design.name));
        json_object_set_new(object, "prices", json_string(j->prices.logic));
        json_object_set_new(object, "dram_prices", json_string(j->prices.dram));
    }
    lpu_cli_print_json(object);
}

/* ---- the command ---- */

static int run(const lpu_usage *usage, const options *o, lpu_run_job *j)
{
    lpu_diag diag = {""};
    screen shown = {.is_first = true};
    bool is_usage;

    if (read_job(o, j, &diag)) {
        lpu_cli_fail(usage, &diag);
        return LPU_EXIT_USAGE;
    }
    if (!o->is_json) {
        shown.prompt = j->text;
        j->show = show_token;
        j->user = &shown;
    }
    if (lpu_run_generate(j, &is_usage, &diag)) {
        if (!shown.is_first) printf("\n");
        lpu_cli_fail(usage, &diag);
        return is_usage ? LPU_EXIT_USAGE : LPU_EXIT_FAILED;
    }
    if (o->is_json) print_json(j);
    else print_text(j);
    return LPU_EXIT_OK;
}

int lpu_command_run(int argc, char **argv)
{
    options o = {.backend = "cpu",
                 .count = 16,
                 .kv_trits = UINT32_MAX,
                 .head_trits = UINT32_MAX,
                 .threads = UINT32_MAX,
                 .top_k = UINT32_MAX,
                 .seed = UINT32_MAX};
    const lpu_option list[] = {
        {"--model", "FILE", "a GGUF file of a BitNet-type model, or one of lpu pack", &o.model,
         NULL, NULL},
        {"--prompt", "TEXT", "the text to go on with, by the tokenizer of the file", &o.prompt,
         NULL, NULL},
        {"--tokens", "N|IDS", "with --prompt: tokens to make; without: the prompt's ids, 1,2,3",
         &o.tokens, NULL, NULL},
        {"--count", "N", "tokens to make [16]", NULL, &o.count, NULL},
        {"--backend", "NAME",
         "cpu: the LPU's integers; fp16; sim: the machine, cycle by cycle [cpu]", &o.backend, NULL,
         NULL},
        {"--design", "NAME", "of the sim backend [ternary-edge]", &o.design, NULL, NULL},
        {"--kv-trits", "T", "of a cached key or value, 2 to 5 [the design's, cpu 5]", NULL,
         &o.kv_trits, NULL},
        {"--head-trits", "T", "of an embedding or head weight, 3 to 5 [the design's, cpu 5]", NULL,
         &o.head_trits, NULL},
        {"--temperature", "REAL",
         "draw the tokens: below 1 the likely ones, above 1 others too [1]", &o.temperature, NULL,
         NULL},
        {"--top-k", "N", "draw from the N most likely", NULL, &o.top_k, NULL},
        {"--top-p", "REAL", "draw from the fewest that have this share", &o.top_p, NULL, NULL},
        {"--seed", "N", "of the drawing [1]", NULL, &o.seed, NULL},
        {"--threads", "N", "of the cpu and fp16 backends [all cores]", NULL, &o.threads, NULL},
        {"--json", NULL, "one JSON object in place of text", NULL, NULL, &o.is_json},
        {0},
    };
    const lpu_usage usage = {
        .name = "run",
        .text = "run a GGUF model on the CPU, in FP16, on the simulator, or on the Verilated RTL",
        .examples = "lpu synth --layers 2 --out /tmp/two-layers.gguf\n"
                    "lpu run --model /tmp/two-layers.gguf --tokens 1,2,3\n"
                    "lpu run --model /tmp/two-layers.gguf --tokens 1,2,3 --count 2 --backend sim\n",
        .options = list,
    };
    int exit_code;
    lpu_run_job job = {0};

    if (lpu_cli_parse(&usage, argc, argv, &exit_code), exit_code >= 0) return exit_code;
    exit_code = run(&usage, &o, &job);
    lpu_tokenizer_close(&job.tokenizer);
    free(job.prompt);
    free(job.made);
    return exit_code;
}
