#!/bin/sh
# tests/cli/shipped_test.sh - does the shipped model load, say the same on the CPU and on the machine,
# and foretell a text as well as its card says? Run from the root of the repository.
. tests/cli/shared.sh
model=workloads/shipped/setun-4m.gguf
text=workloads/shipped/sample.txt
card=workloads/shipped/README.md

# run NAME ARGUMENT...: its output goes to $dir/NAME; what is on stderr is a fault.
run() {
    name=$1
    shift
    "$lpu" "$@" >"$dir/$name" 2>"$dir/$name.err" </dev/null || echo "exit code $?" >>"$dir/$name.err"
    why=$(head -c 200 "$dir/$name.err")
}

# The value of a key of a JSON file that has one such key.
value() { sed -n "s/^ *\"$2\": \"\{0,1\}\([^\",]*\).*/\1/p" "$1" | head -n 1; }
near() { echo "$1 $2 $3" | awk '{ d = $1 - $2; exit !(NF == 3 && d * d <= $3 * $3) }'; }

# ---- text ----

say="run --model $model --tokens 24 --threads 1"
run greedy $say --prompt "In the beginning"
head -n 1 "$dir/greedy" | grep -q '^In the beginning .*[a-z]' || why="it says $(head -c 80 "$dir/greedy")"
result speaks "$why"
run greedy_again run --model $model --tokens 24 --threads 2 --prompt "In the beginning"
run greedy_sim run --model $model --tokens 24 --backend sim --prompt "In the beginning"
sed '/^setun/,$d' "$dir/greedy" >"$dir/cpu_text"
for other in greedy_again greedy_sim; do
    sed '/^setun/,$d' "$dir/$other" >"$dir/other_text"
    [ -s "$dir/cpu_text" ] && cmp -s "$dir/cpu_text" "$dir/other_text" ||
        why="$other says $(head -c 200 "$dir/other_text")"
done
result cpu_and_sim_say_the_same "$why"
run drawn $say --prompt "It was" --temperature 0.7 --top-p 0.9 --seed 3 --json
run drawn_sim run --model $model --tokens 24 --backend sim --prompt "It was" --temperature 0.7 \
    --top-p 0.9 --seed 3 --json
[ -n "$(value "$dir/drawn" text)" ] || why="no text in JSON"
[ "$(value "$dir/drawn" text)" = "$(value "$dir/drawn_sim" text)" ] || why="the machine drew others"
result drawn_text_is_the_same "$why"
run drawn_other $say --prompt "It was" --temperature 0.7 --top-p 0.9 --seed 4 --json
[ "$(value "$dir/drawn" text)" != "$(value "$dir/drawn_other" text)" ] || why="seed 4 drew as seed 3"
result seeds_differ "$why"
run top_1 $say --prompt "In the beginning" --top-k 1
sed '/^setun/,$d' "$dir/top_1" >"$dir/other_text"
cmp -s "$dir/cpu_text" "$dir/other_text" || why="drawing from one says $(head -c 200 "$dir/other_text")"
result top_1_is_greedy "$why"
# The card shows a text: the same command begins it with the same words.
shown=$(sed -n '/^\$ lpu run .*--seed 3/{n;p;}' "$card" | cut -c1-40)
run card_text run --model $model --prompt "It was" --tokens 200 --temperature 0.7 --top-p 0.9 --seed 3
[ -n "$shown" ] && [ "$(head -n 1 "$dir/card_text" | cut -c1-40)" = "$shown" ] ||
    why="the card shows \"$shown\", found \"$(head -n 1 "$dir/card_text" | cut -c1-40)\""
result card_shows_its_text "$why"

# ---- perplexity ----

