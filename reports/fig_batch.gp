# Tokens per second against batch, one line a design: batch.tsv.
table = ARG1; stem = ARG2; width = 960; height = 470
load system("dirname '".ARG0."'")."/style.gp"

designs = ""
stats table using (designs = add(designs, strcol("design")), 0) nooutput
colours = blue." ".vermillion." ".green." ".purple." ".orange." ".sky." ".grey." ".black
symbols = "7 5 9 11 13 6 4 8 10 12"
colour(i) = word(colours, (i - 1) % words(colours) + 1)
symbol(i) = word(symbols, (i - 1) % words(symbols) + 1) + 0
dash(i)   = 1 + (i - 1) % 4

do for [kind in kinds] {
    @BEGIN
    set logscale x 2
    set logscale y 10
    set xrange [0.9:*]
    set xlabel "batch (sequences side by side)" offset 0, 0.3
    set ylabel "throughput (tokens/s)" offset 0.5, 0
    set format y "%.0f"
    set grid xtics ytics
    set lmargin at screen 0.1; set rmargin at screen 0.76; set tmargin at screen 0.95; set bmargin at screen 0.14
    set key at screen 0.79, 0.95 left top Left reverse samplen 3 spacing 1.35
    plot for [i=1:words(designs)] table using (strcol("design") eq word(designs, i) ? column("batch") : NaN):"tokens_per_s" \
             with linespoints linecolor rgb colour(i) dashtype dash(i) linewidth 1.4 pointtype symbol(i) title word(designs, i)
    @END
}
