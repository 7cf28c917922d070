/* tests/unit/yaml_test.c - what a YAML file may get wrong, and the line and words it earns. */
#include "tests/unit/test.h"
#include "workloads/yaml.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

typedef enum colour { RED, GREEN } colour;

typedef struct inner {
    uint32_t x;
} inner;

typedef struct record {
    char name[8];
    uint8_t small;
    int32_t level;
    uint64_t wide;
    double real;
    bool is_on;
    colour colour;
    inner inner;
    uint32_t *list;
    uint32_t list_count;
    uint32_t marks;
} record;

static const cyaml_strval_t colours[] = {{"red", RED}, {"green", GREEN}};
static const cyaml_strval_t marks[] = {{"fast", 1}, {"cheap", 2}};
static const cyaml_schema_value_t entry = {CYAML_VALUE_UINT(CYAML_FLAG_DEFAULT, uint32_t)};
static const cyaml_schema_field_t inner_fields[] = {
    CYAML_FIELD_UINT("x", CYAML_FLAG_DEFAULT, inner, x), CYAML_FIELD_END};

static const cyaml_schema_field_t fields[] = {
    CYAML_FIELD_STRING("name", CYAML_FLAG_DEFAULT, record, name, 1),
    CYAML_FIELD_UINT("small", CYAML_FLAG_DEFAULT, record, small),
    CYAML_FIELD_INT("level", CYAML_FLAG_OPTIONAL, record, level),
    CYAML_FIELD_UINT("wide", CYAML_FLAG_OPTIONAL, record, wide),
    CYAML_FIELD_FLOAT("real", CYAML_FLAG_OPTIONAL, record, real),
    CYAML_FIELD_BOOL("is_on", CYAML_FLAG_OPTIONAL, record, is_on),
    CYAML_FIELD_ENUM("colour", CYAML_FLAG_OPTIONAL | CYAML_FLAG_STRICT, record, colour, colours, 2),
    CYAML_FIELD_MAPPING("inner", CYAML_FLAG_OPTIONAL, record, inner, inner_fields),
    CYAML_FIELD_SEQUENCE("list", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, record, list, &entry, 1,
                         3),
    CYAML_FIELD_FLAGS("marks", CYAML_FLAG_OPTIONAL | CYAML_FLAG_STRICT, record, marks, marks, 2),
    CYAML_FIELD_END};

static const cyaml_schema_value_t schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, record, fields)};

static lpu_status parse(const char *text, record **out, lpu_diag *diag)
{
    void *parsed = NULL;
    const lpu_status status = lpu_yaml_parse("f.yaml", text, strlen(text), &schema, &parsed, diag);
    *out = parsed;
    return status;
}

static void a_sound_file_is_read(void)
{
    record *r = NULL;
    lpu_diag d = {""};
    lpu_status status =
        parse("# comment\nname: abc\nsmall: 255\nlevel: -2147483648\nwide: 18446744073709551615\n"
              "real: -1.25e3\nis_on: true\ncolour: green\ninner: {x: 0x1f}\nlist: [1, 2, 3]\n"
              "marks: [fast, cheap]\n",
              &r, &d);
    CHECK(status == LPU_OK, "%s", d.text);
    const record found = *r;
    const bool is_list = r->list_count == 3 && r->list[0] == 1 && r->list[2] == 3;
    void *parsed = r;
    lpu_yaml_free(&schema, &parsed);
    CHECK(!parsed, "free left a pointer");
    lpu_yaml_free(&schema, &parsed);

    CHECK(!strcmp(found.name, "abc"), "name %s", found.name);
    CHECK_EQ(found.small, 255);
    CHECK_EQ(found.level, INT32_MIN);
    CHECK(found.wide == UINT64_MAX, "wide %llu", (unsigned long long)found.wide);
    CHECK(fabs(found.real + 1250.0) < 1e-9, "real %g", found.real);
    CHECK(found.is_on && found.colour == GREEN, "is_on or colour");
    CHECK_EQ(found.inner.x, 31);
    CHECK(is_list, "list");
    CHECK_EQ(found.marks, 3);
}

