# SPDX-License-Identifier: MIT
"""Debian's strace in the guest: what it prints of `sh -c 'ls | wc'`, against what it prints on this machine's Linux
(its own architecture, as root) or, elsewhere, against what such a run consists of. The packages:
scripts/bootstrap --tools."""
import functools
import os
import re
import signal
import subprocess

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
