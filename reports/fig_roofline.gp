# Operations per second against operations per byte of memory traffic, one panel a design, one
# point an operation of a layer: roofline.tsv. An operation is a multiply or an add, or what
# replaces it: two for each weight and token.
table = ARG1; stem = ARG2; width = 960; height = 820
load system("dirname '".ARG0."'")."/style.gp"

designs = ""
stats table using (designs = add(designs, strcol("design")), 0) nooutput
stats table using (column("ops_per_byte")) name "x" nooutput
stats table using (column("ops_per_s") / 1e9) name "y" nooutput
stats table using (column("peak_ops_per_s") / 1e9) name "top" nooutput
across = 3; down = ceil(words(designs) / (1.0 * across))
row(p) = (p - 1) / across; col(p) = (p - 1) % across
gap    = 0.05
high   = 0.86 / down
is(d, phase) = strcol("design") eq d && strcol("phase") eq phase
least(a, b)  = a < b ? a : b

do for [kind in kinds] {
    @BEGIN
    set multiplot
    set logscale xy
    set format "10^{%T}"
    set xtics 10; set ytics 100
    set mxtics 1; set mytics 1
    set grid xtics ytics
    set label 1 "operations per second (10^9/s)" at screen 0.018, 0.5 rotate by 90 center
    set label 2 "operations per byte from memory" at screen 0.525, 0.03 center
    set samples 200
    set key at screen 0.085, 0.985 left top Left reverse maxrows 1 samplen 2 width 1
    do for [p=1:words(designs)] {
        d = word(designs, p)
        set xrange [*:*]; set yrange [*:*]
        stats table using (strcol("design") eq d ? (peak = column("peak_ops_per_s") / 1e9, slope = column("peak_bytes_per_s") / 1e9, 0) : 0) nooutput
        set xrange [0.7 * x_min:1.4 * x_max]
        set yrange [0.5 * y_min:3 * top_max]
        set lmargin at screen 0.085 + col(p) * 0.305; set rmargin at screen 0.085 + col(p) * 0.305 + 0.28
        set tmargin at screen 0.91 - row(p) * high; set bmargin at screen 0.91 - (row(p) + 1) * high + gap
        set format x (p + across > words(designs) ? "10^{%T}" : "")
        set format y (col(p) == 0 ? "10^{%T}" : "")
        set title d offset 0, -0.6
        plot least(peak, slope * x) with lines linecolor rgb ink linewidth 1.3 title "roof: memory, then array", \
             table using (is(d, "decode") ? column("ops_per_byte") : NaN):(column("ops_per_s") / 1e9) \
                 with points linecolor rgb blue pointtype 7 title "decode", \
             table using (is(d, "prefill") ? column("ops_per_byte") : NaN):(column("ops_per_s") / 1e9) \
                 with points linecolor rgb vermillion linewidth 1.2 pointtype 4 title "prefill"
        unset key; unset label
    }
    unset multiplot
    unset logscale; unset title
    @END
}
