#!/bin/sh
# tests/long/full_step_test.sh - a whole token of 2B4T on every design, stepped cycle by cycle and
# layer by layer, equals what is computed by skipping and sharing.
set -u
cd "$(dirname "$0")/../.."
mkdir -p build/long
if ! make build/lib/liblpu.a >build/long/full_step.log 2>&1 ||
    ! cc -std=gnu11 -O2 -I. tests/long/full_step.c build/lib/liblpu.a -lcyaml -lyaml -ljansson -lz \
        -lpthread -lm -o build/long/full_step >>build/long/full_step.log 2>&1; then
    echo "not ok  full_step: does not build; see build/long/full_step.log"
    exit 1
fi
timeout 3600 build/long/full_step bitnet-b1.58-2b4t 512
