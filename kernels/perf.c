/* kernels/perf.c - perf_event_open(2), where there is one. */
#include "kernels/perf.h"

#include <unistd.h>

#ifdef __linux__
#include <linux/perf_event.h>
#include <sys/syscall.h>

static const lpu_perf_event hardware[LPU_PERF_EVENTS] = {
    {PERF_TYPE_HARDWARE, PERF_COUNT_HW_CPU_CYCLES},
    {PERF_TYPE_HARDWARE, PERF_COUNT_HW_INSTRUCTIONS}};

static int open_event(const lpu_perf_event *event)
{
    struct perf_event_attr a = {.type = event->type,
                                .size = sizeof(a),
                                .config = event->config,
                                .inherit = 1,
                                .exclude_kernel = 1,
                                .exclude_hv = 1,
                                .read_format = PERF_FORMAT_TOTAL_TIME_ENABLED |
                                               PERF_FORMAT_TOTAL_TIME_RUNNING};

    return (int)syscall(SYS_perf_event_open, &a, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
}
#else
static const lpu_perf_event hardware[LPU_PERF_EVENTS];

static int open_event(const lpu_perf_event *event)
{
    (void)event;
    return -1;
}
#endif

/* The count since the event was opened. */
static bool read_event(int fd, uint64_t *count)
{
    struct {
        uint64_t value, enabled_ns, running_ns;
    } now;

    if (read(fd, &now, sizeof(now)) != (ssize_t)sizeof(now)) return false;
    if (!now.running_ns) return false;
    *count = now.running_ns == now.enabled_ns
                 ? now.value
                 : (uint64_t)((double)now.value * (double)now.enabled_ns / (double)now.running_ns);
    return true;
}

bool lpu_perf_open(lpu_perf *p, const lpu_perf_event *events)
{
    *p = (lpu_perf){.fd = {-1, -1}};
    for (int i = 0; i < LPU_PERF_EVENTS; i++) {
        p->fd[i] = open_event(events ? &events[i] : &hardware[i]);
        if (p->fd[i] >= 0 && read_event(p->fd[i], &p->last[i])) continue;
        lpu_perf_close(p);
        return false;
    }
    return true;
}

bool lpu_perf_read(lpu_perf *p, uint64_t *counts)
{
    for (int i = 0; i < LPU_PERF_EVENTS; i++) {
        uint64_t now;
        if (p->fd[i] < 0 || !read_event(p->fd[i], &now)) return false;
        counts[i] = now > p->last[i] ? now - p->last[i] : 0;
        p->last[i] = now;
    }
    return true;
}

void lpu_perf_close(lpu_perf *p)
{
    for (int i = 0; i < LPU_PERF_EVENTS; i++) {
        if (p->fd[i] >= 0) close(p->fd[i]);
        p->fd[i] = -1;
    }
}
