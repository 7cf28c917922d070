/* sim/dram_timing.c - the rules of JEDEC memories, once, as rows; see the header for their use.
 *
 * A latency is a sum of parameters in clocks, each rounded up on its own (JESD79-4 13.5), a minus
 * for one that is taken away. Data bus occupancy is a rule like the others: the next burst may
 * begin when the last one has left the pins.
 *
 *   WR |<- tCWL ->|== burst ==|<- tWTR ->| RD   |<- tWR ->| PRE
 *   RD |<---- tCL ---->|== burst ==|      WR at tRTW, its data after this burst
 */
#include "sim/dram_timing.h"

#include <assert.h>

enum term {
    NONE,
    RCD,
    RP,
    RP_AB,
    RAS,
    RC,
    RRD_S,
    RRD_L,
    FAW,
    CCD_S,
    CCD_L,
    RTP,
    CL,
    CWL,
    WRITE_RECOVERY,
    WTR_S,
    WTR_L,
    RTW,
    RFC,
    BURST,
    TERMS
};

enum {
    ACT = 1 << LPU_DRAM_ACT,
    PRE = 1 << LPU_DRAM_PRE,
    RD = 1 << LPU_DRAM_RD,
    WR = 1 << LPU_DRAM_WR,
    REF = 1 << LPU_DRAM_REF,
    PREA = 1 << LPU_DRAM_PREA,
};

typedef struct rule {
    int before, after; /* sets of commands */
    lpu_dram_scope scope;
    int window; /* the rule is from the window-th last command before */
    int terms[4];
} rule;

/* clang-format off */
static const rule rules[] = {
    /* before     after      scope                  of  latency */
    { ACT,        RD | WR,   LPU_DRAM_SAME_BANK,    1, {RCD} },
    { ACT,        PRE,       LPU_DRAM_SAME_BANK,    1, {RAS} },
    { ACT,        ACT,       LPU_DRAM_SAME_BANK,    1, {RC} },
    { PRE,        ACT,       LPU_DRAM_SAME_BANK,    1, {RP} },
    { RD,         PRE,       LPU_DRAM_SAME_BANK,    1, {RTP} },
    { WR,         PRE,       LPU_DRAM_SAME_BANK,    1, {CWL, BURST, WRITE_RECOVERY} },

    { ACT,        ACT,       LPU_DRAM_SAME_GROUP,   1, {RRD_L} },
    { RD,         RD,        LPU_DRAM_SAME_GROUP,   1, {CCD_L} },
    { WR,         WR,        LPU_DRAM_SAME_GROUP,   1, {CCD_L} },
    { WR,         RD,        LPU_DRAM_SAME_GROUP,   1, {CWL, BURST, WTR_L} },

    { ACT,        ACT,       LPU_DRAM_SAME_RANK,    1, {RRD_S} },
    { ACT,        ACT,       LPU_DRAM_SAME_RANK,    LPU_DRAM_WINDOW, {FAW} },
    { RD,         RD,        LPU_DRAM_SAME_RANK,    1, {CCD_S} },
    { WR,         WR,        LPU_DRAM_SAME_RANK,    1, {CCD_S} },
    { WR,         RD,        LPU_DRAM_SAME_RANK,    1, {CWL, BURST, WTR_S} },

    { ACT,        PREA,      LPU_DRAM_SAME_RANK,    1, {RAS} },
    { RD,         PREA,      LPU_DRAM_SAME_RANK,    1, {RTP} },
    { WR,         PREA,      LPU_DRAM_SAME_RANK,    1, {CWL, BURST, WRITE_RECOVERY} },
    { PREA,       ACT | REF, LPU_DRAM_SAME_RANK,    1, {RP_AB} },
    { PRE,        REF,       LPU_DRAM_SAME_RANK,    1, {RP} },
    { ACT,        REF,       LPU_DRAM_SAME_RANK,    1, {RC} },
    { REF,        ACT | REF, LPU_DRAM_SAME_RANK,    1, {RFC} },

    { RD,         RD,        LPU_DRAM_SAME_CHANNEL, 1, {BURST} },
    { WR,         WR,        LPU_DRAM_SAME_CHANNEL, 1, {BURST} },
    { RD,         WR,        LPU_DRAM_SAME_CHANNEL, 1, {RTW} },
    { RD,         WR,        LPU_DRAM_SAME_CHANNEL, 1, {CL, BURST, -CWL} },
    { WR,         RD,        LPU_DRAM_SAME_CHANNEL, 1, {CWL, BURST, -CL} },
};
/* clang-format on */

