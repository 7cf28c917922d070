/* tests/unit/perf_test.c - counters, held against the clock of the process: where the processor's
 * own are not to be had, those that the kernel counts by itself. */
#include "kernels/perf.h"
#include "tests/unit/test.h"

#include <linux/perf_event.h>
#include <pthread.h>
#include <time.h>

static const lpu_perf_event by_kernel[LPU_PERF_EVENTS] = {
    {PERF_TYPE_SOFTWARE, PERF_COUNT_SW_TASK_CLOCK}, {PERF_TYPE_SOFTWARE, PERF_COUNT_SW_TASK_CLOCK}};

static double cpu_ns(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return 1e9 * (double)t.tv_sec + (double)t.tv_nsec;
}

/* Works for 20 ms of this thread's own time. */
static void *work(void *user)
{
    const double begin = cpu_ns(CLOCK_THREAD_CPUTIME_ID);
    while (cpu_ns(CLOCK_THREAD_CPUTIME_ID) - begin < 20e6) {}
    return user;
}

static void counts_this_thread_and_its_threads(void)
{
    lpu_perf p;
    uint64_t counts[LPU_PERF_EVENTS];
    pthread_t thread;

    if (!lpu_perf_open(&p, by_kernel)) return; /* perf is shut here: nothing to hold it against */
    const double begin = cpu_ns(CLOCK_PROCESS_CPUTIME_ID);
    work(NULL);
    CHECK(!pthread_create(&thread, NULL, work, NULL), "no thread");
    pthread_join(thread, NULL);
    CHECK(lpu_perf_read(&p, counts), "cannot be read");
    const double spent = cpu_ns(CLOCK_PROCESS_CPUTIME_ID) - begin;
    for (int i = 0; i < LPU_PERF_EVENTS; i++) {
        CHECK((double)counts[i] > 0.9 * spent && (double)counts[i] < 1.1 * spent,
              "counted %.0f of %.0f ns", (double)counts[i], spent);
    }
    /* from the last read on */
    CHECK(lpu_perf_read(&p, counts), "cannot be read");
    CHECK(counts[0] < 10000000, "counted %.0f ns again", (double)counts[0]);
    lpu_perf_close(&p);
    CHECK(!lpu_perf_read(&p, counts), "closed, and was read");
}

static void is_absent_where_the_event_is(void)
{
    static const lpu_perf_event none[LPU_PERF_EVENTS] = {
        {PERF_TYPE_SOFTWARE, PERF_COUNT_SW_TASK_CLOCK}, {PERF_TYPE_SOFTWARE, 4000}};
    lpu_perf p;

    CHECK(!lpu_perf_open(&p, none), "an event that does not exist was opened");
    CHECK_EQ(p.fd[0], -1);
    CHECK_EQ(p.fd[1], -1);
}

static void cycles_and_instructions(void)
{
    lpu_perf p;
    uint64_t counts[LPU_PERF_EVENTS];

    if (!lpu_perf_open(&p, NULL)) return; /* as in many virtual machines */
    work(NULL);
    CHECK(lpu_perf_read(&p, counts), "cannot be read");
    /* 20 ms at 0.1 to 10 GHz, and 0.01 to 16 instructions in each cycle */
    CHECK(counts[0] > 2000000 && counts[0] < 400000000, "%.0f cycles", (double)counts[0]);
    CHECK((double)counts[1] > 0.01 * (double)counts[0] && counts[1] < 16 * counts[0],
          "%.0f instructions", (double)counts[1]);
    lpu_perf_close(&p);
}

int main(void)
{
    RUN(counts_this_thread_and_its_threads);
    RUN(is_absent_where_the_event_is);
    RUN(cycles_and_instructions);
    return test_failures != 0;
}
