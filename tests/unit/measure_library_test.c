/* tests/unit/measure_library_test.c - other libraries' products, where there are any, are ours. */
#include "kernels/measure_library.h"
#include "tests/unit/test.h"

#include <math.h>

/* lpu_measure_library_run itself refuses a product of ones that is not the number of them. */
static void libraries_agree_with_us(void)
{
    static lpu_measure_library m;

    CHECK_OK(lpu_measure_library_run(&m, 2, 0.2, diag));
    if (!m.has_onednn && !m.has_openblas) SKIP("libraries: neither oneDNN nor OpenBLAS is here");
    CHECK(m.count > 0, "nothing was measured");
    for (size_t i = 0; i < m.count; i++) {
        const lpu_measure_library_row *r = &m.row[i];
        const double macs = (double)(m.rows * m.k * r->tokens);
        CHECK(r->threads == (2 * i < m.count ? 2 : 1), "row %zu has %u threads", i, r->threads);
        CHECK(r->time.median_ns > 0 && r->our_time.median_ns > 0, "row %zu took no time", i);
        CHECK(fabs(r->macs_per_s * r->time.median_ns * 1e-9 - macs) < 1e-3 * macs &&
                  fabs(r->our_macs_per_s * r->our_time.median_ns * 1e-9 - macs) < 1e-3 * macs,
              "row %zu: %g and %g products a second", i, r->macs_per_s, r->our_macs_per_s);
    }
}

int main(void)
{
    RUN(libraries_agree_with_us);
    return test_failures != 0;
}
