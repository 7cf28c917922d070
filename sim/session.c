/* sim/session.c - opens memory, machine and execution for a model; runs passes on all three. */
#include "sim/session.h"

#include "sim/compile.h"
#include "sim/exec.h"
#include "sim/image.h"
#include "sim/machine.h"
#include "sim/segments.h"

#include <stdlib.h>
#include <string.h>

struct lpu_session {
    const lpu_weights *weights;
    lpu_design design;
    lpu_layout layout;
    lpu_image image;
    lpu_machine *machine;
    lpu_exec *exec;
    int32_t *logits; /* (vocab) */
    uint32_t position;
    lpu_session_account accounts[LPU_PHASE_DECODE + 1];
    lpu_trace *trace;   /* of the last pass */
    lpu_tally *tallies; /* (tally_count) by operation of the trace, NULL: not recorded */
    size_t tally_count;
};

static lpu_status open_exec(lpu_session *s, lpu_diag *diag)
{
    const lpu_exec_config config = {.rows = s->design.rows,
                                    .cols = s->design.cols,
                                    .code = s->design.code,
                                    .scratch_bytes = (uint64_t)s->design.scratch_kib * 1024,
                                    .eps = s->weights->eps,
                                    .score_scale = s->weights->score_scale,
                                    .memory = s->image.bytes,
                                    .memory_bytes = s->image.size_bytes,
                                    .logits = s->logits,
                                    .logits_elems = s->weights->model.vocab_elems};
    return lpu_exec_open(&s->exec, &config, diag);
}

lpu_status lpu_session_open(lpu_session **out, const lpu_weights *weights, const lpu_design *design,
                            uint32_t capacity_tokens, lpu_diag *diag)
{
    const lpu_model *m = &weights->model;

    *out = NULL;
    if (!capacity_tokens || capacity_tokens > m->context_tokens) {
        return lpu_fail(diag, LPU_ERR_RANGE,
                        "session: found a context of %u tokens, expected 1 to %u", capacity_tokens,
                        m->context_tokens);
    }
    if (m->weights == LPU_WEIGHTS_FP16) {
        return lpu_fail(diag, LPU_ERR_RANGE,
                        "%s has FP16 weights, expected ternary ones: the fp16 backend runs it",
                        m->name);
    }
    lpu_session *s = calloc(1, sizeof(*s));
    if (!s) return lpu_fail(diag, LPU_ERR_MEMORY, "session: out of memory");
    s->weights = weights;
    s->design = *design;
    s->logits = calloc(m->vocab_elems, sizeof(*s->logits));

    lpu_status status = LPU_OK;
    if (!s->logits) status = lpu_fail(diag, LPU_ERR_MEMORY, "session: out of memory");
    if (!status) status = lpu_layout_open(&s->layout, m, &s->design, 1, capacity_tokens, diag);
    if (!status) status = lpu_image_open(&s->image, &s->layout, weights, diag);
    if (!status) status = lpu_machine_open(&s->machine, &s->layout, false, diag);
    if (!status) status = open_exec(s, diag);
    if (status) lpu_session_close(&s);
    *out = s;
    return status;
}

static void close_tallies(lpu_session *s)
{
    for (size_t i = 0; i < s->tally_count; i++) lpu_tally_close(&s->tallies[i]);
    free(s->tallies);
    s->tallies = NULL;
    s->tally_count = 0;
}

void lpu_session_close(lpu_session **s)
{
    if (!*s) return;
    close_tallies(*s);
    lpu_trace_close(&(*s)->trace);
    lpu_exec_close(&(*s)->exec);
    lpu_machine_close(&(*s)->machine);
    lpu_image_close(&(*s)->image);
    lpu_layout_close(&(*s)->layout);
    free((*s)->logits);
    free(*s);
    *s = NULL;
}

static lpu_status check(const lpu_session *s, const int32_t *tokens, size_t count, lpu_diag *diag)
{
    const uint32_t vocab = s->weights->model.vocab_elems;
    const uint32_t room = s->layout.capacity_tokens - s->position;

    if (!count || count > room) {
        return lpu_fail(diag, LPU_ERR_RANGE,
                        "session: found %zu tokens, expected 1 to %u: %u of the cache's %u are in "
                        "use",
                        count, room, s->position, s->layout.capacity_tokens);
    }
    for (size_t i = 0; i < count; i++) {
        if (tokens[i] >= 0 && (uint32_t)tokens[i] < vocab) continue;
        return lpu_fail(diag, LPU_ERR_RANGE, "session: found token %d at %zu, expected 0 to %u",
                        tokens[i], i, vocab - 1);
    }
    return LPU_OK;
}

