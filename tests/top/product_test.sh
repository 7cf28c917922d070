#!/bin/sh
# tests/top/product_test.sh - is the product unit's RTL its model, cycle by cycle, and the arithmetic?
#
# SEED=n draws other random products; PRODUCTS=n multiplies their number by n. RTL=directory judges
# other sources.
set -u
cd "$(dirname "$0")/../.."
seed=${SEED:-1}
times=${PRODUCTS:-1}
rtl=${RTL:-rtl}
out=${OUT:-build/top}
mkdir -p "$out"

# ROWS COLS LINES PASSES LANES CODE FILL FIFO, products, what it is here for
while read -r rows cols lines passes lanes code fill fifo products why; do
    name=product-${rows}x$cols-$lines-$passes-$lanes-$code-$fill-$fifo
    if ! verilator --cc --exe --build -O3 --assert -Wno-fatal --x-assign unique --x-initial unique \
        -I"$rtl" -GRows="$rows" -GCols="$cols" -GLines="$lines" -GPassesMax="$passes" \
        -GVectorLanes="$lanes" -GCode="$code" -GFillBytes="$fill" -GFifoBytes="$fifo" \
        --prefix Vlpu_product --top-module lpu_product -Mdir "$out/$name" -o bench \
        -CFLAGS "-std=gnu++17 -O1 -I$PWD -DROWS=$rows -DCOLS=$cols -DLINES=$lines -DPASSES=$passes \
-DLANES=$lanes -DCODE=$code -DFILL=$fill -DFIFO=$fifo" \
        -LDFLAGS "$PWD/build/lib/liblpu.a -lcyaml -lyaml -ljansson -lm -lpthread" \
        "$rtl/lpu_product.v" "$PWD/tests/top/product_lockstep.cc" >"$out/$name.log" 2>&1; then
        echo "not ok  $name: build failed: $(grep -m1 -i error "$out/$name.log")"
        continue
    fi
    timeout 300 "$out/$name/bench" "$name" --seed "$seed" --products $((products * times)) ||
        echo "# $name ($why): run again with SEED=$seed"
done <<END
8 20 2 5 8 0 5 64 600 a port narrower than a beat
8 10 8 4 8 0 16 256 1500 a tile in one beat: a tile in every cycle
16 40 4 8 16 0 100 300 500 a port wider than a beat
16 20 3 16 8 1 7 128 300 the two-bit code, lines that do not divide the rows
END
