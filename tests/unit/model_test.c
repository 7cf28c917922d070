/* tests/unit/model_test.c - the shipped models against published figures, and shapes that cannot
 * be. */
#include "tests/unit/test.h"
#include "workloads/model.h"
#include "workloads/yaml.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <unistd.h>

static const char dir[] = "workloads/models";

/* Calls visit for every shipped model; false at the first that says no. */
static bool each_model(bool (*visit)(const lpu_model *m))
{
    char **names = NULL;
    size_t count = 0;
    lpu_diag diag = {""};
    bool is_ok = !lpu_yaml_list(dir, &names, &count, &diag) && count > 0;

    if (!is_ok) test_fail(__FILE__, __LINE__, "%s", diag.text);
    for (size_t i = 0; i < count; i++) {
        lpu_model m;
        if (is_ok && lpu_model_load(&m, names[i], &diag)) {
            test_fail(__FILE__, __LINE__, "%s", diag.text);
            is_ok = false;
        }
        if (is_ok && !visit(&m)) is_ok = false;
        free(names[i]);
    }
    free(names);
    return is_ok;
}

#define EXPECT(condition, ...)                                                                     \
    do {                                                                                           \
        if (!(condition)) return test_fail(__FILE__, __LINE__, __VA_ARGS__);                       \
    } while (0)

static bool has_what_its_kind_has(const lpu_model *m)
{
    /* absmean of Gaussian weights: P(|z| < sqrt(2/pi) / 2). */
    const double zeros = erf(sqrt(2.0 / acos(-1.0)) / 2.0 / sqrt(2.0));

    EXPECT(strlen(m->source) > 10, "%s: source is \"%s\"", m->name, m->source);
    if (m->weights == LPU_WEIGHTS_TERNARY) {
        EXPECT(fabs(m->zero_share - zeros) < 0.001, "%s: zero_share is %g", m->name, m->zero_share);
    } else {
        EXPECT(m->zero_share <= 0.0, "%s: zero_share is %g", m->name, m->zero_share);
    }
    if (!m->twin[0]) return true;

    lpu_model twin;
    lpu_diag diag = {""};
    EXPECT(!lpu_model_load(&twin, m->twin, &diag), "%s: %s", m->name, diag.text);
    EXPECT(twin.weights == LPU_WEIGHTS_FP16, "%s: its twin is not FP16", m->name);
    EXPECT(lpu_model_total_elems(&twin) == lpu_model_total_elems(m) && twin.layers == m->layers &&
               twin.hidden_elems == m->hidden_elems && twin.heads == m->heads &&
               twin.kv_heads == m->kv_heads,
           "%s: its twin has another shape", m->name);
    return true;
}

static void shipped_models_load_and_their_twins_fit(void)
{
    if (!each_model(has_what_its_kind_has)) return;
}