/* Time and values of a compiled pass. */
static lpu_status run_program(lpu_session *s, const lpu_program *program, lpu_sim_result *result,
                              lpu_diag *diag)
{
    const lpu_segments_request segments = {
        .layout = &s->layout, .program = program, .machine = s->machine};
    lpu_status status = lpu_segments_run(result, &segments, diag);

    for (size_t i = 0; i < program->count && !status; i++) {
        if (s->tallies) lpu_exec_watch(s->exec, &s->tallies[program->notes[i].op]);
        status = lpu_exec_step(s->exec, &program->insns[i], diag);
    }
    return status;
}

void lpu_session_rewind(lpu_session *s)
{
    s->position = 0;
}

lpu_status lpu_session_run(lpu_session *s, const int32_t *tokens, size_t count, int32_t *next,
                           lpu_diag *diag)
{
    const lpu_phase phase = count == 1 && s->position ? LPU_PHASE_DECODE : LPU_PHASE_PREFILL;
    lpu_program program = {0};
    lpu_status status = check(s, tokens, count, diag);
    if (status) return status;

    lpu_sim_result *result = calloc(1, sizeof(*result));
    if (!result) return lpu_fail(diag, LPU_ERR_MEMORY, "session: out of memory");
    for (size_t i = 0; i < s->tally_count; i++) lpu_tally_begin(&s->tallies[i]);
    status = lpu_trace_open(&result->trace, &s->weights->model, phase, (uint32_t)count, s->position,
                            1, diag);
    const lpu_compile_request request = {
        .layout = &s->layout, .trace = result->trace, .tokens = tokens, .weights = s->weights};
    if (!status) status = lpu_compile(&program, &request, diag);
    if (!status) status = run_program(s, &program, result, diag);
    if (!status) {
        lpu_session_account *account = &s->accounts[phase];
        const uint64_t at = s->layout.regions[0].base + s->layout.result_at;
        memcpy(next, s->image.bytes + at, sizeof(*next));
        s->position += (uint32_t)count;
        account->tokens += count;
        account->cycles += result->cycles;
        lpu_counters_add(&account->counters, &result->counters, 1);
        lpu_trace_close(&s->trace);
        s->trace = result->trace;
        result->trace = NULL;
    }
    lpu_program_close(&program);
    lpu_simulate_close(&result);
    return status;
}

/* Every pass has the same operations, so they are those of the shortest one. */
lpu_status lpu_session_record(lpu_session *s, lpu_diag *diag)
{
    lpu_trace *trace;
    lpu_status status = lpu_trace_open(&trace, &s->weights->model, LPU_PHASE_DECODE, 1, 0, 1, diag);

    if (status) return status;
    close_tallies(s);
    s->tallies = calloc(trace->count, sizeof(*s->tallies));
    if (s->tallies) s->tally_count = trace->count;
    else status = lpu_fail(diag, LPU_ERR_MEMORY, "session: out of memory");
    lpu_trace_close(&trace);
    return status;
}

const lpu_trace *lpu_session_trace(lpu_session *s)
{
    for (size_t i = 0; i < s->tally_count && s->trace; i++) {
        const lpu_tally *t = &s->tallies[i];
        lpu_op *op = &s->trace->ops[i];
        op->zero_weight_share = lpu_tally_share(t->zero_digits, t->digits, op->zero_weight_share);
        op->zero_input_share = lpu_tally_share(t->zero_inputs, t->inputs, op->zero_input_share);
        op->toggle_share = lpu_tally_share(t->toggled_bits, t->bits, op->toggle_share);
    }
    return s->trace;
}

const int32_t *lpu_session_logits_x32(const lpu_session *s)
{
    return s->logits;
}

const lpu_session_account *lpu_session_account_of(const lpu_session *s, lpu_phase phase)
{
    return &s->accounts[phase];
}
