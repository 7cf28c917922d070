#!/bin/sh
# tests/cli/bad_input_test.sh - whatever is typed or read, lpu says in one line what is wrong, with
# exit code 1 (the work failed) or 2 (the command line is wrong), and leaves old files as they were.
# Run from the root of the repository; LPU names another program to test.
lpu=${LPU:-build/bin/lpu}
dir=$(mktemp -d)
full=
trap '[ -z "$full" ] || umount "$full"; rm -rf "$dir"' EXIT
failed=0

result() { # result NAME WHY: WHY is empty where all is well
    if [ -z "$2" ]; then echo "ok      $1"; else echo "not ok  $1: $2" && failed=1; fi
}

# bad NAME CODE PATTERN ARGUMENT...: CODE is 1, 2, or 12 for either.
bad() {
    name=$1 code=$2 pattern=$3
    shift 3
    timeout 60 "$lpu" "$@" >"$dir/out" 2>"$dir/err" </dev/null
    found=$?
    why=
    case $code in *$found*) ;; *) why="exit code $found, expected $code" ;; esac
    [ "$found" -lt 124 ] || why="exit code $found: a crash, or no end"
    [ "$(wc -l <"$dir/err")" -eq 1 ] ||
        why="$(wc -l <"$dir/err") lines on stderr: $(head -c 200 "$dir/err" | tr '\n' '|')"
    grep -q -e "$pattern" "$dir/err" ||
        why="stderr lacks \"$pattern\": $(head -c 300 "$dir/err" | tr '\n' '|')"
    result "$name" "$why"
}

# change NAME SED-SCRIPT: the small model as another file; prints its path.
change() {
    sed -e "s/^name:.*/name: $1/" -e "$2" "$dir/small.yaml" >"$dir/$1.yaml"
    echo "$dir/$1.yaml"
}

change_design() {
    sed -e "$2" sim/designs/ternary-resident.yaml >"$dir/$1.yaml"
    echo "$dir/$1.yaml"
}

sed -e 's/^name: .*/name: small/' -e 's/^hidden_elems: .*/hidden_elems: 256/' \
    -e 's/^ffn_elems: .*/ffn_elems: 512/' -e 's/^vocab_elems: .*/vocab_elems: 320/' \
    -e 's/^layers: .*/layers: 3/' -e 's/^kv_layers: .*/kv_layers: 3/' \
    -e 's/^heads: .*/heads: 4/' -e 's/^kv_heads: .*/kv_heads: 2/' \
    -e 's/^head_elems: .*/head_elems: 64/' -e 's/^twin: .*/twin: ""/' \
    workloads/models/bitnet-b1.58-2b4t.yaml >"$dir/small.yaml"
small="--model $dir/small.yaml --design ternary-resident --context 8"

# ---- the command line ----

bad unknown_command 2 'found command "simm"' simm
for command in $(sed -n 's/^LPU_COMMAND(\([a-z]*\),.*/\1/p' cli/commands.def); do
    bad "${command}_unknown_option" 2 'found option "--wibble"' "$command" --wibble
    bad "${command}_empty_option" 2 'found option "--' "$command" --=1
    timeout 60 "$lpu" "$command" --help >"$dir/help" 2>"$dir/err" </dev/null
    code=$?
    why=
    [ "$code" -eq 0 ] || why="exit code $code"
    [ ! -s "$dir/err" ] || why="stderr: $(head -c 200 "$dir/err")"
    result "${command}_help" "$why"
    for option in $(sed -n 's/^  \(--[a-z-]*\) [A-Z].*/\1/p' "$dir/help"); do
        bad "${command}_$option" 2 "$option has no value, expected" "$command" "$option"
    done
    for option in $(sed -n 's/^  \(--[a-z-]*\) [NT] .*/\1/p' "$dir/help"); do
        for value in -1 many 99999999999 1.5 0x10; do
            bad "${command}_$option=$value" 2 "expected a whole number" "$command" "$option=$value"
        done
    done
    for option in $(sed -n 's/^  \(--[a-z-]*\)   .*/\1/p' "$dir/help" | grep -v -e --help); do
        bad "${command}_$option=1" 2 "expected $option alone" "$command" "$option=1"
    done
    if ! grep -q '^usage: .*\[OPTIONS\] \[' "$dir/help"; then
        bad "${command}_operand" 2 'found "stray"' "$command" stray
    fi
done
bad models_two_names 2 'found 2 names' models a b
bad designs_two_names 2 'found 2 ' designs a b
bad trace_two_files 2 'found 2 files' trace a b

# ---- names ----

