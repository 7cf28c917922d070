/* workloads/counters.h - the counters of one run, generated from counters.def. */
#ifndef LPU_WORKLOADS_COUNTERS_H
#define LPU_WORKLOADS_COUNTERS_H

#include <stddef.h>
#include <stdint.h>

typedef struct lpu_counters {
#define LPU_COUNTER(name, unit, component, text) uint64_t name;
#include "workloads/counters.def"
#undef LPU_COUNTER
} lpu_counters;

enum { LPU_COUNTERS = sizeof(lpu_counters) / sizeof(uint64_t) };

/* The bars of the energy figure, in the order they are drawn. */
typedef enum lpu_component {
    LPU_COMPONENT_none, /* time: carries no energy of its own */
    LPU_COMPONENT_arithmetic,
    LPU_COMPONENT_vector,
    LPU_COMPONENT_sram,
    LPU_COMPONENT_wires,
    LPU_COMPONENT_links,
    LPU_COMPONENT_control,
    LPU_COMPONENT_clock,
    LPU_COMPONENT_static,
    LPU_COMPONENT_dram,
    LPU_COMPONENTS
} lpu_component;

/* Row i of counters.def; i < LPU_COUNTERS. */
typedef struct lpu_counter_info {
    const char   *name, *unit, *text;
    lpu_component component;
} lpu_counter_info;

const lpu_counter_info *lpu_counter_row(size_t i);
const char             *lpu_component_name(lpu_component component);

/* Field i of c, in the order of counters.def. */
uint64_t lpu_counter_get(const lpu_counters *c, size_t i);
void     lpu_counter_set(lpu_counters *c, size_t i, uint64_t value);

/* sum += times * c, field by field. */
void lpu_counters_add(lpu_counters *sum, const lpu_counters *c, uint64_t times);

#endif
