/* cli/vectors.c - lpu vectors: work and what must come of it, as files for any Verilog simulator.
 */
#include "cli/vectors.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { PATH_BYTES = 4096, COPY_BYTES = 65536 };

/* ---- files ---- */

void lpu_vectors_put_bytes(FILE *f, const uint8_t *bytes, size_t count)
{
    for (size_t i = count; i-- > 0;) fprintf(f, "%02x", bytes[i]);
    fputc('\n', f);
}

void lpu_vectors_put_source(FILE *f, const char *source)
{
    char path[PATH_BYTES], *text = malloc(COPY_BYTES);

    snprintf(path, sizeof(path), "%s/%s", lpu_array_options_home(), source);
    FILE *from = fopen(path, "r");
    const size_t n = from && text ? fread(text, 1, COPY_BYTES, from) : 0;
    if (n) fwrite(text, 1, n, f);
    if (from) fclose(from);
    free(text);
}

lpu_status lpu_vectors_folder(const char *dir, lpu_diag *diag)
{
    if (!mkdir(dir, 0777) || errno == EEXIST) return LPU_OK;
    return lpu_fail(diag, LPU_ERR_IO, "%s: cannot make the folder: %s", dir, strerror(errno));
}

lpu_status lpu_vectors_write(const char *dir, const char *name, void (*put)(FILE *, const void *),
                             const void *what, lpu_diag *diag)
{
    char path[PATH_BYTES];

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    FILE *f = fopen(path, "w");
    if (!f) return lpu_fail(diag, LPU_ERR_IO, "%s: cannot write: %s", path, strerror(errno));
    put(f, what);
    const bool is_empty = ftell(f) <= 0;
    const bool has_failed = ferror(f) != 0;
    if (fclose(f) || has_failed)
        return lpu_fail(diag, LPU_ERR_IO, "%s: cannot write: %s", path, strerror(errno));
    if (!is_empty) return LPU_OK;
    return lpu_fail(diag, LPU_ERR_IO,
                    "%s: nothing to write: the testbench is not in %s (LPU_HOME names the sources)",
                    path, lpu_array_options_home());
}

int lpu_command_vectors(int argc, char **argv)
{
    lpu_vectors_options o = {
        .array = LPU_ARRAY_OPTIONS_DEFAULT, .seed = 1, .sums = 200, .tokens = 2};
    const lpu_option list[] = {
        {"--out", "DIR", "the folder to write", &o.out, NULL, NULL},
        {"--model", "NAME",
         "a pass of a GGUF file, or of a shape with made weights (tests/top/models/tiny.yaml)",
         &o.model, NULL, NULL},
        {"--design", "NAME", "a design, or a YAML file (tests/top/designs/small-8x10.yaml)",
         &o.design, NULL, NULL},
        {"--tokens", "N", "of the pass (2)", NULL, &o.tokens, NULL},
        {"--context", "N", "tokens in the cache before (0)", NULL, &o.context, NULL},
        {"--array", NULL, "vectors for an array alone", NULL, NULL, &o.is_array},
        LPU_ARRAY_OPTION_ROWS(o.array),
        {"--sums", "N", "array: of random tiles, beside the directed cases (200)", NULL, &o.sums,
         NULL},
        {"--seed", "N", "of what is random (1)", NULL, &o.seed, NULL},
        {0},
    };
    const lpu_usage usage = {
        .name = "vectors",
        .text = "write work for an LPU or an array, and what must come of it, as files for any "
                "Verilog simulator",
        .examples = "lpu vectors --out /tmp/vectors-top\n"
                    "lpu vectors --array --out /tmp/vectors\n"
                    "lpu vectors --array --rows 16 --cols 40 --code 2bit --out /tmp/vectors-2bit\n",
        .options = list,
    };
    int exit_code;
    bool is_usage = true;
    lpu_diag diag = {""};
    lpu_status status = LPU_OK;

    if (lpu_cli_parse(&usage, argc, argv, &exit_code), exit_code >= 0) return exit_code;
    if (!o.out) {
        status = lpu_fail(&diag, LPU_ERR_RANGE, "found no --out, expected a folder to write");
    }
    if (!status) {
        status = o.is_array ? lpu_vectors_array(&o, &is_usage, &diag)
                            : lpu_vectors_top(&o, &is_usage, &diag);
    }
    if (!status) return LPU_EXIT_OK;
    lpu_cli_fail(&usage, &diag);
    return is_usage ? LPU_EXIT_USAGE : LPU_EXIT_FAILED;
}
