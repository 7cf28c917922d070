#!/bin/sh
# tests/long/top_mutate_test.sh - single-point faults in the whole LPU's Verilog, made by
# top_mutants.awk: does the suite see them? One build holds all of them.
#
# A fault that no program tells from the LPU on the first design is tried on the second. Those that stay
# must be named in top_mutants_equal.tsv (file, what was, what is, why it changes nothing). MUTANTS=n asks for
# about n faults (140), SEED=n takes others, RESULT=file gets a line for each.
set -u
cd "$(dirname "$0")/../.."
want=${MUTANTS:-140}
seed=${SEED:-3}
work=build/top/mutate
equal=tests/long/top_mutants_equal.tsv
result=${RESULT:-$work/result}
rm -rf "$work"
mkdir -p "$work/rtl"
export OPT_FAST=-O0

awk -v want="$want" -v seed="$seed" -v out="$work/rtl" -v list="$work/list" -f tests/long/top_mutants.awk \
    rtl/lpu_*.v >"$work/count" || { echo "not ok  no faults were planted"; exit 1; }
cp rtl/*.vh "$work/rtl/"
echo "# $(cat "$work/count") places"

# Without a fault the copy is the LPU.
for design in small-8x10 small-24x16; do
    mkdir -p "$work/$design"
    if ! timeout 3000 build/bin/lpu verify --no-waveform --rtl "$work/rtl" --build "$work/$design" --random 2 \
        --design "tests/top/designs/$design.yaml" >"$work/log" 2>&1; then
        echo "not ok  $design: $(tail -1 "$work/log")"
        exit 1
    fi
done
echo "ok      with no fault on, the copy is the LPU"

# kills MUTANT DESIGN ARGUMENT...: the harness ends otherwise than with equal, or not at all
kills() {
    k=$1 d=$2
    shift 2
    program=$(ls "$PWD/$work/$d"/speed-*/top_verify)
    ! timeout 120 "$program" design="tests/top/designs/$d.yaml" folder="$work" mutant="$k" "$@" \
        >"$work/log" 2>&1 3>"$work/answer" </dev/null
}

killed=0 same=0 alive=0
: >"$result"
tab=$(printf '\t')
while IFS=$tab read -r number where was is; do
    for how in "small-8x10 random=2 operations=30 seed=7" "small-24x16 random=2 operations=30 seed=9" \
        "small-8x10 faults=2 operations=10 seed=3" "small-8x10 model=tests/top/models/tiny.yaml tokens=5 decode=2" \
        "small-24x16 random=12 seed=100" "small-8x10 random=12 seed=200" \
        "small-24x16 model=tests/top/models/untied.yaml tokens=6 decode=1 stalls=40" "small-24x16 faults=4 seed=50"; do
        # shellcheck disable=SC2086
        if kills "$number" $how; then
            killed=$((killed + 1))
            printf 'killed\t%s\t%s\t%s\t%s\t%s\n' "$number" "$where" "$was" "$is" "$how" >>"$result"
            continue 2
        fi
    done
    how=alive
    grep -q -F -e "${where%%:*}$tab$was$tab$is$tab" "$equal" 2>/dev/null && how=equal
    printf '%s\t%s\t%s\t%s\t%s\n' $how "$number" "$where" "$was" "$is" >>"$result"
    if [ $how = equal ]; then
        same=$((same + 1))
    else
        alive=$((alive + 1))
        echo "# alive: $where: $was -> $is"
    fi
done <"$work/list"
total=$((killed + same + alive))
if [ $((100 * alive)) -le $((2 * total)) ]; then
    echo "ok      $killed of $total faults seen, $same change nothing, $alive stay"
else
    echo "not ok  $killed of $total faults seen, $same change nothing, $alive stay, expected at most 2 %"
fi
[ $((100 * alive)) -le $((2 * total)) ]
