/* cli/pack.c - lpu pack: a GGUF file whose weights lie as this CPU's kernels read them. */
#include "cli/cli.h"

#include "kernels/packed.h"
#include "workloads/gguf.h"
#include "workloads/ternary.h"

#include <string.h>
#include <sys/stat.h>

typedef struct options {
    const char *model, *type, *out;
    uint32_t head_trits, threads;
} options;

static lpu_status read_layout(lpu_layout *layout, const char *name, lpu_diag *diag)
{
    static const lpu_layout known[] = {LPU_LAYOUT_B3, LPU_LAYOUT_T2, LPU_LAYOUT_B1, LPU_LAYOUT_I4,
                                       LPU_LAYOUT_I8};

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        *layout = known[i];
        if (!strcmp(lpu_layout_name(*layout), name)) return LPU_OK;
    }
    return lpu_fail(diag, LPU_ERR_RANGE, "found --type %s, expected b3, t2, b1, i4 or i8", name);
}

static lpu_status read_options(const options *o, lpu_packed_options *p, lpu_diag *diag)
{
    if (!o->model) return lpu_fail(diag, LPU_ERR_RANGE, "found no --model, expected a GGUF file");
    if (!o->out) return lpu_fail(diag, LPU_ERR_RANGE, "found no --out, expected a file to write");
    if (o->head_trits < 3 || o->head_trits > LPU_TRITS_MAX) {
        return lpu_fail(diag, LPU_ERR_RANGE, "found --head-trits %u, expected 3 to %d",
                        o->head_trits, LPU_TRITS_MAX);
    }
    *p = (lpu_packed_options){.head_trits = o->head_trits, .threads = o->threads};
    return read_layout(&p->layout, o->type, diag);
}

/* Writing over the file that is being read would leave neither. */
static lpu_status check_out(const options *o, lpu_diag *diag)
{
    struct stat from, to;

    if (stat(o->model, &from) || stat(o->out, &to)) return LPU_OK;
    if (from.st_dev != to.st_dev || from.st_ino != to.st_ino) return LPU_OK;
    return lpu_fail(diag, LPU_ERR_RANGE, "found --out %s, the file to pack, expected another name",
                    o->out);
}

static lpu_status pack(const options *o, lpu_packed_options *p, lpu_diag *diag)
{
    lpu_gguf *source;
    lpu_progress bar;
    lpu_status status = lpu_gguf_open(&source, o->model, diag);

    if (status) return status;
    lpu_progress_init(&bar, "packing");
    p->progress = lpu_progress_show;
    p->user = &bar;
    status = lpu_packed_save(o->out, source, p, diag);
    lpu_progress_end(&bar);
    lpu_gguf_close(&source);
    return status;
}

int lpu_command_pack(int argc, char **argv)
{
    options o = {.type = "b3", .head_trits = LPU_TRITS_MAX};
    const lpu_option list[] = {
        {"--model", "FILE", "a GGUF file of a ternary or binary model", &o.model, NULL, NULL},
        {"--out", "FILE", "the packed file to write", &o.out, NULL, NULL},
        {"--type", "TYPE", "of the linear layers: b3, t2, b1, i4 or i8; 1.6 bits are b3 [b3]",
         &o.type, NULL, NULL},
        {"--head-trits", "T", "of an embedding or head weight, 3 to 5 [5]", NULL, &o.head_trits,
         NULL},
        {"--threads", "N", "that pack [all cores]", NULL, &o.threads, NULL},
        {0},
    };
    const lpu_usage usage = {
        .name = "pack",
        .text = "lay the weights of a GGUF file out ahead of time, so that lpu run maps them and "
                "begins",
        .examples = "lpu synth --layers 2 --out /tmp/two-layers.gguf\n"
                    "lpu pack --model /tmp/two-layers.gguf --out /tmp/two-layers.packed\n"
                    "lpu run --model /tmp/two-layers.packed --tokens 1,2,3\n"
                    "lpu bench model --model /tmp/two-layers.packed --tests tg --seconds 2\n",
        .options = list,
    };
    int exit_code;
    lpu_diag diag = {""};
    lpu_packed_options p;
    struct stat info = {0};
    char size[32];

    if (lpu_cli_parse(&usage, argc, argv, &exit_code), exit_code >= 0) return exit_code;
    lpu_status status = read_options(&o, &p, &diag);
    if (!status) status = check_out(&o, &diag);
    if (status) {
        lpu_cli_fail(&usage, &diag);
        return LPU_EXIT_USAGE;
    }
    if (pack(&o, &p, &diag)) return lpu_cli_fail(&usage, &diag);
    (void)stat(o.out, &info);
    printf("%s: %s, for lpu run and lpu bench model on this CPU; keep %s for others\n", o.out,
           lpu_cli_si(size, (double)info.st_size, "B"), o.model);
    return LPU_EXIT_OK;
}
