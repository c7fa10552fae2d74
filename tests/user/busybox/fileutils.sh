# SPDX-License-Identifier: MIT
# ls, find, cp, mv, ln, rm, chmod, stat, du-like totals, on a small tree.
D=/tmp/futil.$$; umask 022; mkdir $D && cd $D || exit 1
mkdir -p a/b/c d; echo hello > a/file; echo world > a/b/other; ln -s ../a/file d/link; ln a/file hard
chmod 640 a/file; chmod +x a/b/other; mkfifo d/fifo; : > 'with space'
ls -R; ls -1a a
ls -lR . | grep -v '^total' | sed 's/  */ /g' | cut -d' ' -f1,2 | grep -v '^\.'
find . | sort
find . -type f -name '*o*' | sort; find . -type l; find . -type p; find . -type d | sort
find . -type f -size -2 -exec wc -c {} \; | sort
find a -perm 640; find . -links 2 -type f | sort
stat -c '%a %h %s %F %n' a/file d/link d/fifo; stat -c '%a %h %F %n' a
readlink d/link; cat d/link; test a/file -ef hard && echo same
cp -r a copy; diff -r a copy && echo equal; echo x >> copy/file; diff a/file copy/file
mv copy moved; test -d copy || echo gone; rm -r moved; mv hard d; ls d
touch -d '2020-02-03 04:05:06' a/file; TZ=UTC stat -c %y a/file | cut -c1-19
rmdir a 2>/dev/null || echo "not empty"; rm -r a; cat d/link 2>/dev/null || echo dangling
test -e "with space" && rm 'with space'; ls; cd /; rm -r $D; test -e $D || echo cleaned
