# SPDX-License-Identifier: MIT
"""Debian's strace in the guest: what it prints of `sh -c 'ls | wc'`, against what it prints on this machine's Linux
(its own architecture, as root) or, elsewhere, against what such a run consists of; and Debian's gdbserver in the guest, with gdb on
this machine. The packages: scripts/bootstrap --tools."""
import functools
import os
import re
import shutil
import signal
import subprocess
import tempfile

import caelum
from command import Wrong, caelum_run, expect, run_cases

TOOLS = os.path.join(caelum.ROOT, "build/deps/tools")
# The trace of each process to a file of its own, by process number: sh, ls, wc.
SCRIPT = "cd /etc; PATH=/usr/bin; export PATH; strace -ff -o /tmp/t /bin/sh -c 'ls | wc' >/tmp/out; cat /tmp/out; " \
         "for f in /tmp/t.*; do echo == $f; cat $f; done"
# What the CPU, the mounts and the kernel's age decide: paths of the CPU's level, the search for SELinux, and calls
# that this kernel does not have.
VARIES = re.compile(r"glibc-hwcaps|selinux|/proc/|^rseq|hwprobe|^statfs|^set_robust_list")


def normalise(line):
    """Numbers, addresses and the contents of buffers out; names, flags, error names stay."""
    line = re.sub(r"\s*/\* .*? \*/", "", line)
    line = re.sub(r"\[pid +\d+\] ", "", line)
    line = re.sub(r"^(read|write|pread64)\((\w+), .*\)( += )", r"\1(\2)\3", line)
    line = re.sub(r"^getrandom\(.*\)( += )", r"getrandom()\1", line)
    line = re.sub(r"0x[0-9a-f]+|\b\d+\b", "N", line)
    return re.sub(r"\s+", " ", line)


def traces(out):
    """What SCRIPT printed, and for each process the lines that can be compared: not the reading of /proc/filesystems."""
    text = out.decode("utf-8", "replace")
    parts = re.split(r"^== \S+\n", text, flags=re.M)
    result = []
    for part in parts[1:]:
        lines, searching = [], False
        for line in part.splitlines():
            if "/proc/filesystems" in line:
                searching = True    # read line by line, to its end or what it looks for
            if not searching and not VARIES.search(line):
                lines.append(normalise(line))
            if line.startswith("close("):
                searching = False
        result.append(lines)
    return parts[0], result


def default_signals():
    """What this run's caller ignores, its children's traces would show."""
    for sig in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
        signal.signal(sig, signal.SIG_DFL)


def on_linux(root):
    """SCRIPT on this machine, in @root, or None if that may not be done."""
    mount = f"mount -t tmpfs none {root}/tmp && mount -t proc none {root}/proc && " \
            f"exec chroot {root} /bin/sh -c \"$1\""
    done = subprocess.run(["unshare", "-m", "sh", "-c", mount, "sh", SCRIPT], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL, check=False,
                          env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}, preexec_fn=default_signals)
    return done.stdout if done.returncode == 0 else None


GDB = """set pagination off
set confirm off
set can-use-hw-watchpoints {hardware}
set sysroot {root}
file {program}
target remote | {caelum} run -a {arch} --smp 2 -m 1G --rootfs {root} --file {program}:/target --timeout 200 /usr/bin/gdbserver --once - /target
break target
continue
bt
print x
finish
stepi
next
tbreak send_signal
continue
delete
watch watched
continue
continue
continue
delete
break worker
continue
info threads
delete
handle SIGUSR1 nostop noprint pass
continue
"""
# In this order, whatever lies between them.
GDB_WANTED = (
    r"^Breakpoint 1, target \(x=7\) at ", r"^#0 .*target \(x=7\)", r"^#1 .* in main \(", r"^\$1 = 7$", r"^Value returned is \$2 = 21$",
    r"^Temporary breakpoint 2, send_signal \(",
    r"^(Hardware w|W)atchpoint 3: watched$", r"^Program received signal SIGUSR1", r"^Old value = 0$", r"^New value = 10$", r"^Old value = 10$",
    r"^New value = 42$", r"^\[New Thread ", r"hit Breakpoint 4, worker \(", r"^  1 +Thread ", r"^\* 2 +Thread .*worker \(", r"^r 21 calls 6$",
    r"^\[Inferior 1 \(process \d+\) exited with code 06\]$")


