# tests/top/netlist.awk - makes a netlist as yosys writes it one that a simulator is quick with.
#
# Flip-flops of one clock, reset and enable share a block: a simulator wakes once for all of them, not
# once for each.

function close_module(    part, i) {
    for (i = 1; i <= blocks; i++) {
        split(block[i], part, SUBSEP) # sensitivity, reset, enable
        print part[1]
        if (part[2] != "") print "    if (" part[2] ") begin" resets[block[i]] "\n    end else"
        if (part[3] != "") print "    if (" part[3] ")"
        print "    begin" loads[block[i]] "\n    end"
    }
    blocks = 0
    split("", resets)
    split("", loads)
}

# text: [if (reset) q <= c; else] [if (enable)] q <= d; anything else stays as it is.
function add(sense, text,    reset, clear, enable, key, load) {
    load = text
    if (match(load, /^if \([^()]*\) [^;()]* <= [^;]*; else /)) {
        clear = substr(load, 1, RLENGTH - 6)
        load = substr(load, RLENGTH + 1)
        reset = clear
        sub(/^if \(/, "", reset)
        sub(/\) .*/, "", reset)
        sub(/^if \([^()]*\) /, "", clear)
    }
    if (match(load, /^if \([^()]*\) /)) {
        enable = substr(load, 5, RLENGTH - 6)
        load = substr(load, RLENGTH + 1)
    }
    if (load !~ /^[^;()]* <= [^;]*;$/) {
        print sense "\n    " text
        return
    }
    key = sense SUBSEP reset SUBSEP enable
    if (!(key in loads)) block[++blocks] = key
    if (reset != "") resets[key] = resets[key] "\n      " clear
    loads[key] = loads[key] "\n      " load
}

is_always && /^    / { sub(/^ */, ""); text = text == "" ? $0 : text " " $0; next }
is_always { is_always = 0; add(sense, text) }
/^  always @\([^()]*\)$/ { is_always = 1; sense = $0; text = ""; next }
/^endmodule/ { close_module() }
{ print }
