/* tests/unit/synth_test.c - synthetic models: repeatable, of the shape and shares that were asked.
 */
#include "tests/unit/test.h"
#include "tests/unit/tiny_model.h"
#include "workloads/gguf.h"
#include "workloads/synth.h"

#include <math.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static lpu_model model;

static const char *temporary(int number)
{
    static char paths[2][64];
    snprintf(paths[number], sizeof(paths[number]), "/tmp/synth_test-%ld-%d.gguf", (long)getpid(),
             number);
    return paths[number];
}

static lpu_synth ask(lpu_quant type)
{
    return (lpu_synth){.model = &model,
                       .type = type,
                       .embed_type = LPU_QUANT_F16,
                       .zero_share = model.weights == LPU_WEIGHTS_BINARY ? 0 : 0.31,
                       .seed = 1};
}

static bool same_bytes(const char *a, const char *b)
{
    FILE *f = fopen(a, "rb"), *g = fopen(b, "rb");
    int x = 0, y = 0;

    if (f && g) {
        do {
            x = fgetc(f);
            y = fgetc(g);
        } while (x == y && x != EOF);
    }
    if (f) fclose(f);
    if (g) fclose(g);
    return f && g && x == y;
}

static void same_seed_same_bytes(void)
{
    lpu_synth s = ask(LPU_QUANT_TQ2_0);

    CHECK_OK(lpu_synth_write(temporary(0), &s, diag));
    CHECK_OK(lpu_synth_write(temporary(1), &s, diag));
    CHECK(same_bytes(temporary(0), temporary(1)), "two files of one seed differ");
    s.seed = 2;
    CHECK_OK(lpu_synth_write(temporary(1), &s, diag));
    CHECK(!same_bytes(temporary(0), temporary(1)), "two seeds made one file");
}

/* Counts the digits of all linear layers; 0 where the file is not what it should be. */
static uint64_t count_digits(const lpu_gguf *g, uint64_t counts[3])
{
    uint64_t elems = 0;

    for (size_t i = 0; i < lpu_gguf_tensors(g); i++) {
        const lpu_gguf_tensor *t = lpu_gguf_tensor_at(g, i);
        int8_t trits[512];
        float scale = 1; /* stays, for I2_S */
        if (t->dims != 2 || !strcmp(t->name, "token_embd.weight")) continue;
        for (uint64_t row = 0; row < t->elems[1]; row++) {
            const size_t bytes = lpu_quants_row_bytes(t->type, t->elems[0]);
            scale = t->type == LPU_QUANT_I2_S ? 1 : 0;
            if (lpu_quants_read_trits(t->type, trits, &scale,
                                      (const uint8_t *)t->data + row * bytes, t->elems[0], "t",
                                      NULL)) {
                return 0;
            }
            for (uint64_t k = 0; k < t->elems[0]; k++) counts[trits[k] + 1]++;
        }
        elems += t->elems[0] * t->elems[1];
    }
    return elems;
}

static void share_of_zeros(void)
{
    const double shares[] = {0, 0.31, 0.5, 1};

    for (size_t i = 0; i < 4; i++) {
        lpu_synth s = ask(LPU_QUANT_TQ1_0);
        lpu_gguf *g;
        uint64_t counts[3] = {0};
        s.zero_share = shares[i];
        CHECK_OK(lpu_synth_write(temporary(0), &s, diag));
        CHECK_OK(lpu_gguf_open(&g, temporary(0), diag));
        const uint64_t elems = count_digits(g, counts);
        lpu_gguf_close(&g);
        CHECK_EQ(elems, lpu_model_linear_elems(&model));
        /* Five standard deviations of a binomial count, and the 2^-16 to which a share is kept. */
        const double n = (double)elems, p = shares[i];
        const double zeros = (double)counts[1], plus = (double)counts[2], minus = (double)counts[0];
        CHECK(fabs(zeros - n * p) <= 5 * sqrt(n * p * (1 - p)) + n * 0x1p-16,
              "share %g: found %g of %g", p, zeros, n);
        CHECK(fabs(plus - minus) <= 5 * sqrt(n * (1 - p)), "%g plus, %g minus", plus, minus);
    }
}

