#!/bin/sh
# tests/top/netlist.sh DIR TOP NAME=VALUE... - maps a module of rtl/ to gates, and prints its cells by type.
#
# Gates are the generic ones of yosys, of no technology: AND, NAND, OR, NOR, XOR, XNOR, NOT, MUX, AOI and
# OAI of three, and flip-flops. Memories that a user swaps for macros (lpu_scratch_ram, lpu_fifo_ram,
# lpu_program) stay as they behave, as in any simulation of gates. In DIR are then
#
#   TOP.v        the module with its parameters, so that every harness takes it; it refuses other values
#   TOP_gates.v  the gates
#   macros.v     the memories
#   cells        "count type" lines
#
# What was made from the same sources is left alone. Environment: RTL (folder of the sources).
set -eu
cd "$(dirname "$0")/../.."
rtl=${RTL:-rtl}
dir=$1 top=$2
shift 2
mkdir -p "$dir"

key=$({
    echo "$top $*"
    yosys -V
    cat tests/top/netlist.sh tests/top/netlist.awk "$rtl"/lpu_*.v "$rtl"/*.vh
} | cksum)
if [ "$(cat "$dir/key" 2>/dev/null)" != "$key" ]; then
    sets= refuse=
    for p in "$@"; do
        sets="$sets -set ${p%=*} ${p#*=}"
        refuse="$refuse || ${p%=*} != ${p#*=}"
    done
    memories='*lpu_scratch_ram* *lpu_fifo_ram* *lpu_program*'
    has_memories=
    [ "$top" = lpu_top ] && has_memories=1
    cat >"$dir/script.ys" <<END
read_verilog -DSYNTHESIS -I$rtl $(echo "$rtl"/lpu_*.v)
${sets:+chparam $sets $top}
hierarchy -check -top $top
proc
opt_clean
${has_memories:+select $memories
write_verilog -noattr -selected $dir/macros.v
select -clear
blackbox $memories}
synth -top $top
abc -g AND,NAND,OR,NOR,XOR,XNOR,MUX,AOI3,OAI3
opt_clean -purge
tee -o $dir/stat stat -top $top
rename $top ${top}_gates
write_verilog -noattr $dir/gates.raw
END
    if ! yosys -q -l "$dir/log" "$dir/script.ys" >/dev/null 2>"$dir/error"; then
        echo "netlist.sh: yosys: $(grep -m1 -i error "$dir/error"); log: $dir/log" >&2
        exit 1
    fi
    awk -f tests/top/netlist.awk "$dir/gates.raw" >"$dir/${top}_gates.v"
    rm "$dir/gates.raw"
    # The sums over all modules come last.
    awk '/Number of cells:/ { split("", n); is_open = 1; next }
         is_open && NF == 2 { if (match($1, /lpu_[a-z_]+/)) $1 = substr($1, RSTART, RLENGTH); n[$1] += $2 }
         END { for (type in n) print n[type], type }' "$dir/stat" | sort -rn >"$dir/cells"

    # The ports of the module, and the gates behind them.
    awk -v top="$top" -v refuse="${refuse# || }" '
        !/^`include/ { print }
        { line = $0; sub(/ *\/\/.*/, "", line); sub(/,? *$/, "", line) }
        line ~ /^ *(input|output) / { n = split(line, word, " "); port[++ports] = word[n] }
        /^\);/ {
            print "\n  " top "_gates u_gates ("
            for (i = 1; i <= ports; i++)
                print "    ." port[i] " (" port[i] ")" (i < ports ? "," : "")
            print "  );\n"
            if (refuse != "") {
                print "  initial if (" refuse ") begin"
                print "    $display(\"the netlist is of other parameters\");\n    $stop;\n  end\n"
            }
            print "endmodule"
            exit
        }' "$rtl/$top.v" >"$dir/$top.v"
    echo "$key" >"$dir/key"
fi
awk '{ printf "%9d  %s\n", $1, $2; all += $1 } END { printf "%9d  cells\n", all }' "$dir/cells"
