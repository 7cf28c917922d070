#!/bin/sh
# tests/formal/scale_norm_test.sh - lpu_scale_norm for all u and e, small and of the sizes in use.
set -u
. "$(dirname "$0")/prove.sh"

# UBits MBits EBits
for size in "5 4 6" "12 4 3" "16 7 6" "8 7 16" "40 16 16" "64 16 16"; do
    # shellcheck disable=SC2086
    set -- $size
    name=norm$1_$2_$3
    model "$name" scale_norm rtl/lpu_scale_norm.v \
        "chparam -set UBits $1 -set MBits $2 -set EBits $3 scale_norm;" && smt "$name" -t 1 &&
        proved "lpu_scale_norm: $1 bits to $2, all inputs" || refuted "$name" "lpu_scale_norm, $1 bits to $2"
done
planted norm_half scale_norm rtl/lpu_scale_norm.v "" "s/word\[UBits-MBits-1\]/word[UBits-MBits]/" -t 1
planted norm_carry scale_norm rtl/lpu_scale_norm.v "" "s/ + {{(EBits-1){1'b0}}, rounded\[MBits\]}//" -t 1
exit $failed
