#!/bin/sh
# tests/top/vector_test.sh - is lpu_vector its page and its cycles, and is there no multiplier in it?
#
# SEED=n draws other instructions; TIMES=n that many times as many. RTL=folder tests the sources in there,
# OUT=folder is where it is built.
set -u
cd "$(dirname "$0")/../.."
seed=${SEED:-1}
times=${TIMES:-1}
rtl=${RTL:-rtl}
root=${OUT:-build/top/vector}
lib=build/lib/liblpu.a
mkdir -p "$root"
log=$root/log

# build DIR LANES ROWS COLS CODE: the program DIR/vector_lockstep, unless it is newer than all of it.
build() {
    if [ -x "$1/vector_lockstep" ] && [ -z "$(find "$rtl" "$lib" tests/top/vector* \
        -newer "$1/vector_lockstep")" ]; then
        return
    fi
    mkdir -p "$1" &&
        verilator --cc --assert -O3 -fno-gate -Wno-fatal --x-assign fast --x-initial unique -I"$rtl" \
            -GVectorLanes="$2" -GRows="$3" -GCode="$5" --prefix Vlpu_vector --top-module lpu_vector \
            -Mdir "$1" tests/top/vector.vlt "$rtl/lpu_vector.v" &&
        make -s -j2 -C "$1" -f Vlpu_vector.mk OPT_FAST=-O0 OPT_SLOW=-O0 OPT_GLOBAL=-O1 \
            Vlpu_vector__ALL.a verilated.o verilated_threads.o &&
        g++ -std=gnu++17 -O2 -Wall -Wextra -Werror -DVECTOR_LANES="$2" -DVECTOR_ROWS="$3" \
            -DVECTOR_COLS="$4" -DVECTOR_CODE="$5" -I. -I"$1" -isystem "$verilator_root/include" \
            -isystem "$verilator_root/include/vltstd" tests/top/vector_lockstep.cc \
            tests/top/vector_work.cc "$1/Vlpu_vector__ALL.a" "$1/verilated.o" \
            "$1/verilated_threads.o" "$lib" -lcyaml -lyaml -ljansson -lm -pthread \
            -o "$1/vector_lockstep"
}
verilator_root=$(verilator --getenv VERILATOR_ROOT)

# NAME LANES ROWS COLS CODE batches
while read -r name lanes rows cols code batches; do
    if ! build "$root/$name" "$lanes" "$rows" "$cols" "$code" >"$log" 2>&1; then
        echo "not ok  vector $name: build failed: $(grep -m1 -i error "$log")"
        continue
    fi
    timeout 100 "$root/$name/vector_lockstep" "vector $name" --seed "$seed" \
        --batches $((batches * times)) || echo "# vector $name: run again with SEED=$seed"
done <<END
8-base3  8  8 20 0 400
16-t2   16 16 12 1 250
END
