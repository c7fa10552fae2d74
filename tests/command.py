# SPDX-License-Identifier: MIT
"""Tests of the command itself: ./caelum run as a person types it, for one architecture at a time."""
import gzip
import os
import shutil
import struct
import subprocess
import tempfile
import traceback

import caelum
import machine
from mkcpio import Archive

COMMAND = os.path.join(caelum.ROOT, "caelum")
BOOT_S = machine.PATIENCE_S
SMALL = {"x86_64": "32M", "riscv64": "16M", "aarch64": "16M", "loongarch64": "1G"}


class Wrong(Exception):
    """A check did not hold."""


def caelum_run(*args, stdin=b"", timeout=BOOT_S):
    """Run ./caelum run; (status, standard output, standard error)."""
    done = subprocess.run([COMMAND, "run", "--timeout", str(timeout), *args], input=stdin,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=timeout + 120, check=False)
    return done.returncode, done.stdout, done.stderr


def expect(what, got, want):
    if got != want:
        raise Wrong(f"{what} is {got!r}, not {want!r}")


def expect_run(run, status, out=None, err=None):
    got_status, got_out, got_err = run
    if got_status != status:
        raise Wrong(f"status {got_status}, not {status}; output {got_out[-500:]!r}, errors {got_err[-1500:]!r}")
    if out is not None:
        expect("standard output", got_out, out)
    if err is not None:
        expect("standard error", got_err, err)


