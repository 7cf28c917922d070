/* rtl/verify/main.cc - judges the verilated array against the definition and the golden model.
 *
 *     verify ROWS COLS LINES CODE PASSES LANES SEED CYCLES BOUND EXACT
 *
 * Every case runs with streams that are always ready, with gaps and a slow reader, and with a
 * reader that waits for y_valid_o. Writes one JSON object to stdout and stops at the first fault.
 */
#include "rtl/verify/run.hh"

#include <cinttypes>
#include <cstdio>
#include <cstdlib>

extern "C" {
#include "sim/array_cases.h"
}

namespace
{

const run_pace paces[] = {
    {"every stream always ready", 256, 256, 256, 256, false},
    {"gaps in every stream, a slow reader", 128, 180, 128, 40, false},
    {"a reader that waits for y_valid_o", 256, 256, 256, 200, true},
};
const uint64_t NO_STOP = UINT64_MAX;

struct verify {
    FILE *answer;
    lpu_array_work work;
    uint64_t seed, random_cycles, bound_cycles;
    bool is_exact;
    uint64_t cases, runs, tiles, passes, sums, rtl_cycles, model_cycles; /* done */
    bool has_list;                                                       /* of cases, in the JSON */
    std::string fault_case, fault_pace, cycle_text;                      /* of the first fault */
    run_result fault;
    const char *kind;
};

void note(verify *v, const char *kind, const char *name, const run_pace *pace,
          const run_result *result)
{
    v->kind = kind;
    v->fault_case = name;
    v->fault_pace = pace->name;
    v->fault = *result;
}

const char *kind_of(run_fault fault)
{
    static const char *const kinds[] = {"equal", "value", "protocol", "stuck", "finish", "cycles"};
    return kinds[fault];
}

/* One run of the work as it stands; false when something is wrong. */
bool run_once(verify *v, const char *name, const run_pace *pace, uint64_t cycles[2])
{
    const uint64_t seed = v->seed + v->runs;
    run_result model = run_work(&v->work, true, pace, seed, v->bound_cycles, NO_STOP);
    if (model.fault) {
        note(v, "model", name, pace, &model);
        return false;
    }
    run_result rtl = run_work(&v->work, false, pace, seed, v->bound_cycles, NO_STOP);
    v->runs++;
    v->passes += rtl.passes;
    v->sums += rtl.sums;
    cycles[0] = rtl.cycles;
    cycles[1] = model.cycles;
    const std::string text = rtl.fault ? "" : run_compare_cycles(&rtl, &model);
    if (!text.empty() && v->cycle_text.empty())
        v->cycle_text = std::string(name) + ", " + pace->name + ": " + text;
    if (!text.empty() && v->is_exact) {
        rtl.fault = RUN_CYCLES;
        rtl.text = text;
    }
    if (rtl.fault) note(v, kind_of(rtl.fault), name, pace, &rtl);
    return !rtl.fault;
}

/* Cycles of a case, with every stream always ready, into the JSON. */
void list(verify *v, const char *name, uint64_t cycles, uint64_t model_cycles)
{
    fprintf(v->answer,
            "%s{\"name\": \"%s\", \"cycles\": %" PRIu64 ", \"model_cycles\": %" PRIu64 "}",
            v->has_list ? ", " : "", name, cycles, model_cycles);
    v->has_list = true;
}

/* The work in every pace. */
bool run_case(verify *v, const char *name, bool is_listed)
{
    uint64_t cycles[2] = {};

    if (v->work.is_short) {
        run_result result = {};
        result.text = "out of memory";
        note(v, "model", name, &paces[0], &result);
        return false;
    }
    if (!v->work.cmd_count) return true;
    for (const run_pace &pace : paces) {
        if (!run_once(v, name, &pace, cycles)) return false;
        if (&pace != &paces[0]) continue;
        if (is_listed) list(v, name, cycles[0], cycles[1]);
        v->rtl_cycles += cycles[0];
        v->model_cycles += cycles[1];
    }
    v->cases++;
    v->tiles += v->work.cmd_count;
    return true;
}

bool run_directed(verify *v)
{
    for (const lpu_array_case *c = lpu_array_cases; c->name; c++) {
        lpu_array_work_clear(&v->work);
        c->add(&v->work);
        if (!run_case(v, c->name, true)) return false;
    }
    return true;
}

/* Cut off by a reset in the middle, then the same work from its beginning. */
bool run_reset(verify *v)
{
    lpu_array_work_clear(&v->work);
    lpu_array_cases_random(&v->work, 12);
    for (uint64_t stop = 5; stop < 400; stop = stop * 2 + 1) {
        const run_result cut =
            run_work(&v->work, false, &paces[1], v->seed + stop, v->bound_cycles, stop);
        if (cut.fault) {
            note(v, kind_of(cut.fault), "reset", &paces[1], &cut);
            return false;
        }
        rtl_reset();
    }
    return run_case(v, "after a reset", true);
}

bool run_matrix(verify *v)
{
    const lpu_array_config *c = &v->work.config;
    lpu_diag diag = {};
    run_result result = {};

    lpu_array_work_clear(&v->work);
    if (lpu_array_cases_matrix(&v->work, 3 * c->rows + (c->rows + 1) / 2,
                               7 * c->cols + (c->cols + 1) / 2, &diag)) {
        result.text = diag.text;
        note(v, "model", "matrix", &paces[0], &result);
        return false;
    }
    return run_case(v, "matrix", true);
}

/* Random sums until the golden model has seen that many cycles. */
bool run_random(verify *v)
{
    const uint64_t begin = v->rtl_cycles;
    uint64_t done = 0;
    char name[32];

    for (uint32_t i = 0; done < v->random_cycles; i++) {
        const uint64_t before = v->model_cycles;
        lpu_array_work_clear(&v->work);
        lpu_array_cases_random(&v->work, 32);
        snprintf(name, sizeof(name), "random %u", i);
        if (!run_case(v, name, false)) return false;
        done += v->model_cycles - before;
    }
    if (done) list(v, "random", v->rtl_cycles - begin, done);
    return true;
}

/* Quotes and control characters do not occur in what is printed here. */
void print_end(const verify *v)
{
    fprintf(v->answer,
            "], \"kind\": \"%s\", \"seed\": %" PRIu64 ", \"case_count\": %" PRIu64
            ", \"runs\": %" PRIu64 ", \"tiles\": %" PRIu64 ", \"passes\": %" PRIu64
            ", \"sums\": %" PRIu64 ", \"cycles\": %" PRIu64 ", \"model_cycles\": %" PRIu64
            ", \"cycle_difference\": \"%s\"",
            v->kind, v->seed, v->cases, v->runs, v->tiles, v->passes, v->sums, v->rtl_cycles,
            v->model_cycles, v->cycle_text.c_str());
    if (v->kind != kind_of(RUN_EQUAL)) {
        fprintf(v->answer,
                ", \"fault\": {\"case\": \"%s\", \"pace\": \"%s\", \"cycle\": %" PRIu64
                ", \"text\": \"%s\", \"tile\": %u, \"pass\": %u, \"row\": %u, \"lane\": %u, "
                "\"expected\": %d, \"found\": %d}",
                v->fault_case.c_str(), v->fault_pace.c_str(), v->fault.cycles,
                v->fault.text.c_str(), v->fault.tile, v->fault.pass, v->fault.row, v->fault.lane,
                v->fault.expected, v->fault.found);
    }
    fprintf(v->answer, "}\n");
}

} // namespace

