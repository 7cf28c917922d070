/* sim/systemc/main.cc - judges LPUs of every inside in TLM-2.0 platforms against the simulator
 * alone.
 *
 *     systemc_verify KEY=VALUE...       one JSON object on stdout, or on file descriptor 3 if that
 * is open
 *
 *     design=    a name or a YAML file        model=     a GGUF file, a name or a YAML file: passes
 *     seed=      of weights, tokens, registers folder=    for files of a moment
 *     context=   tokens in the cache before   tokens=    of the prompt
 *     decode=    passes                       batch=     sequences
 *     random=    so many random programs      operations= in each
 *     shape=     m,n,k,planes: one product
 *     insides=   of rtl,cycles,loose: all that were built
 *
 * Each inside has its own host, memory and clock in one simulation (platform.hh).
 * Exit: 0 equal, 1 not, 2 refused with a sentence. A platform stops at its first difference.
 */
#include "rtl/verify/top_model.hh"
#include "rtl/verify/top_random.hh"
#include "sim/systemc/platform.hh"

#include <algorithm>
#include <chrono>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <stdexcept>
#include <unistd.h>

#include <jansson.h>

namespace
{

enum { EXIT_EQUAL, EXIT_UNEQUAL, EXIT_REFUSED };

const char *const names[] = {"rtl", "cycles", "loose"}; /* of lpu_sc_inside, and of the platforms */

struct verify {
    std::map<std::string, std::string> given;
    lpu_design design;
    uint64_t seed;
    std::unique_ptr<top_model> model;
    std::vector<lpu_sc_work> works;
    std::vector<int32_t> tokens;
    std::vector<std::unique_ptr<lpu_sc_platform>> platforms;
};

uint64_t number(const verify *v, const char *key, uint64_t otherwise)
{
    const auto it = v->given.find(key);
    return it == v->given.end() ? otherwise : strtoull(it->second.c_str(), nullptr, 0);
}

std::string text(const verify *v, const char *key, const char *otherwise)
{
    const auto it = v->given.find(key);
    return it == v->given.end() ? otherwise : it->second;
}

/* ---- what is to be run ---- */

const lpu_port_stalls no_stalls = {};

/* Passes of a model, one after the other: each continues with what the simulator said. */
void add_passes(verify *v)
{
    const uint32_t batch = (uint32_t)number(v, "batch", 1);
    const uint32_t context = (uint32_t)number(v, "context", 0);
    const uint32_t tokens = (uint32_t)number(v, "tokens", 8);
    const uint32_t decode = (uint32_t)number(v, "decode", 2);
    top_dice dice = {v->seed};

    v->model =
        std::make_unique<top_model>(text(v, "model", ""), &v->design, batch,
                                    context + tokens + decode, v->seed, text(v, "folder", "."));
    const top_model *m = v->model.get();
    std::vector<uint8_t> memory = m->image();
    top_golden golden(m->layout(), &memory, m->weights()->eps, m->weights()->score_scale,
                      &no_stalls);
    const auto draw = [&](size_t count) {
        std::vector<int32_t> ids(count);
        for (int32_t &t : ids) t = (int32_t)dice.below(m->shape()->vocab_elems);
        return ids;
    };
    if (context) {
        top_program fill;
        m->compile(&fill, draw((size_t)batch * context), context, 0);
        golden.execute(&fill);
    }
    std::vector<int32_t> prompt = draw((size_t)batch * (tokens ? tokens : 1));
    uint32_t at = context;
    for (uint32_t pass = tokens ? 0 : 1; pass < 1 + decode; pass++) {
        const uint32_t count = pass ? 1 : tokens;
        lpu_sc_work w = {};
        w.program = std::make_unique<top_program>();
        w.is_new = v->works.empty();
        w.eps = m->weights()->eps;
        w.score_scale = m->weights()->score_scale;
        if (w.is_new) w.image = memory;
        m->compile(w.program.get(), prompt, count, at);
        golden.run(w.program.get(), &w.run);
        w.memory_after = memory;
        prompt = m->results(memory);
        v->tokens.insert(v->tokens.end(), prompt.begin(), prompt.end());
        at += count;
        v->works.push_back(std::move(w));
    }
}

/* m, n, k, planes. */
std::vector<uint32_t> shape_of(const std::string &text)
{
    enum { NUMBERS = 4 };
    std::vector<uint32_t> out;
    for (const char *at = text.c_str(); *at;) {
        char *end;
        out.push_back((uint32_t)strtoul(at, &end, 10));
        at = *end ? end + 1 : end;
    }
    if (!text.empty() && out.size() != NUMBERS)
        throw std::runtime_error("found shape=" + text + ", expected shape=m,n,k,planes");
    return out;
}

/* Made programs take the formats of their accounts from the layout of any model. */
void add_made(verify *v)
{
    const std::vector<uint32_t> shape = shape_of(text(v, "shape", ""));
    const uint64_t count = shape.empty() ? number(v, "random", 0) : 1;
    const lpu_model model = top_model_any();
    lpu_layout layout;
    lpu_diag diag = {""};

    if (!count) return;
    if (lpu_layout_open(&layout, &model, &v->design, 1, 1, &diag)) top_throw(&diag);
    for (uint64_t i = 0; i < count; i++) {
        const uint32_t operations = (uint32_t)number(v, "operations", 40);
        top_random made;
        lpu_sc_work w = {};
        if (shape.empty()) top_random_make(&made, &layout, v->seed + i, operations);
        else top_random_shape(&made, &layout, v->seed, shape[0], shape[1], shape[2], shape[3]);
        w.program = std::make_unique<top_program>();
        w.is_new = true;
        w.image = w.memory_after = made.image;
        w.eps = made.eps;
        w.score_scale = made.score_scale;
        std::swap(w.program->code, made.program.code);
        std::swap(w.program->trace, made.program.trace);
        w.program->name = made.program.name;
        top_golden golden(&layout, &w.memory_after, w.eps, w.score_scale, &no_stalls);
        golden.run(w.program.get(), &w.run);
        v->works.push_back(std::move(w));
    }
    lpu_layout_close(&layout);
}

void open_platforms(verify *v)
{
    const std::string all = LPU_SC_RTL ? "rtl,cycles,loose" : "cycles,loose";
    const std::string wanted = "," + text(v, "insides", all.c_str()) + ",";
    enum { PAGE_BYTES = 4096 }; /* whole bursts */
    uint64_t bytes = 0;

    for (const lpu_sc_work &w : v->works) bytes = std::max<uint64_t>(bytes, w.memory_after.size());
    bytes = (bytes + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
    for (int i = LPU_SC_RTL ? LPU_SC_INSIDE_RTL : LPU_SC_INSIDE_CYCLES; i <= LPU_SC_INSIDE_LOOSE;
         i++) {
        if (wanted.find(std::string(",") + names[i] + ",") == std::string::npos) continue;
        v->platforms.push_back(std::make_unique<lpu_sc_platform>(
            names[i], (lpu_sc_inside)i, v->design, v->seed, bytes, &v->works));
        v->platforms.back()->on_done = [v] {
            for (const auto &p : v->platforms)
                if (!p->is_done) return;
            sc_core::sc_stop();
        };
    }
    if (v->platforms.empty())
        throw std::runtime_error("found insides=" + text(v, "insides", "") + ", expected some of " +
                                 all);
}

/* ---- the run ---- */

/* Of all that an LPU does between two signs of life, none takes longer than its longest program. */
sc_core::sc_time patience(const verify *v)
{
    enum { HOST_CLOCKS = 20000 }; /* and what memory needs to settle */
    uint64_t cycles = 0;

    for (const lpu_sc_work &w : v->works) cycles = std::max(cycles, w.run.cycles);
    return sc_core::sc_time((double)(cycles + HOST_CLOCKS) * 1e6 / v->design.clock_mhz,
                            sc_core::SC_PS);
}

/* What an LPU says is wrong with itself, such as an assertion of the RTL; it cannot go on. */
void blame(verify *v, const sc_core::sc_report &report)
{
    const std::string from = report.get_msg_type();

    for (const auto &p : v->platforms) {
        if (from.compare(0, strlen(p->name()) + 1, std::string(p->name()) + ".")) continue;
        p->stop(report.get_msg());
        return;
    }
    throw std::runtime_error(report.what());
}

/* Until all are done; who gives no sign of life for too long is stopped. */
void run(verify *v)
{
    const sc_core::sc_time slice = patience(v);
    std::vector<uint64_t> before(v->platforms.size(), UINT64_MAX);
    bool is_over = false;

    while (!is_over) {
        sc_core::sc_start(slice);
        is_over = true;
        for (size_t i = 0; i < v->platforms.size(); i++) {
            lpu_sc_platform *p = v->platforms[i].get();
            const bool stands = p->progress() == before[i];
            before[i] = p->progress();
            if (stands || p->has_too_many_events())
                p->stop(stands ? "the LPU stands still" : "more instructions than the program has");
            is_over = is_over && p->is_done;
        }
    }
}

/* ---- the answer ---- */

json_t *json_of(const lpu_sc_row *r, const char *inside)
{
    return json_pack("{s:s s:s s:I s:I s:I s:I s:I s:I s:I s:b}", "name", r->name.c_str(), "inside",
                     inside, "instructions", (json_int_t)r->instructions, "segments",
                     (json_int_t)r->segments, "cycles", (json_int_t)r->cycles, "events",
                     (json_int_t)r->events, "writes", (json_int_t)r->writes, "written_bytes",
                     (json_int_t)r->bytes, "counters", (json_int_t)r->counters, "differs",
                     !r->is_equal);
}

json_t *json_of(const lpu_sc_difference *d, const char *inside)
{
    json_t *object = json_pack("{s:s s:s s:s s:s s:s}", "inside", inside, "signal",
                               d->signal.c_str(), "expected", d->expected.c_str(), "found",
                               d->found.c_str(), "where", d->where.c_str());
    if (d->segment >= 0) json_object_set_new(object, "segment", json_integer(d->segment));
    if (d->cycle >= 0) json_object_set_new(object, "cycle", json_integer(d->cycle));
    return object;
}

/* Programs in their order, each with all the insides. */
json_t *json_of_programs(const verify *v)
{
    json_t *programs = json_array();

    for (size_t i = 0; i < v->works.size(); i++)
        for (const auto &p : v->platforms)
            if (i < p->rows.size())
                json_array_append_new(programs, json_of(&p->rows[i], p->basename()));
    return programs;
}

bool answer(const verify *v, const std::string &refusal, double seconds)
{
    FILE *f = fdopen(3, "w");
    json_t *insides = json_array(), *tokens = json_array();
    const lpu_sc_platform *first = nullptr;

    for (const auto &p : v->platforms) {
        json_array_append_new(insides, json_string(p->basename()));
        if (!first && p->first) first = p.get();
    }
    for (int32_t t : v->tokens) json_array_append_new(tokens, json_integer(t));
    json_t *object = json_pack("{s:s s:s s:s s:I s:f s:o s:o s:o}", "kind",
                               !refusal.empty() ? "refused"
                               : first          ? "differs"
                                                : "equal",
                               "platform", "systemc", "design", v->design.name, "seed",
                               (json_int_t)v->seed, "wall_s", seconds, "insides", insides,
                               "programs", json_of_programs(v), "tokens", tokens);
    if (!refusal.empty()) json_object_set_new(object, "text", json_string(refusal.c_str()));
    if (first)
        json_object_set_new(object, "difference", json_of(first->first.get(), first->basename()));
    json_dumpf(object, f ? f : stdout, JSON_INDENT(1));
    fprintf(f ? f : stdout, "\n");
    json_decref(object);
    if (f) fclose(f);
    return !first;
}

void judge(verify *v)
{
    lpu_diag diag = {""};

    if (number(v, "stalls", 0) || number(v, "faults", 0))
        throw std::runtime_error(
            "found stalls or faults, expected none: the memory of the platform "
            "has its own time and makes no errors");
    if (lpu_design_load(&v->design, text(v, "design", "").c_str(), &diag)) top_throw(&diag);
    if (v->given.count("model")) add_passes(v);
    else add_made(v);
    open_platforms(v);
    try {
        run(v);
    } catch (const sc_core::sc_report &report) {
        blame(v, report);
    }
}

} // namespace

int sc_main(int argc, char **argv)
{
    verify v = {};
    std::string refusal;
    const auto begin = std::chrono::steady_clock::now();

    for (int i = 1; i < argc; i++) {
        const char *equals = strchr(argv[i], '=');
        if (equals) v.given[std::string(argv[i], (size_t)(equals - argv[i]))] = equals + 1;
    }
    v.seed = number(&v, "seed", 1);
    sc_core::sc_report_handler::set_actions("/OSCI/SystemC", sc_core::SC_INFO,
                                            sc_core::SC_DO_NOTHING);
    try {
        judge(&v);
    } catch (const std::exception &e) {
        refusal = e.what();
    }
    for (const auto &p : v.platforms)
        if (refusal.empty()) refusal = p->refusal;
    const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - begin;
    const bool is_equal = answer(&v, refusal, wall.count());
    if (!refusal.empty()) return EXIT_REFUSED;
    return is_equal ? EXIT_EQUAL : EXIT_UNEQUAL;
}