/* Every mistake: the text, the line that is to blame, and words that the sentence must hold. */
static const struct {
    const char *text;
    int line;
    const char *words[3];
} mistakes[] = {
    {"name: a\nsmall: 1\nnam: b\n", 3, {"key \"nam\"", "expected one of name, small, level"}},
    {"small: 1\n", 1, {"found no key name"}},
    {"\n\nname: a\n", 3, {"found no key small"}},
    {"name: a\nsmall: 1\ninner:\n  y: 2\n", 4, {"key \"y\"", "one of x"}},
    {"name: a\nsmall: 1\ninner: {}\n", 3, {"found no key x"}},
    {"name: a\nsmall: 1\ninner:\n", 3, {"found nothing for inner", "a mapping with keys x"}},
    {"name: a\nsmall: 1\nsmall: 2\n", 3, {"key small again"}},
    {"name: a\nsmall: 256\n", 2, {"\"256\" for small", "from 0 to 255"}},
    {"name: a\nsmall: -1\n", 2, {"\"-1\"", "from 0 to 255"}},
    {"name: a\nsmall: x\n", 2, {"\"x\"", "a whole number"}},
    {"name: a\nsmall: 12 13\n", 2, {"\"12 13\"", "a whole number"}},
    {"name: a\nsmall: 010\n", 2, {"\"010\""}},
    {"name: a\nsmall: 1.0\n", 2, {"\"1.0\""}},
    {"name: a\nsmall: +1\n", 2, {"\"+1\""}},
    {"name: a\nsmall: 0x\n", 2, {"\"0x\""}},
    {"name: a\nsmall:\n", 2, {"found nothing for small"}},
    {"name: a\nsmall: [1]\n", 2, {"found a list for small"}},
    {"name: a\nsmall: {b: 1}\n", 2, {"found a mapping for small"}},
    {"name: a\nsmall: 1\nlevel: -2147483649\n", 3, {"from -2147483648 to 2147483647"}},
    {"name: a\nsmall: 1\nlevel: 2147483648\n", 3, {"\"2147483648\""}},
    {"name: a\nsmall: 1\nwide: 18446744073709551616\n", 3, {"0 to 18446744073709551615"}},
    {"name: a\nsmall: 1\nreal: 1.5x\n", 3, {"\"1.5x\"", "a finite number"}},
    {"name: a\nsmall: 1\nreal: nan\n", 3, {"\"nan\""}},
    {"name: a\nsmall: 1\nreal: 1e999\n", 3, {"\"1e999\""}},
    {"name: a\nsmall: 1\nreal: ''\n", 3, {"found nothing for real"}},
    {"name: a\nsmall: 1\nis_on: maybe\n", 3, {"\"maybe\"", "true or false"}},
    {"name: a\nsmall: 1\ncolour: blue\n", 3, {"\"blue\" for colour", "one of red, green"}},
    {"name: a\nsmall: 1\ncolour: 1\n", 3, {"one of red, green"}},
    {"name: a\nsmall: 1\nmarks: [slow]\n", 3, {"\"slow\" for marks", "one of fast, cheap"}},
    {"name: a\nsmall: 1\nmarks: fast\n", 3, {"a list of fast, cheap"}},
    {"name: a\nsmall: 1\nlist:\n- 1\n- 2\n- 3\n- 4\n", 7, {"more than 3 entries"}},
    {"name: a\nsmall: 1\nlist: []\n", 3, {"found 0 entries for list"}},
    {"name: a\nsmall: 1\nlist: [1,\n b]\n", 4, {"\"b\" for list"}},
    {"name: a\nsmall: 1\nlist: 4\n", 3, {"\"4\" for list", "a list"}},
    {"name: ''\nsmall: 1\n", 1, {"0 characters for name", "1 to 7"}},
    {"name: toolongname\nsmall: 1\n", 1, {"11 characters for name", "1 to 7"}},
    {"name: \"a\\0b\"\nsmall: 1\n", 1, {"zero byte"}},
    {"name: &n a\nsmall: *n\n", 2, {"alias *n for small"}},
    {"name: a\nsmall: *n\n", 2, {"alias *n for small"}},
    {"name: a\nsmall: 1\n? [a, b]\n: 3\n", 3, {"found a list as a key"}},
    {"name: a\n\tsmall: 1\n", 2, {"tab"}},
    {"name: [a\n", 1, {"found a list for name"}},
    {"name: \"a\nsmall: 1\n", 3, {"expected YAML"}},
    {"name: a\nsmall: 1\n---\nname: b\n", 3, {"a second document"}},
    {"- name\n- small\n", 1, {"found a list for the document", "keys name, small"}},
    {"word\n", 1, {"\"word\" for the document"}},
    {"", 1, {"an empty file", "keys name"}},
    {"# only this\n", 2, {"an empty file"}},
};

