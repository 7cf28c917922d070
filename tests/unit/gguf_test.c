/* tests/unit/gguf_test.c - the reader against files built byte by byte, and against what the writer
 * writes. Every file is parsed from memory of its exact size, so that a sanitizer sees each step
 * beyond it. */
#include "tests/unit/test.h"
#include "workloads/gguf_writer.h"

#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

enum { BYTES_MAX = 1 << 14 };

typedef struct bytes {
    uint8_t data[BYTES_MAX];
    size_t n;
} bytes;

static void put(bytes *b, const void *data, size_t n)
{
    memcpy(b->data + b->n, data, n);
    b->n += n;
}

static void put8(bytes *b, uint8_t value)
{
    put(b, &value, 1);
}

static void put32(bytes *b, uint32_t value)
{
    for (int i = 0; i < 4; i++) put8(b, (uint8_t)(value >> 8 * i));
}

static void put64(bytes *b, uint64_t value)
{
    put32(b, (uint32_t)value);
    put32(b, (uint32_t)(value >> 32));
}

static void put_text(bytes *b, const char *text)
{
    put64(b, strlen(text));
    put(b, text, strlen(text));
}

static void put_head(bytes *b, uint32_t version, uint64_t tensors, uint64_t values)
{
    b->n = 0;
    put(b, "GGUF", 4);
    put32(b, version);
    put64(b, tensors);
    put64(b, values);
}

static void put_tensor(bytes *b, const char *name, uint64_t cols, uint64_t rows, uint32_t type,
                       uint64_t offset)
{
    put_text(b, name);
    put32(b, 2);
    put64(b, cols);
    put64(b, rows);
    put32(b, type);
    put64(b, offset);
}

static void put_padding(bytes *b, size_t data_bytes)
{
    while (b->n % 32) put8(b, 0);
    for (size_t i = 0; i < data_bytes; i++) put8(b, (uint8_t)i);
}

/* Two values and two tensors: F32 (3, 2) and Q8_0 (32, 1). */
static void put_sound(bytes *b)
{
    put_head(b, 3, 2, 2);
    put_text(b, "general.architecture");
    put32(b, LPU_GGUF_STRING);
    put_text(b, "bitnet");
    put_text(b, "words");
    put32(b, LPU_GGUF_ARRAY);
    put32(b, LPU_GGUF_STRING);
    put64(b, 2);
    put_text(b, "one");
    put_text(b, "");
    put_tensor(b, "a", 3, 2, LPU_QUANT_F32, 0);
    put_tensor(b, "b", 32, 1, LPU_QUANT_Q8_0, 32);
    put_padding(b, 32 + 34);
}

/* Parses a copy of exactly n bytes and touches everything in it. */
static lpu_status parse(const uint8_t *data, size_t n, lpu_diag *diag)
{
    uint8_t *copy = malloc(n ? n : 1);
    lpu_gguf *g;
    volatile unsigned sum = 0;

    memcpy(copy, data, n);
    diag->text[0] = 0;
    const lpu_status status = lpu_gguf_parse(&g, "f", copy, n, diag);
    if (!status) {
        for (size_t i = 0; i < lpu_gguf_tensors(g); i++) {
            const lpu_gguf_tensor *t = lpu_gguf_tensor_at(g, i);
            for (uint64_t j = 0; j < t->bytes; j++) sum += ((const uint8_t *)t->data)[j];
        }
        lpu_gguf_string text, *texts;
        size_t count;
        if (!lpu_gguf_get_string(g, "general.architecture", &text, NULL)) {
            for (size_t j = 0; j < text.bytes; j++) sum += (unsigned)text.text[j];
        }
        if (!lpu_gguf_get_strings(g, "words", &texts, &count, NULL)) {
            for (size_t i = 0; i < count; i++) {
                for (size_t j = 0; j < texts[i].bytes; j++) sum += (unsigned)texts[i].text[j];
            }
            free(texts);
        }
    }
    lpu_gguf_close(&g);
    free(copy);
    return status;
}

/* The file must be refused with a sentence that has these words in it. */
static void refuse(const bytes *b, const char *words)
{
    lpu_diag why;
    const lpu_status status = parse(b->data, b->n, &why);
    CHECK(status == LPU_ERR_FORMAT, "found status %d (%s), expected a refusal: %s", status,
          why.text, words);
    CHECK(!strncmp(why.text, "f: ", 3), "%s: does not name the file", why.text);
    CHECK(strstr(why.text, words), "found \"%s\", expected \"%s\" in it", why.text, words);
}

