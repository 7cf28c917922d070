#!/bin/sh
# tests/cli/pack_test.sh - does a file of lpu pack run as the GGUF file that it was made from, and is
# everything else refused in one line? Run from the root of the repository.
. tests/cli/shared.sh

tokens() { # tokens FILE ARGUMENT...: the ids that lpu run makes
    file=$1
    shift
    timeout 60 "$lpu" run --model "$file" --json "$@" 2>&1 | tr -d ' \n' |
        sed 's/.*"tokens":\[\([0-9,]*\)\].*/\1/'
}

sed -e 's/^name: .*/name: small/' -e 's/^hidden_elems: .*/hidden_elems: 256/' \
    -e 's/^ffn_elems: .*/ffn_elems: 512/' -e 's/^vocab_elems: .*/vocab_elems: 320/' \
    -e 's/^layers: .*/layers: 3/' -e 's/^kv_layers: .*/kv_layers: 3/' \
    -e 's/^heads: .*/heads: 4/' -e 's/^kv_heads: .*/kv_heads: 2/' \
    -e 's/^head_elems: .*/head_elems: 64/' \
    workloads/models/bitnet-b1.58-2b4t.yaml >"$dir/small.yaml"
"$lpu" synth --model "$dir/small.yaml" --out "$dir/small.gguf" >/dev/null

for type in b3 t2 i4 i8; do
    why=
    "$lpu" pack --model "$dir/small.gguf" --type $type --out "$dir/$type" >"$dir/out" 2>&1 ||
        why="$(head -c 200 "$dir/out")"
    plain=$(tokens "$dir/small.gguf" --tokens 1,2,3 --count 9)
    packed=$(tokens "$dir/$type" --tokens 1,2,3 --count 9)
    [ "$plain" = "$packed" ] || why="$packed, expected $plain"
    [ "$(echo "$packed" | tr ',' '\n' | wc -l)" -eq 9 ] || why="not nine tokens: $packed"
    result "tokens_$type" "$why"
done

# Drawn tokens need all logits; text needs the tokenizer.
shipped=workloads/shipped/setun-4m.gguf
"$lpu" pack --model $shipped --out "$dir/shipped" >/dev/null
set -- --prompt "In the beginning" --tokens 12 --temperature 0.8 --seed 5
[ "$(tokens $shipped "$@")" = "$(tokens "$dir/shipped" "$@")" ]
result shipped_text "$([ $? -eq 0 ] || echo "other text")"

why=$("$lpu" bench model --model "$dir/t2" --tests tg@4 --seconds 1 --json 2>&1 |
    grep -c '"weights": "2-bit"')
result bench "$([ "$why" -eq 1 ] || echo "$why passes in 2-bit, expected one")"
why=$("$lpu" bench model --model "$dir/small.gguf" --types b3,f16 --tests tg --seconds 1 --csv 2>&1 |
    grep -c '^small,')
result bench_file "$([ "$why" -eq 2 ] || echo "$why lines, expected two")"

# ---- what is refused ----

if grep -q -w avx2 /proc/cpuinfo 2>/dev/null; then
    export LPU_CPU=c
    refuse other_cpu 1 'want "b3 i8": pack the GGUF file again' \
        run --model "$dir/b3" --tokens 1,2 --count 2
    unset LPU_CPU
else
    echo "skip    other_cpu: without AVX2 all layouts are one"
fi
if grep -q -w avx512_vnni /proc/cpuinfo 2>/dev/null; then
    export LPU_CPU=avx2
    refuse no_columns 1 'packed as "b3 columns screen", and the kernels of this CPU want "b3 screen"' \
        run --model "$dir/b3" --tokens 1,2 --count 2
    why=$(tokens "$dir/t2" --tokens 1,2,3 --count 9)
    result same_layout "$([ "$why" = "$plain" ] || echo "$why with AVX2, expected $plain")"
    unset LPU_CPU
else
    echo "skip    no_columns: without AVX-512 VNNI there are none"
fi
size=$(stat -c %s "$dir/b3")
cp "$dir/b3" "$dir/flipped"
printf 'x' | dd of="$dir/flipped" bs=1 seek=$((size / 2)) conv=notrunc 2>/dev/null
refuse flipped 1 'it is damaged, pack the GGUF file again' run --model "$dir/flipped" --tokens 1
head -c $((size - 5000)) "$dir/b3" >"$dir/short"
refuse short 1 'the file ends at byte' run --model "$dir/short" --tokens 1
head -c 2000 "$dir/small.yaml" >"$dir/foreign"
refuse foreign 1 'expected "GGUF"' run --model "$dir/foreign" --tokens 1
refuse backend 1 'expected cpu' run --model "$dir/b3" --tokens 1 --backend fp16
refuse head_trits 1 'found --head-trits 4, expected 5' run --model "$dir/b3" --tokens 1 --head-trits 4
refuse types 1 'the file is packed so' bench model --model "$dir/b3" --types t2 --tests tg
refuse layers 1 'expected them all' bench model --model "$dir/b3" --layers 1 --tests tg
refuse twice 1 'expected the GGUF file that it was made from' \
    pack --model "$dir/b3" --out "$dir/x"
refuse no_zeros 1 'weights of zero' pack --model "$dir/small.gguf" --type b1 --out "$dir/x"
refuse bad_type 2 'found --type q9, expected b3' \
    pack --model "$dir/small.gguf" --type q9 --out "$dir/x"
refuse no_model 2 'found no --model' pack --out "$dir/x"
refuse no_out 2 'found no --out' pack --model "$dir/small.gguf"
refuse itself 2 'expected another name' pack --model "$dir/small.gguf" --out "$dir/small.gguf"

exit $failed
