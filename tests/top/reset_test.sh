#!/bin/sh
# tests/top/reset_test.sh - after a soft reset at any time, the LPU runs as if new.
#
# SEED=n draws other programs and times; RUNS=n so many of each kind.
set -u
cd "$(dirname "$0")/../.."
home=$(pwd -P)
work=build/tests/reset
log=$work/log
mkdir -p "$work"
export OPT_FAST="${OPT_FAST:--O0}" # the build of top_test.sh
if ! command -v verilator >/dev/null 2>&1; then
    echo "skip    reset: verilator is not installed"
    exit 0
fi

if ! program=$(rtl/verify/top_build.sh "$home/build/verify" "$home/rtl" lpu_top speed Rows=8 Cols=10 \
    Lines=1 PassesMax=4 VectorLanes=8 Code=0 ScratchBytes=65536 FifoBytes=1024 FillBytes=2 BusBytes=8 \
    BurstBytes=32 Outstanding=8 StreamQueue=16 ProgramDepth=16384 2>"$log"); then
    echo "not ok  reset: $(head -1 "$log")"
    exit 1
fi
dir=$(dirname "$program")
shared=build/verify/shared-speed
root=$(verilator --getenv VERILATOR_ROOT)
objects=$(ls "$dir"/*.o "$shared"/*.o | grep -v top_main.o)
# shellcheck disable=SC2086
if ! g++ -std=gnu++17 -O1 -Wall -Wextra -Wshadow -Werror -I. -isystem "$root/include" \
    tests/top/reset_restart.cc $objects build/lib/liblpu.a -pthread -lcyaml \
    -lyaml -ljansson -lz -lm -o "$work/reset_restart" >"$log" 2>&1; then
    echo "not ok  reset: build failed: $(grep -m1 -e 'error' -e 'undefined' "$log")"
    exit 1
fi
timeout 100 "$work/reset_restart" tests/top/designs/small-8x10.yaml "${SEED:-1}" "${RUNS:-6}"
