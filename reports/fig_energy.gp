# Energy per token by component, in millijoules and as shares: energy_components.tsv.
table = ARG1; stem = ARG2; width = 960; height = 440
load system("dirname '".ARG0."'")."/style.gp"

parts   = "arithmetic vector sram wires links control clock static dram"
colours = vermillion." ".orange." ".sky." ".green." ".purple." ".black." ".yellow." ".grey." ".blue
hatched = "2 3 4 5 8"; hatch = "0 4 1 5 2 0 0 6 0" # where neighbours print alike
veil    = "#60ffffff"

designs = ""; rows = 0
stats table using (designs = add(designs, strcol("design")), rows = rows + 1, 0) nooutput
stats table using (column("total_pj_per_token") / 1e9) name "total" nooutput

pj(part)     = column(part."_pj_per_token")
before(n)    = int(n) == 1 ? 0 : sum [i=1:int(n)-1] pj(word(parts, i))
upto(n)      = sum [i=1:int(n)] pj(word(parts, i))
mj(x)        = x / 1e9
percent(x)   = 100 * x / column("total_pj_per_token")
name(n)      = word(parts, n) eq "dram" ? "DRAM" : word(parts, n) eq "sram" ? "SRAM" : word(parts, n)
row(i)       = rows - i

do for [kind in kinds] {
    @BEGIN
    set multiplot
    set ytics scale 0
    set yrange [0.4:rows + 0.6]
    set grid noytics xtics
    set border 1

    set lmargin at screen 0.15; set rmargin at screen 0.53
    set tmargin at screen 0.88; set bmargin at screen 0.14
    set xlabel "energy per token (mJ)" offset 0, 0.3
    set xrange [0:total_max * 1.16]
    unset key
    x = 0.15
    do for [n=1:words(parts)] {
        set object n rectangle from screen x, 0.915 to screen x + 0.022, 0.955 fillcolor rgb word(colours, n) fillstyle solid noborder
        if (strstrt(hatched, sprintf("%d", n)) > 0) {
            set object 20 + n rectangle from screen x, 0.915 to screen x + 0.022, 0.955 fillcolor rgb veil fillstyle transparent pattern (word(hatch, n) + 0) noborder
        }
        set label n name(n) at screen x + 0.027, 0.935 left front font fine
        x = x + 0.0915
    }
    plot for [n=1:words(parts)] table using (mj(before(n))):(row($0)):(mj(before(n))):(mj(upto(n))):(row($0) - 0.34):(row($0) + 0.34):ytic(strcol("design")) \
             with boxxyerror fillstyle solid noborder linecolor rgb word(colours, n), \
         for [n in hatched] table using (mj(before(n))):(row($0)):(mj(before(n))):(mj(upto(n))):(row($0) - 0.34):(row($0) + 0.34) \
             with boxxyerror fillstyle transparent pattern (word(hatch, int(n)) + 0) noborder linecolor rgb veil, \
         table using (mj(column("total_pj_per_token"))):(row($0)):(three(mj(column("total_pj_per_token")))) with labels left offset 0.6, 0 textcolor rgb ink

    set lmargin at screen 0.57; set rmargin at screen 0.97
    set xlabel "share of the energy (%)" offset 0, 0.3
    set xrange [0:100]
    set format y ""
    unset object; unset label
    plot for [n=1:words(parts)] table using (percent(before(n))):(row($0)):(percent(before(n))):(percent(upto(n))):(row($0) - 0.34):(row($0) + 0.34) \
             with boxxyerror fillstyle solid noborder linecolor rgb word(colours, n), \
         for [n in hatched] table using (percent(before(n))):(row($0)):(percent(before(n))):(percent(upto(n))):(row($0) - 0.34):(row($0) + 0.34) \
             with boxxyerror fillstyle transparent pattern (word(hatch, int(n)) + 0) noborder linecolor rgb veil, \
         for [n=1:words(parts)] table using (percent(pj(word(parts, n))) >= 7 ? percent((before(n) + upto(n)) / 2) : NaN):(row($0)):(sprintf("%.0f", percent(pj(word(parts, n))))) \
             with labels center boxed font fine textcolor rgb ink
    unset multiplot
    set format y
    @END
}