bad sim_model 12 'nonesuch.*expected one of .*bitnet-125m' sim --model nonesuch
bad sim_design 12 'nonesuch.*ternary-edge' sim --design nonesuch
bad compare_model 12 'nonesuch.*expected one of .*bitnet-125m' compare --model nonesuch
bad compare_design 12 'nonesuch.*ternary-edge' compare --model "$dir/small.yaml" \
    --designs ternary-resident,nonesuch
bad compare_no_design 12 'designs' compare --designs ,
bad models_name 12 'nonesuch.*expected one of .*bitnet-125m' models nonesuch
bad designs_name 12 'nonesuch.*ternary-edge' designs nonesuch
bad trace_model 12 'nonesuch.*expected one of .*bitnet-125m' trace --model nonesuch
bad synth_model 12 'nonesuch.*expected one of .*bitnet-125m' synth --model nonesuch --out "$dir/x"
bad bench_model 12 'nonesuch.*expected one of .*bitnet-125m' bench --model nonesuch --seconds 1
bad report_model 12 'nonesuch.*expected one of .*bitnet-125m' report --model nonesuch --out "$dir/r"
bad sim_phase 12 'nonesuch.*decode or prefill' sim --phase nonesuch
bad trace_phase 12 'nonesuch.*decode or prefill' trace --phase nonesuch
bad empty_model 12 '.' sim --model ''
bad odd_model_name 12 '.' sim --model '%s%n%s%n'
bad dotted_model_name 12 '.' sim --model ../models/bitnet-125m
bad long_model_name 12 '.' sim --model "$(head -c 9000 /dev/zero | tr '\0' a)"
bad long_path 12 '.' sim --model "$(head -c 9000 /dev/zero | tr '\0' a).yaml"
bad run_no_file 12 'none.gguf' run --model "$dir/none.gguf" --tokens 1

# ---- YAML ----

at() { grep -n "^$1:" "$dir/small.yaml" | cut -d: -f1; }
bad wrong_key 12 "key.yaml:$(at heads): .*haeds" sim --model "$(change key 's/^heads:/haeds:/')"
bad wrong_type 12 "type.yaml:$(at heads): " sim --model "$(change type 's/^heads:.*/heads: four/')"
bad wrong_choice 12 "choice.yaml:$(at weights): .*quaternary" \
    sim --model "$(change choice 's/^weights:.*/weights: quaternary/')"
bad missing_key 12 'heads' sim --model "$(change missing '/^heads:/d')"
bad a_list 12 'list.yaml' sim --model "$(change list 's/^heads:.*/heads: [1, 2]/')"
bad broken 12 'broken.yaml' sim --model "$(change broken 's/^heads:.*/heads: "/')"
bad design_key 12 'dkey.yaml:[0-9]*: .*rosw' sim --design "$(change_design dkey 's/^rows:/rosw:/')"
bad design_type 12 'dtype.yaml:[0-9]*: ' designs "$(change_design dtype 's/^rows:.*/rows: x/')"
bad design_dram 12 'punched.*lpddr5x-8533' \
    sim --design "$(change_design ddram 's/^dram:.*/dram: punched/')"
bad design_price 12 'seashells' \
    sim $small --design "$(change_design dprice 's/^price:.*/price: seashells/')"
bad design_geometry 12 'a multiple of 5' designs "$(change_design dcols 's/^cols:.*/cols: 161/')"
: >"$dir/empty.yaml"
bad empty_yaml 12 'empty.yaml' sim --model "$dir/empty.yaml"
head -c 4096 /dev/urandom >"$dir/noise.yaml"
bad noise_yaml 12 'noise.yaml' sim --model "$dir/noise.yaml"
bad noise_design 12 'noise.yaml' sim --design "$dir/noise.yaml"
printf 'a: &a [x]\nb: *a\n' >"$dir/alias.yaml"
bad alias_yaml 12 'alias.yaml' sim --model "$dir/alias.yaml"

# ---- dimensions ----

for key in hidden_elems ffn_elems vocab_elems layers heads kv_heads head_elems context_tokens; do
    for value in 0 4294967295 99999999999; do
        bad "${key}_$value" 12 "$key" trace --model "$(change dim "s/^$key:.*/$key: $value/")"
    done
done
bad huge_matrix 12 'dim on fp16-mac: ' sim --design fp16-mac --model \
    "$(change dim 's/^hidden_elems:.*/hidden_elems: 1048576/; s/^ffn_elems:.*/ffn_elems: 1048576/')"
bad huge_head 12 'dim on fp16-mac: ' sim --design fp16-mac --model \
    "$(change dim 's/^head_elems:.*/head_elems: 262144/')"
