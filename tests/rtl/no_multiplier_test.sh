#!/bin/sh
# tests/rtl/no_multiplier_test.sh - the synthesised array has no multiply, divide, modulo or power.
#
# The cells are counted as yosys reads the RTL, before anything is mapped: a multiplier could not
# yet have turned into adders. A file with one `*` shows that the counter counts.
set -u
cd "$(dirname "$0")/../.."
work=build/tests/no_multiplier
mkdir -p "$work"

# cells OUT TOP PARAMETERS FILES...: writes "count type" lines of the flattened design.
cells() {
    out=$1 top=$2 parameters=$3
    shift 3
    yosys -q -l "$out.log" -p "read_verilog -DSYNTHESIS -Irtl $*; chparam $parameters $top;
        hierarchy -check -top $top; proc; flatten; opt_clean; check -assert;
        tee -o $out.stat stat" >/dev/null 2>"$out.err" || return 1
    awk '$1 ~ /^\$/ { print $2, $1 }' "$out.stat" | sort -rn >"$out"
}
forbidden='\$(mul|macc|div|mod|divfloor|modfloor|pow)$'

cat >"$work/planted.v" <<'END'
module planted #(parameter Bits = 8) (input wire [Bits-1:0] a, b, output wire [Bits-1:0] y);
  assign y = a * b;
endmodule
END
if cells "$work/planted" planted "-set Bits 9" "$work/planted.v" &&
    grep -qE "$forbidden" "$work/planted"; then
    echo "ok      a planted multiplier is found"
else
    echo "not ok  a planted multiplier is not found: $(head -1 "$work/planted.err")"
fi

for code in 0 1 2; do
    name="array 16x40, code $code"
    # shellcheck disable=SC2046
    if ! cells "$work/array$code" lpu_array \
        "-set Rows 16 -set Cols 40 -set Lines 2 -set PassesMax 8 -set Code $code" $(ls rtl/lpu_*.v); then
        echo "not ok  $name: yosys: $(head -1 "$work/array$code.err")"
    elif [ ! -s "$work/array$code" ]; then
        echo "not ok  $name: no cells counted"
    elif grep -E "$forbidden" "$work/array$code" >"$work/found"; then
        echo "not ok  $name: has $(tr '\n' ' ' <"$work/found")"
    else
        echo "ok      $name: no multiplier;$(awk '{ printf " %s %d", $2, $1 }' "$work/array$code")"
    fi
done
