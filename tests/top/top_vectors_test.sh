#!/bin/sh
# tests/top/top_vectors_test.sh - does Icarus, with four-valued logic and another memory, come to the same
# bytes from the files of lpu vectors? And does its testbench see a fault?
set -u
cd "$(dirname "$0")/../.."
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
failed=0

if ! command -v iverilog >/dev/null 2>&1; then
    echo "skip    vectors of a whole LPU: iverilog is not installed"
    exit 0
fi
if ! build/bin/lpu vectors --out "$dir/v" --tokens 2 >"$dir/log" 2>&1; then
    echo "not ok  vectors: $(cat "$dir/log")"
    exit 1
fi

# run NAME RTL PATTERN [+gaps=SEED]: the pattern is in what the testbench says
run() {
    (cd "$dir/v" && iverilog -g2005 -I"$2" -o tb.vvp tb.v "$2"/*.v &&
        timeout 500 vvp -N tb.vvp ${4:+"$4"}) >"$dir/log" 2>&1
    if grep -q "$3" "$dir/log"; then
        echo "ok      $1: $(grep -m1 "$3" "$dir/log" | cut -c1-100)"
    else
        echo "not ok  $1: $(grep -v '^WARNING' "$dir/log" | head -3 | tr '\n' ' ')"
        failed=1
    fi
}
run "a forward pass under Icarus, a memory with gaps" "$PWD/rtl" '^ok  ' +gaps=3

cp -r rtl "$dir/rtl"
sed 's/ ^ {8{neg_i\[4\*i+j\]}}//' rtl/lpu_dot.v >"$dir/rtl/lpu_dot.v"
cmp -s rtl/lpu_dot.v "$dir/rtl/lpu_dot.v" && echo "not ok  planted fault: nothing was changed" && failed=1
run "a planted fault is seen" "$dir/rtl" '^not ok  vectors: memory at'
exit $failed
