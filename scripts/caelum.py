# SPDX-License-Identifier: MIT
"""The caelum command: run, build, shell, test, bench, fuzz, debug, doctor. ./caelum starts it."""
import argparse
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile

import boards
import flamegraph
import gensyscalls
import machine
import tracefile
import tracejson
from elfinfo import ARCHES, NotRunnable, program_arch
from mkcpio import Archive
from symbolize import symbolize

ROOT = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
DEPS = os.path.join(ROOT, "build", "deps")
STATUS_TIMEOUT = 124
STATUS_CRASH = 125          # a kernel panic, or the machine failed
RECORD = "/.caelum-run"
DEFAULT_ENV = {"PATH": "/bin:/sbin:/usr/bin:/usr/sbin", "HOME": "/"}


class Failure(Exception):
    """Ends the command with a one-line message."""

    def __init__(self, text, status=1):
        super().__init__(text)
        self.status = status


def note(text):
    print(f"caelum: {text}", file=sys.stderr)


def default_arch():
    host = os.uname().machine
    return host if host in ARCHES else "x86_64"


def busybox_path(arch):
    path = os.path.join(DEPS, "sysroot", arch, "usr/bin/busybox")
    if not os.path.exists(path):
        raise Failure(f"there is no busybox for {arch}: run ./caelum doctor to see what is missing")
    return path


def busybox_applets(path):
    """The applet names a busybox binary has, from the table in its read-only data."""
    with open(path, "rb") as f:
        data = f.read()
    at = data.find(b"[\0[[\0")
    if at < 0:
        raise Failure(f"{path}: no table of applets found")
    table = data[at:data.index(b"\0\0", at)]
    return [name.decode() for name in table.split(b"\0")]


def add_busybox(archive, arch):
    """busybox and a link for each applet in /bin; the other usual places are links to /bin."""
    path = busybox_path(arch)
    archive.add_file("/bin/busybox", path, 0o755)
    for name in busybox_applets(path):
        if name != "busybox":
            archive.add_link(f"/bin/{name}", "busybox")
    archive.add_link("/sbin", "bin")
    archive.add_link("/usr/bin", "../bin")
    archive.add_link("/usr/sbin", "../bin")


def run_record(exe, argv, env, cwd):
    """The file that tells the kernel what to run (docs/console-frames.md)."""
    records = [f"exe={exe}"] + [f"argv={a}" for a in argv]
    records += [f"env={k}={v}" for k, v in env.items()] + [f"cwd={cwd}"]
    for r in records:
        if "\0" in r:
            raise Failure("an argument or variable contains a NUL byte")
    return b"".join(os.fsencode(r) + b"\0" for r in records)


def build_dir(arch, fragments):
    return os.path.join("build", "-".join([arch, *fragments]))


def build(arch, fragments, verbose, output=None):
    """Bring the kernel up to date. Return: the directory it is in (absolute)."""
    out = output or build_dir(arch, fragments)
    cmd = ["make", "--no-print-directory", f"ARCH={arch}", f"O={out}", "-j2", "kernel"]
    full = os.path.join(ROOT, out)
    if fragments:
        for name in fragments:
            if not os.path.exists(os.path.join(ROOT, "configs", name + ".config")):
                raise Failure(f"--config: there is no configs/{name}.config")
        if not os.path.exists(os.path.join(full, ".config")):
            os.makedirs(full, exist_ok=True)
            cmd = cmd[:-1] + ["FRAGMENTS=" + " ".join(fragments), "defconfig", "kernel"]
    env = dict(os.environ)
    for name in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS", "O", "ARCH", "FRAGMENTS"):
        env.pop(name, None)
    if verbose:
        done = subprocess.run(cmd, cwd=ROOT, env=env, stdout=sys.stderr, stdin=subprocess.DEVNULL, check=False)
    else:
        done = subprocess.run(cmd, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              stdin=subprocess.DEVNULL, check=False)
    if done.returncode:
        if not verbose:
            sys.stderr.write(done.stdout.decode("utf-8", "replace")[-8000:])
        raise Failure(f"the kernel for {arch} could not be built")
    return full


