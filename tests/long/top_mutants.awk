# tests/long/top_mutants.awk - plants single-point faults in Verilog, many in one build: each in an
# expression of its own, turned on by its number in the environment variable LPU_MUTANT.
#
#   awk -v want=N -v seed=S -v out=DIR -v list=FILE -f top_mutants.awk rtl/*.v
#
# Writes every file to DIR, and to FILE a line for each fault, with tabs between: number, file:line, kind,
# what was, what is, both with what they are assigned to. A statement is one that stands on a line: an assignment, or the condition of an if
# in an always. Of what a reset gives, bits alone: words are written before they are read. What is
# written for lint alone, &{1'b0, ...}, is left alone. Every kind has its share of N, and at least a
# sixteenth. With alone=K only fault K is there, with no number to turn it on, as other tools can read it.

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

function change(kind, text) {
    changed[++changes_made] = text
    kind_of[changes_made] = kind
}

# All expressions that differ from e in one place, in changed[1..n], and their kinds. Returns n.
function changes(e,    i, before, rest, r, text, value, width) {
    changes_made = 0
    for (i = 1; i <= length(e); i++) {
        before = substr(e, 1, i - 1)
        rest = substr(e, i)
        for (r = 1; r <= rules; r++)
            if (substr(rest, 1, length(from[r])) == from[r])
                change(kinds[r], before to[r] substr(rest, length(from[r]) + 1))
        if (rest ~ /^!/ && rest !~ /^!=/) change("condition", before substr(rest, 2))
        if (rest ~ /^~/) change("operator", before substr(rest, 2))
        # A bit less of a part of a word.
        if (match(rest, /^\[[0-9]+:[0-9]+\]/)) {
            text = substr(rest, 1, RLENGTH)
            value = substr(text, 2) + 0
            sub(/^\[[0-9]+/, "", text)
            if (value > substr(text, 2) + 0) change("width", before "[" value - 1 text substr(rest, RLENGTH + 1))
        }
        if (match(rest, /^\+: [0-9]+\]/) && substr(rest, 4) + 0 > 1)
            change("width", before "+: " substr(rest, 4) - 1 substr(rest, RLENGTH))
        # A sign that does not extend: {a[31], a} and {{8{a[31]}}, a}.
        if (match(rest, /^{[a-z][a-z0-9_]*\[[^]]*\](, |}}, )/)) {
            text = substr(rest, 2, index(rest, "[") - 2)
            value = substr(rest, RLENGTH - 2, 1) == "}" ? "" : text
            if (substr(rest, RLENGTH + 1) ~ ("^" value "(\\[[0-9]+:|[,}])") || value == "")
                change("sign", before "{1'b0" substr(rest, index(rest, "]") + 1))
        }
        if (i > 1 && substr(e, i - 1, 1) ~ /[A-Za-z0-9_']/) continue
        if (match(rest, /^[0-9]+'d[0-9]+/)) {
            text = substr(rest, 1, RLENGTH)
            width = text + 0
            value = substr(text, index(text, "d") + 1) + 1
            if (width < 31 && value >= 2 ^ width) value -= 2
            if (value >= 0) change("constant", before width "'d" value substr(rest, RLENGTH + 1))
        }
    }
    return changes_made
}

# Counts a place of its kind, and says whether it is one of every stride-th.
function is_chosen(kind) {
    return candidates[kind]++ % stride[kind] == seed % stride[kind]
}

# More than an expression: wire a = b, c = d. It has its places, and no fault.
function is_list(e,    i, c, depth) {
    for (i = 1; i <= length(e); i++) {
        c = substr(e, i, 1)
        if (c ~ /[([{]/) depth++
        if (c ~ /[])}]/) depth--
        if (c == "," && !depth) return 1
    }
    return 0
}

# The expression with its faults, each behind the number that turns it on.
function plant(e, where, head,    n, i, out) {
    n = changes(e)
    out = "(" e ")"
    for (i = 1; i <= n; i++) {
        if (!is_chosen(kind_of[i]) || counting || is_list(e)) continue
        mutants++
        print mutants "\t" where "\t" kind_of[i] "\t" head e "\t" head changed[i] >list
        if (alone) out = mutants == alone ? changed[i] : out
        else out = "($c32(\"" chosen "\") == 32'd" mutants " ? (" changed[i] ") : " out ")"
    }
    return out == "(" e ")" ? e : out
}

function rewrite(s, where,    code, comment, at, head, body, end) {
    code = s
    head = comment = ""
    if (match(s, / *\/\/.*$/)) { comment = substr(s, RSTART); code = substr(s, 1, RSTART - 1) }
    if (code ~ /localparam|parameter|LPU_|genvar|integer|\$display|\$stop|for \(|function|#\(|always|case|initial|"|&{1'b0,/)
        return s
    if (in_always && match(code, /^ *(end )?(else )?(begin : [a-z_]+ )?if \(/)) {
        at = RSTART + RLENGTH - 1
        end = closing(code, at)
        if (end) {
            head = substr(code, 1, at) plant(substr(code, at + 1, end - at - 1), where, "if ") ")"
            code = substr(code, end + 1)
        }
    }
    if (code !~ /;$/ || gsub(/;/, ";", code) != 1) return head code comment
    at = assignment(code)
    if (!at || !is_statement) return head code comment
    if (operator == " <= " && !in_always) return head code comment
    if (operator == " = " && !in_always && code !~ /^ *(assign|wire) /) return head code comment
    body = substr(code, at + length(operator), length(code) - at - length(operator))
    if (in_reset && body !~ /^1'b[01]$/) return head code comment
    return head substr(code, 1, at - 1) operator plant(body, where, target(substr(code, 1, at - 1)) operator) ";" comment
}

# What is assigned to, without what it is declared as.
function target(head) {
    sub(/^ *(end )?(else )?((assign|wire) +)?(\[[^]]*\] +)?/, "", head)
    sub(/ +$/, "", head)
    return in_reset ? "reset: " head : head
}

BEGIN {
    chosen = "({ static const int m = atoi(getenv(\\\"LPU_MUTANT\\\")); m; })"
    rule("operator", " + ", " - "); rule("operator", " - ", " + "); rule("operator", " & ", " | ")
    rule("operator", " | ", " & "); rule("operator", " ^ ", " & "); rule("operator", " << ", " >> ")
    rule("operator", " >> ", " << "); rule("sign", " >>> ", " >> ")
    rule("condition", " && ", " || "); rule("condition", " || ", " && "); rule("condition", " == ", " != ")
    rule("condition", " != ", " == "); rule("condition", " < ", " >= "); rule("condition", " > ", " <= ")
    rule("condition", " <= ", " > "); rule("condition", " >= ", " < ")
    rule("constant", "1'b0", "1'b1"); rule("constant", "1'b1", "1'b0")
    # First what there is, then every stride-th of it.
    counting = 1
    for (r = 1; r <= rules; r++) stride[kinds[r]] = 1
    stride["width"] = 1
    for (i = 1; i < ARGC; i++) walk(ARGV[i])
    for (kind in candidates) total += candidates[kind]
    for (kind in candidates) {
        share = want * candidates[kind] / total
        if (share < want / 16) share = want / 16
        stride[kind] = int(candidates[kind] / share)
        if (stride[kind] < 1) stride[kind] = 1
        candidates[kind] = 0
    }
    counting = 0
    for (i = 1; i < ARGC; i++) walk(ARGV[i])
    print mutants " of " total
    exit
}

function rule(kind, a, b) { kinds[++rules] = kind; from[rules] = a; to[rules] = b }

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
