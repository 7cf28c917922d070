#!/bin/sh
# tests/long/top_shapes_test.sh - products of the true shapes of 2B4T on an array of 64 x 64, and the
# simulator's speed beside the RTL's on it; more random programs, more seeds.
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
Q of 2B4T, decode: 2560 x 2560, one token|wide-64x64|--shape 1,2560,2560,1
K of 2B4T: 640 x 2560, eight tokens|wide-64x64|--shape 8,640,2560,1
up of 2B4T, a piece of its rows: 512 x 2560, eight tokens|wide-64x64|--shape 8,512,2560,1
down of 2B4T: 320 x 6912, four tokens|wide-64x64|--shape 4,320,6912,1
keys of 2B4T: 128 elements, 1024 keys, four heads|wide-64x64|--shape 4,1024,128,5
head of 2B4T, a piece: 256 x 2560 in five digits|wide-64x64|--shape 1,256,2560,5
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
