#!/bin/sh
# tests/cli/verify_test.sh - does lpu verify accept arrays that are right, whatever their cycles, and
# does it see planted faults and say in which case, tile, pass and row? Run from the root.
lpu=$PWD/build/bin/lpu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
failed=0
export OPT_FAST=-O0

result() { # result NAME WHY: WHY is empty where all is well
    if [ -z "$2" ]; then echo "ok      $1"; else echo "not ok  $1: $2" && failed=1; fi
}

# verify NAME EXIT_CODE PATTERN ARGUMENT...: the pattern is on stdout, or on stderr in one line.
verify() {
    name=$1 code=$2 pattern=$3
    shift 3
    "$lpu" verify --array "$@" >"$dir/out" 2>"$dir/err" </dev/null
    found=$?
    why=
    cat "$dir/out" "$dir/err" | grep -q -E -e "$pattern" ||
        why="no \"$pattern\" in: $(cat "$dir/out" "$dir/err" | tail -n 3 | cut -c1-300)"
    [ "$(wc -l <"$dir/err")" -le 1 ] || why="stderr has $(wc -l <"$dir/err") lines, expected one"
    [ "$found" -eq "$code" ] || why="exit code $found, expected $code: $(tail -n 1 "$dir/err")"
    result "$name" "$why"
}

# plant NAME SCRIPT: a folder with the example and one fault in it; it must have changed something.
plant() {
    mkdir -p "$dir/$1"
    sed -e "$2" rtl/examples/bit_serial_array.v >"$dir/$1/array.v"
    cmp -s rtl/examples/bit_serial_array.v "$dir/$1/array.v" && result "plant_$1" "nothing was changed"
}
example="--top bit_serial_array --cycles 4000"

verify no_array   2 'expected --array|found no --rtl' --top a
verify no_rtl     2 'found no --rtl' --top a
verify no_folder  2 'cannot open the folder' --rtl "$dir/none" --top a
verify no_verilog 2 'found no file \*.v' --rtl tests/cli --top a
verify no_top     2 'found --top nowhere' --rtl rtl
verify bad_top    2 'found --top a b, expected' --rtl rtl --top 'a b'
verify bad_code   2 'found --code trits, expected base3' --rtl rtl --top lpu_array --code trits
verify bad_cols   2 '11 columns, expected a multiple of 5' --rtl rtl --top lpu_array --cols 11

if ! command -v verilator >/dev/null 2>&1; then
    verify no_verilator 1 'verilator is not installed' --rtl rtl --top lpu_array
    echo "skip    verdicts: verilator is not installed"
    exit $failed
fi

# Without verilator in PATH it says so.
mkdir "$dir/bin"
for tool in sh dirname mkdir; do ln -s "$(command -v $tool)" "$dir/bin/$tool"; done
PATH_KEPT=$PATH PATH=$dir/bin
"$lpu" verify --array --rtl rtl --top lpu_array >/dev/null 2>"$dir/err"
PATH=$PATH_KEPT
grep -q 'verilator is not installed' "$dir/err"
result no_verilator "$([ $? -eq 0 ] || cat "$dir/err")"

# What is right is equal: the array itself to the cycle, the example in its values.
verify lpu_array 0 '^cycles: every word moved in the cycle' --rtl rtl --top lpu_array --cycle-exact \
    --cycles 20000 --rows 12 --cols 16 --lines 3 --code 2bit --lanes 3 --passes 5
# shellcheck disable=SC2046
verify example 0 'cycles \(not judged\): 3\.[67][0-9]* times' \
    $(sed -n 's/^build.bin.lpu verify --array//p' rtl/README.md)

# Verilog that cannot be judged: one sentence, and the log is there.
plant syntax 's/^endmodule/endmodul/'
plant port 's/^  output wire  *idle_o/  output wire busy_o/; s/assign idle_o .*/assign busy_o = 0;/'
plant width 's/\[32\*0-1:0\]//; s/OutLanes\*32-1:0\]           y_data_o/OutLanes*16-1:0]           y_data_o/'
verify syntax 1 'the Verilog does not compile: .*array.v:[0-9]+.*; log: /' --rtl "$dir/syntax" $example --build "$dir/b c"
verify port   1 "does not have the ports of rtl/README.md: .*'idle_o'.*; log: " --rtl "$dir/port" $example --build "$dir/b"
log=$(sed -n 's/.*; log: //p' "$dir/err")
result log "$([ -s "$log" ] || echo "no log at \"$log\"")"
verify width  1 'does not have the ports of rtl/README.md: .*64 bits.*128 bits' --rtl "$dir/width" $example --build "$dir/b"
verify module 1 'the Verilog does not compile: .*no_such' --rtl rtl/examples --top no_such --build "$dir/b"

# Faults: a wrong sum, data that move, a beat too many, an array that hangs at its fourth vector.
plant horner 's/ << 1 : 0)/ : 0)/'
verify horner 1 'found   tile [0-9]+ \(sum of 2 tiles\), pass 0, row 0, lane 0 .*expected -?[0-9]+, found' \
    --rtl "$dir/horner" $example
grep -q 'case    Horner planes (acc = 3 acc + sum' "$dir/out"
result horner_case "$([ $? -eq 0 ] || grep case "$dir/out")"

plant moves "s/y_data_o\[32\*j +: 32\] = /&{31'd0, \!y_ready_i} + /"
verify moves 1 'y_data_o lane 0 changed from .* while the beat waited' --rtl "$dir/moves" $example

plant extra 's/if (pass_q + 1 == passes_q) state_q <= Idle;/if (pass_q == passes_q) state_q <= Idle;/'
verify extra_beat 1 'y_valid_o rose with no sums due' --rtl "$dir/extra" $example --json
grep -q '"kind": "protocol"' "$dir/out" && grep -q '"equal": false' "$dir/out"
result json "$([ $? -eq 0 ] || head -c 300 "$dir/out")"

plant stuck 's/if (bit_q == 0) state_q/if (bit_q == 0 \&\& pass_q != 3) state_q/'
verify stuck 1 'nothing moved for 3000 cycles: taken ' --rtl "$dir/stuck" $example --stall-cycles 3000

exit $failed
