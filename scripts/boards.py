# SPDX-License-Identifier: MIT
"""The machines that Caelum boots on: what QEMU calls them, which firmware starts them, and how.

BOARDS is the table of `caelum run --machine`. A Board says how QEMU is called; its way (one of the
functions way_*) turns kernel, initrd and command line into what the firmware wants to find, and
returns a Start: QEMU's further arguments and what is typed at the firmware's prompt.
Firmware is only unpacked under build/deps/firmware by `scripts/bootstrap --firmware`.
"""
import glob
import gzip
import os
import shutil
import subprocess

import bootfiles

ROOT = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
FIRMWARE = os.path.join(ROOT, "build", "deps", "firmware")
KERNEL_FILE = {"x86_64": "caelum.elf", "riscv64": "Image", "aarch64": "Image",
               "loongarch64": "caelum.elf"}
LEAST_MEMORY = {"loongarch64": 1 << 30}
DISK_BUS = {"x86_64": "pci", "riscv64": "device", "aarch64": "device", "loongarch64": "pci"}
GIB = 1 << 30


class Missing(Exception):
    """A file of firmware is not here; the text says which and how to get it."""


class Start:
    """What a way made: more arguments for QEMU, and a dialogue [(wait for, answer)] with the firmware."""

    def __init__(self, args, dialog=()):
        self.args = list(args)
        self.dialog = list(dialog)


class Job:
    """What is to be started. @tmp: a directory for files that live as long as the machine."""

    def __init__(self, build, initrd, cmdline, memory, tmp):
        self.build = build
        self.initrd = initrd
        self.cmdline = cmdline
        self.memory = memory
        self.tmp = tmp

    def path(self, name):
        return os.path.join(self.tmp, name)


def firmware(*names):
    """The first file of build/deps/firmware that exists (names may have wildcards)."""
    for name in names:
        found = sorted(glob.glob(os.path.join(FIRMWARE, name)))
        if found:
            return found[0]
    raise Missing(f"{names[0]} is not in build/deps/firmware: scripts/bootstrap --firmware brings it")


# ---- ways to start -------------------------------------------------------------------------------


def way_direct(board, job):
    """QEMU loads kernel and initrd itself, as a simple loader of Linux would."""
    args = ["-kernel", os.path.join(job.build, board.kernel), "-append", job.cmdline]
    if job.initrd:
        args += ["-initrd", job.initrd]
    if board.dtb:
        args += ["-dtb", firmware(board.dtb)]
    return Start(args)


def read(path):
    with open(path, "rb") as f:
        return f.read()


def write(path, data):
    with open(path, "wb") as f:
        f.write(data)
    return path


UBOOT_STOP = ("autoboot:", "\n")
UBOOT_PROMPT = "=> "


def uboot_type(*commands):
    """The dialogue that stops U-Boot's countdown and types commands."""
    return [UBOOT_STOP] + [(UBOOT_PROMPT, c + "\n") for c in commands]


def quote(text):
    return "'" + text.replace("'", "'\\''") + "'"


def extlinux(cmdline, place, extra=""):
    return (f"default caelum\nprompt 0\ntimeout 1\nlabel caelum\n    kernel {place}Image\n    initrd {place}initrd\n{extra}"
            f"    append {cmdline}\n").encode()


def disk_args(path, bus="device"):
    return ["-drive", f"file={path},format=raw,if=none,id=boot", "-device", f"virtio-blk-{bus},drive=boot"]


