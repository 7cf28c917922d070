#!/bin/sh
# tests/cli/claims_test.sh - does the command line say what is wrong with it, and are the published
# energies met? Run from the root of the repository.
lpu=build/bin/lpu
out=$(mktemp) err=$(mktemp)
trap 'rm -f "$out" "$err"' EXIT
failed=0

# check NAME EXIT_CODE STDOUT_PATTERN STDERR_PATTERN ARGUMENT...: "-" is no output at all.
check() {
    name=$1 code=$2 says=$3 complains=$4
    shift 4
    "$lpu" claims "$@" >"$out" 2>"$err" </dev/null
    found=$?
    why=
    [ "$found" -eq "$code" ] || why="exit code $found, expected $code"
    if [ "$says" = - ]; then
        [ ! -s "$out" ] || why="stdout holds $(head -c 80 "$out")"
    else
        grep -q -e "$says" "$out" || why="stdout lacks \"$says\""
    fi
    if [ "$complains" = - ]; then
        [ ! -s "$err" ] || why="stderr holds $(head -c 80 "$err")"
    else
        grep -q -e "$complains" "$err" || why="stderr holds $(head -c 80 "$err")"
        [ "$(wc -l <"$err")" -eq 1 ] || why="stderr has $(wc -l <"$err") lines, expected one"
    fi
    if [ -z "$why" ]; then echo "ok      $name"; else echo "not ok  $name: $why" && failed=1; fi
}

check help            0 '^  --json ' - --help
check help_examples   0 '^  lpu claims --json$' - -h
check near_miss       2 - 'found option "--jsn", expected --json' --jsn
check beginning       2 - 'expected --json' --js
check far_miss        2 - 'found option "--wibble", expected one' --wibble
check flag_value      2 - '"--json=1", expected --json alone' --json=1
check operand         2 - 'found "x", expected an option' x
check table           0 '^62 of 64 are met' -
check ratio           0 '^FP16 multiply and add over INT8 add  *71.4x  *71.43x ' -
check exception       0 '^6.7B 1-bit ADD 7 nm .* no  ' -
check json            0 '"met": 62' - --json
LPU_HOME=/nowhere check no_home 1 - '/nowhere/energy_model/prices: No such file' --json
rows=$("$lpu" claims --json | grep -c '"claim":')
if [ "$rows" -eq 64 ]; then
    echo "ok      json_rows"
else
    echo "not ok  json_rows: $rows rows, expected 64" && failed=1
fi
exit $failed
