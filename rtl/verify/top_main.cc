/* rtl/verify/top_main.cc - judges a verilated lpu_top by whole programs against the golden machine.
 *
 *     top_verify KEY=VALUE...        one JSON object on stdout, from file descriptor 3
 *
 *     design=    a name or a YAML file
 *     seed=      of weights, tokens, registers, stalls
 *     model=     a GGUF file, a name or a YAML file: passes of it
 *       context= tokens in the cache before; batch= sequences
 *       tokens=  of the prompt, or prompt=1,2,3: which; decode= passes behind it
 *     random=    so many random programs; operations= in each
 *     every=     every operation on every side of its edges, in so many programs
 *     shape=     m,n,k,planes: one product
 *     faults=    so many random programs with every error
 *     stalls=    share of 256 in which a channel stalls
 *     manner=    0 as the seed says, 1 through every SYNC, 2 stopping at each
 *     serve=1    passes as they are asked for on stdin, a line of ids each: 1,2,3, or rewind;
 *       capacity= tokens of the cache; each is answered by a line
 *     folder=    for files of a moment
 *     trace=     a waveform of the clocks from=, to=
 *     coverage=  a file for Verilator's coverage; bins= one for kinds of work, a line each
 *
 * Exit: 0 equal, 1 not, 2 refused with a sentence. Stops at the first difference.
 */
#include "rtl/verify/regs.hh"
#include "rtl/verify/top_bins.hh"
#include "rtl/verify/top_model.hh"
#include "rtl/verify/top_pair.hh"
#include "rtl/verify/top_random.hh"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <stdexcept>

#include <jansson.h>