int main(int argc, char **argv)
{
    verify v = {};
    lpu_array_config config = {};
    lpu_diag diag = {};

    if (argc != 11) {
        fprintf(stderr, "verify: found %d arguments, expected 10\n", argc - 1);
        return 2;
    }
    config.rows = (uint32_t)strtoul(argv[1], nullptr, 10);
    config.cols = (uint32_t)strtoul(argv[2], nullptr, 10);
    config.lines = (uint32_t)strtoul(argv[3], nullptr, 10);
    config.code = (lpu_code)strtoul(argv[4], nullptr, 10);
    config.passes_max = (uint32_t)strtoul(argv[5], nullptr, 10);
    config.out_lanes = (uint32_t)strtoul(argv[6], nullptr, 10);
    config.has_values = true;
    v.seed = strtoull(argv[7], nullptr, 10);
    v.random_cycles = strtoull(argv[8], nullptr, 10);
    v.bound_cycles = strtoull(argv[9], nullptr, 10);
    v.is_exact = argv[10][0] == '1';
    v.kind = kind_of(RUN_EQUAL);
    if (lpu_array_work_open(&v.work, &config, v.seed, &diag)) {
        fprintf(stderr, "verify: %s\n", diag.text);
        return 2;
    }
    rtl_open(&config, v.seed);
    v.answer = fdopen(3, "w"); /* the Verilog may write to stdout */
    if (!v.answer) {
        fprintf(stderr, "verify: file descriptor 3 is not open\n");
        return 2;
    }
    fprintf(v.answer, "{\"cases\": [");
    const bool is_equal = run_directed(&v) && run_reset(&v) && run_matrix(&v) && run_random(&v);
    print_end(&v);
    fclose(v.answer);
    rtl_close();
    lpu_array_work_close(&v.work);
    return !is_equal;
}
