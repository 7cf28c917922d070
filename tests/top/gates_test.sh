#!/bin/sh
# tests/top/gates_test.sh - does the array, mapped to gates, give the sums of its RTL under Icarus, where
# what was never written is X? And is a changed gate seen? tests/long/gates_test.sh has the whole LPU.
set -u
cd "$(dirname "$0")/../.."
work=build/tests/gates
failed=0
mkdir -p "$work"

for tool in yosys iverilog; do
    command -v "$tool" >/dev/null 2>&1 && continue
    echo "skip    gates: $tool is not installed"
    exit 0
done
if ! cells=$(tests/top/netlist.sh "$work/array" lpu_array Rows=8 Cols=10 Lines=1 PassesMax=4 OutLanes=4 Code=0 2>&1); then
    echo "not ok  the array in gates: $cells"
    exit 1
fi
echo "ok      the array in gates:$(echo "$cells" | awk '{ printf " %s %s", $2, $1 }')"
build/bin/lpu vectors --array --sums 20 --out "$work/vectors" >/dev/null

# run NAME WANTED NETLIST
run() {
    (cd "$work/vectors" && iverilog -g2005 -DTOP=lpu_array -o ../tb.vvp tb.v ../array/lpu_array.v "$3" &&
        timeout 300 vvp -N ../tb.vvp +gaps=1) >"$work/log" 2>&1
    if grep -q "^$2 " "$work/log"; then
        echo "ok      $1: $(grep -m1 "^$2 " "$work/log")"
    else
        echo "not ok  $1: $(head -1 "$work/log")"
        failed=1
    fi
}
run "the array in gates, under Icarus" ok ../array/lpu_array_gates.v
awk '/^module/ { is_sum = /lpu_sum4/ } is_sum && / \^ / && !n++ { sub(/ \^ /, " | ") } { print }' \
    "$work/array/lpu_array_gates.v" >"$work/fault.v"
run "the array with a gate changed" "not ok" ../fault.v
exit $failed
