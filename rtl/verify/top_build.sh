#!/bin/sh
# rtl/verify/top_build.sh OUT RTL TOP KIND NAME=VALUE... - verilates the module TOP of the Verilog in the
# folder RTL with the parameters given, and builds the harness of whole programs around it.
#
#   OUT   a folder for builds: each has a folder of its own in it, by what it was made from
#   KIND  speed; trace (writes waveforms) or coverage (of lines and toggles), which are slower
#
# The path of the program is the only line on stdout; what was said is in a log beside it. Exit: 0
# built, 3 no verilator, 4 the Verilog does not build, 5 it does not fit the ports, 6 the harness does
# not build; then one sentence on stderr, with the log's path.
#
# Environment: OPT_FAST (flags of the verilated code, default -O2); VERILATOR_FLAGS (more of them);
# TOGGLES=0: coverage of lines alone.
set -u
cd "$(dirname "$0")/../.." || exit 6
out=$1 rtl=$2 top=$3 kind=$4
shift 4
command -v verilator >/dev/null 2>&1 || exit 3
mkdir -p "$out" || exit 6
opt=${OPT_FAST:--O2}

flags="--cc -O3 --no-timing -Wno-fatal -Wno-PINMISSING --x-assign fast --x-initial unique"
case $kind in
trace) flags="$flags --trace-fst --trace-structs" ;;
coverage)
    flags="$flags --coverage-line"
    # A counter for each bit: modules that are not inlined share the code around it.
    [ "${TOGGLES:-1}" = 0 ] || flags="$flags --coverage-toggle -fno-inline"
    ;;
esac
flags="$flags ${VERILATOR_FLAGS:-}"
parameters= pc_bits=0
for pair in "$@"; do
    parameters="$parameters -G$pair"
    case $pair in
    ProgramDepth=*)
        depth=${pair#*=}
        while [ "$depth" -gt 1 ]; do depth=$((depth / 2)) pc_bits=$((pc_bits + 1)); done
        ;;
    esac
done

# What the model is made from: the Verilog, the flags, the tools.
key=$({
    echo "$top $flags $parameters $opt ${CXX:-}"
    verilator --version
    find "$rtl" -maxdepth 1 \( -name '*.v' -o -name '*.vh' -o -name '*.sv' -o -name '*.svh' -o -name '*.vlt' \) -print |
        LC_ALL=C sort | while read -r file; do echo "$file" && cat "$file"; done
    cat rtl/verify/top_build.sh
} | cksum | tr ' ' '-')
dir=$out/$kind-$key
shared=$out/shared-$kind
log=$dir/log
mkdir -p "$dir" "$shared" || exit 6
exec 9>"$dir/lock"
flock 9

sentence() { # sentence PATTERN: the first line of the log with it
    echo "$(grep -m1 -E "$1" "$log" | sed -e 's/^%[A-Za-z]*\(-[A-Z0-9]*\)\{0,1\}: //'); log: $log" >&2
}

if [ ! -f "$dir/verilated" ]; then
    find "$rtl" -maxdepth 1 \( -name '*.v' -o -name '*.sv' -o -name '*.vlt' \) | LC_ALL=C sort | sed 's/.*/"&"/' >"$dir/files"
    # shellcheck disable=SC2086
    verilator $flags -I"$rtl" $parameters --prefix Vtop --top-module "$top" -Mdir "$dir" \
        -f "$dir/files" >"$log" 2>&1 || { sentence '^%Error' && exit 4; }
    touch "$dir/verilated"
fi
if ! flock "$out/lock" make --no-print-directory -s -j2 -f rtl/verify/top_build.mk DIR="$dir" SHARED="$shared" \
    KIND="$kind" shared >>"$log" 2>&1; then
    sentence 'rror'
    exit 6
fi
if ! make --no-print-directory -s -j2 -f rtl/verify/top_build.mk DIR="$dir" SHARED="$shared" KIND="$kind" \
    OPT_FAST="$opt" PC_BITS="$pc_bits" >>"$log" 2>&1; then
    if grep -q "Vtop.*has no member\|no matching\|has no member named" "$log"; then
        sentence 'has no member'
        exit 5
    fi
    sentence 'rror'
    exit 6
fi
echo "$dir/top_verify"
