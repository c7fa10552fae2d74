# SPDX-License-Identifier: MIT
"""Boot every board of scripts/boards.py through its firmware: a shell script that reads from the console by
interrupt, counts the CPUs, and runs the thread tests; then the machine is switched off by its own means. Some are reset, too.
A machine with a card slot has a card with a FAT partition: a file of it is read, one is written, and is there
after a second mount and for the host.

Names on the command line choose boards: `caelum test --only machines sifive_u virt-efi`.
"""
import functools
import os
import re
import shutil
import subprocess
import tempfile
import time

import boards
import bootfiles
import caelum
import guest
import machine
import qmp
from mkcpio import Archive

BOOT_S = machine.PATIENCE_S
MEMORY = 512 << 20
PROGRAMS = ("hello", "pthread")
HELLO = "typed at the console"
SCRIPT = """read line
echo "line: $line"
echo "cpus: $(nproc)"
dmesg
/bin/runner {programs}
"""
CARD_SCRIPT = """
part=/dev/mmcblk0p1
mount -t vfat $part /mnt && cat /mnt/greeting && {content} > /mnt/written && umount /mnt &&
mount -t vfat -o ro $part /mnt && {content} | cmp - /mnt/written && umount /mnt && grep mmcblk0p1 /proc/partitions
"""
CONTENT = "seq 1 30000"
WRITTEN = "".join(f"{i}\n" for i in range(1, 30001)).encode()
GREETING = "read from the card"
CARD_BYTES = 32 << 20
# Which of them are also reset by a program: by ACPI, PSCI, SBI, SBI by a GPIO line, a watchdog, a register.
RESETS = ("q35", "virt-gicv3", "virt-sv39", "sifive_u-direct", "raspi3b", "raspi4b", "loongarch64-virt")
CARD_LISTED = f" 179        1      {CARD_BYTES >> 10} mmcblk0p1"


def write_card(path):
    fat = bootfiles.fat({"greeting": f"{GREETING}\n".encode()}, CARD_BYTES)
    with open(path, "wb") as f:
        f.write(bootfiles.mbr_disk([(0x0c, fat)]))