static void every_mistake_is_named_with_its_line(void)
{
    for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
        record *r = NULL;
        lpu_diag diag = {""};
        char where[32];

        snprintf(where, sizeof(where), "f.yaml:%d: ", mistakes[i].line);
        CHECK_EQ(parse(mistakes[i].text, &r, &diag), LPU_ERR_FORMAT);
        CHECK(!r, "mistake %zu: out is not NULL", i);
        CHECK(!strncmp(diag.text, where, strlen(where)), "mistake %zu: found: %s, expected %s", i,
              diag.text, where);
        for (size_t j = 0; j < 3 && mistakes[i].words[j]; j++) {
            CHECK(strstr(diag.text, mistakes[i].words[j]), "mistake %zu: found: %s, expected %s", i,
                  diag.text, mistakes[i].words[j]);
        }
        CHECK(!strchr(diag.text, '\n'), "mistake %zu: two lines", i);
    }
}

/* A hundred thousand brackets: the walk follows the schema, so the stack stays flat. */
static void deep_nesting_is_refused(void)
{
    enum { DEPTH = 100000 };
    static const char *const heads[] = {"", "name: ", "name: a\nsmall: 1\ninner: {x: "};

    for (size_t h = 0; h < 3; h++) {
        char *text = malloc(DEPTH + 64);
        record *r = NULL;
        lpu_diag diag = {""};
        const size_t head = strlen(heads[h]);
        memcpy(text, heads[h], head);
        memset(text + head, '[', DEPTH);
        text[head + DEPTH] = '\0';
        const lpu_status status = parse(text, &r, &diag);
        free(text);
        CHECK_EQ(status, LPU_ERR_FORMAT);
        CHECK(strstr(diag.text, "found a list"), "found: %s", diag.text);
    }
}

static char folder[64];

static const char *in_folder(const char *name)
{
    static char path[128];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    return path;
}

static void put(const char *path, const char *text, size_t times)
{
    FILE *file = fopen(path, "w");
    if (!file) return;
    for (size_t i = 0; i < times; i++) fputs(text, file);
    fclose(file);
}

static lpu_status load(const char *path, lpu_diag *diag)
{
    void *parsed = NULL;
    const lpu_status status = lpu_yaml_load(path, &schema, &parsed, diag);
    lpu_yaml_free(&schema, &parsed);
    return status;
}

static void files_that_are_none_are_refused(void)
{
    lpu_diag diag = {""};

    CHECK_EQ(load(in_folder("none.yaml"), &diag), LPU_ERR_IO);
    CHECK(strstr(diag.text, "No such file"), "found: %s", diag.text);
    CHECK_EQ(load(folder, &diag), LPU_ERR_IO);
    CHECK(strstr(diag.text, "found a directory, expected a YAML file"), "found: %s", diag.text);
    CHECK_EQ(load("/dev/zero", &diag), LPU_ERR_IO);
    CHECK(!mkfifo(in_folder("pipe"), 0600), "mkfifo: %s", strerror(errno));
    CHECK_EQ(load(in_folder("pipe"), &diag), LPU_ERR_IO); /* and does not wait */
    remove(in_folder("pipe"));

    put(in_folder("big.yaml"), "# 16 bytes here\n", 65537);
    CHECK_EQ(load(in_folder("big.yaml"), &diag), LPU_ERR_FORMAT);
    CHECK(strstr(diag.text, "1048592 bytes"), "found: %s", diag.text);
    put(in_folder("big.yaml"), "# 16 bytes here\n", 65535);
    FILE *file = fopen(in_folder("big.yaml"), "a");
    fputs("{name: a,small:1", file); /* flow mapping, one byte short of sound */
    fclose(file);
    CHECK_EQ(load(in_folder("big.yaml"), &diag), LPU_ERR_FORMAT);
    CHECK(strstr(diag.text, ":65536: "), "found: %s", diag.text);
    remove(in_folder("big.yaml"));

    put(in_folder("good.yaml"), "name: a\nsmall: 1\n", 1);
    CHECK(load(in_folder("good.yaml"), &diag) == LPU_OK, "%s", diag.text);
    remove(in_folder("good.yaml"));
}

