/* workloads/yaml_check.c - walks the events of a YAML text along its schema, one line per error.
 *
 * The recursion follows the schema, not the text: its depth is the schema's, however deep the text
 * nests, because what the schema does not foresee is an error at once.
 */
#include "workloads/yaml_check.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

enum {
    FIELDS_MAX = 64, /* keys of one mapping: a bit each in a uint64_t */
    SHOWN_MAX = 40,  /* characters of a found value that a message repeats */
};

typedef struct walk {
    yaml_parser_t parser;
    yaml_event_t event; /* the current one */
    const char *name;
    lpu_diag *diag;
} walk;

/* A value as a message shows it: quoted, short, and without control characters. */
typedef struct shown {
    char text[SHOWN_MAX + 8];
} shown;

/* What is expected, as a message says it. */
typedef struct expected {
    char text[384];
} expected;

static lpu_status check_value(walk *w, const cyaml_schema_value_t *schema, const char *key);

__attribute__((format(printf, 2, 3))) static lpu_status fail_here(walk *w, const char *format, ...)
{
    char sentence[480];
    va_list args;

    va_start(args, format);
    vsnprintf(sentence, sizeof(sentence), format, args);
    va_end(args);
    return lpu_fail(w->diag, LPU_ERR_FORMAT, "%s:%zu: %s", w->name, w->event.start_mark.line + 1,
                    sentence);
}

/* Moves to the next event. A text that is not YAML ends here, with libyaml's words for it. */
static lpu_status next(walk *w)
{
    yaml_event_delete(&w->event);
    if (yaml_parser_parse(&w->parser, &w->event)) return LPU_OK;

    const yaml_parser_t *p = &w->parser;
    const yaml_mark_t mark = p->problem_mark;
    if (p->error == YAML_MEMORY_ERROR) {
        return lpu_fail(w->diag, LPU_ERR_MEMORY, "%s: out of memory", w->name);
    }
    if (p->error == YAML_READER_ERROR) {
        return lpu_fail(w->diag, LPU_ERR_FORMAT, "%s: at byte %zu: %s, expected UTF-8 text",
                        w->name, p->problem_offset, p->problem ? p->problem : "unreadable");
    }
    return lpu_fail(w->diag, LPU_ERR_FORMAT, "%s:%zu: column %zu: %s%s%s, expected YAML", w->name,
                    mark.line + 1, mark.column + 1, p->problem ? p->problem : "not YAML",
                    p->context ? " " : "", p->context ? p->context : "");
}

static shown show(const yaml_event_t *event)
{
    const char *text = (const char *)event->data.scalar.value;
    const size_t bytes = event->data.scalar.length;
    shown s;
    size_t at = 0;

    s.text[at++] = '"';
    for (size_t i = 0; i < bytes && i < SHOWN_MAX; i++) {
        s.text[at++] = iscntrl((unsigned char)text[i]) ? '?' : text[i];
    }
    if (bytes > SHOWN_MAX) at += (size_t)sprintf(s.text + at, "...");
    s.text[at++] = '"';
    s.text[at] = '\0';
    return s;
}

/* What stands here, for a sentence: a scalar in quotes, or the kind of structure. */
static shown found(const yaml_event_t *event)
{
    shown s = {"something else"};
    const char *kind = NULL;

    switch (event->type) {
    case YAML_SCALAR_EVENT:
        if (event->data.scalar.length > 0) return show(event);
        kind = "nothing";
        break;
    case YAML_SEQUENCE_START_EVENT: kind = "a list"; break;
    case YAML_MAPPING_START_EVENT: kind = "a mapping"; break;
    case YAML_ALIAS_EVENT: kind = "an alias"; break;
    case YAML_STREAM_END_EVENT: kind = "an empty file"; break;
    default: break;
    }
    if (kind) snprintf(s.text, sizeof(s.text), "%s", kind);
    return s;
}