#define REFUSE(b, words)                                                                           \
    do {                                                                                           \
        refuse(b, words);                                                                          \
        if (test_is_over) return;                                                                  \
    } while (0)

static void sound_file(void)
{
    bytes b;
    lpu_gguf *g;
    lpu_gguf_string s, *texts;
    size_t count;

    put_sound(&b);
    CHECK_OK(lpu_gguf_parse(&g, "f", b.data, b.n, diag));
    CHECK_EQ(lpu_gguf_tensors(g), 2);
    const lpu_gguf_tensor *t = lpu_gguf_find(g, "b");
    CHECK(t && t->type == LPU_QUANT_Q8_0 && t->dims == 2 && t->elems[0] == 32 && t->elems[1] == 1 &&
              t->elems[2] == 1 && t->bytes == 34,
          "tensor b is wrong");
    CHECK((const uint8_t *)t->data == b.data + b.n - 34, "data of tensor b");
    CHECK(lpu_gguf_find(g, "a")->bytes == 24 && !lpu_gguf_find(g, "c"), "tensors a and c");
    CHECK_OK(lpu_gguf_get_string(g, "general.architecture", &s, diag));
    CHECK(s.bytes == 6 && !memcmp(s.text, "bitnet", 6), "architecture");
    CHECK_OK(lpu_gguf_get_strings(g, "words", &texts, &count, diag));
    CHECK(count == 2 && texts[0].bytes == 3 && !memcmp(texts[0].text, "one", 3) &&
              texts[1].bytes == 0,
          "words");
    free(texts);
    lpu_gguf_close(&g);

    put_sound(&b);
    b.data[4] = 2; /* version 2 has the same layout */
    lpu_diag why;
    CHECK_EQ(parse(b.data, b.n, &why), LPU_OK);
}

static void every_truncation(void)
{
    bytes b;
    lpu_diag why;

    put_sound(&b);
    for (size_t n = 0; n < b.n; n++) {
        CHECK(parse(b.data, n, &why) == LPU_ERR_FORMAT, "%zu of %zu bytes were accepted", n, b.n);
        CHECK(!strncmp(why.text, "f: ", 3), "%zu bytes: found sentence \"%s\"", n, why.text);
    }
}