static void shipped_files_are_found_by_name(void)
{
    char path[256];
    lpu_diag said = {""};

    mkdir(in_folder("d"), 0700);
    put(in_folder("d/beta.yaml"), "x", 1);
    put(in_folder("d/alpha.yaml"), "x", 1);
    put(in_folder("d/gamma.txt"), "x", 1);
    put(in_folder("d/.hidden.yaml"), "x", 1);
    setenv("LPU_HOME", folder, 1);

    CHECK_OK(lpu_yaml_find(path, sizeof(path), "d", "alpha", diag));
    CHECK(!strcmp(path, in_folder("d/alpha.yaml")), "found %s", path);
    CHECK_OK(lpu_yaml_find(path, sizeof(path), "d", "/other/mine.yaml", diag));
    CHECK(!strcmp(path, "/other/mine.yaml"), "found %s", path);
    CHECK_EQ(lpu_yaml_find(path, sizeof(path), "d", "betta", &said), LPU_ERR_IO);
    CHECK(strstr(said.text, "\"betta\", expected one of beta, alpha"), "found: %s", said.text);
    CHECK_EQ(lpu_yaml_find(path, sizeof(path), "d", "../d/alpha", &said), LPU_ERR_IO);
    CHECK_EQ(lpu_yaml_find(path, sizeof(path), "d", "", &said), LPU_ERR_IO);
    CHECK_EQ(lpu_yaml_find(path, sizeof(path), "nowhere", "x", &said), LPU_ERR_IO);
    CHECK(strstr(said.text, "LPU_HOME"), "found: %s", said.text);
    CHECK_EQ(lpu_yaml_find(path, 10, "d", "/a/long/path.yaml", &said), LPU_ERR_RANGE);

    char **names = NULL;
    size_t count = 0;
    CHECK_OK(lpu_yaml_list("d", &names, &count, diag));
    const bool is_right = count == 2 && !strcmp(names[0], "alpha") && !strcmp(names[1], "beta");
    for (size_t i = 0; i < count; i++) free(names[i]);
    free(names);
    CHECK(is_right, "the list is not alpha, beta");

    unsetenv("LPU_HOME");
    CHECK_OK(lpu_yaml_find(path, sizeof(path), "workloads/models", "bitnet-b1.58-2b4t", diag));
    remove(in_folder("d/beta.yaml"));
    remove(in_folder("d/alpha.yaml"));
    remove(in_folder("d/gamma.txt"));
    remove(in_folder("d/.hidden.yaml"));
    rmdir(in_folder("d"));
}

int main(void)
{
    snprintf(folder, sizeof(folder), "/tmp/lpu-yaml-XXXXXX");
    if (!mkdtemp(folder)) {
        printf("not ok  mkdtemp: %s\n", strerror(errno));
        return 1;
    }
    alarm(60); /* opening a pipe must not wait for its writer */
    RUN(a_sound_file_is_read);
    RUN(every_mistake_is_named_with_its_line);
    RUN(deep_nesting_is_refused);
    RUN(files_that_are_none_are_refused);
    RUN(shipped_files_are_found_by_name);
    rmdir(folder);
    return test_failures != 0;
}
