/* cli/verify_work.c - folders, logs and programs of a verification. */
#define _GNU_SOURCE /* nftw */

#include "cli/verify.h"

#include "cli/array_options.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- what is judged ---- */

lpu_status lpu_verify_check_top(const char *top, lpu_diag *diag)
{
    size_t n = 0;

    while (top && (isalnum((unsigned char)top[n]) || top[n] == '_')) n++;
    if (n && !top[n] && !isdigit((unsigned char)*top)) return LPU_OK;
    return lpu_fail(diag, LPU_ERR_RANGE, "found --top %s, expected the name of a Verilog module",
                    top ? top : "nowhere");
}

static bool ends_in(const char *name, const char *end)
{
    const size_t n = strlen(name), m = strlen(end);
    return n > m && !strcmp(name + n - m, end);
}

lpu_status lpu_verify_check_rtl(char *absolute, const char *path, lpu_diag *diag)
{
    bool has_verilog = false;

    if (!path) {
        return lpu_fail(diag, LPU_ERR_RANGE, "found no --rtl, expected a folder of Verilog files");
    }
    DIR *dir = opendir(path);
    if (!dir || !realpath(path, absolute)) {
        const int error = errno;
        if (dir) closedir(dir);
        return lpu_fail(diag, LPU_ERR_IO, "%s: cannot open the folder: %s", path, strerror(error));
    }
    for (const struct dirent *entry = readdir(dir); entry; entry = readdir(dir)) {
        if (ends_in(entry->d_name, ".v") || ends_in(entry->d_name, ".sv")) has_verilog = true;
    }
    closedir(dir);
    if (has_verilog) return LPU_OK;
    return lpu_fail(diag, LPU_ERR_IO, "%s: found no file *.v or *.sv in the folder", path);
}

/* ---- folders ---- */

static bool make_folders(char *path)
{
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        mkdir(path, 0777);
        *slash = '/';
    }
    return !mkdir(path, 0777) || errno == EEXIST;
}

lpu_status lpu_verify_open_work(lpu_verify_work *w, const char *build, lpu_diag *diag)
{
    const char *temporary = getenv("TMPDIR");
    char paths[2][sizeof(w->build)], path[PATH_MAX];
    const size_t bytes = sizeof(paths[0]);

    memset(w, 0, sizeof(*w));
    snprintf(paths[0], bytes, "%s%s", build ? build : lpu_array_options_home(),
             build ? "" : "/build/verify");
    snprintf(paths[1], bytes, "%s/lpu-verify-%ld", temporary ? temporary : "/tmp", (long)getuid());
    for (size_t i = 0; i < (build ? 1 : 2); i++) {
        if (!make_folders(paths[i]) || !realpath(paths[i], path)) continue;
        if (strlen(path) > bytes - 1) continue;
        snprintf(w->build, bytes, "%.*s", (int)bytes - 1, path);
        snprintf(w->folder, sizeof(w->folder), "%s/run-XXXXXX", w->build);
        if (mkdtemp(w->folder)) return LPU_OK;
    }
    w->folder[0] = 0;
    return lpu_fail(diag, LPU_ERR_IO, "%s: no folder can be made there: %s", paths[build ? 0 : 1],
                    strerror(errno));
}

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *at)
{
    (void)info, (void)kind, (void)at;
    return remove(path);
}

void lpu_verify_close_work(lpu_verify_work *w)
{
    enum { DESCRIPTORS = 8 };
    if (w->folder[0] && !w->is_kept)
        nftw(w->folder, remove_entry, DESCRIPTORS, FTW_DEPTH | FTW_PHYS);
}

/* ---- what was said ---- */

void lpu_verify_read_line(const char *path, const char *start, char *line, size_t bytes)
{
    FILE *f = fopen(path, "r");
    char next[512];
    bool is_found = false;

    line[0] = 0;
    while (f && !is_found && fgets(next, sizeof(next), f)) {
        next[strcspn(next, "\n")] = 0;
        if (!next[0]) continue;
        snprintf(line, bytes, "%.*s", (int)bytes - 1, next);
        is_found = !strncmp(next, start, strlen(start));
    }
    if (f) fclose(f);
}

lpu_status lpu_verify_no_verilator(lpu_diag *diag)
{
    return lpu_fail(diag, LPU_ERR_IO,
                    "verilator is not installed, and no RTL can be run without it; on Debian: "
                    "apt-get install verilator g++ make");
}

long long lpu_verify_number(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

const char *lpu_verify_text(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}