/* Appends a word to a list; false, and "..." instead, when it is full. */
static bool append(expected *e, const char *word, bool is_first)
{
    const size_t at = strlen(e->text);
    const size_t room = sizeof(e->text) - at;

    if (strlen(word) + 8 > room) {
        snprintf(e->text + at, room, ", ...");
        return false;
    }
    snprintf(e->text + at, room, "%s%s", is_first ? "" : ", ", word);
    return true;
}

static expected keys_of(const cyaml_schema_field_t *fields)
{
    expected e = {""};
    for (size_t i = 0; fields[i].key && append(&e, fields[i].key, i == 0); i++) continue;
    return e;
}

static expected names_of(const cyaml_schema_value_t *schema)
{
    expected e = {""};
    const cyaml_strval_t *strings = schema->enumeration.strings;
    for (size_t i = 0; i < schema->enumeration.count && append(&e, strings[i].str, i == 0); i++) {
        continue;
    }
    return e;
}

/* The largest number in 1 to 8 bytes of two's complement, or of unsigned numbers. */
static unsigned long long largest(uint32_t bytes, bool has_sign)
{
    return ~0ull >> (64 - 8 * bytes + has_sign);
}

/* The whole of a scalar as an integer within bytes of two's complement (or unsigned) numbers. */
static bool is_integer(const char *text, uint32_t bytes, bool has_sign)
{
    const bool is_negative = has_sign && *text == '-';
    const char *digits = text + is_negative;
    const bool is_hex = digits[0] == '0' && digits[1] == 'x';
    const size_t length = strspn(digits, "0123456789");

    /* A leading zero would be octal to libcyaml, and decimal to whoever wrote it. */
    if (!is_hex && (!length || digits[length] || (digits[0] == '0' && length > 1))) return false;
    if (is_hex && (!digits[2] || digits[2 + strspn(digits + 2, "0123456789abcdefABCDEF")])) {
        return false;
    }

    errno = 0;
    const unsigned long long size = strtoull(digits, NULL, 0);
    const unsigned bits = 8 * bytes;
    const unsigned long long all = bits >= 64 ? ~0ull : (1ull << bits) - 1;
    if (errno) return false;
    return size <= (has_sign ? all / 2 + is_negative : all);
}

static bool is_real(const char *text, uint32_t bytes)
{
    char *end;
    double value = strtod(text, &end);

    if (!*text || *end || isspace((unsigned char)*text) || !isfinite(value)) return false;
    return bytes > sizeof(float) || fabs(value) <= FLT_MAX;
}

static bool is_name_of(const char *text, const cyaml_schema_value_t *schema)
{
    for (size_t i = 0; i < schema->enumeration.count; i++) {
        if (!strcmp(text, schema->enumeration.strings[i].str)) return true;
    }
    return false;
}

static lpu_status check_string(walk *w, const cyaml_schema_value_t *schema, const char *key)
{
    const size_t min = schema->string.min, max = schema->string.max;
    const size_t bytes = w->event.data.scalar.length;

    if (bytes >= min && bytes <= max) return LPU_OK;
    if (max == UINT32_MAX) {
        return fail_here(w, "found %zu characters for %s, expected %zu or more", bytes, key, min);
    }
    return fail_here(w, "found %zu characters for %s, expected %zu to %zu", bytes, key, min, max);
}

static lpu_status check_enum(walk *w, const cyaml_schema_value_t *schema, const char *key)
{
    if (w->event.type == YAML_SCALAR_EVENT &&
        is_name_of((const char *)w->event.data.scalar.value, schema)) {
        return LPU_OK;
    }
    return fail_here(w, "found %s for %s, expected one of %s", found(&w->event).text, key,
                     names_of(schema).text);
}

