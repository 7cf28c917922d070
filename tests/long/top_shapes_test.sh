#!/bin/sh
# tests/long/top_shapes_test.sh - a layer of 2B4T and its products, in their true shapes, on an array of
# 64 x 64, and the simulator's speed beside the RTL's on it; more random programs, more seeds.
#
# SEED=n draws others; TIMES=n multiplies the random programs by n.
set -u
cd "$(dirname "$0")/../.."
seed=${SEED:-1}
times=${TIMES:-1}
lpu=build/bin/lpu
failed=0
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# NAME|DESIGN|ARGUMENTS
while IFS='|' read -r name design arguments; do
    # shellcheck disable=SC2086
    if timeout 7200 "$lpu" verify --design "tests/top/designs/$design.yaml" --no-waveform --seed "$seed" $arguments \
        >"$dir/out" 2>"$dir/err" </dev/null; then
        echo "ok      $name"
    else
        failed=1
        echo "not ok  $name: $(grep -A1 '^differs' "$dir/out" | tr '\n' ' ') $(tail -1 "$dir/err")"
    fi
    grep '^speed' "$dir/out" | sed 's/^/# /'
done <<END
a layer of 2B4T, whole, a prompt and two tokens|wide-64x64|--model tests/top/models/2b4t-layer.yaml --tokens 8 --decode 2 --context 100
Q and O of 2B4T: 2560 x 2560|wide-64x64|--shape 1,2560,2560,1
K and V of 2B4T: 640 x 2560, eight tokens|wide-64x64|--shape 8,640,2560,1
gate and up of 2B4T: 6912 x 2560|wide-64x64|--shape 1,6912,2560,1
down of 2B4T: 2560 x 6912|wide-64x64|--shape 1,2560,6912,1
keys of 2B4T: 128 elements, 4096 keys|wide-64x64|--shape 1,4096,128,4
keys of 2B4T: 128 elements, 1024 keys, four heads|wide-64x64|--shape 4,1024,128,4
values of 2B4T: 128 elements, 1024 tokens, four heads|wide-64x64|--shape 4,128,1024,4
head of 2B4T, a piece: 1024 x 2560 in five digits|wide-64x64|--shape 1,1024,2560,5
a model on 64 x 64|wide-64x64|--model tests/top/models/grouped.yaml --tokens 20 --decode 2 --context 60
random programs on 64 x 64|wide-64x64|--random $((20 * times))
random programs on 8 x 10|small-8x10|--random $((150 * times))
random programs on 16 x 20|small-16x20|--random $((150 * times))
random programs on 24 x 16|small-24x16|--random $((150 * times))
random programs on 32 x 40|small-32x40|--random $((100 * times))
errors on 16 x 20|small-16x20|--faults 10 --operations 20
errors on 24 x 16|small-24x16|--faults 10 --operations 20
errors on 32 x 40|small-32x40|--faults 5 --operations 20
END
exit $failed
