#!/bin/sh
# tests/rtl/random_reset_test.sh - registers start at random values (--x-initial unique): whatever
# they are, the array does after its reset what its model does. Without the reset of one register
# it does not, so the test would see one that is missing.
set -u
cd "$(dirname "$0")/../.."
work=build/tests/random_reset
config=8x10-1-base3-4-4
mkdir -p "$work/rtl"
failed=0

if ! tests/lockstep/build.sh $config >"$work/log" 2>&1; then
    echo "not ok  random registers: build failed: $(grep -m1 -i error "$work/log")"
    exit 1
fi
for seed in 1 2 3 4 5 6; do
    if build/lockstep/$config/array_lockstep $config --seed $seed --cycles 3000 >"$work/said" 2>&1; then
        echo "ok      random registers, seed $seed: $(sed -n 's/.*random \(.*\), difference 0.*/\1/p' "$work/said"), as in the model"
    else
        echo "not ok  random registers, seed $seed: $(tail -n 1 "$work/said")"
        failed=1
    fi
done

cp rtl/*.v rtl/*.vh "$work/rtl"
sed -i 's/if (!rst_ni) pipe_q <= {(Depth+1){1.b0}};/if (!rst_ni) pipe_q <= pipe_q;/' "$work/rtl/lpu_array_ctrl.v"
seen=0
if cmp -s rtl/lpu_array_ctrl.v "$work/rtl/lpu_array_ctrl.v"; then
    echo "not ok  random registers: no reset was taken away"
    failed=1
elif ! RTL=$work/rtl OUT=$work OPT_FAST=-O0 tests/lockstep/build.sh $config >"$work/log" 2>&1; then
    echo "not ok  random registers, one reset missing: build failed: $(grep -m1 -i error "$work/log")"
    failed=1
else
    for seed in 1 2 3 4 5 6; do
        "$work/$config/array_lockstep" $config --seed $seed --cycles 0 >"$work/said" 2>&1 || seen=$((seen + 1))
    done
    if [ "$seen" -gt 0 ]; then
        echo "ok      random registers: a missing reset is seen by $seen of 6 seeds"
    else
        echo "not ok  random registers: a missing reset is not seen"
        failed=1
    fi
fi
exit $failed
