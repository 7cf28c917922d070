/* cli/vectors.c - lpu vectors: work for an array and its sums as files for any Verilog simulator.
 */
#include "cli/array_options.h"

#include "sim/array_cases.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { PATH_BYTES = 4096, COPY_BYTES = 65536 };

typedef struct options {
    lpu_array_options array;
    const char *out;
    uint32_t seed, sums;
    bool is_array;
} options;

/* ---- words for $readmemh: most significant byte first ---- */

static void put_bytes(FILE *f, const uint8_t *bytes, size_t count)
{
    for (size_t i = count; i-- > 0;) fprintf(f, "%02x", bytes[i]);
    fputc('\n', f);
}

/* {lines, rows, passes: 16 bits each; accum 8, column 4, last 4} */
static void put_cmds(FILE *f, const lpu_array_work *w)
{
    for (size_t i = 0; i < w->cmd_count; i++) {
        const lpu_array_cmd *c = &w->cmds[i];
        fprintf(f, "%04x%04x%04x%02x%x%x\n", c->lines, c->rows, c->passes, (unsigned)c->accum,
                (unsigned)c->is_column, (unsigned)c->is_last);
    }
}

static void put_weights(FILE *f, const lpu_array_work *w)
{
    const size_t bytes = (size_t)w->config.lines * w->line_bytes;
    for (size_t i = 0; i < w->beat_count; i++) put_bytes(f, w->beats + i * bytes, bytes);
}

static void put_vectors(FILE *f, const lpu_array_work *w)
{
    const size_t bytes = w->config.cols;
    for (size_t i = 0; i < w->vector_count; i++)
        put_bytes(f, (const uint8_t *)w->vectors + i * bytes, bytes);
}

/* {lanes that count: 16 bits; sums of out_lanes x 32 bits, lane 0 lowest} */
static void put_sums(FILE *f, const lpu_array_work *w)
{
    const uint32_t lanes = w->config.out_lanes;

    for (size_t i = 0; i < w->y_count; i++) {
        fprintf(f, "%04x", w->ys[i].lanes);
        for (uint32_t lane = lanes; lane-- > 0;)
            fprintf(f, "%08x", (uint32_t)w->expected[i * lanes + lane]);
        fputc('\n', f);
    }
}

/* What the testbench needs to know of the array and of the files. */
static void put_config(FILE *f, const lpu_array_work *w)
{
    const lpu_array_config *c = &w->config;
    const struct {
        const char *name;
        size_t value;
    } rows[] = {
        {"Rows", c->rows},
        {"Cols", c->cols},
        {"Lines", c->lines},
        {"PassesMax", c->passes_max},
        {"OutLanes", c->out_lanes},
        {"Code", (size_t)c->code},
        {"Cmds", w->cmd_count},
        {"Beats", w->beat_count},
        {"Vectors", w->vector_count},
        {"Sums", w->y_count},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        fprintf(f, "localparam %s = %zu;\n", rows[i].name, rows[i].value);
}

static void put_readme(FILE *f, const lpu_array_work *w)
{
    fprintf(
        f,
        "# Work for an array of %u x %u\n\n"
        "Directed, random and matrix work, seed and sizes as given to `lpu vectors`, and the sums\n"
        "that the definition says come out. All words are hexadecimal, one per line, for\n"
        "`$readmemh`. Every stream is in order; each may stall at any time. The meaning of the\n"
        "ports is in rtl/README.md of Setun.\n\n"
        "| file | words | a word is, from its most significant end |\n|---|---|---|\n"
        "| `cmd.hex` | %zu | lines, rows, passes: 16 bits each; accum 8 (0 clear, 1 add, 2 "
        "Horner), column 4, last 4 |\n"
        "| `w.hex` | %zu | w_data_i: %u line(s) of %u bytes, the first line lowest |\n"
        "| `x.hex` | %zu | x_data_i: %u signed bytes, column 0 lowest |\n"
        "| `y.hex` | %zu | lanes that count, 16 bits; y_data_o: %u sums of 32 bits, lane 0 "
        "lowest |\n"
        "| `config.vh` | | the parameters and the number of words, as localparams |\n\n"
        "`tb.v` is a testbench in Verilog-2005. In this folder, with the array's files after "
        "it:\n\n"
        "    iverilog -g2005 -DTOP=lpu_array -o tb.vvp tb.v ARRAY.v...\n"
        "    vvp -N tb.vvp             # streams always ready\n"
        "    vvp -N tb.vvp +gaps=1     # with gaps, drawn from that seed\n\n"
        "It prints `ok` or `not ok` with the first beat that differs, and stops with an error.\n",
        w->config.rows, w->config.cols, w->cmd_count, w->beat_count, w->config.lines, w->line_bytes,
        w->vector_count, w->config.cols, w->y_count, w->config.out_lanes);
}

/* The testbench is the same for every array; it reads config.vh. */
static void put_bench(FILE *f, const lpu_array_work *w)
{
    char path[PATH_BYTES], *text = malloc(COPY_BYTES);

    (void)w;
    snprintf(path, sizeof(path), "%s/rtl/verify/vectors_tb.v", lpu_array_options_home());
    FILE *from = fopen(path, "r");
    const size_t n = from && text ? fread(text, 1, COPY_BYTES, from) : 0;
    if (n) fwrite(text, 1, n, f);
    if (from) fclose(from);
    free(text);
}

static lpu_status write_file(const char *dir, const char *name,
                             void (*put)(FILE *, const lpu_array_work *), const lpu_array_work *w,
                             lpu_diag *diag)
{
    char path[PATH_BYTES];

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    FILE *f = fopen(path, "w");
    if (!f) return lpu_fail(diag, LPU_ERR_IO, "%s: cannot write: %s", path, strerror(errno));
    put(f, w);
    const bool is_empty = ftell(f) <= 0;
    const bool has_failed = ferror(f) != 0;
    if (fclose(f) || has_failed)
        return lpu_fail(diag, LPU_ERR_IO, "%s: cannot write: %s", path, strerror(errno));
    if (!is_empty) return LPU_OK;
    return lpu_fail(
        diag, LPU_ERR_IO,
        "%s: nothing to write: rtl/verify/vectors_tb.v is not in %s (LPU_HOME names the "
        "sources)",
        path, lpu_array_options_home());
}

static lpu_status write_all(const char *dir, const lpu_array_work *w, lpu_diag *diag)
{
    static const struct {
        const char *name;
        void (*put)(FILE *, const lpu_array_work *);
    } files[] = {
        {"cmd.hex", put_cmds},     {"w.hex", put_weights},    {"x.hex", put_vectors},
        {"y.hex", put_sums},       {"config.vh", put_config}, {"tb.v", put_bench},
        {"README.md", put_readme},
    };
    lpu_status status = LPU_OK;

    if (mkdir(dir, 0777) && errno != EEXIST)
        return lpu_fail(diag, LPU_ERR_IO, "%s: cannot make the folder: %s", dir, strerror(errno));
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]) && !status; i++)
        status = write_file(dir, files[i].name, files[i].put, w, diag);
    return status;
}

