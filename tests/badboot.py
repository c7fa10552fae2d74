# SPDX-License-Identifier: MIT
"""Boot on machines that are described badly: device trees with missing, contradictory and hostile nodes, odd memory, odd CPUs,
an initrd at an odd place, a UART that never drains. Each case either runs a program that counts the CPUs, or stops with one
clear line.

A case of the device-tree machines edits the tree that QEMU makes (dumpdtb, with dtc to text and back). Names on the command
line choose cases: `caelum test --only badboot dead-cpu`.
"""
import os
import re
import shutil
import socket
import subprocess
import tempfile

import boards
import caelum
import machine
import qmp
from mkcpio import Archive

BOOT_S = machine.PATIENCE_S
MEMORY = 256 << 20
EXIT = 7
SCRIPT = f"""echo cpus: $(nproc)
mount -t proc proc /proc
read name kib unit < /proc/meminfo
echo $name $kib
exit {EXIT}
"""
MACHINE = {"riscv64": "virt", "aarch64": "virt,gic-version=3"}
CPU = {"riscv64": "rv64", "aarch64": "cortex-a53"}
RAM = {"riscv64": 0x80000000, "aarch64": 0x40000000}
DEAD_UART = 0x47fff000
DEAD_UART_FULL = ("-device", f"loader,addr=0x{DEAD_UART + 0x18:x},data=0x20,data-len=4")
SERIAL = {"riscv64": "serial@10000000", "aarch64": "pl011@9000000"}
MOST_OF_4G = (4 << 30) - (100 << 20)
# 520 GiB whose pages are taken when they are touched.
NO_RESERVE = ("-object", "memory-backend-ram,id=ram,size=520G,reserve=off")
# A second MADT: the local APICs' address, flags, a local APIC with the number 77 that is said to be there.
MADT_DEAD_CPU = ("APIC", bytes.fromhex("0000e0fe 00000000 00 08 4d 4d 01000000"))
# One with CPU 1 again, an entry of length 0 after it, and no more.
MADT_HOSTILE = ("APIC", bytes.fromhex("0000e0fe 00000000 00 08 01 01 01000000 01 0c 00 00 00000000 00000000 02 0a 00 ff ffffffff ffff 09 00 ffff"))