def pair(text, separator, option):
    left, sep, right = text.partition(separator)
    if not sep or not left or not right:
        raise Failure(f"{option} {text}: it must have the form A{separator}B")
    return left, right


# ---- what a program's descriptors are ------------------------------------------------------------


def is_open(fd):
    try:
        os.fstat(fd)
        return True
    except OSError:
        return False


def stdio_letters():
    """One letter for each of 0, 1, 2 as the kernel's caelum.stdio= wants them."""
    letters = ""
    for fd in (0, 1, 2):
        if not is_open(fd):
            letters += "n"
        elif not os.isatty(fd):
            letters += "s"
        elif fd == 0 and os.tcgetpgrp(0) != os.getpgrp():
            letters += "n"      # we are in the background: reading the terminal would stop us
        else:
            letters += "t"
    return letters


class Screen:
    """Where the guest's output goes: a sink for Machine.run()."""

    def __init__(self, verbose, kernel_log, raw):
        self.verbose = verbose
        self.kernel_log = verbose or kernel_log
        self.raw = raw

    def __call__(self, channel, data):
        if channel == "o":
            self.write(1, data)
        elif channel == "e":
            self.write(2, data)
        elif channel == "k" and self.kernel_log or channel is None and self.verbose:
            self.write(2, data.replace(b"\n", b"\r\n") if self.raw else data.replace(b"\r", b""))

    @staticmethod
    def write(fd, data):
        view = memoryview(data)
        while view:
            try:
                view = view[os.write(fd, view):]
            except BlockingIOError:
                pass
            except BrokenPipeError:
                raise SystemExit(128 + signal.SIGPIPE) from None
            except OSError:
                return      # a closed descriptor: as the program's own write would be, the data is lost


# ---- run and shell -------------------------------------------------------------------------------


