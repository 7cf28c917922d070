/* cli/progress.c - a bar with the time left on stderr: only on a terminal, gone when the work is.
 */
#include "cli/cli.h"

#include <time.h>
#include <unistd.h>

static const double first_s = 0.5; /* work shorter than this shows no bar */
static const double again_s = 0.1; /* between two drawings */

enum { BAR_COLUMNS = 30 };

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

void lpu_progress_init(lpu_progress *p, const char *text)
{
    const double now = now_s();
    *p = (lpu_progress){.text = text, .begin_s = now, .last_s = now};
}

static void print_left(double left_s)
{
    const long s = (long)(left_s + 0.5);

    if (s < 60) {
        fprintf(stderr, "%ld s left", s);
    } else if (s < 3600) {
        fprintf(stderr, "%ld min %02ld s left", s / 60, s % 60);
    } else {
        fprintf(stderr, "%ld h %02ld min left", s / 3600, s / 60 % 60);
    }
}

void lpu_progress_show(void *user, double share)
{
    lpu_progress *p = user;
    const double now = now_s();

    if (now - p->begin_s < first_s || now - p->last_s < again_s || !isatty(STDERR_FILENO)) return;
    share = !(share > 0) ? 0 : share > 1 ? 1 : share;
    p->last_s = now;
    p->is_shown = true;

    fprintf(stderr, "\r%s [", p->text);
    for (int i = 0; i < BAR_COLUMNS; i++) fputc(i < (int)(share * BAR_COLUMNS) ? '#' : '.', stderr);
    fprintf(stderr, "] %3d%%  ", (int)(100 * share));
    if (share > 0) print_left((now - p->begin_s) * (1 - share) / share);
    fprintf(stderr, "\033[K"); /* erases what a longer line has left */
    fflush(stderr);
}

void lpu_progress_end(lpu_progress *p)
{
    if (p->is_shown) fprintf(stderr, "\r\033[K");
    p->is_shown = false;
}
