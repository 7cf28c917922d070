/* cli/report_run.c - starts the report's other programs and draws the figures. */
#include "cli/report_run.h"
#include "cli/report_table.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

lpu_status lpu_report_spawn(pid_t *pid, const char *const *argv, const char *out_path,
                            const char *error_path, lpu_diag *diag)
{
    posix_spawn_file_actions_t actions;
    const int flags = O_WRONLY | O_CREAT | O_TRUNC;

    *pid = -1;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, out_path, flags, 0666);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, error_path, flags, 0666);
    const int failed =
        posix_spawnp(pid, argv[0], &actions, NULL, (char *const *)(uintptr_t)argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (!failed) return LPU_OK;
    return lpu_fail(diag, LPU_ERR_IO, "%s: cannot be started: %s", argv[0], strerror(failed));
}

lpu_status lpu_report_wait(pid_t pid, const char *name, const char *error_path, lpu_diag *diag)
{
    int state = 0;
    char *said = NULL;

    while (waitpid(pid, &state, 0) < 0) {
        if (errno != EINTR) return lpu_fail(diag, LPU_ERR_IO, "%s: was lost", name);
    }
    if (WIFEXITED(state) && WEXITSTATUS(state) == 0) return LPU_OK;
    if (lpu_report_file_load(&said, error_path, NULL) == LPU_OK) {
        const char *line = said + strspn(said, "\n ");
        lpu_fail(diag, LPU_ERR_IO, "%s failed: %.*s", name, (int)strcspn(line, "\n"),
                 *line ? line : "it did not say why");
    } else {
        lpu_fail(diag, LPU_ERR_IO, "%s failed", name);
    }
    free(said);
    return LPU_ERR_IO;
}

const lpu_report_figure lpu_report_figures[] = {
    {"scopes", "scopes"},
    {"energy", "energy_components"},
    {"energy_ratio", "energy_ratio"},
    {"model_size", "model_size"},
    {"batch", "batch"},
    {"roofline", "roofline"},
    {"timeline", "timeline"},
    {"ppl", "ppl"},
    {"cpu", "cpu_kernels"},
    {NULL, NULL},
};

/* A figure is drawn beside its place, and takes it when all three files are there. */
typedef struct drawing {
    const lpu_report_figure *figure;
    pid_t pid;
    char script[4096], table[4096], stem[4096], temporary[4096], errors[4096];
} drawing;

static lpu_status start(drawing *d, const char *home, const char *out, lpu_diag *diag)
{
    const long id = (long)getpid();

    snprintf(d->script, sizeof(d->script), "%s/reports/fig_%s.gp", home, d->figure->name);
    snprintf(d->table, sizeof(d->table), "%s/tables/%s.tsv", out, d->figure->table);
    snprintf(d->stem, sizeof(d->stem), "%s/figures/%s", out, d->figure->name);
    snprintf(d->temporary, sizeof(d->temporary), "%s/figures/.%s-%ld", out, d->figure->name, id);
    snprintf(d->errors, sizeof(d->errors), "%s/figures/.%s-%ld.log", out, d->figure->name, id);
    const char *const argv[] = {"gnuplot", "-c", d->script, d->table, d->temporary, NULL};
    return lpu_report_spawn(&d->pid, argv, "/dev/null", d->errors, diag);
}

static lpu_status finish(drawing *d, lpu_diag *diag)
{
    static const char *const kinds[] = {"svg", "pdf", "png"};
    char name[128], from[4200], to[4200];
    lpu_status status;

    snprintf(name, sizeof(name), "figure %s: gnuplot", d->figure->name);
    status = lpu_report_wait(d->pid, name, d->errors, diag);
    for (size_t k = 0; k < 3; k++) {
        snprintf(from, sizeof(from), "%s.%s", d->temporary, kinds[k]);
        snprintf(to, sizeof(to), "%s.%s", d->stem, kinds[k]);
        if (status) {
            unlink(from);
        } else if (rename(from, to)) {
            status = lpu_fail(diag, LPU_ERR_IO, "%s: cannot be written: %s", to, strerror(errno));
        }
    }
    unlink(d->errors);
    return status;
}

/* A table without rows is not drawn: what an earlier run has drawn goes. */
static bool is_empty(const lpu_report_figure *figure, const char *out)
{
    static const char *const kinds[] = {"svg", "pdf", "png"};
    char path[4200];
    lpu_report_grid grid;

    snprintf(path, sizeof(path), "%s/tables/%s.tsv", out, figure->table);
    const bool has_rows = lpu_report_grid_load(&grid, path, NULL) == LPU_OK ? grid.rows > 1 : true;
    lpu_report_grid_free(&grid);
    for (size_t k = 0; k < 3 && !has_rows; k++) {
        snprintf(path, sizeof(path), "%s/figures/%s.%s", out, figure->name, kinds[k]);
        unlink(path);
    }
    return !has_rows;
}

lpu_status lpu_report_draw(const char *home, const char *out, lpu_diag *diag)
{
    lpu_status status = LPU_OK;

    for (const lpu_report_figure *f = lpu_report_figures; f->name && !status;) {
        drawing pair[2];
        size_t n = 0;

        for (; f->name && n < 2 && !status; f++) {
            if (is_empty(f, out)) continue;
            pair[n].figure = f;
            status = start(&pair[n++], home, out, diag);
        }
        for (size_t i = 0; i < n; i++) {
            if (pair[i].pid < 0) continue;
            const lpu_status ended = finish(&pair[i], status ? NULL : diag);
            if (!status) status = ended;
        }
    }
    return status;
}
