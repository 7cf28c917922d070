#!/bin/sh
# tests/long/top_mutate_test.sh - single-point faults in the whole LPU's Verilog, planted by
# top_mutants.awk: does the suite see them?
#
# One build of each design holds all faults. A fault meets the runs of top_mutants_runs.txt one after
# the other, then the benches of tests/top that hold its file, until one tells it from the LPU. One
# that none sees must be named in top_mutants_equal.tsv (file, what was, what is, why nothing changes),
# and does not count as seen.
#
#   MUTANTS=n  about so many faults (140)     SEED=n    others
#   JOBS=n     at a time (all cores)          RESULT=f  a line for each; a list that was stopped goes on
set -u
cd "$(dirname "$0")/../.."
work=${WORK:-build/top/mutate}
jobs=${JOBS:-$(nproc)}
equal=tests/long/top_mutants_equal.tsv
runs=tests/long/top_mutants_runs.txt
places=${SEED:-3}
unset SEED # to the benches it means something else
export WORK="$work" OPT_FAST="${OPT_FAST:--O1}" # a build is one minute, the runs are thousands
tab=$(printf '\t')

# plant FOLDER LIST [NUMBER]: the Verilog with all faults, or with one alone
plant() {
    awk -v want="${MUTANTS:-140}" -v seed="$places" -v out="$1" -v list="$2" -v alone="${3:-}" \
        -f tests/long/top_mutants.awk rtl/lpu_*.v && cp rtl/*.vh "$1"
}

# ---- one fault ----

# run NUMBER DESIGN ARGUMENT...: 0 when the fault is seen; how is in $seen. A run that goes on for
# half a minute of processor time hangs: without a fault each ends in seconds.
run() {
    number=$1 design=$2
    shift 2
    program=$(cat "$work/program-$design")
    answer=$work/answer-$number
    (
        ulimit -t 30
        LPU_MUTANT=$number exec "$program" "design=tests/top/designs/$design.yaml" "folder=$work" "$@" \
            3>"$answer" >"$answer.log" 2>&1 </dev/null
    ) 2>/dev/null
    case $? in
    0) seen='' ;;
    1) seen=$(sed -n 's/^ *"signal": "\(.*\)",*$/\1/p' "$answer" | head -1) ;;
    2) seen="refused: $(sed -n 's/^ *"text": "\(.*\)",*$/\1/p' "$answer" | head -1)" ;;
    12[5-7]) # no program: xargs ends, too
        echo "not ok  cannot run $program" >&2
        exit 255
        ;;
    *) seen="does not end" ;;
    esac
    rm -f "$answer" "$answer.log"
    [ -n "$seen" ]
}

# bench NUMBER NAME: 0 when the bench, or the proof, says not ok. What did not build or came to no end
# under load says nothing.
bench() {
    mkdir -p "$work/bench-$2"
    seen=$(
        export LPU_MUTANT="$1" RTL="$work/rtl" OUT="$work/bench-$2"
        case $2 in
        array)
            tests/lockstep/build.sh 8x10-1-base3-4-4 >"$OUT/log" 2>&1 || echo "not ok  build failed"
            timeout 100 "$OUT/8x10-1-base3-4-4/array_lockstep" array --cycles 100000 2>&1
            ;;
        guard | host)
            RTL=$OUT/rtl
            mkdir -p "$RTL"
            plant "$RTL" "$OUT/list" "$([ "$1" -eq 0 ] && echo none || echo "$1")" >/dev/null &&
                "tests/formal/$2_test.sh" 2>&1 | grep 'Assert failed'
            ;;
        *) "tests/top/$2_test.sh" 2>&1 ;;
        esac </dev/null | grep '^not ok' | grep -m1 -v 'build failed' | cut -c1-90
    )
    [ -n "$seen" ]
}

# The benches and proofs that hold a file.
benches_of() {
    case $1 in
    lpu_stream*.v | lpu_walk.v | lpu_fifo*.v | lpu_store.v) echo stream ;;
    lpu_vector*.v) echo vector ;;
    lpu_scal*.v | lpu_shift_add.v) echo scalar vector ;;
    lpu_scratch*.v) echo scratch ;;
    lpu_host.v) echo host sequencer ;;
    lpu_sequencer.v | lpu_score*.v | lpu_program.v | lpu_insn_check.v) echo sequencer ;;
    lpu_product*.v) echo product ;;
    lpu_guard.v) echo guard ;;
    lpu_top.v | lpu_perf.v) ;;
    *) echo array product ;;
    esac
}

# A line of the list as $number, $where, $kind, $was and $is
read_fault() {
    IFS=$tab read -r number where kind was is <<END
$(sed -n "$1p" "$work/list")
END
}

# tell WHAT BY: what became of the fault that was read
tell() {
    printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$1" "$number" "$where" "$kind" "$was" "$is" "$2" >>"$RESULT"
    [ -t 2 ] && printf '\r%s of %s' "$(cut -f2 "$RESULT" | grep -v '^#' | sort -u | wc -l)" "$(wc -l <"$work/list")" >&2
    return 0
}

if [ "${1:-}" = judge ]; then
    read_fault "$2"
    while IFS='|' read -r design arguments; do
        case $design in '' | '#'*) continue ;; esac
        # shellcheck disable=SC2086
        run "$number" "$design" $arguments || continue
        tell seen "$design $arguments: $seen"
        exit 0
    done <"$runs"
    tell open 'by no program'
    exit 0
fi

# ---- all of them ----

RESULT=${RESULT:-$work/result}
export RESULT
rm -rf "$work/new"
mkdir -p "$work/rtl" "$work/new"
plant "$work/new" "$work/list" >"$work/count" || { echo "not ok  no faults were planted"; exit 1; }
for file in "$work"/new/*; do # what is the same stays as old as it is, for make
    cmp -s "$file" "$work/rtl/${file##*/}" || cp "$file" "$work/rtl/"
