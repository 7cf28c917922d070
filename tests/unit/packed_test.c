/* tests/unit/packed_test.c - packed files: the same tokens and logits as from the portable file,
 * and nothing else that a file may hold is taken for one. */
#include "kernels/cpu.h"
#include "kernels/forward.h"
#include "kernels/packed.h"
#include "kernels/screen.h"
#include "tests/unit/small_model.h"
#include "tests/unit/test.h"
#include "workloads/checksum.h"
#include "workloads/synth.h"

#include <stdlib.h>
#include <unistd.h>

enum { CONTEXT = 24, PROMPT = 9 };

static const char *name_of(const char *what)
{
    static char path[2][96];
    char *to = path[what[0] == 'p'];
    snprintf(to, sizeof(path[0]), "/tmp/packed_test.%d.%s", (int)getpid(), what);
    return to;
}

/* A small model as a portable file. */
static lpu_status make_portable(lpu_gguf **g, bool is_binary, bool is_tied, lpu_diag *diag)
{
    lpu_model m = small_model(LPU_ACT_RELU2, true, true, CONTEXT);
    m.is_tied = is_tied;
    m.weights = is_binary ? LPU_WEIGHTS_BINARY : LPU_WEIGHTS_TERNARY;
    if (is_binary) m.zero_share = 0;
    const lpu_synth synth = {.model = &m,
                             .type = is_binary ? LPU_QUANT_Q1_0 : LPU_QUANT_TQ2_0,
                             .embed_type = LPU_QUANT_F16,
                             .zero_share = is_binary ? 0 : 0.3,
                             .seed = 7};
    lpu_status status = lpu_synth_write(name_of("gguf"), &synth, diag);
    if (!status) status = lpu_gguf_open(g, name_of("gguf"), diag);
    unlink(name_of("gguf"));
    return status;
}

/* The portable file packed, as bytes that the caller frees. */
static uint8_t *make_packed(const lpu_gguf *g, lpu_layout layout, uint32_t head_trits,
                            size_t *bytes, lpu_diag *diag)
{
    const lpu_packed_options o = {.layout = layout, .head_trits = head_trits, .threads = 2};
    uint8_t *data = NULL;

    if (lpu_packed_save(name_of("packed"), g, &o, diag)) return NULL;
    FILE *file = fopen(name_of("packed"), "rb");
    if (file && !fseek(file, 0, SEEK_END)) {
        *bytes = (size_t)ftell(file);
        rewind(file);
        data = malloc(*bytes);
        if (data && fread(data, 1, *bytes, file) != *bytes) data[0] = 0;
    }
    if (file) fclose(file);
    unlink(name_of("packed"));
    return data;
}

/* Tokens after a prompt, and the last logits (vocab), freed by the caller. */
static int32_t *run(const lpu_weights *w, uint32_t threads, int32_t made[3])
{
    const size_t vocab = w->model.vocab_elems;
    int32_t tokens[PROMPT], *logits = malloc(vocab * sizeof(*logits));
    lpu_forward *f = NULL;
    lpu_diag diag = {""};

    for (int32_t i = 0; i < PROMPT; i++) tokens[i] = (int32_t)((size_t)(i * 37 + 5) % vocab);
    lpu_status status = lpu_forward_open(&f, w, LPU_FORWARD_TERNARY, 4, CONTEXT, threads, &diag);
    if (!status) status = lpu_forward_run(f, tokens, PROMPT, &made[0], &diag);
    for (int i = 1; i < 3 && !status; i++) {
        status = lpu_forward_run(f, &made[i - 1], 1, &made[i], &diag);
    }
    if (status || !logits) {
        free(logits);
        logits = NULL;
    } else {
        memcpy(logits, lpu_forward_logits_x32(f), vocab * sizeof(*logits));
    }
    lpu_forward_close(&f);
    return logits;
}

