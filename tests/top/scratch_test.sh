#!/bin/sh
# tests/top/scratch_test.sh - is the scratchpad an array of bytes, for all ports at any address?
#
# SEED=n draws other accesses; CYCLES=n multiplies their number by n. RTL=directory judges other sources.
set -u
cd "$(dirname "$0")/../.."
seed=${SEED:-1}
times=${CYCLES:-1}
rtl=${RTL:-rtl}
out=${OUT:-build/top}
mkdir -p "$out"

# SCRATCH BUS LANES COLS, cycles, what it is here for
while read -r scratch bus lanes cols cycles why; do
    name=scratch-$scratch-$bus-$lanes-$cols
    if ! verilator --cc --exe --build -O3 -Wno-fatal --x-assign unique --x-initial unique -I"$rtl" \
        -GScratchBytes="$scratch" -GBusBytes="$bus" -GVectorLanes="$lanes" -GCols="$cols" \
        --prefix Vlpu_scratch --top-module lpu_scratch -Mdir "$out/$name" -o bench \
        -CFLAGS "-std=gnu++17 -O1 -DSCRATCH=$scratch -DBUS=$bus -DLANES=$lanes -DCOLS=$cols" \
        "$rtl/lpu_scratch.v" "$PWD/tests/top/scratch_lockstep.cc" >"$out/$name.log" 2>&1; then
        echo "not ok  $name: build failed: $(grep -m1 -i error "$out/$name.log")"
        continue
    fi
    timeout 120 "$out/$name/bench" "$name" --seed "$seed" --cycles $((cycles * times)) ||
        echo "# $name ($why): run again with SEED=$seed"
done <<END
1024 8 8 10 20000 sums are the widest
1056 16 8 40 20000 vectors are the widest; the last row is not whole
END
