/* tests/unit/output_test.c - a file is either whole or as it was: full disk, limits, bad paths. */
#include "tests/unit/test.h"
#include "workloads/output.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[64]; /* of this run, removed at the end */

static const char *in_folder(const char *name)
{
    static char path[128];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    return path;
}

static void put(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    if (!file) return;
    fputs(text, file);
    fclose(file);
}

/* The first line of a file, or "" where there is none. */
static const char *get(const char *path)
{
    static char line[64];
    FILE *file = fopen(path, "r");
    line[0] = '\0';
    if (file && !fgets(line, sizeof(line), file)) line[0] = '\0';
    if (file) fclose(file);
    return line;
}

/* Entries of a folder, without "." and "..": a temporary file left behind counts. */
static int entries(const char *path)
{
    int count = 0;
    DIR *dir = opendir(path);
    if (!dir) return -1;
    for (struct dirent *e; (e = readdir(dir));) count += e->d_name[0] != '.';
    closedir(dir);
    return count;
}

/* Writes bytes through an output at path; the status of the commit. */
static lpu_status write_bytes(const char *path, size_t bytes, lpu_diag *diag)
{
    lpu_output *o = NULL;
    FILE *file = NULL;
    lpu_status status = lpu_output_open(&o, path, &file, diag);
    if (status) return status;
    for (size_t i = 0; i < bytes; i++) fputc('x', file);
    return lpu_output_commit(&o, diag);
}

static void a_commit_replaces_the_file(void)
{
    const char *path = in_folder("a");
    put(path, "old");

    lpu_output *o = NULL;
    FILE *file = NULL;
    CHECK_OK(lpu_output_open(&o, path, &file, diag));
    fputs("new", file);
    CHECK(!strcmp(get(path), "old"), "the file changed before the commit");
    CHECK_OK(lpu_output_commit(&o, diag));
    CHECK(!o, "the output was not freed");
    CHECK(!strcmp(get(path), "new"), "found \"%s\", expected new", get(path));
    CHECK_EQ(entries(folder), 1);
    remove(path);
}

static void a_close_leaves_what_was_there(void)
{
    const char *path = in_folder("b");
    lpu_output *o = NULL;
    FILE *file = NULL;

    put(path, "old");
    CHECK_OK(lpu_output_open(&o, path, &file, diag));
    fputs("new", file);
    lpu_output_close(&o);
    lpu_output_close(&o); /* NULL is welcome */
    CHECK(!strcmp(get(path), "old"), "found \"%s\", expected old", get(path));
    CHECK_EQ(entries(folder), 1);
    remove(path);
}

static void a_link_stays_a_link(void)
{
    char link_path[128], target[128];
    struct stat info;

    snprintf(link_path, sizeof(link_path), "%s", in_folder("link"));
    snprintf(target, sizeof(target), "%s", in_folder("target"));
    put(target, "old");
    CHECK(!symlink("target", link_path), "symlink: %s", strerror(errno));
    CHECK_EQ(write_bytes(link_path, 3, NULL), LPU_OK);
    CHECK(!lstat(link_path, &info) && S_ISLNK(info.st_mode), "the link is gone");
    CHECK(!strcmp(get(target), "xxx"), "found \"%s\", expected xxx", get(target));
    remove(link_path);
    remove(target);
}

/* A limit on the size of files: the portable way to make a write fail half way. */
static void a_write_that_fails_leaves_what_was_there(void)
{
    const char *path = in_folder("c");
    struct rlimit old, low;
    lpu_diag diag = {""};

    put(path, "old");
    CHECK(!getrlimit(RLIMIT_FSIZE, &old), "getrlimit: %s", strerror(errno));
    low = old;
    low.rlim_cur = 10000;
    signal(SIGXFSZ, SIG_IGN);
    CHECK(!setrlimit(RLIMIT_FSIZE, &low), "setrlimit: %s", strerror(errno));
    const lpu_status fails = write_bytes(path, 1000000, &diag);
    const lpu_status fits = write_bytes(in_folder("d"), 9999, NULL);
    setrlimit(RLIMIT_FSIZE, &old);

    path = in_folder("c");
    CHECK_EQ(fails, LPU_ERR_IO);
    CHECK_EQ(fits, LPU_OK);
    CHECK(strstr(diag.text, path), "no path in: %s", diag.text);
    CHECK(!strcmp(get(path), "old"), "found \"%s\", expected old", get(path));
    CHECK_EQ(entries(folder), 2);
    remove(path);
    remove(in_folder("d"));
}

