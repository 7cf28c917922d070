/* cli/bench.h - what the two halves of lpu bench share: kernels, and whole models. */
#ifndef LPU_CLI_BENCH_H
#define LPU_CLI_BENCH_H

#include "cli/cli.h"
#include "kernels/measure.h"
#include "kernels/measure_library.h"
#include "kernels/measure_model.h"
#include "workloads/gguf.h"

/* "1.6-bit": the format of weights, for a person. */
const char *lpu_bench_layout_title(lpu_layout layout);

/* NAN stands for a figure that is not to be quoted: text shows "noisy", JSON null, CSV nothing. */
double lpu_bench_quoted(const lpu_sample *s, double value);
void lpu_bench_put_si(lpu_table *t, double value, const char *unit);
void lpu_bench_put_number(lpu_table *t, const char *format, double value);
void lpu_bench_set_real(json_t *object, const char *key, double value);

/* Sets every peak: "i8_" and the like before the end of its key. */
void lpu_bench_set_peaks(json_t *object, const char *end, const lpu_measure_limits *limits);
void lpu_bench_set_sample(json_t *object, const char *key, const lpu_sample *s);
void lpu_bench_print_csv_real(FILE *file, double value);

/* The kernels: tables, keys of an object, lines with heads. */
void lpu_bench_kernels_print(const lpu_measure *m);
void lpu_bench_kernels_json(json_t *object, const lpu_measure *m);
void lpu_bench_kernels_csv(FILE *file, const lpu_measure *m);

/* The tables of the figures: limits.tsv and points.tsv in a directory. */
lpu_status lpu_bench_kernels_save(const char *dir, const lpu_measure *m, lpu_diag *diag);

/* A GGUF or packed file whose weights are measured. */
typedef struct lpu_bench_file {
    lpu_gguf *file;
    lpu_weights *weights;
} lpu_bench_file;

/* Whether path is such a file, and not a name or YAML file. */
bool lpu_bench_file_is(const char *path);
lpu_status lpu_bench_file_open(lpu_bench_file *f, const char *path, lpu_diag *diag);
void lpu_bench_file_close(lpu_bench_file *f);

/* Measures a model with synthetic weights of so many layers. layouts and tests are lists with
 * commas ("f16,b3", "pp512,tg@128"), or NULL for the usual ones. */
typedef struct lpu_bench_model_options {
    const lpu_model *model;
    const lpu_weights *weights; /* of a file, all layers; NULL: synthetic ones */
    const char *layouts, *tests;
    uint32_t threads, layers, seconds;
    lpu_progress *bar;
} lpu_bench_model_options;

lpu_status lpu_bench_model_run(lpu_measure_model *out, const lpu_bench_model_options *options,
                               lpu_diag *diag);
void lpu_bench_model_print(const lpu_measure_model *m, const lpu_model *model);
void lpu_bench_model_json(json_t *object, const lpu_measure_model *m);
void lpu_bench_model_csv(FILE *file, const lpu_measure_model *m, const lpu_model *model);

/* Other libraries beside our kernels. */
void lpu_bench_libraries_print(const lpu_measure_library *m);
void lpu_bench_libraries_json(json_t *object, const lpu_measure_library *m);
void lpu_bench_libraries_csv(FILE *file, const lpu_measure_library *m);

#endif
