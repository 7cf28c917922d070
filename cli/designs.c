/* cli/designs.c - lpu designs: the machines that ship, side by side, or one of them in full. */
#include "cli/cli.h"

#include "sim/design.h"
#include "workloads/yaml.h"

#include <stdlib.h>

static const char *lane_name(const lpu_design *d)
{
    switch (d->lane) {
    case LPU_LANE_MAC_I4: return "INT4 MAC";
    case LPU_LANE_MAC_I8: return "INT8 MAC";
    case LPU_LANE_MAC_F16: return "FP16 MAC";
    case LPU_LANE_ADD: break;
    }
    return d->code == LPU_CODE_B1 ? "binary add" : "ternary add";
}

static double dram_gb_per_s(const lpu_design *d)
{
    return lpu_dram_peak_bytes_per_s(&d->dram) / 1e9;
}

static json_t *json_of(const lpu_design *d)
{
    return json_pack(
        "{s:s s:s s:s s:s s:f s:s s:I s:I s:I s:I s:I s:I s:I s:I s:I s:I s:I s:s s:f s:s}", "name",
        d->name, "title", d->title, "source", d->source, "lane", lane_name(d), "weight_bits",
        lpu_design_weight_decibits(d) / 10.0, "weights",
        d->residence == LPU_WEIGHTS_ON_CHIP ? "on-chip" : "dram", "clock_mhz",
        (json_int_t)d->clock_mhz, "rows", (json_int_t)d->rows, "cols", (json_int_t)d->cols, "lines",
        (json_int_t)d->lines, "passes_max", (json_int_t)d->passes_max, "vector_lanes",
        (json_int_t)d->vector_lanes, "scratch_kib", (json_int_t)d->scratch_kib, "fifo_kib",
        (json_int_t)d->fifo_kib, "bus_bytes_per_cycle", (json_int_t)d->bus_bytes_per_cycle,
        "kv_trits", (json_int_t)d->kv_trits, "head_trits", (json_int_t)d->head_trits, "dram",
        d->dram.name, "dram_peak_gb_per_s", dram_gb_per_s(d), "price", d->price);
}

static int print_all(const lpu_usage *usage, bool is_json)
{
    static const char *const heads[] = {"name",   "lanes",     "array", "bits/weight",
                                        "MHz",    "memory",    "GB/s",  "scratch KiB",
                                        "prices", "stands for"};
    char **names = NULL;
    size_t count = 0;
    lpu_diag diag = {""};
    lpu_status status = lpu_yaml_list("sim/designs", &names, &count, &diag);
    lpu_table *t = lpu_table_open(sizeof(heads) / sizeof(heads[0]), heads);
    json_t *array = json_array();

    for (size_t i = 0; i < count; i++) {
        lpu_design d;
        if (!status) status = lpu_design_load(&d, names[i], &diag);
        free(names[i]);
        if (status) continue;
        const bool is_resident = d.residence == LPU_WEIGHTS_ON_CHIP;
        json_array_append_new(array, json_of(&d));
        lpu_table_cell(t, "%s", d.name);
        lpu_table_cell(t, "%s", lane_name(&d));
        lpu_table_cell(t, "%ux%u", d.rows, d.cols);
        lpu_table_cell(t, "%.1f", lpu_design_weight_decibits(&d) / 10.0);
        lpu_table_cell(t, "%u", d.clock_mhz);
        lpu_table_cell(t, "%s", is_resident ? "SRAM" : d.dram.name);
        lpu_table_cell(t, "%.1f",
                       is_resident ? d.bus_bytes_per_cycle * 1e-3 * d.clock_mhz
                                   : dram_gb_per_s(&d));
        lpu_table_cell(t, "%u", d.scratch_kib);
        lpu_table_cell(t, "%s", d.price);
        lpu_table_cell(t, "%s", d.title);
    }
    free(names);
    if (status) json_decref(array);
    else if (is_json) lpu_cli_print_json(array);
    else {
        json_decref(array);
        lpu_table_print(t, stdout);
    }
    lpu_table_close(&t);
    return status ? lpu_cli_fail(usage, &diag) : LPU_EXIT_OK;
}

/* The file itself: it carries its comments and sources. */
static int print_one(const lpu_usage *usage, const char *name, bool is_json)
{
    char path[4096], text[4096];
    lpu_design d;
    lpu_diag diag = {""};

    if (lpu_design_load(&d, name, &diag) ||
        lpu_yaml_find(path, sizeof(path), "sim/designs", name, &diag)) {
        lpu_cli_fail(usage, &diag);
        return LPU_EXIT_USAGE;
    }
    if (is_json) {
        lpu_cli_print_json(json_of(&d));
        return LPU_EXIT_OK;
    }
    FILE *file = fopen(path, "r");
    if (!file) {
        lpu_fail(&diag, LPU_ERR_IO, "%s: cannot be read again, expected the file just loaded",
                 path);
        return lpu_cli_fail(usage, &diag);
    }
    for (size_t n; (n = fread(text, 1, sizeof(text), file)) > 0;) fwrite(text, 1, n, stdout);
    fclose(file);
    return LPU_EXIT_OK;
}

int lpu_command_designs(int argc, char **argv)
{
    bool is_json = false;
    const lpu_option list[] = {
        {"--json", NULL, "JSON in place of text", NULL, NULL, &is_json},
        {0},
    };
    const lpu_usage usage = {
        .name = "designs",
        .text = "list the designs that ship, or print one",
        .examples = "lpu designs\n"
                    "lpu designs ternary-edge > mine.yaml\n"
                    "lpu designs --json\n",
        .options = list,
        .operands = "[NAME]",
    };
    int exit_code;
    const int first = lpu_cli_parse(&usage, argc, argv, &exit_code);

    if (exit_code >= 0) return exit_code;
    if (argc - first > 1) {
        fprintf(stderr, "lpu designs: found %d names, expected one or none\n", argc - first);
        return LPU_EXIT_USAGE;
    }
    if (first < argc) return print_one(&usage, argv[first], is_json);
    return print_all(&usage, is_json);
}
