/* tests/unit/tokenizer_test.c - text to ids and back, merges worked out by hand, hostile files. */
#include "workloads/tokenizer_private.h"

#include "tests/unit/test.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static uint64_t random_state = 7;

static uint32_t next_random(void) /* Knuth's MMIX generator (TAOCP 2, 3.3.4, table 1) */
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(random_state >> 33);
}

static const char sample[] =
    "In the beginning was the word, and the word was with the people; the people weren't there in "
    "1984, they're said to've been 25 miles off.\n\n  The end's the beginning, and the rest "
    "\xc3\xa9t\xc3\xa9 is \"nothing\" -- at all.\tThe people of the word.\n";

/* decode(encode(text)) is text. */
static int is_round(const lpu_tokenizer *t, const void *text, size_t bytes)
{
    int32_t *ids;
    uint8_t *back = NULL;
    size_t count, back_bytes = 0;
    int is_same = !lpu_tokenizer_encode(t, text, bytes, &ids, &count, NULL) &&
                  !lpu_tokenizer_decode(t, ids, count, &back, &back_bytes, NULL) &&
                  back_bytes == bytes && (!bytes || !memcmp(back, text, bytes)) && count <= bytes;
    free(ids);
    free(back);
    return is_same;
}

static void round_trips(void)
{
    lpu_tokenizer *t;
    uint8_t noise[600];

    CHECK_OK(lpu_tokenizer_train(&t, sample, strlen(sample), 300, diag));
    CHECK_EQ(lpu_tokenizer_vocab(t), 300);
    CHECK(is_round(t, sample, strlen(sample)), "the sample came back changed");
    CHECK(is_round(t, "", 0), "no text came back as some");
    for (int c = 0; c < 256; c++) {
        const uint8_t byte = (uint8_t)c;
        CHECK(is_round(t, &byte, 1), "byte %d came back changed", c);
    }
    for (int trial = 0; trial < 2000; trial++) {
        const size_t n = next_random() % sizeof(noise);
        const uint32_t range = trial % 2 ? 256 : 100;
        for (size_t i = 0; i < n; i++) {
            const uint32_t r = next_random();
            noise[i] =
                (uint8_t)(trial % 4 == 2 ? (uint32_t)sample[r % (sizeof(sample) - 1)] : r % range);
        }
        CHECK(is_round(t, noise, n), "trial %d of %zu bytes came back changed", trial, n);
    }
    lpu_tokenizer_close(&t);
}

/* "abab abab ab": pieces abab, _abab, _ab. Pairs: ab 5, ba 2, _a 2; so ab is token 256. Then
 * (ab,ab) 2, (_,ab) 2: equal, and (_,ab) = (32,256) comes before (256,256). So " ab" is 257. Then
 * (257,256) has 1 and (256,256) has 1: the lower is (256,256), "abab", 258. */
static void merges_by_hand(void)
{
    static const int32_t expected[] = {258, 257, 256, 257};
    lpu_tokenizer *t;
    int32_t *ids;
    size_t count, bytes;

    CHECK_OK(lpu_tokenizer_train(&t, "abab abab ab", 12, 260, diag));
    CHECK(!memcmp(lpu_tokenizer_token(t, 256, &bytes), "ab", 2) && bytes == 2, "token 256");
    CHECK(!memcmp(lpu_tokenizer_token(t, 257, &bytes), " ab", 3) && bytes == 3, "token 257");
    CHECK(!memcmp(lpu_tokenizer_token(t, 258, &bytes), "abab", 4) && bytes == 4, "token 258");
    CHECK_EQ(lpu_tokenizer_bos(t), 259);
    CHECK_EQ(lpu_tokenizer_eos(t), 259);
    lpu_tokenizer_token(t, 259, &bytes);
    CHECK_EQ(bytes, 0);
    CHECK_OK(lpu_tokenizer_encode(t, "abab abab ab", 12, &ids, &count, diag));
    CHECK_EQ(count, 4);
    CHECK(!memcmp(ids, expected, sizeof(expected)), "ids are %d %d %d %d", ids[0], ids[1], ids[2],
          ids[3]);
    free(ids);
    lpu_tokenizer_close(&t);
}

/* A tokenizer that may merge everything shows where the text is cut: one token per piece, when the
 * text is what it was trained on, again and again. */
