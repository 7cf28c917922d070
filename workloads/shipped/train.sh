#!/bin/sh
# workloads/shipped/train.sh CORPUS DIR - trains the shipped model and its full-precision twin again,
# from CORPUS/train.txt into DIR, measures both on CORPUS/heldout.txt, and writes the figures of the
# model card: DIR/card.md, DIR/loss.svg, DIR/ppl.svg. Stopped, it goes on from its checkpoints.
# An hour and a half on two cores. Run from the root of the repository.
set -eu
corpus=${1:?expected the folder of the corpus} dir=${2:?expected a folder to write}
lpu=build/bin/lpu
mkdir -p "$dir"

train() { # train NAME FILE [OPTION...]
    name=$1 out=$2
    shift 2
    "$lpu" train --text "$corpus/train.txt" --heldout "$corpus/heldout.txt" --hidden 256 --ffn 768 \
        --layers 5 --heads 4 --kv-heads 2 --vocab 2048 --context 256 --batch 16 --steps 3200 \
        --warmup 100 --rate 0.003 --threads 2 --type tq1_0 --checkpoint "$dir/$name.checkpoint" \
        --log "$dir/$name.tsv" --out "$out" "$@"
}
train ternary "$dir/setun-4m.gguf"
train fp16 "$dir/setun-4m-fp16.gguf" --fp16-twin

# One table of both logs, with a dash where nothing was measured.
awk -F '\t' 'BEGIN { OFS = "\t" }
    FNR == 1 { name = FILENAME; sub(/.*\//, "", name); sub(/\.tsv$/, "", name) }
    FNR == 1 && NR == 1 { print "model", $0 }
    FNR > 1 { if ($7 == "") $7 = "-"; print name, $1, $2, $3, $4, $5, $6, $7 }' \
    "$dir/ternary.tsv" "$dir/fp16.tsv" >"$dir/loss.tsv"

workloads/shipped/card.sh "$dir" "$corpus/heldout.txt" >"$dir/card.md"
gnuplot -c reports/fig_loss.gp "$dir/loss.tsv" "$dir/loss"
gnuplot -c reports/fig_ppl.gp "$dir/ppl.tsv" "$dir/ppl"
echo "$dir: setun-4m.gguf, setun-4m-fp16.gguf, loss.svg, ppl.svg, card.md"
