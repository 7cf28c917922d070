#!/bin/sh
# tests/top/synth_test.sh - the whole LPU, as yosys reads it: no multiplier, no divider, no latch.
#
# The cells are counted before anything is mapped or shared: a multiplier, by a signal or by a
# constant, could not yet have turned into adders. RTL=folder reads the sources in there.
set -u
cd "$(dirname "$0")/../.."
rtl=${RTL:-rtl}
work=build/tests/synth_top
mkdir -p "$work"
if ! command -v yosys >/dev/null 2>&1; then
    echo "skip    synth: yosys is not installed"
    exit 0
fi
# A latch, a loop and anything that multiplies or divides, by any name that yosys gives it.
forbidden='(mul|macc|div|mod|divfloor|modfloor|pow|booth|dlatch|dlatchsr|adlatch|sr)[a-z_0-9]*$'

# cells NAME PARAMETERS: writes "count type" lines of the flattened lpu_top to work/NAME.
cells() {
    # shellcheck disable=SC2046
    timeout 600 yosys -q -l "$work/$1.log" -p "read_verilog -DSYNTHESIS -I$rtl $(ls "$rtl"/lpu_*.v | tr '\n' ' ')
        chparam $2 lpu_top; hierarchy -check -top lpu_top; proc; flatten; opt_clean; check
        tee -o $work/$1.stat stat" >/dev/null 2>"$work/$1.err" || return 1
    awk '$1 ~ /^\$/ { sub(/^\$/, "", $1); print $2, $1 }' "$work/$1.stat" | sort -rn >"$work/$1"
}

# judge NAME PARAMETERS: ok when nothing forbidden is in it.
judge() {
    if ! cells "$1" "$2"; then
        echo "not ok  synth $1: yosys: $(grep -m1 ERROR "$work/$1.err" || echo "took too long")"
    elif ! grep -q ' add$' "$work/$1"; then
        echo "not ok  synth $1: no adder was counted"
    elif grep -E " $forbidden" "$work/$1" >"$work/found"; then
        echo "not ok  synth $1: has $(tr '\n' ' ' <"$work/found")"
    elif grep -E 'Warning: (found logic loop|multiple conflicting drivers|Wire .* is used but has no driver)' \
        "$work/$1.log" >"$work/found"; then
        echo "not ok  synth $1: $(head -1 "$work/found")"
    else
        echo "ok      synth $1: no multiplier;$(awk '{ printf " %s %d", $2, $1 }' "$work/$1")"
    fi
}

small="-set Rows 8 -set Cols 10 -set PassesMax 4 -set ScratchBytes 4096 -set FifoBytes 256"
small="$small -set ProgramDepth 16 -set StreamQueue 4 -set Outstanding 4"
judge base-3 "$small"
judge two-bit "$small -set Cols 8 -set Code 1 -set Lines 2 -set FillBytes 4"

# The counting counts: a product by a signal somewhere in a copy is found.
planted=$work/planted_rtl
rm -rf "$planted"
cp -r "$rtl" "$planted"
sed -i 's/count_q\[i\] + {32.d0, inc/count_q[i] * {32'"'"'d0, inc/' "$planted/lpu_perf.v"
if cmp -s "$rtl/lpu_perf.v" "$planted/lpu_perf.v"; then
    echo "not ok  synth: no product was planted"
elif rtl=$planted && cells product "$small" && grep -qE " $forbidden" "$work/product"; then
    echo "ok      synth: a planted product is found"
else
    echo "not ok  synth: a planted product is not found"
fi
