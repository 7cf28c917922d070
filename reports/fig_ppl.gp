# Perplexity against joules per token, one point a way to hold cache and head: ppl.tsv. FP16 is a
# level to compare with: its energy, on a machine with multipliers, is far to the right.
table = ARG1; stem = ARG2; width = 960; height = 470
load system("dirname '".ARG0."'")."/style.gp"

is_head(kv, head) = kv == 5 && head < 5
is_kv(kv, head)   = kv >= 2 && head == 5
is_both(kv, head) = kv == 2 && head == 3
energy            = "(column('pj_per_token') / 1e6)"
digits            = "column('kv_trits'), column('head_trits')"
name_of(kv, head) = sprintf("%d / %d", kv, head)

stats table using (column("kv_trits") == 0 ? (level = column("perplexity"), cost = @energy, 0) : 0) nooutput

do for [kind in kinds] {
    @BEGIN
    set xlabel "energy per token (µJ)" offset 0, 0.3
    set ylabel "perplexity per token" offset 0.5, 0
    set offsets graph 0.04, graph 0.08, graph 0.22, graph 0.08
    set grid xtics ytics
    set lmargin at screen 0.1; set rmargin at screen 0.97; set tmargin at screen 0.95; set bmargin at screen 0.14
    set key top right Left reverse samplen 2.5
    plot table using (column("kv_trits") > 0 ? @energy : NaN):(level) \
             with lines linecolor rgb vermillion dashtype 3 linewidth 1.2 title sprintf("FP16: %s µJ, with multipliers", three(cost)), \
         table using (is_kv(@digits) ? @energy : NaN):"perplexity" \
             with linespoints linecolor rgb blue linewidth 1.2 pointtype 7 title "trits of the cache: 5 to 2", \
         table using (is_head(@digits) ? @energy : NaN):"perplexity" \
             with linespoints linecolor rgb green linewidth 1.2 dashtype 2 pointtype 9 title "trits of the head: 4, 3", \
         table using (is_both(@digits) ? @energy : NaN):"perplexity" \
             with points linecolor rgb purple pointtype 13 title "both at their least", \
         table using (column("kv_trits") > 0 ? @energy : NaN):"perplexity":(name_of(@digits)) \
             with labels left offset 0.5, 0.7 font fine textcolor rgb ink title "cache / head"
    unset offsets
    @END
}
