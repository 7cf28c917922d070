#!/bin/sh
# workloads/train/corpus.sh DIR - text to train on, from Debian packages whose text is in the public
# domain: DIR/train.txt and DIR/heldout.txt.
#
#   r-cran-janeaustenr         Jane Austen, the six novels
#   bible-kjv, bible-kjv-text  the King James Bible
#   r-cran-tokenizers          Herman Melville, Moby Dick
#   dict-jargon                the Jargon File
#   dict-devil                 Ambrose Bierce, The Devil's Dictionary
#
# The packages are fetched with apt and unpacked into DIR, not installed. Of the novels, a paragraph
# becomes a line, as a verse of the Bible is. The text is cut into pieces of about 4000 bytes that end
# with a line; every twentieth is held out. The same versions of the packages give the same bytes.
set -eu
dir=${1:?expected a folder}
packages="bible-kjv bible-kjv-text r-cran-janeaustenr r-cran-tokenizers dict-jargon dict-devil"
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$dir/packages"
home=$(cd "$dir" && pwd)

command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || {
    echo "corpus: found no apt-get and dpkg-deb, expected a Debian system" >&2
    exit 1
}
for package in $packages; do
    [ -n "$(find "$home/packages" -name "${package}_*.deb")" ] ||
        (cd "$home/packages" && apt-get -o APT::Sandbox::User=root download -qq "$package") || {
        echo "corpus: cannot fetch $package: apt-get update may help" >&2
        exit 1
    }
done
rm -rf "$home/files"
for deb in "$home"/packages/*.deb; do
    dpkg-deb -x "$deb" "$home/files"
done
${CC:-cc} -std=gnu11 -O2 -o "$home/rdb_text" "$here/../../cli/corpus/rdb_text.c" -lz

# A verse is "Ge1:1 In the beginning ..."; what comes before the first prompt is a greeting.
printf 'ge1:1-re22:21\n' | "$home/files/usr/bin/bible" -p "$home/files/usr/lib/" -f |
    sed -n '1,/> /d; s/^[0-9A-Za-z]*[0-9]:[0-9][0-9]* //p' >"$home/bible.txt"

# Lines of a paragraph are joined, unless they are indented, as verses are; _emphasis_ is dropped,
# and so are paragraphs with a slur that no model need learn.
join_lines() {
    LC_ALL=C awk '
        function flush() { if (line != "" && tolower(line) !~ /nigg/) print line; line = "" }
        { sub(/\r$/, ""); gsub(/_/, "") }
        /^ *$/ || /^ / { flush() }
        /[^ ]/ { sub(/ *$/, ""); line = line == "" ? $0 : line " " $0 }
        END { flush() }'
}
rdb=$home/files/usr/lib/R/site-library
"$home/rdb_text" "$rdb/janeaustenr/data/Rdata.rdb" | join_lines >"$home/austen.txt"
"$home/rdb_text" "$rdb/tokenizers/data/Rdata.rdb" |
    sed '1,/^\*\*\* START OF /d; /^\*\*\* END OF /,$d' | join_lines >"$home/moby.txt"

for name in jargon devil; do # what dictd's own entries say begins with 00-database
    gzip -dc <"$home/files/usr/share/dictd/$name.dict.dz" |
        awk '/^ *00-?database/ { skips = 1 } /^$/ { skips = 0 } !skips' | sed 's/^    //' |
        join_lines >"$home/$name.txt"
done
names="austen bible moby jargon devil"
for name in $names; do
    [ "$(wc -c <"$home/$name.txt")" -gt 100000 ] || {
        echo "corpus: found $(wc -c <"$home/$name.txt") bytes of $name, expected 100000" >&2
        exit 1
    }
done

rm -f "$home/train.txt" "$home/heldout.txt"
for name in $names; do cat "$home/$name.txt"; done |
    LC_ALL=C awk -v train="$home/train.txt.tmp" -v heldout="$home/heldout.txt.tmp" '
        { print > (piece % 20 == 19 ? heldout : train); bytes += length($0) + 1 }
        bytes >= 4000 { piece++; bytes = 0 }'
mv "$home/train.txt.tmp" "$home/train.txt"
mv "$home/heldout.txt.tmp" "$home/heldout.txt"
cd "$home" && wc -c train.txt heldout.txt austen.txt bible.txt moby.txt jargon.txt devil.txt
