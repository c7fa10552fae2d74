# SPDX-License-Identifier: MIT
"""`caelum image`: a file to write onto an SD card, USB stick or disk, from which a board starts Caelum.

Each board of IMAGES is a function that puts the parts together; docs/boards.md says how to write the card and what to see, and which of
them nobody has tried on the board itself. Packages' firmware comes by `scripts/bootstrap --firmware`.
Partition types and places: U-Boot doc/board/starfive and doc/board/sifive.
"""
import os
import subprocess
import tempfile
import uuid

import bootfiles
import boards
import caelum

STARFIVE_SPL = uuid.UUID("2e54b353-1271-4842-806f-e436d6af6985")
STARFIVE_UBOOT = uuid.UUID("bc13c2ff-59e6-4262-a352-b275fd6f7172")
SIFIVE_SPL = uuid.UUID("5b193300-fc78-40cd-8002-e86c45580b47")
SIFIVE_UBOOT = uuid.UUID("2e54b353-1271-4842-806f-e436d6af6985")
FAT_LBA = 0x0c
MIB = 1 << 20


class Job:
    """What an image is made of."""

    def __init__(self, image, initrd, cmdline, extra):
        self.image, self.initrd, self.cmdline, self.extra = image, initrd, cmdline, extra


def volume(job, files):
    """A FAT file system with @files and what --add wants in it."""
    files = {**files, **job.extra}
    size = sum(len(f) for f in files.values() if isinstance(f, bytes)) + 16 * MIB
    return bootfiles.fat(files, max(64 * MIB, -(-size // MIB) * MIB))


def extlinux_files(job, dtb=None):
    """What U-Boot's standard boot looks for."""
    files = {"Image": job.image, "initrd": job.initrd}
    extra = ""
    if dtb:
        name = os.path.basename(dtb)
        files[name] = boards.read(boards.firmware(dtb))
        extra = f"    fdt /{name}\n"
    return {**files, "extlinux": {"extlinux.conf": boards.extlinux(job.cmdline, "/", extra)}}


def uboot_disk(dtb=None):
    """A disk for a U-Boot that is elsewhere: in flash, or QEMU's -kernel."""
    def make(job):
        return bootfiles.gpt_disk([(bootfiles.ESP_GUID, "boot", volume(job, extlinux_files(job, dtb)))])
    return make


def starfive(dtb):
    """JH7110: the boot ROM takes the SPL from the first partition, the SPL U-Boot from the second, at the places where their documentation puts them."""
    uboot = "u-boot-starfive/usr/lib/u-boot/starfive_visionfive2/"

    def make(job):
        spl = boards.read(boards.firmware(uboot + "u-boot-spl.bin.normal.out"))
        itb = boards.read(boards.firmware(uboot + "u-boot.itb"))
        return bootfiles.gpt_disk([(STARFIVE_SPL, "spl", spl.ljust(2 * MIB, b"\0")), (STARFIVE_UBOOT, "uboot", itb.ljust(4 * MIB, b"\0")),
                                   (bootfiles.ESP_GUID, "boot", volume(job, extlinux_files(job, dtb)))], first=2 * MIB)
    return make


def sifive(name, dtb):
    """FU540 and FU740: the boot ROM looks for the SPL by its partition's type, the SPL for U-Boot."""
    uboot = f"u-boot-sifive/usr/lib/u-boot/{name}/"

    def make(job):
        spl = boards.read(boards.firmware(uboot + "u-boot-spl.bin"))
        itb = boards.read(boards.firmware(uboot + "u-boot.itb"))
        return bootfiles.gpt_disk([(SIFIVE_SPL, "spl", spl), (SIFIVE_UBOOT, "uboot", itb.ljust(4 * MIB, b"\0")),
                                   (bootfiles.ESP_GUID, "boot", volume(job, extlinux_files(job, dtb)))])
    return make


def with_bootargs(dtb, cmdline):
    """The device tree with a command line, for a loader that brings none."""
    with tempfile.NamedTemporaryFile(suffix=".dtb") as f:
        f.write(dtb)
        f.flush()
        try:
            done = subprocess.run(["fdtput", "-p", "-t", "s", f.name, "/chosen", "bootargs", cmdline], stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, check=False)
        except FileNotFoundError:
            raise boards.Missing("fdtput is not here (package device-tree-compiler)") from None
        if done.returncode:
            raise boards.Missing("fdtput fails: " + done.stdout.decode("utf-8", "replace")[-300:])
        return boards.read(f.name)


def milkv_duo(job):
    """CV1800B: the vendor's fip.bin (by --add) starts its U-Boot, which boots the FIT image boot.sd."""
    dtb = boards.read(boards.firmware("dtbs-riscv64/sophgo/cv1800b-milkv-duo.dtb"))
    fit = bootfiles.fit("riscv", job.image, job.initrd, with_bootargs(dtb, job.cmdline), 0x80200000)
    return bootfiles.mbr_disk([(FAT_LBA, volume(job, {"boot.sd": fit}))])


def raspberry_pi(dtb):
    """The vendor's firmware (start4.elf, fixup4.dat, bootcode.bin; by --add) reads config.txt."""
    def make(job):
        config = "arm_64bit=1\nkernel=kernel8.img\ninitramfs initrd followkernel\nenable_uart=1\n" \
                 f"device_tree={os.path.basename(dtb)}\n"
        return bootfiles.mbr_disk([(FAT_LBA, volume(job, {
            "kernel8.img": job.image, "initrd": job.initrd, os.path.basename(dtb): boards.read(boards.firmware(dtb)),
            "cmdline.txt": (job.cmdline + "\n").encode(), "config.txt": config.encode()}))])
    return make


def uefi(job):
    """The firmware's shell runs startup.nsh, which starts the kernel with its command line."""
    line = f"\\CAELUM.EFI {job.cmdline} initrd=\\initrd\r\n"
    return bootfiles.gpt_disk([(bootfiles.ESP_GUID, "boot", volume(job, {
        "startup.nsh": line.encode(), "initrd": job.initrd, "CAELUM.EFI": job.image}))])


JH7110 = "dtbs-riscv64/starfive/jh7110-"
# name: architecture, text, function
IMAGES = {
    "visionfive2": ("riscv64", "StarFive VisionFive 2 v1.3B, with SPL and U-Boot", starfive(JH7110 + "starfive-visionfive-2-v1.3b.dtb")),
    "visionfive2-v1.2a": ("riscv64", "StarFive VisionFive 2 v1.2A, with SPL and U-Boot", starfive(JH7110 + "starfive-visionfive-2-v1.2a.dtb")),
    "mars": ("riscv64", "Milk-V Mars, with SPL and U-Boot", starfive(JH7110 + "milkv-mars.dtb")),
    "star64": ("riscv64", "Pine64 Star64, with SPL and U-Boot", starfive(JH7110 + "pine64-star64.dtb")),
    "milkv-duo": ("riscv64", "Milk-V Duo (CV1800B); wants the vendor's fip.bin by --add", milkv_duo),
    "unleashed": ("riscv64", "SiFive HiFive Unleashed, with SPL and U-Boot",
                  sifive("sifive_unleashed", "dtbs-riscv64/sifive/hifive-unleashed-a00.dtb")),
    "unmatched": ("riscv64", "SiFive HiFive Unmatched, with SPL and U-Boot",
                  sifive("sifive_unmatched", "dtbs-riscv64/sifive/hifive-unmatched-a00.dtb")),
    "icicle": ("riscv64", "Microchip Icicle kit, whose HSS starts U-Boot", uboot_disk("dtbs-riscv64/microchip/mpfs-icicle-kit.dtb")),
    "virt-riscv64": ("riscv64", "QEMU's virt under U-Boot", uboot_disk()),
    "virt-aarch64": ("aarch64", "QEMU's virt under U-Boot", uboot_disk()),
    "raspi3": ("aarch64", "Raspberry Pi 3B; wants the vendor's firmware by --add", raspberry_pi("dtbs-aarch64/broadcom/bcm2837-rpi-3-b.dtb")),
    "raspi4": ("aarch64", "Raspberry Pi 4B; wants the vendor's firmware by --add", raspberry_pi("dtbs-aarch64/broadcom/bcm2711-rpi-4-b.dtb")),
    "uefi-x86_64": ("x86_64", "a PC whose UEFI has its shell", uefi),
    "uefi-aarch64": ("aarch64", "a machine whose UEFI has its shell", uefi),
    "uefi-riscv64": ("riscv64", "a machine whose UEFI has its shell", uefi),
    "uefi-loongarch64": ("loongarch64", "a machine whose UEFI has its shell", uefi),
}


def extra_files(pairs):
    """{name: content} of --add FILE[:NAME]."""
    files = {}
    for text in pairs:
        path, _, name = text.partition(":")
        try:
            files[name or os.path.basename(path)] = boards.read(path)
        except OSError as e:
            raise caelum.Failure(f"--add {path}: {e.strerror}") from None
    return files


def main(args):
    if args.board == "list":
        for name, (arch, text, _) in IMAGES.items():
            print(f"{name:20} {arch:12} {text}")
        return 0
    if args.board not in IMAGES:
        raise caelum.Failure(f"--board {args.board}: not one of {', '.join(IMAGES)}")
    arch, _, make = IMAGES[args.board]
    if args.arch and args.arch != arch:
        raise caelum.Failure(f"--board {args.board}: is for {arch}, not for {args.arch}")
    args.arch = arch
    with tempfile.TemporaryDirectory(prefix="caelum-") as tmp:
        program, _ = caelum.find_program(args, tmp)
        build = caelum.build(arch, args.config, args.verbose)
        initrd = os.path.join(tmp, "initrd")
        caelum.write_initrd(initrd, arch, args, program)
        cmdline = f"caelum.run={caelum.RECORD}" + (f" {args.append}" if args.append else "")
        try:
            data = make(Job(boards.read(os.path.join(build, "Image")), boards.read(initrd), cmdline, extra_files(args.add)))
        except boards.Missing as e:
            raise caelum.Failure(str(e)) from None
    out = args.output or f"caelum-{args.board}.img"
    try:
        boards.write(out, data)
    except OSError as e:
        raise caelum.Failure(f"{out}: {e.strerror}") from None
    caelum.note(f"{out}: {len(data) >> 20} MiB")
    return 0
