/* sim/dram_config.c - reads a memory from its YAML file, and says what cannot be built. */
#include "sim/dram.h"

#include "sim/dram_channel.h"
#include "workloads/yaml.h"

enum {
    CHANNELS_MAX = 256,
    BANKS_MAX = 1024,      /* of a channel */
    TIME_MAX_PS = 1 << 30, /* a millisecond: sums of times stay in 32 bits of clocks */
};

static const char memories_dir[] = "sim/dram";

#define TEXT(key)   CYAML_FIELD_STRING(#key, CYAML_FLAG_DEFAULT, lpu_dram_config, key, 1)
#define NUMBER(key) CYAML_FIELD_UINT(#key, CYAML_FLAG_DEFAULT, lpu_dram_config, key)

static const cyaml_schema_field_t fields[] = {
    TEXT(name),
    TEXT(title),
    TEXT(source),
    TEXT(price),
    NUMBER(tck_ps),
    NUMBER(channels),
    NUMBER(ranks),
    NUMBER(bank_groups),
    NUMBER(banks_per_group),
    NUMBER(rows),
    NUMBER(row_bytes),
    NUMBER(burst_bytes),
    NUMBER(burst_ps),
    NUMBER(queue_requests),
    NUMBER(interleave_bytes),
    NUMBER(t_rcd_ps),
    NUMBER(t_rp_ps),
    NUMBER(t_rp_ab_ps),
    NUMBER(t_ras_ps),
    NUMBER(t_rc_ps),
    NUMBER(t_rrd_s_ps),
    NUMBER(t_rrd_l_ps),
    NUMBER(t_faw_ps),
    NUMBER(t_ccd_s_ps),
    NUMBER(t_ccd_l_ps),
    NUMBER(t_rtp_ps),
    NUMBER(t_cl_ps),
    NUMBER(t_cwl_ps),
    NUMBER(t_wr_ps),
    NUMBER(t_wtr_s_ps),
    NUMBER(t_wtr_l_ps),
    NUMBER(t_rtw_ps),
    NUMBER(t_rfc_ps),
    NUMBER(t_refi_ps),
    NUMBER(controller_ps),
    CYAML_FIELD_END,
};

static const cyaml_schema_value_t schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, lpu_dram_config, fields)};

lpu_status lpu_dram_config_load(lpu_dram_config *config, const char *name, lpu_diag *diag)
{
    char path[4096];
    void *loaded = NULL;

    lpu_status status = lpu_yaml_find(path, sizeof(path), memories_dir, name, diag);
    if (status) return status;
    status = lpu_yaml_load(path, &schema, &loaded, diag);
    if (status) return status;
    *config = *(const lpu_dram_config *)loaded;
    lpu_yaml_free(&schema, &loaded);
    return lpu_dram_config_check(config, diag);
}

double lpu_dram_peak_bytes_per_s(const lpu_dram_config *config)
{
    return 1e12 * config->burst_bytes / config->burst_ps * config->channels;
}

static bool is_power_of_two(uint32_t n)
{
    return n && (n & (n - 1)) == 0;
}

static lpu_status check_geometry(const lpu_dram_config *c, lpu_diag *diag)
{
    const struct {
        const char *key;
        uint32_t value;
    } powers[] = {
        {"ranks", c->ranks},
        {"bank_groups", c->bank_groups},
        {"banks_per_group", c->banks_per_group},
        {"rows", c->rows},
        {"row_bytes", c->row_bytes},
        {"burst_bytes", c->burst_bytes},
        {"interleave_bytes", c->interleave_bytes},
    };

    for (size_t i = 0; i < sizeof(powers) / sizeof(powers[0]); i++)
        if (!is_power_of_two(powers[i].value))
            return lpu_fail(diag, LPU_ERR_RANGE, "%s: %s is %u, expected a power of two", c->name,
                            powers[i].key, powers[i].value);
    if (c->channels < 1 || c->channels > CHANNELS_MAX)
        return lpu_fail(diag, LPU_ERR_RANGE, "%s: channels is %u, expected 1 to %d", c->name,
                        c->channels, CHANNELS_MAX);
    if ((uint64_t)c->ranks * c->bank_groups * c->banks_per_group > BANKS_MAX)
        return lpu_fail(diag, LPU_ERR_RANGE,
                        "%s: %u ranks x %u groups x %u banks, expected at most %d", c->name,
                        c->ranks, c->bank_groups, c->banks_per_group, BANKS_MAX);
    if (c->row_bytes < c->burst_bytes)
        return lpu_fail(diag, LPU_ERR_RANGE,
                        "%s: row_bytes is %u, expected at least burst_bytes, %u", c->name,
                        c->row_bytes, c->burst_bytes);
    if (c->interleave_bytes < c->burst_bytes)
        return lpu_fail(diag, LPU_ERR_RANGE,
                        "%s: interleave_bytes is %u, expected at least burst_bytes, %u", c->name,
                        c->interleave_bytes, c->burst_bytes);
    if (c->queue_requests < 1 || c->queue_requests > LPU_DRAM_QUEUE_MAX)
        return lpu_fail(diag, LPU_ERR_RANGE, "%s: queue_requests is %u, expected 1 to %d", c->name,
                        c->queue_requests, LPU_DRAM_QUEUE_MAX);
    return LPU_OK;
}

