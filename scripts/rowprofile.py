# SPDX-License-Identifier: MIT
"""caelum bench --profile ROW[,ROW]: where a row's instructions go, exactly.

A plugin for QEMU (scripts/qemucount.c) counts how often each translated block runs from the first instruction of the row's function
in the benchmark until it is called again, or reports its result. As when it is measured, the shortest but the warm-up counts. With one CPU a block is one instruction, and the clock
counts instructions as it does when the row is measured. The counts are shown by the kernel's functions, or by parts of the path
(scripts/fastpaths.py); all are per round, and what the user program itself executes is one line.

A row of several CPUs (par-) runs as fast as it can on as many threads, so that CPUs meet as they do when it is timed; two runs
differ, then. How often functions are called is counted, too.

Where Linux cannot be counted, what counts is the time that the emulation takes: for such an architecture the kernel's instructions
that cost many times an ordinary one are listed, too, and in which functions they are.
"""
import bisect
import collections
import os
import re
import subprocess
import tempfile

import bench
import caelum
import machine

# Those that QEMU leaves the translated code for. docs/loongarch64.md has the prices.
DEAR = {"loongarch64": r"csrwr|csrxchg|rdtime|ertn|invtlb|tlb|ll|sc|am|lddir|ldpte|dbar|ibar|iocsr|jr|jirl|ret"}
SEVERAL_ROUNDS = 40000
MOST_FUNCTIONS = 45
# Calls of these tell how CPUs get into each other's way.
EVENTS = ("hal_ipi_send", "hal_cpu_idle", "schedule", "task_wake", "select_cpu", "move_one", "mutex_lock_slow", "mutex_unlock_slow",
          "rwsem_slow", "rwsem_wake", "magazine_refill", "magazine_drain", "tlb_wait_for", "hal_tlb_flush")
USER = -1                           # stands for all addresses of user code
BOOT = "boot"                       # no row of the benchmark's: from the machine's reset to its main()
RESET = 1                           # the plugin's entry for it


class Row:
    """A row's function in the benchmark's source, and how many rounds a measurement has."""

    def __init__(self, name):
        self.name, self.function, self.rounds = name, None, 1
        if name == BOOT:
            return
        for directory, _, files in os.walk(os.path.join(caelum.ROOT, "tests/bench")):
            for file in files:
                with open(os.path.join(directory, file), encoding="utf-8") as f:
                    m = re.search(r'ROW\("%s",\s*(\w+),\s*(\d+)' % re.escape(name), f.read())
                if m and m.group(1) != "NULL":
                    self.function, self.rounds = m.group(1), int(m.group(2))
                    return
        raise caelum.Failure(f"no row {name} that has a function")


class Kernel:
    """The functions of the kernel, and the files they are from."""

    def __init__(self, b):
        self.arch, self.elf = b.arch, os.path.join(b.kernel, "caelum.elf")
        self.addresses, self.names = symbols(self.elf)
        self.sections, self.files = [], []      # the code, in the order of its addresses, and where it is from
        with open(os.path.join(b.kernel, "caelum.map"), encoding="utf-8") as f:
            for line in f:
                m = re.match(r" *([0-9a-f]+) .* build/\w+/(\S+?)(?:\.a\((\S+))?\.o\)?:\(\.\S*text", line)
                if m:
                    self.sections.append(int(m.group(1), 16))
                    self.files.append("/".join(filter(None, m.groups()[1:])))

    def function(self, pc):
        """The index of the function that @pc is in."""
        return USER if pc == USER else bisect.bisect_right(self.addresses, pc) - 1

    def name(self, index):
        return "(user)" if index == USER else self.names[index]

    def file(self, index):
        """The path of a function's source, without its ending."""
        return "" if index == USER else self.files[bisect.bisect_right(self.sections, self.addresses[index]) - 1]


class Profile:
    """What a row executed: {address, or USER: instructions}, {address: how often what begins there ran}."""

    def __init__(self, kernel, row, rounds, counts, calls):
        self.kernel, self.row, self.rounds, self.counts, self.calls = kernel, row.name, rounds, counts, calls

    def functions(self):
        """{index of a function: instructions}."""
        found = collections.Counter()
        for pc, n in self.counts.items():
            found[self.kernel.function(pc)] += n
        return found


def symbols(path):
    """The functions of an ELF file: sorted addresses, and their names."""
    text = subprocess.run(["llvm-nm-19", "-n", path], capture_output=True, text=True, check=True).stdout
    found = [line.split(" ", 2) for line in text.split("\n") if re.match(r"[0-9a-f]+ [tTwW] [^$.]", line)]
    return [int(f[0], 16) for f in found], [f[2] for f in found]


def several_cpus(name):
    return bool(bench.select([name], bench.SEVERAL_CPUS))


def build_plugin():
    plugin, source = (os.path.join(caelum.ROOT, p) for p in ("build/qemucount.so", "scripts/qemucount.c"))
    if not os.path.exists(plugin) or os.path.getmtime(plugin) < os.path.getmtime(source):
        subprocess.run(["clang-19", "-O2", "-Wall", "-Wextra", "-shared", "-fPIC", "-o", plugin, source], check=True)
    return plugin


