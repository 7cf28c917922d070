/* tests/unit/design_test.c - designs as files: those that ship, and what is wrong with others. */
#include "sim/design.h"
#include "tests/unit/test.h"
#include "workloads/yaml.h"

#include <stdlib.h>
#include <unistd.h>

static const char sound[] = "name: test\n"
                            "title: \"Test\"\n"
                            "source: \"tests\"\n"
                            "lane: add\n"
                            "code: base3\n"
                            "residence: dram\n"
                            "clock_mhz: 1000\n"
                            "rows: 64\n"
                            "cols: 160\n"
                            "lines: 4\n"
                            "fill_bytes_per_cycle: 128\n"
                            "passes_max: 64\n"
                            "vector_lanes: 64\n"
                            "scratch_kib: 6144\n"
                            "fifo_kib: 64\n"
                            "bus_bytes_per_cycle: 128\n"
                            "outstanding_bursts: 256\n"
                            "stream_queue: 16\n"
                            "kv_trits: 5\n"
                            "head_trits: 5\n"
                            "wire_um: 2000\n"
                            "dram: lpddr5x-8533\n"
                            "price: 7nm-literature\n";

/* Loads sound with the line of key replaced (or appended where there is none). */
static lpu_status load(lpu_design *d, const char *key, const char *line, lpu_diag *diag)
{
    char path[] = "/tmp/lpu_design_XXXXXX.yaml";
    const int fd = mkstemps(path, 5);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
    const size_t bytes = strlen(key);
    int is_there = 0;

    if (!file) return lpu_fail(diag, LPU_ERR_IO, "no temporary file");
    for (const char *at = sound; *at; at += strcspn(at, "\n") + 1) {
        const int is_key = bytes && !strncmp(at, key, bytes) && at[bytes] == ':';
        if (is_key) fprintf(file, "%s", line);
        else fprintf(file, "%.*s\n", (int)strcspn(at, "\n"), at);
        is_there |= is_key;
    }
    if (!is_there) fprintf(file, "%s", line);
    fclose(file);
    const lpu_status status = lpu_design_load(d, path, diag);
    unlink(path);
    return status;
}

static void every_shipped_design(void)
{
    char **list = NULL;
    size_t count = 0;

    CHECK_OK(lpu_yaml_list("sim/designs", &list, &count, diag));
    CHECK(count >= 8, "%zu designs", count);
    for (size_t i = 0; i < count; i++) {
        lpu_design d;
        CHECK_OK(lpu_design_load(&d, list[i], diag));
        CHECK(!strcmp(d.name, list[i]), "%s is in the file of %s", d.name, list[i]);
        CHECK(d.title[0] && d.source[0] && d.price[0] && d.dram.name[0], "%s lacks text", d.name);
        CHECK(lpu_dram_peak_bytes_per_s(&d.dram) > 1e9, "%s: slow memory", d.name);
        free(list[i]);
    }
    free(list);
}

static void fields_arrive(void)
{
    lpu_design d;
    lpu_diag diag = {""};

    CHECK(!load(&d, "", "", &diag), "%s", diag.text);
    CHECK_EQ(d.lane, LPU_LANE_ADD);
    CHECK_EQ(d.code, LPU_CODE_BASE3);
    CHECK_EQ(d.residence, LPU_WEIGHTS_IN_DRAM);
    CHECK_EQ(d.rows * 1000 + d.cols, 64160);
    CHECK_EQ(d.lines, 4);
    CHECK_EQ(d.weight_sram_kib, 0);
    CHECK_EQ(d.stream_queue, 16);
    CHECK_EQ(d.wire_um, 2000);
    CHECK(!strcmp(d.dram.name, "lpddr5x-8533"), "memory %s", d.dram.name);
    CHECK_EQ(lpu_design_weight_decibits(&d), 16);
    CHECK(!load(&d, "code", "code: 2bit\n", &diag), "%s", diag.text);
    CHECK_EQ(lpu_design_weight_decibits(&d), 20);
    CHECK(!load(&d, "code", "code: 1bit\n", &diag), "%s", diag.text);
    CHECK_EQ(lpu_design_weight_decibits(&d), 10);
    CHECK(!load(&d, "lane", "lane: mac-int4\n", &diag), "%s", diag.text);
    CHECK_EQ(lpu_design_weight_decibits(&d), 40);
    CHECK(!load(&d, "lane", "lane: mac-int8\n", &diag), "%s", diag.text);
    CHECK_EQ(lpu_design_weight_decibits(&d), 80);
    CHECK(!load(&d, "lane", "lane: mac-fp16\n", &diag), "%s", diag.text);
    CHECK_EQ(lpu_design_weight_decibits(&d), 160);
}

