# SPDX-License-Identifier: MIT
"""A virtio disk on PCI, on each kind of interrupt controller, on the first bus and behind bridges: a file system is mounted and written,
and /proc/interrupts must say that the disk's interrupts came the way they should; with several CPUs they are sent to another one
half-way. One case has no interrupt at all and is polled.

Names on the command line choose cases: `caelum test --only pcidisks its`.
"""
import os
import re
import shutil
import subprocess
import tempfile

import boards
import caelum
import guest
import machine
import machines
from mkcpio import Archive

BOOT_S = machine.PATIENCE_S
MEMORY = 512 << 20
EXIT = 7
LEAST = 20          # interrupts that the script's reading and writing takes
SCRIPT = f"""mount -t proc proc /proc
mount -t vfat /dev/vda1 /mnt || exit 1
[ ! -e /mnt/HELLO.TXT ] || [ "$(cat /mnt/HELLO.TXT)" = hello ] || exit 2
for i in 1 2 3 4 5 6 7 8 9 10; do dd if=/bin/busybox of=/mnt/file$i bs=64k count=4 conv=fsync 2>/dev/null || exit 3; done
mkdir /mnt/d /mnt/d/e && mv /mnt/file1 "/mnt/d/e/a longer name" && mv /mnt/d/e /mnt/f && rm /mnt/file2 && rmdir /mnt/d || exit 8
umount /mnt || exit 4
mount -t vfat /dev/vda1 /mnt || exit 5
dd if=/bin/busybox of=/first bs=64k count=4 2>/dev/null
cmp /first /mnt/file9 || exit 6
umount /mnt
irq=$(grep -w virtio /proc/interrupts | cut -d: -f1 | tr -d " ")
if [ "$irq" ] && [ $(nproc) -gt 1 ]; then
	echo 1 > /proc/irq/$irq/smp_affinity_list || exit 9
	[ $(cat /proc/irq/$irq/effective_affinity_list) = 1 ] || exit 10
	mount -t vfat /dev/vda1 /mnt || exit 11
	for i in 1 2 3 4 5; do dd if=/bin/busybox of=/mnt/moved$i bs=64k count=4 conv=fsync 2>/dev/null || exit 12; done
	umount /mnt
fi
grep -w virtio /proc/interrupts
exit {EXIT}
"""


MKFS = shutil.which("mkfs.vfat", path=os.environ["PATH"] + ":/usr/sbin:/sbin")
FAT12 = (("-F", "12"), 8 << 20)
FAT16 = (("-F", "16", "-s", "1"), 16 << 20)
FAT32 = (("-F", "32", "-s", "1"), 40 << 20)


class Case:
    """@line: what /proc/interrupts calls the disk's line; None: none, the disk is polled. @device: properties of the disk. @volume: arguments of
    mkfs.vfat, and the volume's size, where the host has it and another FAT is to be tried. @bridges: devices that lead to the disk's bus."""

    def __init__(self, name, arch, qemu, line, device="", volume=None, bridges=()):
        self.name = name
        self.arch = arch
        self.qemu = qemu
        self.line = line
        self.device = device
        self.bridges = [arg for bridge in bridges for arg in ("-device", bridge)]
        self.volume = volume if MKFS else None


