/* cli/report_page.c - fills reports/page.html: {{svg NAME}}, {{table NAME}}, {{value KEY}}.
 *
 * The page is a function of the template, the tables and the figures, and of nothing else: it can
 * be made again from them (lpu report --redraw).
 */
#include "cli/report_run.h"
#include "cli/report_table.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct page {
    const char *out;
    FILE *file;
    lpu_report_grid summary;
    lpu_diag *diag;
} page;

static void put_escaped(FILE *file, const char *text)
{
    for (; *text; text++) {
        switch (*text) {
        case '<': fputs("&lt;", file); break;
        case '>': fputs("&gt;", file); break;
        case '&': fputs("&amp;", file); break;
        case '"': fputs("&quot;", file); break;
        default: fputc(*text, file);
        }
    }
}

/* ---- figures ---- */

static bool starts(const char *text, const char *with)
{
    return !strncmp(text, with, strlen(with));
}

/* Figures on one page share its names: each id and each reference gets the figure's name in front.
 */
static void put_svg(FILE *file, const char *svg, const char *name)
{
    static const char *const marks[] = {"id=\"",         "id='",           "url(#",
                                        "xlink:href='#", "xlink:href=\"#", "href=\"#"};

    while (*svg) {
        const char *mark = NULL;
        for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]) && !mark; i++) {
            if (starts(svg, marks[i])) mark = marks[i];
        }
        if (!mark) {
            fputc(*svg++, file);
            continue;
        }
        fprintf(file, "%s%s-", mark, name);
        svg += strlen(mark);
    }
}

static lpu_status fill_svg(page *p, const char *name)
{
    char path[4200], *svg = NULL;

    snprintf(path, sizeof(path), "%s/figures/%s.svg", p->out, name);
    if (access(path, F_OK)) {
        fputs("<p class=\"absent\">Not drawn: this run left its table empty; see "
              "<a href=\"#skipped\">what was not run</a>.</p>\n",
              p->file);
        return LPU_OK;
    }
    const lpu_status status = lpu_report_file_load(&svg, path, p->diag);
    if (status) return status;
    const char *begin = strstr(svg, "<svg");
    if (begin) put_svg(p->file, begin, name);
    free(svg);
    return begin ? LPU_OK : lpu_fail(p->diag, LPU_ERR_FORMAT, "%s: found no <svg>", path);
}

/* ---- tables ---- */

/* How a column is shown: by the unit at the end of its name. Files keep pJ, bytes and ops. */
static const struct {
    const char *suffix, *unit;
    double each;
} units[] = {
    /* clang-format off */
    {"_pj_per_token",  "mJ/token", 1e9}, {"_bytes_per_s",  "GB/s",     1e9},
    {"_ops_per_s",     "Gop/s",    1e9}, {"_weights_per_s", "G/s",     1e9},
    {"pj_per_token",   "mJ/token", 1e9}, {"_nj",           "nJ",       1},
    {"_tokens_per_s",  "tokens/s", 1},   {"tokens_per_s",  "tokens/s", 1},
    {"_memory_bytes",  "MB",       1e6}, {"memory_bytes",  "MB",       1e6},
    {"ms_per_pass",    "ms",       1},   {"ms_per_token",  "ms/token", 1},
    {"_mhz",           "MHz",      1},   {"_us",           "µs",       1},
    {"_percent",       "%",        1},   {"_pj",           "pJ",       1},
    {"pj_each",        "pJ each",  1},   {"_ratio",        "ratio",    1},
    {"ops_per_byte",   "op/byte",  1},   {"size_b",        "size, 10⁹", 1},
    {"ratio",         "ratio",    1},   {"simulation_s",   "s to simulate", 1}, {"_bits",      "bit",      1},
    /* clang-format on */
};

static size_t unit_of(const char *head)
{
    size_t i = 0;
    for (; i < sizeof(units) / sizeof(units[0]); i++) {
        const size_t bytes = strlen(head), tail = strlen(units[i].suffix);
        if (bytes >= tail && !strcmp(head + bytes - tail, units[i].suffix)) break;
    }
    return i;
}

static bool is_number(const char *cell)
{
    char *end;

    strtod(cell, &end);
    return end != cell && !*end;
}

/* A column of numbers: every cell is one, or a dash. */
static bool is_numeric(const lpu_report_grid *g, size_t column)
{
    bool has_number = false;

    for (size_t r = 1; r < g->rows; r++) {
        const char *cell = g->cells[r * g->columns + column];
        if (!strcmp(cell, "-")) continue;
        if (!is_number(cell)) return false;
        has_number = true;
    }
    return has_number;
}

/* "dram_pj_per_token" is headed "dram mJ/token"; a name that is only a unit is headed by it. */
static void put_head(FILE *file, const char *head, bool is_right)
{
    const size_t unit = unit_of(head);
    const bool has_unit = unit < sizeof(units) / sizeof(units[0]);
    const size_t shown = strlen(head) - (has_unit ? strlen(units[unit].suffix) : 0);

    fputs(is_right ? "<th class=\"n\">" : "<th>", file);
    for (size_t i = 0; i < shown; i++) fputc(head[i] == '_' ? ' ' : head[i], file);
    if (has_unit) fprintf(file, shown ? "<small>%s</small>" : "%s", units[unit].unit);
    fputs("</th>", file);
}