def card_wrong(path):
    """What the host finds wrong on a card that a machine has used, or an empty string."""
    if not shutil.which("mcopy"):
        return ""
    got = subprocess.run(["mcopy", "-n", "-i", f"{path}@@1M", "::/written", "-"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    if got.returncode or got.stdout != WRITTEN:
        return f"the host reads {len(got.stdout)} bytes of {len(WRITTEN)} from the card {got.stderr!r}"
    return ""


def write_image(path, arch, programs, script):
    with open(path, "wb") as f:
        archive = Archive(f)
        caelum.add_busybox(archive, arch)
        archive.add_file("/bin/runner", os.path.join(programs, "runner"), 0o755)
        for name in PROGRAMS:
            archive.add_file(f"/tests/{name}", os.path.join(programs, "tests", name), 0o755)
        for d in ("/proc", "/dev", "/sys", "/tmp", "/etc", "/mnt"):
            archive.add_dir(d)
        archive.add_data("/script", script.encode())
        record = caelum.run_record("/bin/sh", ["sh", "/script"], dict(caelum.DEFAULT_ENV, TERM="dumb"), "/")
        archive.add_data(caelum.RECORD, record, 0o600)
        archive.finish()


def unsaid(board, log):
    """The first pattern of what the board says that is not in @log behind the one before, or None."""
    at = 0
    for want in board.says:
        m = re.compile(want).search(log, at)
        if not m:
            return want
        at = m.end()
    return None


def verdict(board, result, kernel, text, log, reason):
    """What is wrong with a run, or an empty string."""
    seen = [line for line in text.split("\n") if guest.LINE.match(line)]
    end = guest.describe_end(result, kernel, BOOT_S, len(seen), len(PROGRAMS))
    if end:
        return end
    if any(line.startswith("not ok") for line in seen):
        return text[-1500:]
    for want in (f"line: {HELLO}", f"cpus: {board.default_smp}", *((GREETING, CARD_LISTED) if board.sd else ())):
        if want not in text.split("\n"):
            return f"no \"{want}\" in {text[:300]!r}"
    want = unsaid(board, log + text)
    if want:
        return f"neither firmware nor kernel says {want!r}: {log[-3000:]!r}"
    if board.can_off and (result.qemu_status != 0 or reason != qmp.SWITCHED_OFF):
        return f"the machine did not switch off by itself (QEMU's status {result.qemu_status}, {reason!r})"
    return ""


def boot(board, kernel, initrd, card):
    """Return: (Result, what the programs wrote, what firmware and kernel did, why QEMU ended)."""
    output, log = bytearray(), bytearray()
    disks = boards.disks(board, [card]) if card else []
    m = machine.Machine(board.arch, kernel, initrd, f"caelum.frame=1 caelum.stdio=sss caelum.run={caelum.RECORD}",
                        MEMORY, board.default_smp, disks, board=board)
    ends = qmp.Ends(m)
    reader, writer = os.pipe()
    os.write(writer, HELLO.encode() + b"\n")
    os.close(writer)
    with os.fdopen(reader, "rb") as f:
        result = m.run(lambda channel, data: (output if channel in ("o", "e") else log).extend(data), stdin=f.fileno(), timeout=BOOT_S)
    return result, *(data.decode("utf-8", "replace").replace("\r", "") for data in (output, log)), ends.reason()


@functools.cache
def bring_firmware():
    """What only these tests want: brought, once, when the first board misses it."""
    subprocess.run([os.path.join(caelum.ROOT, "scripts/bootstrap"), "--firmware"], stdin=subprocess.DEVNULL, check=False)


def boot_image(board, kernel, programs):
    """What is wrong, or an empty string."""
    with tempfile.TemporaryDirectory(prefix="caelum-") as tmp:
        initrd = os.path.join(tmp, "initrd")
        card = os.path.join(tmp, "card") if board.sd else None
        write_image(initrd, board.arch, programs,
                    SCRIPT.format(programs=" ".join(PROGRAMS)) + (CARD_SCRIPT.format(content=CONTENT) if card else ""))
        if card:
            write_card(card)
        try:
            ran = boot(board, kernel, initrd, card)
        except boards.Missing:
            bring_firmware()
            ran = boot(board, kernel, initrd, card)
        result, text, log, reason = ran
        return verdict(board, result, kernel, text, log, reason) or (card_wrong(card) if card else "")


def reset_wrong(board, kernel, programs):
    """Start @board alone with a program that resets it. Return: what is wrong, or an empty string."""
    with tempfile.TemporaryDirectory(prefix="caelum-") as tmp:
        initrd = os.path.join(tmp, "initrd")
        write_image(initrd, board.arch, programs, "echo resetting\nreboot -f\necho still here\n")
        result, text, _, reason = boot(board, kernel, initrd, None)
    if result.qemu_status != 0 or reason != qmp.RESET or result.panicked or "resetting" not in text or "still here" in text:
        return f"the machine did not reset (QEMU's status {result.qemu_status}, {reason!r}): {text[-500:]!r} {result.panic[-500:]!r}"
    return ""


def reset_one(tally, board):
    try:
        wrong = reset_wrong(board, caelum.build(board.arch, [], False), guest.build_programs(board.arch))
    except (boards.Missing, caelum.Failure, OSError) as e:
        wrong = str(e)
    tally.result(f"reset-{board.name}", "fail" if wrong else "pass", wrong, board.arch, board.default_smp)


def cpu_seconds():
    """What the machines have used so far: on a busy computer the only time that says something about them."""
    times = os.times()
    return times.children_user + times.children_system


def run_one(tally, board, verbose):
    name = f"machine-{board.name}"
    start = time.monotonic()
    try:
        kernel = caelum.build(board.arch, [], verbose)
        programs = guest.build_programs(board.arch)
        if programs is None:
            tally.result(name, "skip", "the mirror does not have this architecture's libraries", board.arch, board.default_smp)
            return
        before = cpu_seconds()
        wrong = boot_image(board, kernel, programs)
    except boards.Missing as e:
        tally.result(name, "skip", str(e), board.arch, board.default_smp)
        return
    except (caelum.Failure, OSError) as e:
        tally.result(name, "fail", str(e), board.arch, board.default_smp)
        return
    if board.name in RESETS and not wrong:
        reset_one(tally, board)
    print(f"{board.name}: {'FAILED' if wrong else 'booted'} ({time.monotonic() - start:.0f} s, {cpu_seconds() - before:.0f} s of CPU)", flush=True)
    tally.result(name, "fail" if wrong else "pass", wrong, board.arch, board.default_smp)


def run(tally, args):
    """The boards that @args names, or all of its architectures."""
    start, before = time.monotonic(), cpu_seconds()
    for board in boards.BOARDS.values():
        if args.names and board.name not in args.names or args.arch and board.arch not in args.arch:
            continue
        run_one(tally, board, args.verbose)
    print(f"machines: {time.monotonic() - start:.0f} s, {cpu_seconds() - before:.0f} s of CPU", flush=True)
