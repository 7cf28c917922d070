#!/bin/sh
# tests/top/top_waveform_test.sh - where RTL and simulator differ: is the first difference named, and is it
# in the waveform that is written beside it? A fault is planted in a copy of the RTL.
set -u
cd "$(dirname "$0")/../.."
dir=$PWD/build/tests/waveform # always the same, so that what was built from it serves again
mkdir -p "$dir"
failed=0
export OPT_FAST="${OPT_FAST:--O0}" # a run of moments

result() { # result NAME WHY: WHY is empty where all is well
    if [ -z "$2" ]; then echo "ok      $1"; else echo "not ok  $1: $2" && failed=1; fi
}
if ! command -v verilator >/dev/null 2>&1; then
    echo "skip    waveform of a difference: verilator is not installed"
    exit 0
fi

# Sums leave the array with the lowest bit of the first turned.
rm -rf "$dir/rtl"
cp -r rtl "$dir/rtl"
sed 's/^    \.y_wdata_o  (y_wdata_o)$/    .y_wdata_o  (y_turned)/; s/^  wire array_idle;$/  wire array_idle;\n\n  wire [8*SumBytes-1:0] y_turned;\n  assign y_wdata_o = y_turned ^ 1;/' \
    rtl/lpu_product.v >"$dir/rtl/lpu_product.v"
cmp -s rtl/lpu_product.v "$dir/rtl/lpu_product.v" && result "a fault is planted" "nothing was changed"

timeout 900 build/bin/lpu verify --rtl "$dir/rtl" --random 3 --operations 20 --design tests/top/designs/small-8x10.yaml \
    --json >"$dir/out" 2>"$dir/err" </dev/null
status=$?
text() { awk -F '"' -v key="$1" '$2 == key { print $4 }' "$dir/out" | tail -1; }
number() { awk -v key="\"$1\":" '$1 == key { gsub(",", ""); print $2 }' "$dir/out" | tail -1; }
result "a fault in the RTL: lpu verify fails" "$([ $status -eq 1 ] || echo "exit $status: $(tail -1 "$dir/err")")"
result "the difference is written data" "$(text signal | grep -q '^AXI write: data' || echo "found $(text signal)")"
result "it is traced to its instruction" "$(text where | grep -q '^instruction [0-9]* (store ' || echo "found $(text where)")"

# An FST file begins with a header: its type (0), its length, and times of the first and last change as eight
# bytes each, the first highest; further on, the number of variables. Two times are a clock.
fst=$(text waveform)
clock=$(number clock)
value() { od -An -j "$1" -N 8 -tu1 "$fst" | awk '{ for (i = 1; i <= 8; i++) v = 256 * v + $i; printf "%.0f\n", v }'; }
if [ ! -s "$fst" ]; then
    result "a waveform is written" "none at '$fst'"
    exit 1
fi
result "the waveform is FST" "$([ "$(od -An -N 1 -tu1 "$fst" | tr -d ' ')" = 0 ] && [ "$(value 1)" = 329 ] || echo "no header")"
first=$(value 9) last=$(value 17) variables=$(value 49)
result "it has the signals of the LPU" "$([ "$variables" -gt 1000 ] || echo "found $variables variables")"
result "the first difference, of clock $clock, is in it" \
    "$([ "$first" -le $((2 * clock)) ] && [ "$last" -gt $((2 * clock)) ] || echo "from $first to $last, two a clock")"
result "it is a window, no more" "$([ $((last - first)) -le 500 ] || echo "from $first to $last, two a clock")"
if command -v fst2vcd >/dev/null 2>&1; then
    result "fst2vcd reads it" "$(fst2vcd "$fst" 2>&1 >"$dir/vcd" | head -1)$(grep -q "^#$((2 * clock))" "$dir/vcd" || echo "clock $clock is missing")"
fi
rm -rf "$(dirname "$fst")"
exit $failed
