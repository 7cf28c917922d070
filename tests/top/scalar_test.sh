#!/bin/sh
# tests/top/scalar_test.sh - is lpu_scalar the page in its cycles, and is there no multiplier in it?
#
# SEED=n draws other operands; OPERANDS=n that many of them. RTL=folder tests the sources in there,
# OUT=folder is where it is built.
set -u
cd "$(dirname "$0")/../.."
rtl=${RTL:-rtl}
work=${OUT:-build/top/scalar}
mkdir -p "$work"
log=$work/log

modules="rtl/lpu_scalar.v rtl/lpu_scale_norm.v rtl/lpu_shift_add.v"
if verilator --lint-only -Wall -Irtl rtl/lpu_scalar.v >"$log" 2>&1 && [ ! -s "$log" ]; then
    echo "ok      verilator -Wall lpu_scalar"
else
    echo "not ok  verilator -Wall lpu_scalar: $(head -1 "$log")"
fi
for parameters in "-GABits=32 -GBBits=17" "-GABits=32 -GBBits=25 -GStages=5" \
    "-GABits=2 -GBBits=2 -GStages=1" "-GABits=9 -GBBits=16 -GStages=2"; do
    # shellcheck disable=SC2086
    if verilator --lint-only -Wall -Irtl $parameters rtl/lpu_shift_add.v >"$log" 2>&1 && [ ! -s "$log" ]; then
        echo "ok      verilator -Wall lpu_shift_add $parameters"
    else
        echo "not ok  verilator -Wall lpu_shift_add $parameters: $(head -1 "$log")"
    fi
done
# shellcheck disable=SC2086
if iverilog -g2005 -Wall -Wno-timescale -Irtl -s lpu_scalar -o "$work/lint.vvp" $modules >"$log" 2>&1 &&
    ! grep -v 'sensitive to all' "$log" | grep -q .; then
    echo "ok      iverilog -g2005 -Wall lpu_scalar"
else
    echo "not ok  iverilog -g2005 -Wall lpu_scalar: $(head -1 "$log")"
fi

# As in tests/rtl/no_multiplier_test.sh: the cells before anything is mapped.
if ! yosys -q -p "read_verilog -DSYNTHESIS -Irtl $modules tests/top/scalar_parts.v
        hierarchy -check -top scalar_parts; proc; flatten; opt_clean; check -assert
        tee -o $work/stat stat" >"$log" 2>&1; then
    echo "not ok  cells of lpu_scalar: yosys: $(grep -m1 ERROR "$log")"
elif ! grep -q '\$add' "$work/stat"; then
    echo "not ok  cells of lpu_scalar: none counted"
elif grep -E '\$(mul|macc|div|mod|divfloor|modfloor|pow) ' "$work/stat" >"$log"; then
    echo "not ok  cells of lpu_scalar: has $(tr '\n' ' ' <"$log")"
else
    echo "ok      lpu_scalar and its parts: no multiplier, no divider"
fi

# The program is told the cycles that the header promises.
cycles=$(sed -n 's/^`define LPU_SCALAR_\([A-Z]*\)_CYCLES *\([0-9]*\)$/-DCYCLES_\1=\2/p' \
    rtl/lpu_scalar.vh | tr '\n' ' ')
if [ "$(echo "$cycles" | wc -w)" -ne 5 ]; then
    echo "not ok  lpu_scalar: lpu_scalar.vh has no cycles of five jobs: $cycles"
    exit 1
fi
# The simulator counts the same, and a cycle between the two jobs of a norm.
value() { sed -n "s/^$1 *\([0-9]*\).*/\1/p" "$2"; }
job() { value "\`define LPU_SCALAR_$1_CYCLES" rtl/lpu_scalar.vh; }
row() { value "LPU_VECTOR_JOB($1," sim/vector.def; }
if [ "$(row quant)/$(row mul)/$(row prob)/$(row norm)" = \
    "$(job QUANT)/$(job MUL)/$(job PROB)/$(($(job RMS) + 1 + $(job NORMQ)))" ]; then
    echo "ok      sim/vector.def has the cycles of rtl/lpu_scalar.vh"
else
    echo "not ok  sim/vector.def: jobs of $(row quant)/$(row mul)/$(row prob)/$(row norm) cycles, expected those of rtl/lpu_scalar.vh"
fi
verilator_root=$(verilator --getenv VERILATOR_ROOT)
if ! verilator --cc --assert -O3 -Wno-fatal --x-assign fast --x-initial unique -I"$rtl" \
    --prefix Vscalar_parts --top-module scalar_parts -Mdir "$work" tests/top/scalar_parts.v \
    >"$log" 2>&1 ||
    ! make -s -C "$work" -f Vscalar_parts.mk OPT_FAST=-O2 OPT_SLOW=-O0 OPT_GLOBAL=-O1 \
        Vscalar_parts__ALL.a verilated.o verilated_threads.o >"$log" 2>&1 ||
    ! gcc -std=gnu11 -O2 -I. -c sim/functional.c -o "$work/functional.o" >"$log" 2>&1 ||
    ! g++ -std=gnu++17 -O2 -Wall -Wextra -Werror $cycles -I. -I"$work" \
        -isystem "$verilator_root/include" -isystem "$verilator_root/include/vltstd" \
        tests/top/scalar_lockstep.cc "$work/functional.o" "$work/Vscalar_parts__ALL.a" \
        "$work/verilated.o" "$work/verilated_threads.o" -pthread -o "$work/scalar_lockstep" >"$log" 2>&1; then
    echo "not ok  lpu_scalar: build failed: $(grep -m1 -i error "$log")"
    exit 1
fi
timeout 100 "$work/scalar_lockstep" --seed "${SEED:-1}" --jobs "${OPERANDS:-400000}" ||
    echo "# run again with SEED=${SEED:-1}"
