/* tests/unit/test.h - a test program is a list of TESTs; each prints one line:
 *
 *     ok      name
 *     not ok  name: file:line: what was found
 *     skip    name: why
 *
 * tests/run.sh counts these lines over all programs. A program that prints none, or dies, fails.
 */
#ifndef LPU_TESTS_UNIT_TEST_H
#define LPU_TESTS_UNIT_TEST_H

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static int test_failures;
static int test_is_over; /* the running test has printed its line */

__attribute__((format(printf, 3, 4), unused)) static int test_fail(const char *file, int line,
                                                                   const char *format, ...)
{
    va_list args;
    va_start(args, format);
    printf("not ok  %s:%d: ", file, line);
    vprintf(format, args);
    printf("\n");
    va_end(args);
    test_failures++;
    test_is_over = 1;
    return 0;
}

/* Leaves the running test when the condition is false. */
#define CHECK(condition, ...)                                                                      \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            test_fail(__FILE__, __LINE__, __VA_ARGS__);                                            \
            return;                                                                                \
        }                                                                                          \
    } while (0)

#define CHECK_EQ(found, expected)                                                                  \
    do {                                                                                           \
        const long long found_ = (long long)(found), expected_ = (long long)(expected);            \
        CHECK(found_ == expected_, "%s is %lld, expected %lld", #found, found_, expected_);        \
    } while (0)

#define CHECK_OK(call)                                                                             \
    do {                                                                                           \
        lpu_diag diag_ = {""};                                                                     \
        lpu_diag *diag = &diag_;                                                                   \
        const int status_ = (int)(call);                                                           \
        CHECK(status_ >= 0, "%s: %s", #call, diag_.text);                                          \
        (void)diag;                                                                                \
    } while (0)

#define SKIP(...)                                                                                  \
    do {                                                                                           \
        printf("skip    ");                                                                        \
        printf(__VA_ARGS__);                                                                       \
        printf("\n");                                                                              \
        test_is_over = 1;                                                                          \
        return;                                                                                    \
    } while (0)

#define RUN(test)                                                                                  \
    do {                                                                                           \
        test_is_over = 0;                                                                          \
        test();                                                                                    \
        if (!test_is_over) printf("ok      %s\n", #test);                                          \
        fflush(stdout);                                                                            \
    } while (0)

#endif
