#!/bin/sh
# tests/long/top_coverage.sh - what the programs reach of the whole LPU's Verilog: lines, branches and
# toggles as Verilator counts them, and every kind of work (rtl/verify/top_bins.cc).
#
# build/coverage is then
#
#   report.txt      totals, a line for each file, bins by group, what is left and why
#   annotated/      the Verilog with counts of lines and branches; %000000 was not reached
#   bins.tsv        group, bin, hits
#   toggles.tsv     file, signal, bits that toggled, bits
#
# Exit 1 where less than 98 % of the lines or of the branches are reached, a bin is empty, or a line is
# left that tests/long/top_uncovered.tsv has no reason for.
#
# Lines are those of four designs. Toggles are those of the smallest: each bit has a counter there, and
# that is slow to build and to run.
set -u
cd "$(dirname "$0")/../.."
out=build/coverage
jobs=$(nproc 2>/dev/null || echo 1)
designs="small-8x10 small-16x20 small-24x16 small-32x40"

if ! command -v verilator >/dev/null 2>&1; then
    echo "skip    coverage: verilator is not installed"
    exit 0
fi
rm -rf "$out"
mkdir -p "$out/0" "$out/1" "$out/bins.d" "$out/runs"

# build DESIGN TOGGLES OPT: the harness, kept from run to run
build() {
    TOGGLES=$2 OPT_FAST=$3 build/bin/lpu verify --harness coverage --design "tests/top/designs/$1.yaml" \
        >"$out/program-$1-$2" || exit 1
    echo "built   $1$([ "$2" = 1 ] && echo ", with toggles")"
}

works() { # DESIGN TOGGLES WORK...
    echo small-8x10 1 every=8 seed=1 stalls=0
    echo small-8x10 1 faults=1 operations=6 seed=4
    echo small-8x10 0 model=tests/top/models/untied.yaml tokens=9 decode=1
    echo small-8x10 1 model=tests/top/models/tiny.yaml tokens=3 decode=1
    echo small-24x16 0 model=tests/top/models/grouped.yaml tokens=4 decode=1 context=40
    seed=3 # faults go on where those of the design before ended
    for design in $designs; do
        echo "$design" 0 every=8 seed=1 stalls=0
        echo "$design" 0 every=8 seed=2 stalls=90
        echo "$design" 0 random=12 seed=1
        echo "$design" 0 faults=6 operations=20 seed=$seed
        echo "$design" 0 model=tests/top/models/tiny.yaml tokens=6 decode=3 batch=2
        seed=$((seed + 6))
    done
}

run() {
    design=$1 toggles=$2
    shift 2
    name=$(echo "$design $toggles $*" | tr ' =/' '---')
    mkdir -p "$out/runs/$name"
    if "$(cat "$out/program-$design-$toggles")" design="tests/top/designs/$design.yaml" \
        folder="$out/runs/$name" coverage="$out/$toggles/$name.dat" bins="$out/bins.d/$name" "$@" \
        >"$out/runs/$name/log" 2>&1 3>"$out/runs/$name/answer" </dev/null; then
        echo "ok      $design: $*"
    else
        touch "$out/failed"
        echo "not ok  $design: $*: $(tail -1 "$out/runs/$name/log") $out/runs/$name/answer"
    fi
}

for design in $designs; do build "$design" 0 -O1; done
build small-8x10 1 -O0
worker=0
while [ "$worker" -lt "$jobs" ]; do
    works | awk -v jobs="$jobs" -v worker="$worker" 'NR % jobs == worker' | while read -r line; do
        # shellcheck disable=SC2086
        run $line
    done &
    worker=$((worker + 1))
done
wait
[ -e "$out/failed" ] && exit 1

# Points of one kind, of all designs, beside their lines: KIND is line or branch.
annotate() {
    folder=$1
    shift
    { head -1 "$out/merged.dat" && grep -a "$@" "$out/merged.dat"; } >"$out/$folder.dat"
    verilator_coverage --annotate "$out/$folder" --annotate-all --annotate-min 1 "$out/$folder.dat" >>"$out/log" 2>&1 || exit 1
}
verilator_coverage --write "$out/merged.dat" "$out"/[01]/*.dat >"$out/log" 2>&1 || exit 1
verilator_coverage --write "$out/toggles.dat" "$out"/1/*.dat >>"$out/log" 2>&1 || exit 1
annotate lines -e v_line
annotate branches -e v_branch
annotate annotated -e v_line -e v_branch
cat "$out"/bins.d/* | LC_ALL=C sort -t "$(printf '\t')" -k 1n -k 2 |
    awk -F '\t' -v OFS='\t' '$1 FS $2 != bin { if (NR > 1) print bin, sum; bin = $1 FS $2; sum = 0 }
        { sum += $3 } END { print bin, sum }' >"$out/bins.tsv"
LC_ALL=C awk -v TOGGLES="$out/toggles.tsv" -f tests/long/top_coverage.awk tests/long/top_uncovered.tsv "$out/bins.tsv" \
    "$out/toggles.dat" "$out"/lines/*.v "$out"/branches/*.v >"$out/report.txt"
status=$?
cat "$out/report.txt"
exit $status