def boot_disk(job, files):
    """A disk with a GPT and one FAT partition that has @files."""
    size = max(48 << 20, sum(len(f) for f in files.values() if isinstance(f, bytes)) + (16 << 20))
    size = -(-size // (1 << 20)) << 20
    return write(job.path("disk"), bootfiles.gpt_disk([(bootfiles.ESP_GUID, "boot", bootfiles.fat(files, size))]))


def way_uboot_extlinux(board, job):
    """U-Boot finds extlinux.conf on a disk; nothing is typed."""
    disk = boot_disk(job, {"Image": read(os.path.join(job.build, "Image")), "initrd": read(job.initrd),
                           "extlinux": {"extlinux.conf": extlinux(job.cmdline, "/")}})
    return Start([board.firmware_option, firmware(board.firmware), *disk_args(disk)])


def way_uboot_booti(board, job):
    """The commands a person types for booti."""
    disk = boot_disk(job, {"Image": read(os.path.join(job.build, "Image")), "initrd": read(job.initrd)})
    return Start([board.firmware_option, firmware(board.firmware), *disk_args(disk)], uboot_type(
        f"setenv bootargs {quote(job.cmdline)}", "load virtio 0:1 ${kernel_addr_r} Image",
        "load virtio 0:1 ${ramdisk_addr_r} initrd",
        "booti ${kernel_addr_r} ${ramdisk_addr_r}:${filesize} ${fdtcontroladdr}"))


def way_uboot_fit(board, job):
    """One file with kernel, initrd and hashes that U-Boot checks."""
    itb = bootfiles.fit("riscv", read(os.path.join(job.build, "Image")), read(job.initrd), None, 0x80200000)
    disk = boot_disk(job, {"caelum.itb": itb})
    return Start([board.firmware_option, firmware(board.firmware), *disk_args(disk)], uboot_type(
        f"setenv bootargs {quote(job.cmdline)}", "load virtio 0:1 0x88000000 caelum.itb",
        "bootm 0x88000000 0x88000000 ${fdtcontroladdr}"))


def tftp_dir(job, files):
    """A directory that QEMU's user network serves. Return: the arguments."""
    root = job.path("tftp")
    for name, data in files.items():
        path = os.path.join(root, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        write(path, data)
    return ["-nic", f"user,tftp={root}"]


def way_uboot_tftp_script(board, job):
    """U-Boot fetches boot.scr by DHCP and TFTP, and it the rest. Typed is that it should not look for a card first: with the one of
    QEMU 9.1 to 10.1 U-Boot does not come to an end."""
    script = bootfiles.uboot_script(
        f"setenv bootargs {quote(job.cmdline)}\n"
        "tftpboot ${kernel_addr_r} Image && tftpboot ${ramdisk_addr_r} initrd && "
        "booti ${kernel_addr_r} ${ramdisk_addr_r}:${filesize} ${fdtcontroladdr}\n")
    return Start([board.firmware_option, firmware(board.firmware), *tftp_dir(job, {
        "boot.scr.uimg": script, "Image": read(os.path.join(job.build, "Image")), "initrd": read(job.initrd)})],
                 uboot_type("setenv boot_targets dhcp", "boot"))


FLASH_SIZE = 32 << 20
FLASH_ITB, FLASH_KERNEL, FLASH_INITRD, FLASH_SCRIPT = 0x105000, 0x400000, 0x800000, FLASH_SIZE - 0x1000


def way_uboot_flash(board, job):
    """All of it from a HiFive Unleashed's flash chip: U-Boot's SPL, which stands for what the boot ROM has loaded, finds OpenSBI and U-Boot there;
    U-Boot, left alone, the script in the last 4 KiB, which reads the rest."""
    spl, itb = (firmware(name) for name in board.firmware)
    # U-Boot takes its time over each byte.
    kernel, initrd = read(os.path.join(job.build, "Image")), gzip.compress(read(job.initrd))
    script = bootfiles.uboot_script(
        f"setenv bootargs {quote(job.cmdline)}\n"
        f"sf read ${{kernel_addr_r}} 0x{FLASH_KERNEL:x} 0x{len(kernel):x} && sf read ${{ramdisk_addr_r}} 0x{FLASH_INITRD:x} 0x{len(initrd):x} && "
        f"booti ${{kernel_addr_r}} ${{ramdisk_addr_r}}:0x{len(initrd):x} ${{fdtcontroladdr}}\n")
    flash = bytearray(b"\xff" * FLASH_SIZE)
    places = sorted(((FLASH_ITB, read(itb)), (FLASH_KERNEL, kernel), (FLASH_INITRD, initrd), (FLASH_SCRIPT, script)))
    for (at, data), end in zip(places, [at for at, _ in places[1:]] + [FLASH_SIZE]):
        if at + len(data) > end:
            raise Missing(f"the flash chip has no room for {len(data)} bytes at 0x{at:x}")
        flash[at:at + len(data)] = data
    return Start(["-bios", spl, "-drive", f"if=mtd,format=raw,file={write(job.path('flash'), flash)}"])


def way_uboot_pxe(board, job):
    """PXE: U-Boot takes pxelinux.cfg/default from the TFTP server."""
    conf = extlinux(job.cmdline, "", f"    fdt {os.path.basename(board.dtb)}\n" if board.dtb else "")
    files = {"pxelinux.cfg/default": conf, "Image": read(os.path.join(job.build, "Image")), "initrd": read(job.initrd)}
    if board.dtb:
        files[os.path.basename(board.dtb)] = read(firmware(board.dtb))
    return Start([board.firmware_option, firmware(board.firmware), *tftp_dir(job, files)],
                 uboot_type("setenv autoload no", "dhcp", "pxe get && pxe boot"))


def way_uboot_efi(board, job):
    """U-Boot's UEFI: the Image is the application, the initrd a file beside it."""
    disk = boot_disk(job, {"Image": read(os.path.join(job.build, "Image")), "initrd": read(job.initrd)})
    return Start([board.firmware_option, firmware(board.firmware), *disk_args(disk)], uboot_type(
        f"setenv bootargs {quote(job.cmdline)}", "setenv bootargs ${bootargs} initrd=/initrd",
        "load virtio 0:1 ${kernel_addr_r} Image", "bootefi ${kernel_addr_r} ${fdtcontroladdr}"))


def pflash(job, code, variables):
    """A firmware's code and a copy of its variables in the two flash chips."""
    copy = write(job.path("vars.fd"), read(firmware(variables)))
    return ["-drive", f"if=pflash,unit=0,format=raw,readonly=on,file={firmware(code)}",
            "-drive", f"if=pflash,unit=1,format=raw,file={copy}"]


def way_edk2_direct(board, job):
    """EDK2 starts the kernel that QEMU offers it as a UEFI application; the initrd comes by LoadFile2."""
    return Start([*pflash(job, *board.firmware), "-kernel", os.path.join(job.build, "Image"),
                  "-append", job.cmdline, "-initrd", job.initrd])


def way_edk2_disk(board, job):
    """EDK2's shell runs the script it finds on a disk, which starts the kernel with its command line."""
    line = f"\\CAELUM.EFI {job.cmdline} initrd=\\initrd\r\n"
    disk = boot_disk(job, {"startup.nsh": line.encode(), "initrd": read(job.initrd),
                           "CAELUM.EFI": read(os.path.join(job.build, "Image"))})
    return Start([*pflash(job, *board.firmware), *disk_args(disk, board.bus)])


def way_grub(command, initrd, kernel):
    """A rescue image of GRUB's for a PC's BIOS."""
    def way(board, job):
        if not shutil.which("grub-mkrescue") or not shutil.which("xorriso"):
            raise Missing("grub-mkrescue is not here (packages grub-common, grub-pc-bin, xorriso)")
        root = job.path("iso")
        os.makedirs(os.path.join(root, "boot/grub"))
        write(os.path.join(root, "kernel"), read(os.path.join(job.build, kernel)))
        write(os.path.join(root, "initrd"), read(job.initrd))
        write(os.path.join(root, "boot/grub/grub.cfg"),
              f"serial\nterminal_output serial\n{command} /kernel {job.cmdline}\n{initrd} /initrd\nboot\n".encode())
        done = subprocess.run(["grub-mkrescue", "-d", "/usr/lib/grub/i386-pc", "-o", job.path("rescue.iso"), root],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        if done.returncode:
            raise Missing("grub-mkrescue fails: " + done.stdout.decode("utf-8", "replace")[-300:])
        return Start(["-cdrom", job.path("rescue.iso")])
    return way


class Board:
    """One line of the table.

    @qemu: arguments of QEMU that make the machine. @extra_cpus: harts that are not ours but count in -smp.
    @max_cpus, @least_memory, @memory (exact size, when the board has one): what it can have. @serial: arguments
    that connect the chardev "console". @can_off: whether it can switch itself off. @sd: whether it has a card slot that Caelum can use.
    @says: patterns of what is written before programs are, in this order, by the firmware on the way that this board is to show, or the kernel.
    """

    def __init__(self, name, arch, text, qemu, way=way_direct, **more):
        self.name = name
        self.arch = arch
        self.text = text
        self.qemu = qemu
        self.way = way
        self.kernel = more.pop("kernel", KERNEL_FILE[arch])
        self.firmware = more.pop("firmware", None)
        self.firmware_option = more.pop("firmware_option", "-kernel")
        self.bus = more.pop("bus", "device")
        self.dtb = more.pop("dtb", None)
        self.extra_cpus = more.pop("extra_cpus", 0)
        self.max_cpus = more.pop("max_cpus", 64)
        self.cpus = more.pop("cpus", None)
        self.least_memory = more.pop("least_memory", LEAST_MEMORY.get(arch, 0))
        self.memory = more.pop("memory", None)
        self.serial = more.pop("serial", ("-serial", "chardev:console"))
        self.cmdline = more.pop("cmdline", "")
        self.can_off = more.pop("can_off", True)
        self.sd = more.pop("sd", None)
        self.says = more.pop("says", ())
        self.default_smp = more.pop("default_smp", min(4, self.cpus or self.max_cpus))
        assert not more, more

    def size_args(self, memory, smp):
        """-m and -smp. A board whose number of CPUs is fixed starts them all."""
        memory = self.memory or max(memory, self.least_memory)
        cpus = self.cpus or min(smp, self.max_cpus) + self.extra_cpus
        return ["-m", f"{(memory + 0xfffff) >> 20}M", "-smp", str(cpus)]

    def start(self, job):
        if self.cmdline:
            job.cmdline += " " + self.cmdline
        return self.way(self, job)


DEFAULT = {
    "x86_64": ["-machine", "q35", "-cpu", "max"],
    "riscv64": ["-machine", "virt", "-cpu", "rv64,v=on"],
    "aarch64": ["-machine", "virt,gic-version=3", "-cpu", "max"],
    "loongarch64": ["-machine", "virt", "-cpu", "la464"],
}


def board_list():
    """The table."""
    virt = ["-machine", "virt", "-cpu"]
    uboot = "u-boot-qemu/usr/lib/u-boot/qemu-riscv64_smode/u-boot.bin"
    edk2 = [f"qemu-efi-riscv64/usr/share/qemu-efi-riscv64/RISCV_VIRT_{kind}.fd" for kind in ("CODE", "VARS")]
    by_uboot = ("OpenSBI v", "U-Boot 20")
    unleashed = "u-boot-sifive/usr/lib/u-boot/sifive_unleashed/u-boot.bin"
    return [
        Board("q35", "x86_64", "PC with PCI Express, PVH entry", ["-machine", "q35", "-cpu", "max"]),
        Board("pc", "x86_64", "PC with the 440FX chipset, an old CPU", ["-machine", "pc", "-cpu", "qemu64"]),
        Board("microvm", "x86_64", "microvm with ACPI", ["-machine", "microvm", "-cpu", "max"]),
        Board("q35-linux", "x86_64", "PC, Linux's boot protocol: bzImage through SeaBIOS", ["-machine", "q35", "-cpu", "max"],
              kernel="Image"),
        Board("q35-grub", "x86_64", "PC, GRUB's multiboot2", ["-machine", "q35", "-cpu", "max"],
              way_grub("multiboot2", "module2", "caelum.elf")),
        Board("pc-grub-linux", "x86_64", "PC, GRUB's linux", ["-machine", "pc", "-cpu", "qemu64"],
              way_grub("linux", "initrd", "Image")),
        Board("q35-ovmf", "x86_64", "PC, UEFI: OVMF", ["-machine", "q35", "-cpu", "max"], way_edk2_direct,
              firmware=[f"ovmf/usr/share/OVMF/OVMF_{kind}_4M.fd" for kind in ("CODE", "VARS")]),
        Board("virt-edk2-aarch64", "aarch64", "virt, EDK2 with a device tree",
              ["-machine", "virt,acpi=off,gic-version=3", "-cpu", "cortex-a72"], way_edk2_direct,
              firmware=[f"qemu-efi-aarch64/usr/share/AAVMF/AAVMF_{kind}.fd" for kind in ("CODE.no-secboot", "VARS")]),
        Board("virt-edk2-el2", "aarch64", "virt, EDK2 at EL2, the kernel on a disk",
              ["-machine", "virt,acpi=off,gic-version=2,virtualization=on", "-cpu", "cortex-a57"], way_edk2_disk,
              max_cpus=8,
              firmware=[f"qemu-efi-aarch64/usr/share/AAVMF/AAVMF_{kind}.fd" for kind in ("CODE.no-secboot", "VARS")]),
        Board("virt-uboot-aarch64", "aarch64", "virt, U-Boot's extlinux.conf on a disk",
              ["-machine", "virt,gic-version=3", "-cpu", "cortex-a53"], way_uboot_extlinux,
              firmware="u-boot-qemu/usr/lib/u-boot/qemu_arm64/u-boot.bin", firmware_option="-bios",
              says=("U-Boot 20",)),
        Board("loongarch64-edk2", "loongarch64", "virt, EDK2 with a device tree",
              ["-machine", "virt,acpi=off", "-cpu", "la464"], way_edk2_direct,
              firmware=[f"qemu-efi-loongarch64/usr/share/qemu-efi-loongarch64/QEMU_{kind}.fd" for kind in ("EFI", "VARS")]),
        Board("loongarch64-virt", "loongarch64", "virt, QEMU's own loader", ["-machine", "virt", "-cpu", "la464"]),
        Board("virt-gicv2", "aarch64", "virt, GIC version 2, Cortex-A53",
              ["-machine", "virt,gic-version=2", "-cpu", "cortex-a53"], max_cpus=8),
        Board("virt-gicv3", "aarch64", "virt, GIC version 3 with ITS",
              ["-machine", "virt,gic-version=3,its=on", "-cpu", "max"]),
        Board("virt-el2", "aarch64", "virt, entered at EL2, Cortex-A72",
              ["-machine", "virt,gic-version=3,virtualization=on", "-cpu", "cortex-a72"]),
        Board("raspi3b", "aarch64", "Raspberry Pi 3B, mini-UART", ["-machine", "raspi3b"], cpus=4, memory=GIB,
              dtb="dtbs-aarch64/broadcom/bcm2837-rpi-3-b.dtb", serial=("-serial", "null", "-serial", "chardev:console"), sd=True,
              says=("raspberrypi: the firmware runs the core clock at [1-9]",)),
        Board("raspi4b", "aarch64", "Raspberry Pi 4B, PL011", ["-machine", "raspi4b"], cpus=4, memory=2 * GIB,
              dtb="dtbs-aarch64/broadcom/bcm2711-rpi-4-b.dtb", cmdline="console=ttyAMA0", sd=True,
              says=("raspberrypi: the firmware runs the EMMC2? clock at [1-9]",)),
        Board("virt-sv39", "riscv64", "virt, Sv39 only, without Svpbmt and Zicbom", virt + ["rv64,sv48=off,sv57=off,svpbmt=off,zicbom=off"]),
        Board("virt-sv48", "riscv64", "virt, Sv48", virt + ["rv64,sv48=on,sv57=off"]),
        Board("virt-sv57", "riscv64", "virt, Sv57, Svpbmt, Zicbom", virt + ["rv64,sv57=on,svpbmt=on,zicbom=on"]),
        Board("virt-nosstc", "riscv64", "virt, timer through the firmware", virt + ["rv64,sstc=off"]),
        Board("virt-aplic", "riscv64", "virt, AIA: APLIC", ["-machine", "virt,aia=aplic", "-cpu", "rv64"]),
        Board("virt-imsic", "riscv64", "virt, AIA: APLIC and IMSIC",
              ["-machine", "virt,aia=aplic-imsic", "-cpu", "rv64"]),
        Board("virt-uboot", "riscv64", "virt, U-Boot's extlinux.conf on a disk", ["-machine", "virt"],
              way_uboot_extlinux, firmware=uboot,
              says=by_uboot),
        Board("virt-uboot-booti", "riscv64", "virt, U-Boot's booti", ["-machine", "virt"], way_uboot_booti, firmware=uboot,
              says=by_uboot),
        Board("virt-uboot-fit", "riscv64", "virt, U-Boot's bootm of a FIT image with hashes", ["-machine", "virt"],
              way_uboot_fit, firmware=uboot,
              says=(*by_uboot, r"sha256\+ OK", r"sha256\+ OK")),
        Board("virt-uboot-efi", "riscv64", "virt, U-Boot's bootefi", ["-machine", "virt"], way_uboot_efi, firmware=uboot,
              says=by_uboot),
        Board("virt-edk2", "riscv64", "virt, EDK2 with a device tree", ["-machine", "virt,acpi=off"], way_edk2_direct,
              firmware=edk2),
        Board("sifive_u", "riscv64", "HiFive Unleashed, OpenSBI, U-Boot, boot.scr and booti by TFTP",
              ["-machine", "sifive_u"], way_uboot_tftp_script, extra_cpus=1, max_cpus=4, least_memory=8 * GIB,
              can_off=False, sd=True, firmware=unleashed,
              says=(*by_uboot, "TFTP from server", "Filename 'Image'")),
        Board("sifive_u-pxe", "riscv64", "HiFive Unleashed, OpenSBI, U-Boot, PXE",
              ["-machine", "sifive_u"], way_uboot_pxe, extra_cpus=1, max_cpus=4, least_memory=8 * GIB,
              can_off=False, sd=True, firmware=unleashed,
              says=(*by_uboot, "pxelinux.cfg")),
        Board("sifive_u-flash", "riscv64", "HiFive Unleashed, SPL, OpenSBI, U-Boot and the kernel from the flash chip",
              ["-machine", "sifive_u,msel=6"], way_uboot_flash, extra_cpus=1, max_cpus=4, least_memory=8 * GIB, can_off=False, sd=True,
              firmware=[unleashed.replace("u-boot.bin", name) for name in ("u-boot-spl.bin", "u-boot.itb")],
              says=("U-Boot SPL 20", "Trying to boot from SPI", "U-Boot 20")),
        Board("sifive_u-direct", "riscv64", "HiFive Unleashed, OpenSBI alone", ["-machine", "sifive_u"],
              extra_cpus=1, max_cpus=4, can_off=False, sd=True),
        Board("icicle-direct", "riscv64", "PolarFire SoC Icicle kit, OpenSBI alone", ["-machine", "microchip-icicle-kit"],
              extra_cpus=1, max_cpus=4, least_memory=3 * GIB, can_off=False, sd=True,
              dtb="dtbs-riscv64/microchip/mpfs-icicle-kit.dtb",
              serial=("-serial", "null", "-serial", "chardev:console")),
    ]


BOARDS = {board.name: board for board in board_list()}


def disks(board, files):
    """QEMU's arguments that give @board the raw images @files as disks: the first as its SD card where it has a slot."""
    args = []
    for i, path in enumerate(files):
        if not os.path.isfile(path):
            raise Missing(f"{path}: no such file")
        where = f"file={path.replace(',', ',,')},format=raw"
        if board.sd:
            args += ["-drive", f"if=sd,{where}"]
        else:
            args += ["-drive", f"if=none,id=disk{i},{where}", "-device", f"virtio-blk-{DISK_BUS[board.arch]},drive=disk{i}"]
    return args


def default_board(arch):
    """What `caelum run` uses without --machine."""
    return Board(arch, arch, "QEMU's virtual machine", DEFAULT[arch])
