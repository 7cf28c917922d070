#!/bin/sh
# tests/cli/synth_test.sh - does lpu synth write what it was asked for, the same each time, and does
# it say what is wrong with its command line? Run from the root of the repository.
lpu=build/bin/lpu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
failed=0

result() { # result NAME WHY: WHY is empty where all is well
    if [ -z "$2" ]; then echo "ok      $1"; else echo "not ok  $1: $2" && failed=1; fi
}

# refuse NAME EXIT_CODE STDERR_PATTERN ARGUMENT...: one line on stderr, none on stdout, no file.
refuse() {
    name=$1 code=$2 complains=$3
    shift 3
    "$lpu" synth "$@" >"$dir/out" 2>"$dir/err" </dev/null
    found=$?
    why=
    [ "$found" -eq "$code" ] || why="exit code $found, expected $code"
    [ ! -s "$dir/out" ] || why="stdout holds $(head -c 80 "$dir/out")"
    grep -q -e "$complains" "$dir/err" || why="stderr holds $(head -c 160 "$dir/err")"
    [ "$(wc -l <"$dir/err")" -eq 1 ] || why="stderr has $(wc -l <"$dir/err") lines, expected one"
    [ ! -e "$dir/x" ] || why="a file was written"
    result "$name" "$why"
}

# A model of a few hundred kilobytes.
sed -e 's/^name: .*/name: small/' -e 's/^hidden_elems: .*/hidden_elems: 256/' \
    -e 's/^ffn_elems: .*/ffn_elems: 512/' -e 's/^vocab_elems: .*/vocab_elems: 320/' \
    -e 's/^layers: .*/layers: 3/' -e 's/^kv_layers: .*/kv_layers: 3/' \
    -e 's/^heads: .*/heads: 4/' -e 's/^kv_heads: .*/kv_heads: 2/' \
    -e 's/^head_elems: .*/head_elems: 64/' \
    workloads/models/bitnet-b1.58-2b4t.yaml >"$dir/small.yaml"
small="--model $dir/small.yaml"

"$lpu" synth --help >"$dir/out" 2>&1
why=$?
[ "$why" -eq 0 ] && grep -q -e '--zeros SHARE' "$dir/out" && why=
result help "$why"

for type in tq1_0 tq2_0 i2_s f16 bf16 f32; do
    why=
    "$lpu" synth $small --type $type --out "$dir/$type" >"$dir/out" 2>"$dir/err" ||
        why="$(head -c 160 "$dir/err")"
    grep -q -i "3 layers, $type weights, .*, seed 1" "$dir/out" || why="stdout: $(cat "$dir/out")"
    [ "$(head -c 4 "$dir/$type")" = GGUF ] || why="no GGUF file"
    result "type_$type" "$why"
done

"$lpu" synth $small --type tq2_0 --out "$dir/again" >/dev/null
cmp -s "$dir/tq2_0" "$dir/again"
result same_seed "$([ $? -eq 0 ] || echo "two files of one seed differ")"
"$lpu" synth $small --type tq2_0 --seed 2 --out "$dir/other" >/dev/null
cmp -s "$dir/tq2_0" "$dir/other"
result other_seed "$([ $? -eq 1 ] || echo "two seeds made the same file")"
"$lpu" synth $small --layers 1 --out "$dir/one" | grep -q ' 1 layers'
result layers "$([ "$(stat -c %s "$dir/one")" -lt "$(stat -c %s "$dir/tq2_0")" ] || echo "not less")"

refuse no_out       2 'found no --out, expected a file' $small
refuse bad_type     2 'found --type q9, expected f32' $small --type q9 --out "$dir/x"
refuse bad_embed    2 'found --embed q9, expected f32' $small --embed q9 --out "$dir/x"
refuse bad_zeros    2 'found --zeros 1.5, expected a share' $small --zeros 1.5 --out "$dir/x"
refuse word_zeros   2 'found --zeros some, expected a share' $small --zeros some --out "$dir/x"
refuse bad_model    2 'no-such-model' --model no-such-model --out "$dir/x"
refuse bad_option   2 'found option "--tipe", expected --type' --tipe
refuse cannot_hold  1 'type Q8_0 cannot hold the ternary weights' $small --type q8_0 --out "$dir/x"
refuse full_model   1 'full-precision model' --model llama-7b --out "$dir/x"
refuse no_directory 1 'cannot write: No such file' $small --out "$dir/none/x"

exit $failed