for key in rows cols lines passes_max vector_lanes scratch_kib fifo_kib clock_mhz stream_queue; do
    for value in 0 4294967295 99999999999; do
        bad "${key}_$value" 12 "$key" sim $small \
            --design "$(change_design dim "s/^$key:.*/$key: $value/")"
    done
done
bad batch_0 12 'expected 1 up' sim $small --batch 0
bad batch_huge 12 'sequences' sim $small --batch 4294967295
bad context_huge 12 '4294967294 cached' sim $small --context 4294967294
bad context_too_long 12 'at most the 4096' sim $small --context 4096
bad tokens_too_many 12 'at most the 4096' sim $small --phase prefill --tokens 4294967295
bad decode_tokens 12 'tokens' sim $small --tokens 2
bad scratch_too_small 12 'KiB of scratchpad, the design has 1' \
    sim $small --design "$(change_design tiny 's/^scratch_kib:.*/scratch_kib: 1/')"
bad no_multiplier 12 'no multiplier' sim --model llama-700m --design ternary-edge

# ---- files ----

mkdir "$dir/folder" "$dir/folder.yaml"
bad folder_as_model 12 'folder.yaml' sim --model "$dir/folder.yaml"
bad folder_as_design 12 'folder.yaml' sim --design "$dir/folder.yaml"
bad folder_as_trace 12 'folder' trace "$dir/folder"
bad folder_as_gguf 12 'folder' run --model "$dir/folder" --tokens 1
bad folder_as_csv 1 'folder' sim $small --csv "$dir/folder"
bad folder_as_timeline 1 'folder' sim $small --timeline "$dir/folder"
bad folder_as_out 1 'folder' synth --model "$dir/small.yaml" --out "$dir/folder"
bad folder_as_trace_out 1 'folder' trace --model "$dir/small.yaml" --out "$dir/folder"
bad nowhere_csv 1 'nowhere' sim $small --csv "$dir/nowhere/x.csv"
bad nowhere_timeline 1 'nowhere' sim $small --timeline "$dir/nowhere/x.json"
bad noise_as_gguf 12 'noise.yaml' run --model "$dir/noise.yaml" --tokens 1
bad noise_as_trace 12 'noise.yaml' trace "$dir/noise.yaml"
bad noise_home 12 '.' sim --model "$dir/noise.yaml"
[ -z "$(ls -A "$dir/folder")" ]
result folder_stays_empty "$([ $? -eq 0 ] || echo "it holds $(ls -A "$dir/folder")")"
if [ "$(id -u)" -eq 0 ]; then
    echo "skip    unreadable: root reads every file"
else
    cp "$dir/small.yaml" "$dir/secret.yaml" && chmod 0 "$dir/secret.yaml"
    bad unreadable_model 12 'secret.yaml' sim --model "$dir/secret.yaml"
    bad unreadable_trace 12 'secret.yaml' trace "$dir/secret.yaml"
    bad unreadable_gguf 12 'secret.yaml' run --model "$dir/secret.yaml" --tokens 1
    mkdir "$dir/locked" && chmod 0500 "$dir/locked"
    bad locked_csv 1 'locked' sim $small --csv "$dir/locked/x.csv"
fi

# ---- a full disk ----

if [ -c /dev/full ]; then
    bad dev_full_csv 1 '/dev/full' sim $small --csv /dev/full
    bad dev_full_timeline 1 '/dev/full' sim $small --timeline /dev/full
    bad dev_full_trace 1 '/dev/full' trace --model "$dir/small.yaml" --out /dev/full
fi
mkdir "$dir/disk"
if [ "$(id -u)" -eq 0 ] && mount -t tmpfs -o size=64k none "$dir/disk" 2>/dev/null; then
    full=$dir/disk
    for name in ops.csv timeline.json model.gguf trace.tsv; do echo old >"$full/$name"; done
    head -c 1000000 /dev/zero >"$full/ballast" 2>/dev/null
    bad full_csv 1 'ops.csv' sim $small --csv "$full/ops.csv"
    bad full_timeline 1 'timeline.json' sim $small --timeline "$full/timeline.json"
    bad full_synth 1 'model.gguf' synth --model "$dir/small.yaml" --out "$full/model.gguf"
    bad full_trace 1 'trace.tsv' trace --model "$dir/small.yaml" --out "$full/trace.tsv"
    for name in ops.csv timeline.json model.gguf trace.tsv; do
        result "full_keeps_$name" "$([ "$(cat "$full/$name")" = old ] || echo "the old file is gone")"
    done
    result full_leaves_nothing "$([ "$(ls -A "$full" | wc -l)" -eq 5 ] || ls -A "$full")"
else
    echo "skip    full disk: no right to mount a small one"
fi

exit $failed