class Tree:
    """A device tree as text, changed by rough but sufficient means."""

    def __init__(self, arch, smp, tmp):
        self.arch = arch
        self.smp = smp
        self.path = os.path.join(tmp, "tree.dtb")
        subprocess.run([f"qemu-system-{arch}", "-machine", f"{MACHINE[arch]},dumpdtb={self.path}", "-cpu", CPU[arch], "-smp",
                        str(smp), "-m", str(MEMORY >> 20), "-display", "none"], check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
        self.text = subprocess.run(["dtc", "-q", "-I", "dtb", "-O", "dts", self.path], check=True,
                                   stdout=subprocess.PIPE).stdout.decode()

    def node(self, name):
        """Where the node begins and ends in the text."""
        m = re.search(r"^(\t+)" + re.escape(name) + r" \{.*?^\1\};\n", self.text, re.M | re.S)
        if not m:
            raise caelum.Failure(f"QEMU's device tree has no node {name}")
        return m

    def delete(self, name):
        m = self.node(name)
        self.text = self.text[:m.start()] + self.text[m.end():]

    def set(self, name, prop, value):
        """Set or replace a property of a node; @value as it stands in a source file."""
        m = self.node(name)
        body = re.sub(rf"^\t+{re.escape(prop)} = .*;\n", "", m.group(0), count=1, flags=re.M)
        head, rest = body.split("{\n", 1)
        self.text = self.text[:m.start()] + head + "{\n" + f"{prop} = {value};\n" + rest + self.text[m.end():]

    def add(self, parent, text):
        """A node into another's end; "/" is the root."""
        if parent == "/":
            at = self.text.rindex("};")
        else:
            m = self.node(parent)
            at = m.start() + m.group(0).rindex("};")
        self.text = self.text[:at] + text + "\n" + self.text[at:]

    def copy(self, name, new):
        """The same node again under another name."""
        m = self.node(name)
        text = re.sub(r"^\t+phandle = .*;\n", "", m.group(0).replace(name, new), flags=re.M)
        self.text = self.text[:m.end()] + text + self.text[m.end():]

    def write(self):
        # Two of dtc's checks count interrupt cells one by one, up to four thousand million of them.
        cmd = ["dtc", "-f", "-q", "-Wno-interrupts_property", "-Wno-interrupts_extended_property", "-I", "dts", "-O", "dtb"]
        done = subprocess.run([*cmd, "-o", self.path], input=self.text.encode(), stderr=subprocess.PIPE, check=False, timeout=BOOT_S)
        if done.returncode:
            raise caelum.Failure("dtc refuses the test's tree: " + done.stderr.decode())
        return self.path


class Case:
    """@edit(tree): the change, or None. @cpus: how many the program must see, or a range. @stops: a pattern of the line that boot must stop
    with instead; @says: of a line that it must write and go on. @mute: no output can come: it must switch itself off. @deaf: the other side
    of the UART's line takes a few bytes and then none, likewise. @acpi: a table's signature and contents, besides those of the machine.
    @least_ram: bytes that the program must see. @sparse: most of the memory is never touched."""

    def __init__(self, name, edit=None, cpus=4, stops=None, says=None, mute=False, smp=4, arches=("riscv64", "aarch64"), **more):
        self.name = name
        self.edit = edit
        self.cpus = (cpus,) if isinstance(cpus, int) else cpus
        self.stops = stops
        self.says = says
        self.mute = mute
        self.smp = smp
        self.arches = arches
        self.memory = more.pop("memory", MEMORY)
        self.qemu = more.pop("qemu", None)
        self.initrd_at = more.pop("initrd_at", None)
        self.extra = more.pop("extra", ())
        self.serial = more.pop("serial", None)
        self.cmdline = more.pop("cmdline", "")
        self.acpi = more.pop("acpi", None)
        self.least_ram = more.pop("least_ram", 0)
        self.sparse = more.pop("sparse", False)
        self.deaf = more.pop("deaf", False)
        assert not more, more


def cells(value):
    return f"0x{value >> 32:x} 0x{value & 0xffffffff:x}"


def memory_reg(*ranges):
    return "<" + " ".join(f"{cells(base)} {cells(size)}" for base, size in ranges) + ">"


def memory_node(tree):
    return f"memory@{RAM[tree.arch]:x}"


def few_holes(tree):
    """Pieces of RAM out of order, overlapping, empty, and one that wraps around."""
    base, piece = RAM[tree.arch], MEMORY // 8
    tree.set(memory_node(tree), "reg", memory_reg(
        (base + 6 * piece, 2 * piece), (base, 2 * piece), (base + piece, 2 * piece), (base + 4 * piece, 0),
        (base + 4 * piece, piece + 0x123), (0xfffffffffffff000, 0x2000)))


def many_holes(tree):
    """More pieces than the kernel has room for; the tree lies where they are."""
    base, whole = RAM[tree.arch], MEMORY * 3 // 4
    tree.set(memory_node(tree), "reg", memory_reg((base, whole), *(
        (base + whole + i * 0xa0000, 0x50000) for i in range(100))))


def far_ram(tree):
    """RAM at 512 GiB and above that the address space has no room for."""
    tree.add("/", "memory@far { device_type = \"memory\"; reg = " + memory_reg((1 << 52, 1 << 30), (1 << 60, 1 << 62)) + "; };")


def reserved_memory(tree, nodes):
    """Nodes into /reserved-memory, which is made if there is none."""
    if "reserved-memory {" not in tree.text:
        tree.add("/", "\treserved-memory {\n#address-cells = <2>; #size-cells = <2>; ranges;\n\t};")
    tree.add("reserved-memory", nodes)


def reserved(tree):
    """Reserved ranges over everything that the loader placed, one twice, one without address, one not to be mapped."""
    base = RAM[tree.arch]
    reserved_memory(tree, "".join(
        f"t{i} {{ reg = <{cells(base + at)} {cells(size)}>; {flag} }};\n" for i, (at, size, flag) in enumerate((
            (0, 0x4000000, ""), (0, 0x4000000, ""), (MEMORY - 0x4000000, 0x4000000, "no-map;"),
            (0x5000123, 0x333, "no-map;"), (0x200000, 0x100000, "no-map;")))) + "t9 { size = <0 0x1000>; };\n")


def many_reserved(tree):
    """Hundreds of reserved pages with holes between, of both kinds."""
    base = RAM[tree.arch] + MEMORY // 2
    reserved_memory(tree, "".join(
        f"m{i} {{ reg = <{cells(base + i * 0x11000)} 0x0 0x1000>; {'no-map;' if i % 3 == 0 else ''} }};\n" for i in range(400)))


def hostile(tree):
    """Properties of wrong sizes, loops of phandles, deep nodes, a thousand nodes."""
    tree.add("/", "a: loop { compatible = \"ns16550a\", \"arm,pl011\"; reg = <1>; interrupt-parent = <&a>; #interrupt-cells = "
                  "<0xffffffff>; interrupts-extended = <&a>; ranges = <1 2 3>; };")
    tree.add("/", "empty { compatible = \"simple-bus\"; #address-cells = <9>; #size-cells = <0>; ranges; u@0 { compatible = "
                  "\"ns16550a\", \"syscon-poweroff\", \"sifive,plic-1.0.0\", \"arm,gic-v3\", \"arm,pl031\"; reg; }; };")
    tree.add("/", "".join(f"d{i} {{ " for i in range(60)) + "};" * 60)
    tree.add("/", "".join(f"n{i} {{ phandle-x = <{i}>; }};\n" for i in range(1200)))


def cpu_gap(tree):
    """A CPU that is listed and must be left alone: there is none with its number."""
    tree.set("cpu@1", "status", '"fail"')


def many_gaps(tree):
    """Every fifth CPU must be left alone."""
    for i in range(4, tree.smp, 5):
        tree.set(f"cpu@{i}", "status", '"fail"')


def twice(tree):
    tree.copy("cpu@1", "cpu@5")


def dead_cpu(tree):
    """A CPU that is not there: the firmware does not know it."""
    tree.copy("cpu@1", "cpu@6")
    tree.set("cpu@6", "reg", "<6>")


def never_drains(tree):
    """The UART's registers are a page of RAM (DEAD_UART), whose flag register says that the FIFO is full for ever. Not on riscv64, whose
    firmware would wait for it."""
    tree.set(SERIAL[tree.arch], "reg", f"<{cells(DEAD_UART)} {cells(0x1000)}>")
    reserved_memory(tree, f"uart {{ reg = <{cells(DEAD_UART)} {cells(0x1000)}>; no-map; }};\n")


def hostile_regs(tree):
    """Devices whose registers are none, too few, the kernel's own memory, all memory, beyond all addresses, around their end, in a bus that leads nowhere,
    in one whose addresses have no cells. What a driver stored there would be the end."""
    base = RAM[tree.arch]
    places = ("", "reg;", "reg = <0>;", f"reg = <{cells(base + 0x200000)} {cells(0x1000)}>;", f"reg = <{cells(base - 0x1000)} {cells(0x1001)}>;",
              f"reg = <{cells(0)} {cells((1 << 64) - 1)}>;", f"reg = <{cells(1 << 60)} {cells(0x1000)}>;",
              f"reg = <{cells((1 << 64) - 0x1000)} {cells(0x2000)}>;", f"reg = <{cells(0x7000000)} {cells(0)}>;",
              f"reg = <{cells(0x7000000)} {cells(3)}>;")
    devices = ("ns16550a", "snps,dw-apb-uart", "arm,pl011", "sifive,uart0", "virtio,mmio", "google,goldfish-rtc", "arm,pl031", "snps,dw-wdt",
               "starfive,jh7110-wdt", "generic-sdhci", "snps,dw-mshc", "pci-host-ecam-generic")
    nodes = "".join(f"d{i} {{ compatible = \"{device}\"; {place} }};\n" for device in devices for i, place in enumerate(places))
    # All of them are more than the kernel has room for, each of them is tried.
    for i, device in enumerate(devices):
        tree.add("/", "".join(f"bad{i}-{n} {{ compatible = \"{device}\"; {place} }};\n" for n, place in enumerate(places) if (i + n) % 2))
    tree.add("/", f"nowhere {{ #address-cells = <2>; #size-cells = <2>; {nodes[:nodes.index(chr(10))]} }};")
    tree.add("/", f"no-cells {{ ranges; u@0 {{ compatible = \"ns16550a\"; reg = <{cells(base)} {cells(0x1000)}>; }}; }};")
    tree.add("/", f"zero-cells {{ #address-cells = <0>; #size-cells = <0>; ranges; u@0 {{ compatible = \"ns16550a\"; reg = <0>; }}; }};")


def initrd_place(tree, start, end):
    tree.set("chosen", "linux,initrd-start", f"<{cells(start)}>")
    tree.set("chosen", "linux,initrd-end", f"<{cells(end)}>")


CASES = [
    Case("one-cpu", smp=1, cpus=1),
    Case("cpu-gaps", cpu_gap, cpus=3),
    Case("no-cpus", lambda t: t.delete("cpus"), cpus=1, arches=("aarch64",)),
    Case("cpu-twice", twice),
    Case("dead-cpu", dead_cpu, says="cpu [1-4]: (the firmware would not start it|started but did not report)"),
    Case("memory-pieces", few_holes, arches=("riscv64",)),
    Case("memory-crumbs", many_holes, says="boot: too many memory ranges", arches=("riscv64",)),
    Case("memory-far", far_ram, says="boot: RAM beyond the kernel's address space is not used",
         arches=("riscv64",)),
    Case("no-memory", lambda t: t.delete(memory_node(t)), stops="panic: .*no RAM", arches=("riscv64",)),
    Case("reserved", reserved),
    Case("reserved-many", many_reserved, says="boot: too many (reserved ranges|holes in memory): RAM between some is not used"),
    Case("hostile-nodes", hostile),
    Case("hostile-registers", hostile_regs, says="probe failed: -14"),
    Case("initrd-odd", initrd_at=lambda arch: RAM[arch] + 0x6001235),
    Case("initrd-nowhere", lambda t: initrd_place(t, 0x7000000000, 0x7000001000), initrd_at=lambda arch: None,
         says="boot: the initrd does not lie in RAM", stops="panic: "),
    Case("initrd-backwards", lambda t: initrd_place(t, RAM[t.arch] + 0x6000000, RAM[t.arch] + 0x5000000),
         initrd_at=lambda arch: None, stops="panic: "),
    Case("no-chosen-console", lambda t: t.set("chosen", "stdout-path", '"/nothing/here"')),
    Case("uart-never-drains", never_drains, mute=True, extra=DEAD_UART_FULL, arches=("aarch64",)),
    Case("no-interrupt-controller", lambda t: t.delete("intc@8000000"), stops="panic: .*no interrupt controller",
         arches=("aarch64",)),
    Case("64-cpus", smp=64, cpus=64, qemu=("-machine", "virt,gic-version=3", "-cpu", "max"), arches=("aarch64",)),
    Case("64-cpus-gaps", many_gaps, smp=64, cpus=52, arches=("aarch64",)),
    # OpenSBI 1.5 has not the memory to start the last three and five (docs/boards.md).
    Case("64-cpus-gaps", many_gaps, smp=64, cpus=range(49, 53), arches=("riscv64",)),
    Case("64-cpus", smp=64, cpus=range(59, 65), qemu=("-machine", "virt", "-cpu", "rv64"), arches=("riscv64",)),
    Case("ram-above-4g", memory=6 << 30, qemu=("-machine", "virt,gic-version=3", "-cpu", "max"), arches=("aarch64",)),
    Case("32-cpus", smp=32, cpus=32, qemu=("-machine", "q35", "-cpu", "max"), arches=("x86_64",)),
    Case("32-cpus-xapic", smp=32, cpus=32, qemu=("-machine", "microvm", "-cpu", "qemu64"), arches=("x86_64",)),
    # Another CPU, whose APIC's identifier has more than 8 bits: of two sockets with room for 129 cores each.
    Case("apic-ids", smp=1, cpus=2,
         qemu=("-machine", "q35", "-cpu", "max", "-smp", "1,sockets=2,cores=129,maxcpus=258", "-device",
               "max-x86_64-cpu,socket-id=1,core-id=0,thread-id=0"), arches=("x86_64",)),
    Case("apic-ids-32-cpus", smp=1, cpus=32,
         qemu=("-machine", "q35", "-cpu", "max", "-smp", "1,sockets=2,cores=129,maxcpus=258", *(
             arg for core in range(31) for arg in ("-device", f"max-x86_64-cpu,socket-id=1,core-id={core},thread-id=0"))),
         arches=("x86_64",)),
    Case("dead-cpu", says="cpu [1-4]: .*(started but did not report|would not start)", cpus=4, acpi=MADT_DEAD_CPU,
         qemu=("-machine", "q35", "-cpu", "max"), arches=("x86_64",)),
    Case("hostile-madt", acpi=MADT_HOSTILE, qemu=("-machine", "q35", "-cpu", "max"), arches=("x86_64",)),
    Case("hpet", qemu=("-machine", "q35,hpet=on", "-cpu", "qemu64"), says="x86: TSC [1-9][0-9]{5,} kHz, by the HPET",
         cmdline="debug", arches=("x86_64",)),
    Case("pm-timer", qemu=("-machine", "q35,hpet=off", "-cpu", "qemu64"), says="x86: TSC [1-9][0-9]{5,} kHz, by the ACPI timer",
         cmdline="debug", arches=("x86_64",)),
    Case("no-acpi", smp=1, cpus=1, says="x86: TSC [1-9][0-9]{5,} kHz, by the PIT", cmdline="debug",
         qemu=("-machine", "microvm,acpi=off", "-cpu", "qemu64"), arches=("x86_64",)),
    Case("ram-above-4g", memory=6 << 30, qemu=("-machine", "q35", "-cpu", "max"), arches=("x86_64",)),
    Case("ram-above-4g-small-pages", memory=6 << 30, qemu=("-machine", "pc", "-cpu", "qemu64,pdpe1gb=off"), arches=("x86_64",)),
    Case("no-uart", mute=True, qemu=("-machine", "q35", "-cpu", "max"), serial=(), arches=("x86_64",)),
    # The emulator puts what is above 2 or 3 GiB at 1 TiB when there is to be room for so much more; it is 2 MiB pages without pdpe1gb.
    Case("ram-at-1t", memory=4 << 30, least_ram=MOST_OF_4G, arches=("x86_64",),
         qemu=("-machine", "q35", "-cpu", "max,phys-bits=48", "-m", "slots=1,maxmem=1020G")),
    Case("ram-at-1t-small-pages", memory=4 << 30, least_ram=MOST_OF_4G, arches=("x86_64",),
         qemu=("-machine", "pc", "-cpu", "qemu64,pdpe1gb=off,phys-bits=48", "-m", "slots=1,maxmem=1020G")),
    Case("ram-above-512g", memory=520 << 30, least_ram=510 << 30, sparse=True, arches=("x86_64",),
         qemu=("-machine", "q35,memory-backend=ram", "-cpu", "max,phys-bits=48", *NO_RESERVE)),
    Case("ram-above-512g", memory=520 << 30, least_ram=510 << 30, sparse=True, arches=("aarch64",),
         qemu=("-machine", "virt,gic-version=3,memory-backend=ram", "-cpu", "max", *NO_RESERVE)),
    Case("ram-above-512g", memory=520 << 30, least_ram=510 << 30, sparse=True, arches=("loongarch64",),
         qemu=("-machine", "virt,memory-backend=ram", "-cpu", "la464", *NO_RESERVE)),
    Case("ram-above-512g", memory=520 << 30, least_ram=180 << 30, sparse=True, arches=("riscv64",),
         says="boot: RAM beyond the kernel's address space is not used",
         qemu=("-machine", "virt,memory-backend=ram", "-cpu", "rv64", *NO_RESERVE)),
    Case("ram-above-4g", memory=6 << 30, least_ram=5 << 30, qemu=("-machine", "virt", "-cpu", "rv64"), arches=("riscv64",)),
    Case("uart-never-drains", deaf=True, cmdline="debug", qemu=("-machine", "q35", "-cpu", "max"), arches=("x86_64",)),
    Case("uart-never-drains", deaf=True, cmdline="debug", qemu=("-machine", "virt", "-cpu", "la464"), memory=1 << 30,
         arches=("loongarch64",)),
    Case("one-cpu", smp=1, cpus=1, qemu=("-machine", "virt", "-cpu", "la464"), memory=1 << 30, arches=("loongarch64",)),
]


def write_initrd(path, arch):
    with open(path, "wb") as f:
        archive = Archive(f)
        caelum.add_busybox(archive, arch)
        for d in ("/proc", "/dev", "/sys", "/tmp"):
            archive.add_dir(d)
        archive.add_data("/script", SCRIPT.encode())
        archive.add_data(caelum.RECORD, caelum.run_record("/bin/sh", ["sh", "/script"], caelum.DEFAULT_ENV, "/"), 0o600)
        archive.finish()


def way_tree(case, tree):
    """Start the kernel with the edited tree; an initrd at an odd place is put there by the emulator's loader device."""
    def way(board, job):
        args = ["-kernel", os.path.join(job.build, board.kernel), "-append", job.cmdline]
        if not case.initrd_at:
            args += ["-initrd", job.initrd]
        elif case.initrd_at(case.arch):
            at = case.initrd_at(case.arch)
            initrd_place(tree, at, at + os.path.getsize(job.initrd))
            args += ["-device", f"loader,file={job.initrd},addr=0x{at:x},force-raw=on"]
        return boards.Start([*args, "-dtb", tree.write()])
    return way


def deaf_line(m):
    """Connect the first UART of @m to a line that takes some bytes and then none. Return: its two ends."""
    ours, theirs = socket.socketpair()
    theirs.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)
    m.fds = [*m.fds, theirs.fileno()]
    m.board.serial = ("-chardev", f"socket,id=deaf,fd={theirs.fileno()}", "-serial", "chardev:deaf")
    return ours, theirs