static void a_full_disk_leaves_what_was_there(void)
{
    char disk[128], path[160];

    snprintf(disk, sizeof(disk), "%s", in_folder("disk"));
    snprintf(path, sizeof(path), "%s/e", disk);
    CHECK(!mkdir(disk, 0700), "mkdir: %s", strerror(errno));
    if (mount("tmpfs", disk, "tmpfs", 0, "size=64k")) {
        rmdir(disk);
        SKIP("a_full_disk_leaves_what_was_there: mount of a tmpfs: %s", strerror(errno));
    }
    lpu_diag diag = {""};
    put(path, "old");
    const lpu_status fails = write_bytes(path, 1000000, &diag);
    const bool is_old = !strcmp(get(path), "old");
    const int left = entries(disk);
    umount(disk);
    rmdir(disk);

    CHECK_EQ(fails, LPU_ERR_IO);
    CHECK(is_old, "the file was not as it was");
    CHECK_EQ(left, 1);
    CHECK(strstr(diag.text, "left as it was"), "found: %s", diag.text);
}

static void a_kill_leaves_what_was_there(void)
{
    const char *path = in_folder("f");
    put(path, "old");

    const pid_t child = fork();
    if (child == 0) {
        lpu_output *o = NULL;
        FILE *file = NULL;
        if (lpu_output_open(&o, path, &file, NULL)) _exit(1);
        fputs("half", file);
        fflush(file);
        raise(SIGKILL);
    }
    int status = 0;
    waitpid(child, &status, 0);
    CHECK(WIFSIGNALED(status), "the child was not killed");
    CHECK(!strcmp(get(path), "old"), "found \"%s\", expected old", get(path));

    /* What it left is in no one's way, and a later output of that process number takes it over. */
    char left[160];
    snprintf(left, sizeof(left), "%s.tmp-%ld", path, (long)child);
    CHECK(!remove(left), "the temporary file is not %s", left);
    snprintf(left, sizeof(left), "%s.tmp-%ld", path, (long)getpid());
    put(left, "a leftover");
    CHECK_EQ(write_bytes(path, 4, NULL), LPU_OK);
    CHECK(!strcmp(get(path), "xxxx"), "found \"%s\", expected xxxx", get(path));
    remove(path);
}

static void what_cannot_be_written_is_refused(void)
{
    lpu_diag diag = {""};

    CHECK_EQ(write_bytes(folder, 1, &diag), LPU_ERR_IO);
    CHECK(strstr(diag.text, "directory"), "found: %s", diag.text);
    /* A pipe of our own stands for a device: were it not refused, it would be replaced. */
    CHECK(!mkfifo(in_folder("pipe"), 0600), "mkfifo: %s", strerror(errno));
    const lpu_status status = write_bytes(in_folder("pipe"), 1, &diag);
    remove(in_folder("pipe"));
    CHECK_EQ(status, LPU_ERR_IO);
    CHECK(strstr(diag.text, "device"), "found: %s", diag.text);
    CHECK_EQ(write_bytes("", 1, &diag), LPU_ERR_IO);
    CHECK_EQ(write_bytes(in_folder("no/such"), 1, &diag), LPU_ERR_IO);
    CHECK(strstr(diag.text, "No such file"), "found: %s", diag.text);
    CHECK_EQ(entries(folder), 0);
}

int main(void)
{
    snprintf(folder, sizeof(folder), "/tmp/lpu-output-XXXXXX");
    if (!mkdtemp(folder)) {
        printf("not ok  mkdtemp: %s\n", strerror(errno));
        return 1;
    }
    RUN(a_commit_replaces_the_file);
    RUN(a_close_leaves_what_was_there);
    RUN(a_link_stays_a_link);
    RUN(a_write_that_fails_leaves_what_was_there);
    RUN(a_full_disk_leaves_what_was_there);
    RUN(a_kill_leaves_what_was_there);
    RUN(what_cannot_be_written_is_refused);
    rmdir(folder);
    return test_failures != 0;
}
