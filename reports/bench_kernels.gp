# The CPU kernels under the roofline of this machine, one panel a number of threads: multiply-adds per
# second against multiply-adds per byte of weights. A line is a format of weights, its points batches
# of 1 to 512 tokens with weights from memory; a ring is the same with weights in the caches. Where
# the memory became slower in the run, its slope is drawn again, dashed, at the slowest. Bars:
# weights per second of one token, from memory, with the most threads, and times those of fp16.
# `lpu bench kernels --out DIR` writes points.tsv and, beside it, limits.tsv.
table = ARG1; stem = ARG2; width = 1120; height = 480
load system("dirname '".ARG0."'")."/style.gp"

limits = system("dirname '".table."'")."/limits.tsv"
if (system("test -r '".limits."' && echo yes") ne "yes") {
    exit error sprintf("%s: no such table (lpu bench kernels --out writes it)", limits)
}
formats = '"1-bit" "1.6-bit" "2-bit" "Q4_0" "Q8_0" "bf16" "fp16"'
colours = "#56B4E9 #0072B2 #009E73 #E69F00 #D55E00 #8c8c8c #000000"
marks   = "7 5 9 13 11 15 3"
panels  = ""
stats limits using (panels = add(panels, strcol("threads")), 0) nooutput
stats table using (column("macs_per_byte")) name "x" nooutput
stats table using (column("macs_per_s") / 1e9) name "y" nooutput
stats limits using (column("ternary_macs_per_s") / 1e9) name "top" nooutput
of(t, from, format) = strcol("threads") eq t && strcol("from") eq from && strcol("weights") eq format
least(a, b) = a < b ? a : b

do for [kind in kinds] {
    @BEGIN
    set multiplot
    set logscale xy
    set format "%g"
    set mxtics 1; set mytics 1
    set grid xtics ytics
    set samples 300
    set datafile missing NaN
    set label 1 "multiply-adds per second (10^9/s)" at screen 0.018, 0.5 rotate by 90 center
    set label 2 "multiply-adds per byte of weights" at screen 0.385, 0.035 center
    set key at screen 0.065, 0.985 left top Left reverse maxrows 2 samplen 2 noenhanced
    if (kind eq "svg") { set key width -8 } else { set key width -2 } # its letters are narrower than it thinks
    do for [p=1:words(panels)] {
        t = word(panels, p)
        set xrange [*:*]; set yrange [*:*]
        stats limits using (strcol("threads") eq t ? (slope = column("read_bytes_per_s") / 1e9, low = column("least_read_bytes_per_s") / 1e9, i8 = column("i8_macs_per_s") / 1e9, ternary = column("ternary_macs_per_s") / 1e9, bf16 = column("bf16_macs_per_s") / 1e9, f32 = column("f32_macs_per_s") / 1e9, 0) : 0) nooutput
        set xrange [0.7 * x_min:6 * x_max] # room for the names of roofs
        set yrange [0.6 * y_min:2.5 * top_max]
        each = 0.68 / words(panels)
        set lmargin at screen 0.065 + (p - 1) * each; set rmargin at screen 0.065 + p * each - 0.025
        set tmargin at screen 0.86; set bmargin at screen 0.115
        set format y (p == 1 ? "%g" : "")
        set label 3 t.(t eq "1" ? " thread" : " threads") at graph 0.98, 0.06 right
        set label 4 "int8" at graph 0.985, first 1.13 * i8 right font fine
        set label 7 (ternary > i8 ? "ternary, with lookups" : "") at graph 0.985, first 1.13 * ternary right font fine
        set label 5 "BF16" at graph 0.985, first 1.13 * bf16 right font fine
        set label 6 "FP32" at graph 0.985, first 1.13 * f32 right font fine
        plot least(ternary, slope * x) with lines linecolor rgb ink linewidth 1.3 title "roofs: memory, products", \
             least(i8, slope * x) with lines linecolor rgb ink linewidth 0.8 notitle, \
             (1.5 * low < slope && low * x < ternary ? low * x : NaN) with lines linecolor rgb ink linewidth 0.8 dashtype 2 notitle, \
             least(bf16, slope * x) with lines linecolor rgb ink linewidth 0.8 dashtype 2 notitle, \
             least(f32, slope * x) with lines linecolor rgb ink linewidth 0.8 dashtype 3 notitle, \
             for [i=1:words(formats)] table using (of(t, "cache", word(formats, i)) ? column("macs_per_byte") : NaN):(column("macs_per_s") / 1e9) \
                 with points linecolor rgb word(colours, i) pointtype 6 pointsize (kind eq "svg" ? 1.1 : 1.4) notitle, \
             for [i=1:words(formats)] table using (of(t, "memory", word(formats, i)) ? column("macs_per_byte") : NaN):(column("macs_per_s") / 1e9) \
                 with linespoints linecolor rgb word(colours, i) linewidth 1.1 pointtype (word(marks, i) + 0) title word(formats, i)
        unset key; unset label
    }
    unset logscale; unset grid; unset xtics
    set format "%g"; set format y ""
    set lmargin at screen 0.80; set rmargin at screen 0.985
    one(t, i) = strcol("tokens") eq "1" && of(t, "memory", word(formats, i))
    array rates[words(formats)]
    do for [i=1:words(formats)] {
        rates[i] = NaN
        set xrange [*:*]; set yrange [*:*]
        stats table using (one(t, i) ? (rates[i] = column("macs_per_s") / 1e9) : NaN) nooutput
    }
    most = 1
    do for [i=1:words(formats)] { most = rates[i] > most ? rates[i] : most }
    set xrange [0:1.75 * most]; set yrange [words(formats) + 0.6:0.4]
    set ytics scale 0 noenhanced
    set for [i=1:words(formats)] ytics add (word(formats, i) i)
    set format y "%s"
    set border 2
    set label 1 "1 token from memory, ".t.(t eq "1" ? " thread" : " threads") at screen 0.99, graph 1.10 right
    set label 2 "10^9 weights/s (times fp16)" at graph 0, 1.045 left
    do for [i=1:words(formats)] {
        set label (10 + i) sprintf("%.0f (%.1fx)", rates[i], rates[i] / rates[words(formats)]) at rates[i] + 0.03 * most, i left font fine
    }
    plot for [i=1:words(formats)] "+" using (rates[i] / 2):(i):(rates[i] / 2):(0.34) every ::0::0 \
        with boxxyerror linecolor rgb word(colours, i) notitle
    unset label; unset ytics; set ytics nomirror scale 0.6; set xtics nomirror scale 0.6
    set border 3 linecolor rgb ink linewidth 0.8
    unset multiplot
    unset title
    @END
}