namespace
{

enum { EXIT_EQUAL, EXIT_UNEQUAL, EXIT_REFUSED };
enum { STALLS_TYPICAL = 48 };

typedef std::map<std::string, std::string> options;

struct verify {
    options given;
    lpu_design design;
    uint64_t seed;
    json_t *programs, *difference, *tokens;
    top_bins bins;
    bool is_equal;
    bool is_stalling; /* the memory, in the program in hand */
};

uint64_t number(const verify *v, const char *key, uint64_t otherwise)
{
    const auto it = v->given.find(key);
    return it == v->given.end() ? otherwise : strtoull(it->second.c_str(), nullptr, 0);
}

std::string text(const verify *v, const char *key)
{
    const auto it = v->given.find(key);
    return it == v->given.end() ? "" : it->second;
}

std::vector<int32_t> list(const std::string &text)
{
    std::vector<int32_t> out;
    for (const char *at = text.c_str(); *at;) {
        char *end;
        out.push_back((int32_t)strtol(at, &end, 10));
        at = *end ? end + 1 : end;
    }
    return out;
}

json_t *json_of(const top_difference *d)
{
    return json_pack("{s:s s:s s:s s:s s:I s:I s:I}", "signal", d->signal.c_str(), "expected",
                     d->expected.c_str(), "found", d->found.c_str(), "where", d->where.c_str(),
                     "segment", (json_int_t)d->segment, "cycle", (json_int_t)d->cycle, "clock",
                     (json_int_t)d->clock);
}

json_t *json_of(const top_verdict *p)
{
    return json_pack("{s:s s:I s:I s:I s:I s:I s:I s:I s:I s:f s:f s:f s:b}", "name",
                     p->name.c_str(), "instructions", (json_int_t)p->instructions, "segments",
                     (json_int_t)p->segments, "cycles", (json_int_t)p->cycles, "events",
                     (json_int_t)p->events, "writes", (json_int_t)p->writes, "written_bytes",
                     (json_int_t)p->written_bytes, "counters", (json_int_t)p->counters, "clocks",
                     (json_int_t)p->rtl_clocks, "rtl_s", p->rtl_s, "stepping_s", p->stepping_s,
                     "skipping_s", p->skipping_s, "differs", p->difference.is_found);
}

/* false when something differs: that ends the work. */
bool add(verify *v, const top_verdict *verdict)
{
    json_array_append_new(v->programs, json_of(verdict));
    if (!verdict->difference.is_found) return true;
    v->is_equal = false;
    v->difference = json_of(&verdict->difference);
    return false;
}

bool run(verify *v, top_pair *pair, const top_program *program)
{
    top_verdict verdict;

    pair->run(program, &verdict);
    v->bins.program(&program->code, &v->design, v->is_stalling, verdict.of_ops);
    v->bins.cycles(&verdict.of_run);
    return add(v, &verdict);
}

lpu_port_stalls stalls_of(verify *v, uint64_t seed, uint64_t share)
{
    const uint8_t s = (uint8_t)share;
    v->is_stalling = share > 0;
    return {seed, s, s, s, s, s};
}

top_manner manner_of(verify *v, top_dice *dice)
{
    enum { PAGE_BITS = 12, BASE_PAGES = 1 << 20 };
    const uint64_t wanted = number(v, "manner", 0);
    top_manner m;

    m.is_stopping = wanted ? wanted == 2 : dice->chance(100);
    m.is_resetting = dice->chance(100);
    m.base = dice->chance(128) ? 0 : (uint64_t)dice->below(BASE_PAGES) << PAGE_BITS;
    v->bins.hit(TOP_BIN_HOST, m.is_stopping ? "stopping at each SYNC" : "through every SYNC");
    v->bins.hit(TOP_BIN_HOST, m.base ? "memory elsewhere" : "memory at address 0");
    if (m.is_resetting) v->bins.hit(TOP_BIN_HOST, "soft reset before");
    return m;
}

/* ---- whole passes ---- */

/* Tokens in the cache: their passes are executed, not watched. */
void fill_cache(const top_model *model, top_pair *pair, top_dice *dice, uint32_t batch,
                uint32_t count)
{
    top_program program;
    std::vector<int32_t> tokens((size_t)batch * count);

    for (int32_t &t : tokens) t = (int32_t)dice->below(model->shape()->vocab_elems);
    model->compile(&program, tokens, count, 0);
    pair->execute(&program);
}

void run_model(verify *v)
{
    const uint32_t batch = (uint32_t)number(v, "batch", 1);
    const uint32_t context = (uint32_t)number(v, "context", 0);
    std::vector<int32_t> prompt = list(text(v, "prompt"));
    const bool is_given = !prompt.empty();
    const uint32_t tokens = is_given ? (uint32_t)prompt.size() : (uint32_t)number(v, "tokens", 8);
    const uint32_t decode = (uint32_t)number(v, "decode", 2);
    const uint64_t stalls_share = number(v, "stalls", 0);
    top_dice dice = {v->seed};
    const top_model model(text(v, "model"), &v->design, batch, context + tokens + decode, v->seed,
                          text(v, "folder"));
    const lpu_port_stalls stalls = stalls_of(v, v->seed, stalls_share);
    const top_manner manner = manner_of(v, &dice);
    top_pair pair(model.layout(), model.image(), model.weights()->eps, model.weights()->score_scale,
                  &stalls, &manner);

    if (context) fill_cache(&model, &pair, &dice, batch, context);
    prompt.resize((size_t)batch * tokens);
    for (size_t i = is_given ? tokens : 0; i < prompt.size(); i++)
        prompt[i] = (int32_t)dice.below(model.shape()->vocab_elems);
    uint32_t at = context;
    for (uint32_t pass = 0; pass < (tokens ? 1 : 0) + decode; pass++) {
        top_program program;
        const uint32_t count = pass || !tokens ? 1 : tokens;
        if (prompt.empty()) prompt.assign(batch, 0);
        model.compile(&program, prompt, count, at);
        if (!run(v, &pair, &program)) return;
        at += count;
        prompt = model.results(pair.rtl_memory());
        for (int32_t t : prompt) json_array_append_new(v->tokens, json_integer(t));
    }
    v->bins.port(pair.port_waits());
}

/* ---- a server ---- */

/* One line; the text is a refusal, and may be NULL, as the verdict. */
void reply(FILE *f, const top_verdict *verdict, int32_t next, const char *text)
{
    json_t *object = json_pack("{s:s}", "kind", text ? "refused" : "equal");

    if (text) json_object_set_new(object, "text", json_string(text));
    if (verdict && verdict->difference.is_found)
        json_object_set_new(object, "difference", json_of(&verdict->difference));
    if (verdict) {
        json_t *counters = json_object();
        for (size_t i = 0; i < LPU_COUNTERS; i++)
            json_object_set_new(counters, lpu_counter_row(i)->name,
                                json_integer((json_int_t)lpu_counter_get(&verdict->of_run, i)));
        json_object_set_new(object, "next", json_integer(next));
        json_object_set_new(object, "cycles", json_integer((json_int_t)verdict->cycles));
        json_object_set_new(object, "counters", counters);
    }
    json_dumpf(object, f, JSON_COMPACT);
    fprintf(f, "\n");
    fflush(f);
    json_decref(object);
}

void serve(verify *v, FILE *f)
{
    const uint32_t capacity = (uint32_t)number(v, "capacity", 1);
    top_dice dice = {v->seed};
    const top_model model(text(v, "model"), &v->design, 1, capacity, v->seed, text(v, "folder"));
    const lpu_port_stalls stalls = stalls_of(v, v->seed, number(v, "stalls", 0));
    const top_manner manner = manner_of(v, &dice);
    top_pair pair(model.layout(), model.image(), model.weights()->eps, model.weights()->score_scale,
                  &stalls, &manner);
    uint32_t position = 0;
    char *line = nullptr;
    size_t room = 0;

    reply(f, nullptr, 0, nullptr);
    while (getline(&line, &room, stdin) > 0) {
        if (!strcmp(line, "rewind\n")) {
            position = 0;
            continue;
        }
        const std::vector<int32_t> tokens = list(line);
        top_program program;
        top_verdict verdict;
        model.compile(&program, tokens, (uint32_t)tokens.size(), position);
        pair.run(&program, &verdict);
        position += (uint32_t)tokens.size();
        reply(f, &verdict, model.results(pair.rtl_memory())[0], nullptr);
        if (verdict.difference.is_found) break;
    }
    free(line);
}

/* ---- made programs ---- */

/* The i-th made program that was asked for. */
void make(const verify *v, const lpu_layout *layout, uint64_t i, top_random *made)
{
    const std::vector<int32_t> shape = list(text(v, "shape"));
    const uint32_t parts = (uint32_t)number(v, "every", 0);

    if (shape.empty() && !parts)
        top_random_make(made, layout, v->seed + i, (uint32_t)number(v, "operations", 40));
    else if (shape.empty()) top_random_every(made, layout, v->seed, (uint32_t)i, parts);
    else if (shape.size() != 4) throw std::runtime_error("expected shape=m,n,k,planes");
    else
        top_random_shape(made, layout, v->seed, (uint32_t)shape[0], (uint32_t)shape[1],
                         (uint32_t)shape[2], (uint32_t)shape[3]);
}

void run_made(verify *v)
{
    const uint64_t parts = number(v, "every", 0);
    const uint64_t count = !text(v, "shape").empty() ? 1 : parts ? parts : number(v, "random", 0);
    const lpu_model model = top_model_any();
    lpu_layout layout;
    lpu_diag diag = {""};
    bool is_equal = true;

    if (lpu_layout_open(&layout, &model, &v->design, 1, 1, &diag)) top_throw(&diag);
    for (uint64_t i = 0; i < count && is_equal; i++) {
        top_dice dice = {v->seed + i};
        const uint64_t share = dice.chance(128) ? 0 : dice.below(3 * STALLS_TYPICAL);
        const lpu_port_stalls stalls = stalls_of(v, v->seed + i, number(v, "stalls", share));
        const top_manner manner = manner_of(v, &dice);
        top_random made;
        make(v, &layout, i, &made);
        top_pair pair(&layout, made.image, made.eps, made.score_scale, &stalls, &manner);
        is_equal = run(v, &pair, &made.program);
        v->bins.port(pair.port_waits());
    }
    lpu_layout_close(&layout);
}

/* Kinds of instruction, and the four groups of ways in which each is illegal, come in turn: provoke
 * looks at the remainder for the one, at two bits for the other. */
uint64_t illegal(uint64_t draw, uint64_t turn)
{
    enum { WAY_BIT = 40 };
    draw = (draw & ~(3ull << WAY_BIT)) | (turn / LPU_INSN_OPS % 4) << WAY_BIT;
    return draw / LPU_INSN_OPS * LPU_INSN_OPS + turn % LPU_INSN_OPS;
}

/* Every error in turn, and behind each of them the program as it is. */
void run_faults(verify *v)
{
    const uint64_t count = number(v, "faults", 0);
    const lpu_model model = top_model_any();
    lpu_layout layout;
    lpu_diag diag = {""};

    if (lpu_layout_open(&layout, &model, &v->design, 1, 1, &diag)) top_throw(&diag);
    for (uint64_t i = 0; i < count && v->is_equal; i++) {
        top_dice dice = {v->seed + i};
        const uint64_t share = dice.chance(100) ? 0 : dice.below(2 * STALLS_TYPICAL);
        const lpu_port_stalls stalls = stalls_of(v, v->seed + i, number(v, "stalls", share));
        const top_manner manner = manner_of(v, &dice);
        top_random made;
        top_random_make(&made, &layout, v->seed + i, (uint32_t)number(v, "operations", 12));
        top_pair pair(&layout, made.image, made.eps, made.score_scale, &stalls, &manner);
        for (int error = LPU_ERROR_ILLEGAL; error <= TOP_RESET && v->is_equal; error++) {
            /* There are many ways to be illegal. */
            const int times = error == LPU_ERROR_ILLEGAL ? 6 : 1;
            bool is_done = false;
            for (int turn = 0; turn < times && v->is_equal; turn++) {
                top_verdict verdict;
                uint64_t draw = dice.next() >> 1;
                if (error == LPU_ERROR_ILLEGAL)
                    draw = illegal(draw, (v->seed + i) * (uint64_t)times + (uint64_t)turn);
                if (!pair.provoke(&made.program, error, draw, &verdict)) continue;
                is_done = true;
                v->bins.error(error, v->is_stalling);
                add(v, &verdict);
            }
            if (!is_done) continue;
            if (v->is_equal) run(v, &pair, &made.program);
        }
    }
    lpu_layout_close(&layout);
}

/* ---- the answer ---- */

void answer(const verify *v, FILE *f, const char *refusal)
{
    json_t *object = json_pack("{s:s s:s s:I s:O s:O}", "kind",
                               refusal       ? "refused"
                               : v->is_equal ? "equal"
                                             : "differs",
                               "design", v->design.name, "seed", (json_int_t)v->seed, "programs",
                               v->programs, "tokens", v->tokens);
    if (refusal) json_object_set_new(object, "text", json_string(refusal));
    if (v->difference) json_object_set(object, "difference", v->difference);
    json_dumpf(object, f, JSON_INDENT(1));
    fprintf(f, "\n");
    json_decref(object);
}

void open_design(verify *v)
{
    lpu_diag diag = {""};
    if (lpu_design_load(&v->design, text(v, "design").c_str(), &diag)) top_throw(&diag);
}

} // namespace