static void gains_and_embedding(void)
{
    lpu_synth s = ask(LPU_QUANT_TQ2_0);
    lpu_gguf *g;
    double sum = 0, squares = 0;

    CHECK_OK(lpu_synth_write(temporary(0), &s, diag));
    CHECK_OK(lpu_gguf_open(&g, temporary(0), diag));
    const lpu_gguf_tensor *gain = lpu_gguf_find(g, "blk.1.ffn_sub_norm.weight");
    const lpu_gguf_tensor *embed = lpu_gguf_find(g, "token_embd.weight");
    CHECK(gain && gain->type == LPU_QUANT_F32 && gain->elems[0] == 512, "gain");
    CHECK(embed && embed->type == LPU_QUANT_F16 && embed->elems[1] == 300, "embedding");
    for (size_t i = 0; i < 512; i++) {
        float value;
        memcpy(&value, (const uint8_t *)gain->data + 4 * i, sizeof(value));
        CHECK(value >= 0.9f && value <= 1.1f, "gain %zu is %g", i, (double)value);
        sum += (double)value;
    }
    CHECK(fabs(sum / 512 - 1) < 0.02, "gains are %g on average", sum / 512);
    sum = 0;
    for (size_t row = 0; row < 300; row++) {
        float values[256];
        lpu_quants_decode(LPU_QUANT_F16, values, (const uint8_t *)embed->data + 512 * row, 256, 0);
        for (size_t i = 0; i < 256; i++) {
            sum += (double)values[i];
            squares += (double)values[i] * (double)values[i];
        }
    }
    const double n = 300 * 256, deviation = sqrt(squares / n);
    lpu_gguf_close(&g);
    CHECK(fabs(sum / n) < 5 * 0.0625 / sqrt(n), "mean %g", sum / n);
    CHECK(fabs(deviation / 0.0625 - 1) < 0.02, "deviation %g", deviation);
}

static void tokens(void)
{
    lpu_synth s = ask(LPU_QUANT_TQ2_0);
    lpu_gguf *g;
    lpu_gguf_string *words;
    const void *kinds;
    size_t count;

    CHECK_OK(lpu_synth_write(temporary(0), &s, diag));
    CHECK_OK(lpu_gguf_open(&g, temporary(0), diag));
    CHECK_OK(lpu_gguf_get_strings(g, "tokenizer.ggml.tokens", &words, &count, diag));
    CHECK_EQ(count, 300);
    CHECK(words[3 + 'A'].bytes == 6 && !memcmp(words[3 + 'A'].text, "<0x41>", 6), "byte token A");
    CHECK(words[299].bytes == 5 && !memcmp(words[299].text, "<299>", 5), "last word");
    free(words);
    CHECK_OK(
        lpu_gguf_get_array(g, "tokenizer.ggml.token_type", LPU_GGUF_I32, &kinds, &count, diag));
    CHECK_EQ(count, 300);
    lpu_gguf_close(&g);
}

static void rows_that_fit_no_block(void)
{
    lpu_synth s = ask(LPU_QUANT_TQ2_0);
    lpu_gguf *g;
    uint64_t counts[3] = {0};

    model.ffn_elems = 500; /* ffn_down has rows of 500, no multiple of 256 */
    CHECK_OK(lpu_synth_write(temporary(0), &s, diag));
    CHECK_OK(lpu_gguf_open(&g, temporary(0), diag));
    CHECK_EQ(lpu_gguf_find(g, "blk.0.ffn_down.weight")->type, LPU_QUANT_F16);
    CHECK_EQ(lpu_gguf_find(g, "blk.0.ffn_up.weight")->type, LPU_QUANT_TQ2_0);
    CHECK_EQ(count_digits(g, counts), lpu_model_linear_elems(&model));
    lpu_gguf_close(&g);
    model.ffn_elems = 512;
}

static void binary(void)
{
    lpu_gguf *g;
    uint64_t counts[3] = {0};

    model.weights = LPU_WEIGHTS_BINARY;
    model.zero_share = 0;
    lpu_synth s = ask(LPU_QUANT_Q1_0);
    CHECK_OK(lpu_synth_write(temporary(0), &s, diag));
    CHECK_OK(lpu_gguf_open(&g, temporary(0), diag));
    CHECK_EQ(count_digits(g, counts), lpu_model_linear_elems(&model));
    CHECK_EQ(counts[1], 0);
    lpu_gguf_close(&g);
    lpu_diag why;
    s.zero_share = 0.3;
    CHECK_EQ(lpu_synth_write(temporary(0), &s, &why), LPU_ERR_RANGE);
    CHECK(strstr(why.text, "share of zeros is 0.3"), "%s", why.text);
    model.weights = LPU_WEIGHTS_TERNARY;
}

