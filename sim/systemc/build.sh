#!/bin/sh
# sim/systemc/build.sh OUT [RTL TOP KIND NAME=VALUE...] - builds the TLM-2.0 platforms of main.cc.
#
#   OUT   a folder for builds
#   RTL TOP KIND NAME=VALUE...
#         as in rtl/verify/top_build.sh, which verilates: the platforms have an LPU of RTL, too.
#         KIND is speed. Without them there are only those of the simulator in C.
#   EXAMPLE in the environment: builds example.cc instead
#
# The path of the program is the only line on stdout; what was said is in a log beside it. Exit: 0
# built, 3 no verilator, 4 the Verilog does not build, 5 it does not fit the ports, 6 the harness does
# not build, 7 no SystemC (Debian: libsystemc-dev); then one sentence on stderr.
set -u
cd "$(dirname "$0")/../.." || exit 6
out=$1
shift
mkdir -p "$out" || exit 6
if ! echo '#include <systemc>' | c++ -std=gnu++17 -fsyntax-only -x c++ - 2>/dev/null; then
    echo "SystemC is not installed: Debian has it as libsystemc-dev" >&2
    exit 7
fi
dir=
if [ $# -gt 0 ]; then
    program=$(rtl/verify/top_build.sh "$out" "$@") || exit
    dir=$(dirname "$program")
fi
log=$out/systemc.log
target=all program=${dir:-$out/systemc-0}/systemc_verify
[ -z "${EXAMPLE:-}" ] || target=example program=$out/systemc-0/example
exec 8>"$out/systemc.lock"
flock 8
if ! make --no-print-directory -s -j2 -f sim/systemc/build.mk OUT="$out" DIR="$dir" "$target" >"$log" 2>&1; then
    echo "$(grep -m1 -i error "$log"); log: $log" >&2
    exit 6
fi
echo "$program"
