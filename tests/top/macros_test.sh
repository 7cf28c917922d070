#!/bin/sh
# tests/top/macros_test.sh - can macros take the place of the memories? The scratchpad of memories with
# one write and one read port (rtl/macros) does what the other one does, by itself and in a whole LPU;
# and the memories are those that rtl/README.md lists.
#
# SEED=n draws other accesses and programs.
set -u
cd "$(dirname "$0")/../.."
seed=${SEED:-1}
work=$PWD/build/tests/macros
rm -rf "$work" && mkdir -p "$work/rtl" "$work/hostile"
cp rtl/*.v rtl/*.vh "$work/rtl" && cp rtl/macros/*.v "$work/rtl"
failed=0

result() { # result NAME WHY: WHY is empty where all is well
    if [ -z "$2" ]; then echo "ok      $1"; else echo "not ok  $1: $2" && failed=1; fi
}

# ---- what it does ----

if command -v verilator >/dev/null 2>&1; then
    why=$(timeout 100 verilator --lint-only -Wall -I"$work/rtl" -GRows=8 -GCols=10 "$work/rtl/lpu_top.v" 2>&1 | head -1)
    result "macros: verilator -Wall" "$why"

    # The macro answers a read of what is written in the same cycle with rubbish, as it may.
    cp "$work"/rtl/* "$work/hostile"
    sed -i 's/rdata_o <= mem_q\[raddr_i\]/rdata_o <= we_i \&\& waddr_i == raddr_i ? ~wdata_i : mem_q[raddr_i]/' \
        "$work/hostile/lpu_ram_1w1r.v"
    cmp -s "$work/rtl/lpu_ram_1w1r.v" "$work/hostile/lpu_ram_1w1r.v" && result "macros: hostile" "nothing was changed"
    if timeout 300 verilator --cc --exe --build -O3 -Wno-fatal --x-assign unique --x-initial unique -I"$work/hostile" \
        -GScratchBytes=1024 -GBusBytes=8 -GVectorLanes=8 -GCols=10 --prefix Vlpu_scratch --top-module lpu_scratch \
        -Mdir "$work/lockstep" -o bench -MAKEFLAGS OPT_FAST=-O0 \
        -CFLAGS "-std=gnu++17 -O0 -DSCRATCH=1024 -DBUS=8 -DLANES=8 -DCOLS=10" \
        "$work/hostile/lpu_scratch.v" "$PWD/tests/top/scratch_lockstep.cc" >"$work/log" 2>&1; then
        timeout 120 "$work/lockstep/bench" "macros: scratchpad" --seed "$seed" --cycles 20000 || failed=1
    else
        result "macros: scratchpad" "build failed: $(grep -m1 -i error "$work/log")"
    fi

    # A whole LPU has it; its FIFO and its program memory answer with rubbish.
    cp "$work/rtl/lpu_ram_1w1r.v" "$work/hostile"
    sed -i 's/<= bytes_q\[read_row_i\]/<= write_i \&\& write_row_i == read_row_i ? ~write_data_i : bytes_q[read_row_i]/' \
        "$work/hostile/lpu_fifo_ram.v"
    sed -i 's/<= ram\[read_addr_i\]/<= write_i \&\& write_addr_i == read_addr_i ? ~write_data_i : ram[read_addr_i]/' \
        "$work/hostile/lpu_program.v"
    result "macros: three memories are others" \
        "$(for file in fifo_ram program scratch_ram; do cmp -s "rtl/lpu_$file.v" "$work/hostile/lpu_$file.v" && echo $file; done)"
    OPT_FAST=-O0 timeout 590 build/bin/lpu verify --rtl "$work/hostile" --top lpu_top --no-waveform --json --random 3 \
        --seed "$seed" --design tests/top/designs/small-8x10.yaml >"$work/out" 2>"$work/err" </dev/null
    why=
    grep -q '"equal": true' "$work/out" || why="$(grep -m1 '"signal"' "$work/out") $(tail -1 "$work/err")"
    result "macros: a whole LPU, random programs" "$why"
else
    echo "skip    macros: verilator is not installed"
fi

# ---- what it is made of ----

if ! command -v yosys >/dev/null 2>&1; then
    echo "skip    memories: yosys is not installed"
    exit $failed
fi

# memories NAME COMMANDS: of what the commands read, lines "FILE COUNT of WORDS x BITS WRITES W READS R",
# and "clocked" where all reads are.
memories() {
    timeout 300 yosys -q -p "$2; proc; opt_expr; opt_clean; opt_dff; opt_clean; memory -nomap
        attrmap -rename src file t:\$mem_v2; flatten; opt_clean; dump -o $work/$1.il t:\$mem_v2; tee -o $work/$1.stat stat" >/dev/null 2>"$work/$1.err" || return 1
    awk '$1 == "attribute" && $2 == "\\file" { file = $3; sub(/:.*/, "", file); sub(/.*[\/"]/, "", file) }
        $1 == "parameter" { value[$2] = $3 }
        $1 == "end" {
            reads = value["\\RD_CLK_ENABLE"]; sub(/^[0-9]*.h?/, "", reads)
            print file, "of " value["\\SIZE"] " x " value["\\WIDTH"], value["\\WR_PORTS"] " W",
                value["\\RD_PORTS"] " R" (reads ~ /0/ ? "" : " clocked") }' "$work/$1.il" |
        sort | uniq -c | awk '{ n = $1; file = $2; sub(/^ *[0-9]+ [^ ]+ /, ""); print file, n, $0 }' >"$work/$1"
}

if memories one "read_verilog -DSYNTHESIS rtl/macros/lpu_ram_1w1r.v; hierarchy -top lpu_ram_1w1r"; then
    result "memories: lpu_ram_1w1r is one with one write and one read port" \
        "$(echo 'lpu_ram_1w1r.v 1 of 256 x 8 1 W 1 R clocked' | diff - "$work/one")"
    result "memories: lpu_ram_1w1r is nothing else" "$(grep -E '^ +\$' "$work/one.stat" | grep -vE '\$(mem_v2|mux) ')"
else
    result "memories: lpu_ram_1w1r" "$(head -1 "$work/one.err")"
fi
if memories column "read_verilog -DSYNTHESIS rtl/macros/*.v; chparam -set Depth 64 -set AddrBits 6 lpu_scratch_ram; hierarchy -top lpu_scratch_ram"; then
    result "memories: a column is twenty of them and a table" "$(printf '%s\n' \
        'lpu_ram_1w1r.v 20 of 64 x 8 1 W 1 R clocked' 'lpu_scratch_live.v 1 of 64 x 2 4 W 5 R clocked' | diff - "$work/column")"
    result "memories: no multiplier in a column" "$(grep -E '\$(mul|div|mod|macc)' "$work/column.stat")"
else
    result "memories: a column" "$(head -1 "$work/column.err")"
fi

# Those of lpu_top: each that is listed is there, and what is not listed is small.
field() { sed -n "s/^$1: //p" tests/top/designs/small-8x10.yaml; }
parameters="-set Rows $(field rows) -set Cols $(field cols) -set Lines $(field lines) -set PassesMax $(field passes_max)"
parameters="$parameters -set VectorLanes $(field vector_lanes) -set ScratchBytes $(($(field scratch_kib) * 1024))"
parameters="$parameters -set FifoBytes $(($(field fifo_kib) * 1024)) -set FillBytes $(field fill_bytes_per_cycle)"
parameters="$parameters -set BusBytes $(field bus_bytes_per_cycle) -set BurstBytes 32 -set Outstanding $(field outstanding_bursts)"
parameters="$parameters -set StreamQueue $(field stream_queue) -set ProgramDepth 16384"
awk -F ' *[|] *' '$3 ~ /^`lpu_[a-z_0-9]*\.v`$/ { gsub(/`/, "", $3); print $3, $4, $6 }' rtl/README.md | sort >"$work/listed"
if memories top "read_verilog -DSYNTHESIS -Irtl $(ls rtl/lpu_*.v | tr '\n' ' '); chparam $parameters lpu_top; hierarchy -check -top lpu_top"; then
    result "memories: rtl/README.md lists some" "$([ "$(wc -l <"$work/listed")" -ge 5 ] || cat "$work/listed")"
    result "memories: those of rtl/README.md" "$(sort "$work/top" | comm -13 - "$work/listed" | tr '\n' ';')"
    result "memories: what is not listed has fewer than 4096 bits" \
        "$(sort "$work/top" | comm -23 - "$work/listed" | awk '$4 * $6 >= 4096' | tr '\n' ';')"
else
    result "memories: lpu_top" "$(head -1 "$work/top.err")"
fi
exit $failed