class Cases:
    """Each method test_* is one case."""

    def __init__(self, arch, programs, tmp):
        self.arch = arch
        self.programs = programs
        self.tmp = tmp

    def program(self, name):
        return os.path.join(self.programs, "tests", name)

    def busybox(self, *args, stdin=b"", options=(), timeout=BOOT_S):
        return caelum_run("-a", self.arch, *options, "busybox", *args, stdin=stdin, timeout=timeout)

    def test_hello(self):
        """A static and a static-pie program: their output and nothing else."""
        for name in ("hello", "hello-pie"):
            want = subprocess.run([os.path.join(caelum.ROOT, "build/tests-user", os.uname().machine, "tests", name)],
                                  stdout=subprocess.PIPE, check=True).stdout \
                if os.uname().machine == self.arch else b"Hello from user space\n"
            expect_run(caelum_run(self.program(name)), 0, want, b"")

    def test_exit_status(self):
        expect_run(caelum_run(self.program("args-env-auxv"), "--exit", "7"), 7)

    def test_small_memory(self):
        expect_run(caelum_run("-m", SMALL[self.arch], self.program("hello")), 0, b"Hello from user space\n", b"")

    def test_killed_by_signal(self):
        expect_run(self.busybox("sh", "-c", "kill -9 $$"), 137)

    def test_stdin_is_a_pipe(self):
        """Every byte value, unchanged in both directions, and the end of file."""
        data = bytes(range(256)) * 700
        expect_run(self.busybox("cat", stdin=data), 0, data, b"")

    def test_stdout_and_stderr_apart(self):
        expect_run(self.busybox("sh", "-c", "echo out; echo err >&2"), 0, b"out\n", b"err\n")

    def test_environment_and_directory(self):
        run = self.busybox("sh", "-c", 'echo "$A:$PWD"; env', options=("--env", "A=b c", "--cwd", "/bin"))
        expect_run(run, 0)
        expect("first line", run[1].split(b"\n")[0], b"b c:/bin")

    def test_extra_file(self):
        path = os.path.join(self.tmp, "data")
        data = os.urandom(70000)
        with open(path, "wb") as f:
            f.write(data)
        expect_run(self.busybox("cat", "/a/b/c", options=("--file", f"{path}:/a/b/c")), 0, data, b"")

    def test_linux_style_boot(self):
        """No frames, a gzip-compressed initrd, init=, a variable and -- as with Linux; a serial console."""
        plain, packed = os.path.join(self.tmp, "plain"), os.path.join(self.tmp, "packed")
        with open(plain, "wb") as f:
            archive = Archive(f)
            caelum.add_busybox(archive, self.arch)
            archive.finish()
        with open(plain, "rb") as src, gzip.open(packed, "wb") as dst:
            shutil.copyfileobj(src, dst)
        m = machine.Machine(self.arch, os.path.join(caelum.ROOT, caelum.build_dir(self.arch, [])), packed,
                            "init=/bin/busybox quiet GREETING=hello -- env")
        result = m.run(lambda channel, data: None, timeout=BOOT_S)
        if result.timed_out or b"GREETING=hello\r\n" not in result.early:
            raise Wrong(f"no GREETING in {result.early[-800:]!r}")

    def test_timeout(self):
        run = self.busybox("sleep", "1000", timeout=15)
        expect_run(run, 124, b"")
        if b"not finished" not in run[2]:
            raise Wrong(f"no word of the timeout: {run[2]!r}")

    def test_strace(self):
        run = self.busybox("echo", "traced", options=("--strace",))
        expect_run(run, 0, b"traced\n")
        if b'write(1, "traced' not in run[2] or b"exit_group(0" not in run[2]:
            raise Wrong(f"the trace lacks write() or exit_group(): {run[2][-800:]!r}")

    def test_refused_files(self):
        """What is not a program is refused in one line, before a machine boots."""
        with open(self.program("hello"), "rb") as f:
            image = f.read(64)
        for name, data in (("text", b"hello\n"), ("empty", b""), ("cut", image[:40]), ("cut-headers", image),
                           ("narrow", image[:4] + b"\1" + image[5:]),
                           ("alien", image[:18] + struct.pack("<H", 8) + image[20:])):
            path = os.path.join(self.tmp, name)
            with open(path, "wb") as f:
                f.write(data)
            status, out, err = caelum_run(path)
            if status != 126 or out or err.count(b"\n") != 1 or path.encode() not in err:
                raise Wrong(f"{name}: status {status}, {err!r}")
        expect("status of a missing file", caelum_run(os.path.join(self.tmp, "none"))[0], 127)

    def test_orphans_of_process_1(self):
        """Groups that process 1 inherits are orphaned, though it is in their session."""
        run = caelum_run("--smp", "2", self.program("orphans"))
        if run[0] or b"not ok" in run[1]:
            raise Wrong(f"{run}")

    def test_core_file_in_gdb(self):
        """gdb opens a core file of the guest: threads, and the stack of the one that crashed."""
        program = self.program("coredump")
        status, core, err = caelum_run("--smp", "2", program, "print")
        if status or core[:4] != b"\x7fELF" or core[16] != 4:
            raise Wrong(f"no core file: status {status}, {core[:20]!r}, {err[-500:]!r}")
        gdb = shutil.which("gdb-multiarch")
        # gdb 13 does not know loongarch64.
        if not gdb or self.arch == "loongarch64":
            return
        path = os.path.join(self.tmp, "core")
        with open(path, "wb") as f:
            f.write(core)
        words = [gdb, "-batch", "-nx", "-ex", "info threads", "-ex", "bt", "-ex", "print $_siginfo.si_signo", program, path]
        text = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=BOOT_S, check=False).stdout
        for want in (b"signal SIGSEGV", b"* 1  ", b"  5  ", b" in crash ", b"$1 = 11"):
            if want not in text:
                raise Wrong(f"gdb does not say {want!r}: {text.decode(errors='replace')}")

    def test_corrupt_program_panics_init(self):
        """An ELF file only the kernel can judge: no program to run is a panic that names it."""
        with open(self.program("hello"), "rb") as f:
            image = bytearray(f.read())
        phoff = struct.unpack_from("<Q", image, 32)[0]
        for i in range(struct.unpack_from("<H", image, 56)[0]):
            struct.pack_into("<Q", image, phoff + i * 56 + 16, 0xffff_8000_0000_0000)     # p_vaddr
        path = os.path.join(self.tmp, "corrupt")
        with open(path, "wb") as f:
            f.write(image)
        run = caelum_run(path)
        expect_run(run, 125, b"")
        if b"/bin/corrupt" not in run[2]:
            raise Wrong(f"the panic does not name the program: {run[2][-800:]!r}")
        if b" at kernel/" not in run[2]:
            raise Wrong(f"the backtrace has no file names: {run[2][-800:]!r}")

    def test_exec_of_bad_files(self):
        """exec of a corrupt file fails in the shell; the shell goes on."""
        path = os.path.join(self.tmp, "bad")
        with open(self.program("hello"), "rb") as f:
            image = f.read(4096)
        with open(path, "wb") as f:
            f.write(image[:18] + struct.pack("<H", 8) + image[20:])
        os.chmod(path, 0o755)
        run = self.busybox("sh", "-c", "/bad; echo $?", options=("--file", f"{path}:/bad"))
        if run[0] or run[1] not in (b"126\n", b"2\n", b"127\n"):
            raise Wrong(f"{run}")


def run_cases(tally, arch, part, cases):
    """Every method test_* of @cases, each put into @tally as @part-NAME."""
    for name in (n for n in dir(cases) if n.startswith("test_")):
        try:
            getattr(cases, name)()
            tally.result(f"{part}-{name[5:]}", "pass", "", arch, 1)
        except (Wrong, subprocess.SubprocessError, OSError) as e:
            tally.result(f"{part}-{name[5:]}", "fail", str(e), arch, 1)
        except Exception:  # what the case did not expect is a failure of the case, not the end of the run
            tally.result(f"{part}-{name[5:]}", "fail", traceback.format_exc(), arch, 1)


def run(tally, arch, programs):
    """All cases for @arch, each put into @tally."""
    with tempfile.TemporaryDirectory(prefix="caelum-") as tmp:
        run_cases(tally, arch, "command", Cases(arch, programs, tmp))
