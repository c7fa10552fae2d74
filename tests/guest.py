# SPDX-License-Identifier: MIT
"""Build tests/user for an architecture, boot one machine that runs all of it, and read its TAP."""
import os
import re
import shutil
import subprocess
import tempfile

import boards
import bootfiles
import caelum
import machine
from mkcpio import Archive
from symbolize import symbolize

# The runner's line: a file's name alone. What the programs print themselves does not look like it.
LINE = re.compile(r"^(not )?ok \d+ - ([\w.+-]+)(?: # (.*))?$")
MEMORY = 1 << 30
FAT_SIZE = 40 << 20
CAP_SYS_ADMIN = 21
NOBODY = 65534


def build_programs(arch, only=None):
    """Compile the test programs, or the one that is named. Return: their directory, or None when there are no libraries for @arch."""
    if not os.path.exists(os.path.join(caelum.DEPS, "sysroot", arch, f"usr/lib/{arch}-linux-musl/libc.a")):
        return None
    out = os.path.join(caelum.ROOT, "build/tests-user", arch)
    done = subprocess.run(["make", "--no-print-directory", "-s", "-j2", "-C", os.path.join(caelum.ROOT, "tests/user"),
                           f"CC={caelum.ROOT}/scripts/ucc {arch}", f"OUT={out}", f"{out}/{only}" if only else "all"],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        raise caelum.Failure("the test programs could not be built:\n" + done.stdout.decode("utf-8", "replace"))
    return out


def is_root_in_name_only():
    """Root without CAP_SYS_ADMIN, as in most containers: much of what root may do is refused, which the tests do not expect."""
    with open("/proc/self/status", encoding="ascii") as f:
        effective = int(re.search(r"^CapEff:\s*(\w+)", f.read(), re.M).group(1), 16)
    return os.geteuid() == 0 and not effective >> CAP_SYS_ADMIN & 1


def run_on_linux(tally, programs, names):
    """The same static programs on this machine's own Linux, as an ordinary process."""
    names = names or sorted(n for n in os.listdir(os.path.join(programs, "tests")) if "." not in n)
    with tempfile.TemporaryDirectory(prefix="caelum-") as tmp:
        who = {}
        if is_root_in_name_only():
            os.chmod(tmp, 0o755)
            programs = shutil.copytree(programs, os.path.join(tmp, "programs"), symlinks=True)
            who = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
        done = subprocess.run([os.path.join(programs, "runner"), "-d", os.path.join(programs, "tests"), *names], **who,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    seen, planned = read_tap(tally, done.stdout.decode("utf-8", "replace"), "linux", os.cpu_count())
    if seen == 0 or seen != planned:
        tally.result("runner", "fail", f"{seen} results of {planned}, status {done.returncode}", "linux", "*")


def write_image(path, arch, programs, names):
    env = dict(caelum.DEFAULT_ENV, TERM="dumb")
    with open(path, "wb") as f:
        archive = Archive(f)
        caelum.add_busybox(archive, arch)
        archive.add_file("/bin/runner", os.path.join(programs, "runner"), 0o755)
        archive.add_path("/tests", os.path.join(programs, "tests"))
        for d in ("/proc", "/dev", "/sys", "/tmp", "/etc"):
            archive.add_dir(d)
        archive.add_data("/etc/passwd", b"root:x:0:0:root:/:/bin/sh\n")
        archive.add_data("/etc/group", b"root:x:0:\n")
        record = caelum.run_record("/bin/runner", ["runner", *names], env, "/")
        archive.add_data(caelum.RECORD, record, 0o600)
        archive.finish()


def write_disk(path, volume=None):
    """A scratch disk: a FAT partition for the tests of file systems (or @volume), and one of nothing."""
    parts = [(bootfiles.ESP_GUID, "fat", volume or bootfiles.fat({"HELLO.TXT": b"hello\n"}, FAT_SIZE)),
             (bootfiles.ESP_GUID, "scratch", bytes(8 << 20))]
    with open(path, "wb") as f:
        f.write(bootfiles.gpt_disk(parts))
    return path


def check_fat(disk, size=FAT_SIZE):
    """What fsck finds wrong with the FAT partition after the tests, or an empty string (also where there is no fsck.vfat)."""
    fsck = shutil.which("fsck.vfat", path=os.environ["PATH"] + ":/usr/sbin:/sbin")
    if not fsck:
        return ""
    with open(disk, "rb") as f, open(disk + ".fat", "wb") as out:
        f.seek(1 << 20)
        out.write(f.read(size))
    done = subprocess.run([fsck, "-n", disk + ".fat"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    return done.stdout.decode("utf-8", "replace") if done.returncode else ""


def run(tally, arch, kernel, programs, smp, timeout, names):
    """Boot with @smp CPUs and put every result into @tally."""
    with tempfile.TemporaryDirectory(prefix="caelum-") as tmp:
        initrd = os.path.join(tmp, "initrd")
        write_image(initrd, arch, programs, names)
        cmdline = f"caelum.frame=1 caelum.stdio=nss caelum.run={caelum.RECORD} quiet"
        output = bytearray()
        disk = write_disk(os.path.join(tmp, "disk"))
        m = machine.Machine(arch, kernel, initrd, cmdline, MEMORY, smp, boards.disks(boards.default_board(arch), [disk]))
        result = m.run(lambda channel, data: output.extend(data) if channel in ("o", "e") else None,
                       timeout=timeout)
        broken = check_fat(disk) if "fat" in (names or ["fat"]) else ""
    text = output.decode("utf-8", "replace").replace("\r", "")
    log = os.path.join(caelum.ROOT, "build", f"guest-{arch}-smp{smp}.log")
    with open(log, "w", encoding="utf-8") as f:
        f.write(text)
    seen, planned = read_tap(tally, text, arch, smp)
    end = describe_end(result, kernel, timeout, seen, planned)
    if broken:
        tally.result("fsck", "fail", broken, arch, smp)
    if end:
        tally.result("runner", "fail", f"{end} (output: {os.path.relpath(log)})", arch, smp)


def read_tap(tally, text, arch, smp):
    """Tally the runner's lines, with what a failing test printed. Return: (lines seen, lines planned)."""
    seen, comments = 0, []
    plan = re.search(r"^1\.\.(\d+)$", text, re.M)
    for line in text.split("\n"):
        m = LINE.match(line)
        if not m:
            comments.append(line)
            continue
        seen += 1
        detail = m.group(3) or ""
        if m.group(1):
            tally.result(m.group(2), "fail", "\n        ".join([detail] + comments[-12:]), arch, smp)
        elif detail.startswith("SKIP"):
            tally.result(m.group(2), "skip", (comments or [detail])[-1], arch, smp)
        else:
            tally.result(m.group(2), "pass", "", arch, smp)
        comments = []
    return seen, int(plan.group(1)) if plan else 0


def describe_end(result, kernel, timeout, seen, planned):
    if result.panicked:
        return "panic: " + symbolize(result.panic.decode("utf-8", "replace").replace("\r", ""),
                                     os.path.join(kernel, "caelum.elf"))
    if result.timed_out:
        return f"hung: not finished after {timeout:g} s, {seen} results"
    if result.status is None:
        return "the machine stopped without a status: " + (result.qemu_errors or
                                                           result.early.decode("utf-8", "replace")[-2000:])
    if seen == 0 or seen != planned:
        return f"{seen} results of {planned}, status {result.status}"
    return ""
