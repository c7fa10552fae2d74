# SPDX-License-Identifier: MIT
"""caelum bench --profile ROW: where a row's instructions go, exactly.

QEMU runs the row one instruction at a time and names each (-d exec with -one-insn-per-tb); those between the first
instruction of the row's function in the benchmark and the report of its result are counted by the kernel's functions. A count
is per round, and what the user program itself executes is one line.

A row of several CPUs (par-) runs as fast as it can on as many threads, so that CPUs meet as they do when it is timed: a plugin
(scripts/qemucount.c) counts how often each translated block runs. Two runs differ, then. How often functions are called is counted, too.

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
ROUNDS, SEVERAL_ROUNDS = 200, 40000
MOST_FUNCTIONS = 45
# Calls of these tell how CPUs get into each other's way.
EVENTS = ("hal_ipi_send", "hal_cpu_idle", "schedule", "task_wake", "select_cpu", "move_one", "mutex_lock_slow", "mutex_unlock_slow",
          "rwsem_slow", "rwsem_wake", "magazine_refill", "magazine_drain", "tlb_wait_for", "hal_tlb_flush")
TRACE = re.compile(rb"\[[0-9a-f]*/([0-9a-f]+)/")


def symbols(path):
    """The functions of an ELF file: sorted addresses, and their names."""
    text = subprocess.run(["llvm-nm-19", "-n", path], capture_output=True, text=True, check=True).stdout
    found = [line.split(" ", 2) for line in text.split("\n") if re.match(r"[0-9a-f]+ [tTwW] [^$.]", line)]
    return [int(f[0], 16) for f in found], [f[2] for f in found]


def user_entry(program, row):
    """The addresses of the function that runs @row, and of the one that reports what it cost."""
    for directory, _, files in os.walk(os.path.join(caelum.ROOT, "tests/bench")):
        for name in files:
            with open(os.path.join(directory, name), encoding="utf-8") as f:
                m = re.search(r'ROW\("%s",\s*(\w+)' % re.escape(row), f.read())
            if m:
                addresses, names = symbols(program)
                return addresses[names.index(m.group(1))], addresses[names.index("dprintf")]
    raise caelum.Failure(f"no row {row} that has a function")


def count(stream, entry, end, kernel_start):
    """{address, or -1 for user code: how often it ran} from where @entry is first seen to @end."""
    counts = collections.Counter()
    on = done = False
    for line in stream:
        if done:
            continue
        m = TRACE.search(line)
        if not m:
            continue
        pc = int(m.group(1), 16)
        if not on:
            on = pc == entry
        done = on and pc == end
        if on:
            counts[pc if pc >= kernel_start else -1] += 1
    return counts


def run_traced(b, initrd, tmp, entry, end, kernel_start):
    """{address, or -1 for user code: how often it ran}, and no calls, on one CPU."""
    fifo = os.path.join(tmp, "trace")
    os.mkfifo(fifo)
    m = machine_for(b, initrd, 1, [*bench.ICOUNT, "-accel", "tcg,one-insn-per-tb=on", "-d", "exec,nochain", "-D", fifo])
    pid = os.fork()
    if pid == 0:
        os._exit(m.run(lambda channel, data: None, timeout=b.timeout).status or 0)
    with open(fifo, "rb") as f:
        counts = count(f, entry, end, kernel_start)
    os.waitpid(pid, 0)
    return counts


def run_counted(b, initrd, tmp, entry, end, kernel_start):
    """The same on several CPUs. An address is a block's first."""
    plugin, out = os.path.join(caelum.ROOT, "build/qemucount.so"), os.path.join(tmp, "counts")
    source = os.path.join(caelum.ROOT, "scripts/qemucount.c")
    if not os.path.exists(plugin) or os.path.getmtime(plugin) < os.path.getmtime(source):
        subprocess.run(["clang-19", "-O2", "-Wall", "-Wextra", "-shared", "-fPIC", "-o", plugin, source], check=True)
    m = machine_for(b, initrd, bench.CPUS, ["-plugin", f"{plugin},entry={entry:x},end={end:x},kernel={kernel_start:x},out={out}"])
    m.run(lambda channel, data: None, timeout=b.timeout)
    counts, calls = collections.Counter(), collections.Counter()
    if not os.path.exists(out):
        raise caelum.Failure("the row did not come to its end")
    with open(out, encoding="ascii") as f:
        for line in f:
            address, length, times = line.split()
            counts[int(address, 16) or -1] += int(length) * int(times)
            calls[int(address, 16)] += int(times)
    return counts, calls