LA464 = ["-machine", "virt", "-cpu", "la464"]
ITS = ["-machine", "virt,gic-version=3,its=on", "-cpu", "max"]
# An Express port; one with a switch behind it, of which the disk is on the second port; a bridge to conventional PCI on the first bus, and on a port.
PORT = ["pcie-root-port,id=rp,chassis=1"]
SWITCH = [*PORT, "x3130-upstream,id=up,bus=rp", "xio3130-downstream,bus=up,chassis=2", "xio3130-downstream,id=down,bus=up,chassis=3"]
BRIDGE = ["pci-bridge,id=bridge,chassis_nr=4"]
# SeaBIOS's MultiProcessor table names the lines of devices that have one: this bridge's is INTA, and so is that of the disk in slot 4 behind it.
LINE_BRIDGE = ["pci-bridge,id=bridge,chassis_nr=4,shpc=on"]
NESTED = [*PORT, "pcie-pci-bridge,id=outer,bus=rp", "pci-bridge,id=inner,bus=outer,addr=2,chassis_nr=5"]
CASES = [
    Case("q35-msix", "x86_64", ["-machine", "q35", "-cpu", "max"], "MSI", volume=FAT12),
    Case("pc-msix", "x86_64", ["-machine", "pc", "-cpu", "qemu64"], "MSI", volume=FAT32),
    Case("q35-intx", "x86_64", ["-machine", "q35", "-cpu", "max"], "ioapic", ",vectors=0"),
    Case("pc-intx", "x86_64", ["-machine", "pc", "-cpu", "qemu64"], "ioapic", ",vectors=0"),
    # OVMF makes no MultiProcessor table.
    Case("ovmf-polled", "x86_64", None, None, ",vectors=0"),
    Case("its", "aarch64", ["-machine", "virt,gic-version=3,its=on", "-cpu", "max"], "ITS", volume=FAT32),
    Case("gicv2m", "aarch64", ["-machine", "virt,gic-version=2", "-cpu", "cortex-a53"], "GICv2", volume=FAT12),
    Case("gicv3-intx", "aarch64", ["-machine", "virt,gic-version=3,its=off", "-cpu", "cortex-a72"], "GICv3"),
    Case("imsic", "riscv64", ["-machine", "virt,aia=aplic-imsic", "-cpu", "rv64"], "IMSIC", volume=FAT12),
    Case("plic-intx", "riscv64", ["-machine", "virt", "-cpu", "rv64"], "PLIC", volume=FAT16),
    Case("pch-msi", "loongarch64", LA464, "EIOINTC", volume=FAT32),
    # The interrupt-map of QEMU's tree has one cell less for each line than the controller's node says: only the first entry can be read.
    Case("pch-pic-polled", "loongarch64", LA464, None, ",vectors=0,addr=6"),
    Case("q35-port", "x86_64", ["-machine", "q35", "-cpu", "max"], "MSI", ",bus=rp", bridges=PORT),
    Case("q35-nested", "x86_64", ["-machine", "q35", "-cpu", "max"], "MSI", ",bus=inner,addr=3", bridges=NESTED),
    Case("q35-bridge-intx", "x86_64", ["-machine", "q35", "-cpu", "max"], "ioapic", ",vectors=0,bus=bridge,addr=4", bridges=LINE_BRIDGE),
    Case("its-switch", "aarch64", ITS, "ITS", ",bus=down", bridges=SWITCH),
    Case("its-nested", "aarch64", ITS, "ITS", ",bus=inner,addr=3", bridges=NESTED),
    # An Express port needs a controller of messages, even if nothing behind it does.
    Case("gicv3-nested-intx", "aarch64", ITS, "GICv3", ",vectors=0,bus=inner,addr=3", bridges=NESTED),
    Case("imsic-switch", "riscv64", ["-machine", "virt,aia=aplic-imsic", "-cpu", "rv64"], "IMSIC", ",bus=down", bridges=SWITCH),
    Case("plic-bridge-intx", "riscv64", ["-machine", "virt", "-cpu", "rv64"], "PLIC", ",bus=bridge,addr=6", bridges=BRIDGE),
    Case("plic-nested-intx", "riscv64", ["-machine", "virt", "-cpu", "rv64"], "PLIC", ",bus=inner,addr=5", bridges=NESTED),
    Case("pch-msi-nested", "loongarch64", LA464, "EIOINTC", ",bus=inner,addr=7", bridges=NESTED),
    Case("pch-msi-port", "loongarch64", LA464, "EIOINTC", ",bus=rp", bridges=PORT),
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


def make_volume(case, tmp):
    """Return: (volume or None, its size)."""
    if not case.volume:
        return None, guest.FAT_SIZE
    options, size = case.volume
    path = os.path.join(tmp, "volume")
    with open(path, "wb") as f:
        f.truncate(size)
    subprocess.run([MKFS, *options, path], check=True, stdout=subprocess.DEVNULL)
    return boards.read(path), size


def boot(case, smp, tmp):
    """Return: (Result, what the script wrote, what fsck says)."""
    kernel = caelum.build(case.arch, [], False)
    volume, size = make_volume(case, tmp)
    initrd, disk = os.path.join(tmp, "initrd"), guest.write_disk(os.path.join(tmp, "disk"), volume)
    write_initrd(initrd, case.arch)
    board = boards.Board(case.name, case.arch, "", list(case.qemu)) if case.qemu else boards.BOARDS["q35-ovmf"]
    args = (*case.bridges, "-drive", f"if=none,id=disk,file={disk},format=raw", "-device", f"virtio-blk-pci,drive=disk{case.device}")
    output = bytearray()
    m = machine.Machine(case.arch, kernel, initrd, f"caelum.frame=1 caelum.stdio=nss caelum.run={caelum.RECORD} quiet",
                        MEMORY, smp, args, board=board)
    result = m.run(lambda channel, data: output.extend(data) if channel in ("o", "e") else None, timeout=BOOT_S)
    return result, output.decode("utf-8", "replace").replace("\r", ""), guest.check_fat(disk, size)


def verdict(case, smp, result, text, broken):
    """What is wrong, or an empty string."""
    if result.status != EXIT:
        return f"status {result.status}{' (hung)' if result.timed_out else ''}: {text[-500:]!r} {result.panic[-500:]!r}"
    if broken:
        return broken
    if not case.line:
        return "" if text == "" else f"an interrupt that was not expected: {text!r}"
    m = re.search(r"^ *\d+: +(\d[\d ]*) " + re.escape(case.line) + r" \d+  virtio$", text, re.M)
    counts = [int(n) for n in m.group(1).split()] if m else []
    if len(counts) != smp or min(counts[:2]) < LEAST or any(counts[2:]):
        return f"not {LEAST} interrupts of {case.line} on each of CPU 0 and, after that, CPU 1: {text!r}"
    return ""


def run_one(tally, case, smp):
    name = f"pcidisk-{case.name}"
    try:
        with tempfile.TemporaryDirectory(prefix="caelum-") as tmp:
            wrong = verdict(case, smp, *boot(case, smp, tmp))
    except boards.Missing as e:
        tally.result(name, "skip", str(e), case.arch, smp)
        return
    except (caelum.Failure, OSError) as e:
        wrong = str(e)
    tally.result(name, "fail" if wrong else "pass", wrong, case.arch, smp)


def run(tally, args):
    machines.bring_firmware()
    before = tally.passed, tally.failed, tally.skipped
    for case in CASES:
        if args.names and case.name not in args.names or args.arch and case.arch not in args.arch:
            continue
        for smp in args.smp or (1, 4):
            run_one(tally, case, smp)
    print("disks on PCI: {} passed, {} failed, {} skipped".format(
        tally.passed - before[0], tally.failed - before[1], tally.skipped - before[2]), flush=True)
