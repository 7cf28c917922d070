# The same products on this CPU, ternary and FP16: cpu_kernels.tsv. Measured, not modelled.
table = ARG1; stem = ARG2; width = 960; height = 420
load system("dirname '".ARG0."'")."/style.gp"

is_product(x) = column("ternary_weights_per_s") > 0 ? x : NaN
is_token(x)   = strcol("product") eq "whole token" ? x : NaN
giga(name)    = column(name) / 1e9
tick(n)       = sprintf('%s"%s\n%s x %s" %d', n ? ", " : "", strcol("product"), strcol("rows"), strcol("cols"), n)
products = 0; ticks = ""
stats table using (column("ternary_weights_per_s") > 0 ? (ticks = ticks.tick(products), products = products + 1, 0) : 0) nooutput

do for [kind in kinds] {
    @BEGIN
    set multiplot
    set tmargin at screen 0.85; set bmargin at screen 0.17
    set xtics scale 0
    set yrange [0:*]
    set offsets 0, 0, graph 0.08, 0

    set lmargin at screen 0.08; set rmargin at screen 0.68
    set title "Products of a decode step" offset 0, -0.4
    set ylabel "weights per second (10^9/s)" offset 0.8, 0
    set xrange [-0.6:products - 0.4]
    evaluate "set xtics (".ticks.")"
    set key at screen 0.08, 0.985 left top Left reverse maxrows 1 samplen 1.2
    plot table using (is_product($0 - 0.19)):(giga("ternary_weights_per_s")):(0.36) with boxes linecolor rgb blue title "ternary", \
         table using (is_product($0 + 0.19)):(giga("fp16_weights_per_s")):(0.36) with boxes fillstyle solid noborder linecolor rgb vermillion title "FP16", \
         table using (is_product($0 + 0.19)):(giga("fp16_weights_per_s")):(0.36) with boxes fillstyle transparent pattern 4 noborder linecolor rgb "#ffffff" notitle, \
         table using (is_product($0 - 0.19)):(giga("ternary_weights_per_s")):(three(giga("ternary_weights_per_s"))) with labels offset 0, 0.6 font fine textcolor rgb ink notitle, \
         table using (is_product($0 + 0.19)):(giga("fp16_weights_per_s")):(three(giga("fp16_weights_per_s"))) with labels offset 0, 0.6 font fine textcolor rgb ink notitle

    set lmargin at screen 0.78; set rmargin at screen 0.97
    set title "Whole token"
    set ylabel "decode speed (tokens/s)"
    set xrange [-0.6:1.6]
    set xtics ("ternary" 0, "FP16" 1)
    unset key
    plot table using (is_token(0)):"ternary_tokens_per_s":(0.6) with boxes linecolor rgb blue, \
         table using (is_token(1)):"fp16_tokens_per_s":(0.6) with boxes fillstyle solid noborder linecolor rgb vermillion, \
         table using (is_token(1)):"fp16_tokens_per_s":(0.6) with boxes fillstyle transparent pattern 4 noborder linecolor rgb "#ffffff", \
         table using (is_token(0)):"ternary_tokens_per_s":(three(column("ternary_tokens_per_s"))) with labels offset 0, 0.6 textcolor rgb ink, \
         table using (is_token(1)):"fp16_tokens_per_s":(three(column("fp16_tokens_per_s"))) with labels offset 0, 0.6 textcolor rgb ink
    unset multiplot
    unset title
    @END
}
