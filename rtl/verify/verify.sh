#!/bin/sh
# rtl/verify/verify.sh WORK RTL TOP ROWS COLS LINES CODE PASSES LANES SEED CYCLES BOUND EXACT - builds
# the module TOP of the Verilog in RTL with the harness of this folder and runs it. Called by lpu verify.
#
# WORK is an empty folder of this run; what all runs share lies beside it. Both paths are absolute.
# The verdict is JSON on stdout. Exit: 0 equal, 1 not, 3 no verilator, 4 the Verilog does not build,
# 5 it does not fit the ports, 6 the harness does not build; else how the simulation was ended.
# WORK/log has all that was said; the sentence for a person is the only line on stderr.
set -u
cd "$(dirname "$0")/../.." || exit 6
work=$1 rtl=$2 top=$3
shift 3
shared=$(dirname "$work")/shared
log=$work/log
mkdir -p "$shared" || exit 6
command -v verilator >/dev/null 2>&1 || exit 3

# sentence PATTERN: the first line of the log with it, without what every line begins with.
sentence() {
    grep -m1 -E "$1" "$log" | sed -e 's/^%[A-Za-z]*\(-[A-Z0-9]*\)\{0,1\}: //' >&2
}

find "$rtl" -maxdepth 1 \( -name '*.v' -o -name '*.sv' \) | sort | sed 's/.*/"&"/' >"$work/files"
# Warnings of the user's style stay in the log; widths at the ports are looked for below.
verilator --cc --assert -O3 --no-timing -Wno-fatal -Wno-PINMISSING --x-assign fast --x-initial unique \
    -I"$rtl" +define+LPU_VERIFY_TOP="$top" -GRows="$1" -GCols="$2" -GLines="$3" -GCode="$4" \
    -GPassesMax="$5" -GOutLanes="$6" --prefix Vlpu_verify_top --top-module lpu_verify_top \
    -Mdir "$work" rtl/verify/verify_top.v -f "$work/files" >"$log" 2>&1
built=$?
if grep -q -E '%(Error-PINNOTFOUND|Warning-WIDTH[A-Z]*): rtl/verify/verify_top.v' "$log"; then
    sentence '%(Error-PINNOTFOUND|Warning-WIDTH[A-Z]*): rtl/verify/verify_top.v'
    exit 5
fi
if [ "$built" -ne 0 ]; then
    sentence '^%Error'
    exit 4
fi

# One run at a time builds what is shared.
if ! flock "$shared/lock" make --no-print-directory -s -j2 -f rtl/verify/build.mk DIR="$work" \
    SHARED="$shared" shared >>"$log" 2>&1 ||
    ! make --no-print-directory -s -j2 -f rtl/verify/build.mk DIR="$work" SHARED="$shared" >>"$log" 2>&1; then
    sentence 'error'
    exit 6
fi
exec "$work/verify" "$@" 3>&1 >>"$log" 2>&1
