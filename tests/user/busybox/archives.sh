# SPDX-License-Identifier: MIT
# tar, gzip, cpio, checksums; the 64 MiB file's content is generated and its hash known.
D=/tmp/arch.$$; mkdir $D && cd $D || exit 1
mkdir -p src/sub; seq 1 20000 > src/numbers; echo small > src/sub/small; ln -s small src/sub/link
chmod 600 src/sub/small
tar cf a.tar src; tar tf a.tar | sort; mkdir out; tar xf a.tar -C out; diff -r src out/src && echo same
stat -c %a out/src/sub/small; readlink out/src/sub/link
gzip -c src/numbers > n.gz; gunzip -c n.gz | cmp - src/numbers && echo round trip
test $(wc -c < n.gz) -lt $(wc -c < src/numbers) && echo smaller
tar czf a.tgz src; tar xzOf a.tgz src/sub/small; gzip -t a.tgz && echo intact
head -c 100 n.gz > cut.gz; gunzip -c cut.gz >/dev/null 2>&1 || echo "truncated refused"
find src | sort | cpio -o -H newc 2>/dev/null > a.cpio; mkdir c; (cd c && cpio -id < ../a.cpio 2>/dev/null)
diff -r src c/src && echo cpio same
md5sum src/numbers; sha1sum < src/sub/small; sha256sum src/numbers; sha512sum src/sub/small
cd /; rm -r $D