/* Linear and total weights as published or as the closed form has them. */
static void weights_are_as_published(void)
{
    static const struct {
        const char *name;
        double linear, total, tolerance; /* 0: not published */
    } rows[] = {
        /* 30 (2 x 2560^2 + 2 x 2560 x 640 + 3 x 2560 x 6912), arXiv 2504.12285 */
        {"bitnet-b1.58-2b4t", 2084044800, 0, 0},
        {"2b4t-fp16", 2084044800, 0, 0},
        /* 12 hidden^2 layers: four projections and an FFN of 4 hidden without a gate */
        {"bitnet-125m", 12.0 * 768 * 768 * 12, 125e6, 0.25},
        {"bitnet-30b", 12.0 * 7168 * 7168 * 48, 30e9, 0.02},
        {"bitnet-b1.58-70b", 12.0 * 8192 * 8192 * 80, 0, 1e-3}, /* arXiv 2402.17764, fig. 3 */
        {"llama-7b", 0, 6.738e9, 1e-3},                         /* LLaMA 7B has 6.74 B */
        {"bonsai-8b-1bit", 6.95e9, 8.19e9, 1e-3},               /* 1-bit Bonsai 8B whitepaper */
        {"bonsai-27b-ternary", 24.8e9, 24.8e9 + 2.5e9, 0.003},  /* Bonsai 27B whitepaper */
        {"trilm-3.9b", 0, 3.99e9, 1e-3},                        /* arXiv 2407.12327 */
        {"llama-3.2-1b", 0, 1.2358e9, 1e-3},                    /* model card: 1.23 B */
        {"qwen2.5-1.5b", 1.31e9, 1.54e9, 5e-3},                 /* model card */
        {"llama3-8b", 0, 8.03e9, 1e-3},                         /* model card */
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        lpu_model m;
        CHECK_OK(lpu_model_load(&m, rows[i].name, diag));
        const double linear = (double)lpu_model_linear_elems(&m);
        const double total = (double)lpu_model_total_elems(&m);
        CHECK(rows[i].linear <= 0.0 ||
                  fabs(linear - rows[i].linear) <= rows[i].tolerance * rows[i].linear,
              "%s: %.0f linear weights, expected %.0f", rows[i].name, linear, rows[i].linear);
        CHECK(rows[i].total <= 0.0 ||
                  fabs(total - rows[i].total) <= rows[i].tolerance * rows[i].total,
              "%s: %.0f weights, expected %.0f", rows[i].name, total, rows[i].total);
    }
}

/* The energies that papers print follow from the shape alone, with e J per multiply-add of a linear
 * layer and 0.5 pJ per one of attention, over 512 tokens without a causal mask. */
static void shapes_give_the_energies_that_papers_print(void)
{
    static const struct {
        const char *name;
        double linear_pj, printed_j, tolerance;
    } rows[] = {
        {"llama-3.2-1b", 0.5, 0.258, 0.0005},          /* arXiv 2504.12285, table 1 */
        {"gemma-3-1b", 0.5, 0.186, 0.0005},            /* the same */
        {"qwen2.5-1.5b", 0.5, 0.347, 0.0005},          /* the same */
        {"smollm2-1.7b", 0.5, 0.425, 0.0005},          /* the same */
        {"minicpm-2b", 0.5, 0.649, 0.0005},            /* the same */
        {"bitnet-b1.58-2b4t", 0.007, 0.028, 0.0005},   /* the same */
        {"llama-1.3b", 0.5, 0.3220, 0.001},            /* arXiv 2402.17764, fig. 3 */
        {"llama-13b", 0.5, 3.2740, 0.03},              /* the same */
        {"llama-70b", 0.5, 16.662, 0.02},              /* the same */
        {"bitnet-b1.58-1.3b", 0.007, 0.01730, 0.0002}, /* the same */
        {"bitnet-b1.58-70b", 0.007, 0.40429, 0.003},   /* the same */
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        lpu_model m;
        CHECK_OK(lpu_model_load(&m, rows[i].name, diag));
        const double attention = 2.0 * m.layers * 512 * 512 * m.heads * m.head_elems;
        const double linear = 512.0 * (double)lpu_model_linear_elems(&m);
        const double found_j = (rows[i].linear_pj * linear + 0.5 * attention) * 1e-12;
        CHECK(fabs(found_j - rows[i].printed_j) <= rows[i].tolerance, "%s: %.5f J, printed %.5f",
              rows[i].name, found_j, rows[i].printed_j);
    }
}

/* What write makes, parse reads, to the last digit. */
static bool round_trips(const lpu_model *m)
{
    char *text = NULL, *again = NULL;
    size_t bytes = 0, again_bytes = 0;
    FILE *file = open_memstream(&text, &bytes);

    lpu_model_write(m, file, "");
    fclose(file);

    lpu_model read;
    lpu_diag diag = {""};
    const lpu_status status = lpu_model_parse(&read, "written", text, bytes, &diag);
    if (!status) {
        file = open_memstream(&again, &again_bytes);
        lpu_model_write(&read, file, "");
        fclose(file);
    }
    const bool is_same = !status && bytes == again_bytes && !memcmp(text, again, bytes);
    const bool is_real = !status && fabs(read.rope_theta - m->rope_theta) <= 0.0 &&
                         fabs(read.norm_eps - m->norm_eps) <= 0.0 &&
                         fabs(read.zero_share - m->zero_share) <= 0.0;
    free(text);
    free(again);
    EXPECT(!status, "%s: %s", m->name, diag.text);
    EXPECT(is_same && is_real, "%s: read again, it is another model", m->name);
    return true;
}

