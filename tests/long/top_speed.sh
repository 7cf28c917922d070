#!/bin/sh
# tests/long/top_speed.sh - what compilers and their flags cost and give for the verilated lpu_top: CPU
# seconds of building it, cycles a second of the RTL, of the simulator stepping and skipping.
#
# Not a test: prints a row for each line of FLAGS (a compiler and its flags, then Verilator's behind a bar),
# over and over (TIMES), since a machine that does other work is not equally fast all the time. The first build compiles the harness
# as well. DESIGN=file and SHAPE=m,n,k,planes are the machine and the product.
set -u
cd "$(dirname "$0")/../.."
design=${DESIGN:-tests/top/designs/wide-64x64.yaml}
shape=${SHAPE:-1,2560,2560,1}
flags=${FLAGS:-"g++ -O1
g++ -O2
g++ -O3
g++ -O3 -march=native
clang++ -O2
g++ -O2 | --threads 2
g++ -O2 | --x-initial fast
g++ -O2 | --x-assign 0"}
lpu=build/bin/lpu

log=$(mktemp)
trap 'rm -f "$log"' EXIT

for _ in $(seq "${TIMES:-3}"); do
    echo "$flags" | while IFS='|' read -r compiled verilated; do
        compiler=${compiled%% *} options=${compiled#* }
        command -v "$compiler" >/dev/null || continue
        export CXX="$compiler" OPT_FAST="$options" VERILATOR_FLAGS="$verilated"
        times >"$log" # of this shell and of what it has waited for
        "$lpu" verify --design "$design" --harness speed >/dev/null </dev/null || exit 1
        times >>"$log"
        speed=$("$lpu" verify --design "$design" --shape "$shape" --no-waveform </dev/null | sed -n 's/^speed: //p')
        awk -v name="$compiled$verilated" -v speed="$speed" '
            { for (i = 1; i <= 2; i++) { split($i, t, /[ms]/); sum[NR] += 60 * t[1] + t[2] } }
            END { printf "%-24s built in %6.1f s; %s\n", name, sum[4] - sum[2], speed }' "$log"
    done
done