def open_rootfs(args, scratch):
    """--rootfs: the directory whose content becomes the guest's root, or None. An archive is unpacked into @scratch."""
    if args.rootfs is None or os.path.isdir(args.rootfs):
        return args.rootfs
    if not os.path.exists(args.rootfs):
        raise Failure(f"--rootfs: {args.rootfs} does not exist")
    root = os.path.join(scratch, "rootfs")
    os.mkdir(root)
    done = subprocess.run(["tar", "-C", root, "--no-same-owner", "--exclude=./dev/*", "-xf", os.path.abspath(args.rootfs)],
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
    if done.returncode:
        raise Failure(f"--rootfs: {args.rootfs} is neither a directory nor an archive that tar can unpack: "
                      + done.stderr.decode("utf-8", "replace").strip().split("\n")[0])
    return root


def find_in_rootfs(root, program):
    """The file of the host that @program names in the guest (symbolic links lead inside @root), or None."""
    names = [program] if "/" in program else [f"{d}/{program}" for d in DEFAULT_ENV["PATH"].split(":")]
    for name in names:
        todo, at = name.strip("/").split("/"), ""
        for _ in range(256):
            if not todo:
                break
            part = todo.pop(0)
            at = os.path.dirname(at) if part == ".." else at if part in ("", ".") else f"{at}/{part}"
            if os.path.islink(root + at):
                target = os.readlink(root + at)
                at = "" if target.startswith("/") else os.path.dirname(at)
                todo = target.strip("/").split("/") + todo
        if not todo and os.path.isfile(root + at):
            return root + at, name if name.startswith("/") else "/" + name
    return None


def add_rootfs(archive, root, skip):
    """Everything below @root but @skip (paths in the guest that come from elsewhere)."""
    for entry in sorted(os.listdir(root)):
        if f"/{entry}" not in skip and entry not in ("dev", "proc", "sys"):
            archive.add_path(entry, os.path.join(root, entry))


def write_initrd(path, arch, args, program):
    """The initramfs: the root file system, the program, what --file adds, busybox when wanted, and what to run."""
    env = dict(DEFAULT_ENV)
    if "TERM" in os.environ:
        env["TERM"] = os.environ["TERM"]
    env.update(pair(e, "=", "--env") if not e.endswith("=") else (e[:-1], "") for e in args.env)
    with open(path, "wb") as f:
        archive = Archive(f)
        if program is None:
            exe, argv = "/bin/sh", ["sh"]
        else:
            name = os.path.basename(program)
            exe = args.guest_program or f"/bin/{name}"
            argv = [exe, *args.args]
        if args.root is not None:
            add_rootfs(archive, args.root, ())
        if args.busybox or program is None:
            add_busybox(archive, arch)
        if program is not None and not args.guest_program and not (args.busybox and exe == "/bin/busybox"):
            archive.add_file(exe, program, 0o755)
        for f_arg in args.file:
            src, dst = pair(f_arg, ":", "--file")
            if not os.path.exists(src):
                raise Failure(f"--file: {src} does not exist")
            if not dst.startswith("/"):
                raise Failure(f"--file {f_arg}: the place in the guest must be an absolute path")
            if dst.strip("/") in archive.dirs and os.path.isdir(src) is False:
                raise Failure(f"--file {f_arg}: {dst} is a directory")
            archive.add_path(dst, os.path.realpath(src))
        cwd = args.cwd or "/"
        if not cwd.startswith("/"):
            raise Failure("--cwd must be an absolute path")
        archive.add_data(RECORD, run_record(exe, argv, env, cwd), 0o600)
        archive.finish()


def find_program(args, scratch):
    """(path or None for the shell, architecture); Failure in one line when it cannot be run. Sets args.root, the
    directory of --rootfs or None, and args.guest_program, the path in it of a program that is found there."""
    args.root, args.guest_program = open_rootfs(args, scratch), None
    path = args.program
    if args.root is not None:
        found = find_in_rootfs(args.root, path or "sh")
        if found:
            path, args.guest_program = found
    if path is None:
        return None, args.arch or default_arch()
    if path == "busybox" and not os.path.exists(path):
        args.busybox = True
        return busybox_path(args.arch or default_arch()), args.arch or default_arch()
    if not os.path.exists(path):
        raise Failure(f"{path}: no such file", 127)
    try:
        arch = program_arch(path, dynamic=args.root is not None)
    except NotRunnable as e:
        raise Failure(f"{path}: {e}", 126) from None
    if args.arch and args.arch != arch:
        raise Failure(f"{path}: is for {arch}, not for {args.arch}", 126)
    return path, arch


def free_port(start=1234):
    for port in range(start, start + 200):
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise Failure("no free port for gdb")


def report_end(result, build_path, args):
    """Say what went wrong, if anything. Return: the exit status of the command."""
    if result.panicked:
        sys.stderr.write(symbolize(result.panic.decode("utf-8", "replace").replace("\r", ""),
                                   os.path.join(build_path, "caelum.elf")))
        note("the kernel panicked")
        return STATUS_CRASH
    if result.status is not None:
        return result.status
    if result.ended_by_user:
        note("ended by Ctrl-] x")
        return 128 + signal.SIGINT
    if result.timed_out:
        note(f"not finished after {args.timeout:g} s" +
             ("" if result.started else "; the kernel never started"))
    elif result.qemu_errors:
        sys.stderr.write(result.qemu_errors)
        note("QEMU failed")
    else:
        note("the machine stopped without an exit status")
    if not result.started and not args.verbose:
        sys.stderr.write(result.early.decode("utf-8", "replace").replace("\r", ""))
    return STATUS_TIMEOUT if result.timed_out else STATUS_CRASH


def die_by_signal(number, _frame):
    raise SystemExit(128 + number)


PROFILE_HZ = 997


class Recording:
    """--trace and --profile: the machine's memory is a file in @scratch, where the records are found when it has ended."""

    def __init__(self, args, arch, scratch):
        self.args, self.arch = args, arch
        self.path = os.path.join(scratch, "memory")
        self.run = None
        for out in (args.trace, args.profile):
            if out:
                try:
                    open(out, "w", encoding="utf-8").close()
                except OSError as e:
                    raise Failure(f"{out}: {e.strerror}") from None

    def prepare(self, m):
        """Give the machine its memory, and tell its kernel what to record."""
        words, option, self.run = tracefile.memory(self.path, m.memory_bytes())
        m.qemu_args += words
        m.cmdline = f"{option} {m.cmdline}"
        if self.args.trace:
            m.cmdline = "caelum.trace=1 " + m.cmdline
        if self.args.profile:
            m.cmdline = f"caelum.profile={PROFILE_HZ} {m.cmdline}"

    def host_path(self, guest):
        """Where a file of the guest is on this machine, or None."""
        args = self.args
        if guest == self.program_guest and not args.guest_program:
            return self.program
        if args.root is not None and os.path.exists(args.root + guest):
            return args.root + guest
        for src, dst in (f.rsplit(":", 1) for f in args.file):
            if guest == dst or guest.startswith(dst.rstrip("/") + "/"):
                return os.path.realpath(src) + guest[len(dst.rstrip("/")):]
        return busybox_path(self.arch) if guest == "/bin/busybox" else None

    def finish(self, build_path, program):
        """Write what was asked for."""
        self.program, self.program_guest = program, program and f"/bin/{os.path.basename(program)}"
        try:
            records, lost = tracefile.read(self.path, self.run)
        except tracefile.BadTrace as e:
            note(f"no trace: {e}")
            return
        if lost:
            note(f"{lost} records did not fit into the machine's memory (--memory): the oldest are missing")
        if self.args.trace:
            calls = gensyscalls.parse(os.path.join(ROOT, "syscall/syscalls.tbl"))
            names = {c.x86 if self.arch == "x86_64" else c.generic: c.name for c in calls}
            about = {"arch": self.arch, "program": program or "sh"}
            with open(self.args.trace, "w", encoding="utf-8") as out:
                tracejson.write(out, [r for r in records if r.name not in ("sample", "mapping")], lost, names, about)
        if self.args.profile:
            resolver = flamegraph.Resolver(os.path.join(build_path, "caelum.elf"), self.host_path, program)
            counted = flamegraph.stacks(records, resolver)
            with open(self.args.profile, "w", encoding="utf-8") as out:
                flamegraph.write_svg(out, counted, f"{os.path.basename(program or 'sh')} on {self.arch}: "
                                     f"{sum(counted.values())} samples at {PROFILE_HZ} Hz")


def boot(args, arch, build_path, initrd, stdio, gdb_port=None, log=None, recording=None):
    """Run the machine with this process's descriptors. Return: the exit status."""
    cmdline = f"caelum.frame=1 caelum.stdio={stdio} caelum.run={RECORD}"
    if args.strace:
        cmdline += " caelum.strace=1"
    cmdline += " loglevel=7" if args.verbose else " quiet"
    if args.append:
        cmdline += " " + args.append
    qemu_args = args.qemu_args.split() if args.qemu_args else []
    qemu_args += boards.disks((args.board or boards.default_board(arch)), args.disk)
    m = machine.Machine(arch, build_path, initrd, cmdline, args.memory, args.smp or 1, qemu_args, gdb_port,
                        args.board)
    if recording:
        recording.prepare(m)
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, die_by_signal)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    stdin = 0 if stdio[0] == "s" else None
    show = note if args.verbose else None
    if stdio[0] == "t":
        with machine.Terminal(0) as terminal:
            result = m.run(Screen(args.verbose, args.strace, True), None, terminal, args.timeout, show)
    else:
        result = m.run(log or Screen(args.verbose, args.strace, False), stdin, None, args.timeout, show)
    return report_end(result, build_path, args)


