/* tests/long/full_step.c - a whole token of a model on every design, every cycle of every layer
 * stepped, against the same pass with cycles skipped and layers shared.
 *
 *     full_step MODEL CONTEXT [DESIGN...]
 */
#include "sim/simulate.h"
#include "workloads/yaml.h"

#include <stdlib.h>
#include <string.h>

/* True when every counter of every op, every begin and the end are equal. */
static bool is_same(const lpu_sim_result *a, const lpu_sim_result *b)
{
    bool same = a->cycles == b->cycles && a->trace->count == b->trace->count;

    for (size_t i = 0; same && i < a->trace->count; i++) {
        same = a->ops[i].begin_cycles == b->ops[i].begin_cycles &&
               a->ops[i].cycles == b->ops[i].cycles &&
               !memcmp(&a->ops[i].counters, &b->ops[i].counters, sizeof(lpu_counters));
        if (same) continue;
        for (size_t c = 0; c < LPU_COUNTERS; c++) {
            const uint64_t x = lpu_counter_get(&a->ops[i].counters, c);
            const uint64_t y = lpu_counter_get(&b->ops[i].counters, c);
            if (x == y) continue;
            printf("        op %zu %s: %llu %s, stepped %llu\n", i,
                   lpu_op_name(a->trace->ops[i].kind), (unsigned long long)x,
                   lpu_counter_row(c)->name, (unsigned long long)y);
        }
    }
    return same;
}

static bool check(const lpu_model *m, const char *name, uint32_t context)
{
    lpu_design d;
    lpu_sim_result *fast = NULL, *slow = NULL;
    lpu_diag diag = {""};
    lpu_sim_request q = {.model = m,
                         .design = &d,
                         .phase = LPU_PHASE_DECODE,
                         .tokens = 1,
                         .context = context,
                         .batch = 1};

    lpu_status status = lpu_design_load(&d, name, &diag);
    if (!status) status = lpu_simulate(&fast, &q, &diag);
    q.is_stepped = q.is_unshared = true;
    if (!status) status = lpu_simulate(&slow, &q, &diag);
    const bool is_ok = !status && is_same(fast, slow);
    if (status) {
        printf("not ok  %s on %s: %s\n", m->name, name, diag.text);
    } else {
        printf("%s  %s on %s: %llu cycles; %.1f s stepped, %.2f s else\n",
               is_ok ? "ok    " : "not ok", m->name, name, (unsigned long long)slow->cycles,
               slow->wall_s, fast->wall_s);
    }
    fflush(stdout);
    lpu_simulate_close(&fast);
    lpu_simulate_close(&slow);
    return is_ok;
}

int main(int argc, char **argv)
{
    lpu_model m;
    lpu_diag diag = {""};
    char **shipped = NULL;
    size_t count = 0;
    bool is_ok = true;

    if (argc < 3) {
        fprintf(stderr, "usage: full_step MODEL CONTEXT [DESIGN...]\n");
        return 2;
    }
    lpu_status status = lpu_model_load(&m, argv[1], &diag);
    if (!status) status = lpu_yaml_list("sim/designs", &shipped, &count, &diag);
    if (status) {
        printf("not ok  full_step: %s\n", diag.text);
        return 1;
    }
    const uint32_t context = (uint32_t)atoi(argv[2]);
    for (int i = 3; i < argc; i++) is_ok &= check(&m, argv[i], context);
    for (size_t i = 0; i < count; i++) {
        if (argc == 3) is_ok &= check(&m, shipped[i], context);
        free(shipped[i]);
    }
    free(shipped);
    return is_ok ? 0 : 1;
}
