# Loss against tokens trained on, one line a model, held-out losses as points: loss.tsv.
table = ARG1; stem = ARG2; width = 960; height = 470
load system("dirname '".ARG0."'")."/style.gp"

models = ""
stats table using (models = add(models, strcol("model")), 0) nooutput
colour(i) = word(blue." ".vermillion." ".green." ".purple, (i - 1) % 4 + 1)
symbol(i) = word("7 5 9 13", (i - 1) % 4 + 1) + 0
is(i)     = strcol("model") eq word(models, i)

do for [kind in kinds] {
    @BEGIN
    set xlabel "tokens trained on (millions)" offset 0, 0.3
    set ylabel "loss (nats per token)" offset 0.5, 0
    set xrange [0:*]
    set grid xtics ytics
    set lmargin at screen 0.1; set rmargin at screen 0.97; set tmargin at screen 0.95; set bmargin at screen 0.14
    set key top right Left reverse samplen 2
    plot for [i=1:words(models)] table using (is(i) ? column("tokens") / 1e6 : NaN):"loss" \
             with lines linecolor rgb colour(i) linewidth 0.8 title word(models, i).", batch", \
         for [i=1:words(models)] table using (is(i) ? column("tokens") / 1e6 : NaN):(column("heldout_loss")) \
             with points linecolor rgb colour(i) pointtype symbol(i) title word(models, i).", held out"
    @END
}