class Cases:
    """Each method test_* is one case."""

    def __init__(self, arch, root):
        self.arch = arch
        self.root = root

    def check_structure(self, shell, ls, wc):
        """What must be in each trace, whatever the C library of that architecture does."""
        for name, lines, wanted in (
                ("sh", shell, [r"^execve\(", r"^pipe2?\(", r"^(clone|fork|vfork).* = N$", r"^wait4\(.*WIFEXITED",
                               r"^--- SIGCHLD \{si_signo=SIGCHLD, si_code=CLD_EXITED", r"^exit_group\(N\)",
                               r"^\+\+\+ exited with N \+\+\+$"]),
                ("ls", ls, [r'^execve\("/usr/bin/ls", \["ls"\]', r"^openat\(AT_FDCWD, \".\", .*O_DIRECTORY",
                            r"^getdents64\(N,", r"^write\(N\)", r"^\+\+\+ exited with N \+\+\+$"]),
                ("wc", wc, [r'^execve\("/usr/bin/wc", \["wc"\]', r"^read\(N\) = N$", r"^write\(N\) = N$",
                            r"^\+\+\+ exited with N \+\+\+$"])):
            for pattern in wanted:
                if not any(re.search(pattern, line) for line in lines):
                    raise Wrong(f"no {pattern} in the trace of {name}: {lines}")
            # No line that was cut short, none of a call that strace does not know.
            for line in lines:
                if not re.search(r"= (N|-N E\w+ \(.*\)|\?)|^[-+]{3} .* [-+]{3}$| = N \(.*\)$", line):
                    raise Wrong(f"the trace of {name} has {line!r}")

    def test_strace(self):
        status, out, err = caelum_run("-a", self.arch, "-m", "1G", "--rootfs", self.root, "/bin/sh", "-c", SCRIPT)
        if status:
            raise Wrong(f"status {status}; {out[-500:]!r} {err[-1500:]!r}")
        printed, processes = traces(out)
        if not re.fullmatch(r"\s+\d+\s+\d+\s+\d+\n", printed) or len(processes) != 3:
            raise Wrong(f"{len(processes)} processes were traced; printed: {printed!r}")
        self.check_structure(*processes)
        linux = on_linux(self.root) if self.arch == os.uname().machine else None
        if linux is None:
            return
        for name, here, there in zip(("sh", "ls", "wc"), processes, traces(linux)[1]):
            expect(f"the set of lines in the trace of {name}", sorted(set(here) - set(there)), [])
            expect(f"the set of lines missing in the trace of {name}", sorted(set(there) - set(here)), [])


@functools.cache
def bring_tools():
    """What only these tests want: brought, once, when the first architecture misses it."""
    subprocess.run([os.path.join(caelum.ROOT, "scripts/bootstrap"), "--tools"], stdin=subprocess.DEVNULL, check=False)


class GdbCases:
    """gdb on this machine, gdbserver in the guest, its standard input and output between them."""

    def __init__(self, arch, root):
        self.arch = arch
        self.root = root

    def test_gdbserver(self):
        """Breakpoints, a backtrace, steps, a watchpoint, a signal, threads."""
        with tempfile.TemporaryDirectory(prefix="caelum-") as tmp:
            program, script = os.path.join(tmp, "target"), os.path.join(tmp, "commands")
            subprocess.run([os.path.join(caelum.ROOT, "scripts/ucc"), self.arch, "-static", "-g", "-O0", "-pthread", "-o", program,
                            os.path.join(caelum.ROOT, "tests/gdb-target.c")], check=True)
            with open(script, "w", encoding="utf-8") as f: # riscv64's Linux has no hardware watchpoints, so its gdbserver asks for none
                f.write(GDB.format(root=self.root, program=program, arch=self.arch, caelum=os.path.join(caelum.ROOT, "caelum"),
                                   hardware=0 if self.arch == "riscv64" else 1))
            done = subprocess.run(["gdb-multiarch", "-nx", "-batch", "-x", script], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, timeout=300, check=False)
        text = done.stdout.decode("utf-8", "replace")
        at = 0
        for pattern in GDB_WANTED:
            m = re.compile(pattern, re.M).search(text, at)
            if not m:
                raise Wrong(f"no {pattern} in what gdb says: {text[at:][-1500:]}")
            at = m.end()


def run(tally, arch):
    """All cases for @arch, each put into @tally."""
    root = os.path.join(TOOLS, arch)
    if not os.path.exists(os.path.join(root, "bin/strace")):
        bring_tools()
    if not os.path.exists(os.path.join(root, "bin/strace")):
        tally.result("tools-strace", "skip", "no strace of this architecture: scripts/bootstrap --tools", arch, 1)
        return
    for name in ("tmp", "proc", "dev"):
        os.makedirs(os.path.join(root, name), exist_ok=True)
    run_cases(tally, arch, "tools", Cases(arch, root))
    if not os.path.exists(os.path.join(root, "usr/bin/gdbserver")) or not shutil.which("gdb-multiarch"):
        tally.result("tools-gdbserver", "skip", "no gdbserver of this architecture, or no gdb-multiarch here: scripts/bootstrap --tools", arch, 2)
        return
    run_cases(tally, arch, "tools", GdbCases(arch, root))
