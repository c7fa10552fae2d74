# SPDX-License-Identifier: MIT
# grep, sed, awk, sort, cut, tr, uniq, paste, printf, expr, xargs, od on generated text.
D=/tmp/text.$$; mkdir $D && cd $D || exit 1
awk 'BEGIN { for (i = 1; i <= 500; i++) print i, i * i % 97, "name" i % 7 }' > data
wc < data | sed 's/^ *//; s/  */ /g'
grep -c name3 data; grep -E '^(1|2)00 ' data; grep -vc 'name[0-5]' data; grep -n '^77 ' data
sed -n '10,12p; /^499 /p' data; sed -e 's/name\([0-9]\)/n=\1/' -e '3q' data
sed 's/^\([0-9]*\) \([0-9]*\)/\2 \1/' data | head -n 2; sed '2,$d' data
awk '{ s += $2; c[$3]++ } END { print s; for (k in c) print k, c[k] }' data | sort
awk -F' ' '$2 == 4 { printf "%03d|%-8s|%5.2f\n", $1, $3, $1 / 3 }' data
awk 'BEGIN { "echo piped" | getline x; print toupper(x), length(x), substr(x, 2, 3) }'
sort -k2,2n -k1,1nr data | head -n 4; sort -k3 -u data | cut -d' ' -f3
cut -d' ' -f2 data | sort -n | uniq -c | sort -rn | head -n 2 | sed 's/^ *//'
tr a-z A-Z < data | tail -n 1; tr -d '\n ' < data | wc -c
printf '%d %s %x %o %05d|%-5s|%c\n' 42 str 255 8 42 ab xyz
expr 6 \* 7; expr length hello; seq 3 | paste -s -d+ ; seq 5 -2 1 | xargs echo; seq 6 | xargs -n 2 echo
printf 'abc\n' | od -c | head -n 1; echo hello | rev
printf 'b\na\n' > s1; printf 'a\nc\n' > s2; sort s1 > s1s; comm s1s s2 2>/dev/null || echo "no comm"
cd /; rm -r $D
