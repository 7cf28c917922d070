#!/bin/sh
# tests/long/fuzz_test.sh - each target of tests/fuzz for FUZZ_SECONDS (60): any bytes are refused
# with a sentence or read, and never read past their end. What is found stays in build/fuzz.
set -u
cd "$(dirname "$0")/../.."
seconds=${FUZZ_SECONDS:-60}
work=build/fuzz
failed=0

if ! command -v clang >/dev/null 2>&1; then
    echo "skip    fuzz: clang is not installed"
    exit 0
fi
mkdir -p "$work"
for source in tests/fuzz/fuzz_*.c; do
    name=$(basename "$source" .c)
    corpus=$work/$name.corpus
    mkdir -p "$corpus"
    if ! clang -std=gnu11 -g -O1 -I. -fsanitize=fuzzer,address,undefined \
        -fno-sanitize-recover=undefined -DLPU_SOURCE_HOME="\"$(pwd)\"" "$source" workloads/*.c \
        -lcyaml -lyaml -ljansson -lz -lpthread -lm -o "$work/$name" >"$work/$name.log" 2>&1; then
        echo "not ok  $name: does not build: $(grep -m1 error "$work/$name.log")"
        failed=1
        continue
    fi
    # Seeds: what the project itself writes, and what it ships.
    case $name in
    fuzz_yaml) cp workloads/models/*.yaml "$corpus" ;;
    fuzz_trace) build/bin/lpu trace --model bitnet-125m --out "$corpus/seed.tsv" >/dev/null ;;
    fuzz_gguf)
        sed -e 's/^name: .*/name: seed/' -e 's/^hidden_elems: .*/hidden_elems: 256/' \
            -e 's/^ffn_elems: .*/ffn_elems: 256/' -e 's/^vocab_elems: .*/vocab_elems: 8/' \
            -e 's/^layers: .*/layers: 1/' -e 's/^kv_layers: .*/kv_layers: 1/' \
            -e 's/^heads: .*/heads: 4/' -e 's/^kv_heads: .*/kv_heads: 2/' \
            -e 's/^head_elems: .*/head_elems: 64/' workloads/models/bitnet-b1.58-2b4t.yaml \
            >"$work/seed.yaml"
        for type in tq1_0 tq2_0 i2_s; do
            build/bin/lpu synth --model "$work/seed.yaml" --type $type --out "$corpus/$type" \
                >/dev/null
        done
        build/bin/lpu pack --model "$corpus/tq2_0" --out "$corpus/packed" >/dev/null
        ;;
    esac
    if (cd "$work" && timeout $((seconds + 120)) "./$name" -max_total_time="$seconds" \
        -max_len=262144 -timeout=10 -rss_limit_mb=4096 -print_final_stats=1 "$name.corpus") \
        >>"$work/$name.log" 2>&1; then
        echo "ok      $name: $(sed -n 's/^stat::number_of_executed_units: *//p' "$work/$name.log")" \
            "inputs in $seconds s"
    else
        echo "not ok  $name: $(grep -m1 -e 'ERROR' -e 'runtime error' "$work/$name.log" |
            cut -c1-160); see $work/$name.log"
        failed=1
    fi
done
exit $failed
