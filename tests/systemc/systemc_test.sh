#!/bin/sh
# tests/systemc/systemc_test.sh - LPUs in TLM-2.0 platforms: the example, and the three insides against
# the simulator alone, on whole passes of models and on random programs.
set -u
cd "$(dirname "$0")/../.."
out=build/verify work=build/tests/systemc
mkdir -p "$work"
export SYSTEMC_DISABLE_COPYRIGHT_MESSAGE=1

program=$(sim/systemc/build.sh "$out" 2>"$work/why")
case $? in
0) ;;
7)
    echo "skip    systemc: $(cat "$work/why")"
    exit 0
    ;;
*)
    echo "not ok  systemc: build: $(cat "$work/why")"
    exit 1
    ;;
esac

if ! example=$(EXAMPLE=1 sim/systemc/build.sh "$out" 2>"$work/why"); then
    echo "not ok  systemc: the example does not build: $(cat "$work/why")"
else
    for timing in cycles loose; do
        if timeout 20 "$example" $timing >"$work/example" 2>&1; then
            echo "ok      systemc example, $timing: $(grep 'right' "$work/example")"
        else
            echo "not ok  systemc example, $timing: $(head -1 "$work/example")"
        fi
    done
fi

# judge NAME PROGRAM WORD...: equal on every platform.
judge() {
    name=$1 judged=$2
    shift 2
    timeout 50 "$judged" folder="$work" "$@" 3>"$work/answer" >"$work/log" 2>&1
    if [ $? -eq 0 ] && grep -q '"kind": "equal"' "$work/answer" && grep -q '"cycles": [1-9]' "$work/answer"; then
        echo "ok      systemc $name: $(grep -c '"name"' "$work/answer") runs, $(awk '/"cycles"/ { n += $2 }
            END { print n }' "$work/answer") cycles, differences 0"
    else
        echo "not ok  systemc $name: $(grep -m3 -E '"(text|signal|expected|found)"' "$work/answer" "$work/log" | tr -s ' \n' ' ')"
    fi
}
designs=tests/top/designs models=tests/top/models
judge "in C, 16 x 20" "$program" design=$designs/small-16x20.yaml model=$models/grouped.yaml tokens=5 decode=2
judge "in C, 24 x 16" "$program" design=$designs/small-24x16.yaml model=$models/untied.yaml tokens=3 decode=1 context=4 batch=2
judge "in C, 32 x 40, random" "$program" design=$designs/small-32x40.yaml random=8 operations=50
judge "in C, ternary-edge, random" "$program" design=ternary-edge random=2 operations=40


# lpu verify NAME EXIT_CODE PATTERN ARGUMENT...: the pattern is on stdout, or on stderr in one line.
lpu=build/bin/lpu design=$designs/small-8x10.yaml
verify() {
    name=$1 code=$2 pattern=$3
    shift 3
    timeout 300 "$lpu" verify --platform systemc "$@" >"$work/out" 2>"$work/err" </dev/null
    found=$?
    if [ "$found" -eq "$code" ] && [ "$(wc -l <"$work/err")" -le 1 ] &&
        cat "$work/out" "$work/err" | grep -q -E -e "$pattern"; then
        echo "ok      systemc $name"
    else
        echo "not ok  systemc $name: exit code $found, expected $code and \"$pattern\":" \
            "$(cat "$work/out" "$work/err" | tail -n 3 | cut -c1-300 | tr '\n' ' ')"
    fi
}
verify "unknown platform" 2 'found --platform vcs, expected verilator or systemc' --platform vcs
verify "no stalls" 2 'found --stalls with --platform systemc, expected --platform verilator' --stalls 60
verify "no faults" 2 'found --faults with --platform systemc, expected --platform verilator' --faults 1
verify "no array" 2 'found --array with --platform systemc, expected --platform verilator' --array --rtl rtl --top lpu_array
verify "no waveforms" 2 'found --harness with --platform systemc, .*: there is none but speed' --harness trace

# With a compiler that finds no <systemc>.
mkdir -p "$work/bin"
printf '#!/bin/sh\nexit 1\n' >"$work/bin/c++"
chmod +x "$work/bin/c++"
path_kept=$PATH
PATH=$PWD/$work/bin:$PATH
verify "is not there" 1 'SystemC is not installed.*libsystemc-dev$' --design $design
PATH=$path_kept

# With the RTL of the smallest design, and with a fault in it.
if ! command -v verilator >/dev/null 2>&1; then
    echo "skip    systemc: verilator is not installed: no platform of RTL"
    exit 0
fi
export OPT_FAST=-O0 # these runs are short: compiling takes most of the time
verify "of RTL, 8 x 10" 0 '^rtl +decode after 2 .* 0$' --design $design --model $models/untied.yaml --tokens 2 --decode 1
for inside in rtl cycles loose; do
    if [ "$(grep -c "^$inside  *[pd].* 0\$" "$work/out")" -eq 2 ]; then echo "ok      systemc table: $inside"; else
        echo "not ok  systemc table: $inside: $(tail -n 8 "$work/out" | tr -s ' \n' ' ')"
    fi
done
verify "of RTL, 8 x 10, random" 0 '"equal": true' --design $design --random 3 --seed 7 --json
verify "of RTL, 8 x 10, a product" 0 '^rtl +.* 0$' --design $design --shape 3,20,30,2

faulty=$work/faulty
rm -rf "$faulty" && mkdir "$faulty" && cp rtl/*.v rtl/*.vh "$faulty"
sed -i "s/op_i == 2'd2 ? {old\[AccBits-2:0\], 1'b0}/op_i == 2'd2 ? {old[AccBits-2:0], old[0]}/" "$faulty/lpu_accum.v"
cmp -s rtl/lpu_accum.v "$faulty/lpu_accum.v" && echo "not ok  systemc fault: nothing was planted"
verify "fault in the Horner sum is told" 1 '^differs: rtl: write' --design $design --shape 3,20,30,3 --rtl "$faulty" --top lpu_top
if grep -q -E '^rtl .* found$' "$work/out" && grep -q -E '^cycles .* 0$' "$work/out" &&
    grep -q -E '^  where +instruction [0-9]+ \(store ' "$work/out" && grep -q -E '^  expected +[0-9]+ bytes at 0x' "$work/out"; then
    echo "ok      systemc fault: of the RTL, at a store"
else
    echo "not ok  systemc fault: $(tail -n 4 "$work/out" | tr -s ' \n' ' ')"
fi

# An RTL of other parameters than the design's: the simulator has fewer reads in flight.
verify "has a program" 0 '/systemc_verify$' --design $design --harness speed
program=$(cat "$work/out")
sed 's/^outstanding_bursts: .*/outstanding_bursts: 3/' $design >"$work/other.yaml"
timeout 50 "$program" folder="$work" design="$work/other.yaml" random=1 seed=7 3>"$work/answer" >"$work/log" 2>&1
if [ $? -eq 1 ] && grep -q '"inside": "rtl"' "$work/answer" && grep -q '"signal": "issue or retirement"' "$work/answer"; then
    echo "ok      systemc: an RTL that is not its design's is told:$(sed -n 's/.*"found": "\(.*\)".*/ \1/p' "$work/answer")"
else
    echo "not ok  systemc: an RTL that is not its design's is not told: $(head -2 "$work/answer" | tr -s ' \n' ' ')"
fi

# Nothing to run, and words that are no shape.
verify "shape" 1 'found shape=1,2, expected shape=m,n,k,planes' --design $design --shape 1,2