def choose_board(args):
    """--machine: sets args.board and the architecture; "list" prints the table and ends the command."""
    args.board = None
    if args.machine is None:
        return
    if args.machine == "list":
        for b in boards.BOARDS.values():
            print(f"{b.name:20} {b.arch:12} {b.text}")
        raise SystemExit(0)
    board = boards.BOARDS.get(args.machine)
    if board is None:
        raise Failure(f"--machine {args.machine}: not one of {', '.join(boards.BOARDS)}")
    if args.arch and args.arch != board.arch:
        raise Failure(f"--machine {args.machine}: is for {board.arch}, not for {args.arch}")
    args.arch, args.board = board.arch, board
    args.smp = args.smp or board.default_smp


def command_run(args):
    choose_board(args)
    with tempfile.TemporaryDirectory(prefix="caelum-") as tmp:
        program, arch = find_program(args, tmp)
        recording = Recording(args, arch, tmp) if args.trace or args.profile else None
        if args.profile and not args.config:
            args.config = ["profile"]
        build_path = build(arch, args.config, args.verbose)
        initrd = os.path.join(tmp, "initrd")
        write_initrd(initrd, arch, args, program)
        port = None
        if args.gdb:
            port = free_port()
            note(f"waiting for gdb: {gdb_name()} {os.path.relpath(build_path)}/caelum.elf "
                 f"-ex 'target remote :{port}' -x {os.path.relpath(ROOT)}/scripts/gdb/caelum.py")
        status = boot(args, arch, build_path, initrd, stdio_letters(), port, None, recording)
        if recording:
            recording.finish(build_path, program)
        return status