run ppl ppl --model $model --text $text
shown=$(grep -A 6 -F "$text" "$card" | awk '$1 == "cpu" { print $5; exit }')
found=$(awk '$1 == "cpu" { print $5 }' "$dir/ppl")
[ -n "$shown" ] && [ "$shown" = "$found" ] || why="the card says perplexity $shown, found $found"
result card_shows_its_perplexity "$why"
short="ppl --model $model --text $text --tokens 96 --context 48 --json"
run ppl_cpu $short
run ppl_sim $short --backend sim
run ppl_fp16 $short --backend fp16
loss=$(value "$dir/ppl_cpu" nats_per_token)
[ "$(value "$dir/ppl_sim" nats_per_token)" = "$loss" ] || why="the machine loses $(value "$dir/ppl_sim" nats_per_token), the CPU $loss"
[ -n "$(value "$dir/ppl_sim" j_per_token)" ] || why="the machine's token costs nothing"
result ppl_of_cpu_is_that_of_sim "$why"
near "$(value "$dir/ppl_fp16" nats_per_token)" "$loss" 0.05 || why="FP16 loses $(value "$dir/ppl_fp16" nats_per_token), the integers $loss"
result fp16_is_near "$why"
# 2 windows of 48, of which 47 are foretold, and 48 - 20 - 1 with 20 more only read.
[ "$(value "$dir/ppl_cpu" tokens)" = 94 ] || why="$(value "$dir/ppl_cpu" tokens) tokens, expected 94"
run skipped $short --skip 20
[ "$(value "$dir/skipped" tokens)" = 54 ] || why="$(value "$dir/skipped" tokens) tokens, expected 54"
result windows "$why"
run sweep ppl --model $model --text $text --tokens 96 --context 48 --sweep --tsv "$dir/sweep.tsv"
[ "$(grep -c 'ternary-edge$' "$dir/sweep")" -eq 7 ] || why="$(grep -c 'ternary-edge$' "$dir/sweep") rows of trits, expected 7"
awk -F '\t' 'NR > 1 && ($5 <= 0 || $10 <= 0) { bad = 1 } NR == 3 { e = $10 } NR == 9 && $10 >= e { bad = 1 }
    END { exit bad || NR != 9 }' "$dir/sweep.tsv" || why="the table holds $(sed -n 2,3p "$dir/sweep.tsv")"
result sweep "$why"

# ---- a recorded trace ----

run record trace --record --model $model --text $text --tokens 40 --out "$dir/trace.tsv"
run reread trace "$dir/trace.tsv"
grep -q '^ *5 *q_proj\|^ *1 *q_proj' "$dir/reread" || why="the trace reads $(sed -n 3,5p "$dir/reread")"
awk -F '\t' '$3 == "linear" && ($10 < 0.1 || $10 > 0.6 || $12 <= 0 || $12 >= 0.6) { bad = 1 }
    $1 == "down_proj" { n++ } END { exit bad || n != 5 }' "$dir/trace.tsv" || why="shares out of reason"
result recorded_trace "$why"
run simulated sim --trace "$dir/trace.tsv" --json
[ "$(value "$dir/simulated" tree_quiet_bits)" -gt 0 ] || why="found no quiet bits in a recorded pass"
[ "$(value "$dir/simulated" context)" = 39 ] || why="context $(value "$dir/simulated" context), expected 39"
result simulated_trace "$why"

# ---- what does not fit ----

one="ppl --model $model --text $text"
refuse ppl_no_model   2 'found no --model'  ppl --text $text
refuse ppl_no_text    2 'found no --text'   ppl --model $model
refuse ppl_backend    2 'found --backend gpu, expected cpu, fp16' $one --backend gpu
refuse ppl_kv         2 'found --kv-trits 6, expected 2 to 5' $one --kv-trits 6
refuse ppl_fp16_trits 2 'found --kv-trits or --head-trits with --backend fp16' $one --backend fp16 --kv-trits 3
refuse ppl_context    1 'found --context 4000' $one --context 4000
refuse ppl_no_file    1 'none.txt' ppl --model $model --text "$dir/none.txt"
refuse ppl_empty      1 'found a text of 0 tokens' ppl --model $model --text /dev/null
refuse run_seed       2 'found --seed without' run --model $model --prompt x --seed 1
refuse run_heat       2 'found --temperature hot' run --model $model --prompt x --temperature hot
refuse run_count      2 'found --tokens 1,2 with --prompt' run --model $model --prompt x --tokens 1,2
refuse run_too_long   2 'which need a context of 300' run --model $model --prompt x --tokens 300
refuse record_no_text 2 'found no text with --record' trace --record --model $model
refuse record_batch   2 'found --context or --batch' trace --record --model $model --prompt x --batch 2
refuse record_alone   2 'without --record' trace --prompt x
refuse trace_and_model 2 'expected --trace alone' sim --trace "$dir/trace.tsv" --context 3
refuse trace_not_one   2 'README.md' sim --trace README.md
exit $failed
