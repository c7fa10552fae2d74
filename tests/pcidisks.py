# SPDX-License-Identifier: MIT
"""A virtio disk on PCI, on each kind of interrupt controller: a file system is mounted and written, and /proc/interrupts must say
that the disk's interrupts came the way they should. One case has no interrupt at all and is polled.

Names on the command line choose cases: `caelum test --only pcidisks its`.
"""
import os
import re
import tempfile

import boards
import caelum
import guest
import machine
from mkcpio import Archive

BOOT_S = 60
MEMORY = 512 << 20
EXIT = 7
LEAST = 20          # interrupts that the script's reading and writing takes
SCRIPT = f"""mount -t proc proc /proc
mount -t vfat /dev/vda1 /mnt || exit 1
[ "$(cat /mnt/HELLO.TXT)" = hello ] || exit 2
for i in 1 2 3 4 5 6 7 8 9 10; do dd if=/bin/busybox of=/mnt/file$i bs=64k count=4 conv=fsync 2>/dev/null || exit 3; done
umount /mnt || exit 4
mount -t vfat /dev/vda1 /mnt || exit 5
dd if=/bin/busybox of=/first bs=64k count=4 2>/dev/null
cmp /first /mnt/file9 || exit 6
umount /mnt
grep -w virtio /proc/interrupts
exit {EXIT}
"""


class Case:
    """@line: what /proc/interrupts calls the disk's line; None: none, the disk is polled. @device: properties of the disk."""

    def __init__(self, name, arch, qemu, line, device=""):
        self.name = name
        self.arch = arch
        self.qemu = qemu
        self.line = line
        self.device = device


LA464 = ["-machine", "virt", "-cpu", "la464"]
CASES = [
    Case("q35-msix", "x86_64", ["-machine", "q35", "-cpu", "max"], "MSI"),
    Case("pc-msix", "x86_64", ["-machine", "pc", "-cpu", "qemu64"], "MSI"),
    Case("q35-intx", "x86_64", ["-machine", "q35", "-cpu", "max"], "ioapic", ",vectors=0"),
    Case("pc-intx", "x86_64", ["-machine", "pc", "-cpu", "qemu64"], "ioapic", ",vectors=0"),
    # OVMF makes no MultiProcessor table.
    Case("ovmf-polled", "x86_64", None, None, ",vectors=0"),
    Case("its", "aarch64", ["-machine", "virt,gic-version=3,its=on", "-cpu", "max"], "ITS"),
    Case("gicv2m", "aarch64", ["-machine", "virt,gic-version=2", "-cpu", "cortex-a53"], "GICv2"),
    Case("gicv3-intx", "aarch64", ["-machine", "virt,gic-version=3,its=off", "-cpu", "cortex-a72"], "GICv3"),
    Case("imsic", "riscv64", ["-machine", "virt,aia=aplic-imsic", "-cpu", "rv64"], "IMSIC"),
    Case("plic-intx", "riscv64", ["-machine", "virt", "-cpu", "rv64"], "PLIC"),
    Case("pch-msi", "loongarch64", LA464, "EIOINTC"),
    # The interrupt-map of QEMU's tree has one cell less for each line than the controller's node says: only the first entry can be read.
    Case("pch-pic-polled", "loongarch64", LA464, None, ",vectors=0,addr=6"),
    Case("pch-pic-intx", "loongarch64", LA464, "PCH-PIC", ",vectors=0,addr=8"),
]


def write_initrd(path, arch):
    with open(path, "wb") as f:
        archive = Archive(f)
        caelum.add_busybox(archive, arch)
        for d in ("/proc", "/dev", "/sys", "/tmp", "/mnt"):
            archive.add_dir(d)
        archive.add_data("/script", SCRIPT.encode())
        archive.add_data(caelum.RECORD, caelum.run_record("/bin/sh", ["sh", "/script"], caelum.DEFAULT_ENV, "/"), 0o600)
        archive.finish()


def boot(case, smp, tmp):
    """Return: (Result, what the script wrote, what fsck says)."""
    kernel = caelum.build(case.arch, [], False)
    initrd, disk = os.path.join(tmp, "initrd"), guest.write_disk(os.path.join(tmp, "disk"))
    write_initrd(initrd, case.arch)
    board = boards.Board(case.name, case.arch, "", list(case.qemu)) if case.qemu else boards.BOARDS["q35-ovmf"]
    args = ("-drive", f"if=none,id=disk,file={disk},format=raw", "-device", f"virtio-blk-pci,drive=disk{case.device}")
    output = bytearray()
    m = machine.Machine(case.arch, kernel, initrd, f"caelum.frame=1 caelum.stdio=nss caelum.run={caelum.RECORD} quiet",
                        MEMORY, smp, args, board=board)
    result = m.run(lambda channel, data: output.extend(data) if channel in ("o", "e") else None, timeout=BOOT_S)
    return result, output.decode("utf-8", "replace").replace("\r", ""), guest.check_fat(disk)


def verdict(case, result, text, broken):
    """What is wrong, or an empty string."""
    if result.status != EXIT:
        return f"status {result.status}{' (hung)' if result.timed_out else ''}: {text[-500:]!r} {result.panic[-500:]!r}"
    if broken:
        return broken
    if not case.line:
        return "" if text == "" else f"an interrupt that was not expected: {text!r}"
    m = re.search(r"^ *\d+: +(\d+)[\d ]* " + re.escape(case.line) + r" \d+  virtio$", text, re.M)
    return "" if m and int(m.group(1)) >= LEAST else f"not {LEAST} interrupts of {case.line}: {text!r}"


def run_one(tally, case, smp):
    name = f"pcidisk-{case.name}"
    try:
        with tempfile.TemporaryDirectory(prefix="caelum-") as tmp:
            wrong = verdict(case, *boot(case, smp, tmp))
    except boards.Missing as e:
        tally.result(name, "skip", str(e), case.arch, smp)
        return
    except (caelum.Failure, OSError) as e:
        wrong = str(e)
    tally.result(name, "fail" if wrong else "pass", wrong, case.arch, smp)


def run(tally, args):
    before = tally.passed, tally.failed, tally.skipped
    for case in CASES:
        if args.names and case.name not in args.names or args.arch and case.arch not in args.arch:
            continue
        for smp in args.smp or (1, 4):
            run_one(tally, case, smp)
    print("disks on PCI: {} passed, {} failed, {} skipped".format(
        tally.passed - before[0], tally.failed - before[1], tally.skipped - before[2]), flush=True)
