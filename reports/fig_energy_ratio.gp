# How many times less energy ternary takes than FP16, by model size: energy_ratio.tsv.
# Figure 3 of BitNet b1.58 (arXiv 2402.17764): one operation at the left, whole passes at the right.
table = ARG1; stem = ARG2; width = 960; height = 450
load system("dirname '".ARG0."'")."/style.gp"

lines   = "published paper datapath core system"
colours = black." ".black." ".orange." ".green." ".blue
symbols = "6 2 5 9 7"
called  = "'published' 'paper method, here' 'datapath' 'core' 'system'"

dash(i) = i == 2 ? 2 : 1

stats table using (column("size_b")) name "size" nooutput
stats table using (column("fp16_mac_pj")) name "mac" nooutput
stats table using (column("int8_add_pj")) name "add" nooutput

do for [kind in kinds] {
    @BEGIN
    set multiplot
    set tmargin at screen 0.9; set bmargin at screen 0.15

    set lmargin at screen 0.08; set rmargin at screen 0.29
    set title "One operation, 7 nm" offset 0, -0.4
    set ylabel "energy (pJ)" offset 1, 0
    set yrange [0:mac_max * 1.15]
    set xrange [-0.6:1.6]
    set xtics ("FP16 multiply\nand add" 0, "INT8 add" 1) scale 0
    set label 1 sprintf("%.2f", mac_max) at 0, mac_max center offset 0, 0.7
    set label 2 sprintf("%.3f", add_max) at 1, add_max center offset 0, 0.7
    set label 3 sprintf("%.1f times", mac_max / add_max) at 1, mac_max * 0.55 center
    unset key
    plot table every ::::0 using (0):"fp16_mac_pj":(0.6) with boxes linecolor rgb vermillion, \
         table every ::::0 using (1):"int8_add_pj":(0.6) with boxes linecolor rgb blue
    unset label

    set lmargin at screen 0.39; set rmargin at screen 0.75
    set title "Whole models"
    set ylabel "FP16 energy / ternary energy"
    set logscale x
    set xrange [size_min * 0.85:size_max * 1.15]
    set yrange [0:*]
    set xtics (1.3, 3, 7, 13, 30, 70) scale 0.6
    set mxtics 1
    set grid xtics ytics
    set key at screen 0.78, 0.9 left top Left reverse samplen 2.2 spacing 1.3
    set xlabel "parameters (billions)" offset 0, 0.3
    plot for [i=2:words(lines)] table using "size_b":(column(word(lines, i)."_ratio")) \
             with linespoints linecolor rgb word(colours, i) dashtype dash(i) linewidth 1.4 pointtype (word(symbols, i) + 0) title word(called, i), \
         table using "size_b":"published_ratio" with points linecolor rgb black linewidth 1.2 pointtype 6 title "published"
    unset multiplot
    unset logscale; unset title; unset xlabel
    set grid noxtics
    @END
}