def gdb_name():
    return "gdb-multiarch" if shutil.which("gdb-multiarch") else "gdb"


def command_shell(args):
    args.program, args.args = None, []
    return command_run(args)


def command_debug(args):
    """The machine in the background with its output in a file, gdb in front."""
    choose_board(args)
    if not shutil.which(gdb_name()):
        raise Failure("gdb is not installed: apt-get install gdb-multiarch")
    with tempfile.TemporaryDirectory(prefix="caelum-") as tmp:
        program, arch = find_program(args, tmp)
        build_path = build(arch, args.config, args.verbose)
        port = free_port()
        log_path = os.path.join(build_path, "debug.log")
        initrd = os.path.join(tmp, "initrd")
        write_initrd(initrd, arch, args, program)
        child = os.fork()
        if child == 0:
            os.setsid()
            with open(log_path, "wb", 0) as log:
                os.dup2(log.fileno(), 2)
                try:
                    status = boot(args, arch, build_path, initrd, "nss", port,
                                  lambda channel, data: log.write(data))
                except SystemExit as e:
                    status = e.code
                os._exit(status)
        note(f"the guest's output goes to {log_path}")
        try:
            subprocess.run([gdb_name(), os.path.join(build_path, "caelum.elf"),
                            "-ex", f"target remote :{port}",
                            "-x", os.path.join(ROOT, "scripts/gdb/caelum.py")], check=False)
        finally:
            try:
                os.kill(child, signal.SIGTERM)
            except ProcessLookupError:
                pass
            os.waitpid(child, 0)
    return 0


# ---- build, test, bench, doctor ------------------------------------------------------------------


def command_build(args):
    for arch in [args.arch] if args.arch else ARCHES:
        path = build(arch, args.config, True)
        print(os.path.relpath(path))
    return 0


def command_image(args):
    import image
    return image.main(args)


def command_test(args):
    import alltests
    return alltests.main(args)


def command_bench(args):
    import bench
    return bench.main(args)