def machine_for(b, initrd, smp, qemu_args):
    return machine.Machine(b.arch, b.kernel, initrd, f"caelum.frame=1 caelum.stdio=nss caelum.run={caelum.RECORD} quiet",
                           bench.MEMORY, smp, qemu_args)


def by_function(counts, addresses):
    """{index of a function, or -1 for user code: instructions}."""
    functions = collections.Counter()
    for pc, n in counts.items():
        functions[-1 if pc < 0 else bisect.bisect_right(addresses, pc) - 1] += n
    return functions


def print_dear(elf, pattern, counts, addresses, names, rounds):
    """The instructions that match @pattern, by mnemonic (and control register), with the functions that execute most of them."""
    text = subprocess.run(["llvm-objdump-19", "-d", "--no-show-raw-insn", elf], capture_output=True, text=True, check=True).stdout
    found = collections.defaultdict(collections.Counter)
    for m in re.finditer(r"^\s*([0-9a-f]+):\s+((?:%s)[\w.]*)(?:\s+(.*))?$" % pattern, text, re.M):
        pc, name = int(m.group(1), 16), m.group(2)
        if counts[pc]:
            if name.startswith("csr"):
                name += " " + m.group(3).rsplit(",", 1)[-1].strip()
            found[name][names[bisect.bisect_right(addresses, pc) - 1]] += counts[pc]
    print("  of them dear ones:")
    for name, where in sorted(found.items(), key=lambda f: -f[1].total()):
        print(f"  {where.total() / rounds:10.1f}  {name:14} {', '.join(f'{f} {n / rounds:.1f}' for f, n in where.most_common(6))}")


def profile(b, row, rounds):
    """Print the functions of the kernel that @row spends its instructions in."""
    elf = os.path.join(b.kernel, "caelum.elf")
    addresses, names = symbols(elf)
    entry, end = user_entry(os.path.join(b.programs, "bench"), row)
    several = bool(bench.select([row], bench.SEVERAL_CPUS))
    rounds = rounds or (SEVERAL_ROUNDS if several else ROUNDS)
    with tempfile.TemporaryDirectory(prefix="caelum-") as tmp:
        initrd = os.path.join(tmp, "initrd")
        bench.write_initrd(initrd, b.arch, b.programs, ["-r", str(rounds), row])
        where = (b, initrd, tmp, entry, end, addresses[0])
        counts, calls = run_counted(*where) if several else (run_traced(*where), None)
    functions = by_function(counts, addresses)
    print(f"{b.arch} {row}: instructions a round{', calls a round' if several else ''}, {rounds} rounds")
    for index, n in functions.most_common(MOST_FUNCTIONS):
        called = f"{calls[addresses[index]] / rounds:10.3f}" if several and index >= 0 else " " * 10 if several else ""
        print(f"  {n / rounds:10.1f}{called}  {'(user)' if index < 0 else names[index]}")
    print(f"  {sum(functions.values()) / rounds:10.1f}{' ' * 10 if several else ''}  in all")
    if several:
        found = [(name, calls[address]) for address, name in zip(addresses, names) if name in EVENTS and calls[address]]
        print("  calls: " + ", ".join(f"{name} {n / rounds:.4f}" for name, n in found))
    if b.arch in DEAR and not several:
        print_dear(elf, DEAR[b.arch], counts, addresses, names, rounds)
