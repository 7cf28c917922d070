# Latency and memory against model size, ternary models beside their FP16 twins: model_size.tsv.
# Figure 2 of BitNet b1.58 (arXiv 2402.17764), with its points as open symbols.
table = ARG1; stem = ARG2; width = 960; height = 460
load system("dirname '".ARG0."'")."/style.gp"

machines = "" # the modelled series; "published" is drawn apart
stats table using (strcol("series") ne "published" ? (machines = add(machines, strcol("series")), 0) : 0) nooutput
first = word(machines, 1)

is(s, w)   = strcol("series") eq s && strcol("weights") eq w
x(s, w)    = is(s, w) ? column("size_b") : NaN
colour(w)  = w eq "fp16" ? vermillion : blue
filled(w)  = w eq "fp16" ? 5 : 7
hollow(w)  = w eq "fp16" ? 4 : 6
dash(i)    = i == 1 ? 1 : i == 2 ? 2 : 4
called(w)  = w eq "fp16" ? "FP16" : "ternary"
# Where the label of a line goes: its largest size.
end(s, w)  = is(s, w) && column("size_b") == word(ends, 2 * place(machines, s) - (w eq "fp16")) + 0 ? column("size_b") : NaN

stats table using (column("size_b")) name "size" nooutput
ends = ""
do for [i=1:words(machines)] {
    do for [w in "fp16 ternary"] {
        last = 0
        stats table using (is(word(machines, i), w) && column("size_b") > last ? (last = column("size_b"), 0) : 0) nooutput
        ends = ends.sprintf(" %g", last)
    }
}

do for [kind in kinds] {
    @BEGIN
    set multiplot
    set logscale xy
    set xrange [size_min * 0.8:size_max * 1.25]
    set xtics (1.3, 3, 7, 13, 30, 70)
    set mxtics 1
    set xlabel "parameters (billions)" offset 0, 0.3
    set grid xtics ytics
    set tmargin at screen 0.91; set bmargin at screen 0.14

    set lmargin at screen 0.085; set rmargin at screen 0.44
    set title "Latency, one sequence" offset 0, -0.4
    set ylabel "time per output token (ms)" offset 0.8, 0
    set format y "%g"
    set key top left reverse Left samplen 0.6 font fine
    plot for [i=1:words(machines)] for [w in "fp16 ternary"] table using (x(word(machines, i), w)):"ms_per_token" \
             with linespoints linecolor rgb colour(w) dashtype dash(i) linewidth 1.4 pointtype filled(w) notitle, \
         for [i=1:words(machines)] for [w in "fp16 ternary"] table using (end(word(machines, i), w)):"ms_per_token":(called(w).", ".word(machines, i)) \
             with labels left offset character 0.8, character (i == 1 ? 0.45 : -0.45) font fine textcolor rgb colour(w) notitle, \
         for [w in "fp16 ternary"] table using (x("published", w)):"ms_per_token" \
             with points linecolor rgb colour(w) pointtype hollow(w) linewidth 1.2 title called(w)." on a GPU, published"

    set lmargin at screen 0.62; set rmargin at screen 0.94
    set title "Memory"
    set ylabel "weights, embedding and cache (GB)"
    unset key
    plot for [w in "fp16 ternary"] table using (end(first, w)):(column("memory_bytes") / 1e9):(called(w)) \
             with labels left offset 0.8, 0 font fine textcolor rgb colour(w), \
         for [w in "fp16 ternary"] table using (x(first, w)):(column("memory_bytes") / 1e9) \
             with linespoints linecolor rgb colour(w) linewidth 1.4 pointtype filled(w), \
         for [w in "fp16 ternary"] table using (x("published", w)):(column("memory_bytes") / 1e9) \
             with points linecolor rgb colour(w) pointtype hollow(w) linewidth 1.2
    unset multiplot
    unset title
    @END
}
