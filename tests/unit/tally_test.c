/* tests/unit/tally_test.c - zeros and changing bits, worked out by hand. */
#include "sim/tally.h"

#include "tests/unit/test.h"

/* Rows (0, 1), (3, 1), (-1, 0): from 0 to 3 two bits change, from 3 to -1 six, from 1 to 0 one. */
static void rows_by_hand(void)
{
    static const int16_t x[] = {0, 1, 3, 1, -1, 0};
    lpu_tally t = {0};

    lpu_tally_begin(&t);
    CHECK_OK(lpu_tally_inputs(&t, x, 3, 2, diag));
    CHECK_EQ(t.inputs, 6);
    CHECK_EQ(t.zero_inputs, 2);
    CHECK_EQ(t.bits, 2 * 2 * 8);
    CHECK_EQ(t.toggled_bits, 2 + 6 + 1);
    lpu_tally_close(&t);
    CHECK_EQ(t.inputs, 0);
}

/* Two products of a pass are two rows, each compared with its own of the pass before; of a row that
 * has grown, only what was there. */
static void passes_by_hand(void)
{
    static const int16_t a[] = {1, 1}, b[] = {-1, -1, -1}, c[] = {0, 1}, d[] = {-1, -1, 0, 5};
    lpu_tally t = {0};

    lpu_tally_begin(&t);
    CHECK_OK(lpu_tally_inputs(&t, a, 1, 2, diag));
    CHECK_OK(lpu_tally_inputs(&t, b, 1, 3, diag));
    CHECK_EQ(t.bits, 0);
    lpu_tally_begin(&t);
    CHECK_OK(lpu_tally_inputs(&t, c, 1, 2, diag));
    CHECK_EQ(t.toggled_bits, 1);
    CHECK_EQ(t.bits, 16);
    CHECK_OK(lpu_tally_inputs(&t, d, 1, 4, diag));
    CHECK_EQ(t.toggled_bits, 1 + 8);
    CHECK_EQ(t.bits, 16 + 24);
    for (int i = 0; i < 100; i++) CHECK_OK(lpu_tally_inputs(&t, d, 2, 2, diag)); /* many products */
    CHECK_EQ(t.toggled_bits,
             1 + 8 + 100 * (8 + 6)); /* -1 to 0: 8 bits; -1 to 5, which has two ones: 6 */
    lpu_tally_close(&t);
}

static void digits_by_hand(void)
{
    static const int16_t digits[] = {0, 1, -1, 0, 0};
    lpu_tally t = {0};

    CHECK(lpu_tally_share(t.zero_digits, t.digits, 0.25) == 0.25, "nothing counted");
    lpu_tally_digits(&t, digits, 5);
    lpu_tally_digits(&t, digits, 1);
    CHECK_EQ(t.digits, 6);
    CHECK_EQ(t.zero_digits, 4);
    CHECK(lpu_tally_share(t.zero_digits, t.digits, 0.25) == 4.0 / 6, "the share");
    lpu_tally_close(&t);
}

int main(void)
{
    RUN(rows_by_hand);
    RUN(passes_by_hand);
    RUN(digits_by_hand);
    return test_failures != 0;
}
