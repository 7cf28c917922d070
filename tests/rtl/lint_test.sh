#!/bin/sh
# tests/rtl/lint_test.sh - the array under Verilator -Wall, Icarus -Wall and yosys check: no warning.
set -u
cd "$(dirname "$0")/../.."
log=build/tests/lint.log
mkdir -p build/tests

for parameters in "-GRows=8 -GCols=10" "-GRows=16 -GCols=20 -GLines=2 -GPassesMax=5" \
    "-GRows=13 -GCols=10 -GLines=3 -GOutLanes=1" "-GRows=16 -GCols=40 -GCode=1 -GOutLanes=16" \
    "-GRows=16 -GCols=40 -GCode=2" "-GRows=64 -GCols=160 -GPassesMax=64 -GOutLanes=16"; do
    # shellcheck disable=SC2086
    if verilator --lint-only -Wall -Irtl $parameters rtl/lpu_array.v >"$log" 2>&1 && [ ! -s "$log" ]; then
        echo "ok      verilator -Wall $parameters"
    else
        echo "not ok  verilator -Wall $parameters: $(head -1 "$log")"
    fi
done

modules=$(ls rtl/lpu_*.v)
# shellcheck disable=SC2086
if iverilog -g2005 -Wall -Wno-timescale -Irtl -s lpu_array -o build/tests/lint.vvp $modules >"$log" 2>&1 &&
    ! grep -v 'sensitive to all' "$log" | grep -q .; then
    echo "ok      iverilog -g2005 -Wall"
else
    echo "not ok  iverilog -g2005 -Wall: $(head -1 "$log")"
fi

# Only Verilog-2005 without SystemVerilog words, and every module in the file of its name.
for file in $modules; do
    name=$(basename "$file" .v)
    if ! grep -q "^module $name\b" "$file"; then
        echo "not ok  $file: no module $name"
    elif grep -nwE 'logic|always_ff|always_comb|typedef|interface|import' "$file" | grep -v '//' >"$log"; then
        echo "not ok  $file: SystemVerilog at line $(head -1 "$log")"
    elif ! grep -q '^// Timing' "$file" || ! grep -q '^// Widths' "$file" ||
        ! grep -q '^// Model' "$file" || ! grep -q '^// Tests' "$file"; then
        echo "not ok  $file: the header lacks one of Timing, Widths, Model, Tests"
    else
        echo "ok      $file: name, dialect, header"
    fi
done
