# SPDX-License-Identifier: MIT
# dd: sizes, offsets, sparse writes, conversions, reported counts.
D=/tmp/dd.$$; mkdir $D && cd $D || exit 1
dd if=/dev/zero of=z bs=1k count=100 2>&1 | head -n 2; stat -c %s z
seq 1 1000 > in; dd if=in of=out bs=7 2>/dev/null; cmp in out && echo copied
dd if=in bs=1 skip=10 count=5 2>/dev/null | od -c | head -n 1
printf XXXX | dd of=in bs=1 seek=3 conv=notrunc 2>/dev/null; head -n 3 in
dd if=/dev/zero of=sparse bs=1 count=1 seek=10000000 2>/dev/null; stat -c %s sparse
test $(stat -c %b sparse) -lt 1000 && echo sparse
dd if=in of=sync bs=4096 conv=sync 2>/dev/null; echo $(($(stat -c %s sync) % 4096))
dd if=/dev/null of=trunc 2>/dev/null; stat -c %s trunc
dd if=/no/such/file of=x 2>/dev/null || echo "no input: $?"
dd if=/dev/zero of=/dev/full bs=1 count=1 2>/dev/null || echo "full: $?"
head -c 1000 /dev/urandom | wc -c; head -c 10 /dev/zero | od -An -tx1
cd /; rm -r $D
