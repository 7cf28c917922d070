#!/bin/sh
# tests/top/top_run_test.sh - does the Verilated LPU write the same text as the simulator and the CPU: token
# for token, and cycle for cycle? The model that ships, or a tiny one made here where it is not there.
set -u
cd "$(dirname "$0")/../.."
lpu=build/bin/lpu
design=tests/top/designs/small-32x40.yaml
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
failed=0

result() { # result NAME WHY: WHY is empty where all is well
    if [ -z "$2" ]; then echo "ok      $1"; else echo "not ok  $1: $2" && failed=1; fi
}

if ! command -v verilator >/dev/null 2>&1; then
    echo "skip    text of the RTL: verilator is not installed"
    exit 0
fi
model=$(ls workloads/shipped/*.gguf 2>/dev/null | head -1)
if [ -z "$model" ]; then
    model=$dir/made.gguf
    "$lpu" synth --model tests/top/models/tiny.yaml --out "$model" >/dev/null || exit 1
fi

# The same trits everywhere: those of the design.
for backend in cpu sim rtl; do
    more="--design $design"
    [ $backend = cpu ] && more="--kv-trits 4 --head-trits 5"
    # shellcheck disable=SC2086
    timeout 900 "$lpu" run --model "$model" --tokens 3,1,4,1,5 --count 16 --backend $backend $more --json \
        >"$dir/$backend" 2>"$dir/err" </dev/null || result "run on $backend" "$(tail -1 "$dir/err")"
done
tokens() { awk '/"tokens": \[/ { on = 1; next } on && /\]/ { exit } on { gsub(/[ ,]/, ""); print }' "$dir/$1"; }
cycles() { awk '/"cycles":/ { gsub(",", ""); print $2 }' "$dir/$1"; }
tokens cpu >"$dir/cpu.tokens"
tokens sim >"$dir/sim.tokens"
tokens rtl >"$dir/rtl.tokens"
result "16 tokens were made on the RTL" "$([ "$(wc -l <"$dir/rtl.tokens")" -eq 16 ] || echo "$(wc -l <"$dir/rtl.tokens")")"
result "tokens of RTL and simulator" "$(diff "$dir/rtl.tokens" "$dir/sim.tokens" | head -3 | tr '\n' ' ')"
result "tokens of RTL and CPU" "$(diff "$dir/rtl.tokens" "$dir/cpu.tokens" | head -3 | tr '\n' ' ')"
cycles rtl >"$dir/rtl.cycles"
cycles sim >"$dir/sim.cycles"
result "cycles of both were given" "$([ -s "$dir/rtl.cycles" ] || echo none)"
result "cycles of RTL and simulator, of both phases" "$(diff "$dir/rtl.cycles" "$dir/sim.cycles" | head -3 | tr '\n' ' ')"
exit $failed