def command_fuzz(args):
    """tests/user/fuzz-calls.c in a machine of every architecture asked for, one after the other."""
    sys.path.insert(0, os.path.join(ROOT, "tests"))
    import guest
    worst = 0
    for arch in args.arch or ARCHES:
        programs = guest.build_programs(arch)
        note(f"{arch}: {args.seconds} s, seed {args.seed}")
        words = [os.path.join(ROOT, "caelum"), "run", "-a", arch, "--smp", str(args.smp), "-m", "1G",
                 "--timeout", str(args.seconds * 3 + 300)]
        words += ["--config", ",".join(args.config)] if args.config else []
        words += ["-v"] if args.verbose else []
        words += [os.path.join(programs, "tests/fuzz-calls"), str(args.seed), str(args.seconds)]
        worst = max(worst, subprocess.run(words, check=False).returncode)
    return worst


def command_doctor(_args):
    """What is missing and how to get it."""
    done = subprocess.run([os.path.join(ROOT, "scripts/bootstrap"), "--check"], check=False)
    for arch in ARCHES:
        ok = os.path.exists(os.path.join(DEPS, "sysroot", arch, f"usr/lib/{arch}-linux-musl/libc.a"))
        marker = os.path.join(DEPS, "stamps", f"{arch}.unavailable")
        if ok:
            text = "kernel and user programs"
        elif os.path.exists(marker):
            text = "kernel only: the mirror does not have its user libraries"
        else:
            text = "kernel; user programs after scripts/bootstrap"
        print(f"{arch:12} {text}")
    if not shutil.which("gdb-multiarch"):
        print("optional: gdb-multiarch is not installed; caelum debug wants it (apt-get install gdb-multiarch)")
    if not shutil.which("npm"):
        print("optional: npm is not installed; the test that runs esbuild will be skipped")
    free_gib = shutil.disk_usage(ROOT).free / (1 << 30)
    if free_gib < 2:
        print(f"disk: only {free_gib:.1f} GiB free here; a full build and test wants 2")
    print("to get what is missing: scripts/bootstrap" if done.returncode else "ready")
    return done.returncode


# ---- the command line ----------------------------------------------------------------------------


def memory_size(text):
    try:
        return machine.parse_size(text)
    except ValueError as e:
        raise argparse.ArgumentTypeError(str(e)) from None


def cpu_count(text):
    if not re.fullmatch(r"[1-9]\d?", text) or int(text) > 64:
        raise argparse.ArgumentTypeError("a number of CPUs from 1 to 64")
    return int(text)


def seconds(text):
    try:
        value = float(text)
    except ValueError:
        value = 0
    if value <= 0:
        raise argparse.ArgumentTypeError("a number of seconds above 0")
    return value


def add_content_options(p):
    p.add_argument("--env", action="append", default=[], metavar="K=V", help="set a variable of the program")
    p.add_argument("--cwd", metavar="DIR", help="the program's working directory (default /)")
    p.add_argument("--file", action="append", default=[], metavar="SRC:DST",
                   help="put a file or directory of this machine into the guest")
    p.add_argument("--rootfs", metavar="DIR|TAR", help="make this the guest's root file system; PROGRAM is looked up in it first")
    p.add_argument("--busybox", action="store_true", help="also put busybox and its applets into /bin")


def add_machine_options(p):
    p.add_argument("-a", "--arch", choices=ARCHES, help="architecture (default: the program's, or this machine's)")
    p.add_argument("--machine", metavar="NAME", help="a board of docs/boards.md, with its firmware; \"list\" names them")
    p.add_argument("-m", "--memory", type=memory_size, default=512 << 20, metavar="SIZE",
                   help="memory, e.g. 64M or 1G (default 512M; loongarch64 at least 1G)")
    p.add_argument("--smp", type=cpu_count, metavar="N", help="number of CPUs (default 1; with --machine up to 4)")
    add_content_options(p)
    p.add_argument("--disk", action="append", default=[], metavar="FILE", help="give the guest a raw image as a disk, read-write (/dev/vda, ...)")
    p.add_argument("--strace", action="store_true", help="print system calls as strace does")
    p.add_argument("--gdb", action="store_true", help="wait for gdb before the first instruction")
    p.add_argument("--timeout", type=seconds, metavar="S", help="end with status 124 after S seconds")
    p.add_argument("--append", metavar="WORDS", help="more words for the kernel's command line")
    p.add_argument("--qemu-args", metavar="ARGS", help="more arguments for QEMU")
    add_common_options(p)


