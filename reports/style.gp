# reports/style.gp - what all figures share. A figure is run as
#
#     gnuplot -c reports/fig_<name>.gp build/report/tables/<table>.tsv build/report/figures/<name>
#
# and writes <name>.svg, .pdf and .png. It begins with
#
#     table = ARG1; stem = ARG2; width = 960; height = 480
#     load system("dirname '".ARG0."'")."/style.gp"
#
# and draws once for each terminal:  do for [kind in kinds] { @BEGIN ... plot ...; @END }
#
# Colours are those of Okabe and Ito (Color Universal Design, 2008): told apart with any colour vision.
# In black-and-white print, bars differ by hatching, lines by symbol and by a label at their end.

if (table eq "" || stem eq "") {
    exit error "usage: gnuplot -c reports/fig_NAME.gp TABLE.tsv STEM"
}
if (system("test -r '".table."' && echo yes") ne "yes") {
    exit error sprintf("%s: no such table (lpu report writes it)", table)
}

kinds = "svg pdf png"
open_svg(w, h) = sprintf('set terminal svg size %d,%d enhanced font "Helvetica,14" linewidth 1.2 dashlength 0.8 background "#ffffff"; set output "%s.svg"', w, h, stem)
open_pdf(w, h) = sprintf('set terminal pdfcairo size %.3fin,%.3fin enhanced color font "Helvetica,10.5" linewidth 1.2 dashlength 0.8 background "#ffffff"; set output "%s.pdf"', w / 96.0, h / 96.0, stem)
open_png(w, h) = sprintf('set terminal pngcairo size %d,%d enhanced font "Helvetica,10.5" fontscale 2 pointscale 2 linewidth 2.4 dashlength 0.8 background "#ffffff"; set output "%s.png"', 2 * w, 2 * h, stem)
open(kind) = kind eq "svg" ? open_svg(width, height) : kind eq "pdf" ? open_pdf(width, height) : open_png(width, height)
BEGIN = "evaluate open(kind); fine = kind eq 'svg' ? ',12' : ',9'; set pointsize kind eq 'svg' ? 0.6 : 0.8"
END   = "unset output"

set encoding utf8
set datafile separator "\t"
set datafile commentschars "#"
set datafile missing "-"
set datafile columnheaders

ink = "#222222"; faint = "#d9d9d9"; grey = "#8c8c8c"
black = "#000000"; orange = "#E69F00"; sky = "#56B4E9"; green = "#009E73"
yellow = "#F0E442"; blue = "#0072B2"; vermillion = "#D55E00"; purple = "#CC79A7"

set border 3 linecolor rgb ink linewidth 0.8
set tics nomirror scale 0.6 textcolor rgb ink
set mxtics default
set grid ytics linecolor rgb faint linewidth 0.6 dashtype solid
set key samplen 2 spacing 1.15 textcolor rgb ink
set style textbox opaque fillcolor rgb "#ffffff" noborder margins 0.4, 0.2
set style fill solid 1.0 noborder
set boxwidth 0.7

# The distinct words of a column, in the order of the table: quoted, for words() and word().
quoted(word)    = '"'.word.'"'
add(list, word) = strstrt(list, quoted(word)) > 0 ? list : list." ".quoted(word)
place(list, w)  = (_n = NaN, sum [i=1:words(list)] (word(list, i) eq w ? (_n = i, 0) : 0), _n)

# A number for a label, with three digits.
three(x) = sprintf(x < 0.9995 ? "%.3f" : x < 9.995 ? "%.2f" : x < 99.95 ? "%.1f" : "%.0f", x)
