#!/bin/sh
# tests/top/product_lint_test.sh - product unit and scratchpad under Verilator -Wall, Icarus and yosys:
# no warning, and no cell that multiplies or divides.
set -u
cd "$(dirname "$0")/../.."
work=build/top/lint
log=$work/log
mkdir -p "$work"
sources=$(ls rtl/lpu_product*.v rtl/lpu_scratch*.v rtl/lpu_array*.v rtl/lpu_queue.v rtl/lpu_drain.v \
    rtl/lpu_fill.v rtl/lpu_row.v rtl/lpu_accum.v rtl/lpu_dot.v rtl/lpu_sum4.v rtl/lpu_tile.v \
    rtl/lpu_trit_decoder.v)

# TOP PARAMETERS, for all three
while read -r top parameters; do
    flags= sets=
    for p in $parameters; do
        flags="$flags -G$p"
        sets="$sets -set ${p%=*} ${p#*=}"
    done
    # shellcheck disable=SC2086
    if verilator --lint-only -Wall -Irtl $flags "rtl/$top.v" >"$log" 2>&1 && [ ! -s "$log" ]; then
        echo "ok      verilator -Wall $top $parameters"
    else
        echo "not ok  verilator -Wall $top $parameters: $(head -1 "$log")"
    fi
    # The largest is for Verilator alone: the other two take minutes over it.
    case $parameters in *Rows=64* | *6291456*) continue ;; esac
    # shellcheck disable=SC2086
    if iverilog -g2005 -Wall -Wno-timescale -Irtl -s "$top" -P"$top.Cols=40" -o "$work/a.vvp" $sources \
        >"$log" 2>&1 && ! grep -v 'sensitive to all' "$log" | grep -q .; then
        echo "ok      iverilog -g2005 -Wall $top"
    else
        echo "not ok  iverilog -g2005 -Wall $top: $(head -1 "$log")"
    fi
    # shellcheck disable=SC2086
    if ! yosys -q -p "read_verilog -DSYNTHESIS -Irtl $(echo $sources); chparam $sets $top;
            hierarchy -check -top $top; proc; flatten; opt_clean; check -assert;
            tee -o $work/stat stat" >/dev/null 2>"$log"; then
        echo "not ok  yosys $top $parameters: $(head -1 "$log")"
    elif ! grep -q '\$add ' "$work/stat"; then
        echo "not ok  yosys $top $parameters: no adder counted"
    elif grep -E '\$(mul|macc|div|mod|divfloor|modfloor|pow) ' "$work/stat" >"$log"; then
        echo "not ok  yosys $top $parameters: has $(tr -s ' \n' ' ' <"$log")"
    else
        echo "ok      yosys $top $parameters: no multiplier, $(awk '/Number of cells/ { print $4 }' "$work/stat") cells"
    fi
done <<END
lpu_product Rows=8 Cols=20 Lines=3 FillBytes=5
lpu_product Rows=16 Cols=40 Lines=4 VectorLanes=16 FillBytes=128 Code=1
lpu_product Rows=64 Cols=160 Lines=4 PassesMax=64 VectorLanes=64 FillBytes=128 FifoBytes=65536
lpu_scratch ScratchBytes=4096 Cols=40 BusBytes=16
lpu_scratch ScratchBytes=6291456 Cols=160 BusBytes=64 VectorLanes=64
END
