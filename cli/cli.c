/* cli/cli.c - the command line of a subcommand: options, help, errors, JSON. */
#include "cli/cli.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    NAME_BYTES = 64,   /* longest option name that is looked at for a hint */
    HINT_EDITS = 3,    /* a name further away than this is no hint */
    HELP_COLUMNS = 24, /* where the text of an option begins */
};

/* ---- hints ---- */

static size_t least(size_t a, size_t b, size_t c)
{
    const size_t ab = a < b ? a : b;
    return ab < c ? ab : c;
}

/* Single-letter insertions, deletions and replacements that turn a into b. */
static size_t edits(const char *a, const char *b)
{
    const size_t a_bytes = strlen(a), b_bytes = strlen(b);
    size_t row[NAME_BYTES + 1];

    if (a_bytes > NAME_BYTES || b_bytes > NAME_BYTES) return NAME_BYTES;
    for (size_t j = 0; j <= b_bytes; j++) row[j] = j;
    for (size_t i = 1; i <= a_bytes; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b_bytes; j++) {
            const size_t above = row[j];
            row[j] = least(above + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1]));
            diagonal = above;
        }
    }
    return row[b_bytes];
}

/* The known option closest to name, or NULL when none is close. A beginning counts as close. */
static const char *nearest(const lpu_usage *usage, const char *name)
{
    const char *best = NULL;
    size_t best_edits = HINT_EDITS + 1;

    for (const lpu_option *o = usage->options; o && o->name; o++) {
        const size_t n =
            strlen(name) > 2 && !strncmp(o->name, name, strlen(name)) ? 1 : edits(name, o->name);
        if (n < best_edits && n < strlen(o->name) - 2) {
            best = o->name;
            best_edits = n;
        }
    }
    return best ? best : edits(name, "--help") <= 2 ? "--help" : NULL;
}

/* ---- help ---- */

static void print_lines(const char *text)
{
    while (*text) {
        const size_t bytes = strcspn(text, "\n");
        printf("  %.*s\n", (int)bytes, text + strspn(text, " "));
        text += bytes + (text[bytes] == '\n');
    }
}

static void print_help(const lpu_usage *usage)
{
    const bool has_options = usage->options && usage->options->name;

    printf("lpu %s - %s\n\nusage: lpu %s%s%s%s\n", usage->name, usage->text, usage->name,
           has_options ? " [OPTIONS]" : "", usage->operands ? " " : "",
           usage->operands ? usage->operands : "");
    printf("\noptions:\n");
    for (const lpu_option *o = usage->options; o && o->name; o++) {
        const int columns =
            printf("  %s%s%s", o->name, o->value ? " " : "", o->value ? o->value : "");
        if (columns >= HELP_COLUMNS) printf("\n%*s", HELP_COLUMNS, "");
        printf("%*s%s\n", columns < HELP_COLUMNS ? HELP_COLUMNS - columns : 0, "", o->text);
    }
    printf("  %-*s%s\n", HELP_COLUMNS - 2, "--help", "print this");
    if (usage->examples) {
        printf("\nexamples:\n");
        print_lines(usage->examples);
    }
}

/* ---- options ---- */

static const lpu_option *find(const lpu_usage *usage, const char *arg, size_t bytes)
{
    for (const lpu_option *o = usage->options; o && o->name; o++) {
        if (strlen(o->name) == bytes && !memcmp(o->name, arg, bytes)) return o;
    }
    return NULL;
}

/* Decimal digits only: no sign, no space, no suffix. */
static bool read_number(const char *text, uint32_t *number)
{
    if (!*text || text[strspn(text, "0123456789")]) return false;

    errno = 0;
    const unsigned long long value = strtoull(text, NULL, 10);
    if (errno || value > UINT32_MAX) return false;
    *number = (uint32_t)value;
    return true;
}

