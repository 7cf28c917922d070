#!/bin/sh
# tests/top/sequencer_test.sh - does every instruction issue in the cycle of sim/unit_sequencer.c?
#
# SEED=n draws other programs; RUNS=n so many of each kind. RTL=folder tests the sources in there.
set -u
cd "$(dirname "$0")/../.."
rtl=${RTL:-rtl}
work=${OUT:-build/tests/sequencer}
log=$work/build.log
mkdir -p "$work/obj"

# ---- numbers of Verilog and C ----

# FIELD(name, high, low), OP(name, n), FLAG(name, bit) or NUMBER(name, n) for each `define.
sed -n -e '/INSN_BITS/d' \
    -e 's/^`define LPU_F_\([A-Z_]*\) *\([0-9]*\):\([0-9]*\).*/FIELD(\1, \2, \3)/p;t' \
    -e "s/^\`define LPU_OP_\([A-Z_]*\) *8'd\([0-9]*\).*/OP(\1, \2)/p;t" \
    -e 's/^`define LPU_FLAG_\([A-Z_]*\) *\([0-9]*\).*/FLAG(\1, \2)/p;t' \
    -e "s/^\`define LPU_\([A-Z_]*\) *12'h\([0-9a-f]*\).*/NUMBER(\1, 0x\2)/p;t" \
    -e "s/^\`define LPU_\([A-Z_]*\) *[38]'d\([0-9]*\).*/NUMBER(\1, \2)/p;t" \
    -e 's/^`define LPU_\([A-Z_]*\)  *\([0-9][0-9]*\).*/NUMBER(\1, \2)/p' \
    "$rtl/lpu_insn.vh" "$rtl/lpu_regs.vh" >"$work/headers.def"
if gcc -std=gnu11 -Wall -Wextra -Werror -I. -I"$work" -DREGS="$(grep -c ' = ' rtl/verify/regs.hh)" \
    tests/top/headers.c sim/program.c workloads/status.c -o "$work/headers" >"$log" 2>&1; then
    "$work/headers"
else
    echo "not ok  headers: $(grep -m1 error "$log")"
fi

# ---- lockstep ----

if ! command -v verilator >/dev/null 2>&1; then
    echo "skip    sequencer: verilator is not installed"
    exit 0
fi
includes="-I$PWD -I$PWD/$work/obj"
for source in sim/unit_sequencer sim/program workloads/status; do
    gcc -std=gnu11 -O2 -I. -c "$source.c" -o "$work/obj/$(basename $source).o" || exit 1
done >"$log" 2>&1
if ! verilator --cc --exe --build -j 2 --assert -O3 -Wno-PINCONNECTEMPTY --x-assign unique \
    --x-initial unique -I"$rtl" --top-module sequencer_top --Mdir "$work/obj" \
    -CFLAGS "-std=gnu++17 -O1 -Wno-missing-field-initializers $includes" \
    -o sequencer_lockstep tests/top/sequencer_top.v "$PWD/tests/top/sequencer_lockstep.cc" \
    "$PWD/tests/top/sequencer_bench.cc" "$PWD/tests/top/sequencer_alone.cc" \
    unit_sequencer.o program.o status.o >>"$log" 2>&1; then
    echo "not ok  sequencer: build failed: $(grep -m1 -i -e '%Error' -e 'error:' "$log")"
    exit 1
fi
timeout 200 "$work/obj/sequencer_lockstep" "${SEED:-1}" "${RUNS:-6}"