/* (TERMS) */
static void terms_in_clocks(int clocks[], const lpu_dram_config *c)
{
    const uint32_t rp_ab_ps = c->t_rp_ab_ps > c->t_rp_ps ? c->t_rp_ab_ps : c->t_rp_ps;
    const uint32_t ps[TERMS] = {
        [RCD] = c->t_rcd_ps,     [RP] = c->t_rp_ps,
        [RP_AB] = rp_ab_ps,      [RAS] = c->t_ras_ps,
        [RC] = c->t_rc_ps,       [RRD_S] = c->t_rrd_s_ps,
        [RRD_L] = c->t_rrd_l_ps, [FAW] = c->t_faw_ps,
        [CCD_S] = c->t_ccd_s_ps, [CCD_L] = c->t_ccd_l_ps,
        [RTP] = c->t_rtp_ps,     [CL] = c->t_cl_ps,
        [CWL] = c->t_cwl_ps,     [WRITE_RECOVERY] = c->t_wr_ps,
        [WTR_S] = c->t_wtr_s_ps, [WTR_L] = c->t_wtr_l_ps,
        [RTW] = c->t_rtw_ps,     [RFC] = c->t_rfc_ps,
        [BURST] = c->burst_ps,
    };
    for (int i = 0; i < TERMS; i++) clocks[i] = (int)((ps[i] + c->tck_ps - 1) / c->tck_ps);
}

/* Adds one effect, or lengthens the one that is there. */
static void add_effect(lpu_dram_timing *timing, int before, int after, lpu_dram_scope scope,
                       uint32_t clocks)
{
    lpu_dram_effect *list = timing->effects[before];
    uint32_t n = timing->effect_count[before];

    for (uint32_t i = 0; i < n; i++) {
        if (list[i].scope != scope || list[i].after != (uint32_t)after) continue;
        if (list[i].clocks < clocks) list[i].clocks = clocks;
        return;
    }
    assert(n < LPU_DRAM_EFFECTS);
    list[n] = (lpu_dram_effect){.scope = scope, .after = (uint32_t)after, .clocks = clocks};
    timing->effect_count[before]++;
}

static void add_rule(lpu_dram_timing *timing, const rule *r, const int clocks[])
{
    int latency = 0;

    for (int i = 0; i < 4; i++)
        latency += r->terms[i] < 0 ? -clocks[-r->terms[i]] : clocks[r->terms[i]];
    if (latency <= 0) return;
    if (r->window > 1) {
        timing->window_clocks = (uint32_t)latency;
        return;
    }
    for (int before = 0; before < LPU_DRAM_COMMANDS; before++)
        for (int after = 0; after < LPU_DRAM_COMMANDS; after++)
            if (r->before >> before & 1 && r->after >> after & 1)
                add_effect(timing, before, after, r->scope, (uint32_t)latency);
}

/* Whether a rule of a wider scope says as much as effect e of the list, or more. */
static bool is_implied(const lpu_dram_effect *list, uint32_t n, lpu_dram_effect e)
{
    for (uint32_t i = 0; i < n; i++)
        if (list[i].after == e.after && list[i].scope > e.scope && list[i].clocks >= e.clocks)
            return true;
    return false;
}

/* Drops effects that others imply: fewer to apply with every command. */
static void drop_implied(lpu_dram_timing *timing)
{
    for (int command = 0; command < LPU_DRAM_COMMANDS; command++) {
        lpu_dram_effect *list = timing->effects[command];
        uint32_t *count = &timing->effect_count[command];
        for (uint32_t i = 0; i < *count;) {
            if (is_implied(list, *count, list[i])) list[i] = list[--*count];
            else i++;
        }
    }
}

void lpu_dram_timing_init(lpu_dram_timing *timing, const lpu_dram_config *config)
{
    int clocks[TERMS];

    *timing = (lpu_dram_timing){0};
    terms_in_clocks(clocks, config);
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
        add_rule(timing, &rules[i], clocks);
    drop_implied(timing);

    const uint32_t controller = (config->controller_ps + config->tck_ps - 1) / config->tck_ps;
    timing->read_clocks = (uint32_t)(clocks[CL] + clocks[BURST]) + controller;
    timing->write_clocks = (uint32_t)(clocks[CWL] + clocks[BURST]);
    timing->refresh_clocks = (uint32_t)clocks[RFC];
    timing->interval_clocks = config->t_refi_ps / config->tck_ps; /* a longest time: down */
}

void lpu_dram_timing_issue(const lpu_dram_timing *timing,
                           lpu_dram_node *const node[LPU_DRAM_SCOPES], lpu_dram_acts *acts,
                           lpu_dram_command command, uint64_t clock)
{
    const lpu_dram_effect *effect = timing->effects[command];
    const uint32_t count = timing->effect_count[command];

    for (uint32_t i = 0; i < count; i++) {
        uint64_t *earliest = &node[effect[i].scope]->earliest[effect[i].after];
        const uint64_t until = clock + effect[i].clocks;
        if (*earliest < until) *earliest = until;
    }
    if (command == LPU_DRAM_ACT) {
        uint64_t *earliest = &node[LPU_DRAM_SAME_RANK]->earliest[LPU_DRAM_ACT];

        acts->clock[acts->count++ % LPU_DRAM_WINDOW] = clock;
        if (acts->count < LPU_DRAM_WINDOW) return;
        const uint64_t until = acts->clock[acts->count % LPU_DRAM_WINDOW] + timing->window_clocks;
        if (*earliest < until) *earliest = until;
    }
}