int main(int argc, char **argv)
{
    verify v = {};

    for (int i = 1; i < argc; i++) {
        const char *equals = strchr(argv[i], '=');
        if (equals) v.given[std::string(argv[i], (size_t)(equals - argv[i]))] = equals + 1;
    }
    v.seed = number(&v, "seed", 1);
    v.programs = json_array();
    v.tokens = json_array();
    v.is_equal = true;
    const bool is_server = number(&v, "serve", 0);
    FILE *const asked = fdopen(3, "w"), *const f = asked ? asked : stdout;
    const std::string trace = text(&v, "trace"), coverage = text(&v, "coverage");
    const char *refusal = nullptr;
    std::string why;
    bool is_open = false;
    try {
        open_design(&v);
        top_rtl_open(v.seed, trace.empty() ? nullptr : trace.c_str(), number(&v, "from", 0),
                     number(&v, "to", UINT64_MAX));
        is_open = true;
        if (is_server) serve(&v, f);
        else if (!text(&v, "model").empty()) run_model(&v);
        else if (number(&v, "faults", 0)) run_faults(&v);
        else run_made(&v);
    } catch (const std::exception &e) {
        why = e.what();
        refusal = why.c_str();
    }
    if (!text(&v, "bins").empty() && !v.bins.save(text(&v, "bins")) && !refusal) {
        why = text(&v, "bins") + ": cannot write";
        refusal = why.c_str();
    }
    if (is_open) top_rtl_close(coverage.empty() ? nullptr : coverage.c_str());
    if (!is_server) answer(&v, f, refusal);
    else if (refusal) reply(f, nullptr, 0, refusal);
    fclose(f);
    json_decref(v.programs);
    json_decref(v.tokens);
    json_decref(v.difference);
    return refusal ? EXIT_REFUSED : v.is_equal ? EXIT_EQUAL : EXIT_UNEQUAL;
}