static void every_bit_flip(void)
{
    bytes b;
    lpu_diag why;
    int refused = 0;

    put_sound(&b);
    for (size_t bit = 0; bit < 8 * b.n; bit++) {
        b.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        const lpu_status status = parse(b.data, b.n, &why);
        CHECK(status == LPU_OK || status == LPU_ERR_FORMAT, "bit %zu: status %d", bit, status);
        CHECK(!status || *why.text, "bit %zu: no sentence", bit);
        refused += status != LPU_OK;
        b.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    CHECK(refused > 500, "only %d flips were refused", refused);
}

static void headers(void)
{
    bytes b;

    put_sound(&b);
    memcpy(b.data, "GGML", 4);
    REFUSE(&b, "byte 0: the file begins with 47 47 4d 4c, expected \"GGUF\"");
    memcpy(b.data, "FUGG", 4);
    REFUSE(&b, "big-endian");

    put_sound(&b);
    memcpy(b.data + 4, "\0\0\0\3", 4);
    REFUSE(&b, "byte 4: the file is big-endian");
    memcpy(b.data + 4, "\1\0\0\0", 4);
    REFUSE(&b, "version 1, expected 2 or 3");
    memcpy(b.data + 4, "\4\0\0\0", 4);
    REFUSE(&b, "version 4, expected 2 or 3");

    put_sound(&b);
    memset(b.data + 8, 0xff, 8);
    REFUSE(&b, "byte 8: 18446744073709551615 tensors");
    put_sound(&b);
    memset(b.data + 16, 0x7f, 8);
    REFUSE(&b, "more than the");
}

static void values(void)
{
    bytes b;

    put_head(&b, 3, 0, 1);
    put64(&b, UINT64_MAX); /* a key of 2^64 - 1 bytes */
    put_padding(&b, 64);
    REFUSE(&b, "a key takes 18446744073709551615 bytes, and the file ends after");

    put_head(&b, 3, 0, 1);
    put_text(&b, "");
    put_padding(&b, 64);
    REFUSE(&b, "a key is 0 bytes long");

    put_head(&b, 3, 0, 1);
    put_text(&b, "bell\a");
    put_padding(&b, 64);
    REFUSE(&b, "byte 0x07");

    put_head(&b, 3, 0, 1);
    put_text(&b, "key");
    put32(&b, LPU_GGUF_KINDS);
    put_padding(&b, 64);
    REFUSE(&b, "a value of kind 13, expected 0 to 12");

    put_head(&b, 3, 0, 1);
    put_text(&b, "key");
    put32(&b, LPU_GGUF_ARRAY);
    put32(&b, LPU_GGUF_ARRAY);
    put64(&b, 1);
    put_padding(&b, 64);
    REFUSE(&b, "key is an array of arrays");

    put_head(&b, 3, 0, 1);
    put_text(&b, "key");
    put32(&b, LPU_GGUF_ARRAY);
    put32(&b, LPU_GGUF_U64);
    put64(&b, (uint64_t)1 << 61); /* times 8 is 2^64, which is 0 */
    put_padding(&b, 64);
    REFUSE(&b, "key is an array of 2305843009213693952 values");

    put_head(&b, 3, 0, 2);
    for (int i = 0; i < 2; i++) {
        put_text(&b, "twin");
        put32(&b, LPU_GGUF_U8);
        put8(&b, 0);
    }
    put_padding(&b, 64);
    REFUSE(&b, "key twin is there twice");
}

static void alignments(void)
{
    const uint32_t bad[] = {0, 3, 1 << 21};
    bytes b;
    lpu_diag why;

    for (size_t i = 0; i < 3; i++) {
        put_head(&b, 3, 0, 1);
        put_text(&b, "general.alignment");
        put32(&b, LPU_GGUF_U32);
        put32(&b, bad[i]);
        put_padding(&b, 64);
        REFUSE(&b, "general.alignment is");
    }
    put_head(&b, 3, 1, 1);
    put_text(&b, "general.alignment");
    put32(&b, LPU_GGUF_U32);
    put32(&b, 64);
    put_tensor(&b, "a", 1, 1, LPU_QUANT_F32, 0);
    put_padding(&b, 0);
    while (b.n % 64) put8(&b, 0);
    put32(&b, 0);
    CHECK(parse(b.data, b.n, &why) == LPU_OK, "%s", why.text);
    REFUSE(&(bytes){.n = 0}, "the magic takes 4 bytes");
    b.n--;
    REFUSE(&b, "tensor a is 4 bytes from byte");
}

static void tensors(void)
{
    const struct {
        const char *name;
        uint64_t cols, rows;
        uint32_t type;
        uint64_t offset;
        const char *words;
    } rows[] = {
        {"z", 0, 2, LPU_QUANT_F32, 0, "tensor z has a dimension of 0"},
        {"z", 2, 0, LPU_QUANT_F32, 0, "tensor z has a dimension of 0"},
        {"h", (uint64_t)1 << 33, (uint64_t)1 << 33, LPU_QUANT_F32, 0, "more than 2^64 elements"},
        {"h", (uint64_t)1 << 32, (uint64_t)1 << 31, LPU_QUANT_F32, 0, "more than 2^64 bytes"},
        {"h", (uint64_t)1 << 32, (uint64_t)1 << 28, LPU_QUANT_F32, 0, "and the file ends at"},
        {"o", 8, 1, LPU_QUANT_F32, 4, "has offset 4, expected a multiple of 32"},
        {"o", 8, 1, LPU_QUANT_F32, 96, "and the file ends at"},
        {"o", 8, 1, LPU_QUANT_F32, UINT64_MAX - 31, "and the file ends at"},
        {"u", 8, 1, 3, 0, "tensor u has type 3, expected F32"},
        {"u", 8, 1, 1000, 0, "tensor u has type 1000"},
        {"q", 255, 1, LPU_QUANT_TQ2_0, 0, "rows of 255, expected a multiple of 256 for TQ2_0"},
        {"", 8, 1, LPU_QUANT_F32, 0, "the name of a tensor is 0 bytes long"},
        {"a name of more than sixty-four bytes, which no file that is sound can have", 8, 1,
         LPU_QUANT_F32, 0, "bytes long, expected 1 to 64"},
        {"\033[2J", 8, 1, LPU_QUANT_F32, 0, "has byte 0x1b in it"},
    };
    bytes b;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        put_head(&b, 3, 1, 0);
        put_tensor(&b, rows[i].name, rows[i].cols, rows[i].rows, rows[i].type, rows[i].offset);
        put_padding(&b, 96);
        REFUSE(&b, rows[i].words);
    }
    put_head(&b, 3, 1, 0);
    put_text(&b, "five");
    put32(&b, 5);
    put_padding(&b, 96);
    REFUSE(&b, "tensor five has 5 dimensions, expected 0 to 4");
}