static void cuts_as_gpt2(void)
{
    static const char text[] = "I'll  go, they've 12 x3!? \n\n end's'q ";
    static const char *const pieces[] = {"I",    "'ll", " ",  " go", ",",  " they",
                                         "'ve",  " 12", " x", "3",   "!?", " \n\n",
                                         " end", "'s",  "'",  "q",   " "};
    const size_t expected = sizeof(pieces) / sizeof(pieces[0]);
    lpu_tokenizer *t;
    int32_t *ids;
    size_t count;
    uint32_t vocab = LPU_TOKENIZER_VOCAB_MIN;

    while (!lpu_tokenizer_train(&t, text, strlen(text), vocab, NULL)) {
        lpu_tokenizer_close(&t);
        vocab++;
    }
    CHECK_OK(lpu_tokenizer_train(&t, text, strlen(text), vocab - 1, diag));
    CHECK_OK(lpu_tokenizer_encode(t, text, strlen(text), &ids, &count, diag));
    CHECK_EQ(count, expected);
    for (size_t i = 0; i < count; i++) {
        size_t bytes;
        const uint8_t *token = lpu_tokenizer_token(t, ids[i], &bytes);
        CHECK(bytes == strlen(pieces[i]) && !memcmp(token, pieces[i], bytes),
              "piece %zu is \"%.*s\", expected \"%s\"", i, (int)bytes, token, pieces[i]);
    }
    free(ids);
    lpu_tokenizer_close(&t);
}

/* The pieces of a text, with | between them. */
static const char *pieces_of(lpu_tokenizer_pattern pattern, const char *text)
{
    static char out[400];
    size_t bytes = strlen(text), used = 0;

    while (bytes) {
        const size_t n = lpu_tokenizer_cut(pattern, (const uint8_t *)text, bytes);
        if (used) out[used++] = '|';
        memcpy(out + used, text, n);
        used += n;
        text += n;
        bytes -= n;
    }
    out[used] = 0;
    return out;
}

/* Worked out by hand from the pattern in workloads/tokenizer_cut.c. */
static void cuts_as_llama3(void)
{
    static const char *const splits[] = {
        "Hello| world",
        "I|'LL| we|'Ve| can|'t",
        "123|456|7",
        "a| | b",
        "x| =| |10|;\n\n|y",
        "(foo|)| (|foo|).",
        "\n\n| | a",
        "  \n \n| | x",
        "don|'t|.\n",
        "\tfoo|\t|\tbar",
        "!!\r\n\r\n|A|   ",
        "'s|'x|''|s",
        "na\xc3\xafve| caf\xc3\xa9",                    /* letters beyond ASCII */
        "\xe2\x80\x9cHi|\xe2\x80\x9d| \xe2\x80\x94|ok", /* quotes and a dash are not */
        "\xe4\xbd\xa0\xe5\xa5\xbd|123|4| \xe4\xbd\xa0", /* Chinese letters, digits */
        "\xc2\xbd|x|\xc2\xa0y",                         /* one half; a hard space leads */
        "\xd9\xa1\xd9\xa2\xd9\xa3|\xd9\xa4",            /* Arabic digits by three */
        "ok|\xf0\x9f\x98\x80\xf0\x9f\x98\x80| \xf0\x9f\x98\x80|go", /* pictures */
        "a|\xff\xc3|b",                                             /* no UTF-8 */
    };

    for (size_t i = 0; i < sizeof(splits) / sizeof(splits[0]); i++) {
        char text[400];
        size_t n = 0;
        for (const char *c = splits[i]; *c; c++) {
            if (*c != '|') text[n++] = *c;
        }
        text[n] = 0;
        const char *found = pieces_of(LPU_TOKENIZER_LLAMA3, text);
        CHECK(!strcmp(found, splits[i]), "found \"%s\", expected \"%s\"", found, splits[i]);
    }
}

