/* cli/bench_libraries.c - lpu bench libraries: our products beside those of oneDNN and OpenBLAS. */
#include "cli/bench.h"

#include <math.h>

void lpu_bench_libraries_print(const lpu_measure_library *m)
{
    static const char *const heads[] = {"library", "type",  "ours",    "threads",
                                        "tokens",  "MAC/s", "ours /s", "ours / theirs"};
    lpu_table *t = lpu_table_open(8, heads);

    if (!m->has_onednn) printf("oneDNN is not here (Debian: libdnnl2 or libdnnl-dev)\n");
    if (!m->has_openblas) printf("OpenBLAS is not here (Debian: libopenblas0)\n");
    printf("Products with a matrix of %zu x %zu, weights from memory\n\n", m->rows, m->k);
    for (size_t i = 0; i < m->count; i++) {
        const lpu_measure_library_row *r = &m->row[i];
        const double theirs = lpu_bench_quoted(&r->time, r->macs_per_s);
        const double ours = lpu_bench_quoted(&r->our_time, r->our_macs_per_s);
        lpu_table_cell(t, "%s", r->name);
        lpu_table_cell(t, "%s", r->type);
        lpu_table_cell(t, "%s", lpu_bench_layout_title(r->layout));
        lpu_table_cell(t, "%u", r->threads);
        lpu_table_cell(t, "%zu", r->tokens);
        lpu_bench_put_si(t, theirs, "");
        lpu_bench_put_si(t, ours, "");
        lpu_bench_put_number(t, "%.2f", ours / theirs);
    }
    lpu_table_print(t, stdout);
    lpu_table_close(&t);
}

void lpu_bench_libraries_json(json_t *object, const lpu_measure_library *m)
{
    json_t *array = json_array();
    for (size_t i = 0; i < m->count; i++) {
        const lpu_measure_library_row *r = &m->row[i];
        json_t *o = json_object();
        json_object_set_new(o, "library", json_string(r->name));
        json_object_set_new(o, "type", json_string(r->type));
        json_object_set_new(o, "ours", json_string(lpu_bench_layout_title(r->layout)));
        json_object_set_new(o, "threads", json_integer(r->threads));
        json_object_set_new(o, "tokens", json_integer((json_int_t)r->tokens));
        lpu_bench_set_real(o, "macs_per_s", lpu_bench_quoted(&r->time, r->macs_per_s));
        lpu_bench_set_real(o, "our_macs_per_s", lpu_bench_quoted(&r->our_time, r->our_macs_per_s));
        json_array_append_new(array, o);
    }
    json_object_set_new(object, "libraries", array);
}

void lpu_bench_libraries_csv(FILE *file, const lpu_measure_library *m)
{
    fprintf(file, "library,type,ours,threads,tokens,macs_per_s,our_macs_per_s\n");
    for (size_t i = 0; i < m->count; i++) {
        const lpu_measure_library_row *r = &m->row[i];
        fprintf(file, "%s,%s,%s,%u,%zu,", r->name, r->type, lpu_bench_layout_title(r->layout),
                r->threads, r->tokens);
        lpu_bench_print_csv_real(file, lpu_bench_quoted(&r->time, r->macs_per_s));
        fputc(',', file);
        lpu_bench_print_csv_real(file, lpu_bench_quoted(&r->our_time, r->our_macs_per_s));
        fputc('\n', file);
    }
}
