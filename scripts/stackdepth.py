#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The deepest chains of calls in a kernel, in bytes of stack (docs/design.md, "Kernel stacks").

Usage: make ARCH=x86_64 O=build/depth CC="clang-19 -fsanitize=kcfi" all
       scripts/stackdepth.py build/depth/caelum.elf [FUNCTION...]

Frames are what a function pushes and takes from the stack pointer. Calls of pointers are resolved by the number of their type, which
-fsanitize=kcfi puts before each function and compares at each call: every function of that type counts, but for those that ALLOWED
rules out. A cycle counts once. What traps add (faults in user copies, interrupts, probes) is asked for by name: vm_handle_fault, hal_irq_dispatch,
upcall_timer, upcall_kernel_break.
"""
import re
import subprocess
import sys

ROOTS = ("user_task_loop", "vm_handle_fault", "hal_irq_dispatch", "upcall_timer", "upcall_kernel_break")
NO_RETURN = re.compile(r"^(panic.*|refcount_report|hal_reset|hal_power_off)$")

# Functions of the type `void (void *)` and the like are too many to be told apart by it: caller, and which it calls.
ALLOWED = (
    (r"file_put", r".*_release|.*release_file"),
    (r"fd_close|fd_dup_to|fdtable_put", r".*_flush"),
    (r"hal_irq_dispatch", r".*_irq|pci_message|.*_(eoi|mask|unmask)"),
    (r"kthread_entry|upcall_kernel_break|probe_event_free", r"event_(hit|ret|missed)"),
    (r"advise_remove|map_locked|vm_(fork|map|put|sync)|vma_(copy|free)|unmap_locked|vm_remap|move_mapping",
     r"exe_.*|file_map_.*|shared_owner_.*|vdso_owner|probes_.*|.*writable.*|.*_remove"),
    (r"page_alloc|mm_shrink", r"shrink_.*"),
    (r"activate_slow|input_byte|hal_wallclock", r"flush_nonglobal|stream_rx_eof|cmos_seconds"),
    (r"trace_record_write", r"clock_counter|hal_clock_ns|ktime_real_ns"),
)


def disassemble(path):
    text = subprocess.run(["llvm-objdump-19", "-d", "--no-show-raw-insn", path], check=True, capture_output=True,
                          text=True).stdout
    functions, name = {}, None
    for line in text.splitlines():
        head = re.match(r"^[0-9a-f]+ <(.+)>:$", line)
        if head:
            name = head[1]
            functions[name] = []
        elif name and "\t" in line:
            functions[name].append(line.split("\t", 1)[1].strip())
    return functions


def number(text):
    return int(text, 0) & 0xffffffff


def of_type(functions):
    """Type number -> functions of that type."""
    types = {}
    for name, body in functions.items():
        for insn in body if name.startswith("__cfi_") else ():
            m = re.match(r"movl\s+\$(-?\w+), %eax", insn)
            if m:
                types.setdefault(number(m[1]), []).append(name[6:])
    return types


def allowed(caller, callee):
    for callers, callees in ALLOWED:
        if re.fullmatch(callers, caller):
            return re.fullmatch(callees, callee)
    return True


def read(name, body, types):
    """(bytes of the frame and the return address, functions called)."""
    frame, room, wanted, calls = 8, 0, None, set()
    for insn in body:
        if insn.startswith("pushq"):
            frame += 8
        m = re.match(r"subq\s+\$(0x[0-9a-f]+), %rsp", insn)
        room = max(room, int(m[1], 16)) if m else room
        m = re.match(r"movl\s+\$(-?0x[0-9a-f]+), %r10d", insn)
        wanted = -number(m[1]) & 0xffffffff if m else wanted
        m = re.match(r"(callq|jmp)\s+0x[0-9a-f]+ <([^+>]+)>", insn)
        if m:
            calls.add(m[2])
        elif re.match(r"(callq|jmpq?)\s+\*", insn):
            calls.update(f for f in types.get(wanted, ()) if allowed(name, f))
    return frame + room, {c for c in calls if not NO_RETURN.match(c)}


def deepest(root, graph, memo, path):
    """(bytes, chain) below and with @root."""
    if root in memo:
        return memo[root]
    if root not in graph or root in path:
        return 0, ()
    frame, calls = graph[root]
    below = max((deepest(c, graph, memo, path | {root}) for c in sorted(calls)), default=(0, ()), key=lambda r: r[0])
    memo[root] = frame + below[0], ((root, frame),) + below[1]
    return memo[root]


def main():
    sys.setrecursionlimit(100000)
    functions = disassemble(sys.argv[1])
    types = of_type(functions)
    graph = {n: read(n, b, types) for n, b in functions.items() if not n.startswith("__cfi_")}
    memo = {}
    for root in sys.argv[2:] or ROOTS:
        size, chain = deepest(root, graph, memo, frozenset())
        print(f"{size:6} {root}: " + " > ".join(f"{n} {f}" for n, f in chain))


if __name__ == "__main__":
    main()