static bool set(const lpu_usage *usage, const lpu_option *o, const char *value)
{
    if (o->string) {
        *o->string = value;
        return true;
    }
    if (read_number(value, o->number)) return true;
    fprintf(stderr,
            "lpu %s: %s is \"%s\", expected a whole number from 0 to 4294967295, "
            "as in `%s 16`\n",
            usage->name, o->name, value, o->name);
    return false;
}

/* Reads the option at argv[*i] and moves *i past what it used. False when it has complained. */
static bool read_option(const lpu_usage *usage, int argc, char **argv, int *i)
{
    const char *arg = argv[*i];
    const char *equal = strchr(arg, '=');
    const size_t bytes = equal ? (size_t)(equal - arg) : strlen(arg);
    const lpu_option *o = find(usage, arg, bytes);

    if (!o) {
        char name[NAME_BYTES] = "";
        memcpy(name, arg, bytes < sizeof(name) ? bytes : sizeof(name) - 1);
        const char *hint = nearest(usage, name);
        fprintf(
            stderr,
            "lpu %s: found option \"%.*s\", expected %s%s of those that `lpu %s --help` lists\n",
            usage->name, (int)bytes, arg, hint ? hint : "one", hint ? " or another" : "",
            usage->name);
        return false;
    }
    if (o->flag) {
        if (equal) {
            fprintf(stderr, "lpu %s: found \"%s\", expected %s alone: it takes no value\n",
                    usage->name, arg, o->name);
            return false;
        }
        *o->flag = true;
        (*i)++;
        return true;
    }
    if (!equal && (*i + 1 >= argc || !strncmp(argv[*i + 1], "--", 2))) {
        fprintf(stderr, "lpu %s: %s has no value, expected `%s %s`\n", usage->name, o->name,
                o->name, o->value);
        return false;
    }
    *i += equal ? 1 : 2;
    return set(usage, o, equal ? equal + 1 : argv[*i - 1]);
}

/* Moves argv[from] behind argv[to - 1], those between one place to the front. */
static void move_behind(char **argv, int from, int to)
{
    char *moved = argv[from];
    memmove(&argv[from], &argv[from + 1], (size_t)(to - from - 1) * sizeof(*argv));
    argv[to - 1] = moved;
}

/* Operands may stand between options: they are gathered, in order, at the end of argv. */
int lpu_cli_parse(const lpu_usage *usage, int argc, char **argv, int *exit_code)
{
    int i = 1, unread_end = argc;

    *exit_code = -1;
    while (i < unread_end) {
        const char *arg = argv[i];

        if (!strcmp(arg, "--help") || !strcmp(arg, "-h")) {
            print_help(usage);
            *exit_code = LPU_EXIT_OK;
            return argc;
        }
        if (!strcmp(arg, "--") &&
            usage->operands) { /* the rest are operands, whatever they look like */
            for (int n = unread_end - i - 1; n > 0; n--) move_behind(argv, i + 1, argc);
            return i + 1;
        }
        if (arg[0] == '-' && arg[1]) {
            if (read_option(usage, unread_end, argv, &i)) continue;
            *exit_code = LPU_EXIT_USAGE;
            return argc;
        }
        if (!usage->operands) {
            fprintf(stderr,
                    "lpu %s: found \"%s\", expected an option: `lpu %s --help` lists them\n",
                    usage->name, arg, usage->name);
            *exit_code = LPU_EXIT_USAGE;
            return argc;
        }
        move_behind(argv, i, argc);
        unread_end--;
    }
    return i;
}

/* ---- results ---- */

int lpu_cli_fail(const lpu_usage *usage, const lpu_diag *diag)
{
    fflush(stdout);
    fprintf(stderr, "lpu %s: %s\n", usage->name, diag->text);
    return LPU_EXIT_FAILED;
}

void lpu_cli_print_json(json_t *object)
{
    json_dumpf(object, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(15));
    putchar('\n');
    json_decref(object);
}
