/* sim/timeline.c - instruction events to Chrome trace JSON. */
#include "sim/timeline.h"

#include "workloads/output.h"

#include <stdlib.h>

struct lpu_timeline {
    lpu_output *output;
    FILE *file;
    lpu_machine *machine;
    const lpu_trace *trace;
    double us_per_cycle;
    uint64_t start_cycles;
    uint64_t end_cycles[LPU_UNITS]; /* of each unit's last slice */
};

static const char *const unit_names[LPU_UNITS] = {"sequencer", "stream engine", "array",
                                                  "vector unit", "store"};

/* A unit retires in the order of issue. A slice begins where the one before it ends: the time that
 * an instruction waits in the queue behind another is not drawn. */
static void write_event(void *user, const lpu_machine_event *e)
{
    lpu_timeline *t = user;
    const lpu_op *op = &t->trace->ops[e->op];
    const uint64_t issue = t->start_cycles + e->begin_cycles, end = t->start_cycles + e->end_cycles;
    const uint64_t begin = issue > t->end_cycles[e->unit] ? issue : t->end_cycles[e->unit];

    if (e->unit == LPU_UNIT_sequencer) return;
    t->end_cycles[e->unit] = end;
    fprintf(t->file,
            ",\n{\"ph\":\"X\",\"pid\":1,\"tid\":%d,\"name\":\"%s\",\"cat\":\"%s\",\"ts\":%.4f,"
            "\"dur\":%.4f,\"args\":{\"layer\":%d,\"issue_cycles\":%llu,\"begin_cycles\":%llu,"
            "\"end_cycles\":%llu}}",
            e->unit, lpu_op_name(op->kind), lpu_insn_name(e->insn), (double)begin * t->us_per_cycle,
            (double)(end - begin) * t->us_per_cycle, op->layer, (unsigned long long)issue,
            (unsigned long long)begin, (unsigned long long)end);
}

lpu_status lpu_timeline_open(lpu_timeline **out, const char *path, lpu_machine *machine,
                             const lpu_trace *trace, uint32_t clock_mhz, lpu_diag *diag)
{
    lpu_timeline *t = calloc(1, sizeof(*t));

    *out = NULL;
    if (!t) return lpu_fail(diag, LPU_ERR_MEMORY, "timeline: out of memory");
    const lpu_status status = lpu_output_open(&t->output, path, &t->file, diag);
    if (status) {
        free(t);
        return status;
    }
    t->machine = machine;
    t->trace = trace;
    t->us_per_cycle = 1.0 / clock_mhz;
    fprintf(t->file,
            "{\"displayTimeUnit\":\"ns\",\"traceEvents\":[\n"
            "{\"ph\":\"M\",\"pid\":1,\"name\":\"process_name\",\"args\":{\"name\":\"%s\"}}",
            trace->model.name);
    for (int u = LPU_UNIT_stream; u < LPU_UNITS; u++) {
        fprintf(t->file,
                ",\n{\"ph\":\"M\",\"pid\":1,\"tid\":%d,\"name\":\"thread_name\",\"args\":{\"name\":"
                "\"%s\"}}",
                u, unit_names[u]);
    }
    lpu_machine_watch(machine, write_event, t);
    *out = t;
    return LPU_OK;
}

void lpu_timeline_at(lpu_timeline *t, uint64_t start_cycles)
{
    t->start_cycles = start_cycles;
}

lpu_status lpu_timeline_commit(lpu_timeline **t, lpu_diag *diag)
{
    fprintf((*t)->file, "\n]}\n");
    lpu_machine_watch((*t)->machine, NULL, NULL);
    const lpu_status status = lpu_output_commit(&(*t)->output, diag);
    lpu_timeline_close(t);
    return status;
}

void lpu_timeline_close(lpu_timeline **t)
{
    if (!*t) return;
    lpu_output_close(&(*t)->output);
    free(*t);
    *t = NULL;
}
