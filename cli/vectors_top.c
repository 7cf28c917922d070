/* cli/vectors_top.c - a pass of a model as a program for a whole LPU: memory before and after it.
 */
#include "cli/vectors.h"
#include "cli/verify.h"

#include "sim/compile.h"
#include "sim/exec.h"
#include "sim/image.h"
#include "sim/port.h"
#include "workloads/synth.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATH_BYTES = 4096 };

typedef struct vectors {
    const lpu_vectors_options *options;
    lpu_design design;
    lpu_weights *weights;
    lpu_layout layout;
    lpu_image image;
    lpu_exec *exec;
    lpu_trace *trace;
    lpu_program program;
    uint8_t *before; /* memory as the program finds it */
} vectors;

/* ---- the files ---- */

static void put_program(FILE *f, const void *what)
{
    const vectors *v = what;

    for (size_t i = 0; i < v->program.count; i++) {
        uint8_t code[LPU_INSN_BYTES];
        lpu_insn_encode(code, &v->program.insns[i]);
        lpu_vectors_put_bytes(f, code, sizeof(code));
    }
}

static size_t word_count(const vectors *v)
{
    return v->image.size_bytes / v->design.bus_bytes_per_cycle;
}

static void put_words(FILE *f, const vectors *v, const uint8_t *bytes)
{
    const size_t each = v->design.bus_bytes_per_cycle;
    for (size_t i = 0; i < word_count(v); i++) lpu_vectors_put_bytes(f, bytes + i * each, each);
}

static void put_before(FILE *f, const void *what)
{
    put_words(f, what, ((const vectors *)what)->before);
}

static void put_after(FILE *f, const void *what)
{
    put_words(f, what, ((const vectors *)what)->image.bytes);
}

static uint32_t scale_bits(lpu_scale s)
{
    return s.m | (uint32_t)(uint16_t)s.e << 16;
}

static void put_config(FILE *f, const void *what)
{
    const vectors *v = what;
    lpu_verify_parameter parameters[LPU_VERIFY_PARAMETERS];
    uint32_t depth = 2;

    while (depth < v->program.count) depth *= 2;
    lpu_verify_parameters(parameters, &v->design, depth);
    for (size_t i = 0; i < LPU_VERIFY_PARAMETERS; i++)
        fprintf(f, "localparam %s = %u;\n", parameters[i].name, parameters[i].value);
    fprintf(f, "localparam Count = %zu;\nlocalparam Words = %zu;\n", v->program.count,
            word_count(v));
    fprintf(f, "localparam [31:0] Eps = 32'h%08x;\nlocalparam [31:0] ScoreScale = 32'h%08x;\n",
            scale_bits(v->weights->eps), scale_bits(v->weights->score_scale));
}

static void put_bench(FILE *f, const void *what)
{
    (void)what;
    lpu_vectors_put_source(f, "rtl/verify/top_vectors_tb.v");
}

static void put_readme(FILE *f, const void *what)
{
    const vectors *v = what;

    fprintf(f,
            "# A pass of %s for a whole LPU of %u x %u lanes\n\n"
            "A pass of %u tokens after %u in the cache: the program, memory before it, and memory\n"
            "after it. All words are hexadecimal, one per line, for `$readmemh`. The meaning of\n"
            "ports and registers is in rtl/README.md of Setun.\n\n"
            "| file | words | a word is |\n|---|---|---|\n"
            "| `program.hex` | %zu | an instruction of 64 bytes, its first byte lowest |\n"
            "| `memory.hex`, `expected.hex` | %zu | %u bytes from address 0 on, the first lowest "
            "|\n"
            "| `config.vh` | | the parameters, the number of words, EPS and SCORE_SCALE |\n\n"
            "`tb.v` is a testbench in Verilog-2005: host, memory and judge. In this folder, with\n"
            "the LPU's files after it:\n\n"
            "    iverilog -g2005 -DTOP=lpu_top -IRTL -o tb.vvp tb.v RTL/*.v\n"
            "    vvp -N tb.vvp             # memory always ready, 20 clocks away\n"
            "    vvp -N tb.vvp +gaps=1     # with gaps, drawn from that seed\n\n"
            "It prints `ok` or `not ok` with the first word that differs, and stops with an "
            "error.\n",
            v->weights->model.name, v->design.rows, v->design.cols, v->options->tokens,
            v->options->context, v->program.count, word_count(v), v->design.bus_bytes_per_cycle);
}

/* ---- the pass ---- */

/* A GGUF file as it is; a shape with weights made for it. */
static lpu_status open_weights(vectors *v, const char *name, uint32_t capacity, lpu_diag *diag)
{
    char path[PATH_BYTES];
    const size_t length = strlen(name);
    lpu_model shape;

    if (length > 5 && !strcmp(name + length - 5, ".gguf")) {
        return lpu_weights_open(&v->weights, name, v->design.head_trits, capacity, diag);
    }
    lpu_status status = lpu_model_load(&shape, name, diag);
    if (status) return status;
    const lpu_synth synth = {.model = &shape,
                             .type = LPU_QUANT_TQ2_0,
                             .embed_type = LPU_QUANT_F16,
                             .zero_share = shape.zero_share,
                             .seed = v->options->seed};
    snprintf(path, sizeof(path), "%s/made.gguf", v->options->out);
    status = lpu_synth_write(path, &synth, diag);
    if (!status) {
        status = lpu_weights_open(&v->weights, path, v->design.head_trits, capacity, diag);
    }
    unlink(path);
    return status;
}

