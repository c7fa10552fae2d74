# SPDX-License-Identifier: MIT
# A uprobe set from the shell counts the calls of one function, in a program that is running and in one that starts later.
t=/sys/kernel/tracing p=/tests/uprobes
test -w $t/uprobe_events && test -x $p || exit 77
hits() { awk -v e=$1 '$2 == e { print $3 }' $t/uprobe_profile; }
place=$($p --place)
mkfifo /tmp/go.$$
$p --call-on-line 25 < /tmp/go.$$ & running=$!
exec 9> /tmp/go.$$
echo "p:counted $place" > $t/uprobe_events
echo "r:came_back $place%return value=\$retval:s64" >> $t/uprobe_events
sed -n 's/^\([pr]\):uprobes\/\([a-z_]*\) .*/\1 \2/p' $t/uprobe_events
echo 1 > $t/events/uprobes/enable
echo >&9; wait $running; echo "running program: $? calls: $(hits counted)"
$p --call 17; echo "later program: $? calls: $(hits counted)"
grep -c 'came_back:.*value=' $t/trace
grep 'came_back:' $t/trace | sed -n 's/.*value=/value /p' | tail -n 2
echo 0 > $t/events/uprobes/enable
$p --call 17; echo "off: $(hits counted)"
echo > $t/uprobe_events; cat $t/uprobe_events; test -d $t/events/uprobes/counted || echo gone
exec 9>&-; rm /tmp/go.$$
