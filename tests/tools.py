# SPDX-License-Identifier: MIT
"""Debian's strace in the guest: what it prints of `sh -c 'ls | wc'`, against what it prints on this machine's Linux
(its own architecture, as root) or, elsewhere, against what such a run consists of; Debian's gdbserver in the guest, with gdb on
this machine; and a core file of the guest's in that gdb. The packages: scripts/bootstrap --tools."""
import functools
import glob
import os
import re
import shutil
import signal
import struct
import subprocess
import tempfile
import time

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


# gdb waits for two seconds for an answer, if nobody tells it how long an emulated machine may take.
GDB = """set pagination off
set confirm off
set remotetimeout 1000
set can-use-hw-watchpoints {hardware}
set sysroot {root}
file {program}
target remote | {caelum} run -a {arch} --smp 2 -m 1G --rootfs {root} --file {program}:/target --timeout 1200 /usr/bin/gdbserver --once - /target
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


# A program that runs already: gdbserver attaches, gdb lets go of it. What the guest's shell says of the end goes to a file, because gdb reads no more.
DETACH = """set pagination off
set confirm off
set remotetimeout 1000
set sysroot {root}
file {program}
target remote | (trap '' TERM; {caelum} run -a {arch} --smp 2 -m 1G --rootfs {root} --file {program}:/target --timeout 1200 /bin/sh -c '/target wait & p=$!; \
/usr/bin/gdbserver --once --attach - $p; wait $p; echo the target ended with $? >&2' 2>{tmp}/said; touch {tmp}/ended)
break tick
continue
print calls > 0
set var watched = 1
delete
detach
"""
DETACH_WANTED = (r"^Breakpoint 1, tick \(\) at ", r"^\$1 = 1$", r"^\[Inferior 1 \(process \d+\) detached\]$")
CORE = "ulimit -c unlimited; cd /tmp; /target crash 2>/dev/null >&2; cat core"
CORE_GDB = ("info threads", "bt", "print $_siginfo.si_signo", "print $_siginfo._sifields._sigfault.si_addr", "print secret", "thread apply all info symbol $pc",
            "info proc mappings")
CORE_WANTED = (r"^Program terminated with signal SIGSEGV", r"^\* 1 .* crash \(where=0x10\)", r"^  2 +", r"^  3 +", r"^#0 .* crash \(where=0x10\) at ",
               r"^#1 .* in leave_core \(\)", r"^#2 .* in main \(", r"^\$1 = 11$", r"^\$2 = .*0x10", r"^\$3 = .*\"in the core\"", r"^Thread 3 ", r"^waiter \+ ",
               r"^Thread 2 ", r"^waiter \+ ", r"^Thread 1 ", r"^crash \+ ", r"0x[0-9a-f]+ +0x[0-9a-f]+ .* /target$")


def check_in_order(text, patterns, who):
    """Each pattern is in @text, behind the one before it."""
    at = 0
    for pattern in patterns:
        m = re.compile(pattern, re.M).search(text, at)
        if not m:
            raise Wrong(f"no {pattern} in what {who} says: {text[at:][-1500:]}")
        at = m.end()


def output_of(*words):
    return subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=1800,
                          check=False).stdout.decode("utf-8", "replace")


@functools.cache
def gdb_command(arch):
    """
    The words that start a gdb which knows @arch, on this machine: the installed one, or that of build/deps/tools/gdb by its own
    loader and libraries. An empty list if there is none.
    """
    if shutil.which("gdb-multiarch"):
        if arch != "loongarch64" or "Loongarch64" in output_of("gdb-multiarch", "-nx", "-batch", "-ex", "set architecture"):
            return ["gdb-multiarch"]
    usr = os.path.join(TOOLS, "gdb/usr")
    for loader in glob.glob(usr + "/lib/*/ld-linux*.so.*"):
        return ["env", f"PYTHONHOME={usr}", loader, "--library-path", os.path.dirname(loader), usr + "/bin/gdb-multiarch",
                f"--data-directory={usr}/share/gdb"]
    return []


def build_target(arch, tmp):
    program = os.path.join(tmp, "target")
    subprocess.run([os.path.join(caelum.ROOT, "scripts/ucc"), arch, "-static", "-g", "-O0", "-pthread", "-o", program,
                    os.path.join(caelum.ROOT, "tests/gdb-target.c")], check=True)
    return program


class GdbCases:
    """gdb on this machine, gdbserver in the guest, its standard input and output between them."""

    def __init__(self, arch, root):
        self.arch = arch
        self.root = root

    def gdb(self, tmp, commands):
        """What gdb says to @commands."""
        program, script = build_target(self.arch, tmp), os.path.join(tmp, "commands")
        with open(script, "w", encoding="utf-8") as f:  # riscv64's Linux has no hardware watchpoints, QEMU's loongarch64 neither
            command = "env -u PYTHONHOME " + os.path.join(caelum.ROOT, "caelum")    # gdb's Python is not this machine's
            f.write(commands.format(root=self.root, program=program, arch=self.arch, tmp=tmp, caelum=command,
                                    hardware=0 if self.arch in ("riscv64", "loongarch64") else 1))
        return output_of(*gdb_command(self.arch), "-nx", "-batch", "-x", script)

    def test_gdbserver(self):
        """Breakpoints, a backtrace, steps, a watchpoint, a signal, threads."""
        with tempfile.TemporaryDirectory(prefix="caelum-") as tmp:
            check_in_order(self.gdb(tmp, GDB), GDB_WANTED, "gdb")

    def test_gdb_detach(self):
        """A program that gdb attached to and let go of runs on, and ends as it would have."""
        with tempfile.TemporaryDirectory(prefix="caelum-") as tmp:
            check_in_order(self.gdb(tmp, DETACH), DETACH_WANTED, "gdb")
            for _ in range(6000):
                if os.path.exists(tmp + "/ended"):
                    break
                time.sleep(0.1)
            with open(tmp + "/said", encoding="utf-8", errors="replace") as f:
                check_in_order(f.read(), (r"^went on$", r"^the target ended with 42$"), "the guest")


class CoreCases:
    """A core file that the guest leaves."""

    def __init__(self, arch, root):
        self.arch = arch
        self.root = root

    def check_by_hand(self, program, path):
        """For loongarch64, on whose cores gdb 16 itself crashes: readelf's view of it, and the crashed thread's pc."""
        notes = output_of("llvm-readelf-19", "-nW", path)
        check_in_order(notes, (r"NT_PRSTATUS", r"NT_PRPSINFO", r"NT_SIGINFO", r"NT_AUXV", r"NT_FILE", r"^\s+/target$", r"NT_PRSTATUS",
                               r"NT_PRSTATUS"), "readelf")
        m = re.search(r"^ *\d+: ([0-9a-f]+) +(\d+) FUNC .* crash$", output_of("llvm-readelf-19", "-sW", program), re.M)
        with open(path, "rb") as f:
            core = f.read(4096)
        first = struct.unpack_from("<Q", core, struct.unpack_from("<Q", core, 32)[0] + 8)[0]    # where the notes are
        pc = struct.unpack_from("<Q", core, first + 12 + 8 + 112 + 33 * 8)[0]    # header, owner, prstatus, loongarch64's csr_era
        if not int(m[1], 16) <= pc < int(m[1], 16) + int(m[2]):
            raise Wrong(f"pc {pc:#x} is not in crash() at {m[1]}")

    def test_core_file(self):
        """Threads, registers, backtraces, memory, the signal, what was mapped."""
        with tempfile.TemporaryDirectory(prefix="caelum-") as tmp:
            program, path = build_target(self.arch, tmp), os.path.join(tmp, "core")
            status, core, err = caelum_run("-a", self.arch, "--smp", "2", "-m", "1G", "--rootfs", self.root, "--file", f"{program}:/target",
                                           "/bin/sh", "-c", CORE)
            if status or core[:4] != b"\x7fELF":
                raise Wrong(f"no core file: status {status}, {core[:20]!r}, {err[-500:]!r}")
            with open(path, "wb") as f:
                f.write(core)
            if self.arch == "loongarch64":
                self.check_by_hand(program, path)
                return
            words = [w for c in CORE_GDB for w in ("-ex", c)]
            check_in_order(output_of(*gdb_command(self.arch), "-nx", "-batch", *words, program, path), CORE_WANTED, "gdb")


def run(tally, arch):
    """All cases for @arch, each put into @tally."""
    root = os.path.join(TOOLS, arch)
    if not all(os.path.exists(os.path.join(root, f"usr/bin/{name}")) for name in ("strace", "gdbserver")):
        bring_tools()
    if not os.path.exists(os.path.join(root, "bin/strace")):
        tally.result("tools-strace", "skip", "no strace of this architecture: scripts/bootstrap --tools", arch, 1)
        return
    for name in ("tmp", "proc", "dev"):
        os.makedirs(os.path.join(root, name), exist_ok=True)
    run_cases(tally, arch, "tools", Cases(arch, root))
    if arch == "loongarch64" or gdb_command(arch):
        run_cases(tally, arch, "tools", CoreCases(arch, root))
    else:
        tally.result("tools-core-file", "skip", "no gdb that knows this architecture: scripts/bootstrap --tools", arch, 2)
    if not os.path.exists(os.path.join(root, "usr/bin/gdbserver")) or not gdb_command(arch):
        tally.result("tools-gdbserver", "skip", "no gdbserver of this architecture, or no gdb that knows it: scripts/bootstrap --tools", arch, 2)
        return
    run_cases(tally, arch, "tools", GdbCases(arch, root))
