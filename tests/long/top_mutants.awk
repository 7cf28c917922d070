# tests/long/top_mutants.awk - plants single-point faults in Verilog, many in one build: each in an
# expression of its own, chosen by the number top_mutant of the harness.
#
#   awk -v want=N -v seed=S -v out=DIR -v list=FILE -f top_mutants.awk rtl/*.v
#
# Writes every file to DIR, and to FILE a line for each fault, with tabs between: number, file:line, what was, what is. A
# statement is one that stands on a line: an assignment, or the condition of an if in an always. Of what
# a reset gives, bits alone: words are written before they are read.

function basename(path) { sub(/.*\//, "", path); return path }

# The place of the first assignment outside parentheses, brackets and braces; 0 without one.
function assignment(s,    i, c, depth) {
    depth = 0
    for (i = 1; i <= length(s); i++) {
        c = substr(s, i, 1)
        if (c ~ /[([{]/) depth++
        if (c ~ /[])}]/) depth--
        if (depth) continue
        if (substr(s, i, 3) == " = ") { operator = " = "; return i }
        if (substr(s, i, 4) == " <= ") { operator = " <= "; return i }
    }
    return 0
}

# The place of the parenthesis that closes the one at place i; 0 if it is not on the line.
function closing(s, i,    depth, c) {
    depth = 0
    for (; i <= length(s); i++) {
        c = substr(s, i, 1)
        if (c == "(") depth++
        if (c == ")" && !--depth) return i
    }
    return 0
}

# All expressions that differ from e in one place, in changed[1..n]. Returns n.
function changes(e,    n, i, rest, r, text, value, width) {
    n = 0
    for (i = 1; i <= length(e); i++) {
        rest = substr(e, i)
        for (r = 1; r <= rules; r++)
            if (substr(rest, 1, length(from[r])) == from[r])
                changed[++n] = substr(e, 1, i - 1) to[r] substr(rest, length(from[r]) + 1)
        if (rest ~ /^!/ && rest !~ /^!=/) changed[++n] = substr(e, 1, i - 1) substr(rest, 2)
        if (rest ~ /^~/) changed[++n] = substr(e, 1, i - 1) substr(rest, 2)
        if (i > 1 && substr(e, i - 1, 1) ~ /[A-Za-z0-9_']/) continue
        if (match(rest, /^[0-9]+'d[0-9]+/)) {
            text = substr(rest, 1, RLENGTH)
            width = text + 0
            value = substr(text, index(text, "d") + 1) + 1
            if (width < 31 && value >= 2 ^ width) value -= 2
            if (value >= 0)
                changed[++n] = substr(e, 1, i - 1) width "'d" value substr(rest, RLENGTH + 1)
        }
    }
    return n
}

function is_chosen() {
    return candidates++ % stride == offset
}

# The expression with its faults, each behind the number that turns it on.
function plant(e, where,    n, i, out) {
    n = changes(e)
    out = "(" e ")"
    for (i = 1; i <= n; i++) {
        if (!is_chosen() || counting) continue
        mutants++
        print mutants "\t" where "\t" e "\t" changed[i] >list
        out = "($c32(\"({ extern int top_mutant; top_mutant; })\") == 32'd" mutants " ? (" changed[i] ") : " out ")"
    }
    return out == "(" e ")" ? e : out
}

function rewrite(s, where,    code, comment, at, head, body, end) {
    code = s
    comment = ""
    if (match(s, / *\/\/.*$/)) { comment = substr(s, RSTART); code = substr(s, 1, RSTART - 1) }
    if (code ~ /localparam|parameter|LPU_|genvar|integer|\$display|\$stop|for \(|function|#\(|always|case|initial|"/)
        return s
    if (in_always && match(code, /^ *(end )?(else )?(begin : [a-z_]+ )?if \(/)) {
        at = RSTART + RLENGTH - 1
        end = closing(code, at)
        if (end)
            code = substr(code, 1, at) plant(substr(code, at + 1, end - at - 1), where) substr(code, end)
    }
    if (code !~ /;$/ || gsub(/;/, ";", code) != 1) return code comment
    at = assignment(code)
    if (!at || !is_statement) return code comment
    head = substr(code, 1, at - 1)
    if (operator == " <= " && !in_always) return code comment
    if (operator == " = " && !in_always && head !~ /^ *(assign|wire) /) return code comment
    body = substr(code, at + length(operator), length(code) - at - length(operator))
    if (in_reset && body !~ /^1'b[01]$/) return code comment
    return head operator plant(body, where) ";" comment
}

BEGIN {
    rule(" + ", " - "); rule(" - ", " + "); rule(" && ", " || "); rule(" || ", " && ")
    rule(" == ", " != "); rule(" != ", " == "); rule(" < ", " >= "); rule(" > ", " <= ")
    rule(" <= ", " > "); rule(" >= ", " < "); rule(" & ", " | "); rule(" | ", " & ")
    rule(" ^ ", " & "); rule(" << ", " >> "); rule(" >> ", " << "); rule("1'b0", "1'b1")
    rule("1'b1", "1'b0"); rule("$signed(", "$unsigned(")
    # First what there is, then every stride-th of it.
    stride = 1; offset = 0; counting = 1
    for (i = 1; i < ARGC; i++) walk(ARGV[i])
    total = candidates
    stride = int(total / want)
    if (stride < 1) stride = 1
    offset = seed % stride
    candidates = 0; counting = 0
    for (i = 1; i < ARGC; i++) walk(ARGV[i])
    print mutants " of " total
    exit
}

function rule(a, b) { from[++rules] = a; to[rules] = b }

function walk(path,    line, number, name, text) {
    name = basename(path)
    number = in_always = in_reset = in_function = 0
    is_statement = 1
    while ((getline line <path) > 0) {
        number++
        if (line ~ /^ *function/) in_function = 1
        if (line ~ /^ *always/) {
            in_always = 1
            has_begin = 0
            match(line, /^ */)
            indent = RLENGTH
        }
        if (in_always && line ~ /begin/) has_begin = 1
        if (in_always && line ~ /if \(!rst_ni\)/) in_reset = 1
        else if (line ~ /else|always/) in_reset = 0
        text = in_function ? line : rewrite(line, name ":" number)
        if (!counting) print text >(out "/" name)
        if (line ~ /endfunction/) in_function = 0
        if (in_always && (has_begin ? line ~ ("^" sprintf("%" indent "s", "") "end") : line ~ /; *(\/\/.*)?$/))
            in_always = 0
        if (line !~ /^ *(\/\/.*)?$/)
            is_statement = line ~ /(;|begin|end|else|\)|[A-Za-z0-9_]:|begin : [A-Za-z0-9_]+) *(\/\/.*)?$/ || line ~ /^`/
    }
    close(path)
    if (!counting) close(out "/" name)
}