done
echo "# $(cat "$work/count") places"

# Without a fault the copy is the LPU.
for design in $(sed -n 's/^\([a-z][^|]*\)|.*/\1/p' "$runs" | sort -u); do
    if ! build/bin/lpu verify --harness speed --rtl "$work/rtl" --build "$work/builds" \
        --design "tests/top/designs/$design.yaml" >"$work/program-$design" 2>"$work/log"; then
        echo "not ok  $design: $(tail -1 "$work/log")"
        exit 1
    fi
done
failed=0
while IFS='|' read -r design arguments; do
    case $design in '' | '#'*) continue ;; esac
    # shellcheck disable=SC2086
    run 0 "$design" $arguments || continue
    echo "not ok  with no fault on, $design $arguments: $seen"
    failed=1
done <"$runs"
[ $failed -eq 0 ] || exit 1
echo "ok      with no fault on, the copy is the LPU"

# What was judged before stays judged, where faults, runs and benches are the same.
key="# $(cat "$work/list" "$runs" tests/top/*.sh tests/top/*.cc tests/lockstep/*.cc tests/formal/* rtl/verify/*.cc | cksum)"
if [ "$(head -1 "$RESULT" 2>/dev/null)" != "$key" ]; then
    echo "$key" >"$RESULT"
    rm -f "$work"/bench-*/is_sound
fi
cut -f2 "$RESULT" | awk -v list="$work/list" '{ done[$1] = 1 } END { while ((getline line <list) > 0)
    if (!((line + 0) in done)) print line + 0 }' | xargs -r -P "$jobs" -n 1 "$0" judge

# What whole programs do not see: the benches, one at a time; the first time without a fault.
for number in $(awk -F '\t' '{ last[$2] = $1 } END { for (n in last) if (last[n] == "open") print n }' "$RESULT" | sort -n); do
    read_fault "$number"
    by=
    for name in $(benches_of "${where%%:*}"); do
        if [ ! -f "$work/bench-$name/is_sound" ]; then
            if bench 0 "$name"; then
                echo "not ok  with no fault on, the bench of $name: $seen"
                exit 1
            fi
            touch "$work/bench-$name/is_sound"
        fi
        bench "$number" "$name" && by="bench of $name: $seen" && break
    done
    if [ -n "$by" ]; then tell seen "$by"; else tell unseen ''; fi
done
[ -t 2 ] && echo >&2

awk -F '\t' -v equal="$equal" '
    BEGIN { while ((getline line <equal) > 0) { split(line, part, "\t"); why[part[1], part[2], part[3]] = part[4] } }
    /^#/ { next }
    $1 == "open" { next }
    {
        file = $3
        sub(/:.*/, "", file)
        kinds[$4]++
        total++
        if ($1 == "seen") { seen++; seen_of[$4]++ }
        else if ((file, $5, $6) in why) { same++; print "# equal: " $3 ": " $5 " -> " $6 ": " why[file, $5, $6] }
        else { alive++; print "# alive: " $3 ": " $5 " -> " $6 }
    }
    END {
        for (kind in kinds) printf "# %s: %d of %d seen\n", kind, seen_of[kind], kinds[kind]
        is_enough = total > same && 50 * seen >= 49 * (total - same)
        printf "%s%d of %d faults seen, %d change nothing, %d stay: %.1f %% of those that change something%s\n",
            is_enough ? "ok      " : "not ok  ", seen, total, same, alive, 100 * seen / (total - same),
            is_enough ? "" : ", expected 98 %"
        exit !is_enough
    }' "$RESULT"
