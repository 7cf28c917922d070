#!/bin/sh
# tests/long/gates_test.sh - do the array and lpu_top, mapped to gates, pass the same work as their RTL?
#
# The array under Verilator, with registers at random, cycle by cycle, and a netlist with one gate
# changed must fail; both under Icarus, where what was never written is X. SEED=n draws other work.
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

# icarus NAME NETLIST OPTIONS...: the work that lpu vectors writes, with gaps in the streams.
icarus() {
    name=$1 netlist=$2
    shift 2
    rm -rf "$work/vectors"
    if "$lpu" vectors --seed "$seed" --out "$work/vectors" "$@" >"$log" 2>&1 &&
        (cd "$work/vectors" && iverilog -g2005 -DTOP="lpu_$netlist" -o tb.vvp tb.v ../"$netlist"/*.v &&
            timeout 3600 vvp -N tb.vvp +gaps=1) >"$log" 2>&1 && grep -q '^ok ' "$log"; then
        echo "ok      $name: $(sed -n 's/^ok *//p' "$log")"
    else
        echo "not ok  $name: $(grep -m1 -E 'not ok|rror' "$log")"
    fi
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

if netlist array lpu_array Rows=8 Cols=10 Lines=1 PassesMax=4 OutLanes=4 Code=0; then
    array="--array --top lpu_array --cycle-exact --cycles 20000"
    # shellcheck disable=SC2086
    verify "array of gates" 0 --rtl "$work/array" $array

    # One AND becomes an OR.
    mkdir -p "$work/fault"
    cp "$work/array/lpu_array.v" "$work/fault"
    awk '/ & / && ++n == 1000 { sub(/ & /, " | ") } { print }' "$work/array/lpu_array_gates.v" \
        >"$work/fault/lpu_array_gates.v"
    # shellcheck disable=SC2086
    verify "array with one gate changed" 1 --rtl "$work/fault" $array

    icarus "array of gates under Icarus" array --array --sums 60
fi

# The LPU of `lpu vectors`: tests/top/designs/small-8x10.yaml. Verilator takes longer to build its gates
# than Icarus to run them.
if netlist top lpu_top Rows=8 Cols=10 Lines=1 PassesMax=4 VectorLanes=8 Code=0 ScratchBytes=65536 \
    FifoBytes=1024 FillBytes=2 BusBytes=8 BurstBytes=32 Outstanding=8 StreamQueue=16 ProgramDepth=256; then
    icarus "a forward pass on lpu_top of gates, under Icarus" top --tokens 2
fi