static void written_models_read_back(void)
{
    lpu_model odd;
    CHECK_OK(lpu_model_load(&odd, "bitnet-b1.58-2b4t", diag));
    strcpy(odd.title, "a \"quoted\" \\ title: # not a comment");
    odd.zero_share = 0.1 + 0.2; /* 17 digits */
    odd.rope_theta = 1000042.0;
    odd.norm_eps = 1.0 / 3e5;
    if (round_trips(&odd)) each_model(round_trips);
}

static lpu_model sound(void)
{
    return (lpu_model){.name = "m",
                       .title = "M",
                       .family = "F",
                       .source = "S",
                       .is_gated = true,
                       .hidden_elems = 64,
                       .ffn_elems = 160,
                       .vocab_elems = 320,
                       .layers = 2,
                       .heads = 4,
                       .kv_heads = 2,
                       .head_elems = 16,
                       .kv_layers = 2,
                       .context_tokens = 128,
                       .activation_bits = 8,
                       .native_kv_bits = 16,
                       .rope_theta = 1e4,
                       .norm_eps = 1e-5,
                       .zero_share = 0.3,
                       .active_share = 1.0};
}

#define REFUSES(change, word)                                                                      \
    do {                                                                                           \
        lpu_model m = sound();                                                                     \
        lpu_diag diag = {""};                                                                      \
        change;                                                                                    \
        CHECK_EQ(lpu_model_check(&m, &diag), LPU_ERR_RANGE);                                       \
        CHECK(strstr(diag.text, word), "%s: found: %s, expected %s", #change, diag.text, word);    \
    } while (0)

static void shapes_that_cannot_be_are_refused(void)
{
    const lpu_model good = sound();
    CHECK_EQ(lpu_model_check(&good, NULL), LPU_OK);
    REFUSES(m.hidden_elems = 0, "hidden_elems is 0, expected 1 to 1048576");
    REFUSES(m.hidden_elems = UINT32_MAX, "hidden_elems is 4294967295");
    REFUSES(m.ffn_elems = 0, "ffn_elems");
    REFUSES(m.ffn_elems = (1u << 20) + 1, "ffn_elems");
    REFUSES(m.vocab_elems = 0, "vocab_elems");
    REFUSES(m.layers = 0, "layers is 0");
    REFUSES(m.layers = 1025, "layers is 1025, expected 1 to 1024");
    REFUSES(m.heads = 0, "heads is 0");
    REFUSES(m.heads = 1u << 20, "heads * head_elems is 16777216");
    REFUSES(m.kv_heads = 0, "kv_heads");
    REFUSES(m.kv_heads = 5, "kv_heads is 5, expected 1 to 4");
    REFUSES(m.kv_heads = 3, "heads is 4, expected a multiple of kv_heads, 3");
    REFUSES(m.head_elems = 0, "head_elems");
    REFUSES(m.head_elems = 15, "even");
    REFUSES(m.kv_layers = 3, "kv_layers is 3, expected 0 to 2");
    REFUSES(m.context_tokens = 0, "context_tokens");
    REFUSES(m.native_kv_bits = 0, "native_kv_bits");
    REFUSES(m.native_kv_bits = 17, "native_kv_bits");
    REFUSES(m.activation_bits = 16, "activation_bits is 16, expected 4 or 8");
    REFUSES((m.weights = LPU_WEIGHTS_FP16, m.zero_share = 0), "activation_bits is 8, expected 16");
    REFUSES(m.weights = LPU_WEIGHTS_BINARY, "zero_share is 0.3, expected 0");
    REFUSES(m.weights = (lpu_weight_kind)3, "weights");
    REFUSES(m.activation = (lpu_activation)7, "activation");
    REFUSES(m.zero_share = 1.5, "zero_share");
    REFUSES(m.zero_share = NAN, "zero_share");
    REFUSES(m.active_share = 0.0, "active_share");
    REFUSES(m.active_share = NAN, "active_share");
    REFUSES(m.rope_theta = 0.0, "rope_theta");
    REFUSES(m.rope_theta = INFINITY, "rope_theta");
    REFUSES(m.norm_eps = 0.0, "norm_eps");
    REFUSES(m.norm_eps = NAN, "norm_eps");
    REFUSES(strcpy(m.title, "two\nlines"), "control character 10");
}

/* The largest shape that is allowed: its sums fit. 1024 layers of 4 x 2^40 and 3 x 2^40. */
static void the_largest_shape_fits(void)
{
    lpu_model m = sound();
    m.hidden_elems = m.ffn_elems = m.vocab_elems = 1u << 20;
    m.layers = m.kv_layers = 1024;
    m.heads = m.kv_heads = 1u << 10;
    m.head_elems = 1u << 10;
    CHECK_EQ(lpu_model_check(&m, NULL), LPU_OK);
    CHECK(lpu_model_linear_elems(&m) == 7ull << 50, "found %llu",
          (unsigned long long)lpu_model_linear_elems(&m));
    CHECK(lpu_model_total_elems(&m) == (7ull << 50) + (2ull << 40), "found %llu",
          (unsigned long long)lpu_model_total_elems(&m));
}

static void a_file_and_its_name_agree(void)
{
    char folder[] = "/tmp/lpu-model-XXXXXX", path[64];
    lpu_model m = sound(), read;
    lpu_diag said = {""};

    CHECK(mkdtemp(folder), "mkdtemp: %s", strerror(errno));
    snprintf(path, sizeof(path), "%s/n.yaml", folder);
    FILE *file = fopen(path, "w");
    CHECK(file, "fopen: %s", strerror(errno));
    lpu_model_write(&m, file, "");
    fclose(file);
    const lpu_status wrong = lpu_model_load(&read, path, &said);

    char right_path[64];
    snprintf(right_path, sizeof(right_path), "%s/m.yaml", folder);
    rename(path, right_path);
    const lpu_status right = lpu_model_load(&read, right_path, NULL);
    remove(right_path);
    rmdir(folder);

    CHECK_EQ(wrong, LPU_ERR_FORMAT);
    CHECK(strstr(said.text, "found name m, expected that of the file, n"), "found: %s", said.text);
    CHECK_EQ(right, LPU_OK);
    CHECK_EQ(lpu_model_load(&read, "no-such-model", &said), LPU_ERR_IO);
    CHECK(strstr(said.text, "expected one of "), "found: %s", said.text);
}

/* A shape that the schema lets pass and the check does not: told with the file's name. */
static void a_parsed_shape_is_checked(void)
{
    lpu_model m = sound(), read;
    char *text = NULL;
    size_t bytes = 0;
    lpu_diag diag = {""};

    m.layers = 5000;
    FILE *file = open_memstream(&text, &bytes);
    lpu_model_write(&m, file, "");
    fclose(file);
    const lpu_status status = lpu_model_parse(&read, "x.yaml", text, bytes, &diag);
    free(text);
    CHECK_EQ(status, LPU_ERR_RANGE);
    CHECK(!strcmp(diag.text, "x.yaml: layers is 5000, expected 1 to 1024"), "found: %s", diag.text);
}

int main(void)
{
    RUN(shipped_models_load_and_their_twins_fit);
    RUN(weights_are_as_published);
    RUN(shapes_give_the_energies_that_papers_print);
    RUN(written_models_read_back);
    RUN(shapes_that_cannot_be_are_refused);
    RUN(the_largest_shape_fits);
    RUN(a_file_and_its_name_agree);
    RUN(a_parsed_shape_is_checked);
    return test_failures != 0;
}
