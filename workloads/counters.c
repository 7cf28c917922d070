/* workloads/counters.c - the table of counters, made from counters.def. */
#include "workloads/counters.h"

#include <assert.h>

static const lpu_counter_info rows[] = {
#define LPU_COUNTER(name, unit, component, text) {#name, #unit, text, LPU_COMPONENT_##component},
#include "workloads/counters.def"
#undef LPU_COUNTER
};

static const char *const component_names[LPU_COMPONENTS] = {
    [LPU_COMPONENT_none] = "none",       [LPU_COMPONENT_arithmetic] = "arithmetic",
    [LPU_COMPONENT_vector] = "vector",   [LPU_COMPONENT_sram] = "sram",
    [LPU_COMPONENT_wires] = "wires",     [LPU_COMPONENT_links] = "links",
    [LPU_COMPONENT_control] = "control", [LPU_COMPONENT_clock] = "clock",
    [LPU_COMPONENT_static] = "static",   [LPU_COMPONENT_dram] = "dram",
};

const lpu_counter_info *lpu_counter_row(size_t i)
{
    assert(i < LPU_COUNTERS);
    return &rows[i];
}

const char *lpu_component_name(lpu_component component)
{
    assert(component < LPU_COMPONENTS);
    return component_names[component];
}

uint64_t lpu_counter_get(const lpu_counters *c, size_t i)
{
    assert(i < LPU_COUNTERS);
    return ((const uint64_t *)c)[i];
}

void lpu_counter_set(lpu_counters *c, size_t i, uint64_t value)
{
    assert(i < LPU_COUNTERS);
    ((uint64_t *)c)[i] = value;
}

void lpu_counters_add(lpu_counters *sum, const lpu_counters *c, uint64_t times)
{
    for (size_t i = 0; i < LPU_COUNTERS; i++) {
        lpu_counter_set(sum, i, lpu_counter_get(sum, i) + times * lpu_counter_get(c, i));
    }
}
