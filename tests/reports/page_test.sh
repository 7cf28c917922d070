#!/bin/sh
# tests/reports/page_test.sh - the page is made of the golden tables and nothing else, and is whole:
# no mark left unfilled, no id twice, nothing loaded from elsewhere; damage is told, not drawn.
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
check() { # check NAME COMMAND... : ok when the command succeeds
    title=$1
    shift
    if "$@"; then ok "$title"; else not_ok "$title"; fi
}

if [ ! -x "$lpu" ]; then
    echo "not ok  page: build/bin/lpu is not built"
    exit 1
fi
if ! command -v gnuplot >/dev/null; then
    echo "skip    page: gnuplot is not installed"
    exit 0
fi

mkdir -p "$work/tables"
cp tests/reports/golden/*.tsv "$work/tables/"
if ! "$lpu" report --redraw --out "$work" >"$work/said" 2>&1; then
    not_ok "redraw: $(head -n 1 "$work/said")"
    exit 1
fi
page=$work/index.html
ok "redraw"

no_marks() { ! grep -q '{{\|}}' "$page"; }
whole() { tail -n 1 "$page" | grep -q '</html>'; }
ids_once() { [ -z "$(grep -o ' id=["'"'"'][^"'"'"']*' "$page" | sort | uniq -d)" ]; }
nothing_outside() { ! grep -qE '(src|href)=["'"'"'](https?:)?//|@import|url\((https?:)?//|<script|<link' "$page"; }
nine_figures() { [ "$(grep -c '<svg' "$page")" -eq 9 ]; }
links_lead() {
    for file in $(grep -oE 'href="(figures|tables)/[^"]*"' "$page" | cut -d'"' -f2 | sort -u); do
        [ -s "$work/$file" ] || { echo "    $file is not there"; return 1; }
    done
}
anchors_lead() {
    for anchor in $(grep -oE '<a href="#[^"]*"' "$page" | cut -d'#' -f2 | tr -d '"' | sort -u); do
        grep -q "id=\"$anchor\"" "$page" || { echo "    #$anchor is not there"; return 1; }
    done
}
in_millijoules() { grep -q '<td class="n">29.08</td>' "$page"; } # 29.081e9 pJ per token
nothing_temporary() { [ -z "$(find "$work" -name '*.tmp-*' -o -name '.*-[0-9]*')" ]; }

check "no mark is left unfilled" no_marks
check "the page is whole" whole
check "no id twice" ids_once
check "nothing from elsewhere" nothing_outside
check "nine figures inline" nine_figures
check "links to files lead somewhere" links_lead
check "links within the page lead somewhere" anchors_lead
check "energies are shown in millijoules" in_millijoules
check "nothing temporary is left" nothing_temporary

# A table without rows: the page says so where the figure would be.
grep -v -e '^decode' -e '^prefill' "$work/tables/scopes.tsv" >"$work/empty" && mv "$work/empty" "$work/tables/scopes.tsv"
if "$lpu" report --redraw --out "$work" >"$work/said" 2>&1 && grep -q 'class="absent"' "$page" &&
    [ ! -e "$work/figures/scopes.svg" ]; then
    ok "an empty table"
else
    not_ok "an empty table: $(head -n 1 "$work/said")"
fi

# A row with a column too few: file and line, and the page stays as it was.
before=$(cksum <"$page")
printf 'short\trow\n' >>"$work/tables/results.tsv"
if "$lpu" report --redraw --out "$work" >"$work/said" 2>&1; then
    not_ok "a short row: no error"
elif ! grep -q 'results.tsv:[0-9]*: found 2 columns' "$work/said"; then
    not_ok "a short row: $(head -n 1 "$work/said")"
elif [ "$before" != "$(cksum <"$page")" ]; then
    not_ok "a short row: the page was touched"
else
    ok "a short row"
fi

rm "$work/tables/batch.tsv"
if "$lpu" report --redraw --out "$work" >"$work/said" 2>&1; then
    not_ok "a missing table: no error"
elif ! grep -q 'batch.tsv' "$work/said"; then
    not_ok "a missing table: $(head -n 1 "$work/said")"
else
    ok "a missing table"
fi
exit "$failed"
