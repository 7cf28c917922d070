# tests/formal/prove.sh - read by the tests of this folder: proofs with yosys-smtbmc and z3.
#
# RTL=folder proves the sources in there, where a test can; OUT=folder is for what is made.
cd "$(dirname "$0")/../.." || exit 1
rtl=${RTL:-rtl}
work=${OUT:-build/tests/formal}
mkdir -p "$work"
failed=0
for tool in yosys yosys-smtbmc z3; do
    command -v "$tool" >/dev/null 2>&1 && continue
    echo "skip    formal: $tool is not installed"
    exit 0
done

# model NAME PROPERTIES RTL PARAMETERS: tests/formal/PROPERTIES.v over the file RTL, as build NAME.
model() {
    yosys -q -p "read_verilog -formal -DSYNTHESIS -Irtl $3 tests/formal/$2.v; $4
        prep -flatten -top $2; async2sync; dffunmap; opt_clean; write_smt2 -wires $work/$1.smt2" \
        >"$work/$1.log" 2>&1
}

# smt NAME ARGUMENT...: true when smtbmc says PASSED; what it said is in the log.
smt() {
    name=$1
    shift
    timeout 25 yosys-smtbmc -s z3 --unroll "$@" "$work/$name.smt2" >"$work/$name.log" 2>&1 &&
        grep -q 'Status: PASSED' "$work/$name.log"
}

proved() { echo "ok      formal $1"; }

refuted() { # refuted NAME WHAT
    echo "not ok  formal $2: $(grep -m1 -E 'Assert failed|ERROR|Unreached|FAILED' "$work/$1.log")"
    failed=1
}

# planted NAME PROPERTIES RTL PARAMETERS SCRIPT ARGUMENT...: a fault in a copy must be refuted. Other
# sources have their own faults.
planted() {
    [ "$rtl" = rtl ] || return 0
    planted_name=$1 properties=$2 file=$3 parameters=$4 script=$5
    shift 5
    sed -e "$script" "$file" >"$work/$planted_name.v"
    if cmp -s "$file" "$work/$planted_name.v"; then
        echo "not ok  formal $planted_name: nothing was planted"
        failed=1
    elif ! model "$planted_name" "$properties" "$work/$planted_name.v" "$parameters"; then
        refuted "$planted_name" "$planted_name, planted"
    elif smt "$planted_name" "$@" || ! grep -q 'Assert failed' "$work/$planted_name.log"; then
        echo "not ok  formal $planted_name: the fault was not seen"
        failed=1
    else
        proved "$planted_name: a planted fault is refuted"
    fi
}