/* Each is refused with one sentence that holds these words. */
static void mistakes(void)
{
    static const struct {
        const char *key, *line, *words;
        lpu_status status;
    } cases[] = {
        {"rows", "rwos: 64\n", "rwos", LPU_ERR_FORMAT},
        {"rows", "", "rows", LPU_ERR_FORMAT},
        {"name", "", "name", LPU_ERR_FORMAT},
        {"dram", "", "dram", LPU_ERR_FORMAT},
        {"rows", "rows: many\n", ":8: ", LPU_ERR_FORMAT},
        {"rows", "rows: -1\n", ":8: ", LPU_ERR_FORMAT},
        {"rows", "rows: 1.5\n", ":8: ", LPU_ERR_FORMAT},
        {"rows", "rows: 99999999999\n", ":8: ", LPU_ERR_FORMAT},
        {"rows", "rows: [64]\n", ":8: ", LPU_ERR_FORMAT},
        {"rows", "rows: 64\nrows: 32\n", "rows", LPU_ERR_FORMAT},
        {"lane", "lane: multiply\n", ":4: ", LPU_ERR_FORMAT},
        {"code", "code: base4\n", ":5: ", LPU_ERR_FORMAT},
        {"residence", "residence: disk\n", ":6: ", LPU_ERR_FORMAT},
        {"more", "more: 1\n", "more", LPU_ERR_FORMAT},
        {"more", "  : : [\n", ":24", LPU_ERR_FORMAT},
        {"dram", "dram: punched-cards\n", "lpddr5x-8533", LPU_ERR_IO},
        {"rows", "rows: 0\n", "rows is 0, expected 1 to 4096", LPU_ERR_RANGE},
        {"rows", "rows: 4160\n", "rows is 4160, expected 1 to 4096", LPU_ERR_RANGE},
        {"cols", "cols: 0\n", "cols is 0", LPU_ERR_RANGE},
        {"cols", "cols: 161\n", "a multiple of 5", LPU_ERR_RANGE},
        {"cols", "cols: 4097\n", "cols is 4097, expected 2 to 4096", LPU_ERR_RANGE},
        {"lines", "lines: 0\n", "lines is 0, expected 1 to 64", LPU_ERR_RANGE},
        {"lines", "lines: 65\n", "lines is 65, expected 1 to 64", LPU_ERR_RANGE},
        {"vector_lanes", "vector_lanes: 48\n", "a divisor of rows", LPU_ERR_RANGE},
        {"vector_lanes", "vector_lanes: 128\n", "vector_lanes is 128", LPU_ERR_RANGE},
        {"clock_mhz", "clock_mhz: 0\n", "clock_mhz is 0", LPU_ERR_RANGE},
        {"passes_max", "passes_max: 0\n", "passes_max is 0", LPU_ERR_RANGE},
        {"scratch_kib", "scratch_kib: 0\n", "scratch_kib is 0", LPU_ERR_RANGE},
        {"fifo_kib", "fifo_kib: 0\n", "fifo_kib is 0", LPU_ERR_RANGE},
        {"bus_bytes_per_cycle", "bus_bytes_per_cycle: 0\n", "bus_bytes_per_cycle is 0",
         LPU_ERR_RANGE},
        {"fill_bytes_per_cycle", "fill_bytes_per_cycle: 0\n", "fill_bytes_per_cycle is 0",
         LPU_ERR_RANGE},
        {"outstanding_bursts", "outstanding_bursts: 0\n", "outstanding_bursts is 0", LPU_ERR_RANGE},
        {"stream_queue", "stream_queue: 1\n", "stream_queue is 1", LPU_ERR_RANGE},
        {"kv_trits", "kv_trits: 6\n", "at most 5", LPU_ERR_RANGE},
        {"head_trits", "head_trits: 0\n", "head_trits is 0", LPU_ERR_RANGE},
        {"residence", "residence: on-chip\n", "weight_sram_kib is 0", LPU_ERR_RANGE},
        {"residence", "residence: on-chip\nweight_sram_kib: 1024\n", "link_bytes_per_cycle is 0",
         LPU_ERR_RANGE},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        lpu_design d;
        lpu_diag diag = {""};
        const lpu_status status = load(&d, cases[i].key, cases[i].line, &diag);
        CHECK(status == cases[i].status, "case %zu (%s): status %d, expected %d: %s", i,
              cases[i].line, status, cases[i].status, diag.text);
        CHECK(strstr(diag.text, cases[i].words), "case %zu: \"%s\" lacks \"%s\"", i, diag.text,
              cases[i].words);
        CHECK(!strchr(diag.text, '\n'), "case %zu: more than a line: %s", i, diag.text);
    }
}

/* Long names are refused or cut, never written past their end. */
static void long_text(void)
{
    char line[2048];
    lpu_design d;

    for (size_t bytes = 60; bytes < 2000; bytes += 97) {
        lpu_diag diag = {""};
        memset(line, 'x', sizeof(line));
        memcpy(line, "name: ", 6);
        memcpy(line + bytes, "\n", 2);
        const lpu_status status = load(&d, "name", line, &diag);
        CHECK(status ? diag.text[0] != 0 : memchr(d.name, 0, sizeof(d.name)) != NULL,
              "%zu bytes of name: status %d", bytes, status);
    }
}

static void no_such_design(void)
{
    lpu_design d;
    lpu_diag diag = {""};

    CHECK_EQ(lpu_design_load(&d, "ternary-egde", &diag), LPU_ERR_IO);
    CHECK(strstr(diag.text, "ternary-egde") && strstr(diag.text, "ternary-edge"), "%s", diag.text);
    CHECK_EQ(lpu_design_load(&d, "/nowhere/x.yaml", &diag), LPU_ERR_IO);
    CHECK(strstr(diag.text, "/nowhere/x.yaml"), "%s", diag.text);
    CHECK(lpu_design_load(&d, "", &diag) < 0, "an empty name loads");
}

int main(void)
{
    RUN(every_shipped_design);
    RUN(fields_arrive);
    RUN(mistakes);
    RUN(long_text);
    RUN(no_such_design);
    return test_failures != 0;
}