def boot(case, arch, kernel, tmp):
    """Return: (Result, all that the guest wrote, why QEMU ended)."""
    initrd = os.path.join(tmp, "initrd")
    write_initrd(initrd, arch)
    qemu, way, case.arch = case.qemu, boards.way_direct, arch
    if case.acpi:
        qemu = [*qemu, "-acpitable", f"sig={case.acpi[0]},data={boards.write(os.path.join(tmp, 'table'), case.acpi[1])}"]
    if not qemu:
        tree = Tree(arch, case.smp, tmp)
        if case.edit:
            case.edit(tree)
        qemu, way = ["-machine", MACHINE[arch], "-cpu", CPU[arch]], way_tree(case, tree)
    board = boards.Board(case.name, arch, "", list(qemu), way)
    if case.serial is not None:
        board.serial = case.serial
    output = bytearray()
    m = machine.Machine(arch, kernel, initrd, f"caelum.frame=1 caelum.stdio=nss caelum.run={caelum.RECORD} {case.cmdline}",
                        case.memory, case.smp, qemu_args=case.extra, board=board)
    m.sparse = case.sparse
    ends = qmp.Ends(m)
    ours, theirs = deaf_line(m) if case.deaf else (None, None)
    result = m.run(lambda channel, data: output.extend(data), timeout=BOOT_S)
    for end in (ours, theirs):
        if end:
            end.close()
    return result, output.decode("utf-8", "replace").replace("\r", ""), ends.reason()


