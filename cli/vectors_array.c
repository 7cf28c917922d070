/* cli/vectors_array.c - work for an array, and its sums, as files. */
#include "cli/vectors.h"

#include "sim/array_cases.h"

/* ---- words for $readmemh: most significant byte first ---- */

/* {lines, rows, passes: 16 bits each; accum 8, column 4, last 4} */
static void put_cmds(FILE *f, const void *work)
{
    const lpu_array_work *w = work;
    for (size_t i = 0; i < w->cmd_count; i++) {
        const lpu_array_cmd *c = &w->cmds[i];
        fprintf(f, "%04x%04x%04x%02x%x%x\n", c->lines, c->rows, c->passes, (unsigned)c->accum,
                (unsigned)c->is_column, (unsigned)c->is_last);
    }
}

static void put_weights(FILE *f, const void *work)
{
    const lpu_array_work *w = work;
    const size_t bytes = (size_t)w->config.lines * w->line_bytes;
    for (size_t i = 0; i < w->beat_count; i++)
        lpu_vectors_put_bytes(f, w->beats + i * bytes, bytes);
}

static void put_vectors(FILE *f, const void *work)
{
    const lpu_array_work *w = work;
    const size_t bytes = w->config.cols;
    for (size_t i = 0; i < w->vector_count; i++)
        lpu_vectors_put_bytes(f, (const uint8_t *)w->vectors + i * bytes, bytes);
}

/* {lanes that count: 16 bits; sums of out_lanes x 32 bits, lane 0 lowest} */
static void put_sums(FILE *f, const void *work)
{
    const lpu_array_work *w = work;
    const uint32_t lanes = w->config.out_lanes;

    for (size_t i = 0; i < w->y_count; i++) {
        fprintf(f, "%04x", w->ys[i].lanes);
        for (uint32_t lane = lanes; lane-- > 0;)
            fprintf(f, "%08x", (uint32_t)w->expected[i * lanes + lane]);
        fputc('\n', f);
    }
}

/* What the testbench needs to know of the array and of the files. */
static void put_config(FILE *f, const void *work)
{
    const lpu_array_work *w = work;
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

static void put_readme(FILE *f, const void *work)
{
    const lpu_array_work *w = work;
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

static void put_bench(FILE *f, const void *work)
{
    (void)work; /* the testbench is the same for every array; it reads config.vh */
    lpu_vectors_put_source(f, "rtl/verify/vectors_tb.v");
}

static lpu_status write_all(const char *dir, const lpu_array_work *w, lpu_diag *diag)
{
    static const struct {
        const char *name;
        void (*put)(FILE *, const void *);
    } files[] = {
        {"cmd.hex", put_cmds},     {"w.hex", put_weights},    {"x.hex", put_vectors},
        {"y.hex", put_sums},       {"config.vh", put_config}, {"tb.v", put_bench},
        {"README.md", put_readme},
    };
    lpu_status status = lpu_vectors_folder(dir, diag);

    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]) && !status; i++)
        status = lpu_vectors_write(dir, files[i].name, files[i].put, w, diag);
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

lpu_status lpu_vectors_array(const lpu_vectors_options *o, bool *is_usage, lpu_diag *diag)
{
    lpu_array_config config;
    lpu_array_work work = {0};
    lpu_status status = lpu_array_options_read(&o->array, &config, diag);

    *is_usage = status != LPU_OK;
    if (status) return status;
    status = lpu_array_work_open(&work, &config, o->seed, diag);
    if (!status) status = add_work(&work, o->sums, diag);
    if (!status) status = write_all(o->out, &work, diag);
    if (!status) {
        printf("%s: %zu tiles, %zu beats of weights, %zu vectors, %zu beats of sums; seed %u\n",
               o->out, work.cmd_count, work.beat_count, work.vector_count, work.y_count, o->seed);
    }
    lpu_array_work_close(&work);
    return status;
}