/* The work of lpu verify, all of it in one stream. */
static lpu_status add_work(lpu_array_work *w, uint32_t sums, lpu_diag *diag)
{
    for (const lpu_array_case *c = lpu_array_cases; c->name; c++) c->add(w);
    lpu_array_cases_random(w, sums);
    return lpu_array_cases_matrix(w, 3 * w->config.rows + (w->config.rows + 1) / 2,
                                  7 * w->config.cols + (w->config.cols + 1) / 2, diag);
}

static lpu_status check(const options *o, lpu_array_config *config, lpu_diag *diag)
{
    if (!o->is_array)
        return lpu_fail(diag, LPU_ERR_RANGE,
                        "found nothing to write vectors for, expected --array");
    if (!o->out) return lpu_fail(diag, LPU_ERR_RANGE, "found no --out, expected a folder to write");
    return lpu_array_options_read(&o->array, config, diag);
}

int lpu_command_vectors(int argc, char **argv)
{
    options o = {.array = LPU_ARRAY_OPTIONS_DEFAULT, .seed = 1, .sums = 200};
    const lpu_option list[] = {
        {"--array", NULL, "vectors for an array", NULL, NULL, &o.is_array},
        {"--out", "DIR", "the folder to write", &o.out, NULL, NULL},
        LPU_ARRAY_OPTION_ROWS(o.array),
        {"--seed", "N", "of the random work (1)", NULL, &o.seed, NULL},
        {"--sums", "N", "of random tiles, beside the directed cases (200)", NULL, &o.sums, NULL},
        {0},
    };
    const lpu_usage usage = {
        .name = "vectors",
        .text = "write work for an array, and its sums, as files for any Verilog simulator",
        .examples = "lpu vectors --array --out /tmp/vectors\n"
                    "lpu vectors --array --rows 16 --cols 40 --code 2bit --out /tmp/vectors-2bit\n",
        .options = list,
    };
    int exit_code;
    lpu_diag diag = {""};
    lpu_array_config config;
    lpu_array_work work = {0};

    if (lpu_cli_parse(&usage, argc, argv, &exit_code), exit_code >= 0) return exit_code;
    lpu_status status = check(&o, &config, &diag);
    if (status) {
        lpu_cli_fail(&usage, &diag);
        return LPU_EXIT_USAGE;
    }
    status = lpu_array_work_open(&work, &config, o.seed, &diag);
    if (!status) status = add_work(&work, o.sums, &diag);
    if (!status) status = write_all(o.out, &work, &diag);
    if (!status) {
        printf("%s: %zu tiles, %zu beats of weights, %zu vectors, %zu beats of sums; seed %u\n",
               o.out, work.cmd_count, work.beat_count, work.vector_count, work.y_count, o.seed);
    }
    lpu_array_work_close(&work);
    return status ? lpu_cli_fail(&usage, &diag) : LPU_EXIT_OK;
}