def add_recording_options(p):
    p.add_argument("--trace", metavar="FILE", help="write what happened as a trace that ui.perfetto.dev and chrome://tracing show")
    p.add_argument("--profile", metavar="FILE", help="write where time went as a flame graph (SVG)")


def add_common_options(p):
    p.add_argument("--config", type=lambda s: s.split(","), default=[], metavar="NAME[,NAME]",
                   help="fragments from configs/ over the default configuration, e.g. debug,smp")
    p.add_argument("-v", "--verbose", action="store_true",
                   help="show the build, the QEMU command, firmware and kernel messages")


def split_program(parser, argv):
    """(our options, the program and its arguments): ours end at -- or at the first word that is none."""
    at = 0
    while at < len(argv):
        if argv[at] == "--":
            return argv[:at], argv[at + 1:]
        if not argv[at].startswith("-"):
            break
        action = parser._option_string_actions.get(argv[at])
        at += 2 if action is not None and action.nargs is None else 1
    return argv[:at], argv[at:]


def parse(argv):
    parser = argparse.ArgumentParser(prog="caelum", description="Run Linux programs on the Caelum kernel.")
    sub = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    p = sub.add_parser("run", allow_abbrev=False,
                       help="boot a machine that runs PROGRAM (a static Linux program); without it, a shell",
                       usage="caelum run [OPTION]... [--] [PROGRAM [ARG]...]",
                       epilog="The status is the program's; 128+n when signal n killed it; 124 after --timeout; "
                       "125 when the kernel panicked. In a terminal, Ctrl-] x ends the machine.")
    add_machine_options(p)
    add_recording_options(p)
    p.set_defaults(main=command_run)

    p = sub.add_parser("shell", help="boot a machine with an interactive busybox shell")
    add_machine_options(p)
    add_recording_options(p)
    p.set_defaults(main=command_shell)

    p = sub.add_parser("debug", help="run PROGRAM (or a shell) under gdb", allow_abbrev=False,
                       usage="caelum debug [OPTION]... [--] [PROGRAM [ARG]...]")
    add_machine_options(p)
    p.set_defaults(main=command_debug)

    p = sub.add_parser("build", help="build the kernel of one architecture, or of all")
    p.add_argument("-a", "--arch", choices=ARCHES)
    add_common_options(p)
    p.set_defaults(main=command_build)

    p = sub.add_parser("image", help="make a card or disk from which a board starts PROGRAM (or a shell)", allow_abbrev=False,
                       usage="caelum image --board NAME [OPTION]... [--] [PROGRAM [ARG]...]")
    p.add_argument("--board", required=True, metavar="NAME", help="which board (docs/boards.md); \"list\" names them")
    p.add_argument("-o", "--output", metavar="FILE", help="the image (default caelum-NAME.img)")
    p.add_argument("--add", action="append", default=[], metavar="FILE[:NAME]", help="put a file into the boot volume, e.g. a vendor's firmware")
    p.add_argument("-a", "--arch", choices=ARCHES, help="architecture, where PROGRAM has several")
    p.add_argument("--append", metavar="WORDS", help="more words for the kernel's command line")
    add_content_options(p)
    add_common_options(p)
    p.set_defaults(main=command_image)

    p = sub.add_parser("test", help="run all tests: lint, host, fuzz smoke, every architecture with 1 and 4 CPUs")
    p.add_argument("-a", "--arch", choices=ARCHES, action="append", help="guest tests of this architecture only")
    p.add_argument("--smp", type=cpu_count, action="append", metavar="N", help="guest tests with N CPUs only")
    p.add_argument("--only", action="append", metavar="PART", help="lint, host, fuzz, linux, ktest, guest, command, recording, shell, tools, esbuild, badboot, pcidisks, images or machines")
    p.add_argument("--timeout", type=seconds, default=3600, metavar="S", help="for one boot (default 3600)")
    p.add_argument("names", nargs="*", metavar="TEST", help="guest tests to run (default: all)")
    add_common_options(p)
    p.set_defaults(main=command_test)

    p = sub.add_parser("bench", help="measure the kernel beside Linux, in instructions (QEMU -icount) or by the clock")
    p.add_argument("-a", "--arch", choices=ARCHES, action="append")
    p.add_argument("--all", action="store_true", help="also several CPUs, whole programs, sizes")
    p.add_argument("--rows", type=lambda s: s.split(","), metavar="ROW[,ROW]", help="only these; * stands for any letters")
    p.add_argument("--pairs", type=int, default=3, metavar="N", help="how often rows timed by the clock are run (default 3)")
    p.add_argument("--minutes", type=int, default=40, metavar="N", help="what is timed by the clock is run less often to be done by then (default 40)")
    p.add_argument("--gate", action="store_true", help="compare Caelum's counts with tests/bench/baseline")
    p.add_argument("--update-baseline", metavar="WHY", help="measure and write tests/bench/baseline")
    p.add_argument("--profile", type=lambda s: s.split(","), metavar="ROW[,ROW]", help="show which functions a row's instructions are spent in")
    p.add_argument("--fast-paths", action="store_true", help="write the tables of docs/fast-paths anew")
    p.add_argument("--rounds", type=int, metavar="N", help="for --profile (default: as when it is measured; 40000 for several CPUs)")
    p.add_argument("--json", metavar="FILE", help="write the results")
    p.add_argument("--markdown", metavar="FILE", help="write the table of the documentation; with --profile, that of docs/fast-paths")
    p.add_argument("--svg", metavar="FILE", help="write the chart")
    p.add_argument("--from-json", metavar="FILE", help="show and write earlier results instead of measuring")
    p.add_argument("--timeout", type=seconds, default=900, metavar="S", help="for one boot (default 900)")
    add_common_options(p)
    p.set_defaults(main=command_bench)

    p = sub.add_parser("fuzz", help="make calls at random in a machine for a while, and see that it stands")
    p.add_argument("-a", "--arch", choices=ARCHES, action="append")
    p.add_argument("--smp", type=cpu_count, default=4, metavar="N", help="CPUs (default 4)")
    p.add_argument("--seconds", type=int, default=1800, metavar="N", help="how long, for each architecture (default 1800)")
    p.add_argument("--seed", type=int, default=1, metavar="N", help="the same seed makes the same calls, but for races")
    add_common_options(p)
    p.set_defaults(main=command_fuzz)

    p = sub.add_parser("doctor", help="say what is missing on this machine and how to get it")
    p.set_defaults(main=command_doctor)

    if not argv or argv[0] not in ("run", "debug", "image"):
        return parser.parse_args(argv)
    ours, program = split_program(sub.choices[argv[0]], argv[1:])
    args = parser.parse_args([argv[0], *ours])
    args.program, args.args = (program[0], program[1:]) if program else (None, [])
    return args


def main():
    args = parse(sys.argv[1:])
    try:
        return args.main(args)
    except Failure as e:
        note(e)
        return e.status
    except boards.Missing as e:
        note(e)
        return 1
    except KeyboardInterrupt:
        return 128 + signal.SIGINT


if __name__ == "__main__":
    import caelum       # one copy of this module, whoever imports it
    sys.exit(caelum.main())
