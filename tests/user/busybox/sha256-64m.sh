# SPDX-License-Identifier: MIT
# A 64 MiB file of generated data, written, read back and hashed.
F=/tmp/big.$$
yes 'Caelum: sixty-four mebibytes of this very line, and then a hash.' | head -c 67108864 > $F
wc -c < $F
sha256sum < $F
dd if=$F bs=1M skip=63 2>/dev/null | sha256sum
rm $F