static void pairs_of_tensors(void)
{
    bytes b;

    put_head(&b, 3, 2, 0);
    put_tensor(&b, "long", 9, 1, LPU_QUANT_F32, 0); /* 36 bytes */
    put_tensor(&b, "next", 8, 1, LPU_QUANT_F32, 32);
    put_padding(&b, 96);
    REFUSE(&b, "tensor next begins inside tensor long");

    put_head(&b, 3, 2, 0);
    put_tensor(&b, "same", 8, 1, LPU_QUANT_F32, 0);
    put_tensor(&b, "same", 8, 1, LPU_QUANT_F32, 32);
    put_padding(&b, 96);
    REFUSE(&b, "tensor same is there twice");
}

static void random_bytes(void)
{
    uint64_t seed = 7;
    bytes b;
    lpu_diag why;

    for (int turn = 0; turn < 20000; turn++) {
        put_sound(&b);
        for (int i = 0; i < 3; i++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            b.data[(seed >> 33) % b.n] = (uint8_t)(seed >> 24);
        }
        const lpu_status status = parse(b.data, b.n, &why);
        CHECK(status == LPU_OK || (status == LPU_ERR_FORMAT && *why.text), "status %d", status);
    }
}

/* ---- the writer, and getters of every kind ---- */

static const char *temporary(void)
{
    static char path[64];
    snprintf(path, sizeof(path), "/tmp/gguf_test-%ld.gguf", (long)getpid());
    return path;
}

static void write_and_read(void)
{
    const char *path = temporary();
    const int16_t numbers[] = {-3, 0, 30000};
    float a[6] = {1, -2, 3.5f, 4, 5, 6}, b[40] = {0};
    lpu_gguf_writer *w;
    lpu_gguf *g;

    for (int i = 0; i < 40; i++) b[i] = (float)i;
    CHECK_OK(lpu_gguf_writer_open(&w, path, diag));
    lpu_gguf_writer_put_u32(w, "number", 77);
    lpu_gguf_writer_put_f32(w, "real", 0.25f);
    lpu_gguf_writer_put_string(w, "text", "words");
    lpu_gguf_writer_put_array(w, "numbers", LPU_GGUF_I16, numbers, 3);
    lpu_gguf_writer_begin_strings(w, "texts", 2);
    lpu_gguf_writer_next_string(w, "", 0);
    lpu_gguf_writer_next_string(w, "a\0b", 3);
    CHECK_EQ(lpu_gguf_writer_declare(w, "a", LPU_QUANT_F32, 3, 2), 24);
    CHECK_EQ(lpu_gguf_writer_declare(w, "b", LPU_QUANT_F32, 40, 0), 160);
    CHECK_OK(lpu_gguf_writer_write(w, a, 10, diag)); /* pieces of any size */
    CHECK_OK(lpu_gguf_writer_write(w, (const uint8_t *)a + 10, 14, diag));
    CHECK(access(path, F_OK) != 0, "the file is there before it is whole");
    CHECK_OK(lpu_gguf_writer_write(w, b, sizeof(b), diag));
    CHECK_OK(lpu_gguf_writer_commit(&w, diag));
    CHECK(!w, "the writer is not gone");

    CHECK_OK(lpu_gguf_open(&g, path, diag));
    uint32_t number;
    float real;
    lpu_gguf_string s, *texts;
    const void *array;
    size_t count;
    CHECK_OK(lpu_gguf_get_u32(g, "number", &number, diag));
    CHECK_OK(lpu_gguf_get_f32(g, "real", &real, diag));
    CHECK_OK(lpu_gguf_get_string(g, "text", &s, diag));
    CHECK(number == 77 && real == 0.25f && s.bytes == 5 && !memcmp(s.text, "words", 5), "values");
    CHECK_OK(lpu_gguf_get_array(g, "numbers", LPU_GGUF_I16, &array, &count, diag));
    CHECK(count == 3 && !memcmp(array, numbers, sizeof(numbers)), "numbers");
    CHECK_OK(lpu_gguf_get_strings(g, "texts", &texts, &count, diag));
    CHECK(count == 2 && texts[1].bytes == 3 && !memcmp(texts[1].text, "a\0b", 3), "texts");
    free(texts);
    CHECK(!memcmp(lpu_gguf_find(g, "a")->data, a, sizeof(a)), "tensor a");
    CHECK(!memcmp(lpu_gguf_find(g, "b")->data, b, sizeof(b)), "tensor b");
    CHECK_EQ(lpu_gguf_find(g, "b")->dims, 1);
    CHECK_EQ(lpu_gguf_find(g, "b")->offset_bytes % 32, 0);
    lpu_gguf_close(&g);
    unlink(path);
}