static lpu_status check_times(const lpu_dram_config *c, lpu_diag *diag)
{
    const struct {
        const char *key;
        uint32_t value_ps, least_ps;
    } times[] = {
        {"tck_ps", c->tck_ps, 1},
        {"burst_ps", c->burst_ps, 1},
        {"t_rcd_ps", c->t_rcd_ps, 1},
        {"t_rp_ps", c->t_rp_ps, 1},
        {"t_rp_ab_ps", c->t_rp_ab_ps, 0},
        {"t_ras_ps", c->t_ras_ps, 1},
        {"t_rc_ps", c->t_rc_ps, 1},
        {"t_rrd_s_ps", c->t_rrd_s_ps, 1},
        {"t_rrd_l_ps", c->t_rrd_l_ps, c->t_rrd_s_ps},
        {"t_faw_ps", c->t_faw_ps, 1},
        {"t_ccd_s_ps", c->t_ccd_s_ps, 1},
        {"t_ccd_l_ps", c->t_ccd_l_ps, c->t_ccd_s_ps},
        {"t_rtp_ps", c->t_rtp_ps, 1},
        {"t_cl_ps", c->t_cl_ps, 1},
        {"t_cwl_ps", c->t_cwl_ps, 1},
        {"t_wr_ps", c->t_wr_ps, 1},
        {"t_wtr_s_ps", c->t_wtr_s_ps, 1},
        {"t_wtr_l_ps", c->t_wtr_l_ps, c->t_wtr_s_ps},
        {"t_rtw_ps", c->t_rtw_ps, 1},
        {"t_rfc_ps", c->t_rfc_ps, 1},
        {"t_refi_ps", c->t_refi_ps, 1},
        {"controller_ps", c->controller_ps, 0},
    };

    for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++)
        if (times[i].value_ps < times[i].least_ps || times[i].value_ps > TIME_MAX_PS)
            return lpu_fail(diag, LPU_ERR_RANGE, "%s: %s is %u, expected %u to %d", c->name,
                            times[i].key, times[i].value_ps, times[i].least_ps, TIME_MAX_PS);
    if (c->burst_ps % c->tck_ps)
        return lpu_fail(diag, LPU_ERR_RANGE,
                        "%s: burst_ps is %u, expected a multiple of tck_ps, %u", c->name,
                        c->burst_ps, c->tck_ps);
    /* Between two refreshes there must be room to close, refresh, open and read. */
    const uint64_t busy_ps = (uint64_t)c->t_rfc_ps + c->t_rc_ps + c->t_rp_ps + c->t_wr_ps +
                             c->t_cwl_ps + 2 * (uint64_t)c->burst_ps;
    if (c->t_refi_ps < 2 * busy_ps)
        return lpu_fail(diag, LPU_ERR_RANGE,
                        "%s: t_refi_ps is %u, expected at least %llu, twice what a refresh takes",
                        c->name, c->t_refi_ps, (unsigned long long)(2 * busy_ps));
    return LPU_OK;
}

lpu_status lpu_dram_config_check(const lpu_dram_config *config, lpu_diag *diag)
{
    const lpu_status status = check_geometry(config, diag);

    return status ? status : check_times(config, diag);
}
