#!/bin/sh
# tests/long/top_coverage.sh - what the programs reach of the whole LPU's Verilog: lines and toggles as
# Verilator counts them, and every kind of work (rtl/verify/top_bins.cc).
#
# The report is build/coverage: report.txt, bins.tsv, and the Verilog with counts in annotated/. Exit 1
# where less than 98 % of the lines are reached or a bin is empty.
set -u
cd "$(dirname "$0")/../.."
out=build/coverage
lpu=build/bin/lpu
rm -rf "$out"
mkdir -p "$out/data" "$out/bins"
export OPT_FAST=-O0

# coverage DESIGN ARGUMENT...: adds a run; its build is kept from run to run
n=0
coverage() {
    design=$1
    shift
    n=$((n + 1))
    program=$("$lpu" verify --harness coverage --design "tests/top/designs/$design.yaml") || exit 1
    "$program" design="tests/top/designs/$design.yaml" folder="$out" coverage="$out/data/$n.dat" \
        bins="$out/bins/$n" "$@" >"$out/log" 2>&1 3>"$out/answer" </dev/null || {
        echo "not ok  coverage: $design $*: $(tail -1 "$out/log")"
        exit 1
    }
}
for design in small-8x10 small-16x20 small-24x16 small-32x40; do
    coverage $design random=12 seed=1
    coverage $design random=6 seed=50 stalls=90
    coverage $design faults=3 operations=12 seed=3
    coverage $design model=tests/top/models/tiny.yaml tokens=6 decode=3 batch=2
done
coverage small-8x10 model=tests/top/models/untied.yaml tokens=9 decode=1
coverage small-24x16 model=tests/top/models/grouped.yaml tokens=4 decode=1 context=40

verilator_coverage --write "$out/merged.dat" "$out"/data/*.dat >"$out/log" 2>&1
verilator_coverage --annotate "$out/annotated" --annotate-min 1 "$out/merged.dat" >>"$out/log" 2>&1
cat "$out"/bins/* | awk -F '\t' '{ sum[$1] += $2 } END { for (name in sum) print name "\t" sum[name] }' |
    sort >"$out/bins.tsv"

# A point is a line of merged.dat: its kind, file and count.
awk -v bins="$out/bins.tsv" '
    /^C / {
        kind = match($0, /\001page\002v_[a-z]*/) ? substr($0, RSTART + 8, RLENGTH - 8) : "other"
        file = match($0, /\001f\002[^\001]*/) ? substr($0, RSTART + 3, RLENGTH - 3) : "?"
        sub(/.*\//, "", file)
        line = match($0, /\001l\002[0-9]*/) ? substr($0, RSTART + 3, RLENGTH - 3) : 0
        key = kind SUBSEP file SUBSEP line (kind == "line" ? "" : SUBSEP $0)
        if (kind == "toggle" && match($0, /\001o\002[^\001]*/))
            key = kind SUBSEP file SUBSEP line SUBSEP substr($0, RSTART + 3, RLENGTH - 3)
        if (!(key in seen)) { seen[key] = 1; points[kind]++; of[file, kind]++ }
        if ($NF > 0 && !(key in hit)) { hit[key] = 1; hits[kind]++; got[file, kind]++ }
    }
    END {
        for (kind in points)
            printf "%-8s %d of %d points reached, %.2f %%\n", kind, hits[kind], points[kind], 100 * hits[kind] / points[kind]
        for (key in seen) if (!(key in hit)) {
            split(key, part, SUBSEP)
            if (part[1] == "line") print "line not reached: " part[2] ":" part[3]
        }
        while ((getline row <bins) > 0) {
            split(row, part, "\t")
            all++
            if (part[2] > 0) full++
            else print "bin not hit: " part[1]
        }
        printf "%-8s %d of %d hit\n", "bins", full, all
        exit 100 * hits["line"] < 98 * points["line"] || full < all
    }
' "$out/merged.dat" | sort >"$out/report.txt"
cat "$out/report.txt"
awk '/^line / && $NF != "%" { exit 1 } /^line / { exit $(NF - 1) < 98 }' "$out/report.txt" &&
    ! grep -q '^bin not hit' "$out/report.txt"