/* The most frequent pair by counting everything anew for every merge, from the definition. */
static void merges_by_recount(void)
{
    enum { WORDS = 3, SYMBOLS = 24, VOCAB = 270 };
    static const char *const words[WORDS] = {"banananabandana", "bandananabana", "nabanabanab"};
    int32_t symbols[WORDS][SYMBOLS], counts[WORDS];
    char text[64];
    lpu_tokenizer *t;

    snprintf(text, sizeof(text), "%s.%s.%s", words[0], words[1], words[2]);
    CHECK_OK(lpu_tokenizer_train(&t, text, strlen(text), VOCAB, diag));
    for (int w = 0; w < WORDS; w++) {
        counts[w] = (int32_t)strlen(words[w]);
        for (int i = 0; i < counts[w]; i++) symbols[w][i] = words[w][i];
    }
    for (int32_t next = 256; next < VOCAB - 1; next++) {
        int most = 0;
        int32_t left = 0, right = 0;
        for (int32_t a = 0; a < next; a++) {
            for (int32_t b = 0; b < next; b++) {
                int times = 0;
                for (int w = 0; w < WORDS; w++) {
                    for (int i = 0; i + 1 < counts[w]; i++) {
                        times += symbols[w][i] == a && symbols[w][i + 1] == b;
                    }
                }
                if (times > most) {
                    most = times;
                    left = a;
                    right = b;
                }
            }
        }
        size_t l, r, whole;
        const uint8_t *lt = lpu_tokenizer_token(t, left, &l);
        const uint8_t *rt = lpu_tokenizer_token(t, right, &r);
        const uint8_t *wt = lpu_tokenizer_token(t, next, &whole);
        CHECK(whole == l + r && !memcmp(wt, lt, l) && !memcmp(wt + l, rt, r),
              "token %d is \"%.*s\", expected \"%.*s%.*s\"", next, (int)whole, wt, (int)l, lt,
              (int)r, rt);
        for (int w = 0; w < WORDS; w++) {
            int kept = 0;
            for (int i = 0; i < counts[w]; kept++) {
                const int is_pair =
                    i + 1 < counts[w] && symbols[w][i] == left && symbols[w][i + 1] == right;
                symbols[w][kept] = is_pair ? next : symbols[w][i];
                i += is_pair ? 2 : 1;
            }
            counts[w] = kept;
        }
    }
    lpu_tokenizer_close(&t);
}

static void file_name(char *path, size_t bytes)
{
    snprintf(path, bytes, "/tmp/lpu_tokenizer_test_%ld.gguf", (long)getpid());
}

static void file_round_trip(void)
{
    char path[64];
    lpu_tokenizer *t, *u;
    lpu_gguf_writer *w;
    lpu_gguf *g;
    int32_t *a, *b;
    size_t n, m;

    file_name(path, sizeof(path));
    CHECK_OK(lpu_tokenizer_train(&t, sample, strlen(sample), 320, diag));
    CHECK_OK(lpu_gguf_writer_open(&w, path, diag));
    CHECK_OK(lpu_tokenizer_save(t, w, diag));
    CHECK_OK(lpu_gguf_writer_commit(&w, diag));
    CHECK_OK(lpu_gguf_open(&g, path, diag));

    lpu_gguf_string *tokens; /* GPT-2's letters: space is U+0120, newline U+010A, 0xc3 itself */
    CHECK_OK(lpu_gguf_get_strings(g, "tokenizer.ggml.tokens", &tokens, &n, diag));
    CHECK_EQ(n, 320);
    CHECK(tokens[' '].bytes == 2 && !memcmp(tokens[' '].text, "\xc4\xa0", 2), "the space");
    CHECK(tokens['\n'].bytes == 2 && !memcmp(tokens['\n'].text, "\xc4\x8a", 2), "the newline");
    CHECK(tokens['A'].bytes == 1 && tokens['A'].text[0] == 'A', "the A");
    CHECK(tokens[0xc3].bytes == 2 && !memcmp(tokens[0xc3].text, "\xc3\x83", 2), "byte 0xc3");
    CHECK(tokens[0xad].bytes == 2 && !memcmp(tokens[0xad].text, "\xc5\x83", 2), "byte 0xad");
    CHECK(tokens[319].bytes == 13 && !memcmp(tokens[319].text, "<|endoftext|>", 13), "the last");
    free(tokens);

    CHECK_OK(lpu_tokenizer_load(&u, g, diag));
    lpu_gguf_close(&g);
    CHECK_EQ(lpu_tokenizer_vocab(u), 320);
    CHECK_EQ(lpu_tokenizer_bos(u), 319);
    CHECK_OK(lpu_tokenizer_encode(t, sample, strlen(sample), &a, &n, diag));
    CHECK_OK(lpu_tokenizer_encode(u, sample, strlen(sample), &b, &m, diag));
    CHECK(n == m && !memcmp(a, b, n * sizeof(*a)), "the loaded tokenizer makes other ids");
    CHECK(n < strlen(sample) * 3 / 4, "%zu ids for %zu bytes", n, strlen(sample));
    free(a);
    free(b);
    lpu_tokenizer_close(&t);
    lpu_tokenizer_close(&u);
    unlink(path);
}

