#!/bin/sh
# tests/rtl/icarus_test.sh - every testbench tests/rtl/*_tb.v under Icarus; $stop is a failure.
set -u
cd "$(dirname "$0")/../.."
work=build/tests/icarus
mkdir -p "$work"
for bench in tests/rtl/*_tb.v; do
    name=$(basename "$bench" .v)
    # shellcheck disable=SC2046
    if ! iverilog -g2005 -Wall -Wno-timescale -Irtl -s "$name" -o "$work/$name.vvp" "$bench" $(ls rtl/lpu_*.v) \
        >"$work/$name.log" 2>&1; then
        echo "not ok  $name: $(head -1 "$work/$name.log")"
    elif ! vvp -N "$work/$name.vvp" >"$work/$name.log" 2>&1; then
        cat "$work/$name.log"
        echo "not ok  $name: stopped by an assertion"
    else
        cat "$work/$name.log"
    fi
done
