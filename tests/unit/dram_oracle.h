/* tests/unit/dram_oracle.h - the rules of memory timing once more, from the standards and not from
 * the code, and the memories that ship.
 */
#ifndef LPU_TESTS_UNIT_DRAM_ORACLE_H
#define LPU_TESTS_UNIT_DRAM_ORACLE_H

#include "sim/dram.h"
#include "tests/unit/test.h"
#include "workloads/yaml.h"

#include <stdlib.h>

static char **memories;
static size_t memory_count;

/* Memories that no file describes: two ranks; a t_rtw that alone would let data collide, and a t_rc
 * longer than open and close. */
static const char two_ranks[] = "ddr4-3200 with two ranks",
                  odd_times[] = "ddr4-3200 with odd times";

enum { VARIANTS = 2, USER_PS = 1000 /* the user's clock */ };

static int load(lpu_dram_config *c, const char *name)
{
    lpu_diag diag = {""};
    const int is_variant = name == two_ranks || name == odd_times;

    if (lpu_dram_config_load(c, is_variant ? "ddr4-3200" : name, &diag))
        return test_fail(__FILE__, __LINE__, "%s: %s", name, diag.text);
    if (name == two_ranks) c->ranks = 2;
    if (name == odd_times) {
        c->t_rtw_ps = c->tck_ps;
        c->t_rc_ps += 10000;
    }
    return 1;
}

/* Memory i of those that ship, then the variants. */
__attribute__((unused)) static int load_any(lpu_dram_config *c, size_t i)
{
    if (i < memory_count) return load(c, memories[i]);
    return load(c, i == memory_count ? two_ranks : odd_times);
}

static int list_memories(void)
{
    lpu_diag diag = {""};

    if (!lpu_yaml_list("sim/dram", &memories, &memory_count, &diag)) return 1;
    return test_fail(__FILE__, __LINE__, "%s", diag.text);
}

static void free_memories(void)
{
    for (size_t i = 0; i < memory_count; i++) free(memories[i]);
    free(memories);
}

static lpu_dram *open_memory(const lpu_dram_config *c)
{
    lpu_dram *d = NULL;
    lpu_diag diag = {""};

    if (lpu_dram_open(&d, c, &diag)) test_fail(__FILE__, __LINE__, "%s: %s", c->name, diag.text);
    return d;
}

__attribute__((unused)) static uint64_t random_next(uint64_t *state)
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

__attribute__((unused)) static int64_t refresh_ready(const lpu_dram_config *c)
{
    return clocks(c, c->t_rp_ab_ps ? c->t_rp_ab_ps : c->t_rp_ps);
}

__attribute__((unused)) static int64_t
wait_column(const lpu_dram_config *c, lpu_dram_command before, lpu_dram_command after, relation r)
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
__attribute__((unused)) static int64_t
wait_clocks(const lpu_dram_config *c, lpu_dram_command before, lpu_dram_command after, relation r)
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

#endif
