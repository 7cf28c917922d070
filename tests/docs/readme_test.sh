#!/bin/sh
# tests/docs/readme_test.sh - every command that README.md shows runs: the lines of its ```sh blocks
# that start with build/bin/lpu, in the order written, in a folder of their own.
set -u
cd "$(dirname "$0")/../.."
work=build/tests/readme
rm -rf "$work" && mkdir -p "$work"
home=$(pwd)
list=$work/commands
awk '/^```sh$/ { on = 1; next } /^```/ { on = 0 } on && /^build\/bin\/lpu / { sub(/ *#.*/, ""); print }' \
    README.md >"$list"
[ -s "$list" ] || { echo "not ok  README.md shows no command"; exit 1; }
mkdir -p "$work/build" && ln -sfn "$home/build/bin" "$work/build/bin"
for folder in rtl tests workloads; do ln -sfn "$home/$folder" "$work/$folder"; done
failed=0
while IFS= read -r command; do
    if (cd "$work" && timeout 900 sh -c "$command" >"$home/$work/out" 2>&1 </dev/null); then
        echo "ok      $command"
    else
        echo "not ok  $command: $(tail -n 1 "$work/out")"
        failed=1
    fi
done <"$list"
# Files that the README names exist.
for path in $(grep -oE '`[a-z_]+/[A-Za-z0-9_./-]+`' README.md | tr -d '`' | grep -vE '^build/' | sort -u); do
    if [ -e "$path" ]; then echo "ok      $path exists"; else echo "not ok  README.md names $path, which is not there"; failed=1; fi
done
# The programs of the equality table take the cycles shown, on both.
build/bin/lpu verify --design tests/top/designs/small-32x40.yaml --model tests/top/models/grouped.yaml --context 60 \
    --tokens 20 >"$work/verify" 2>&1
grep -E '^(prefill|decode) (of|after) ' README.md | while IFS= read -r row; do
    if grep -qxF "$row" "$work/verify"; then echo "ok      README's row: $row"; else
        echo "not ok  README shows \"$row\", lpu verify does not"
    fi
done
grep -E '^(prefill|decode) (of|after) ' README.md | grep -qvxF -f "$work/verify" && failed=1
# The table's tokens/s and mJ are what `lpu compare` prints, to the digits shown.
build/bin/lpu compare >"$work/compare" 2>&1
for design in ternary-edge int4-mac int8-mac fp16-mac ternary-hbm ternary-resident; do
    shown=$(awk -F'|' -v d="$design" '{ gsub(/ /, "", $2) } $2 == d { print $4 + 0, $5 + 0; exit }' README.md)
    found=$(awk -v d="$design" '$1 == d { print $2 + 0, $3 + 0; exit }' "$work/compare")
    if echo "$shown $found" | awk '{ exit !(NF == 4 && ($1 - $3) ^ 2 < ($3 / 150) ^ 2 && ($2 - $4) ^ 2 < ($4 / 150) ^ 2) }'; then
        echo "ok      README's figures of $design: $shown"
    else
        echo "not ok  README shows \"$shown\" for $design, lpu compare prints \"$found\""
        failed=1
    fi
done
exit $failed
