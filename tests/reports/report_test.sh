#!/bin/sh
# tests/reports/report_test.sh - a quick run of the main job from end to end: every table, every
# figure and the page are there; what it prints agrees with what it writes.
set -u
cd "$(dirname "$0")/../.." || exit 1
lpu=$PWD/build/bin/lpu
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
failed=0

ok() { echo "ok      $1"; }
not_ok() {
    echo "not ok  $1"
    failed=1
}
check() {
    title=$1
    shift
    if "$@"; then ok "$title"; else not_ok "$title"; fi
}

if [ ! -x "$lpu" ]; then
    echo "not ok  report: build/bin/lpu is not built"
    exit 1
fi
if ! command -v gnuplot >/dev/null; then
    echo "skip    report: gnuplot is not installed"
    exit 0
fi

if ! "$lpu" report --quick --json --out "$work/r" >"$work/said" 2>"$work/errors"; then
    not_ok "report --quick: $(head -n 1 "$work/errors")"
    exit 1
fi
ok "report --quick"
r=$work/r

# cell TABLE COLUMN KEY... : the cell of the first row that begins with these cells.
cell() {
    file=$r/tables/$1.tsv column=$2
    shift 2
    awk -F'\t' -v column="$column" -v keys="$*" '
        /^#/ { next }
        !heads { for (i = 1; i <= NF; i++) at[$i] = i; heads = 1; next }
        { n = split(keys, key, " "); for (i = 1; i <= n; i++) if ($i != key[i]) next; print $at[column]; exit }' "$file"
}
heads_as_golden() {
    for golden in tests/reports/golden/*.tsv; do
        written=$r/tables/$(basename "$golden")
        [ "$(grep -v '^#' "$golden" | head -n 1)" = "$(grep -v '^#' "$written" | head -n 1)" ] || {
            echo "    $written has other columns than $golden"
            return 1
        }
    done
    [ "$(find "$r/tables" -type f | wc -l)" -eq "$(find tests/reports/golden -type f | wc -l)" ]
}
drawn() {
    for script in reports/fig_*.gp; do
        case $script in */fig_loss.gp) continue ;; esac # of a trained model's card
        stem=$r/figures/$(basename "$script" .gp | sed 's/^fig_//')
        [ -s "$stem.svg" ] && [ -s "$stem.pdf" ] && [ -s "$stem.png" ] || { echo "    $stem is not there"; return 1; }
    done
}
every_design() {
    for design in sim/designs/*.yaml; do
        name=$(basename "$design" .yaml)
        grep -q "^$name	.*	decode" "$r/tables/results.tsv" || grep -q " $name," "$r/tables/skipped.tsv" || {
            echo "    $name is neither run nor skipped"
            return 1
        }
    done
}
# Components add up to the total, and the scopes are those of the two machines.
adds_up() {
    awk -F'\t' '/^#/ { next } !n++ { next }
        { sum = 0; for (i = 3; i < NF; i++) sum += $i; d = sum / $NF - 1; if (d > 1e-4 || d < -1e-4) { print "    " $1 ": " sum; bad = 1 } }
        END { exit bad }' "$r/tables/energy_components.tsv"
}
ratio_of_totals() {
    t=$(cell energy_components total_pj_per_token ternary-edge)
    f=$(cell energy_components total_pj_per_token fp16-mac)
    found=$(cell scopes ratio decode system)
    awk -v t="$t" -v f="$f" -v r="$found" 'BEGIN { d = f / t / r - 1; exit !(d < 1e-4 && d > -1e-4) }'
}
# The published ratios, but for what the papers do not tell (at most 1.5 %).
published_met() {
    awk -F'\t' '/^#/ { next } !n++ { next } { d = $4 / $3 - 1; if (d > 0.015 || d < -0.015) { print "    " $1 ": " $4; bad = 1 } } END { exit bad }' \
        "$r/tables/energy_ratio.tsv"
}
json_agrees() {
    json=$(tr ',' '\n' <"$work/said" | awk '/"decode_ratio"/ { is_in = 1 } is_in && /"system"/ { gsub(/[^0-9.]/, ""); print; exit }')
    found=$(cell scopes ratio decode system)
    awk -v a="$json" -v b="$found" 'BEGIN { d = a / b - 1; exit !(d < 1e-4 && d > -1e-4) }'
}
nothing_temporary() { [ -z "$(find "$r" -name '*.tmp-*' -o -name '.*-[0-9]*')" ]; }
priced() { ! awk -F'\t' '/^#/ { next } !n++ { next } $5 == "-" || $5 == "" { exit 1 }' "$r/tables/prices.tsv" && return 1 || return 0; }

check "columns as the golden tables" heads_as_golden
check "every figure is drawn" drawn
check "every design is run, or skipped with a reason" every_design
check "components add up to the total" adds_up
check "the system ratio is that of the totals" ratio_of_totals
check "published ratios are met by the paper method" published_met
check "JSON and tables agree" json_agrees
check "every price has a source" priced
check "nothing temporary is left" nothing_temporary
check "the page quotes the run" grep -q "$(awk -F'\t' '$1 == "ternary_speed" { print $2 }' "$r/tables/summary.tsv")" "$r/index.html"

# The command line: what is wrong is told, and nothing is written.
if "$lpu" report --model no-such-model --out "$work/n" >"$work/said" 2>&1; then not_ok "an unknown model"; else
    check "an unknown model" grep -q "no-such-model" "$work/said"
fi
if "$lpu" report --out /proc/none >"$work/said" 2>&1; then not_ok "a folder that cannot be made"; else
    check "a folder that cannot be made" grep -q "/proc/none" "$work/said"
fi
exit "$failed"
