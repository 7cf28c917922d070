/* tests/unit/dram_traffic_test.c - memory under traffic: a checker that looks through the whole
 * history of commands, steps of any size, new beginnings, and streams against closed forms. */
#include "tests/unit/dram_oracle.h"

enum { HISTORY = 1 << 17, NEVER = -1 };

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
    for (size_t i = 0; i < memory_count + VARIANTS; i++) {
        lpu_dram_config c;
        if (!load_any(&c, i)) return;
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

int main(void)
{
    if (!list_memories()) return 1;
    RUN(next_is_never_late);
    RUN(advancing_in_steps_changes_nothing);
    RUN(random_traffic_obeys_every_rule);
    RUN(settling_is_a_new_beginning);
    RUN(streams_reach_the_closed_form);
    RUN(streams_reach_the_known_figures);
    RUN(batches_keep_the_bus_from_turning);
    free_memories();
    return test_failures != 0;
}
