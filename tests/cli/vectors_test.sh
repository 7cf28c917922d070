#!/bin/sh
# tests/cli/vectors_test.sh - do the files of lpu vectors run under Icarus on rtl/lpu_array.v, with
# and without gaps, and does their testbench see a planted fault? Run from the root.
lpu=$PWD/build/bin/lpu
root=$PWD
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
failed=0

result() { # result NAME WHY: WHY is empty where all is well
    if [ -z "$2" ]; then echo "ok      $1"; else echo "not ok  $1: $2" && failed=1; fi
}

# simulate VECTORS TOP "FILES" ARGUMENT...: what the testbench says is in $dir/said.
simulate() {
    vectors=$1 top=$2 files=$3
    shift 3
    # shellcheck disable=SC2086
    (cd "$vectors" && iverilog -g2005 -I"$root/rtl" -DTOP="$top" -o tb.vvp tb.v $files &&
        timeout 60 vvp -N tb.vvp "$@") >"$dir/said" 2>&1
}

refuse() { # refuse NAME EXIT_CODE PATTERN ARGUMENT...
    name=$1 code=$2 complains=$3
    shift 3
    "$lpu" vectors "$@" >"$dir/out" 2>"$dir/err"
    found=$?
    why=
    [ "$found" -eq "$code" ] || why="exit code $found, expected $code"
    grep -q -e "$complains" "$dir/err" || why="stderr holds $(head -c 160 "$dir/err")"
    [ "$(wc -l <"$dir/err")" -eq 1 ] || why="stderr has $(wc -l <"$dir/err") lines, expected one"
    result "$name" "$why"
}

refuse bad_design 2 'ternary-hbm cannot be RTL, expected bus_bytes' --design ternary-hbm --out "$dir/x"
refuse no_out   2 'found no --out' --array
refuse bad_lanes 2 '3 output lanes, expected a divisor of 8' --array --lanes 3 --out "$dir/x"
refuse no_parent 1 'cannot make the folder' --array --out "$dir/none/x"

rtl=$(ls "$root"/rtl/lpu_*.v)
while read -r name options; do
    # shellcheck disable=SC2086
    "$lpu" vectors --array $options --sums 40 --out "$dir/$name" >"$dir/out" 2>&1
    result "write_$name" "$([ $? -eq 0 ] || tail -n 1 "$dir/out")"
    for gaps in "" +gaps=5; do
        simulate "$dir/$name" lpu_array "$rtl" $gaps
        grep -q '^ok ' "$dir/said"
        result "icarus_$name$gaps" "$([ $? -eq 0 ] || tail -n 2 "$dir/said" | tr '\n' ' ')"
    done
done <<END
base3 --rows 8 --cols 10
ragged --rows 13 --cols 10 --lines 3 --lanes 1 --passes 1
2bit --rows 12 --cols 16 --lines 4 --code 2bit --lanes 12 --passes 5
1bit --rows 8 --cols 16 --code 1bit
END

simulate "$dir/base3" bit_serial_array "$root/rtl/examples/bit_serial_array.v" +gaps=2
grep -q '^ok ' "$dir/said"
result example "$([ $? -eq 0 ] || tail -n 2 "$dir/said" | tr '\n' ' ')"

# The same seed makes the same bytes, another seed others.
"$lpu" vectors --array --sums 40 --out "$dir/again" >/dev/null
"$lpu" vectors --array --sums 40 --seed 2 --out "$dir/other" >/dev/null
cmp -s "$dir/base3/y.hex" "$dir/again/y.hex" && ! cmp -s "$dir/base3/y.hex" "$dir/other/y.hex"
result seeds "$([ $? -eq 0 ] || echo "y.hex does not follow the seed")"
grep -q 'cmd.hex' "$dir/base3/README.md"
result readme "$([ $? -eq 0 ] || echo "README.md does not name cmd.hex")"

# One sum of the files changed, and one adder of the array broken.
sed -i -e '30{s/[0-7]$/8/;t' -e 's/.$/0/}' "$dir/again/y.hex"
simulate "$dir/again" lpu_array "$rtl"
grep -q 'beat 29, lane 0: expected' "$dir/said"
result changed_sum "$([ $? -eq 0 ] || tail -n 1 "$dir/said")"
mkdir "$dir/rtl" && cp rtl/lpu_*.v "$dir/rtl"
sed -i 's/ + {Zeros, carry_i\[2\]}//' "$dir/rtl/lpu_sum4.v"
simulate "$dir/base3" lpu_array "$(ls "$dir"/rtl/lpu_*.v)"
grep -q '^not ok' "$dir/said" && grep -q 'expected -*[0-9]*, found' "$dir/said"
result planted "$([ $? -eq 0 ] || tail -n 1 "$dir/said")"

exit $failed
