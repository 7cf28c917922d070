# What is left of the ratio of one operation, scope by scope, in a whole machine: scopes.tsv.
table = ARG1; stem = ARG2; width = 960; height = 430
load system("dirname '".ARG0."'")."/style.gp"

phases = "decode prefill"
titles = "'Decode, one token at a time' 'Prefill of a prompt'"
scopes = ""
stats table using (scopes = add(scopes, strcol("scope")), 0) nooutput
papers = "" # those that count by the paper's method come first
stats table using (strcol("method") eq "paper" ? (papers = add(papers, strcol("scope")), 0) : 0) nooutput
stats table using (column("ratio")) name "ratio" nooutput
colours(n) = n == 1 ? black : n == 2 ? grey : n == 3 ? orange : n == 4 ? green : blue
tic(p)     = p == 1 ? strcol("scope") : ""
at(s)      = words(scopes) - place(scopes, s) + (place(scopes, s) <= words(papers) ? 0.6 : 0) # with room for a heading

do for [kind in kinds] {
    @BEGIN
    set multiplot
    set yrange [-0.6:words(scopes) + 0.5]
    set xrange [0:ratio_max * 1.12]
    set grid noytics xtics
    set border 1
    set ytics scale 0
    set tmargin at screen 0.88; set bmargin at screen 0.16
    set xlabel "FP16 energy / ternary energy" offset 0, 0.3
    unset key
    do for [p=1:words(phases)] {
        phase = word(phases, p)
        set lmargin at screen (p == 1 ? 0.19 : 0.60); set rmargin at screen (p == 1 ? 0.56 : 0.97)
        set title word(titles, p) offset 0, -0.3
        set label 1 "arithmetic alone, at the prices of the papers" at first 0, words(scopes) + 0.23 left font fine textcolor rgb ink
        set label 2 "a whole machine: every count of the run has a price" at first 0, words(scopes) - words(papers) - 0.37 left font fine textcolor rgb ink
        plot for [n=1:words(scopes)] table using (0):(at(strcol("scope"))):(0):(strcol("phase") eq phase && strcol("scope") eq word(scopes, n) ? column("ratio") : NaN):(at(strcol("scope")) - 0.33):(at(strcol("scope")) + 0.33):ytic(tic(p)) \
                 with boxxyerror fillstyle solid noborder linecolor rgb colours(n), \
             table using (strcol("phase") eq phase ? column("ratio") : NaN):(at(strcol("scope"))):(three(column("ratio"))) \
                 with labels left offset 0.6, 0 textcolor rgb ink
    }
    unset multiplot
    unset label
    unset title
    @END
}
