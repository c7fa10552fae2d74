# SPDX-License-Identifier: MIT
# ps, top, pidof-like lookups in /proc, nice, env, id, uname, uptime, free.
sleep 3000 & s=$!
until grep -q sleep /proc/$s/comm && grep -q sleep /proc/$s/cmdline; do sleep 0.1; done
ps | grep -v grep | grep -q 'sleep 3000' && echo "ps shows sleep"
ps -o pid,ppid,comm | awk -v p=$s '$1 == p { print "ps comm", $3 }'
top -b -n 1 | head -n 4 | grep -c -E 'Mem|CPU|Load|PID'
tr '\0' ' ' < /proc/$s/cmdline; echo
awk '{ print "ppid ok", ($4 == p) }' p=$$ /proc/$s/stat
sed -n 's/^State:[[:space:]]*\([SRD]\).*/state asleep or running/p' /proc/$s/status
kill $s; wait $s 2>/dev/null; test -d /proc/$s || echo "gone from /proc"
env -i A=1 /bin/sh -c 'echo "$A$HOME"'
id -u; uname -s; test -n "$(uname -m)" && echo machine
uptime | grep -q 'load average' && echo uptime
free | awk '/^Mem:/ { print ($2 > 0 && $2 >= $3) }'
date -u -d @86400 '+%Y-%m-%d %H:%M:%S'
test "$(date +%s)" -gt 0 && echo date
mount | grep -q ' /proc ' && echo mounted
echo 1 > /proc/sys/fs/mount-max; mount -t tmpfs none /tmp 2>/dev/null || echo no more mounts; echo 100000 > /proc/sys/fs/mount-max
pwd -P; cd /proc/self && cd / && pwd; echo $0 | sed 's:.*/::'
time -p true 2>&1 | grep -c -E 'real|user|sys'
timeout 1 sleep 20; echo "timeout $?"
