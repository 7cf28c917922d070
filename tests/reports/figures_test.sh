#!/bin/sh
# tests/reports/figures_test.sh - every figure is drawn from its golden table alone: SVG, PDF and PNG,
# with the axes and units that belong to it; and a missing table is one clear error.
set -u
cd "$(dirname "$0")/../.." || exit 1
golden=tests/reports/golden
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
failed=0

ok() { echo "ok      $1"; }
not_ok() {
    echo "not ok  $1"
    failed=1
}

if ! command -v gnuplot >/dev/null; then
    echo "skip    figures: gnuplot is not installed"
    exit 0
fi

# The text of an SVG file, one text element a line, marks removed.
text_of() { sed -n 's/.*<text[^>]*>//p' "$1" | sed 's/<[^>]*>//g; s/&#160;/ /g'; }

# draw FIGURE TABLE LABEL... : draws, and looks for every label in the SVG's text. A table that is a
# file by itself is one that ships.
draw() {
    figure=$1 table=$2
    shift 2
    stem=$work/$figure
    [ -f "$table" ] || table=$golden/$table.tsv
    if ! gnuplot -c "reports/fig_$figure.gp" "$table" "$stem" 2>"$stem.log"; then
        not_ok "figure $figure: $(head -n 1 "$stem.log")"
        return
    fi
    if [ -s "$stem.log" ]; then
        not_ok "figure $figure: gnuplot said: $(grep -m1 . "$stem.log")"
        return
    fi
    case $(head -c 5 "$stem.pdf") in %PDF-) ;; *) not_ok "figure $figure: no PDF"; return ;; esac
    case $(head -c 4 "$stem.png" | tail -c 3) in PNG) ;; *) not_ok "figure $figure: no PNG"; return ;; esac
    case $(tail -c 8 "$stem.svg") in *"</svg>"*) ;; *) not_ok "figure $figure: no whole SVG"; return ;; esac
    text_of "$stem.svg" >"$stem.txt"
    for label in "$@"; do
        if ! grep -qF -- "$label" "$stem.txt"; then
            not_ok "figure $figure: found no \"$label\" in its SVG"
            return
        fi
    done
    ok "figure $figure"
}

draw scopes scopes "FP16 energy / ternary energy" "one operation" datapath core system 71.4
draw energy energy_components "energy per token (mJ)" "share of the energy (%)" DRAM SRAM ternary-edge fp16-mac
draw energy_ratio energy_ratio "energy (pJ)" "FP16 energy / ternary energy" "parameters (billions)" "71.4 times"
draw model_size model_size "time per output token (ms)" "(GB)" "parameters (billions)"
draw batch batch "batch (sequences side by side)" "throughput (tokens/s)" ternary-resident
draw roofline roofline "operations per byte from memory" "operations per second" int8-mac
draw timeline timeline "time since the layer began (µs)" "ternary-edge: 250 µs" down_proj
draw cpu cpu_kernels "weights per second" "decode speed (tokens/s)" "6912 x 2560"
draw loss workloads/shipped/loss.tsv "tokens trained on (millions)" "loss (nats per token)" "ternary, held out"
draw ppl workloads/shipped/ppl.tsv "energy per token (µJ)" "perplexity per token" "with multipliers" "2 / 3"

# No script without a row above.
count=$(find reports -name 'fig_*.gp' | wc -l)
drawn=$(grep -c '^draw [a-z]' "$0")
if [ "$count" -eq "$drawn" ]; then ok "every figure is tested"; else
    not_ok "found $count scripts in reports/, and $drawn rows in this test"
fi

# A missing table: exit status not 0, its name and what to do, and no file left.
for script in reports/fig_*.gp; do
    figure=$(basename "$script" .gp)
    if gnuplot -c "$script" "$work/none.tsv" "$work/none" 2>"$work/none.log"; then
        not_ok "$figure: drawn from a table that is not there"
    elif ! grep -q "none.tsv: no such table" "$work/none.log"; then
        not_ok "$figure: a missing table is told as: $(grep -m1 . "$work/none.log")"
    elif ls "$work"/none.svg "$work"/none.pdf "$work"/none.png >/dev/null 2>&1; then
        not_ok "$figure: a missing table left a file"
    else
        ok "$figure without its table"
    fi
done

# Golden tables have the columns that lpu report writes: cli/report_tables.def, word for word.
columns_of() {
    awk -v name="$1" '
        $0 ~ "^LPU_REPORT_TABLE\\(" name "," { is_in = 1 }
        is_in { text = text $0 }
        is_in && /\)$/ { is_in = 0 }
        END {
            n = split(text, part, "\"")            # odd parts are outside the strings
            for (i = 2; i <= n; i += 2) { if (part[i - 1] ~ /,[ ]*$/) group++; joined[group] = joined[group] part[i] }
            print joined[2]
        }' cli/report_tables.def | sed 's/\\t/\t/g'
}
for table in "$golden"/*.tsv; do
    name=$(basename "$table" .tsv)
    found=$(grep -v '^#' "$table" | head -n 1)
    expected=$(columns_of "$name")
    if [ -n "$expected" ] && [ "$found" = "$expected" ]; then ok "columns of $name"; else
        not_ok "columns of $name: found \"$found\", expected \"$expected\""
    fi
done
exit "$failed"
