/* cli/synth.c - lpu synth: a GGUF file of a shipped model, with weights made from a seed. */
#include "cli/cli.h"

#include "workloads/model.h"
#include "workloads/synth.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

typedef struct options {
    const char *model, *type, *embed, *zeros, *out;
    uint32_t seed, layers;
} options;

static const char *const type_names = "f32, f16, bf16, tq1_0, tq2_0, i2_s or q1_0";
static const char *const embed_names = "f32, f16, bf16, q8_0 or q4_0";

/* A share given on the command line; the model's own where there is none. */
static lpu_status read_zeros(const char *text, const lpu_model *model, double *share,
                             lpu_diag *diag)
{
    char *end;

    *share = model->zero_share;
    if (!text) return LPU_OK;
    *share = strtod(text, &end);
    if (end != text && !*end && *share >= 0 && *share <= 1) return LPU_OK;
    return lpu_fail(diag, LPU_ERR_RANGE, "found --zeros %s, expected a share from 0 to 1", text);
}

static lpu_status read_type(const char *option, const char *name, const char *expected,
                            lpu_quant *type, lpu_diag *diag)
{
    const lpu_quant_info *info = lpu_quants_named(name);

    if (!info) {
        return lpu_fail(diag, LPU_ERR_RANGE, "found %s %s, expected %s", option, name, expected);
    }
    *type = info->type;
    return LPU_OK;
}

static lpu_status read_synth(const options *o, lpu_model *model, lpu_synth *synth, lpu_diag *diag)
{
    if (!o->out) return lpu_fail(diag, LPU_ERR_RANGE, "found no --out, expected a file to write");

    lpu_status status = lpu_model_load(model, o->model, diag);
    if (status) return status;
    if (o->layers) model->layers = model->kv_layers = o->layers;
    *synth = (lpu_synth){.model = model, .seed = o->seed};

    const char *type = model->weights == LPU_WEIGHTS_BINARY ? "q1_0" : "tq2_0";
    status = read_type("--type", o->type ? o->type : type, type_names, &synth->type, diag);
    if (!status) status = read_type("--embed", o->embed, embed_names, &synth->embed_type, diag);
    if (!status) status = read_zeros(o->zeros, model, &synth->zero_share, diag);
    return status;
}

static void print_done(const lpu_synth *synth, const char *path)
{
    char size[32];
    struct stat info = {0};

    (void)stat(path, &info);
    printf("%s: %s, %u layers, %s weights, %s, seed %llu\n", path, synth->model->title,
           synth->model->layers, lpu_quants_find((uint32_t)synth->type)->name,
           lpu_cli_si(size, (double)info.st_size, "B"), (unsigned long long)synth->seed);
}

int lpu_command_synth(int argc, char **argv)
{
    options o = {.model = "bitnet-b1.58-2b4t", .embed = "f16", .seed = 1};
    const lpu_option list[] = {
        {"--model", "NAME", "a shipped model, or a YAML file (bitnet-b1.58-2b4t)", &o.model, NULL,
         NULL},
        {"--type", "TYPE", "of the linear layers (tq2_0; q1_0 for binary models)", &o.type, NULL,
         NULL},
        {"--embed", "TYPE", "of embedding and head (f16)", &o.embed, NULL, NULL},
        {"--zeros", "SHARE", "of the ternary weights, 0 to 1 (the model's own)", &o.zeros, NULL,
         NULL},
        {"--layers", "N", "write only so many layers (0: all)", NULL, &o.layers, NULL},
        {"--seed", "N", "the same seed makes the same bytes (1)", NULL, &o.seed, NULL},
        {"--out", "FILE", "the file to write", &o.out, NULL, NULL},
        {0},
    };
    const lpu_usage usage = {
        .name = "synth",
        .text = "write a GGUF file of a shipped model with synthetic weights",
        .examples = "lpu synth --layers 2 --out /tmp/two-layers.gguf\n"
                    "lpu synth --model bitnet-b1.58-700m --type i2_s --out /tmp/700m.gguf\n",
        .options = list,
    };
    int exit_code;
    lpu_diag diag = {""};
    lpu_model model;
    lpu_synth synth;
    lpu_progress bar;

    if (lpu_cli_parse(&usage, argc, argv, &exit_code), exit_code >= 0) return exit_code;
    lpu_status status = read_synth(&o, &model, &synth, &diag);
    if (status) {
        lpu_cli_fail(&usage, &diag);
        return LPU_EXIT_USAGE;
    }
    lpu_progress_init(&bar, "writing");
    synth.progress = lpu_progress_show;
    synth.user = &bar;
    status = lpu_synth_write(o.out, &synth, &diag);
    lpu_progress_end(&bar);
    if (status) return lpu_cli_fail(&usage, &diag);
    print_done(&synth, o.out);
    return LPU_EXIT_OK;
}
