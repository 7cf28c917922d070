# tests/cli/shared.sh - read by tests of this folder, from the root of the repository: a folder of their
# own ($dir), and what they say.
lpu=build/bin/lpu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
failed=0

result() { # result NAME WHY: WHY is empty where all is well
    if [ -z "$2" ]; then echo "ok      $1"; else echo "not ok  $1: $2" && failed=1; fi
}

# refuse NAME EXIT_CODE STDERR_PATTERN ARGUMENT...: one line on stderr, none on stdout, no file $dir/x.
refuse() {
    name=$1 code=$2 complains=$3
    shift 3
    timeout 60 "$lpu" "$@" >"$dir/out" 2>"$dir/err" </dev/null
    found=$?
    why=
    [ "$found" -eq "$code" ] || why="exit code $found, expected $code"
    [ ! -s "$dir/out" ] || why="stdout holds $(head -c 80 "$dir/out")"
    grep -q -e "$complains" "$dir/err" || why="stderr holds $(head -c 200 "$dir/err")"
    [ "$(wc -l <"$dir/err")" -eq 1 ] || why="stderr has $(wc -l <"$dir/err") lines, expected one"
    [ ! -e "$dir/x" ] || why="a file was written"
    result "$name" "$why"
}
