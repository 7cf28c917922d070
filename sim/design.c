/* sim/design.c - reads a design, field by field as the header lists them. */
#include "sim/design.h"

#include "workloads/yaml.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static const cyaml_strval_t lanes[] = {
    {"add", LPU_LANE_ADD},
    {"mac-int4", LPU_LANE_MAC_I4},
    {"mac-int8", LPU_LANE_MAC_I8},
    {"mac-fp16", LPU_LANE_MAC_F16},
};
static const cyaml_strval_t codes[] = {
    {"base3", LPU_CODE_BASE3},
    {"2bit", LPU_CODE_T2},
    {"1bit", LPU_CODE_B1},
};
static const cyaml_strval_t residences[] = {
    {"dram", LPU_WEIGHTS_IN_DRAM},
    {"on-chip", LPU_WEIGHTS_ON_CHIP},
};

#define TEXT(key)     CYAML_FIELD_STRING(#key, CYAML_FLAG_DEFAULT, lpu_design, key, 1)
#define NUMBER(key)   CYAML_FIELD_UINT(#key, CYAML_FLAG_DEFAULT, lpu_design, key)
#define OPTIONAL(key) CYAML_FIELD_UINT(#key, CYAML_FLAG_OPTIONAL, lpu_design, key)
#define CHOICE(key, list)                                                                          \
    CYAML_FIELD_ENUM(#key, CYAML_FLAG_STRICT, lpu_design, key, list, CYAML_ARRAY_LEN(list))

static const cyaml_schema_field_t fields[] = {
    TEXT(name),
    TEXT(title),
    TEXT(source),
    CHOICE(lane, lanes),
    CHOICE(code, codes),
    CHOICE(residence, residences),
    NUMBER(clock_mhz),
    NUMBER(rows),
    NUMBER(cols),
    NUMBER(lines),
    NUMBER(fill_bytes_per_cycle),
    NUMBER(passes_max),
    NUMBER(vector_lanes),
    NUMBER(scratch_kib),
    NUMBER(fifo_kib),
    OPTIONAL(weight_sram_kib),
    NUMBER(bus_bytes_per_cycle),
    NUMBER(outstanding_bursts),
    NUMBER(stream_queue),
    NUMBER(kv_trits),
    NUMBER(head_trits),
    NUMBER(wire_um),
    OPTIONAL(link_bytes_per_cycle),
    OPTIONAL(link_latency_cycles),
    CYAML_FIELD_STRING("dram", CYAML_FLAG_DEFAULT, lpu_design, dram_name, 1),
    TEXT(price),
    CYAML_FIELD_END,
};

static const cyaml_schema_value_t schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, lpu_design, fields),
};

lpu_status lpu_design_load(lpu_design *design, const char *name, lpu_diag *diag)
{
    char path[4096];
    void *loaded;
    lpu_status status = lpu_yaml_find(path, sizeof(path), "sim/designs", name, diag);
    if (status) return status;
    status = lpu_yaml_load(path, &schema, &loaded, diag);
    if (status) return status;

    *design = *(lpu_design *)loaded;
    lpu_yaml_free(&schema, &loaded);
    status = lpu_dram_config_load(&design->dram, design->dram_name, diag);
    return status ? status : lpu_design_check(design, diag);
}

static lpu_status check_range(const lpu_design *d, const char *key, uint32_t found, uint32_t low,
                              uint32_t high, lpu_diag *diag)
{
    if (found >= low && found <= high) return LPU_OK;
    return lpu_fail(diag, LPU_ERR_RANGE, "design %s: %s is %u, expected %u to %u", d->name, key,
                    found, low, high);
}

lpu_status lpu_design_check(const lpu_design *d, lpu_diag *diag)
{
    const struct {
        const char *key;
        uint32_t found, low, high;
    } ranges[] = {
        {"clock_mhz", d->clock_mhz, 1, 10000},
        {"rows", d->rows, 1, 4096},
        {"cols", d->cols, 2, 4096},
        {"lines", d->lines, 1, d->rows < d->cols ? d->rows : d->cols},
        {"fill_bytes_per_cycle", d->fill_bytes_per_cycle, 1, 1 << 20},
        {"passes_max", d->passes_max, 1, 4096},
        {"vector_lanes", d->vector_lanes, 1, d->rows},
        {"scratch_kib", d->scratch_kib, 1, 1 << 20},
        {"fifo_kib", d->fifo_kib, 1, 1 << 16},
        {"bus_bytes_per_cycle", d->bus_bytes_per_cycle, 1, 1 << 16},
        {"outstanding_bursts", d->outstanding_bursts, 1, 1 << 16},
        {"stream_queue", d->stream_queue, 2, 64},
        {"kv_trits", d->kv_trits, 1, 16},
        {"head_trits", d->head_trits, 1, 16},
        {"wire_um", d->wire_um, 0, 100000},
    };
    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
        const lpu_status status =
            check_range(d, ranges[i].key, ranges[i].found, ranges[i].low, ranges[i].high, diag);
        if (status) return status;
    }
    if (d->cols % lpu_ternary_per_byte(d->code)) {
        return lpu_fail(diag, LPU_ERR_RANGE,
                        "design %s: cols is %u, expected a multiple of %zu (digits per byte)",
                        d->name, d->cols, lpu_ternary_per_byte(d->code));
    }
    if (d->rows % d->vector_lanes) {
        return lpu_fail(diag, LPU_ERR_RANGE,
                        "design %s: vector_lanes is %u, expected a divisor of rows (%u)", d->name,
                        d->vector_lanes, d->rows);
    }
    if (d->lane == LPU_LANE_ADD && d->code != LPU_CODE_B1 &&
        (d->kv_trits > LPU_TRITS_MAX || d->head_trits > LPU_TRITS_MAX)) {
        return lpu_fail(diag, LPU_ERR_RANGE,
                        "design %s: kv_trits is %u and head_trits %u, expected at most %d", d->name,
                        d->kv_trits, d->head_trits, LPU_TRITS_MAX);
    }
    if (d->residence == LPU_WEIGHTS_ON_CHIP) {
        const lpu_status status =
            check_range(d, "weight_sram_kib", d->weight_sram_kib, 1, 1 << 30, diag);
        if (status) return status;
        return check_range(d, "link_bytes_per_cycle", d->link_bytes_per_cycle, 1, 1 << 16, diag);
    }
    return LPU_OK;
}

uint64_t lpu_design_sram_kib(const lpu_design *d)
{
    return d->scratch_kib + d->fifo_kib + 2ull * d->passes_max * d->rows * 4 / 1024;
}

uint32_t lpu_design_weight_decibits(const lpu_design *d)
{
    switch (d->lane) {
    case LPU_LANE_MAC_I4: return 40;
    case LPU_LANE_MAC_I8: return 80;
    case LPU_LANE_MAC_F16: return 160;
    case LPU_LANE_ADD: break;
    }
    switch (d->code) {
    case LPU_CODE_B1: return 10;
    case LPU_CODE_T2: return 20;
    case LPU_CODE_BASE3: break;
    }
    return 16;
}
