#!/bin/sh
# tests/cli/train_test.sh - does lpu train keep its log, go on where it was, and say what is wrong?
# Run from the root of the repository.
lpu=build/bin/lpu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
failed=0

result() { # result NAME WHY: WHY is empty where all is well
    if [ -z "$2" ]; then echo "ok      $1"; else echo "not ok  $1: $2" && failed=1; fi
}

train() { # train NAME ARGUMENT...
    name=$1
    shift
    why=
    "$lpu" train --text README.md --vocab 300 --layers 1 --hidden 256 --ffn 256 --context 32 --batch 2 \
        --warmup 2 --threads 1 --out "$dir/$name.gguf" "$@" >"$dir/$name.out" 2>"$dir/$name.err" ||
        why="exit code $?, stderr: $(tail -n 1 "$dir/$name.err")"
}

train log --steps 7 --log "$dir/log.tsv" --log-every 2 --measure-every 4 --heldout CONTRIBUTING.md \
    --checkpoint "$dir/checkpoint" --save-every 4
[ "$(awk -F '\t' 'NR > 1 { print $1 }' "$dir/log.tsv" | tr '\n' ' ')" = "2 4 6 7 " ] ||
    why="the steps are $(cut -f1 "$dir/log.tsv" | tr '\n' ' ')"
awk -F '\t' 'NR > 1 && (NF != 7 || $2 != $1 * 64 || $3 < 3 || $3 > 7 || ($7 != "") != ($1 % 4 == 0 || $1 == 7)) { bad = 1 }
    END { exit bad }' "$dir/log.tsv" || why="the log holds $(tail -n 2 "$dir/log.tsv")"
result log "$why"

# Done already: the rows stay, and the file is the same.
cp "$dir/log.tsv" "$dir/log_before.tsv"
train again --steps 7 --log "$dir/log.tsv" --log-every 2 --measure-every 4 --heldout CONTRIBUTING.md \
    --checkpoint "$dir/checkpoint"
cmp -s "$dir/log.tsv" "$dir/log_before.tsv" || why="the log changed to $(tail -n 1 "$dir/log.tsv")"
cmp -s "$dir/log.gguf" "$dir/again.gguf" || why="the model changed"
result resumed_log "$why"

train twin --steps 2 --fp16-twin
[ -z "$why" ] && "$lpu" run --model "$dir/twin.gguf" --prompt "The" --tokens 3 --backend fp16 \
    >"$dir/out" 2>&1 || why=${why:-$(tail -n 1 "$dir/out")}
"$lpu" run --model "$dir/twin.gguf" --prompt "The" --tokens 3 >"$dir/out" 2>"$dir/err" &&
    why="the CPU ran FP16 weights in integers"
grep -q 'has FP16 weights, expected ternary ones' "$dir/err" || why="stderr: $(cat "$dir/err")"
result twin "$why"

train bad_log --steps 1 --log "$dir/none/log.tsv"
case $why in *none/log.tsv:*) why= ;; *) why="found: $why" ;; esac
result bad_log "$why"
exit $failed
