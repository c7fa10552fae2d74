# SPDX-License-Identifier: MIT
# Command substitution, arithmetic, parameters, functions, globs, case.
D=/tmp/subst.$$; mkdir $D && cd $D || exit 1
x=$(echo "nested $(echo $(echo deep))"); echo "$x"
echo "`echo back ticks`"
echo $((0x10 + 010 + 3 % 2 << 2))
n=0; while [ $n -lt 5 ]; do n=$((n + 1)); done; echo $n
v=path/to/file.tar.gz; echo ${v##*/} ${v%%.*} ${v#*/} ${v%.*} ${#v}
echo ${unset:-default} ${unset:=assigned} $unset ${v:+set}
f() { echo "f got $# args: $*"; return 3; }; f a 'b c' d; echo "returned $?"
touch a1 a2 b1 .hidden; echo *; echo a?; echo [ab]1; echo nothing*
for i in x y z; do case $i in x) echo ex;; y|q) echo why;; *) echo other;; esac; done
set -- one 'two three' four; echo $#; shift; echo "$1"; for a; do echo "[$a]"; done
big=$(seq 1 20000); echo ${#big}
IFS=:; set -- a:b:c; echo $1; unset IFS
eval 'y=5; echo $y'; echo ${y}th
echo $(exit 7); r=$(exit 7); echo $?
cd /; rm -r $D
