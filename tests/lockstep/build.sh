#!/bin/sh
# tests/lockstep/build.sh CONFIG... - verilates the array for each CONFIG and builds its programs.
#
#   CONFIG  ROWSxCOLS-LINES-CODE-PASSES-LANES, for example 64x160-4-base3-64-64
#
# Makes build/lockstep/CONFIG/array_lockstep and build/lockstep/CONFIG/array_matrix. What is newer
# than its sources is left alone. Environment: RTL (directory of the sources, default rtl), OUT
# (default build/lockstep), OPT_FAST (flags of the verilated code, default -O2).
set -eu
cd "$(dirname "$0")/../.."
rtl=${RTL:-rtl}
out=${OUT:-build/lockstep}
opt=${OPT_FAST:--O2}
for config in "$@"; do
    IFS=- read -r lanes lines code passes out_lanes <<END
$config
END
    rows=${lanes%x*} cols=${lanes#*x}
    case $code in
    base3) number=0 ;;
    t2) number=1 ;;
    b1) number=2 ;;
    *) echo "build.sh: $config: code $code, expected base3, t2 or b1" >&2; exit 1 ;;
    esac
    dir=$out/$config
    mkdir -p "$dir"
    if [ ! -f "$dir/Vlpu_array.mk" ] || [ -n "$(find "$rtl" tests/lockstep/build.sh tests/lockstep/array.vlt -newer "$dir/Vlpu_array.mk" -name '*.v*' -o -newer "$dir/Vlpu_array.mk" -name build.sh)" ]; then
        verilator --cc --assert -O3 -fno-gate -Wno-fatal --x-assign fast --x-initial unique \
            -I"$rtl" -GRows="$rows" -GCols="$cols" -GLines="$lines" -GPassesMax="$passes" \
            -GOutLanes="$out_lanes" -GCode="$number" --prefix Vlpu_array --top-module lpu_array \
            -Mdir "$dir" tests/lockstep/array.vlt "$rtl/lpu_array.v"
        touch "$dir/Vlpu_array.mk"
    fi
    make --no-print-directory -s -f tests/lockstep/build.mk DIR="$dir" OPT_FAST="$opt" DEFINES="-DARRAY_ROWS=$rows \
-DARRAY_COLS=$cols -DARRAY_LINES=$lines -DARRAY_PASSES=$passes -DARRAY_LANES=$out_lanes -DARRAY_CODE=$number"
done
