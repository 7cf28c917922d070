# tests/long/top_coverage.awk - the report of tests/long/top_coverage.sh. Files, in this order:
#
#   .../top_uncovered.tsv what may be left: file, text of its line, reason (tests/long/top_uncovered.tsv)
#   .../bins.tsv           group, bin, hits
#   .../toggles.dat        points of verilator_coverage, a line each
#   .../lines/*.v          Verilog with counts, of lines; .../branches/*.v of branches
#
# -v TOGGLES=FILE: where the signals go, with bits that toggled and bits. Exit 1 where less than 98 % of the
# lines or of the branches are reached, a bin is empty, or what is left has no reason.
BEGIN { FS = "\t"; kinds[1] = "lines"; kinds[2] = "branches"; kinds[3] = "toggles" }

function share(hits, all) { return all ? sprintf("%6.2f %%", 100 * hits / all) : "" }
function base(path) { sub(/.*\//, "", path); return path }
function field(key) { # of a point
    return match($0, "\001" key "\002[^\001']*") ? substr($0, RSTART + 3, RLENGTH - 3) : ""
}

FNR == 1 { file = base(FILENAME); kind = "" }
FILENAME ~ /uncovered\.tsv$/ {
    if (!/^#/ && NF == 3) reason[$1, $2] = $3
    next
}
FILENAME ~ /\/bins\.tsv$/ {
    if (!($1 in bins)) group[++groups] = $1
    bins[$1]++
    if ($3 > 0) bins_hit[$1]++
    else empty[++empties] = substr($1, index($1, " ") + 1) ": " $2
    next
}
FILENAME ~ /toggles\.dat$/ {
    if (!/v_toggle/) next
    name = base(field("f"))
    count("toggles", name, $0 !~ / 0$/)
    signal = field("o")
    bits[name, signal_of(signal)]++
    if (!/ 0$/) next
    quiet[name, signal_of(signal)]++
    bit = match(signal, /[0-9]+\]$/) ? substr(signal, RSTART) + 0 : 0
    if (bit >= 16) high++
    next
}
function signal_of(name) { sub(/\[.*/, "", name); return name }
function count(kind, name, is_hit) {
    files[name]
    all[kind, name]++; all[kind]++
    if (is_hit) { hit[kind, name]++; hit[kind]++ }
}

# Verilog with counts: "%000000" or " 000123" begins a line with a point. More points of one line follow on
# lines of their own; the first line of the file is no line of the Verilog.
FNR == 1 { number = -1; text = "" }
{
    is_more = /verilator_coverage: \(next point on previous line\)/
    if (!is_more && !($0 == "" && was_more)) {
        number++
        text = $0
        sub(/^[% ][0-9]*\t/, "", text); sub(/^\t/, "", text); gsub(/^ +| +$/, "", text)
    }
    was_more = is_more
}
/^[% ][0-9]+\t/ {
    kind = FILENAME ~ /\/lines\// ? "lines" : "branches"
    count(kind, file, !/^%/)
    if (!/^%/) next
    key = file SUBSEP text
    if (!((file, number) in told)) {
        told[file, number]
        left[++lefts] = file ":" number "  " text
        why[lefts] = key in reason ? reason[key] : ""
    }
}

END {
    print "Coverage of rtl/*.v by the programs of tests/long/top_coverage.sh\n"
    for (k = 1; k <= 3; k++) {
        kind = kinds[k]
        printf "%-9s %6d of %6d  %s\n", kind, hit[kind], all[kind], share(hit[kind], all[kind])
        if (k < 3 && 100 * hit[kind] < 98 * all[kind]) bad = 1
    }
    for (g = 1; g <= groups; g++) { b += bins[group[g]]; h += bins_hit[group[g]] }
    printf "%-9s %6d of %6d  %s\n", "bins", h, b, share(h, b)

    printf "\n%-26s %22s %22s %24s\n", "file", "lines", "branches", "toggles"
    n = 0
    for (name in files) order[++n] = name
    for (i = 2; i <= n; i++)
        for (j = i; j > 1 && order[j - 1] > order[j]; j--) {
            swap = order[j]; order[j] = order[j - 1]; order[j - 1] = swap
        }
    for (i = 1; i <= n; i++) {
        name = order[i]
        printf "%-26s", name
        for (k = 1; k <= 3; k++) {
            kind = kinds[k]
            if (all[kind, name])
                printf " %*d of %*d %s", k < 3 ? 5 : 6, hit[kind, name], k < 3 ? 4 : 5, all[kind, name], share(hit[kind, name], all[kind, name])
            else printf " %*s", k < 3 ? 22 : 24, "-"
        }
        print ""
    }

    print "\nbins"
    for (g = 1; g <= groups; g++)
        printf "%6d of %4d  %s\n", bins_hit[group[g]], bins[group[g]], substr(group[g], index(group[g], " ") + 1)
    for (i = 1; i <= empties; i++) print "  empty: " empty[i]
    if (empties) bad = 1

    print "\ntoggles that are left, of small-8x10; toggles.tsv has every signal"
    printf "%6d  bits from 16 on: addresses of a scratchpad of 64 KiB, sizes and counts beyond these programs\n", high
    printf "%6d  others\n", all["toggles"] - hit["toggles"] - high

    print "\nlines and branches that are left"
    for (i = 1; i <= lefts; i++) {
        print "  " left[i] "\n      " (why[i] == "" ? "NO REASON GIVEN in tests/long/top_uncovered.tsv" : "because " why[i])
        if (why[i] == "") bad = 1
    }
    if (!lefts) print "  none"
    for (s in bits) {
        split(s, part, SUBSEP)
        print part[1] "\t" part[2] "\t" bits[s] - quiet[s] "\t" bits[s] >TOGGLES
    }
    exit bad
}