static void compare(lpu_layout layout, uint32_t head_trits, bool is_tied)
{
    lpu_gguf *g, *p;
    lpu_weights *plain, *packed;
    size_t bytes = 0;
    int32_t made[2][3], *logits[2];
    lpu_diag why = {""};

    CHECK_OK(make_portable(&g, layout == LPU_LAYOUT_B1, is_tied, diag));
    uint8_t *data = make_packed(g, layout, head_trits, &bytes, &why);
    CHECK(data, "%s", why.text);
    CHECK_OK(lpu_gguf_parse(&p, "packed", data, bytes, diag));
    CHECK(lpu_packed_is(p) && !lpu_packed_is(g), "which of the two is packed");
    CHECK_OK(lpu_weights_load(&plain, g, head_trits, 0, diag));
    CHECK_OK(lpu_packed_load(&packed, p, 0, diag));
    CHECK_EQ(packed->model.weights, plain->model.weights);
    CHECK_EQ(packed->model.is_tied, is_tied);
    CHECK(!plain->packed[0] && packed->packed[0], "\"%s\", \"%s\"", plain->packed, packed->packed);
    for (uint32_t threads = 1; threads <= 2; threads++) {
        logits[0] = run(plain, threads, made[0]);
        logits[1] = run(packed, threads, made[1]);
        CHECK(logits[0] && logits[1], "does not run");
        CHECK(!memcmp(made[0], made[1], sizeof(made[0])), "%s: other tokens",
              lpu_layout_name(layout));
        CHECK(!memcmp(logits[0], logits[1], plain->model.vocab_elems * sizeof(int32_t)),
              "%s: other logits", lpu_layout_name(layout));
        free(logits[0]);
        free(logits[1]);
    }
    lpu_weights_close(&plain);
    lpu_weights_close(&packed);
    lpu_gguf_close(&p);
    lpu_gguf_close(&g);
    free(data);
}

static void packed_computes_what_portable_does(void)
{
    compare(LPU_LAYOUT_B3, 5, true);
    compare(LPU_LAYOUT_B3, 3, false);
    compare(LPU_LAYOUT_T2, 4, true);
    compare(LPU_LAYOUT_I4, 5, true);
    compare(LPU_LAYOUT_I8, 5, false);
    compare(LPU_LAYOUT_B1, 5, true);
}

/* A screen that is wrong in its bounds may still find the same tokens. */
static void packed_screen_has_the_same_pieces(void)
{
    lpu_gguf *g, *p;
    lpu_weights *w[2];
    lpu_screen *s[2];
    lpu_team *team;
    lpu_kernels k;
    size_t bytes = 0, sizes[2];
    uint32_t allowed;

    CHECK_OK(lpu_cpu_allowed(&allowed, diag));
    if (!lpu_screen_pays(allowed)) SKIP("packed screen: this CPU needs none");
    CHECK_OK(make_portable(&g, false, true, diag));
    uint8_t *data = make_packed(g, LPU_LAYOUT_B3, 5, &bytes, NULL);
    CHECK_OK(lpu_gguf_parse(&p, "packed", data, bytes, diag));
    CHECK_OK(lpu_weights_load(&w[0], g, 5, 0, diag));
    CHECK_OK(lpu_packed_load(&w[1], p, 0, diag));
    CHECK_OK(lpu_team_open(&team, 1, diag));
    lpu_kernels_init(&k, allowed);
    for (int i = 0; i < 2; i++) CHECK_OK(lpu_screen_open(&s[i], &w[i]->head, &k, team, diag));
    for (size_t i = 0; i < LPU_SCREEN_PIECES; i++) {
        const void *a = lpu_screen_piece(s[0], i, &sizes[0]);
        const void *b = lpu_screen_piece(s[1], i, &sizes[1]);
        CHECK_EQ(sizes[1], sizes[0]);
        CHECK(!memcmp(a, b, sizes[0]), "piece %zu differs", i);
    }
    for (int i = 0; i < 2; i++) {
        lpu_screen_close(&s[i]);
        lpu_weights_close(&w[i]);
    }
    lpu_team_close(&team);
    lpu_gguf_close(&p);
    lpu_gguf_close(&g);
    free(data);
}

/* --- what is no packed file --- */

/* Parses and loads; runs a token where that succeeds. Says why not. */
static lpu_status take(const uint8_t *data, size_t bytes, lpu_diag *diag)
{
    lpu_gguf *g;
    lpu_weights *w = NULL;
    int32_t made[3];
    lpu_status status = lpu_gguf_parse(&g, "packed", data, bytes, diag);

    if (status) return status;
    status = lpu_packed_load(&w, g, 0, diag);
    if (!status && w->model.context_tokens >= CONTEXT) free(run(w, 1, made));
    lpu_weights_close(&w);
    lpu_gguf_close(&g);
    return status;
}

/* Where the sum is, by what the file says; 0 if it says nothing. */
static size_t sum_at(const uint8_t *data, size_t bytes)
{
    lpu_gguf *g;
    size_t at = 0;

    if (lpu_gguf_parse(&g, "packed", data, bytes, NULL)) return 0;
    const lpu_gguf_tensor *t = lpu_gguf_find(g, "setun.sum");
    if (t && t->bytes == 8) at = (size_t)t->offset_bytes;
    lpu_gguf_close(&g);
    return at;
}

