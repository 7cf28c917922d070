#!/bin/sh
# workloads/shipped/card.sh DIR HELDOUT - prints what the model card says in numbers, each with the
# command that gave it, and writes DIR/ppl.tsv. DIR holds setun-4m.gguf and setun-4m-fp16.gguf.
# Run from the root of the repository.
set -eu
dir=${1:?expected a folder} heldout=${2:?expected the held-out text}
lpu=build/bin/lpu model=$dir/setun-4m.gguf twin=$dir/setun-4m-fp16.gguf
tokens=${TOKENS:-50000} # of the held-out text; a sweep takes two fifths of it
trace=$(mktemp)
trap 'rm -f "$trace"' EXIT

show() { # show COMMAND...: as it is typed, and what it prints
    echo '```'
    printf '$ lpu'
    for word in "$@"; do
        case $word in *" "*) printf ' "%s"' "$word" ;; *) printf ' %s' "$word" ;; esac
    done
    echo
    "$lpu" "$@"
    echo '```'
}

echo "Perplexity on held-out text, of the model in the LPU's integers and in FP16, and of the twin:"
show ppl --model "$model" --text "$heldout" --tokens "$tokens"
show ppl --model "$model" --text "$heldout" --tokens "$tokens" --backend fp16
if [ -f "$twin" ]; then show ppl --model "$twin" --text "$heldout" --tokens "$tokens" --backend fp16; fi

echo
echo "By trits of cache and head:"
show ppl --model "$model" --text "$heldout" --tokens "$((tokens * 2 / 5))" --sweep --tsv "$dir/ppl.tsv"

echo
echo "On the short text that the tests measure:"
show ppl --model "$model" --text workloads/shipped/sample.txt

echo
echo "What went through the array, beside what a trace of shapes assumes:"
echo '```'
echo "\$ lpu trace --record --model $model --text workloads/shipped/sample.txt --tokens 200"
"$lpu" trace --record --model "$model" --text workloads/shipped/sample.txt --tokens 200 |
    sed '1,/^measured on/d' | sed 1d
echo '```'

echo
echo "Share of zeros by layer:"
"$lpu" trace --record --model "$model" --prompt "In the beginning" --out "$trace" >/dev/null
awk -F '\t' '
    $3 == "linear" && $1 ~ /_proj$/ { zeros[$2, $1] = $10; if ($2 + 0 > last) last = $2 + 0 }
    END {
        n = split("q_proj k_proj v_proj o_proj gate_proj up_proj down_proj", name, " ")
        printf "\n| layer |"
        for (i = 1; i <= n; i++) printf " %s |", substr(name[i], 1, length(name[i]) - 5)
        printf "\n|---|"
        for (i = 1; i <= n; i++) printf "---:|"
        for (layer = 0; layer <= last; layer++) {
            printf "\n| %d |", layer
            for (i = 1; i <= n; i++) printf " %.3f |", zeros[layer, name[i]]
        }
        print ""
    }' "$trace"

echo
echo "Two hundred tokens of its text:"
show run --model "$model" --prompt "It was" --tokens 200 --temperature 0.7 --top-p 0.9 --seed 3