/* Four digits, in the unit of the head; a cell that is no number stays as it is. */
static void put_cell(FILE *file, const char *head, const char *cell, bool is_right)
{
    enum { LONG_CELL = 44 };
    const size_t unit = unit_of(head);

    fputs(is_right                   ? "<td class=\"n\">"
          : strlen(cell) > LONG_CELL ? "<td class=\"long\">"
                                     : "<td>",
          file);
    if (!strcmp(cell, "-")) {
        fputs("–", file);
    } else if (!is_right || unit == sizeof(units) / sizeof(units[0])) {
        put_escaped(file, cell);
    } else {
        const double shown = strtod(cell, NULL) / units[unit].each;
        const double size = fabs(shown);
        const int decimals = size == floor(size) && size < 1e6 ? 0
                             : size >= 999.95                  ? 0
                             : size >= 99.995                  ? 1
                             : size >= 9.9995                  ? 2
                             : size >= 0.09995                 ? 3
                                                               : 4;
        if (size > 0 && size < 0.001) {
            fprintf(file, "%.2e", shown);
        } else {
            fprintf(file, "%.*f", decimals, shown);
        }
    }
    fputs("</td>", file);
}

enum { ROWS_OPEN = 16 }; /* a longer table is folded */

static lpu_status fill_table(page *p, const char *name)
{
    char path[4200];
    lpu_report_grid g;

    snprintf(path, sizeof(path), "%s/tables/%s.tsv", p->out, name);
    const lpu_status status = lpu_report_grid_load(&g, path, p->diag);
    if (status) {
        lpu_report_grid_free(&g);
        return status;
    }
    if (g.rows == 1) {
        fprintf(
            p->file,
            "<p class=\"absent\">No rows in this run: <a href=\"tables/%s.tsv\">%s.tsv</a></p>\n",
            name, name);
        lpu_report_grid_free(&g);
        return LPU_OK;
    }
    fprintf(p->file, "<details%s><summary>", g.rows > ROWS_OPEN + 1 ? "" : " open");
    fprintf(p->file, "The numbers: %zu rows · <a href=\"tables/%s.tsv\">%s.tsv</a></summary>\n",
            g.rows - 1, name, name);
    if (g.note) {
        fputs("<p class=\"note\">", p->file);
        put_escaped(p->file, g.note);
        fputs("</p>\n", p->file);
    }
    fputs("<div class=\"scroll\"><table><thead><tr>", p->file);
    for (size_t c = 0; c < g.columns; c++) put_head(p->file, g.cells[c], is_numeric(&g, c));
    fputs("</tr></thead><tbody>\n", p->file);
    for (size_t r = 1; r < g.rows; r++) {
        fputs("<tr>", p->file);
        for (size_t c = 0; c < g.columns; c++) {
            put_cell(p->file, g.cells[c], g.cells[r * g.columns + c], is_numeric(&g, c));
        }
        fputs("</tr>\n", p->file);
    }
    fputs("</tbody></table></div></details>\n", p->file);
    lpu_report_grid_free(&g);
    return LPU_OK;
}

/* ---- the template ---- */

static lpu_status fill_value(page *p, const char *key)
{
    for (size_t r = 1; r < p->summary.rows; r++) {
        if (strcmp(p->summary.cells[r * p->summary.columns], key)) continue;
        put_escaped(p->file, p->summary.cells[r * p->summary.columns + 1]);
        return LPU_OK;
    }
    return lpu_fail(p->diag, LPU_ERR_FORMAT,
                    "reports/page.html: found {{value %s}}, expected a key of summary.tsv", key);
}

static lpu_status fill(page *p, const char *what, const char *name)
{
    if (!strcmp(what, "svg")) return fill_svg(p, name);
    if (!strcmp(what, "table")) return fill_table(p, name);
    if (!strcmp(what, "value")) return fill_value(p, name);
    return lpu_fail(p->diag, LPU_ERR_FORMAT,
                    "reports/page.html: found {{%s %s}}, expected svg, table or value", what, name);
}

static lpu_status fill_all(page *p, const char *template)
{
    lpu_status status = LPU_OK;

    while (!status) {
        const char *mark = strstr(template, "{{");
        if (!mark) break;
        fwrite(template, 1, (size_t)(mark - template), p->file);
        char what[16], name[64];
        int bytes = 0;
        if (sscanf(mark, "{{%15[a-z] %63[a-z0-9_]}}%n", what, name, &bytes) != 2 || !bytes) {
            return lpu_fail(p->diag, LPU_ERR_FORMAT,
                            "reports/page.html: found \"%.20s\", expected {{svg NAME}}, "
                            "{{table NAME}} or {{value KEY}}",
                            mark);
        }
        status = fill(p, what, name);
        template = mark + bytes;
    }
    fputs(template, p->file);
    return status;
}

lpu_status lpu_report_page(const char *home, const char *out, lpu_diag *diag)
{
    page p = {.out = out, .diag = diag};
    char path[4200], *template = NULL;
    lpu_output *output = NULL;

    snprintf(path, sizeof(path), "%s/reports/page.html", home);
    lpu_status status = lpu_report_file_load(&template, path, diag);
    snprintf(path, sizeof(path), "%s/tables/summary.tsv", out);
    if (!status) status = lpu_report_grid_load(&p.summary, path, diag);
    snprintf(path, sizeof(path), "%s/index.html", out);
    if (!status) status = lpu_output_open(&output, path, &p.file, diag);
    if (!status) status = fill_all(&p, template);
    if (!status) status = lpu_output_commit(&output, diag);
    lpu_output_close(&output);
    lpu_report_grid_free(&p.summary);
    free(template);
    return status;
}
