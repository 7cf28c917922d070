#!/bin/sh
# tests/formal/shift_add_test.sh - lpu_shift_add is a * b, for all a and b of small widths.
set -u
. "$(dirname "$0")/prove.sh"

# ABits BBits Stages
for size in "2 2 0" "3 2 0" "2 7 0" "5 5 0" "6 6 0" "4 9 0" "8 3 0" "4 4 1" "3 5 2" "3 7 3"; do
    # shellcheck disable=SC2086
    set -- $size
    name=shift_add$1_$2_$3
    model "$name" shift_add rtl/lpu_shift_add.v \
        "chparam -set ABits $1 -set BBits $2 -set Stages $3 shift_add;" && smt "$name" -t $(($3 + 2)) &&
        proved "lpu_shift_add: $1 x $2 bits, $3 registers, all factors" ||
        refuted "$name" "lpu_shift_add, $1 x $2 bits, $3 registers"
done
planted shift_add_carry shift_add rtl/lpu_shift_add.v "" "s/assign carry = is_neg;/assign carry = 1'b0;/" -t 1
planted shift_add_sign shift_add rtl/lpu_shift_add.v "" "s/{b_i\[BBits-1\], b_i, 1'b0}/{1'b0, b_i, 1'b0}/" -t 1
exit $failed
