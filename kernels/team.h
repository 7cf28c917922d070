/* kernels/team.h - a team of threads that does one function at a time, with a barrier of about a
 * microsecond: members spin for a while between jobs, then sleep.
 */
#ifndef LPU_KERNELS_TEAM_H
#define LPU_KERNELS_TEAM_H

#include "workloads/status.h"

#include <stddef.h>
#include <stdint.h>

enum { LPU_TEAM_THREADS_MAX = 256 };

typedef struct lpu_team lpu_team;

/* A team of threads, the caller being one of them; 0: as many as this process may run on. Members
 * are pinned to a CPU each where there are enough of them and the system allows it. */
lpu_status lpu_team_open(lpu_team **team, uint32_t threads, lpu_diag *diag);
void lpu_team_close(lpu_team **team);

/* Pins the caller too, to the CPU that no member has, until it is unpinned or the team is closed:
 * for measurements. */
void lpu_team_pin_caller(lpu_team *team);
void lpu_team_unpin_caller(lpu_team *team);

uint32_t lpu_team_threads(const lpu_team *team);

/* LPU_TEAM_ROOM_BYTES of memory for a member to work in, aligned to a huge page; the team's. */
enum { LPU_TEAM_ROOM_BYTES = 8 << 20 };
void *lpu_team_room(const lpu_team *team, size_t member);

/* Calls work(arg, member, members) in every thread; returns when all have. Only from the thread
 * that opened the team. */
void lpu_team_run(lpu_team *team, void (*work)(void *arg, size_t member, size_t members),
                  void *arg);

/* The part of count items that falls to a member: *first and how many. */
size_t lpu_team_share(size_t count, size_t member, size_t members, size_t *first);

#endif
