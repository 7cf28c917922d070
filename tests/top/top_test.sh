#!/bin/sh
# tests/top/top_test.sh - is the whole LPU in RTL the simulator: every write, every issue and retirement
# in its cycle, every counter, memory at the end? Whole forward passes and random programs on four
# designs, registers starting at random values, memory stalls with and without.
#
# SEED=n draws other weights, tokens, programs and stalls; TIMES=n multiplies the random programs by n.
set -u
cd "$(dirname "$0")/../.."
seed=${SEED:-1}
times=${TIMES:-1}
lpu=build/bin/lpu
models=tests/top/models
failed=0
export OPT_FAST="${OPT_FAST:--O0}" # these runs are short: compiling takes most of the time
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

if ! command -v verilator >/dev/null 2>&1; then
    echo "skip    whole programs: verilator is not installed"
    exit 0
fi

# DESIGN | what lpu verify is asked for | what it is here for
while IFS='|' read -r design arguments why; do
    name="$design: $why"
    # shellcheck disable=SC2086
    timeout 900 "$lpu" verify --design "tests/top/designs/$design.yaml" --no-waveform --json --seed "$seed" \
        $arguments >"$dir/out" 2>"$dir/err" </dev/null
    status=$?
    if [ "$status" -eq 0 ] && grep -q '"equal": true' "$dir/out"; then
        cycles=$(awk '/"cycles":/ { gsub(",", ""); sum += $2 } END { print sum }' "$dir/out")
        echo "ok      $name ($(grep -c '"instructions":' "$dir/out") programs, $cycles cycles)"
    else
        failed=1
        echo "not ok  $name: $(grep -m1 -e '"signal"' "$dir/out") $(grep -m1 -e '"where"' "$dir/out")" \
            "$(tail -1 "$dir/err"); again with SEED=$seed"
    fi
done <<END
small-8x10|--model $models/untied.yaml --tokens 9 --decode 2|prompt in three chunks, then decode
small-8x10|--random $((12 * times))|random programs
small-8x10|--faults 3 --operations 12|every error, then the program as it is
small-16x20|--model $models/grouped.yaml --tokens 4 --decode 2 --context 40 --batch 2|grouped heads, two sequences, context past several tiles
small-16x20|--random $((12 * times))|random programs
small-24x16|--model $models/untied.yaml --tokens 7 --decode 2 --context 30 --stalls 48|two-bit code, a memory that stalls
small-24x16|--random $((12 * times)) --stalls 80|random programs, a memory that stalls
small-32x40|--model $models/grouped.yaml --tokens 20 --decode 2 --context 60|prompt in two chunks, one burst a cycle
small-32x40|--random $((12 * times))|random programs
small-32x40|--model $models/2b4t-attention.yaml --tokens 0 --decode 1 --context 40|2B4T: Q, K, V, O, scores and values in their true shapes
small-32x40|--shape 1,1024,2560,1|2B4T: rows of gate and up
small-32x40|--shape 1,320,6912,1|2B4T: rows of down
small-32x40|--shape 1,128,2560,5|2B4T: rows of the head
END

# Registers without a reset start elsewhere with every seed: what comes out is the same.
for s in 11 12 13; do
    timeout 300 "$lpu" verify --design tests/top/designs/small-8x10.yaml --no-waveform --json --seed $s \
        --model $models/tiny.yaml --tokens 3 --decode 2 >"$dir/out" 2>"$dir/err" </dev/null
    if grep -q '"equal": true' "$dir/out"; then
        echo "ok      registers at random values, seed $s"
    else
        failed=1
        echo "not ok  registers at random values, seed $s: $(grep -m1 -e '"signal"' "$dir/out")"
    fi
done
exit $failed