/* One fault at a time in an otherwise good file of the 256 bytes, "ab", and a control token. */
typedef struct fault {
    const char *name, *model, *pre, *token, *merge, *expected;
    uint32_t bos;
    size_t kinds;
} fault;

/* The tokens of single bytes, in GPT-2's letters. */
static void write_letters(lpu_gguf_writer *w)
{
    for (int i = 0, next = 256; i < 256; i++) {
        const int is_self = (i > 32 && i < 127) || (i > 160 && i != 173);
        const int c = is_self ? i : next++;
        char text[4];
        const int n = c < 128 ? snprintf(text, 4, "%c", c)
                              : snprintf(text, 4, "%c%c", 0xc0 | c >> 6, 0x80 | (c & 63));
        lpu_gguf_writer_next_string(w, text, (size_t)n);
    }
}

static void write_faulty(const char *path, const fault *f)
{
    lpu_gguf_writer *w;
    int32_t kinds[258];

    for (int i = 0; i < 258; i++) kinds[i] = i == 257 ? 3 : 1;
    CHECK_OK(lpu_gguf_writer_open(&w, path, diag));
    lpu_gguf_writer_put_string(w, "tokenizer.ggml.model", f->model ? f->model : "gpt2");
    lpu_gguf_writer_put_string(w, "tokenizer.ggml.pre", f->pre ? f->pre : "gpt-2");
    lpu_gguf_writer_begin_strings(w, "tokenizer.ggml.tokens", 258);
    write_letters(w);
    const char *token = f->token ? f->token : "ab", *merge = f->merge ? f->merge : "a b";
    lpu_gguf_writer_next_string(w, token, strlen(token));
    lpu_gguf_writer_next_string(w, "<end>", 5);
    lpu_gguf_writer_put_array(w, "tokenizer.ggml.token_type", LPU_GGUF_I32, kinds,
                              f->kinds ? f->kinds : 258);
    lpu_gguf_writer_begin_strings(w, "tokenizer.ggml.merges", 1);
    lpu_gguf_writer_next_string(w, merge, strlen(merge));
    lpu_gguf_writer_put_u32(w, "tokenizer.ggml.bos_token_id", f->bos ? f->bos : 257);
    CHECK_OK(lpu_gguf_writer_commit(&w, diag));
}

static void hostile_files(void)
{
    static const fault faults[] = {
        {.name = "none"},
        {.name = "model", .model = "llama", .expected = "tokenizer.ggml.model is not \"gpt2\""},
        {.name = "pre", .pre = "qwen2", .expected = "tokenizer.ggml.pre is not \"gpt-2\""},
        {.name = "same", .token = "a", .expected = "tokens 97 and 256 are the same"},
        {.name = "empty", .token = "\x01", .expected = "token 256 is not written"},
        {.name = "broken", .token = "\xc4", .expected = "token 256 is not written"},
        {.name = "beyond", .token = "\xe2\x82\xac", .expected = "token 256 is not written"},
        {.name = "no_space", .merge = "ab", .expected = "merge 0 is not two tokens"},
        {.name = "no_whole", .merge = "b a", .expected = "merge 0 is not two tokens"},
        {.name = "no_left", .merge = " b", .expected = "merge 0 is not two tokens"},
        {.name = "bos", .bos = 258, .expected = "bos_token_id is 258, expected less than 258"},
        {.name = "kinds", .kinds = 257, .expected = "found 257 token types, expected 258"},
    };
    char path[64];

    file_name(path, sizeof(path));
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        lpu_diag why = {""};
        lpu_gguf *g;
        lpu_tokenizer *t;
        write_faulty(path, &faults[i]);
        CHECK_OK(lpu_gguf_open(&g, path, diag));
        const lpu_status status = lpu_tokenizer_load(&t, g, &why);
        lpu_gguf_close(&g);
        if (!faults[i].expected) {
            CHECK(!status && is_round(t, "abba", 4), "the good file: %s", why.text);
            lpu_tokenizer_close(&t);
            continue;
        }
        CHECK(status == LPU_ERR_FORMAT && strstr(why.text, faults[i].expected) && !t,
              "%s: status %d, \"%s\"", faults[i].name, (int)status, why.text);
    }
    unlink(path);
}