def run_counted(b, rows, rounds, entries, end, kernel_start):
    """Boot once with these rows. Return: the lines of the plugin."""
    several = several_cpus(rows[0].name)
    with tempfile.TemporaryDirectory(prefix="caelum-") as tmp:
        initrd, out = os.path.join(tmp, "initrd"), os.path.join(tmp, "counts")
        words = ["null" if row.name == BOOT else row.name for row in rows]
        bench.write_initrd(initrd, b.arch, b.programs, [*(["-r", str(rounds)] if rounds else []), *words])
        entry = ":".join(f"{e:x}" for e in sorted(set(entries)))
        options = ["-plugin", f"{build_plugin()},entry={entry},end={end:x},kernel={kernel_start:x},out={out}"]
        if not several:
            options += [*bench.ICOUNT, "-accel", "tcg,one-insn-per-tb=on"]
        m = machine.Machine(b.arch, b.kernel, initrd, f"caelum.frame=1 caelum.stdio=nss caelum.run={caelum.RECORD} quiet",
                            bench.MEMORY, bench.CPUS if several else 1, options)
        m.run(lambda channel, data: None, timeout=b.timeout)
        if not os.path.exists(out):
            raise caelum.Failure("no row came to its end")
        with open(out, encoding="ascii") as f:
            return f.read().split("\n")


def parse(lines):
    """For each `end`: the entry's address, and the runs before it as (counts, calls)."""
    runs, entry = [], None
    for line in lines:
        words = line.split()
        if line == "end":
            yield entry, runs
            runs = []
        elif line.startswith("entry"):
            entry = int(words[1], 16)
            runs.append((collections.Counter(), collections.Counter()))
        elif words:
            pc, length, times = int(words[0], 16) or USER, int(words[1]), int(words[2])
            runs[-1][0][pc] += length * times
            runs[-1][1][pc] += times


def count(b, rows, rounds=None):
    """
    Profiles of @rows (of Row: all of one CPU, or all of several, or only BOOT), in their order. @rounds: None is as many as when
    they are measured. Of a boot the kernel's share is counted, not the firmware's.
    """
    kernel = Kernel(b)
    addresses, names = symbols(os.path.join(b.programs, "bench"))
    boot = rows[0].name == BOOT
    entries = [RESET if boot else addresses[names.index(row.function)] for row in rows]
    end = addresses[names.index("main" if boot else "dprintf")]
    found = list(parse(run_counted(b, rows, rounds, entries, end, kernel.sections[0])))
    if [entry for entry, _ in found] != entries:
        raise caelum.Failure(f"{b.arch}: only {len(found)} of {len(rows)} rows came to their end")
    if boot:
        del found[0][1][0][0][USER]
    return [Profile(kernel, row, rounds or row.rounds, *min(runs[0 if boot else 1:], key=lambda run: run[0].total()))
            for row, (_, runs) in zip(rows, found)]


def print_dear(p, pattern):
    """The instructions that match @pattern, by mnemonic (and control register), with the functions that execute most of them."""
    text = subprocess.run(["llvm-objdump-19", "-d", "--no-show-raw-insn", p.kernel.elf], capture_output=True, text=True, check=True).stdout
    found = collections.defaultdict(collections.Counter)
    for m in re.finditer(r"^\s*([0-9a-f]+):\s+((?:%s)[\w.]*)(?:\s+(.*))?$" % pattern, text, re.M):
        pc, name = int(m.group(1), 16), m.group(2)
        if p.counts[pc]:
            if name.startswith("csr"):
                name += " " + m.group(3).rsplit(",", 1)[-1].strip()
            found[name][p.kernel.name(p.kernel.function(pc))] += p.counts[pc]
    print("  of them dear ones:")
    for name, where in sorted(found.items(), key=lambda f: -f[1].total()):
        print(f"  {where.total() / p.rounds:10.1f}  {name:14} {', '.join(f'{f} {n / p.rounds:.1f}' for f, n in where.most_common(6))}")


def print_profile(p):
    """The functions of the kernel that @p spends its instructions in, and how often they are called."""
    functions, kernel = p.functions(), p.kernel
    print(f"{kernel.arch} {p.row}: instructions and calls a round, {p.rounds} rounds")
    for index, n in functions.most_common(MOST_FUNCTIONS):
        called = f"{p.calls[kernel.addresses[index]] / p.rounds:10.3f}" if index >= 0 else " " * 10
        print(f"  {n / p.rounds:10.1f}{called}  {kernel.name(index):32} {kernel.file(index)}")
    print(f"  {sum(functions.values()) / p.rounds:10.1f}{' ' * 10}  in all")
    if several_cpus(p.row):
        found = [(name, p.calls[address]) for address, name in zip(kernel.addresses, kernel.names) if name in EVENTS and p.calls[address]]
        print("  calls: " + ", ".join(f"{name} {n / p.rounds:.4f}" for name, n in found))
    elif kernel.arch in DEAR:
        print_dear(p, DEAR[kernel.arch])


def profile(b, names, rounds):
    """Print the profile of each of these rows."""
    for name in names:
        several = several_cpus(name)
        print_profile(count(b, [Row(name)], rounds or (SEVERAL_ROUNDS if several else None))[0])