static void set_sum(uint8_t *data, size_t bytes)
{
    lpu_checksum s;
    const size_t at = sum_at(data, bytes);

    if (!at) return;
    lpu_checksum_init(&s);
    lpu_checksum_add(&s, data, at);
    const uint64_t sum = lpu_checksum_read(&s);
    memcpy(data + at, &sum, sizeof(sum));
}

static uint8_t *usual(lpu_layout layout, size_t *bytes)
{
    lpu_gguf *g;
    lpu_diag diag = {""};

    if (make_portable(&g, false, true, &diag)) abort();
    uint8_t *data = make_packed(g, layout, 5, bytes, &diag);
    if (!data || take(data, *bytes, &diag)) abort();
    lpu_gguf_close(&g);
    return data;
}

static void a_changed_byte_is_refused(void)
{
    size_t bytes;
    uint8_t *data = usual(LPU_LAYOUT_B3, &bytes);
    const size_t end = sum_at(data, bytes) + 8, step = end / 1500 + 1;

    for (size_t i = 0; i < end; i += i < 2000 ? 1 : step) {
        lpu_diag why = {""};
        data[i] ^= (uint8_t)(1 << i % 8);
        const lpu_status status = take(data, bytes, &why);
        CHECK(status && why.text[0], "byte %zu of %zu is not missed", i, end);
        data[i] ^= (uint8_t)(1 << i % 8);
    }
    free(data);
}

static void a_short_file_is_refused(void)
{
    size_t bytes;
    uint8_t *data = usual(LPU_LAYOUT_B3, &bytes);
    const size_t end = sum_at(data, bytes) + 8;

    for (size_t n = 0; n < end; n += n < 600 ? 1 : end / 400) {
        lpu_diag why = {""};
        uint8_t *copy = malloc(n + 1); /* so that reading on is seen by a sanitizer */
        memcpy(copy, data, n);
        CHECK(take(copy, n, &why) && why.text[0], "%zu of %zu bytes are enough", n, end);
        free(copy);
    }
    free(data);
}

/* With a good sum over bad tables, anything but a crash is right. */
static void forged_tables_do_no_harm(void)
{
    size_t bytes;
    uint8_t *data = usual(LPU_LAYOUT_B3, &bytes), *copy = malloc(bytes);
    uint64_t seed = 1;
    size_t refused = 0;

    for (int i = 0; i < 2000; i++) {
        lpu_diag why = {""};
        memcpy(copy, data, bytes);
        for (int j = 0; j < 3; j++) {
            seed = seed * 6364136223846793005 + 1442695040888963407;
            copy[24 + (seed >> 33) % 4000] = (uint8_t)(seed >> 24);
        }
        set_sum(copy, bytes);
        refused += take(copy, bytes, &why) != LPU_OK;
    }
    CHECK(refused > 100 && refused < 2000, "%zu of 2000 refused", refused);
    free(copy);
    free(data);
}

/* Puts other bytes of the same length in the place of the first that are found, and a good sum. */
static void patch(uint8_t *data, size_t bytes, const char *key, size_t skip, const void *to,
                  size_t n)
{
    for (size_t i = 0; i + strlen(key) + skip + n < bytes; i++) {
        if (memcmp(data + i, key, strlen(key))) continue;
        memcpy(data + i + strlen(key) + skip, to, n);
        break;
    }
    set_sum(data, bytes);
}

static void other_layouts_are_refused(void)
{
    size_t bytes;
    uint8_t *data = usual(LPU_LAYOUT_T2, &bytes);
    const uint32_t version = LPU_PACKED_VERSION + 1, same = LPU_PACKED_VERSION;
    lpu_diag why = {""};

    patch(data, bytes, "setun.pack.version", 4, &version, 4);
    CHECK_EQ(take(data, bytes, &why), LPU_ERR_FORMAT);
    CHECK(strstr(why.text, "pack the GGUF file again"), "%s", why.text);
    patch(data, bytes, "setun.pack.version", 4, &same, 4);
    CHECK_EQ(take(data, bytes, &why), LPU_OK);
    patch(data, bytes, "setun.pack.layout", 12, "b9", 2);
    CHECK_EQ(take(data, bytes, &why), LPU_ERR_FORMAT);
    CHECK(strstr(why.text, "pack the GGUF file again"), "%s", why.text);
    patch(data, bytes, "setun.pack.layout", 12, "i4", 2); /* its streams are of another size */
    lpu_gguf *g;
    lpu_weights *w;
    lpu_forward *f;
    CHECK_OK(lpu_gguf_parse(&g, "packed", data, bytes, diag));
    CHECK_OK(lpu_packed_load(&w, g, 0, diag));
    CHECK_EQ(lpu_forward_open(&f, w, LPU_FORWARD_TERNARY, 4, CONTEXT, 1, &why), LPU_ERR_FORMAT);
    CHECK(strstr(why.text, "packed bytes"), "%s", why.text);
    lpu_weights_close(&w);
    lpu_gguf_close(&g);
    free(data);
}

