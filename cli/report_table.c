/* cli/report_table.c - tab-separated tables: a comment, a line of heads, rows. */
#include "cli/report_table.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name, *note, *columns;
} tables[] = {
#define LPU_REPORT_TABLE(name, text, columns) {#name, text, columns},
#include "cli/report_tables.def"
#undef LPU_REPORT_TABLE
};

const char *lpu_report_table_name(lpu_report_table_id id)
{
    return tables[id].name;
}

static size_t count_of(const char *text, char what)
{
    size_t n = 0;
    for (; *text; text++) n += *text == what;
    return n;
}

lpu_status lpu_report_writer_open(lpu_report_writer *w, const char *out, lpu_report_table_id id,
                                  lpu_diag *diag)
{
    char path[4096];

    *w = (lpu_report_writer){.columns = count_of(tables[id].columns, '\t') + 1};
    const int bytes = snprintf(path, sizeof(path), "%s/tables/%s.tsv", out, tables[id].name);
    if (bytes < 0 || (size_t)bytes >= sizeof(path)) {
        return lpu_fail(diag, LPU_ERR_RANGE, "report: the path of the output folder is too long");
    }
    const lpu_status status = lpu_output_open(&w->output, path, &w->file, diag);
    if (!status) fprintf(w->file, "# %s\n%s\n", tables[id].note, tables[id].columns);
    return status;
}

/* A tab or a line end inside a cell would break the table: it becomes a space. */
void lpu_report_text(lpu_report_writer *w, const char *text)
{
    for (const char *c = *text ? text : "-"; *c; c++) {
        fputc(*c == '\t' || *c == '\n' || *c == '\r' ? ' ' : *c, w->file);
    }
    w->next = (w->next + 1) % w->columns;
    fputc(w->next ? '\t' : '\n', w->file);
}

void lpu_report_number(lpu_report_writer *w, double value)
{
    char text[32];

    snprintf(text, sizeof(text), fabs(value) < 1e15 && value == floor(value) ? "%.0f" : "%.6g",
             value);
    lpu_report_text(w, isfinite(value) ? text : "-");
}

lpu_status lpu_report_writer_commit(lpu_report_writer *w, lpu_diag *diag)
{
    assert(w->next == 0);
    return lpu_output_commit(&w->output, diag);
}

void lpu_report_writer_close(lpu_report_writer *w)
{
    lpu_output_close(&w->output);
}

lpu_status lpu_report_file_load(char **text, const char *path, lpu_diag *diag)
{
    size_t bytes = 0, room = 1 << 16;
    FILE *file = fopen(path, "rb");

    *text = NULL;
    if (!file) return lpu_fail(diag, LPU_ERR_IO, "%s: cannot read: %s", path, strerror(errno));
    char *buffer = malloc(room);
    while (buffer) {
        bytes += fread(buffer + bytes, 1, room - bytes - 1, file);
        if (bytes < room - 1) break;
        char *grown = realloc(buffer, room *= 2);
        if (!grown) free(buffer);
        buffer = grown;
    }
    const int failed = ferror(file);
    fclose(file);
    if (!buffer) return lpu_fail(diag, LPU_ERR_MEMORY, "%s: out of memory", path);
    if (failed) {
        free(buffer);
        return lpu_fail(diag, LPU_ERR_IO, "%s: cannot be read to its end", path);
    }
    buffer[bytes] = 0;
    *text = buffer;
    return LPU_OK;
}

/* Cuts one row at its tabs. */
static size_t split(char *line, char **cells, size_t room)
{
    size_t n = 0;

    for (char *cell = line; cell && n < room; n++) {
        cells[n] = cell;
        cell = strchr(cell, '\t');
        if (cell) *cell++ = 0;
    }
    return n;
}

lpu_status lpu_report_grid_load(lpu_report_grid *g, const char *path, lpu_diag *diag)
{
    size_t line_number = 0;

    *g = (lpu_report_grid){0};
    const lpu_status status = lpu_report_file_load(&g->text, path, diag);
    if (status) return status;

    const size_t lines = count_of(g->text, '\n') + 1;
    char *save = NULL;

    for (char *line = strtok_r(g->text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        line_number++;
        if (*line == '#') {
            if (!g->note) g->note = line + 1 + strspn(line + 1, " ");
            continue;
        }
        if (!g->cells) {
            g->columns = count_of(line, '\t') + 1;
            g->cells = calloc(lines * g->columns, sizeof(*g->cells));
            if (!g->cells) return lpu_fail(diag, LPU_ERR_MEMORY, "%s: out of memory", path);
        }
        const size_t found = count_of(line, '\t') + 1;
        if (found != g->columns) {
            return lpu_fail(diag, LPU_ERR_FORMAT, "%s:%zu: found %zu columns, expected %zu", path,
                            line_number, found, g->columns);
        }
        split(line, g->cells + g->rows * g->columns, g->columns);
        g->rows++;
    }
    if (!g->rows) return lpu_fail(diag, LPU_ERR_FORMAT, "%s: found no line of heads", path);
    return LPU_OK;
}

void lpu_report_grid_free(lpu_report_grid *g)
{
    free(g->cells);
    free(g->text);
    *g = (lpu_report_grid){0};
}
