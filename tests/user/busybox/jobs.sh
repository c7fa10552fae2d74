# SPDX-License-Identifier: MIT
# Background jobs, wait, kill and traps.
sleep 0.2 & a=$!; wait $a; echo "waited $?"
(exit 5) & wait $!; echo "status $?"
sleep 60 & s=$!; kill $s; wait $s 2>/dev/null; echo "killed $?"
sleep 60 & s=$!; kill -9 $s; wait $s 2>/dev/null; echo "killed $?"
for i in 1 2 3 4 5; do (exit $i) & eval p$i=$!; done
sum=0; for i in 1 2 3 4 5; do eval wait \$p$i; sum=$((sum + $?)); done; echo "sum $sum"
wait; echo "none left $?"
# before the first trap: after one, busybox 1.38's read never ends, by its own fault
mkfifo /tmp/go.$$; (read x < /tmp/go.$$; echo late) & echo early; echo > /tmp/go.$$; wait; rm /tmp/go.$$
trap 'echo got USR1' USR1; kill -USR1 $$; echo after
trap 'echo got TERM; exit_code=9' TERM; sh -c 'kill -TERM $PPID'; echo "code $exit_code"
trap '' HUP; kill -HUP $$; echo "ignored HUP"
(trap 'echo subshell exit' EXIT; echo in subshell)
trap - USR1; (kill -USR1 $(sh -c 'echo $PPID')) ; echo "default USR1 $?"
trap 'echo interrupted' USR2; sleep 1000 & s=$!
(until grep -q '^State:.*S' /proc/$$/status; do sleep 0.1; done; kill -USR2 $$) & # once it waits
wait $s; echo "wait ended $?"; kill $s; wait $s 2>/dev/null
trap 'echo bye' EXIT
exit 0
