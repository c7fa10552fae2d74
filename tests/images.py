# SPDX-License-Identifier: MIT
"""`caelum image`: every board's image has the partitions, files and file system it should; those that QEMU can start are started;
and Caelum itself mounts a card's boot volume."""
import copy
import functools
import hashlib
import os
import shutil
import subprocess
import tempfile
import uuid

import boards
import caelum
import guest
import image
import machine
import machines
from command import Wrong, caelum_run, expect, run_cases

SECTOR = 512
BOOT_S = machine.PATIENCE_S
# Which machine of boards.py starts which image; the others' firmware or machine QEMU does not have.
STARTED = {"virt-riscv64": "virt-uboot", "virt-aarch64": "virt-uboot-aarch64", "uefi-x86_64": "q35-ovmf",
           "uefi-aarch64": "virt-edk2-aarch64", "uefi-riscv64": "virt-edk2", "uefi-loongarch64": "loongarch64-edk2"}
# What the boot ROMs and the SPLs look for, as U-Boot's documentation of the boards says: types, and the sectors they begin at.
JH7110 = [("2e54b353-1271-4842-806f-e436d6af6985", 4096), ("bc13c2ff-59e6-4262-a352-b275fd6f7172", 8192)]
SIFIVE = [("5b193300-fc78-40cd-8002-e86c45580b47", 2048), ("2e54b353-1271-4842-806f-e436d6af6985", 4096)]
FIRMWARE_PARTITIONS = {"visionfive2": JH7110, "visionfive2-v1.2a": JH7110, "mars": JH7110, "star64": JH7110, "unleashed": SIFIVE, "unmatched": SIFIVE}


def partitions(path):
    """[(type, first byte, bytes)] of a disk, of either kind of table."""
    with open(path, "rb") as f:
        mbr = f.read(SECTOR)
        if mbr[510:] != b"\x55\xaa":
            raise Wrong("no partition table")
        if mbr[450] != 0xee:
            entries = [mbr[446 + 16 * i:462 + 16 * i] for i in range(4)]
            return [(e[4], int.from_bytes(e[8:12], "little") * SECTOR, int.from_bytes(e[12:16], "little") * SECTOR)
                    for e in entries if e[4]]
        f.seek(2 * SECTOR)
        entries = [f.read(128) for _ in range(128)]
    number = [[int.from_bytes(e[at:at + 8], "little") * SECTOR for at in (32, 40)] for e in entries]
    return [(uuid.UUID(bytes_le=e[:16]), n[0], n[1] + SECTOR - n[0]) for e, n in zip(entries, number) if any(e[:16])]


def check_volume(path, first, size):
    """fsck of the part of @path that is a FAT volume."""
    fsck = shutil.which("fsck.vfat", path=os.environ["PATH"] + ":/usr/sbin:/sbin")
    if not fsck:
        return
    part = path + ".part"
    with open(path, "rb") as f, open(part, "wb") as out:
        f.seek(first)
        shutil.copyfileobj(f, out, 1 << 20)
        out.truncate(size)
    done = subprocess.run([fsck, "-n", part], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    os.unlink(part)
    if done.returncode:
        raise Wrong(done.stdout.decode("utf-8", "replace")[-500:])


def make(name, path, *words):
    done = subprocess.run([os.path.join(caelum.ROOT, "caelum"), "image", "--board", name, "-o", path, *words],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        raise Wrong(done.stdout.decode("utf-8", "replace")[-500:])


def start(name, path):
    """What the machine writes that starts from @path."""
    board = copy.copy(boards.BOARDS[STARTED[name]])
    bus = "pci" if board.arch in ("x86_64", "loongarch64") else "device"
    if name.startswith("uefi"):
        board.way = lambda board, job: boards.Start([*boards.pflash(job, *board.firmware), *boards.disk_args(path, bus)])
    else:
        board.way = lambda board, job: boards.Start([board.firmware_option, boards.firmware(board.firmware), *boards.disk_args(path)])
    output = bytearray()
    m = machine.Machine(board.arch, caelum.build(board.arch, [], False), None, "", 512 << 20, 1, board=board)
    result = m.run(lambda channel, data: output.extend(data) if channel in ("o", "e") else None, stdin=None, timeout=BOOT_S)
    if result.timed_out:
        raise Wrong(f"did not end within {BOOT_S} s; wrote {bytes(result.early[-300:] + output[-300:])!r} {result.qemu_errors}")
    return output.decode("utf-8", "replace")


class Cases:
    """One case for each board, made below; and those that are no board's."""

    def __init__(self, tmp):
        self.tmp = tmp

    def check(self, name):
        arch = image.IMAGES[name][0]
        path = os.path.join(self.tmp, name + ".img")
        programs = guest.build_programs(arch)
        words = ["--append", "caelum.frame=1 caelum.stdio=sss", os.path.join(programs, "tests/hello")] if programs else []
        make(name, path, *words)
        parts = partitions(path)
        if parts[-1][1] + parts[-1][2] > os.path.getsize(path):
            raise Wrong(f"{parts} do not fit the image")
        check_volume(path, *parts[-1][1:])
        if name in FIRMWARE_PARTITIONS:
            expect("partitions", [(str(p[0]), p[1] // SECTOR) for p in parts[:2]], FIRMWARE_PARTITIONS[name])
        if name in STARTED and programs:
            out = start(name, path)
            if "Hello from user space" not in out:
                raise Wrong(f"the program did not run: {out[-500:]!r}")
        os.unlink(path)

    def test_card_in_caelum(self):
        """The boot volume of a card, mounted by Caelum: the kernel on it is the one that was built, and what is written stays."""
        path = os.path.join(self.tmp, "card.img")
        make("visionfive2", path)
        with open(os.path.join(caelum.build("riscv64", [], False), "Image"), "rb") as f:
            digest = hashlib.sha256(f.read()).hexdigest()
        script = "mount -t vfat /dev/vda3 /mnt && sha256sum < /mnt/Image && cat /mnt/extlinux/extlinux.conf && echo kept > /mnt/new && umount /mnt"
        status, out, err = caelum_run("-a", "riscv64", "--disk", path, "busybox", "sh", "-c", f"mkdir -p /mnt; {script}")
        expect("status", status, 0)
        text = out.decode()
        if digest not in text or "kernel /Image" not in text:
            raise Wrong(f"{text[-500:]!r} {err[-300:]!r}")
        status, out, _ = caelum_run("-a", "riscv64", "--disk", path, "busybox", "sh", "-c",
                                    "mkdir -p /mnt; mount -t vfat -o ro /dev/vda3 /mnt && cat /mnt/new")
        expect("what was written", out, b"kept\n")
        check_volume(path, *partitions(path)[-1][1:])
        os.unlink(path)

    def test_bad_words(self):
        done = subprocess.run([os.path.join(caelum.ROOT, "caelum"), "image", "--board", "nosuch"], stderr=subprocess.PIPE, check=False)
        expect("status", done.returncode, 1)
        if not done.stderr.startswith(b"caelum: --board nosuch: not one of "):
            raise Wrong(f"{done.stderr!r}")


def run(tally, args):
    """The cases that @args names, or all, each put into @tally."""
    machines.bring_firmware()
    for name in args.names or image.IMAGES:
        setattr(Cases, "test_" + name, functools.partialmethod(Cases.check, name))
    with tempfile.TemporaryDirectory(prefix="caelum-") as tmp:
        run_cases(tally, "riscv64", "image", Cases(tmp))