/* Compiles a pass of count tokens after context, drawn from the seed. */
static lpu_status compile(vectors *v, uint32_t count, uint32_t context, lpu_diag *diag)
{
    const lpu_phase phase = count == 1 && context ? LPU_PHASE_DECODE : LPU_PHASE_PREFILL;
    const uint32_t vocab = v->weights->model.vocab_elems;
    int32_t *tokens = malloc(count * sizeof(*tokens));

    lpu_program_close(&v->program);
    lpu_trace_close(&v->trace);
    if (!tokens) return lpu_fail(diag, LPU_ERR_MEMORY, "out of memory");
    for (uint32_t i = 0; i < count; i++) {
        tokens[i] = (int32_t)((v->options->seed + context + i) * 2654435761u % vocab);
    }
    lpu_status status =
        lpu_trace_open(&v->trace, &v->weights->model, phase, count, context, 1, diag);
    const lpu_compile_request request = {
        .layout = &v->layout, .trace = v->trace, .tokens = tokens, .weights = v->weights};
    if (!status) status = lpu_compile(&v->program, &request, diag);
    free(tokens);
    return status;
}

static lpu_status execute(vectors *v, lpu_diag *diag)
{
    lpu_status status = LPU_OK;
    for (size_t i = 0; i < v->program.count && !status; i++) {
        status = lpu_exec_step(v->exec, &v->program.insns[i], diag);
    }
    return status;
}

static lpu_status open_machine(vectors *v, uint32_t capacity, lpu_diag *diag)
{
    lpu_status status =
        lpu_layout_open(&v->layout, &v->weights->model, &v->design, 1, capacity, diag);
    if (!status) status = lpu_image_open(&v->image, &v->layout, v->weights, diag);
    if (status) return status;
    const lpu_exec_config config = {.rows = v->design.rows,
                                    .cols = v->design.cols,
                                    .code = v->design.code,
                                    .scratch_bytes = (uint64_t)v->design.scratch_kib * 1024,
                                    .eps = v->weights->eps,
                                    .score_scale = v->weights->score_scale,
                                    .memory = v->image.bytes,
                                    .memory_bytes = v->image.size_bytes};
    return lpu_exec_open(&v->exec, &config, diag);
}

/* Memory before, the program, memory after. */
static lpu_status make(vectors *v, lpu_diag *diag)
{
    const uint32_t tokens = v->options->tokens, context = v->options->context;
    lpu_status status = LPU_OK;

    if (context) status = compile(v, context, 0, diag);
    if (context && !status) status = execute(v, diag);
    if (!status) status = compile(v, tokens, context, diag);
    if (status) return status;
    v->before = malloc(v->image.size_bytes);
    if (!v->before) return lpu_fail(diag, LPU_ERR_MEMORY, "out of memory");
    memcpy(v->before, v->image.bytes, v->image.size_bytes);
    return execute(v, diag);
}

static lpu_status write_all(const vectors *v, lpu_diag *diag)
{
    static const struct {
        const char *name;
        void (*put)(FILE *, const void *);
    } files[] = {
        {"program.hex", put_program}, {"memory.hex", put_before}, {"expected.hex", put_after},
        {"config.vh", put_config},    {"tb.v", put_bench},        {"README.md", put_readme},
    };
    lpu_status status = LPU_OK;

    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]) && !status; i++) {
        status = lpu_vectors_write(v->options->out, files[i].name, files[i].put, v, diag);
    }
    return status;
}

static void close_vectors(vectors *v)
{
    lpu_program_close(&v->program);
    lpu_trace_close(&v->trace);
    lpu_exec_close(&v->exec);
    lpu_image_close(&v->image);
    lpu_layout_close(&v->layout);
    lpu_weights_close(&v->weights);
    free(v->before);
}

lpu_status lpu_vectors_top(const lpu_vectors_options *o, bool *is_usage, lpu_diag *diag)
{
    char design[PATH_BYTES], model[PATH_BYTES];
    vectors v = {.options = o};
    const uint32_t capacity = o->context + o->tokens;

    snprintf(design, sizeof(design), "%s/tests/top/designs/small-8x10.yaml",
             lpu_array_options_home());
    snprintf(model, sizeof(model), "%s/tests/top/models/tiny.yaml", lpu_array_options_home());
    lpu_status status = lpu_design_load(&v.design, o->design ? o->design : design, diag);
    if (!status) status = lpu_verify_check_design(&v.design, diag);
    if (!status && (!o->tokens || capacity < o->tokens)) {
        status = lpu_fail(diag, LPU_ERR_RANGE, "found --tokens %u, expected at least 1", o->tokens);
    }
    *is_usage = status != LPU_OK;
    if (!status) status = lpu_vectors_folder(o->out, diag);
    if (!status) status = open_weights(&v, o->model ? o->model : model, capacity, diag);
    if (!status) status = open_machine(&v, capacity, diag);
    if (!status) status = make(&v, diag);
    if (!status) status = write_all(&v, diag);
    if (!status) {
        printf("%s: %zu instructions, %zu words of memory; seed %u\n", o->out, v.program.count,
               word_count(&v), o->seed);
    }
    close_vectors(&v);
    return status;
}
