#!/bin/sh
# tests/cli/corpus_test.sh - does the unpacker of the corpus read what R writes, and refuse the rest?
# The streams are gzip's own, in zlib's wrapping, with check sums from their definition.
# Run from the root of the repository.
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
failed=0

result() { # result NAME WHY: WHY is empty where all is well
    if [ -z "$2" ]; then echo "ok      $1"; else echo "not ok  $1: $2" && failed=1; fi
}

# be32 NUMBER: four bytes, the high one first.
be32() {
    printf "\\$(printf %o $(($1 >> 24 & 255)))\\$(printf %o $(($1 >> 16 & 255)))"
    printf "\\$(printf %o $(($1 >> 8 & 255)))\\$(printf %o $(($1 & 255)))"
}

adler() { # adler FILE: RFC 1950, section 9
    od -An -v -tu1 "$1" | awk '{ for (i = 1; i <= NF; i++) { a = (a + $i) % 65521; b = (b + a) % 65521 } }
        BEGIN { a = 1 } END { printf "%.0f\n", b * 65536 + a }'
}

# record OBJECT LEVEL: the object as a record of an .rdb file.
record() {
    be32 "$(wc -c <"$1")"
    printf '\170\234'
    gzip -nc "-$2" <"$1" | tail -c +11 | head -c -8
    be32 "$(adler "$1")"
}

# object FILE...: a vector of strings, one of each file, in R's XDR form, version 3.
object() {
    printf 'X\n'
    be32 3 && be32 262657 && be32 197888 && be32 5 && printf UTF-8
    be32 16 && be32 $#
    for file in "$@"; do
        be32 262153 && be32 "$(wc -c <"$file")" && cat "$file"
    done
}

${CC:-cc} -std=gnu11 -O2 -o "$dir/rdb_text" cli/corpus/rdb_text.c -lz || exit 1
i=0
while [ $i -lt 4000 ]; do # repeats near and far, and numbers that do not repeat
    echo "line $i of the text, $((i * 7919 % 10007)) and $((i * i * 31 % 65537))"
    i=$((i + 1))
done >"$dir/long"
printf 'one line' >"$dir/short"
: >"$dir/empty"
head -c 70000 "$dir/long" >"$dir/middle"
object "$dir/short" "$dir/empty" "$dir/short" >"$dir/a"
object "$dir/long" >"$dir/b"
object "$dir/middle" "$dir/short" >"$dir/c"
{ record "$dir/a" 9 && record "$dir/b" 1 && record "$dir/c" 6; } >"$dir/rdb"
{ printf 'one line\n\none line\n' && cat "$dir/long" && echo && cat "$dir/middle" && echo &&
    printf 'one line\n'; } >"$dir/expected"
"$dir/rdb_text" "$dir/rdb" >"$dir/out" 2>"$dir/err"
result strings "$(cmp "$dir/out" "$dir/expected" 2>&1)$(cat "$dir/err")"

refuse() { # refuse NAME PATTERN: of the file $dir/bad
    "$dir/rdb_text" "$dir/bad" >/dev/null 2>"$dir/err" && why="it was taken" || why=
    grep -q "$2" "$dir/err" || why="stderr holds $(head -c 200 "$dir/err")"
    result "$1" "$why"
}
head -c 3000 "$dir/rdb" >"$dir/bad"
refuse cut 'no whole zlib stream'
{ head -c 1000 "$dir/rdb" && printf 'x' && tail -c +1002 "$dir/rdb"; } >"$dir/bad"
refuse changed 'no whole zlib stream'
record "$dir/long" 6 >"$dir/bad"
refuse no_object 'no R object'
{ printf 'X\n' && be32 2 && be32 1 && be32 1 && be32 14 && be32 1 && be32 0 && be32 0; } >"$dir/number"
record "$dir/number" 6 >"$dir/bad"
refuse numbers 'other than strings'
: >"$dir/bad" && rm "$dir/bad"
refuse no_file 'cannot be opened'
exit $failed
