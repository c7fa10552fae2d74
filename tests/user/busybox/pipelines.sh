# SPDX-License-Identifier: MIT
# Pipelines, exit statuses, and early ends of readers.
echo one two three | tr ' ' '\n' | sort -r | head -n 2
seq 1 1000 | grep 7 | wc -l
yes | head -n 3
false | true; echo "status $?"
true | false; echo "status $?"
! false; echo "status $?"
set -o pipefail; false | true; echo "pipefail $?"; set +o pipefail
seq 1 20000 | tail -n 1
seq 1 5 | while read n; do printf '%s,' $((n * n)); done; echo
cat /dev/zero | head -c 100000 | wc -c
echo abc | (read x; echo "<$x>") | cat | cat | cat | cat
(echo out; echo err >&2) 2>&1 | sort
exit 0
