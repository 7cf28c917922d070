/* cli/report.c - the main job: simulate, check the RTL, time the CPU, and leave a page.
 *
 *     passes on designs (two threads) + RTL (another process) --> the shipped model --> CPU
 * timings, alone
 *          --> tables/(name).tsv --> gnuplot --> figures/ --> index.html
 *
 * Figures and page are made from the tables alone, so --redraw can make them again.
 */
#include "cli/cli.h"
#include "cli/report_run.h"
#include "cli/report_summary.h"
#include "cli/report_write.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

typedef struct options {
    const char *out, *model;
    bool is_quick, is_redraw, is_json;
} options;

static const char *home(void)
{
    const char *path = getenv("LPU_HOME");
    return path && *path ? path : LPU_SOURCE_HOME;
}

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- the folder ---- */

/* Makes a folder and those above it. */
static lpu_status make_folder(const char *path, lpu_diag *diag)
{
    char part[4096];
    const size_t bytes = strlen(path);

    if (!bytes || bytes >= sizeof(part) - 64) {
        return lpu_fail(diag, LPU_ERR_RANGE,
                        "found an output folder of %zu characters, expected 1 to %zu", bytes,
                        sizeof(part) - 65);
    }
    for (size_t i = 1; i <= bytes; i++) {
        if (path[i] && path[i] != '/') continue;
        memcpy(part, path, i);
        part[i] = 0;
        if (mkdir(part, 0777) && errno != EEXIST) {
            return lpu_fail(diag, LPU_ERR_IO, "%s: cannot be made: %s", part, strerror(errno));
        }
    }
    return LPU_OK;
}

static lpu_status make_folders(const char *out, lpu_diag *diag)
{
    static const char *const parts[] = {"tables", "figures"};
    char path[4200];
    lpu_status status = make_folder(out, diag);

    for (size_t i = 0; i < 2 && !status; i++) {
        snprintf(path, sizeof(path), "%s/%s", out, parts[i]);
        status = make_folder(path, diag);
    }
    return status;
}

/* Better now than after the simulations. */
static lpu_status check_gnuplot(const char *out, lpu_diag *diag)
{
    static const char *const argv[] = {"gnuplot", "--version", NULL};
    char errors[4200];
    pid_t pid;

    snprintf(errors, sizeof(errors), "%s/figures/.gnuplot-%ld.log", out, (long)getpid());
    lpu_status status = lpu_report_spawn(&pid, argv, "/dev/null", errors, diag);
    if (!status) status = lpu_report_wait(pid, argv[0], errors, diag);
    unlink(errors);
    if (!status) return LPU_OK;
    return lpu_fail(diag, status,
                    "gnuplot was not found, and the figures need it: `make deps` "
                    "installs it (Debian: gnuplot-nox)");
}

/* ---- the run ---- */

static lpu_status measure(lpu_report_run *run, const options *o, lpu_diag *diag)
{
    lpu_model model;
    lpu_status status = lpu_model_load(&model, o->model, diag);

    if (!status) {
        status = lpu_report_rtl_start(&run->rtl, &model, run->out, run->is_quick ? 2 : 20, diag);
    }
    if (!status) status = lpu_report_jobs_run(&run->jobs, diag);
    const lpu_status ended = lpu_report_rtl_finish(&run->rtl, status ? NULL : diag);
    if (!status) status = ended;
    if (!status) {
        status = lpu_report_trained_run(&run->trained, home(), run->out, run->is_quick, diag);
    }
    if (status) return status;
    return lpu_report_cpu_run(&run->cpu, &model, run->out, run->is_quick ? 5 : 40, diag);
}

static lpu_status draw(const char *out, lpu_diag *diag)
{
    const lpu_status status = lpu_report_draw(home(), out, diag);
    return status ? status : lpu_report_page(home(), out, diag);
}

static lpu_status report(lpu_report_run *run, const options *o, lpu_diag *diag)
{
    const double begin_s = now_s();
    lpu_status status = lpu_paper_load(&run->paper, "7nm", diag);

    if (!status) status = lpu_report_jobs_open(&run->jobs, o->model, o->is_quick, diag);
    if (!status) status = measure(run, o, diag);
    if (!status) status = lpu_report_write(&run->jobs, &run->paper, o->out, diag);
    run->wall_s = now_s() - begin_s;
    if (!status) status = lpu_report_summary_write(run, diag);
    if (!status) status = draw(o->out, diag);
    run->wall_s = now_s() - begin_s;
    return status;
}

/* The command as it was typed, for the page. */
static void join(char *text, size_t bytes, int argc, char **argv)
{
    size_t used = (size_t)snprintf(text, bytes, "lpu");

    for (int i = 0; i < argc && used < bytes; i++) {
        used += (size_t)snprintf(text + used, bytes - used, " %s", argv[i]);
    }
}

static void print(const lpu_report_run *run, bool is_json)
{
    if (is_json) {
        lpu_cli_print_json(lpu_report_summary_json(run));
    } else {
        lpu_report_summary_print(run, stdout);
    }
}

int lpu_command_report(int argc, char **argv)
{
    options o = {.out = "build/report", .model = "bitnet-b1.58-2b4t"};
    const lpu_option list[] = {
        {"--out", "DIR", "where the report goes (build/report)", &o.out, NULL, NULL},
        {"--model", "NAME", "the ternary model, with an FP16 twin (bitnet-b1.58-2b4t)", &o.model,
         NULL, NULL},
        {"--quick", NULL, "few sizes and batches, short timings", NULL, NULL, &o.is_quick},
        {"--redraw", NULL, "only draw figures and page again, from the tables in DIR", NULL, NULL,
         &o.is_redraw},
        {"--json", NULL, "print the results as JSON", NULL, NULL, &o.is_json},
        {0},
    };
    const lpu_usage usage = {
        .name = "report",
        .text = "run the main job and write the report: figures, tables, one page",
        .examples = "lpu report\n"
                    "lpu report --quick --out /tmp/report\n"
                    "lpu report --redraw\n",
        .options = list,
    };
    lpu_report_run run = {0};
    lpu_diag diag = {""};
    char command[1024];
    int exit_code;

    join(command, sizeof(command), argc, argv);
    lpu_cli_parse(&usage, argc, argv, &exit_code);
    if (exit_code >= 0) return exit_code;

    run.out = o.out;
    run.command = command;
    run.is_quick = o.is_quick;
    lpu_status status = make_folders(o.out, &diag);
    if (!status) status = check_gnuplot(o.out, &diag);
    if (!status) status = o.is_redraw ? draw(o.out, &diag) : report(&run, &o, &diag);
    if (!status && !o.is_redraw) print(&run, o.is_json);
    if (!status && o.is_redraw) printf("%s/index.html\n", o.out);
    lpu_report_jobs_close(&run.jobs);
    return status ? lpu_cli_fail(&usage, &diag) : LPU_EXIT_OK;
}
