#!/bin/sh
# tests/formal/decoder_test.sh - lpu_trit_decoder for all 256 bytes of each code.
set -u
. "$(dirname "$0")/prove.sh"

for code in 0 1 2; do
    model decoder$code decoder rtl/lpu_trit_decoder.v "chparam -set Code $code decoder;" && smt decoder$code -t 1 &&
        proved "lpu_trit_decoder: code $code, all 256 bytes" || refuted decoder$code "lpu_trit_decoder, code $code"
done
planted decoder_limit decoder rtl/lpu_trit_decoder.v "" "s/8'd242/8'd243/" -t 1
planted decoder_digit decoder rtl/lpu_trit_decoder.v "" "s/value >= Two/value > Two/" -t 1
exit $failed
