#!/bin/sh
# tests/cli/run_test.sh - does lpu run make the same tokens on the CPU and on the simulated machine,
# and does it say what is wrong with its command line? Run from the root of the repository.
lpu=build/bin/lpu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
failed=0

result() { # result NAME WHY: WHY is empty where all is well
    if [ -z "$2" ]; then echo "ok      $1"; else echo "not ok  $1: $2" && failed=1; fi
}

# refuse NAME EXIT_CODE STDERR_PATTERN ARGUMENT...: one line on stderr, none on stdout.
refuse() {
    name=$1 code=$2 complains=$3
    shift 3
    "$lpu" run "$@" >"$dir/out" 2>"$dir/err" </dev/null
    found=$?
    why=
    [ "$found" -eq "$code" ] || why="exit code $found, expected $code"
    [ ! -s "$dir/out" ] || why="stdout holds $(head -c 80 "$dir/out")"
    grep -q -e "$complains" "$dir/err" || why="stderr holds $(head -c 200 "$dir/err")"
    [ "$(wc -l <"$dir/err")" -eq 1 ] || why="stderr has $(wc -l <"$dir/err") lines, expected one"
    result "$name" "$why"
}

# made NAME ARGUMENT...: the line of tokens goes to $dir/NAME.
made() {
    name=$1
    shift
    "$lpu" run --model "$dir/small" "$@" >"$dir/$name.out" 2>"$dir/$name.err" </dev/null ||
        echo "exit code $?" >>"$dir/$name.err"
    head -n 1 "$dir/$name.out" >"$dir/$name"
}

# same NAME A B: both made the same tokens, as many as expected, without a word on stderr.
same() {
    why=
    cmp -s "$dir/$2" "$dir/$3" || why="$2 made $(cat "$dir/$2"), $3 made $(cat "$dir/$3")"
    [ "$(wc -w <"$dir/$2")" -eq "$4" ] || why="found $(wc -w <"$dir/$2") tokens, expected $4"
    [ ! -s "$dir/$2.err" ] && [ ! -s "$dir/$3.err" ] ||
        why="stderr: $(cat "$dir/$2.err" "$dir/$3.err" | head -c 200)"
    result "$1" "$why"
}

sed -e 's/^name: .*/name: small/' -e 's/^hidden_elems: .*/hidden_elems: 256/' \
    -e 's/^ffn_elems: .*/ffn_elems: 512/' -e 's/^vocab_elems: .*/vocab_elems: 320/' \
    -e 's/^layers: .*/layers: 3/' -e 's/^kv_layers: .*/kv_layers: 3/' \
    -e 's/^heads: .*/heads: 4/' -e 's/^kv_heads: .*/kv_heads: 2/' \
    -e 's/^head_elems: .*/head_elems: 64/' -e 's/^context_tokens: .*/context_tokens: 64/' \
    workloads/models/bitnet-b1.58-2b4t.yaml >"$dir/small.yaml"
"$lpu" synth --model "$dir/small.yaml" --out "$dir/small" >/dev/null || exit 1
small="--model $dir/small"

"$lpu" run --help >"$dir/out" 2>&1
why=$?
[ "$why" -eq 0 ] && grep -q -e '--backend NAME' "$dir/out" && why=
result help "$why"

made cpu --tokens 1,2,3,250 --count 9
made sim --tokens 1,2,3,250 --count 9 --backend sim
same sim_is_cpu cpu sim 9
made cpu_few_trits --tokens 7 --count 5 --kv-trits 2 --head-trits 3 --threads 1
made sim_few_trits --tokens 7 --count 5 --kv-trits 2 --head-trits 3 --backend sim
same few_trits cpu_few_trits sim_few_trits 5
made cpu_hbm --tokens 7,8 --count 3
made sim_hbm --tokens 7,8 --count 3 --backend sim --design ternary-hbm
same other_design cpu_hbm sim_hbm 3
made fp16 --tokens 1,2,3,250 --count 9 --backend fp16
same fp16 fp16 fp16 9

grep -q 'measured on this CPU' "$dir/cpu.out" && grep -q 'modelled on ternary-edge' "$dir/sim.out" &&
    grep -q '^decode .*J$' "$dir/sim.out"
result says_what_it_is "$([ $? -eq 0 ] || echo "stdout: $(head -c 300 "$dir/sim.out")")"

"$lpu" run $small --tokens 1,2,3,250 --count 9 --backend sim --json >"$dir/json" 2>&1
tokens=$(tr -d ' \n' <"$dir/json" | sed 's/.*"tokens":\[\([0-9,]*\)\].*/\1/' | tr ',' ' ')
why=
[ "$tokens" = "$(cat "$dir/sim")" ] || why="tokens are $tokens, expected $(cat "$dir/sim")"
for key in cycles j_per_token tokens_per_s; do
    [ "$(grep -c "\"$key\"" "$dir/json")" -eq 2 ] || why="no $key of prefill and decode"
done
result json "$why"

made full --tokens 5 --count 64
made again --tokens 5 --count 64 --backend sim
same whole_context full again 64

echo "this is no model, whatever it is called" >"$dir/text.gguf"
head -c 20000 "$dir/small" >"$dir/cut.gguf"
one="--tokens 1"
refuse no_model      2 'found no --model, expected a GGUF file' $one
refuse no_tokens     2 'found no --tokens, expected ids' $small
refuse empty_tokens  2 'found "" in --tokens' $small --tokens ""
refuse bad_tokens    2 'found "two,3" in --tokens, expected ids' $small --tokens 1,two,3
refuse half_tokens   2 'found "" in --tokens' $small --tokens 1,
refuse minus_tokens  2 'found "-1" in --tokens' $small --tokens=-1
refuse huge_token    2 'found "99999999999" in --tokens' $small --tokens 99999999999
refuse not_in_vocab  2 'found id 320 at place 2 of --tokens, expected 0 to 319' $small --tokens 1,320
refuse too_long      2 'need a context of 65, expected at most 64' $small --tokens 1,2 --count 64
refuse no_count      2 'found --count 0, expected 1' $small $one --count 0
refuse bad_backend   2 'found --backend gpu, expected cpu, fp16, sim or rtl' $small $one --backend gpu
refuse bad_kv        2 'found --kv-trits 6, expected 2 to 5' $small $one --kv-trits 6
refuse bad_head      2 'found --head-trits 2, expected 3 to 5' $small $one --head-trits 2
refuse cpu_design    2 'found --design with --backend cpu' $small $one --design ternary-edge
refuse fp16_trits    2 'found --kv-trits with --backend fp16' $small $one --kv-trits 3 --backend fp16
refuse sim_threads   2 'found --threads with --backend sim' $small $one --threads 2 --backend sim
refuse no_design     2 'no-such-design' $small $one --backend sim --design no-such-design
refuse mac_design    2 'fp16-mac, which has multipliers' $small $one --backend sim --design fp16-mac
refuse b1_design     2 'binary-edge, which has 1-bit' $small $one --backend sim --design binary-edge
refuse bad_option    2 'found option "--token"' $small --token 1
refuse no_file       1 'none.gguf' --model "$dir/none.gguf" $one
refuse no_gguf       1 'text.gguf' --model "$dir/text.gguf" $one
refuse cut_gguf      1 'cut.gguf' --model "$dir/cut.gguf" $one

exit $failed
