#!/bin/sh
# tests/style/style_test.sh - is it ours? Who includes whom, headers that stand alone, lengths,
# white space, and the format. Run from the root of the repository.
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
failed=0

# result NAME: all is well if the file holds nothing; else its lines say what is not.
result() {
    if [ ! -s "$dir/found" ]; then
        echo "ok      $1"
    else
        echo "not ok  $1: $(head -1 "$dir/found") ($(wc -l <"$dir/found") in all)"
        sed 's/^/        /' "$dir/found" | head -20
        failed=1
    fi
}

files() { # files PATTERN...: of the sources, in every folder but build
    for pattern in "$@"; do
        find cli workloads sim rtl kernels energy_model reports tests -name "$pattern" -type f
    done | sort
}

# ---- who includes whom ----

awk '
    # The platform of sim/systemc holds simulator and RTL together, as a test does.
    function area(path) { if (path !~ /^sim\/systemc\//) sub(/\/.*/, "", path); return path }
    BEGIN {
        allowed["workloads"] = " workloads "
        allowed["sim"] = " workloads sim "
        allowed["kernels"] = " workloads kernels "
        allowed["energy_model"] = " workloads energy_model "
    }
    /^ *# *include *"/ {
        split($0, part, "\"")
        to = part[2]
        from = area(FILENAME)
        if (to ~ /^\.\.?\// || (from in allowed && to !~ /\//)) {
            print FILENAME ":" FNR ": \"" to "\" is not written from the root"
        } else if (from in allowed && !index(allowed[from], " " area(to) " ")) {
            print FILENAME ":" FNR ": " from " includes " to
        }
    }
' $(files '*.c' '*.h' '*.def' '*.cc') >"$dir/found"
result includes

# Only the program and the tests print for themselves and exit.
grep -n -w -e 'printf' -e 'puts' -e 'exit' -e 'stderr' -e 'perror' \
    $(files '*.c' | grep -e '^workloads/' -e '^sim/' -e '^kernels/' -e '^energy_model/') |
    grep -v -e ':[0-9]*: *\*' -e '/\*.*\*/' -e 'format(printf' >"$dir/found"
result libraries_are_silent

# ---- headers ----

: >"$dir/found"
for header in $(files '*.h' | grep -v '^tests/'); do
    printf '#include "%s"\n' "$header" >"$dir/alone.c"
    gcc -std=gnu11 -Wall -Wextra -Wno-psabi -Werror -I. -fsyntax-only "$dir/alone.c" 2>"$dir/why" ||
        echo "$header: $(grep -m1 error "$dir/why" | cut -c1-120)" >>"$dir/found"
done
result headers_alone

# Those that C++ includes, and what they include.
: >"$dir/found"
for header in $(grep -h '^ *# *include "' $(files '*.cc') /dev/null | cut -d'"' -f2 |
    grep -e '^sim/.*\.h$' -e '^workloads/' | sort -u); do
    printf 'extern "C" {\n#include "%s"\n}\n' "$header" >"$dir/alone.cc"
    g++ -std=gnu++17 -I. -fsyntax-only "$dir/alone.cc" 2>"$dir/why" ||
        echo "$header: $(grep -m1 error "$dir/why" | cut -c1-120)" >>"$dir/found"
done
result headers_in_cpp

# ---- names and text ----

: >"$dir/found"
for file in $(files '*.c' '*.h' '*.def' '*.cc'); do
    case $(head -1 "$file") in
    "/* $file - "*) ;;
    *) echo "$file: the first line is not \"/* $file - what it is for\"" >>"$dir/found" ;;
    esac
done
result first_lines

# At the beginning of a line: within one, a tab may be what a table has.
grep -n "^ *$(printf '\t')" \
    $(files '*.c' '*.h' '*.def' '*.cc' '*.v' '*.vh' '*.sh' '*.yaml' '*.gp') >"$dir/found"
result no_tabs
grep -n ' $' $(files '*.c' '*.h' '*.def' '*.cc' '*.v' '*.vh' '*.sh' '*.yaml' '*.gp' '*.md' '*.tsv') \
    Makefile >"$dir/found"
result no_trailing_space
for file in $(files '*.c' '*.h' '*.def' '*.cc' '*.v' '*.sh' '*.yaml' '*.gp'); do
    [ -z "$(tail -c 1 "$file")" ] || echo "$file: no newline at its end"
done >"$dir/found"
result last_newline
grep -n -w -e 'TODO' -e 'FIXME' -e 'XXX' $(files '*.c' '*.h' '*.def' '*.cc' '*.v' '*.gp') |
    grep -v 'XXXXXX' >"$dir/found"
result no_todo

# ---- lengths ----

# Above 600 lines a file is thought about again, and is named here; above 800 it is split.
wc -l $(files '*.c' '*.h' '*.cc' '*.v') | awk '$2 != "total" && $1 > 600 { print $2, $1 }' \
    >"$dir/long"
awk '$2 > 800 { print $1 ": " $2 " lines, expected at most 800" }' "$dir/long" >"$dir/found"
result "file_lengths$(awk '{ printf("%s %s has %d lines", NR > 1 ? "," : ": think again:", $1, $2) }' \
    "$dir/long")"
awk '
    FNR == 1 { start = 0 }
    /^{$/ || /^[a-z].*\) *{$/ { start = FNR }
    /^}/ && start {
        if (FNR - start > 60) print FILENAME ":" start ": a function of " FNR - start " lines"
        start = 0
    }
' $(files '*.c' '*.cc' | grep -v '^tests/') >"$dir/found"
result function_lengths

# ---- the format ----

# Headers are tables of declarations, and aligned by hand.
if command -v clang-format >/dev/null 2>&1; then
    clang-format --dry-run -Werror $(files '*.c' '*.cc') 2>&1 |
        grep 'error:' | sed 's/: error:.*//' >"$dir/lines"
    cut -d: -f1 "$dir/lines" | sort | uniq -c |
        awk '{ print $2 ": " $1 " places that clang-format would change" }' >"$dir/found"
    result format
else
    echo "skip    format: clang-format is not installed"
fi
exit $failed