static expected kind_of(const cyaml_schema_value_t *schema)
{
    expected e = {"text"};

    if (schema->type == CYAML_BOOL) return (expected){"true or false"};
    if (schema->type == CYAML_FLOAT) return (expected){"a finite number"};
    if (schema->type == CYAML_INT) {
        const unsigned long long top = largest(schema->data_size, true);
        snprintf(e.text, sizeof(e.text), "a whole number from -%llu to %llu", top + 1, top);
    } else if (schema->type == CYAML_UINT) {
        const unsigned long long top = largest(schema->data_size, false);
        snprintf(e.text, sizeof(e.text), "a whole number from 0 to %llu", top);
    }
    return e;
}

static bool fits_kind(const char *text, const cyaml_schema_value_t *schema)
{
    switch (schema->type) {
    case CYAML_INT: return is_integer(text, schema->data_size, true);
    case CYAML_UINT: return is_integer(text, schema->data_size, false);
    case CYAML_BOOL: return !strcmp(text, "true") || !strcmp(text, "false");
    case CYAML_FLOAT: return is_real(text, schema->data_size);
    default: return true;
    }
}

static lpu_status check_scalar(walk *w, const cyaml_schema_value_t *schema, const char *key)
{
    if (schema->type == CYAML_ENUM) return check_enum(w, schema, key);
    if (w->event.type != YAML_SCALAR_EVENT ||
        !fits_kind((const char *)w->event.data.scalar.value, schema)) {
        return fail_here(w, "found %s for %s, expected %s", found(&w->event).text, key,
                         kind_of(schema).text);
    }
    return schema->type == CYAML_STRING ? check_string(w, schema, key) : LPU_OK;
}

/* A list of names (flags) or of values (a sequence), up to and with its end. */
static lpu_status check_list(walk *w, const cyaml_schema_value_t *schema, const char *key)
{
    const bool is_flags = schema->type == CYAML_FLAGS;
    const size_t min = is_flags ? 0 : schema->sequence.min;
    const size_t max = is_flags ? SIZE_MAX : schema->sequence.max;
    size_t count = 0;

    if (w->event.type != YAML_SEQUENCE_START_EVENT) {
        return fail_here(w, "found %s for %s, expected a list%s%s", found(&w->event).text, key,
                         is_flags ? " of " : "", is_flags ? names_of(schema).text : "");
    }
    for (;; count++) {
        lpu_status status = next(w);
        if (status) return status;
        if (w->event.type == YAML_SEQUENCE_END_EVENT) break;
        if (count == max) {
            return fail_here(w, "found more than %zu entries for %s, expected %zu to %zu", max, key,
                             min, max);
        }
        status =
            is_flags ? check_enum(w, schema, key) : check_value(w, schema->sequence.entry, key);
        if (status) return status;
    }
    if (count < min) {
        return fail_here(w, "found %zu entries for %s, expected %zu or more", count, key, min);
    }
    return LPU_OK;
}

/* The field of the key at hand, marked as seen. */
static lpu_status find_field(walk *w, const cyaml_schema_field_t *fields, uint64_t *seen,
                             const cyaml_schema_field_t **field)
{
    if (w->event.type != YAML_SCALAR_EVENT) {
        return fail_here(w, "found %s as a key, expected one of %s", found(&w->event).text,
                         keys_of(fields).text);
    }
    const char *key = (const char *)w->event.data.scalar.value;
    for (size_t i = 0; fields[i].key; i++) {
        assert(i < FIELDS_MAX);
        if (strcmp(key, fields[i].key)) continue;
        if (*seen >> i & 1) return fail_here(w, "found key %s again, expected it once", key);
        *seen |= 1ull << i;
        *field = &fields[i];
        return LPU_OK;
    }
    return fail_here(w, "found key %s, expected one of %s", show(&w->event).text,
                     keys_of(fields).text);
}

