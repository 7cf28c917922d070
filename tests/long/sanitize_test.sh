#!/bin/sh
# tests/long/sanitize_test.sh - every unit test and every bad input again, in a copy of the tree
# (build/asan/tree) that is built with the address and undefined-behaviour sanitizers.
set -u
cd "$(dirname "$0")/../.."
tree=build/asan/tree
log=build/asan/log
failed=0

mkdir -p "$tree"
rm -rf "${tree:?}/tests" "${tree:?}/sim" "${tree:?}/kernels" "${tree:?}/workloads" \
    "${tree:?}/energy_model" "${tree:?}/cli"
cp -rp Makefile workloads sim kernels energy_model cli tests reports rtl "$tree"
cd "$tree" || exit 1
programs=$(ls tests/unit/*_test.c | sed 's|^tests/\(.*\)\.c$|build/tests/\1|')
# Two compilers at once; the optimiser at 1 keeps the run short.
# The sanitizers make the compiler see warnings that are none: they are not errors here.
if ! make -j2 WARN=-Wall OPT='-O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined' \
    build/bin/lpu $programs >../log 2>&1; then
    echo "not ok  sanitizer_build: $(grep -m1 error ../log); see $log"
    exit 1
fi
export ASAN_OPTIONS=detect_leaks=1:abort_on_error=0:exitcode=99
export UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1:exitcode=99
check() { # check NAME COMMAND...
    name=$1
    shift
    timeout 1800 "$@" >../"$name".log 2>&1
    status=$?
    if grep -q -e 'AddressSanitizer' -e 'LeakSanitizer' -e 'runtime error:' ../"$name".log; then
        echo "not ok  $name: $(grep -m1 -e 'SUMMARY' -e 'runtime error:' ../"$name".log |
            cut -c1-200); see build/asan/$name.log"
        failed=1
    elif [ "$status" -ne 0 ]; then
        echo "not ok  $name: exit status $status; see build/asan/$name.log"
        failed=1
    else
        echo "ok      $name: $(grep -c '^ok ' ../"$name".log) tests"
    fi
}
# The leak checker itself crashes on the threads that OpenBLAS and oneDNN leave behind.
leaks=$ASAN_OPTIONS
for program in $programs; do
    case $program in */measure_library_test) ASAN_OPTIONS=$leaks:detect_leaks=0 ;; esac
    check "$(basename "$program")" "$program"
    ASAN_OPTIONS=$leaks
done
check bad_input tests/cli/bad_input_test.sh
exit $failed
