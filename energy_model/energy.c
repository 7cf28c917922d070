/* energy_model/energy.c - the system method: every counter of a run times its price. */
#include "energy_model/energy.h"

#include <assert.h>

double lpu_energy_system_pj(const lpu_prices *prices, const lpu_counters *counters,
                            double *component_pj)
{
    double sum_pj = 0;

    for (size_t c = 0; c < LPU_COMPONENTS; c++) component_pj[c] = 0;
    for (size_t i = 0; i < LPU_COUNTERS; i++) {
        const double pj = (double)lpu_counter_get(counters, i) * prices->of[i].pj_each;
        component_pj[lpu_counter_row(i)->component] += pj;
        sum_pj += pj;
    }
    return sum_pj;
}

/* The narrowest scope that a component is in; none carries no energy. */
static lpu_scope scope_of(lpu_component component)
{
    switch (component) {
    case LPU_COMPONENT_arithmetic: return LPU_SCOPE_DATAPATH;
    case LPU_COMPONENT_dram:
    case LPU_COMPONENT_links: return LPU_SCOPE_SYSTEM; /* leaves the chip */
    default: return LPU_SCOPE_CORE;
    }
}

double lpu_energy_scope_pj(const double *component_pj, lpu_scope scope)
{
    double sum_pj = 0;

    for (int c = 0; c < LPU_COMPONENTS; c++) {
        if (scope_of((lpu_component)c) <= scope) sum_pj += component_pj[c];
    }
    return sum_pj;
}

const char *lpu_scope_name(lpu_scope scope)
{
    static const char *const names[LPU_SCOPES] = {[LPU_SCOPE_DATAPATH] = "datapath",
                                                  [LPU_SCOPE_CORE] = "core",
                                                  [LPU_SCOPE_SYSTEM] = "system"};

    assert(scope < LPU_SCOPES);
    return names[scope];
}
