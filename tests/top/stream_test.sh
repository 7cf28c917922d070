#!/bin/sh
# tests/top/stream_test.sh - the stream engine and the store unit: lint, and the simulator's in every
# cycle. SEED=n draws other programs; ROUNDS=n that many of each kind; RTL=DIR the sources, OUT=DIR
# where it is built.
set -u
cd "$(dirname "$0")/../.."
rtl=${RTL:-rtl}
work=${OUT:-build/top/stream}
shared=$work/shared
mkdir -p "$shared"
log=$work/log
lib=build/lib/liblpu.a
seed=${SEED:-1}
root=$(verilator --getenv VERILATOR_ROOT)
include="-isystem $root/include -isystem $root/include/vltstd"
modules="rtl/lpu_stream.v rtl/lpu_stream_ring.v rtl/lpu_walk.v rtl/lpu_fifo.v rtl/lpu_fifo_ram.v rtl/lpu_store.v"

for top in lpu_stream lpu_store; do
    for parameters in "" "-GBusBytes=64 -GBurstBytes=128" "-GBusBytes=1 -GBurstBytes=64" \
        "-GBusBytes=16 -GBurstBytes=16"; do
        # shellcheck disable=SC2086
        if verilator --lint-only -Wall -Irtl $parameters "rtl/$top.v" >"$log" 2>&1 && [ ! -s "$log" ]; then
            echo "ok      verilator -Wall $top $parameters"
        else
            echo "not ok  verilator -Wall $top $parameters: $(head -1 "$log")"
        fi
    done
    # shellcheck disable=SC2086
    if iverilog -g2005 -Wall -Wno-timescale -Irtl -s $top -o "$work/lint.vvp" $modules >"$log" 2>&1 &&
        ! grep -v 'sensitive to all' "$log" | grep -q .; then
        echo "ok      iverilog -g2005 -Wall $top"
    else
        echo "not ok  iverilog -g2005 -Wall $top: $(head -1 "$log")"
    fi
done

# runtime DIR: Verilator's own library, once.
runtime() {
    [ -f "$shared/verilated.o" ] && return
    make -s -C "$1" -f Vstream_top.mk OPT_GLOBAL=-O1 verilated.o verilated_threads.o &&
        mv "$1/verilated_threads.o" "$1/verilated.o" "$shared"
}

# build NAME PARAMETER=VALUE...: the bench $work/NAME/bench.
build() {
    dir=$work/$1
    shift
    parameters= defines=
    for pair in "$@"; do
        parameters="$parameters -G$pair"
        macro=$(echo "${pair%=*}" | sed 's/\([a-z]\)\([A-Z]\)/\1_\2/g' | tr '[:lower:]' '[:upper:]')
        defines="$defines -D$macro=${pair#*=}"
    done
    mkdir -p "$dir"
    # shellcheck disable=SC2086
    verilator --cc --assert -O3 -Wno-fatal --x-assign unique --x-initial unique -I"$rtl" $parameters \
        --prefix Vstream_top --top-module stream_top -Mdir "$dir" tests/top/stream_top.v &&
        make -s -C "$dir" -f Vstream_top.mk OPT_FAST=-O1 OPT_SLOW=-O0 Vstream_top__ALL.a &&
        runtime "$dir" &&
        g++ -std=gnu++17 -O1 -Wall -Wextra -Werror $defines -I. -I"$dir" $include \
            tests/top/stream_lockstep.cc "$dir/Vstream_top__ALL.a" "$shared/verilated.o" \
            "$shared/verilated_threads.o" $lib -lcyaml -lyaml -ljansson -pthread -lm -o "$dir/bench"
}

make -s $lib >"$log" 2>&1 || { echo "not ok  stream: $lib: $(grep -m1 -i error "$log")"; exit 1; }
while read -r name parameters; do
    # shellcheck disable=SC2086
    if ! build "$name" $parameters >"$log" 2>&1; then
        echo "not ok  stream $name: build failed: $(grep -m1 -i error "$log")"
        continue
    fi
    timeout 60 "$work/$name/bench" --seed "$seed" --rounds "${ROUNDS:-12}" ||
        echo "# $name: run again with SEED=$seed"
done <<END
narrow BusBytes=8 BurstBytes=32 Outstanding=5 StreamQueue=3 FifoBytes=1024 FillBytes=3
two BusBytes=32 BurstBytes=64 Outstanding=16 StreamQueue=16 FifoBytes=4096 FillBytes=32
edge BusBytes=64 BurstBytes=128 Outstanding=256 StreamQueue=16 FifoBytes=65536 FillBytes=128
END
