/* kernels/team.c - threads that wait for a number to change: by spinning, then by sleeping. */
#define _GNU_SOURCE
#include "kernels/team.h"

#include "kernels/memory.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

/* About 50 us: longer than the gaps inside a token, shorter than a person notices. */
enum { SPINS = 4096 };

typedef struct worker {
    lpu_team *team;
    pthread_t thread;
    size_t index;
} worker;

struct lpu_team {
    uint32_t threads, started;
    worker *members; /* (threads); [0] is the caller */
    uint8_t *rooms;  /* (threads, LPU_TEAM_ROOM_BYTES), untouched until they are used */
    void (*work)(void *arg, size_t member, size_t members);
    void *arg;
    bool is_over;
    int first_cpu; /* -1: members are not pinned */
    bool is_caller_pinned;
    cpu_set_t caller_cpus;    /* before */
    _Atomic uint32_t job;     /* grows by one with each job */
    _Atomic uint32_t working; /* members that have not finished it */
    _Atomic uint32_t asleep;
    pthread_mutex_t mutex;
    pthread_cond_t wake;
};

static void pause_cpu(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
}

/* Waits until job is no longer seen. A member that sleeps has said so before it looks once more,
 * and the caller looks for sleepers after it has changed the job: one of them sees the other. */
static void wait_for_job(lpu_team *team, uint32_t seen)
{
    for (int i = 0; i < SPINS; i++) {
        if (atomic_load_explicit(&team->job, memory_order_acquire) != seen) return;
        pause_cpu();
    }
    pthread_mutex_lock(&team->mutex);
    atomic_fetch_add(&team->asleep, 1);
    while (atomic_load(&team->job) == seen) pthread_cond_wait(&team->wake, &team->mutex);
    atomic_fetch_sub(&team->asleep, 1);
    pthread_mutex_unlock(&team->mutex);
}

static void start_job(lpu_team *team)
{
    atomic_store(&team->working, team->started);
    atomic_fetch_add(&team->job, 1);
    if (atomic_load(&team->asleep)) {
        pthread_mutex_lock(&team->mutex);
        pthread_cond_broadcast(&team->wake);
        pthread_mutex_unlock(&team->mutex);
    }
}

static void *member_main(void *arg)
{
    const worker *m = arg;
    lpu_team *team = m->team;

    for (uint32_t seen = 0;; seen++) {
        wait_for_job(team, seen);
        if (team->is_over) return NULL;
        team->work(team->arg, m->index, team->threads);
        atomic_fetch_sub_explicit(&team->working, 1, memory_order_release);
    }
}

/* The allowed CPUs in order; returns how many. */
static uint32_t allowed_cpus(int *cpus, uint32_t most)
{
    cpu_set_t set;
    uint32_t count = 0;

    if (sched_getaffinity(0, sizeof(set), &set)) return 0;
    for (int i = 0; i < CPU_SETSIZE && count < most; i++) {
        if (CPU_ISSET((size_t)i, &set)) cpus[count++] = i;
    }
    return count;
}

/* A member that cannot be pinned works as well, a little less evenly. The caller stays free. */
static void pin(pthread_t thread, int cpu)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET((size_t)cpu, &set);
    (void)pthread_setaffinity_np(thread, sizeof(set), &set);
}

lpu_status lpu_team_open(lpu_team **out, uint32_t threads, lpu_diag *diag)
{
    int cpus[LPU_TEAM_THREADS_MAX];
    const uint32_t count = allowed_cpus(cpus, LPU_TEAM_THREADS_MAX);

    *out = NULL;
    if (!threads) threads = count ? count : 1;
    if (threads > LPU_TEAM_THREADS_MAX) {
        return lpu_fail(diag, LPU_ERR_RANGE, "team: found %u threads, expected at most %d", threads,
                        LPU_TEAM_THREADS_MAX);
    }
    lpu_team *team = calloc(1, sizeof(*team));
    worker *members = calloc(threads, sizeof(*members));
    uint8_t *rooms = lpu_memory_open((size_t)threads * LPU_TEAM_ROOM_BYTES);
    if (!team || !members || !rooms) {
        free(team);
        free(members);
        lpu_memory_close(rooms, (size_t)threads * LPU_TEAM_ROOM_BYTES);
        return lpu_fail(diag, LPU_ERR_MEMORY, "team: out of memory");
    }
    team->threads = threads;
    team->members = members;
    team->rooms = rooms;
    team->first_cpu = threads <= count ? cpus[0] : -1;
    pthread_mutex_init(&team->mutex, NULL);
    pthread_cond_init(&team->wake, NULL);
    for (uint32_t i = 1; i < threads; i++) {
        members[i] = (worker){.team = team, .index = i};
        if (pthread_create(&members[i].thread, NULL, member_main, &members[i])) {
            lpu_team_close(&team);
            return lpu_fail(diag, LPU_ERR_IO, "team: the system refused thread %u of %u", i + 1,
                            threads);
        }
        team->started++;
        if (threads <= count) pin(members[i].thread, cpus[i]);
    }
    *out = team;
    return LPU_OK;
}

void lpu_team_close(lpu_team **out)
{
    lpu_team *team = *out;

    if (!team) return;
    team->is_over = true;
    start_job(team);
    for (uint32_t i = 1; i <= team->started; i++) pthread_join(team->members[i].thread, NULL);
    lpu_team_unpin_caller(team);
    pthread_cond_destroy(&team->wake);
    pthread_mutex_destroy(&team->mutex);
    lpu_memory_close(team->rooms, (size_t)team->threads * LPU_TEAM_ROOM_BYTES);
    free(team->members);
    free(team);
    *out = NULL;
}

void lpu_team_pin_caller(lpu_team *team)
{
    if (team->first_cpu < 0 || team->is_caller_pinned) return;
    if (sched_getaffinity(0, sizeof(team->caller_cpus), &team->caller_cpus)) return;
    pin(pthread_self(), team->first_cpu);
    team->is_caller_pinned = true;
}

void lpu_team_unpin_caller(lpu_team *team)
{
    if (!team->is_caller_pinned) return;
    (void)sched_setaffinity(0, sizeof(team->caller_cpus), &team->caller_cpus);
    team->is_caller_pinned = false;
}

uint32_t lpu_team_threads(const lpu_team *team)
{
    return team->threads;
}

void *lpu_team_room(const lpu_team *team, size_t member)
{
    return team->rooms + member * LPU_TEAM_ROOM_BYTES;
}

void lpu_team_run(lpu_team *team, void (*work)(void *arg, size_t member, size_t members), void *arg)
{
    if (!team->started) {
        work(arg, 0, 1);
        return;
    }
    team->work = work;
    team->arg = arg;
    start_job(team);
    work(arg, 0, team->threads);
    for (uint32_t i = 0; atomic_load_explicit(&team->working, memory_order_acquire); i++) {
        pause_cpu();
        /* More threads than CPUs: let them finish. Else whoever takes this CPU keeps it too long.
         */
        if (team->first_cpu < 0 && i % SPINS == SPINS - 1) sched_yield();
    }
}

size_t lpu_team_share(size_t count, size_t member, size_t members, size_t *first)
{
    *first = count * member / members;
    return count * (member + 1) / members - *first;
}
