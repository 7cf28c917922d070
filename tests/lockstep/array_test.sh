#!/bin/sh
# tests/lockstep/array_test.sh - is the array's RTL its model, cycle by cycle, and the definition?
#
# Every configuration runs the directed cases, then random work. SEED=n draws other random work;
# CYCLES=n multiplies its length by n.
set -u
cd "$(dirname "$0")/../.."
seed=${SEED:-1}
times=${CYCLES:-1}
log=build/lockstep/array_test.log
mkdir -p build/lockstep

# CONFIG (see build.sh), random cycles, what it is here for
while read -r config cycles why; do
    if ! tests/lockstep/build.sh "$config" >"$log" 2>&1; then
        echo "not ok  array $config: build failed: $(grep -m1 -i error "$log")"
        continue
    fi
    "build/lockstep/$config/array_lockstep" "$config" --seed "$seed" \
        --cycles $((cycles * times)) ||
        echo "# array $config ($why): run again with SEED=$seed"
done <<END
8x10-1-base3-4-4    500000 smallest
16x20-2-base3-5-4   300000 two lines a beat, bank not a power of two
13x10-3-base3-1-1   150000 odd rows, lines that divide neither side, one pass
16x40-4-t2-8-16     150000 two-bit code, whole column of sums at once
16x40-1-b1-4-8      100000 one-bit code
64x160-4-base3-64-64  3000 the array of ternary-edge
END