/* A file as those of Llama 3: "abc" is a token that no merge makes, and "<|x|>" a control token. */
static void write_llama3(const char *path, const char *pre)
{
    static const char *const more[] = {"ab", "abc", "<|begin_of_text|>", "<|x|>"};
    lpu_gguf_writer *w;
    int32_t kinds[260];

    for (int i = 0; i < 260; i++) kinds[i] = i >= 258 ? 3 : 1;
    CHECK_OK(lpu_gguf_writer_open(&w, path, diag));
    lpu_gguf_writer_put_string(w, "tokenizer.ggml.model", "gpt2");
    if (pre) lpu_gguf_writer_put_string(w, "tokenizer.ggml.pre", pre);
    lpu_gguf_writer_begin_strings(w, "tokenizer.ggml.tokens", 260);
    write_letters(w);
    for (int i = 0; i < 4; i++) lpu_gguf_writer_next_string(w, more[i], strlen(more[i]));
    lpu_gguf_writer_put_array(w, "tokenizer.ggml.token_type", LPU_GGUF_I32, kinds, 260);
    lpu_gguf_writer_begin_strings(w, "tokenizer.ggml.merges", 1);
    lpu_gguf_writer_next_string(w, "a b", 3);
    lpu_gguf_writer_put_u32(w, "tokenizer.ggml.bos_token_id", 258);
    CHECK_OK(lpu_gguf_writer_commit(&w, diag));
}

/* A whole token needs no merges, names of control tokens are read where asked for, and a file that
 * does not name its pattern, as those of bitnet.cpp, is known by its first token. */
static void llama3_files(void)
{
    static const char *const pres[] = {"llama-bpe", "default", NULL};
    static const int32_t plain[] = {257, ' ', 256}, controls[] = {257, 259, 256, 'd'};
    char path[64];

    file_name(path, sizeof(path));
    for (int i = 0; i < 3; i++) {
        lpu_gguf *g;
        lpu_tokenizer *t;
        int32_t *ids;
        size_t n;
        write_llama3(path, pres[i]);
        CHECK_OK(lpu_gguf_open(&g, path, diag));
        CHECK_OK(lpu_tokenizer_load(&t, g, diag));
        lpu_gguf_close(&g);
        CHECK(lpu_tokenizer_adds_bos(t) && lpu_tokenizer_bos(t) == 258, "no bos, pre %d", i);
        CHECK_OK(lpu_tokenizer_encode(t, "abc ab", 6, &ids, &n, diag));
        CHECK(n == 3 && !memcmp(ids, plain, sizeof(plain)), "%zu ids, the first %d", n, ids[0]);
        free(ids);
        CHECK_OK(lpu_tokenizer_encode(t, "<|x|>", 5, &ids, &n, diag));
        CHECK_EQ(n, 5);
        free(ids);
        CHECK_OK(lpu_tokenizer_encode_controls(t, "abc<|x|>abd", 11, &ids, &n, diag));
        CHECK(n == 4 && !memcmp(ids, controls, sizeof(controls)), "%zu ids, the second %d", n,
              ids[1]);
        free(ids);
        lpu_tokenizer_close(&t);
    }
    unlink(path);
}

static void bad_arguments(void)
{
    lpu_diag why = {""};
    lpu_tokenizer *t;
    uint8_t *text;
    size_t bytes;

    CHECK_EQ(lpu_tokenizer_train(&t, "abc", 3, 256, &why), LPU_ERR_RANGE);
    CHECK_EQ(lpu_tokenizer_train(&t, "abc", 3, 300, &why), LPU_ERR_RANGE);
    CHECK(strstr(why.text, "pairs for 259 tokens"), "\"%s\"", why.text);
    CHECK_OK(lpu_tokenizer_train(&t, "abc", 3, 258, diag));
    CHECK_EQ(lpu_tokenizer_decode(t, &(int32_t){258}, 1, &text, &bytes, &why), LPU_ERR_RANGE);
    CHECK_EQ(lpu_tokenizer_decode(t, &(int32_t){-1}, 1, &text, &bytes, &why), LPU_ERR_RANGE);
    lpu_tokenizer_close(&t);
}

int main(void)
{
    RUN(round_trips);
    RUN(merges_by_hand);
    RUN(merges_by_recount);
    RUN(cuts_as_gpt2);
    RUN(cuts_as_llama3);
    RUN(file_round_trip);
    RUN(hostile_files);
    RUN(llama3_files);
    RUN(bad_arguments);
    return test_failures != 0;
}