static void put_number(bytes *b, const char *key, uint32_t kind, uint64_t bits, size_t n)
{
    put_text(b, key);
    put32(b, kind);
    put(b, &bits, n);
}

static void getters(void)
{
    bytes b;
    lpu_gguf *g;
    lpu_diag why;
    uint32_t number;
    float real;
    lpu_gguf_string s;

    put_head(&b, 3, 0, 9);
    put_number(&b, "u8", LPU_GGUF_U8, 200, 1);
    put_number(&b, "i8", LPU_GGUF_I8, 0xff, 1);
    put_number(&b, "u16", LPU_GGUF_U16, 65535, 2);
    put_number(&b, "i32", LPU_GGUF_I32, 7, 4);
    put_number(&b, "u64", LPU_GGUF_U64, 1ull << 32, 8);
    put_number(&b, "i64", LPU_GGUF_I64, 4294967295u, 8);
    put_number(&b, "bool", LPU_GGUF_BOOL, 1, 1);
    put_number(&b, "f64", LPU_GGUF_F64, 0x3fe0000000000000u, 8); /* 0.5 */
    put_number(&b, "f32", LPU_GGUF_F32, 0x40000000, 4);          /* 2 */
    CHECK_OK(lpu_gguf_parse(&g, "f", b.data, b.n, diag));

    CHECK(!lpu_gguf_get_u32(g, "u8", &number, &why) && number == 200, "u8");
    CHECK(!lpu_gguf_get_u32(g, "u16", &number, &why) && number == 65535, "u16");
    CHECK(!lpu_gguf_get_u32(g, "i32", &number, &why) && number == 7, "i32");
    CHECK(!lpu_gguf_get_u32(g, "i64", &number, &why) && number == 4294967295u, "i64");
    CHECK(!lpu_gguf_get_f32(g, "f64", &real, &why) && real == 0.5f, "f64");
    CHECK(!lpu_gguf_get_f32(g, "f32", &real, &why) && real == 2, "f32");

    CHECK_EQ(lpu_gguf_get_u32(g, "i8", &number, &why), LPU_ERR_FORMAT);
    CHECK(strstr(why.text, "key i8 is negative, expected an integer"), "%s", why.text);
    CHECK_EQ(lpu_gguf_get_u32(g, "u64", &number, &why), LPU_ERR_FORMAT);
    CHECK(strstr(why.text, "key u64 is 2^32 or more"), "%s", why.text);
    CHECK_EQ(lpu_gguf_get_u32(g, "bool", &number, &why), LPU_ERR_FORMAT);
    CHECK(strstr(why.text, "key bool is bool, expected an integer"), "%s", why.text);
    CHECK_EQ(lpu_gguf_get_u32(g, "none", &number, &why), LPU_ERR_FORMAT);
    CHECK(strstr(why.text, "f: key none is missing, expected an integer"), "%s", why.text);
    CHECK_EQ(lpu_gguf_get_f32(g, "u8", &real, &why), LPU_ERR_FORMAT);
    CHECK_EQ(lpu_gguf_get_string(g, "u8", &s, &why), LPU_ERR_FORMAT);
    CHECK(strstr(why.text, "key u8 is uint8, expected a string"), "%s", why.text);
    lpu_gguf_close(&g);
}

static void files(void)
{
    lpu_gguf *g;
    lpu_diag why;
    const char *path = temporary();
    FILE *file = fopen(path, "w");

    CHECK(file, "%s: cannot write", path);
    fputs("GGUF", file);
    fclose(file);
    CHECK_EQ(lpu_gguf_open(&g, path, &why), LPU_ERR_FORMAT);
    CHECK(strstr(why.text, "4 bytes, expected a GGUF file of 24 or more"), "%s", why.text);
    unlink(path);
    CHECK_EQ(lpu_gguf_open(&g, path, &why), LPU_ERR_IO);
    CHECK(strstr(why.text, "No such file"), "%s", why.text);
    CHECK_EQ(lpu_gguf_open(&g, "/tmp", &why), LPU_ERR_IO);
    CHECK(!g, "a handle of a failed open");
    lpu_gguf_close(&g);
}

int main(void)
{
    RUN(sound_file);
    RUN(every_truncation);
    RUN(every_bit_flip);
    RUN(headers);
    RUN(values);
    RUN(alignments);
    RUN(tensors);
    RUN(pairs_of_tensors);
    RUN(random_bytes);
    RUN(write_and_read);
    RUN(getters);
    RUN(files);
    return test_failures != 0;
}