static void each_loader_takes_its_own(void)
{
    size_t bytes;
    uint8_t *data = usual(LPU_LAYOUT_B3, &bytes);
    lpu_gguf *g;
    lpu_weights *w;
    lpu_forward *f;
    lpu_diag why = {""};

    CHECK_OK(lpu_gguf_parse(&g, "packed", data, bytes, diag));
    CHECK_EQ(lpu_weights_load(&w, g, 5, 0, &why), LPU_ERR_FORMAT);
    CHECK(!w && strstr(why.text, "expected the GGUF file"), "%s", why.text);
    CHECK_OK(lpu_packed_load(&w, g, 0, diag));
    CHECK_EQ(lpu_forward_open(&f, w, LPU_FORWARD_FP16, 5, CONTEXT, 1, &why), LPU_ERR_RANGE);
    CHECK(strstr(why.text, "the file is packed so"), "%s", why.text);
    CHECK_EQ(lpu_forward_open_layout(&f, w, LPU_LAYOUT_T2, 5, CONTEXT, 1, &why), LPU_ERR_RANGE);
    lpu_weights_close(&w);
    lpu_gguf_close(&g);
    free(data);

    CHECK_OK(make_portable(&g, false, true, diag));
    CHECK_EQ(lpu_packed_load(&w, g, 0, &why), LPU_ERR_FORMAT);
    const lpu_packed_options o = {.layout = LPU_LAYOUT_B1, .head_trits = 5};
    CHECK_EQ(lpu_packed_save(name_of("packed"), g, &o, &why), LPU_ERR_RANGE);
    CHECK(strstr(why.text, "weights of zero"), "%s", why.text);
    CHECK(access(name_of("packed"), F_OK), "a file was written");
    lpu_gguf_close(&g);
}

/* --- the sum --- */

/* By the definition in the header, byte by byte. */
static uint64_t define(const uint8_t *data, size_t bytes)
{
    uint64_t lanes[8], sum = 0xcbf29ce484222325;

    for (uint64_t i = 0; i < 8; i++) lanes[i] = 0xcbf29ce484222325 + i;
    for (size_t at = 0; at < (bytes + 63) / 64 * 64; at += 8) {
        uint64_t word = 0;
        for (size_t i = 0; i < 8; i++) {
            word |= (uint64_t)(at + i < bytes ? data[at + i] : 0) << (8 * i);
        }
        lanes[at / 8 % 8] = (lanes[at / 8 % 8] ^ word) * 0x100000001b3;
    }
    for (size_t i = 0; i < 8; i++) sum = (sum ^ lanes[i]) * 0x100000001b3;
    return (sum ^ bytes) * 0x100000001b3;
}

static void sums_are_as_defined(void)
{
    uint8_t data[400];

    for (size_t i = 0; i < sizeof(data); i++) data[i] = (uint8_t)(i * 151 + i / 7);
    for (size_t n = 0; n <= sizeof(data); n++) {
        for (size_t piece = 1; piece < 200; piece += 1 + piece / 3) {
            lpu_checksum s;
            lpu_checksum_init(&s);
            for (size_t at = 0; at < n; at += piece) {
                lpu_checksum_add(&s, data + at, n - at < piece ? n - at : piece);
            }
            CHECK(lpu_checksum_read(&s) == define(data, n), "%zu bytes by %zu", n, piece);
        }
    }
}

int main(void)
{
    RUN(sums_are_as_defined);
    RUN(packed_computes_what_portable_does);
    RUN(packed_screen_has_the_same_pieces);
    RUN(a_changed_byte_is_refused);
    RUN(a_short_file_is_refused);
    RUN(forged_tables_do_no_harm);
    RUN(other_layouts_are_refused);
    RUN(each_loader_takes_its_own);
    return test_failures > 0;
}
