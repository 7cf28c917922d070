/* tests/unit/dram_test.c - memory timing rule by rule and against closed forms. */
#include "tests/unit/dram_oracle.h"

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
    for (size_t i = 0; i < memory_count + VARIANTS; i++) {
        lpu_dram_config c;
        if (!load_any(&c, i) || !check_pairs(&c)) return;
    }
}

/* Rules of three or more commands: tRC of a bank, tRC before a refresh, four activates. */
static void rows_cycle_and_four_activates(void)
{
    for (size_t i = 0; i < memory_count + VARIANTS; i++) {
        const lpu_dram_bank bank = {0, 0, 0, 0};
        lpu_dram_config c;
        if (!load_any(&c, i)) return;

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
        const int64_t rtw =
            larger(clocks(&c, c.t_rtw_ps), clocks(&c, c.t_cl_ps) + burst - clocks(&c, c.t_cwl_ps));
        const uint64_t done_ps = (uint64_t)(rcd + larger(rtw + write, read)) * c.tck_ps;
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

/* Completions that nobody takes are kept, in order, until there is no room; then offers are
 * refused. */
static void completions_wait_to_be_taken(void)
{
    for (size_t i = 0; i < memory_count; i++) {
        lpu_dram_config c;
        uint32_t tag = 0, sent = 0;
        uint64_t now_ps = 0;
        if (!load(&c, memories[i])) return;
        lpu_dram *d = open_memory(&c);

        while (!sent || !lpu_dram_is_idle(d)) {
            while (lpu_dram_offer(d, (uint64_t)sent * c.burst_bytes, false, sent)) sent++;
            now_ps += c.t_rc_ps;
            lpu_dram_advance(d, now_ps);
        }
        CHECK(sent >= 4 * c.channels * c.queue_requests, "%s: full after %u", c.name, sent);
        CHECK(!lpu_dram_offer(d, 0, false, 0), "%s: room for one more", c.name);
        CHECK(lpu_dram_next_ps(d) == now_ps, "%s: nothing to take", c.name);
        CHECK(lpu_dram_take(d, &tag), "%s: lost", c.name);
        CHECK(lpu_dram_offer(d, 0, false, sent), "%s: no room after one was taken", c.name);
        lpu_dram_advance(d, now_ps + 2 * (uint64_t)c.t_rfc_ps);
        for (uint32_t k = 1; k <= sent; k++)
            CHECK(lpu_dram_take(d, &tag), "%s: %u of %u", c.name, k, sent);
        CHECK(tag == sent && !lpu_dram_take(d, &tag), "%s: the last is not the last", c.name);
        lpu_dram_close(&d);
    }
}

/* A read of an open row passes older reads of other rows of its bank, and the row stays open for
 * all of its hits. */
static void hits_go_first(void)
{
    for (size_t i = 0; i < memory_count; i++) {
        lpu_dram_config c;
        if (!load(&c, memories[i])) return;
        lpu_dram *d = open_memory(&c);
        const uint64_t next_row = (uint64_t)c.row_bytes * c.channels * c.bank_groups *
                                  c.banks_per_group * c.ranks; /* of the same bank */
        uint32_t tag = 0, done = 0;

        /* After a write to another bank, reads wait for tWTR; the bank could close at once. */
        CHECK(one_burst(d, 0, false), "%s: no answer", c.name);
        CHECK(one_burst(d, (uint64_t)c.row_bytes * c.channels * c.bank_groups, true), "no answer");
        CHECK(lpu_dram_offer(d, next_row, false, 99), "refused");
        for (uint32_t k = 1; k < c.queue_requests; k++)
            CHECK(lpu_dram_offer(d, 0, false, k), "refused");
        for (; !lpu_dram_is_idle(d); lpu_dram_advance(d, lpu_dram_next_ps(d)))
            while (lpu_dram_take(d, &tag)) CHECK_EQ(tag, ++done);
        while (lpu_dram_take(d, &tag)) done++;
        CHECK_EQ(done, c.queue_requests);
        CHECK_EQ(tag, 99);
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
    if (!list_memories()) return 1;
    RUN(peaks_are_those_of_the_pins);
    RUN(what_cannot_be_built_is_said);
    RUN(each_address_has_its_own_place);
    RUN(each_rule_holds_to_the_clock);
    RUN(rows_cycle_and_four_activates);
    RUN(one_burst_takes_the_sum_of_its_parts);
    RUN(turnaround_takes_what_the_rules_say);
    RUN(idle_memory_refreshes_on_time);
    RUN(queue_holds_what_it_says);
    RUN(completions_wait_to_be_taken);
    RUN(hits_go_first);
    RUN(nobody_waits_for_ever);
    free_memories();
    return test_failures != 0;
}
