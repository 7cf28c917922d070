#!/bin/sh
# tests/run.sh PROGRAM... - runs test programs, shows what failed, ends with one line of counts.
#
# A program prints "ok ...", "not ok ..." and "skip ..." lines. One that prints none of them, or
# exits non-zero without a "not ok", counts as one failure. LOGS go to build/tests/log.
set -u
logs=build/tests/log
mkdir -p "$logs"
passed=0 failed=0 skipped=0
for program in "$@"; do
    name=$(echo "${program#build/}" | tr '/' '_')
    log=$logs/$name.log
    start=$(date +%s)
    "./$program" >"$log" 2>&1 </dev/null
    status=$?
    p=$(grep -c '^ok ' "$log") f=$(grep -c '^not ok ' "$log") s=$(grep -c '^skip ' "$log")
    if [ "$status" -ne 0 ] && [ "$f" -eq 0 ]; then
        echo "not ok  $program: exit status $status" >>"$log"
        f=1
    elif [ $((p + f + s)) -eq 0 ]; then
        echo "not ok  $program: printed no result" >>"$log"
        f=1
    fi
    printf '%-44s %4d passed %3d failed %3d skipped %4ds\n' "$program" "$p" "$f" "$s" \
        $(($(date +%s) - start))
    grep '^skip ' "$log" | sed 's/^/    /'
    if [ "$f" -gt 0 ]; then
        grep '^not ok ' "$log" | head -20 | sed 's/^/    /'
        [ "$p" -eq 0 ] && tail -n 15 "$log" | sed 's/^/    | /'
    fi
    passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
