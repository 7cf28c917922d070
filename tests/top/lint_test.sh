#!/bin/sh
# tests/top/lint_test.sh - the whole LPU under Verilator -Wall and Icarus -Wall: no warning, whatever the
# parameters.
set -u
cd "$(dirname "$0")/../.."
log=build/tests/lint_top.log
mkdir -p build/tests

if command -v verilator >/dev/null 2>&1; then
    while read -r parameters; do
        # shellcheck disable=SC2086
        if timeout 600 verilator --lint-only -Wall -Irtl $parameters rtl/lpu_top.v >"$log" 2>&1 &&
            [ ! -s "$log" ]; then
            echo "ok      verilator -Wall lpu_top $parameters"
        else
            echo "not ok  verilator -Wall lpu_top $parameters: $(head -1 "$log")"
        fi
    done <<END
-GRows=8 -GCols=10 -GPassesMax=3
-GRows=8 -GCols=10 -GPassesMax=7
-GRows=16 -GCols=20 -GLines=2 -GPassesMax=5 -GFillBytes=8 -GBusBytes=16 -GBurstBytes=64 -GStreamQueue=9
-GRows=24 -GCols=16 -GCode=1 -GPassesMax=6 -GScratchBytes=98304 -GFillBytes=6 -GOutstanding=5
-GRows=64 -GCols=160 -GLines=4 -GPassesMax=64 -GVectorLanes=64 -GScratchBytes=6291456 -GFifoBytes=65536 -GFillBytes=128 -GBusBytes=64 -GBurstBytes=64 -GOutstanding=256 -GProgramDepth=16384
END
else
    echo "skip    verilator -Wall lpu_top: verilator is not installed"
fi

if ! command -v iverilog >/dev/null 2>&1; then
    echo "skip    iverilog -g2005 -Wall lpu_top: iverilog is not installed"
elif timeout 600 iverilog -g2005 -Wall -Wno-timescale -Irtl -s lpu_top -o build/tests/lint_top.vvp \
    rtl/lpu_*.v >"$log" 2>&1 && ! grep -v 'sensitive to all' "$log" | grep -q .; then
    echo "ok      iverilog -g2005 -Wall lpu_top"
else
    echo "not ok  iverilog -g2005 -Wall lpu_top: $(head -1 "$log")"
fi