def verdict(case, result, text, reason):
    """What is wrong, or an empty string."""
    end = text[-800:]
    if case.mute or case.deaf:
        off = result.qemu_status == 0 and reason == qmp.SWITCHED_OFF
        return "" if off else f"QEMU ended with {result.qemu_status}, {reason!r}: {end!r}"
    if case.says and not re.search(case.says, text):
        return f"no line {case.says!r} in {end!r}"
    if case.stops:
        return "" if re.search(case.stops, text) else f"no line {case.stops!r} in {end!r}"
    if result.timed_out or result.status != EXIT:
        return f"status {result.status}{' (hung)' if result.timed_out else ''}: {end!r} {result.qemu_errors}"
    ram = re.search(r"^MemTotal: (\d+)$", text, re.M)
    if not ram or int(ram.group(1)) << 10 < case.least_ram:
        return f"not {case.least_ram >> 20} MiB: {end!r}"
    cpus = re.search(r"^cpus: (\d+)$", text, re.M)
    return "" if cpus and int(cpus.group(1)) in case.cpus else f"not {case.cpus} CPUs: {end!r}"


def run_one(tally, case, arch, verbose):
    try:
        kernel = caelum.build(arch, [], verbose)
        with tempfile.TemporaryDirectory(prefix="caelum-") as tmp:
            ran = boot(case, arch, kernel, tmp)
    except (caelum.Failure, OSError, subprocess.SubprocessError) as e:
        tally.result(f"badboot-{case.name}", "fail", str(e), arch, case.smp)
        return
    wrong = verdict(case, *ran)
    tally.result(f"badboot-{case.name}", "fail" if wrong else "pass", wrong, arch, case.smp)


def run(tally, args):
    before = tally.passed, tally.failed, tally.skipped
    for case in CASES:
        for arch in case.arches:
            if args.names and case.name not in args.names or args.arch and arch not in args.arch:
                continue
            if not case.qemu and not shutil.which("dtc"):
                tally.result(f"badboot-{case.name}", "skip", "dtc is not here (package device-tree-compiler)", arch, case.smp)
            else:
                run_one(tally, case, arch, args.verbose)
    print("bad boot: {} passed, {} failed, {} skipped".format(
        tally.passed - before[0], tally.failed - before[1], tally.skipped - before[2]), flush=True)