static lpu_status check_mapping(walk *w, const cyaml_schema_value_t *schema, const char *key)
{
    const cyaml_schema_field_t *fields = schema->mapping.fields, *field = NULL;
    const size_t line = w->event.start_mark.line + 1;
    uint64_t seen = 0;

    if (w->event.type != YAML_MAPPING_START_EVENT) {
        return fail_here(w, "found %s for %s, expected a mapping with keys %s",
                         found(&w->event).text, key, keys_of(fields).text);
    }
    for (;;) {
        lpu_status status = next(w);
        if (status) return status;
        if (w->event.type == YAML_MAPPING_END_EVENT) break;
        status = find_field(w, fields, &seen, &field);
        if (!status) status = next(w);
        if (!status) status = check_value(w, &field->value, field->key);
        if (status) return status;
    }
    for (size_t i = 0; fields[i].key; i++) {
        if (seen >> i & 1 || fields[i].value.flags & CYAML_FLAG_OPTIONAL) continue;
        return lpu_fail(w->diag, LPU_ERR_FORMAT,
                        "%s:%zu: found no key %s in the mapping that begins here, expected it",
                        w->name, line, fields[i].key);
    }
    return LPU_OK;
}

/* Passes over a value that the schema ignores or that libcyaml checks on its own. */
static lpu_status skip_value(walk *w)
{
    for (size_t depth = 0;;) {
        const yaml_event_type_t type = w->event.type;
        depth += type == YAML_MAPPING_START_EVENT || type == YAML_SEQUENCE_START_EVENT;
        depth -= type == YAML_MAPPING_END_EVENT || type == YAML_SEQUENCE_END_EVENT;
        if (!depth) return LPU_OK;
        const lpu_status status = next(w);
        if (status) return status;
    }
}

/* Checks the value that begins at the current event; ends at its last event. */
static lpu_status check_value(walk *w, const cyaml_schema_value_t *schema, const char *key)
{
    if (w->event.type == YAML_ALIAS_EVENT) {
        return fail_here(w, "found alias *%.40s for %s, expected the value itself",
                         (const char *)w->event.data.alias.anchor, key);
    }
    if (w->event.type == YAML_SCALAR_EVENT &&
        memchr(w->event.data.scalar.value, '\0', w->event.data.scalar.length)) {
        return fail_here(w, "found a zero byte in %s, expected text", key);
    }
    switch (schema->type) {
    case CYAML_MAPPING: return check_mapping(w, schema, key);
    case CYAML_FLAGS:
    case CYAML_SEQUENCE:
    case CYAML_SEQUENCE_FIXED: return check_list(w, schema, key);
    case CYAML_BITFIELD:
    case CYAML_IGNORE: return skip_value(w);
    default: return check_scalar(w, schema, key);
    }
}

/* Stream start, document start, the value, document end, stream end. */
static lpu_status check_stream(walk *w, const cyaml_schema_value_t *schema)
{
    lpu_status status = next(w);
    if (!status) status = next(w);
    if (status) return status;
    if (w->event.type != YAML_DOCUMENT_START_EVENT) {
        return fail_here(w, "found an empty file, expected a mapping%s%s",
                         schema->type == CYAML_MAPPING ? " with keys " : "",
                         schema->type == CYAML_MAPPING ? keys_of(schema->mapping.fields).text : "");
    }

    status = next(w);
    if (!status) status = check_value(w, schema, "the document");
    if (!status) status = next(w);
    if (!status) status = next(w);
    if (status) return status;
    if (w->event.type != YAML_STREAM_END_EVENT) {
        return fail_here(w, "found a second document, expected one");
    }
    return LPU_OK;
}

lpu_status lpu_yaml_check_text(const char *name, const void *text, size_t bytes,
                               const cyaml_schema_value_t *schema, lpu_diag *diag)
{
    walk w = {.name = name, .diag = diag};

    if (!yaml_parser_initialize(&w.parser)) {
        return lpu_fail(diag, LPU_ERR_MEMORY, "%s: out of memory", name);
    }
    yaml_parser_set_input_string(&w.parser, text, bytes);

    const lpu_status status = check_stream(&w, schema);
    yaml_event_delete(&w.event);
    yaml_parser_delete(&w.parser);
    return status;
}
