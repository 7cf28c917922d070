/* tests/unit/dram_test.c - memory timing against closed forms and a checker that knows the rules on
 * its own and looks through the whole history of commands. */
#include "sim/dram.h"
#include "tests/unit/test.h"
#include "workloads/yaml.h"

#include <stdlib.h>

enum { USER_PS = 1000, HISTORY = 1 << 17, NEVER = -1 };

static char **memories;
static size_t memory_count;

/* A memory that no file describes: two ranks. */
static const char two_ranks[] = "ddr4-3200 with two ranks";

static int load(lpu_dram_config *c, const char *name)
{
    lpu_diag diag = {""};
    const int has_two = strcmp(name, two_ranks) == 0;
    const int is_wrong = lpu_dram_config_load(c, has_two ? "ddr4-3200" : name, &diag);

    if (is_wrong) return test_fail(__FILE__, __LINE__, "%s: %s", name, diag.text);
    if (has_two) c->ranks = 2;
    return 1;
}

static lpu_dram *open_memory(const lpu_dram_config *c)
{
    lpu_dram *d = NULL;
    lpu_diag diag = {""};

    if (lpu_dram_open(&d, c, &diag)) test_fail(__FILE__, __LINE__, "%s: %s", c->name, diag.text);
    return d;
}

static uint64_t random_next(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* ---- The rules, once more, from the standards and not from the code. ---- */

typedef enum relation { SAME_BANK, SAME_GROUP, SAME_RANK, OTHER_RANK } relation;

static int64_t clocks(const lpu_dram_config *c, uint32_t ps)
{
    return (ps + c->tck_ps - 1) / c->tck_ps;
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t refresh_ready(const lpu_dram_config *c)
{
    return clocks(c, c->t_rp_ab_ps ? c->t_rp_ab_ps : c->t_rp_ps);
}

static int64_t wait_column(const lpu_dram_config *c, lpu_dram_command before,
                           lpu_dram_command after, relation r)
{
    const int64_t burst = clocks(c, c->burst_ps), cl = clocks(c, c->t_cl_ps);
    const int64_t cwl = clocks(c, c->t_cwl_ps);
    const int near = r == SAME_BANK || r == SAME_GROUP;

    if (before == after) {
        const int64_t ccd = r == OTHER_RANK ? 0 : clocks(c, near ? c->t_ccd_l_ps : c->t_ccd_s_ps);
        return larger(ccd, burst);
    }
    if (before == LPU_DRAM_RD) return larger(clocks(c, c->t_rtw_ps), cl + burst - cwl);
    if (r == OTHER_RANK) return cwl + burst - cl;
    return cwl + burst + clocks(c, near ? c->t_wtr_l_ps : c->t_wtr_s_ps);
}

/* Clocks from one command to a later one; a clock is what the command bus asks for. */
static int64_t wait_clocks(const lpu_dram_config *c, lpu_dram_command before,
                           lpu_dram_command after, relation r)
{
    const int is_column = after == LPU_DRAM_RD || after == LPU_DRAM_WR;
    const int is_all = after == LPU_DRAM_PREA || after == LPU_DRAM_REF;
    int64_t n = 0;

    if ((before == LPU_DRAM_RD || before == LPU_DRAM_WR) && is_column)
        return larger(wait_column(c, before, after, r), 1);
    if (r == OTHER_RANK || (r != SAME_BANK && !is_all && before < LPU_DRAM_REF &&
                            !(before == LPU_DRAM_ACT && after == LPU_DRAM_ACT)))
        return 1;
    switch (before) {
    case LPU_DRAM_ACT:
        if (after == LPU_DRAM_ACT)
            n = clocks(c, r == SAME_BANK    ? c->t_rc_ps
                          : r == SAME_GROUP ? c->t_rrd_l_ps
                                            : c->t_rrd_s_ps);
        if (is_column) n = clocks(c, c->t_rcd_ps);
        if (after == LPU_DRAM_PRE || after == LPU_DRAM_PREA) n = clocks(c, c->t_ras_ps);
        if (after == LPU_DRAM_REF) n = clocks(c, c->t_rc_ps);
        break;
    case LPU_DRAM_PRE:
        if (after == LPU_DRAM_ACT || after == LPU_DRAM_REF) n = clocks(c, c->t_rp_ps);
        break;
    case LPU_DRAM_RD:
        if (after == LPU_DRAM_PRE || after == LPU_DRAM_PREA) n = clocks(c, c->t_rtp_ps);
        break;
    case LPU_DRAM_WR:
        if (after == LPU_DRAM_PRE || after == LPU_DRAM_PREA)
            n = clocks(c, c->t_cwl_ps) + clocks(c, c->burst_ps) + clocks(c, c->t_wr_ps);
        break;
    case LPU_DRAM_REF:
        if (after == LPU_DRAM_ACT || after == LPU_DRAM_REF) n = clocks(c, c->t_rfc_ps);
        break;
    case LPU_DRAM_PREA:
        if (after == LPU_DRAM_ACT || after == LPU_DRAM_REF) n = refresh_ready(c);
        break;
    case LPU_DRAM_COMMANDS: break;
    }
    return larger(n, 1);
}

/* ---- One rule at a time: not at n - 1, yes at n. ---- */

static lpu_dram_bank related(relation r)
{
    lpu_dram_bank b = {0, 0, 0, 0};
    if (r == SAME_GROUP) b.bank = 1;
    if (r == SAME_RANK) b.group = 1;
    if (r == OTHER_RANK) b.rank = 1;
    return b;
}

static int has_relation(const lpu_dram_config *c, relation r)
{
    if (r == SAME_GROUP) return c->banks_per_group > 1;
    if (r == SAME_RANK) return c->bank_groups > 1;
    return r == SAME_BANK || c->ranks > 1;
}

/* Issues at the earliest time, which must come n clocks after from_ps, and not a clock before. */
static int is_exact(lpu_dram *d, const lpu_dram_config *c, lpu_dram_command command,
                    lpu_dram_bank bank, uint64_t from_ps, int64_t n)
{
    const uint64_t want_ps = from_ps + (uint64_t)n * c->tck_ps;

    if (lpu_dram_earliest_ps(d, command, bank) != want_ps)
        return test_fail(
            __FILE__, __LINE__, "%s: command %d at %lld clocks, expected %lld", c->name,
            (int)command,
            (long long)((int64_t)(lpu_dram_earliest_ps(d, command, bank) - from_ps) / c->tck_ps),
            (long long)n);
    lpu_dram_advance(d, want_ps - c->tck_ps);
    if (lpu_dram_issue(d, command, bank, 0))
        return test_fail(__FILE__, __LINE__, "%s: command %d went at %lld clocks, expected %lld",
                         c->name, (int)command, (long long)n - 1, (long long)n);
    lpu_dram_advance(d, want_ps);
    if (!lpu_dram_issue(d, command, bank, 0))
        return test_fail(__FILE__, __LINE__, "%s: command %d did not go at %lld clocks", c->name,
                         (int)command, (long long)n);
    return 1;
}

static void open_and_wait(lpu_dram *d, const lpu_dram_config *c, lpu_dram_bank bank, uint64_t ps)
{
    const uint64_t at = lpu_dram_earliest_ps(d, LPU_DRAM_ACT, bank);
    lpu_dram_advance(d, at);
    lpu_dram_issue(d, LPU_DRAM_ACT, bank, 0);
    lpu_dram_advance(d, at + ps / c->tck_ps * c->tck_ps);
}

/* Which commands of a pair need the bank of after to be open before both. */
static int check_pair(const lpu_dram_config *c, lpu_dram_command before, lpu_dram_command after,
                      relation r)
{
    const lpu_dram_bank a = related(SAME_BANK), b = related(r);
    const uint64_t calm_ps = c->t_rc_ps + c->t_faw_ps;
    lpu_dram *d = open_memory(c);
    int is_good = d != NULL;

    if (!d) return 0;
    if (before == LPU_DRAM_RD || before == LPU_DRAM_WR || before == LPU_DRAM_PRE)
        open_and_wait(d, c, a, calm_ps);
    if (r != SAME_BANK && after != LPU_DRAM_ACT && after != LPU_DRAM_REF)
        open_and_wait(d, c, b, calm_ps);
    const uint64_t from_ps = lpu_dram_earliest_ps(d, before, a);
    lpu_dram_advance(d, from_ps);
    if (!lpu_dram_issue(d, before, a, 0))
        is_good = test_fail(__FILE__, __LINE__, "%s: command %d refused", c->name, (int)before);
    if (is_good) is_good = is_exact(d, c, after, b, from_ps, wait_clocks(c, before, after, r));
    lpu_dram_close(&d);
    return is_good;
}

static int check_pairs(const lpu_dram_config *c)
{
    static const struct {
        lpu_dram_command before, after;
        int relations; /* one bit each */
    } pairs[] = {
        {LPU_DRAM_ACT, LPU_DRAM_ACT, 1 << SAME_GROUP | 1 << SAME_RANK | 1 << OTHER_RANK},
        {LPU_DRAM_ACT, LPU_DRAM_RD, 1 << SAME_BANK},
        {LPU_DRAM_ACT, LPU_DRAM_WR, 1 << SAME_BANK},
        {LPU_DRAM_ACT, LPU_DRAM_PRE, 1 << SAME_BANK},
        {LPU_DRAM_ACT, LPU_DRAM_PREA, 1 << SAME_BANK},
        {LPU_DRAM_PRE, LPU_DRAM_ACT, 1 << SAME_BANK},
        {LPU_DRAM_PRE, LPU_DRAM_REF, 1 << SAME_BANK | 1 << SAME_GROUP | 1 << SAME_RANK},
        {LPU_DRAM_RD, LPU_DRAM_RD, 15},
        {LPU_DRAM_RD, LPU_DRAM_WR, 15},
        {LPU_DRAM_WR, LPU_DRAM_RD, 15},
        {LPU_DRAM_WR, LPU_DRAM_WR, 15},
        {LPU_DRAM_RD, LPU_DRAM_PRE, 1 << SAME_BANK},
        {LPU_DRAM_WR, LPU_DRAM_PRE, 1 << SAME_BANK},
        {LPU_DRAM_RD, LPU_DRAM_PREA, 1 << SAME_BANK | 1 << SAME_GROUP | 1 << SAME_RANK},
        {LPU_DRAM_WR, LPU_DRAM_PREA, 1 << SAME_BANK | 1 << SAME_GROUP | 1 << SAME_RANK},
        {LPU_DRAM_REF, LPU_DRAM_ACT, 15},
        {LPU_DRAM_REF, LPU_DRAM_REF, 1 << SAME_BANK | 1 << OTHER_RANK},
        {LPU_DRAM_PREA, LPU_DRAM_ACT, 1 << SAME_BANK | 1 << SAME_GROUP | 1 << SAME_RANK},
        {LPU_DRAM_PREA, LPU_DRAM_REF, 1 << SAME_BANK},
    };

    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
        for (int r = SAME_BANK; r <= OTHER_RANK; r++)
            if (pairs[i].relations >> r & 1 && has_relation(c, (relation)r) &&
                !check_pair(c, pairs[i].before, pairs[i].after, (relation)r))
                return 0;
    return 1;
}

static void each_rule_holds_to_the_clock(void)
{
    for (size_t i = 0; i <= memory_count; i++) {
        lpu_dram_config c;
        if (!load(&c, i < memory_count ? memories[i] : two_ranks) || !check_pairs(&c)) return;
    }
}

/* Rules of three or more commands: tRC of a bank, tRC before a refresh, four activates. */
static void rows_cycle_and_four_activates(void)
{
    for (size_t i = 0; i < memory_count; i++) {
        const lpu_dram_bank bank = {0, 0, 0, 0};
        lpu_dram_config c;
        if (!load(&c, memories[i])) return;

        for (int is_refresh = 0; is_refresh < 2; is_refresh++) {
            lpu_dram *d = open_memory(&c);
            const int64_t ras = clocks(&c, c.t_ras_ps), rp = clocks(&c, c.t_rp_ps);
            if (!d) return;
            lpu_dram_issue(d, LPU_DRAM_ACT, bank, 0);
            const int is_good = is_exact(d, &c, LPU_DRAM_PRE, bank, 0, ras) &&
                                is_exact(d, &c, is_refresh ? LPU_DRAM_REF : LPU_DRAM_ACT, bank, 0,
                                         larger(clocks(&c, c.t_rc_ps), ras + rp));
            lpu_dram_close(&d);
            if (!is_good) return;
        }

        lpu_dram *d = open_memory(&c);
        int64_t last = 0, rrd = 0;
        int is_good = d != NULL;
        for (uint32_t k = 0; is_good && k < 5; k++) {
            const lpu_dram_bank b = {0, 0, k % c.bank_groups, k / c.bank_groups};
            const int is_near = c.bank_groups == 1;
            rrd = clocks(&c, is_near ? c.t_rrd_l_ps : c.t_rrd_s_ps);
            if (k == 0) {
                is_good = lpu_dram_issue(d, LPU_DRAM_ACT, b, 0);
                continue;
            }
            int64_t at = last + rrd;
            if (!is_near && k >= c.bank_groups)
                at = larger(at, last - (c.bank_groups - 1) * rrd + clocks(&c, c.t_rrd_l_ps));
            if (k == 4) at = larger(at, clocks(&c, c.t_faw_ps));
            is_good = is_exact(d, &c, LPU_DRAM_ACT, b, 0, at);
            last = at;
        }
        lpu_dram_close(&d);
        if (!is_good) return;
    }
}

/* ---- Traffic, and what it did. ---- */

typedef struct event {
    uint64_t at; /* clock */
    lpu_dram_command command;
    lpu_dram_bank bank;
    uint32_t row;
} event;

typedef struct history {
    event *events; /* (HISTORY) */
    size_t count;
    uint32_t tck_ps;
} history;

static void record(void *user, uint64_t time_ps, lpu_dram_command command, lpu_dram_bank bank,
                   uint32_t row)
{
    history *h = user;
    if (h->count < HISTORY) h->events[h->count] = (event){time_ps / h->tck_ps, command, bank, row};
    h->count++;
}

typedef struct request {
    uint64_t address, offered_ps, done_ps; /* done_ps: first user clock that saw it */
    int is_write, seen;
} request;

typedef struct traffic {
    uint64_t seed;
    uint32_t count;
    uint32_t rows;    /* spread: addresses of so many rows */
    uint32_t writes;  /* share, of 256 */
    uint32_t pauses;  /* share of user clocks in which nothing is offered, of 256 */
    uint32_t streaks; /* requests one after the other from a random place */
    uint32_t split;   /* advances between two user clocks, at random times */
} traffic;

/* A user with a clock of its own. Offers are a function of the seed, of the user clock and of what
 * the memory takes and gives. order gets tags as they come. */
static uint64_t drive(lpu_dram *d, const lpu_dram_config *c, const traffic *t, request *requests,
                      uint32_t *order, uint64_t begin_ps)
{
    const uint64_t span = (uint64_t)t->rows * c->row_bytes * c->channels * c->bank_groups *
                          c->banks_per_group * c->ranks / c->burst_bytes;
    uint64_t seed = t->seed, chaos = t->seed ^ 77, now_ps = begin_ps, place = 0;
    uint32_t sent = 0, done = 0, left = 0, tag;

    while (done < t->count) {
        int is_paused = random_next(&seed) % 256 < t->pauses;
        while (!is_paused && sent < t->count) {
            if (!left) {
                place = random_next(&seed) % span;
                left = t->streaks;
            }
            if (!requests[sent].seen) {
                requests[sent].address = place % span * c->burst_bytes;
                requests[sent].is_write = random_next(&seed) % 256 < t->writes;
                requests[sent].seen = 1;
            }
            if (!lpu_dram_offer(d, requests[sent].address, requests[sent].is_write, sent)) break;
            requests[sent++].offered_ps = now_ps;
            place++;
            left--;
        }
        const uint64_t next_ps = now_ps + USER_PS;
        for (uint32_t k = 0; k < t->split; k++) {
            now_ps += random_next(&chaos) % (next_ps - now_ps);
            lpu_dram_advance(d, now_ps);
            (void)lpu_dram_next_ps(d);
        }
        now_ps = next_ps;
        lpu_dram_advance(d, now_ps);
        for (; lpu_dram_take(d, &tag); done++) {
            requests[tag].done_ps = now_ps;
            requests[tag].seen++;
            order[done] = tag;
        }
        if (now_ps - begin_ps > UINT64_C(1000000000000)) return 0; /* a second: it hangs */
    }
    return now_ps;
}

static relation relation_of(lpu_dram_bank a, lpu_dram_bank b)
{
    if (a.rank != b.rank) return OTHER_RANK;
    if (a.group != b.group) return SAME_RANK;
    return a.bank == b.bank ? SAME_BANK : SAME_GROUP;
}

/* Every pair of commands of a channel that is close enough to matter. */
static int history_obeys_pairs(const lpu_dram_config *c, const history *h)
{
    const uint64_t far = (uint64_t)clocks(c, c->t_rfc_ps) + 1;

    for (size_t i = 0; i < h->count; i++) {
        const event *b = &h->events[i];
        size_t activates = 0;
        for (size_t j = i; j-- > 0;) {
            const event *a = &h->events[j];
            if (a->bank.channel != b->bank.channel) continue;
            if (a->at + far < b->at) break;
            const int64_t n = wait_clocks(c, a->command, b->command, relation_of(a->bank, b->bank));
            if ((int64_t)(b->at - a->at) < n || b->at <= a->at)
                return test_fail(__FILE__, __LINE__,
                                 "%s: command %d at clock %llu, %d at %llu, expected %lld apart",
                                 c->name, (int)a->command, (unsigned long long)a->at,
                                 (int)b->command, (unsigned long long)b->at, (long long)n);
            if (b->command == LPU_DRAM_ACT && a->command == LPU_DRAM_ACT &&
                a->bank.rank == b->bank.rank && ++activates == 4 &&
                (int64_t)(b->at - a->at) < clocks(c, c->t_faw_ps))
                return test_fail(__FILE__, __LINE__, "%s: five activates within tFAW", c->name);
        }
    }
    return 1;
}

/* Rows are open when used, closed when opened or refreshed; data never overlap; refreshes keep up.
 */
static int history_obeys_state(const lpu_dram_config *c, const history *h)
{
    enum { BANKS = 1024, CHANNELS = 64 };
    static int64_t open[CHANNELS][BANKS];
    static uint64_t bus[CHANNELS], refreshes[CHANNELS];
    const uint32_t of_rank = c->bank_groups * c->banks_per_group;
    const uint64_t refi = c->t_refi_ps / c->tck_ps;

    for (int i = 0; i < CHANNELS; i++) {
        bus[i] = refreshes[i] = 0;
        for (int b = 0; b < BANKS; b++) open[i][b] = NEVER;
    }
    for (size_t i = 0; i < h->count; i++) {
        const event *e = &h->events[i];
        const uint32_t ch = e->bank.channel, first = e->bank.rank * of_rank;
        int64_t *row = &open[ch][first + e->bank.group * c->banks_per_group + e->bank.bank];
        uint64_t data =
            e->at + (uint64_t)clocks(c, e->command == LPU_DRAM_RD ? c->t_cl_ps : c->t_cwl_ps);
        switch (e->command) {
        case LPU_DRAM_ACT:
            if (*row != NEVER) return test_fail(__FILE__, __LINE__, "%s: open twice", c->name);
            *row = e->row;
            break;
        case LPU_DRAM_PRE: *row = NEVER; break;
        case LPU_DRAM_RD:
        case LPU_DRAM_WR:
            if (*row != e->row)
                return test_fail(__FILE__, __LINE__, "%s: row %u used, %lld open", c->name, e->row,
                                 (long long)*row);
            if (data < bus[ch]) return test_fail(__FILE__, __LINE__, "%s: data overlap", c->name);
            bus[ch] = data + (uint64_t)clocks(c, c->burst_ps);
            break;
        case LPU_DRAM_REF:
            for (uint32_t b = first; b < first + of_rank; b++)
                if (open[ch][b] != NEVER)
                    return test_fail(__FILE__, __LINE__, "%s: refresh of an open bank", c->name);
            refreshes[ch]++;
            break;
        case LPU_DRAM_PREA:
            for (uint32_t b = first; b < first + of_rank; b++) open[ch][b] = NEVER;
            break;
        case LPU_DRAM_COMMANDS: break;
        }
        const uint64_t due = e->at / refi * c->ranks, slack = c->ranks;
        const uint64_t shut = (uint64_t)(clocks(c, c->t_rfc_ps) + clocks(c, c->t_rc_ps) * 4);
        if (refreshes[ch] > due)
            return test_fail(__FILE__, __LINE__, "%s: refresh before it is due", c->name);
        if (refreshes[ch] + slack < due && e->at % refi > shut)
            return test_fail(__FILE__, __LINE__, "%s: two refreshes postponed", c->name);
    }
    return 1;
}

typedef struct finish {
    uint64_t at;
    uint32_t channel;
    size_t i;
    int used;
} finish;

static int by_finish(const void *a, const void *b)
{
    const finish *x = a, *y = b;
    if (x->at != y->at) return x->at < y->at ? -1 : 1;
    if (x->channel != y->channel) return x->channel < y->channel ? -1 : 1;
    return x->i < y->i ? -1 : 1;
}

/* The order of completions is the order of finish that the commands imply, and each is the row and
 * the direction that was asked for. */
static int completions_follow(const lpu_dram_config *c, const lpu_dram *d, const history *h,
                              const request *requests, const uint32_t *order, uint32_t count)
{
    finish *f = calloc(h->count, sizeof(*f));
    uint32_t n = 0;
    int is_good = 1;

    for (size_t i = 0; i < h->count; i++) {
        const event *e = &h->events[i];
        if (e->command != LPU_DRAM_RD && e->command != LPU_DRAM_WR) continue;
        const int64_t latency =
            clocks(c, c->burst_ps) + (e->command == LPU_DRAM_RD
                                          ? clocks(c, c->t_cl_ps) + clocks(c, c->controller_ps)
                                          : clocks(c, c->t_cwl_ps));
        f[n++] = (finish){e->at + (uint64_t)latency, e->bank.channel, i, 0};
    }
    if (n != count) is_good = test_fail(__FILE__, __LINE__, "%u bursts for %u", n, count);
    qsort(f, n, sizeof(*f), by_finish);
    for (uint32_t k = 0; is_good && k < n; k++) {
        const request *r = &requests[order[k]];
        const event *e = &h->events[f[k].i];
        const lpu_dram_place p = lpu_dram_map(d, r->address);
        if (r->seen != 2)
            is_good = test_fail(__FILE__, __LINE__, "%s: tag %u came %d times", c->name, order[k],
                                r->seen - 1);
        else if (p.bank.channel != e->bank.channel || relation_of(p.bank, e->bank) != SAME_BANK ||
                 p.row != e->row || (e->command == LPU_DRAM_WR) != r->is_write)
            is_good = test_fail(__FILE__, __LINE__, "%s: completion %u is not of its command",
                                c->name, k);
        else if ((f[k].at * c->tck_ps + USER_PS - 1) / USER_PS * USER_PS != r->done_ps)
            is_good = test_fail(__FILE__, __LINE__, "%s: completion %u seen at %llu, done at %llu",
                                c->name, k, (unsigned long long)r->done_ps,
                                (unsigned long long)f[k].at * c->tck_ps);
        else if (e->at * c->tck_ps < r->offered_ps)
            is_good = test_fail(__FILE__, __LINE__, "%s: served before offered", c->name);
    }
    free(f);
    return is_good;
}

static const traffic mixes[] = {
    {.seed = 1, .count = 4000, .rows = 64, .writes = 80, .pauses = 0, .streaks = 1},
    {.seed = 2, .count = 6000, .rows = 2, .writes = 128, .pauses = 128, .streaks = 4},
    {.seed = 3, .count = 3000, .rows = 8, .writes = 20, .pauses = 250, .streaks = 9},
    {.seed = 4, .count = 8000, .rows = 8, .writes = 128, .pauses = 0, .streaks = 200},
};

enum { MIXES = sizeof(mixes) / sizeof(mixes[0]), REQUESTS_MAX = 8000 };

static int check_mix(const lpu_dram_config *c, const traffic *t)
{
    static request requests[REQUESTS_MAX];
    static uint32_t order[REQUESTS_MAX];
    static event events[HISTORY];
    history h = {.events = events, .tck_ps = c->tck_ps};
    lpu_dram *d = open_memory(c);

    if (!d) return 0;
    memset(requests, 0, sizeof(requests));
    lpu_dram_watch(d, record, &h);
    int is_good = drive(d, c, t, requests, order, 0) != 0;
    if (!is_good) test_fail(__FILE__, __LINE__, "%s: a request never ends", c->name);
    if (h.count > HISTORY) is_good = test_fail(__FILE__, __LINE__, "history too short");
    is_good = is_good && history_obeys_pairs(c, &h) && history_obeys_state(c, &h) &&
              completions_follow(c, d, &h, requests, order, t->count);
    lpu_dram_close(&d);
    return is_good;
}

static void random_traffic_obeys_every_rule(void)
{
    for (size_t i = 0; i <= memory_count; i++) {
        lpu_dram_config c;
        if (!load(&c, i < memory_count ? memories[i] : two_ranks)) return;
        for (int m = 0; m < MIXES; m++)
            if (!check_mix(&c, &mixes[m])) return;
    }
}

/* ---- How fine the user advances does not matter; next_ps is never late. ---- */

static void advancing_in_steps_changes_nothing(void)
{
    static request a[REQUESTS_MAX], b[REQUESTS_MAX];
    static uint32_t order_a[REQUESTS_MAX], order_b[REQUESTS_MAX];

    for (size_t i = 0; i < memory_count * MIXES; i++) {
        lpu_dram_config c;
        traffic t = mixes[i % MIXES];
        if (!load(&c, memories[i / MIXES])) return;

        memset(a, 0, sizeof(a));
        memset(b, 0, sizeof(b));
        lpu_dram *whole = open_memory(&c), *split = open_memory(&c);
        drive(whole, &c, &t, a, order_a, 0);
        t.split = 5;
        drive(split, &c, &t, b, order_b, 0);
        lpu_dram_close(&whole);
        lpu_dram_close(&split);
        CHECK(memcmp(order_a, order_b, t.count * sizeof(order_a[0])) == 0, "%s: another order",
              c.name);
        for (uint32_t k = 0; k < t.count; k++)
            CHECK(a[k].done_ps == b[k].done_ps && a[k].offered_ps == b[k].offered_ps,
                  "%s: request %u done at %llu and at %llu", c.name, k,
                  (unsigned long long)a[k].done_ps, (unsigned long long)b[k].done_ps);
    }
}

/* Jumps from next_ps to next_ps; just before each, no completion has come and no place is free. */
static void next_is_never_late(void)
{
    for (size_t i = 0; i < memory_count; i++) {
        lpu_dram_config c;
        if (!load(&c, memories[i])) return;
        lpu_dram *d = open_memory(&c);
        uint64_t seed = 9, now_ps = 0, sent = 0, done = 0;
        uint32_t tag;
        const uint64_t span = UINT64_C(1) << 20;

        CHECK(lpu_dram_next_ps(d) == UINT64_MAX, "%s: idle, and something is next", c.name);
        uint64_t held = random_next(&seed) % span * c.burst_bytes;
        while (done < 2000) {
            while (sent < 2000 && lpu_dram_offer(d, held, sent % 5 == 0, (uint32_t)sent)) {
                held = random_next(&seed) % span * c.burst_bytes;
                sent++;
            }
            const uint64_t next_ps = lpu_dram_next_ps(d);
            CHECK(next_ps > now_ps && next_ps != UINT64_MAX, "%s: next is %llu at %llu", c.name,
                  (unsigned long long)next_ps, (unsigned long long)now_ps);
            if (next_ps - 1 > now_ps) {
                lpu_dram_advance(d, next_ps - 1);
                CHECK(!lpu_dram_take(d, &tag), "%s: a completion before next", c.name);
                CHECK(sent == 2000 || !lpu_dram_offer(d, held, false, 0), "%s: a place before next",
                      c.name);
            }
            now_ps = next_ps;
            lpu_dram_advance(d, now_ps);
            while (lpu_dram_take(d, &tag)) done++;
        }
        CHECK(lpu_dram_is_idle(d) && lpu_dram_next_ps(d) == UINT64_MAX, "%s: not idle", c.name);
        lpu_dram_close(&d);
    }
}

/* ---- Closed forms. ---- */

/* Offers one request and returns when it is done, to the picosecond. */
static uint64_t one_burst(lpu_dram *d, uint64_t address, int is_write)
{
    uint32_t tag = 0;
    uint64_t at_ps = 0;

    if (!lpu_dram_offer(d, address, is_write, 42)) return 0;
    while (!lpu_dram_take(d, &tag)) {
        at_ps = lpu_dram_next_ps(d);
        lpu_dram_advance(d, at_ps);
    }
    return tag == 42 ? at_ps : 0;
}

static void one_burst_takes_the_sum_of_its_parts(void)
{
    for (size_t i = 0; i < memory_count; i++) {
        lpu_dram_config c;
        if (!load(&c, memories[i])) return;
        const int64_t rcd = clocks(&c, c.t_rcd_ps), rp = clocks(&c, c.t_rp_ps);
        const int64_t burst = clocks(&c, c.burst_ps), cwl = clocks(&c, c.t_cwl_ps);
        const int64_t read = clocks(&c, c.t_cl_ps) + burst + clocks(&c, c.controller_ps);
        uint64_t seed = 5;

        for (int k = 0; k < 20; k++) {
            const uint64_t address = random_next(&seed) % (UINT64_C(1) << 24) * c.burst_bytes;
            const uint64_t at_ps = random_next(&seed) % 100000;
            const uint64_t edge_ps = (at_ps + c.tck_ps - 1) / c.tck_ps * c.tck_ps;
            lpu_dram *d = open_memory(&c);
            lpu_dram_advance(d, at_ps);
            const uint64_t empty_ps = one_burst(d, address, false);
            CHECK_EQ(empty_ps - edge_ps, (rcd + read) * c.tck_ps);
            lpu_dram_advance(d, empty_ps + 10 * (uint64_t)c.tck_ps);
            const uint64_t hit_ps = one_burst(d, address, false);
            CHECK_EQ(hit_ps - empty_ps, (10 + read) * c.tck_ps);
            const uint64_t far = address ^ (uint64_t)c.row_bytes * c.channels * c.bank_groups *
                                               c.banks_per_group * c.ranks;
            lpu_dram_advance(d, hit_ps + c.t_rc_ps);
            const uint64_t from_ps = (hit_ps + c.t_rc_ps + c.tck_ps - 1) / c.tck_ps * c.tck_ps;
            CHECK_EQ(one_burst(d, far, false) - from_ps, (rp + rcd + read) * c.tck_ps);
            lpu_dram_close(&d);

            d = open_memory(&c);
            CHECK_EQ(one_burst(d, address, true), (rcd + cwl + burst) * c.tck_ps);
            lpu_dram_close(&d);
        }
    }
}

/* The bus turns round: a read after a write to the same row, and a write after a read. */
static void turnaround_takes_what_the_rules_say(void)
{
    for (size_t i = 0; i < memory_count; i++) {
        lpu_dram_config c;
        uint32_t first = 9, second = 9;
        if (!load(&c, memories[i])) return;
        const int64_t burst = clocks(&c, c.burst_ps), rcd = clocks(&c, c.t_rcd_ps);
        const int64_t read = clocks(&c, c.t_cl_ps) + burst + clocks(&c, c.controller_ps);
        const int64_t write = clocks(&c, c.t_cwl_ps) + burst;

        /* The write goes at tRCD; the read is offered a clock later. */
        lpu_dram *d = open_memory(&c);
        CHECK(lpu_dram_offer(d, 0, true, 1), "refused");
        lpu_dram_advance(d, (uint64_t)(rcd + 1) * c.tck_ps);
        CHECK_EQ(one_burst(d, 0, false), 0); /* the write came first: its tag is not 42 */
        const uint64_t written_ps = (uint64_t)(rcd + write) * c.tck_ps;
        const uint64_t read_ps =
            written_ps + (uint64_t)(clocks(&c, c.t_wtr_l_ps) + read) * c.tck_ps;
        lpu_dram_advance(d, read_ps - 1);
        CHECK(!lpu_dram_take(d, &first), "%s: read too early after write", c.name);
        lpu_dram_advance(d, read_ps);
        CHECK(lpu_dram_take(d, &first) && first == 42, "%s: read late after write", c.name);
        lpu_dram_close(&d);

        d = open_memory(&c);
        CHECK(lpu_dram_offer(d, 0, false, 1), "refused");
        lpu_dram_advance(d, (uint64_t)(rcd + 1) * c.tck_ps);
        CHECK(lpu_dram_offer(d, 0, true, 2), "refused");
        const int64_t turn = larger(clocks(&c, c.t_rtw_ps), read - write);
        const int64_t rtw =
            larger(clocks(&c, c.t_rtw_ps), clocks(&c, c.t_cl_ps) + burst - clocks(&c, c.t_cwl_ps));
        const uint64_t done_ps = (uint64_t)(rcd + larger(rtw + write, read)) * c.tck_ps;
        CHECK(turn >= 1, "%s: no turnaround", c.name);
        lpu_dram_advance(d, done_ps);
        CHECK(lpu_dram_take(d, &first) && lpu_dram_take(d, &second), "%s: write late after read",
              c.name);
        CHECK_EQ(first + second, 3);
        CHECK_EQ(first, rtw + write < read ? 2 : 1);
        lpu_dram_close(&d);
    }
}

static void idle_memory_refreshes_on_time(void)
{
    for (size_t i = 0; i < memory_count; i++) {
        lpu_dram_config c;
        lpu_counters counters = {0};
        if (!load(&c, memories[i])) return;
        lpu_dram *d = open_memory(&c);
        const uint64_t refi_ps = c.t_refi_ps / c.tck_ps * c.tck_ps, end_ps = refi_ps * 1000;

        lpu_dram_advance(d, end_ps); /* works off the edges before: 999 of them refresh */
        lpu_dram_count(d, &counters);
        CHECK_EQ(counters.dram_refreshes, 999 * c.channels);
        CHECK_EQ(counters.dram_channel_ns, end_ps * c.channels / 1000);
        lpu_dram_advance(d, end_ps + 1);
        counters = (lpu_counters){0};
        lpu_dram_count(d, &counters);
        CHECK_EQ(counters.dram_refreshes, 1000 * c.channels);
        lpu_dram_close(&d);
    }
}

/* ---- Streams. ---- */

typedef struct stream_result {
    uint64_t ps;
    lpu_counters counters;
} stream_result;

static stream_result stream(const lpu_dram_config *c, uint64_t bytes, uint32_t writes_of_256)
{
    const uint64_t count = bytes / c->burst_bytes;
    uint64_t sent = 0, done = 0, seed = 3;
    uint32_t tag;
    stream_result r = {0};
    lpu_dram *d = open_memory(c);

    if (!d) return r;
    while (done < count) {
        while (sent < count &&
               lpu_dram_offer(d, sent * c->burst_bytes,
                              writes_of_256 && random_next(&seed) % 256 < writes_of_256, 0))
            sent++;
        r.ps += USER_PS;
        lpu_dram_advance(d, r.ps);
        while (lpu_dram_take(d, &tag)) done++;
    }
    lpu_dram_count(d, &r.counters);
    lpu_dram_close(&d);
    return r;
}

/* Time = bytes / peak, and for every refresh: from the last read, tRTP until the banks close, tRP,
 * tRFC, and tRCD until the next read. In a stream, the rows are opened ahead and cost nothing. */
static void streams_reach_the_closed_form(void)
{
    const uint64_t bytes = 16 << 20;

    for (size_t i = 0; i < memory_count; i++) {
        lpu_dram_config c;
        if (!load(&c, memories[i])) return;
        const stream_result r = stream(&c, bytes, 0);
        const double refreshes = (double)(r.counters.dram_refreshes / c.channels);
        const double stop_ps = (double)((clocks(&c, c.t_rtp_ps) + refresh_ready(&c) +
                                         clocks(&c, c.t_rfc_ps) + clocks(&c, c.t_rcd_ps)) *
                                        c.tck_ps);
        const double want_ps =
            1e12 * (double)bytes / lpu_dram_peak_bytes_per_s(&c) + refreshes * stop_ps;
        CHECK((double)r.ps < 1.02 * want_ps && (double)r.ps > 0.98 * want_ps,
              "%s: %.0f ps, expected %.0f within 2%%", c.name, (double)r.ps, want_ps);
        CHECK_EQ(r.counters.dram_read_bytes, bytes);
        CHECK_EQ(r.counters.dram_write_bytes, 0);
        const double due = (double)r.ps / c.t_refi_ps;
        CHECK(refreshes <= due && refreshes >= due - 2, "%s: %.0f refreshes, due %.1f", c.name,
              refreshes, due);
        /* Each row is opened once, and again where a refresh has closed it. */
        const uint64_t rows = bytes / c.row_bytes;
        const uint64_t banks = (uint64_t)c.channels * c.bank_groups * 2;
        CHECK(r.counters.dram_activates >= rows &&
                  r.counters.dram_activates <= rows + (uint64_t)refreshes * banks,
              "%s: %llu activates of %llu rows", c.name,
              (unsigned long long)r.counters.dram_activates, (unsigned long long)rows);
    }
}

/* What DRAMsim3 reaches on the same parts with a good address map (sequential 16 MiB). One percent:
 * it precharges bank by bank and has other queues. */
static void streams_reach_the_known_figures(void)
{
    static const struct {
        const char *name;
        double percent;
    } known[] = {{"ddr4-3200", 95}, {"hbm2", 92}, {"lpddr4-2400", 95}};

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        lpu_dram_config c;
        if (!load(&c, known[i].name)) return;
        const stream_result r = stream(&c, 16 << 20, 0);
        const double percent =
            100 * (16 << 20) / ((double)r.ps * 1e-12) / lpu_dram_peak_bytes_per_s(&c);
        CHECK(percent > known[i].percent - 1 && percent < known[i].percent + 1,
              "%s: %.2f%% of peak, expected %.0f within 1", c.name, percent, known[i].percent);
    }
}

/* Reads and writes in equal parts: with a batch of half a queue per turn, what a batch costs is its
 * bursts, one turn of the bus each way, and at worst a row opened late. */
static void batches_keep_the_bus_from_turning(void)
{
    for (size_t i = 0; i < memory_count; i++) {
        lpu_dram_config c;
        if (!load(&c, memories[i])) return;
        const uint64_t bytes = 4 << 20;
        const stream_result r = stream(&c, bytes, 128);
        const double batch = c.queue_requests / 2, burst = (double)clocks(&c, c.burst_ps);
        const double turns = (double)(wait_column(&c, LPU_DRAM_WR, LPU_DRAM_RD, SAME_BANK) +
                                      wait_column(&c, LPU_DRAM_RD, LPU_DRAM_WR, SAME_BANK)) +
                             2.0 * (double)(clocks(&c, c.t_rcd_ps) + clocks(&c, c.t_rp_ps));
        const double share =
            1 / (1 + turns / (2 * batch * burst)) * (1 - 1.3 * (double)c.t_rfc_ps / c.t_refi_ps);
        const double found = (double)bytes / ((double)r.ps * 1e-12) / lpu_dram_peak_bytes_per_s(&c);
        CHECK(found > share, "%s: %.3f of peak, expected at least %.3f", c.name, found, share);
        CHECK_EQ(r.counters.dram_read_bytes + r.counters.dram_write_bytes, bytes);
    }
}

/* ---- The queue. ---- */

static void queue_holds_what_it_says(void)
{
    for (size_t i = 0; i < memory_count; i++) {
        lpu_dram_config c;
        uint32_t tag;
        if (!load(&c, memories[i])) return;
        lpu_dram *d = open_memory(&c);
        const uint64_t next_row = (uint64_t)c.row_bytes * c.channels * c.bank_groups *
                                  c.banks_per_group * c.ranks; /* of the same bank */
        for (uint32_t k = 0; k < c.queue_requests; k++)
            CHECK(lpu_dram_offer(d, k * next_row, k & 1, k), "%s: %u refused", c.name, k);
        CHECK(!lpu_dram_offer(d, 0, false, 99), "%s: one too many", c.name);
        if (c.channels > 1)
            CHECK(lpu_dram_offer(d, c.interleave_bytes, false, 100), "%s: channel 1 refused",
                  c.name);
        lpu_dram_advance(d, (uint64_t)(clocks(&c, c.t_rcd_ps)) * c.tck_ps);
        CHECK(!lpu_dram_offer(d, 0, false, 99), "%s: free before the read", c.name);
        lpu_dram_advance(d, (uint64_t)(clocks(&c, c.t_rcd_ps)) * c.tck_ps + 1);
        CHECK(lpu_dram_offer(d, 0, false, 101), "%s: not free after the read", c.name);
        uint32_t done = 0;
        for (; !lpu_dram_is_idle(d); lpu_dram_advance(d, lpu_dram_next_ps(d)))
            while (lpu_dram_take(d, &tag)) done++;
        while (lpu_dram_take(d, &tag)) done++;
        CHECK_EQ(done, c.queue_requests + 1 + (c.channels > 1));
        lpu_dram_close(&d);
    }
}

/* A read of another row of a bank whose open row is asked for without end is served all the same.
 */
static void nobody_waits_for_ever(void)
{
    for (size_t i = 0; i < memory_count; i++) {
        lpu_dram_config c;
        if (!load(&c, memories[i])) return;
        lpu_dram *d = open_memory(&c);
        const uint64_t next_row =
            (uint64_t)c.row_bytes * c.channels * c.bank_groups * c.banks_per_group * c.ranks;
        uint64_t now_ps = 0, waited_ps = 0;
        uint32_t tag;

        for (int is_write = 0; is_write < 2; is_write++) {
            int is_done = 0, is_sent = 0;
            for (uint64_t begin_ps = now_ps; !is_done; now_ps += USER_PS) {
                if (now_ps - begin_ps > 200 * USER_PS && !is_sent)
                    is_sent = lpu_dram_offer(d, next_row * (2 + (uint64_t)is_write), is_write, 7);
                while (lpu_dram_offer(d, 0, false, 1)) {}
                lpu_dram_advance(d, now_ps + USER_PS);
                while (lpu_dram_take(d, &tag)) is_done |= tag == 7;
                waited_ps = now_ps - begin_ps;
                CHECK(waited_ps < 20000000, "%s: still waiting", c.name);
            }
            /* Four queues pass it, each at tCCD_L, perhaps with a refresh or two. */
            const uint64_t bound_ps =
                200 * USER_PS + 5 * c.queue_requests * (uint64_t)larger(c.t_ccd_l_ps, c.burst_ps) +
                4 * (uint64_t)c.t_rc_ps + 3 * (uint64_t)c.t_rfc_ps + c.controller_ps;
            CHECK(waited_ps < bound_ps, "%s: waited %llu ps, expected under %llu", c.name,
                  (unsigned long long)waited_ps, (unsigned long long)bound_ps);
        }
        lpu_dram_close(&d);
    }
}

/* ---- Settling. ---- */

static void settling_is_a_new_beginning(void)
{
    static request a[REQUESTS_MAX], b[REQUESTS_MAX];
    static uint32_t order_a[REQUESTS_MAX], order_b[REQUESTS_MAX];

    for (size_t i = 0; i < memory_count * MIXES; i++) {
        lpu_dram_config c;
        const traffic *t = &mixes[i % MIXES];
        if (!load(&c, memories[i / MIXES])) return;
        lpu_dram *d = open_memory(&c);
        memset(a, 0, sizeof(a));
        drive(d, &c, t, a, order_a, 0);
        uint64_t now_ps = a[order_a[t->count - 1]].done_ps;
        for (int again = 0; again < 3; again++) {
            lpu_counters before = {0}, after = {0};
            lpu_dram_count(d, &before);
            const uint64_t ready_ps = lpu_dram_settle(d);
            lpu_dram_count(d, &after);
            CHECK(ready_ps >= now_ps + c.t_rfc_ps, "%s: settled without a refresh", c.name);
            CHECK(ready_ps <= now_ps + 4 * (uint64_t)c.t_rfc_ps + 2 * c.t_rc_ps, "%s: settled late",
                  c.name);
            CHECK(after.dram_refreshes >= before.dram_refreshes + c.channels,
                  "%s: a channel was not refreshed", c.name);
            CHECK(!lpu_dram_offer(d, 0, false, 0), "%s: offered while settling", c.name);

            const uint64_t begin_ps = (ready_ps + USER_PS - 1) / USER_PS * USER_PS;
            for (; now_ps < begin_ps; now_ps += USER_PS) lpu_dram_advance(d, now_ps);
            lpu_dram_advance(d, begin_ps);
            memset(b, 0, sizeof(b));
            drive(d, &c, t, b, order_b, begin_ps);
            CHECK(memcmp(order_a, order_b, t->count * sizeof(order_a[0])) == 0, "%s: another order",
                  c.name);
            for (uint32_t k = 0; k < t->count; k++)
                CHECK(a[k].done_ps == b[k].done_ps - begin_ps, "%s: request %u at %llu and %llu",
                      c.name, k, (unsigned long long)a[k].done_ps,
                      (unsigned long long)(b[k].done_ps - begin_ps));
            now_ps = b[order_b[t->count - 1]].done_ps;
        }
        lpu_dram_close(&d);
    }
}

/* ---- Addresses and files. ---- */

static void each_address_has_its_own_place(void)
{
    for (size_t i = 0; i < memory_count; i++) {
        lpu_dram_config c;
        if (!load(&c, memories[i])) return;
        lpu_dram *d = open_memory(&c);
        const uint64_t banks = (uint64_t)c.channels * c.ranks * c.bank_groups * c.banks_per_group;
        const uint64_t count = 4 * banks * c.row_bytes / c.burst_bytes; /* four rows of each */
        uint8_t *seen = calloc(count, 1);

        for (uint64_t k = 0; k < count; k++) {
            const lpu_dram_place p = lpu_dram_map(d, k * c.burst_bytes);
            const lpu_dram_place q =
                lpu_dram_map(d, k * c.burst_bytes + banks * c.rows * c.row_bytes);
            CHECK(p.bank.channel == k * c.burst_bytes / c.interleave_bytes % c.channels,
                  "%s: burst %llu on channel %u", c.name, (unsigned long long)k, p.bank.channel);
            CHECK(p.bank.rank < c.ranks && p.bank.group < c.bank_groups &&
                      p.bank.bank < c.banks_per_group && p.row < 4 &&
                      p.column < c.row_bytes / c.burst_bytes,
                  "%s: out of range", c.name);
            CHECK(memcmp(&p, &q, sizeof(p)) == 0, "%s: does not wrap at the capacity", c.name);
            const uint64_t bank =
                ((p.bank.channel * (uint64_t)c.ranks + p.bank.rank) * c.bank_groups +
                 p.bank.group) *
                    c.banks_per_group +
                p.bank.bank;
            uint8_t *s = &seen[(bank * 4 + p.row) * (c.row_bytes / c.burst_bytes) + p.column];
            CHECK(!*s, "%s: two addresses in one place", c.name);
            *s = 1;
        }
        free(seen);
        lpu_dram_close(&d);
    }
}

static void peaks_are_those_of_the_pins(void)
{
    static const struct {
        const char *name;
        double gigabits, pins; /* data rate of a pin */
    } known[] = {
        {"lpddr4-2400", 2.4, 64}, {"lpddr4-3200", 3.2, 64}, {"lpddr5x-8533", 8.533, 64},
        {"ddr4-3200", 3.2, 64},   {"hbm2", 2.0, 1024},      {"hbm2e", 3.2, 1024},
        {"hbm3", 6.4, 1024},
    };
    CHECK_EQ(memory_count, sizeof(known) / sizeof(known[0]));
    for (size_t i = 0; i < memory_count; i++) {
        lpu_dram_config c;
        if (!load(&c, known[i].name)) return;
        const double want = known[i].gigabits * 1e9 * known[i].pins / 8;
        const double peak = lpu_dram_peak_bytes_per_s(&c);
        /* Clocks are whole picoseconds: 833 for 833.3, 938 for 937.5. */
        CHECK(peak > 0.999 * want && peak < 1.001 * want, "%s: peak %.4g, expected %.4g", c.name,
              peak, want);
        CHECK(strcmp(c.name, known[i].name) == 0, "%s names itself %s", known[i].name, c.name);
    }
}

static void what_cannot_be_built_is_said(void)
{
    lpu_dram_config good, c;
    lpu_diag diag = {""};
    lpu_dram *d = NULL;

    if (!load(&good, "ddr4-3200")) return;
#define WRONG(field, value)                                                                        \
    do {                                                                                           \
        c = good;                                                                                  \
        c.field = value;                                                                           \
        diag = (lpu_diag){""};                                                                     \
        CHECK(lpu_dram_open(&d, &c, &diag) == LPU_ERR_RANGE && !d, #field " accepted");            \
        CHECK(strstr(diag.text, #field) || strstr(diag.text, "banks"), "'%s'", diag.text);         \
    } while (0)
    WRONG(rows, 3);
    WRONG(rows, 0);
    WRONG(channels, 0);
    WRONG(channels, 257);
    WRONG(ranks, 128);
    WRONG(bank_groups, 3);
    WRONG(row_bytes, 32);
    WRONG(interleave_bytes, 32);
    WRONG(queue_requests, 0);
    WRONG(queue_requests, 33);
    WRONG(tck_ps, 0);
    WRONG(burst_ps, 2501);
    WRONG(t_rrd_l_ps, 2499);
    WRONG(t_refi_ps, 600000);
    WRONG(t_cl_ps, 2000000000);
#undef WRONG
    CHECK(lpu_dram_config_load(&c, "no-such-memory", &diag) < 0, "loaded what is not there");
    CHECK(strstr(diag.text, "hbm3"), "'%s' does not list hbm3", diag.text);
}

int main(void)
{
    lpu_diag diag = {""};

    if (lpu_yaml_list("sim/dram", &memories, &memory_count, &diag)) {
        test_fail(__FILE__, __LINE__, "%s", diag.text);
        return 1;
    }
    RUN(peaks_are_those_of_the_pins);
    RUN(what_cannot_be_built_is_said);
    RUN(each_address_has_its_own_place);
    RUN(each_rule_holds_to_the_clock);
    RUN(rows_cycle_and_four_activates);
    RUN(one_burst_takes_the_sum_of_its_parts);
    RUN(turnaround_takes_what_the_rules_say);
    RUN(idle_memory_refreshes_on_time);
    RUN(queue_holds_what_it_says);
    RUN(nobody_waits_for_ever);
    RUN(next_is_never_late);
    RUN(advancing_in_steps_changes_nothing);
    RUN(random_traffic_obeys_every_rule);
    RUN(settling_is_a_new_beginning);
    RUN(streams_reach_the_closed_form);
    RUN(streams_reach_the_known_figures);
    RUN(batches_keep_the_bus_from_turning);
    for (size_t i = 0; i < memory_count; i++) free(memories[i]);
    free(memories);
    return test_failures != 0;
}
