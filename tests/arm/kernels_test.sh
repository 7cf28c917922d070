#!/bin/sh
# tests/arm/kernels_test.sh - every kernel for 64-bit ARM against the definition, cross-compiled and
# run under an emulated CPU that has all of them; SVE with vectors of several lengths. Run from the
# root of the repository.
#
# Needs Debian's gcc-aarch64-linux-gnu, libc6-dev-arm64-cross and qemu-user.
cc=aarch64-linux-gnu-gcc
for need in $cc qemu-aarch64; do
    command -v $need >/dev/null 2>&1 && continue
    echo "skip    kernels on ARM: there is no $need (gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user)"
    exit 0
done
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
warn="-Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Werror"

# The flags that the Makefile gives to a file's suffix.
flags() { sed -n "s/^FLAGS_$1 *:= *//p" Makefile; }

# The kernels alone: what they stand on is portable and tested where this runs.
ops=$(sed -n 's/^LPU_KERNEL(\([a-z0-9_]*\),.*/\1/p' kernels/kernels.def | sed 's/^gem[vm]_//' | sort -u)
files="kernels/cpu.c kernels/kernels.c kernels/layout.c workloads/status.c workloads/quants.c
       workloads/quants_trits.c workloads/ternary.c"
for group in $ops passes floats softmax limits; do
    for isa in c neon dotprod i8mm sve; do
        [ -f "kernels/${group}_$isa.c" ] && files="$files kernels/${group}_$isa.c"
    done
done
objects=
for file in $files tests/unit/kernels_test.c tests/unit/kernels_blocks_test.c; do
    name=$(basename "$file" .c)
    if ! $cc -std=gnu11 -O2 $warn $(flags "${name##*_}") -I. -c "$file" -o "$dir/$name.o" 2>"$dir/err"; then
        echo "not ok  $file for ARM: $(head -1 "$dir/err")"
        exit 1
    fi
    case $file in tests/*) ;; *) objects="$objects $dir/$name.o" ;; esac
done
failed=0
for test in kernels_test kernels_blocks_test; do
    if ! $cc -static "$dir/$test.o" $objects -lm -o "$dir/$test" 2>"$dir/err"; then
        echo "not ok  $test for ARM: $(head -1 "$dir/err")"
        exit 1
    fi
    qemu-aarch64 -cpu max "$dir/$test" >"$dir/out" 2>&1 </dev/null || failed=1
    sed -n 's/^\(ok\|not ok\|skip\)  *\(.*\)/\1 \2 on ARM/p' "$dir/out"
done

# Vectors of a quarter, half, three quarters and four times a line (all of it is the default).
for bytes in 16 32 48 256; do
    KERNELS_ONLY=sve qemu-aarch64 -cpu max,sve-max-vq=$((bytes / 16)),sve-default-vector-length=$bytes \
        "$dir/kernels_test" >"$dir/out" 2>&1 </dev/null || failed=1
    sed -n "s/^\(ok\|not ok\|skip\)  *\(.*\)/\1 \2 on ARM, vectors of $bytes bytes/p" "$dir/out"
done
exit $failed