static void refusals(void)
{
    lpu_diag why;
    lpu_synth s = ask(LPU_QUANT_Q8_0);

    CHECK_EQ(lpu_synth_write(temporary(0), &s, &why), LPU_ERR_RANGE);
    CHECK(strstr(why.text, "type Q8_0 cannot hold the ternary weights of tiny"), "%s", why.text);
    s.type = LPU_QUANT_Q1_0;
    CHECK_EQ(lpu_synth_write(temporary(0), &s, &why), LPU_ERR_RANGE);
    s = ask(LPU_QUANT_TQ2_0);
    s.embed_type = LPU_QUANT_Q6_K;
    CHECK_EQ(lpu_synth_write(temporary(0), &s, &why), LPU_ERR_RANGE);
    s = ask(LPU_QUANT_TQ2_0);
    s.zero_share = NAN;
    CHECK_EQ(lpu_synth_write(temporary(0), &s, &why), LPU_ERR_RANGE);
    s = ask(LPU_QUANT_TQ2_0);
    model.kv_layers = 1;
    CHECK_EQ(lpu_synth_write(temporary(0), &s, &why), LPU_ERR_RANGE);
    CHECK(strstr(why.text, "hybrid"), "%s", why.text);
    model.kv_layers = 2;
    CHECK_EQ(lpu_synth_write("/nonexistent/x.gguf", &s, &why), LPU_ERR_IO);
}

/* A file that was there is there, whole, and nothing else is. */
static void check_kept(const char *path, const char *words)
{
    char found[64] = "", beside[128];
    FILE *file = fopen(path, "r");

    CHECK(file && fgets(found, sizeof(found), file), "%s is gone", path);
    fclose(file);
    CHECK(!strcmp(found, words), "%s holds \"%s\"", path, found);
    snprintf(beside, sizeof(beside), "%s.tmp-%ld", path, (long)getpid());
    CHECK(access(beside, F_OK) != 0, "%s was left behind", beside);
}

static void put_words(const char *path, const char *words)
{
    FILE *file = fopen(path, "w");
    CHECK(file, "%s: cannot write", path);
    fputs(words, file);
    fclose(file);
}

static void limit_of_size(void)
{
    const lpu_synth s = ask(LPU_QUANT_TQ2_0);
    struct rlimit before, small;
    lpu_diag why = {""};

    put_words(temporary(0), "precious");
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before);
    small = (struct rlimit){100000, before.rlim_max};
    CHECK(!setrlimit(RLIMIT_FSIZE, &small), "setrlimit");
    const lpu_status status = lpu_synth_write(temporary(0), &s, &why);
    setrlimit(RLIMIT_FSIZE, &before);
    CHECK_EQ(status, LPU_ERR_IO);
    CHECK(strstr(why.text, "File too large"), "%s", why.text);
    check_kept(temporary(0), "precious");
}

static void full_disk(void)
{
    const lpu_synth s = ask(LPU_QUANT_TQ2_0);
    char dir[] = "/tmp/synth_test-XXXXXX", path[64];
    lpu_diag why = {""};

    CHECK(mkdtemp(dir), "mkdtemp");
    if (mount("none", dir, "tmpfs", 0, "size=64k")) {
        rmdir(dir);
        SKIP("full_disk: cannot mount a small file system (not root)");
    }
    snprintf(path, sizeof(path), "%s/model.gguf", dir);
    put_words(path, "precious");
    const lpu_status status = lpu_synth_write(path, &s, &why);
    check_kept(path, "precious");
    umount(dir);
    rmdir(dir);
    if (test_is_over) return;
    CHECK_EQ(status, LPU_ERR_IO);
    CHECK(strstr(why.text, "No space left"), "%s", why.text);
}

static double last_share;
static int calls;

static void watch(void *user, double share)
{
    (void)user;
    calls += share >= last_share && share <= 1;
    last_share = share;
}

static void progress(void)
{
    lpu_synth s = ask(LPU_QUANT_TQ2_0);
    s.progress = watch;
    CHECK_OK(lpu_synth_write(temporary(0), &s, diag));
    CHECK(calls > 10 && last_share > 0.9, "%d calls, the last with %g", calls, last_share);
}

int main(void)
{
    lpu_diag why;

    if (tiny_model_init(&model, &why)) {
        printf("not ok  tiny model: %s\n", why.text);
        return 1;
    }
    RUN(same_seed_same_bytes);
    RUN(share_of_zeros);
    RUN(gains_and_embedding);
    RUN(tokens);
    RUN(rows_that_fit_no_block);
    RUN(binary);
    RUN(refusals);
    RUN(limit_of_size);
    RUN(full_disk);
    RUN(progress);
    unlink(temporary(0));
    unlink(temporary(1));
    return test_failures != 0;
}
