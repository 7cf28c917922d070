#!/bin/sh
# tests/cli/bench_test.sh - does lpu bench print what it says, in every form, and draw its figure? No
# speed is judged. Run from the root of the repository.
lpu=build/bin/lpu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
failed=0

result() { # result NAME WHY: WHY is empty where all is well
    if [ -z "$2" ]; then echo "ok      $1"; else echo "not ok  $1: $2" && failed=1; fi
}

sed -e 's/^name: .*/name: small/' -e 's/^hidden_elems: .*/hidden_elems: 256/' \
    -e 's/^ffn_elems: .*/ffn_elems: 512/' -e 's/^vocab_elems: .*/vocab_elems: 320/' \
    -e 's/^layers: .*/layers: 6/' -e 's/^kv_layers: .*/kv_layers: 6/' \
    -e 's/^heads: .*/heads: 4/' -e 's/^kv_heads: .*/kv_heads: 2/' \
    -e 's/^head_elems: .*/head_elems: 64/' workloads/models/bitnet-b1.58-2b4t.yaml >"$dir/small.yaml"
small="--model $dir/small.yaml --threads 2"

# Kernels: a line of CSV for each matrix (q o, k v, gate up, down, head), format and number of
# threads, and for each batch (7), place (2), format and number.
$lpu bench kernels $small --seconds 2 --csv --out "$dir/data" >"$dir/csv" 2>"$dir/err"
result bench_kernels_exit "$([ $? -eq 0 ] || head -c 200 "$dir/err")"
formats=$(awk -F, 'NR > 1 { print $(NF - 9) }' "$dir/csv" | sort -u | wc -l)
lines=$(wc -l <"$dir/csv") expected=$((1 + 2 * formats * (5 + 7 * 2)))
result bench_kernels_lines "$([ "$lines" -eq "$expected" ] || echo "$lines lines, expected $expected of $formats formats")"
result bench_kernels_formats "$([ "$formats" -eq 9 ] || echo "$formats formats, expected 9")"
result bench_limits "$([ "$(wc -l <"$dir/data/limits.tsv")" -eq 3 ] || echo "limits.tsv has not two machines")"
if command -v gnuplot >/dev/null; then
    # A machine that is too noisy leaves points out: these are drawn instead.
    cp tests/reports/golden_bench/*.tsv "$dir/data/"
    gnuplot -c reports/bench_kernels.gp "$dir/data/points.tsv" "$dir/figure" >"$dir/err" 2>&1
    for label in "multiply-adds per second" "multiply-adds per byte of weights" "2 threads" Q4_0 int8; do
        grep -q ">.*$label" "$dir/figure.svg" || echo "no \"$label\" in the SVG" >>"$dir/err"
    done
    result bench_figure "$([ -s "$dir/figure.pdf" ] && [ -s "$dir/figure.png" ] && [ ! -s "$dir/err" ] || head -c 200 "$dir/err")"
else
    echo "skip    bench_figure: gnuplot is not installed"
fi

# Models: every test of every format, in three forms; layers are scaled up.
tests="--types f16,q4,b3 --tests pp16,tg@30 --layers 2 --seconds 1"
$lpu bench model $small $tests --csv >"$dir/csv" 2>"$dir/err"
result bench_model_csv "$([ "$(wc -l <"$dir/csv")" -eq 7 ] || head -c 200 "$dir/err")"
$lpu bench model $small $tests --json >"$dir/json" 2>"$dir/err"
result bench_model_json "$([ "$(grep -c '"rest_share"' "$dir/json")" -eq 6 ] && grep -q '"layers": 6' "$dir/json" &&
    grep -q '"layers_timed": 2' "$dir/json" || head -c 200 "$dir/err" "$dir/json")"
$lpu bench model $small $tests >"$dir/text" 2>"$dir/err"
result bench_model_table "$([ "$(grep -c '^| small .* | .*tg1 @ d30 ' "$dir/text")" -eq 3 ] || head -c 200 "$dir/err" "$dir/text")"
result bench_model_ceilings "$([ "$(grep -c ' \(bandwidth\|products\) ' "$dir/text")" -ge 6 ] &&
    [ "$(grep -c '"ceiling_share"' "$dir/json")" -eq 6 ] && [ "$(grep -c '"read_bytes_per_s"' "$dir/json")" -eq 1 ] &&
    [ "$(awk -F, '{ print NF }' "$dir/csv" | sort -u)" = 19 ] || head -c 200 "$dir/text")"
grep '^|' "$dir/text" | awk -F'|' '{ print NF }' | sort -u >"$dir/columns"
result bench_model_columns "$([ "$(wc -l <"$dir/columns")" -eq 1 ] || echo "rows of different lengths")"

# refuse NAME PATTERN ARGUMENT...: exit code 1 or 2, one line on stderr, none on stdout.
refuse() {
    name=$1 pattern=$2
    shift 2
    $lpu bench "$@" >"$dir/out" 2>"$dir/err" </dev/null
    code=$?
    why=
    [ "$code" -eq 1 ] || [ "$code" -eq 2 ] || why="exit code $code"
    [ ! -s "$dir/out" ] || why="stdout holds $(head -c 80 "$dir/out")"
    grep -q -e "$pattern" "$dir/err" || why="stderr holds $(head -c 160 "$dir/err")"
    [ "$(wc -l <"$dir/err")" -eq 1 ] || why="stderr has $(wc -l <"$dir/err") lines, expected one"
    result "$name" "$why"
}
refuse bench_what 'found "nonesuch", expected kernels' nonesuch
refuse bench_two 'found "kernels"' model kernels
refuse bench_types 'found "q9"' model --types f16,q9
refuse bench_tests 'found "pp@3"' model --tests tg,pp@3
refuse bench_tests_depth 'found "tg@"' model --tests tg@
refuse bench_out 'cannot make the directory' kernels --out /dev/null/x
LPU_CPU=mmx
export LPU_CPU
refuse bench_mask 'LPU_CPU: found "mmx"' kernels --seconds 1
exit $failed
