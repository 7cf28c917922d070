# One layer of a decode step, operation after operation, each design on its own clock: timeline.tsv.
table = ARG1; stem = ARG2; width = 960; height = 500
load system("dirname '".ARG0."'")."/style.gp"

designs = ""; ops = ""
stats table using (designs = add(designs, strcol("design")), ops = add(ops, strcol("op")), 0) nooutput
sorts   = "linear attention vector"
called  = "'linear layers' 'attention over the cache' 'norms, gates, softmax'"
colours = blue." ".orange." ".vermillion
at(op)     = words(ops) - place(ops, op)
is(d, k)   = strcol("design") eq word(designs, d) && strcol("kind") eq word(sorts, k)
left(p)    = 0.135 + (p - 1) * 0.855 / words(designs)
right(p)   = left(p) + 0.855 / words(designs) - 0.025
tic(p)     = p == 1 ? strcol("op") : ""

do for [kind in kinds] {
    @BEGIN
    set multiplot
    set ytics scale 0 noenhanced
    set border 1
    set grid noytics xtics
    set xlabel "time since the layer began (µs)" offset 0, 0.3
    set tmargin at screen 0.86; set bmargin at screen 0.13
    set key at screen left(1), 0.98 left top Left reverse maxrows 1 samplen 1.2 width 1
    do for [p=1:words(designs)] {
        set yrange [*:*]; set xrange [*:*]
        stats table using (strcol("design") eq word(designs, p) ? (end = column("end_us"), 0) : 0) nooutput
        set yrange [-0.8:words(ops) - 0.2]
        set lmargin at screen left(p); set rmargin at screen right(p)
        set xrange [0:end * 1.03]
        set title sprintf("%s: %s µs", word(designs, p), three(end)) offset 0, -0.4
        plot for [k=1:words(sorts)] table \
                 using (is(p, k) ? column("begin_us") : NaN):(at(strcol("op"))):"begin_us":"end_us":(at(strcol("op")) - 0.4):(at(strcol("op")) + 0.4) \
                 with boxxyerror linecolor rgb word(colours, k) fillstyle solid border linecolor rgb word(colours, k) title word(called, k), \
             table using (is(p, 2) ? column("begin_us") : NaN):(at(strcol("op"))):"begin_us":"end_us":(at(strcol("op")) - 0.4):(at(strcol("op")) + 0.4) \
                 with boxxyerror linecolor rgb "#ffffff" fillstyle transparent pattern 4 noborder notitle, \
             table using (strcol("design") eq word(designs, p) ? 0 : NaN):(at(strcol("op"))):ytic(tic(p)) with dots linecolor rgb "#ffffff" notitle
        unset key
    }
    unset multiplot
    unset title
    @END
}
