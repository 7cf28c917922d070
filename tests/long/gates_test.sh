#!/bin/sh
# tests/long/gates_test.sh - do the array and lpu_top, mapped to gates, pass the same work as their RTL?
#
# Gates of no technology (tests/top/netlist.sh); the memories of lpu_top stay as they behave, as macros do
# in a simulation of gates. The array under Verilator, with registers at random, cycle by cycle; both
# under Icarus, where what was never written is X: the array all directed and random work, lpu_top a
# whole forward pass. In both a netlist with a gate changed must fail. SEED=n draws other work.
set -u
cd "$(dirname "$0")/../.."
seed=${SEED:-1}
lpu=$PWD/build/bin/lpu
work=build/gates
log=$work/log
mkdir -p "$work"

for tool in yosys verilator iverilog; do
    command -v "$tool" >/dev/null 2>&1 && continue
    echo "skip    gates: $tool is not installed"
    exit 0
done

# verify NAME WANTED OPTIONS...: the exit status of lpu verify.
verify() {
    name=$1 wanted=$2
    shift 2
    "$lpu" verify --seed "$seed" "$@" >"$log" 2>&1
    found=$?
    if [ "$found" -eq "$wanted" ]; then
        echo "ok      $name: $(grep -m1 -E '^(equal|differs)' "$log")"
    else
        echo "not ok  $name: exit $found, expected $wanted: $(tail -1 "$log")"
    fi
}

# icarus NAME WANTED FOLDER TOP: the work that lpu vectors has written, with gaps in the streams.
icarus() {
    out=$work/$3.out
    (cd "$work/vectors" && iverilog -g2005 -DTOP="$4" -o "../$3.vvp" tb.v ../"$3"/*.v &&
        timeout 3600 vvp -N "../$3.vvp" +gaps=1) >"$out" 2>&1
    if grep -q "^$2 " "$out"; then
        echo "ok      $1: $(grep -m1 "^$2 " "$out")"
    else
        echo "not ok  $1: $(grep -m1 -E 'ok|rror' "$out")"
    fi
}

# vectors OPTIONS...
vectors() {
    rm -rf "$work/vectors"
    "$lpu" vectors --seed "$seed" --out "$work/vectors" "$@" >"$log" 2>&1 || echo "not ok  vectors: $(tail -1 "$log")"
}

# netlist NAME TOP PARAMETERS...
netlist() {
    name=$1
    shift
    if cells=$(tests/top/netlist.sh "$work/$name" "$@" 2>"$log"); then
        echo "ok      $name in gates:$(echo "$cells" | awk '{ printf " %s %s", $2, $1 }')"
        return 0
    fi
    echo "not ok  $name in gates: $(head -1 "$log")"
    return 1
}

# fault NAME TOP: a copy in which an XOR of the rows' adders is an OR.
fault() {
    mkdir -p "$work/$1_fault"
    cp "$work/$1"/*.v "$work/$1_fault"
    awk '/^module/ { is_sum = /lpu_sum4/ } is_sum && / \^ / && !n++ { sub(/ \^ /, " | ") } { print }' \
        "$work/$1/$2_gates.v" >"$work/$1_fault/$2_gates.v"
}

if netlist array lpu_array Rows=8 Cols=10 Lines=1 PassesMax=4 OutLanes=4 Code=0; then
    array="--array --top lpu_array --cycle-exact --cycles 20000"
    # shellcheck disable=SC2086
    verify "array of gates" 0 --rtl "$work/array" $array

    fault array lpu_array
    # shellcheck disable=SC2086
    verify "array with a gate changed" 1 --rtl "$work/array_fault" $array

    vectors --array --sums 60
    icarus "array of gates under Icarus" ok array lpu_array
fi

# The LPU of `lpu vectors`: tests/top/designs/small-8x10.yaml. Its netlist is 190 MB of C++ for Verilator.
if netlist top lpu_top Rows=8 Cols=10 Lines=1 PassesMax=4 VectorLanes=8 Code=0 ScratchBytes=65536 \
    FifoBytes=1024 FillBytes=2 BusBytes=8 BurstBytes=32 Outstanding=8 StreamQueue=16 ProgramDepth=256; then
    fault top lpu_top
    vectors --tokens 1
    icarus "a forward pass on lpu_top with a gate changed" "not ok" top_fault lpu_top &
    icarus "a forward pass on lpu_top of gates, under Icarus" ok top lpu_top
    wait
fi
