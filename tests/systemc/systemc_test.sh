#!/bin/sh
# tests/systemc/systemc_test.sh - LPUs in TLM-2.0 platforms: the example, and the three insides against
# the simulator alone, on whole passes of models and on random programs.
set -u
cd "$(dirname "$0")/../.."
out=build/verify work=build/tests/systemc
mkdir -p "$work"
export SYSTEMC_DISABLE_COPYRIGHT_MESSAGE=1

program=$(sim/systemc/build.sh "$out" 2>"$work/why")
case $? in
0) ;;
7)
    echo "skip    systemc: $(cat "$work/why")"
    exit 0
    ;;
*)
    echo "not ok  systemc: build: $(cat "$work/why")"
    exit 1
    ;;
esac

if ! example=$(EXAMPLE=1 sim/systemc/build.sh "$out" 2>"$work/why"); then
    echo "not ok  systemc: the example does not build: $(cat "$work/why")"
else
    for timing in cycles loose; do
        if timeout 20 "$example" $timing >"$work/example" 2>&1; then
            echo "ok      systemc example, $timing: $(grep 'right' "$work/example")"
        else
            echo "not ok  systemc example, $timing: $(head -1 "$work/example")"
        fi
    done
fi

# judge NAME PROGRAM WORD...: equal on every platform.
judge() {
    name=$1 judged=$2
    shift 2
    timeout 50 "$judged" folder="$work" "$@" 3>"$work/answer" >"$work/log" 2>&1
    if [ $? -eq 0 ] && grep -q '"kind": "equal"' "$work/answer" && grep -q '"cycles": [1-9]' "$work/answer"; then
        echo "ok      systemc $name: $(grep -c '"name"' "$work/answer") runs, $(awk '/"cycles"/ { n += $2 }
            END { print n }' "$work/answer") cycles, differences 0"
    else
        echo "not ok  systemc $name: $(grep -m3 -E '"(text|signal|expected|found)"' "$work/answer" "$work/log" | tr -s ' \n' ' ')"
    fi
}
designs=tests/top/designs models=tests/top/models
judge "in C, 16 x 20" "$program" design=$designs/small-16x20.yaml model=$models/grouped.yaml tokens=5 decode=2
judge "in C, 24 x 16" "$program" design=$designs/small-24x16.yaml model=$models/untied.yaml tokens=3 decode=1 context=4 batch=2
judge "in C, 32 x 40, random" "$program" design=$designs/small-32x40.yaml random=8 operations=50
judge "in C, ternary-edge, random" "$program" design=ternary-edge random=2 operations=40

# With the RTL of the smallest design.
design=$designs/small-8x10.yaml
if ! command -v verilator >/dev/null 2>&1; then
    echo "skip    systemc: verilator is not installed: no platform of RTL"
    exit 0
fi
field() { sed -n "s/^$1: //p" $design; }
if ! program=$(sim/systemc/build.sh "$out" rtl lpu_top speed Rows="$(field rows)" Cols="$(field cols)" \
    Lines="$(field lines)" PassesMax="$(field passes_max)" VectorLanes="$(field vector_lanes)" Code=0 \
    ScratchBytes=$(($(field scratch_kib) * 1024)) FifoBytes=$(($(field fifo_kib) * 1024)) \
    FillBytes="$(field fill_bytes_per_cycle)" BusBytes="$(field bus_bytes_per_cycle)" BurstBytes=32 \
    Outstanding="$(field outstanding_bursts)" StreamQueue="$(field stream_queue)" ProgramDepth=16384 \
    2>"$work/why"); then
    echo "not ok  systemc: build of the RTL: $(cat "$work/why")"
    exit 1
fi
judge "of RTL, 8 x 10" "$program" design=$design model=$models/untied.yaml tokens=2 decode=1
judge "of RTL, 8 x 10, random" "$program" design=$design random=3 operations=40 seed=7

# An RTL of other parameters than the design's: the simulator has fewer reads in flight.
sed 's/^outstanding_bursts: .*/outstanding_bursts: 3/' $design >"$work/other.yaml"
timeout 50 "$program" folder="$work" design="$work/other.yaml" random=1 seed=7 3>"$work/answer" >"$work/log" 2>&1
if [ $? -eq 1 ] && grep -q '"platform": "rtl"' "$work/answer" && grep -q '"signal": "rtl: issue or retirement"' "$work/answer"; then
    echo "ok      systemc: an RTL that is not its design's is told:$(sed -n 's/.*"found": "\(.*\)".*/ \1/p' "$work/answer")"
else
    echo "not ok  systemc: an RTL that is not its design's is not told: $(head -2 "$work/answer" | tr -s ' \n' ' ')"
fi
