#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Turn the table of system calls into C, and into the page that lists coverage.

    gensyscalls.py syscall/syscalls.tbl OUTDIR   writes OUTDIR/syscall_proto.h and OUTDIR/syscall_table.h
    gensyscalls.py syscall/syscalls.tbl --check  is docs/syscalls.md what the table says?
    gensyscalls.py syscall/syscalls.tbl --docs   write docs/syscalls.md

A line of the table:  name  nr_x86_64|-  nr_generic|-  restart  (type arg, type arg, ...)
nr_generic may be followed by @riscv64, @aarch64 or @loongarch64: a call that only that architecture has.
"""
import re
import sys

RESTART = {"never": "RESTART_NEVER", "sys": "RESTART_SYS", "nohand": "RESTART_NOHAND", "block": "RESTART_BLOCK"}
# How the strace-like log prints an argument of each type; the semantic aliases are plain types to C.
FORMAT = {"int": "i", "uint": "u", "long": "l", "ulong": "x", "size_t": "u", "ssize_t": "l", "loff_t": "l",
          "uaddr_t": "p", "pid_t": "i", "mode_t": "o", "path_t": "s", "fd_t": "i", "buf_t": "b", "uid_t": "i",
          "gid_t": "i", "clockid_t": "i", "dev_t": "x", "u32": "u", "s32": "i", "u64": "x", "s64": "l",
          "saddr_t": "a", "family_t": "f", "socktype_t": "t"}
# And what C type Linux's events show for it.
C_TYPE = {"int": "int", "uint": "unsigned int", "long": "long", "ulong": "unsigned long", "size_t": "size_t",
          "ssize_t": "ssize_t", "loff_t": "loff_t", "uaddr_t": "void *", "pid_t": "pid_t", "mode_t": "umode_t",
          "path_t": "const char *", "fd_t": "int", "buf_t": "char *", "uid_t": "uid_t", "gid_t": "gid_t",
          "clockid_t": "const clockid_t", "dev_t": "unsigned", "u32": "u32", "s32": "s32", "u64": "u64", "s64": "s64",
          "saddr_t": "struct sockaddr *", "family_t": "int", "socktype_t": "int"}
# Calls whose events Linux names otherwise than the call.
EVENT_NAME = {"stat": "newstat", "lstat": "newlstat", "fstat": "newfstat", "uname": "newuname", "umount2": "umount",
              "sendfile": "sendfile64"}
# Those whose path Linux calls pathname; of the others it is filename.
PATHNAME = ("mkdir", "mkdirat", "rmdir", "unlink", "unlinkat", "creat", "setxattr", "getxattr", "listxattr", "removexattr",
            "inotify_add_watch")
DOC = "docs/syscalls.md"
TABLE_SIZE = 512  # SYSCALL_TABLE_SIZE
MACRO = {"riscv64": "__riscv", "aarch64": "__aarch64__", "loongarch64": "__loongarch__"}


class Call:
    def __init__(self, where, text):
        m = re.fullmatch(r"(\w+)\s+(-|\d+)\s+(-|\d+)(?:@(\w+))?\s+(\w+)\s+\((.*)\)", text)
        if not m:
            sys.exit(f"{where}: not a system call: {text}")
        self.name, x86, generic, self.only, self.restart, args = m.groups()
        self.x86 = None if x86 == "-" else int(x86)
        self.generic = None if generic == "-" else int(generic)
        if self.restart not in RESTART:
            sys.exit(f"{where}: restart class {self.restart} is none of {', '.join(RESTART)}")
        if self.only and self.only not in MACRO:
            sys.exit(f"{where}: {self.only} is not an architecture")
        self.args = []
        for arg in filter(None, (a.strip() for a in args.split(","))):
            if arg == "void":
                continue
            type_, _, name = arg.rpartition(" ")
            if type_ not in FORMAT:
                sys.exit(f"{where}: unknown type {type_!r} of {arg!r}")
            self.args.append((type_, name))

    def prototype(self):
        return f"long sys_{self.name}({', '.join(f'{t} {n}' for t, n in self.args) or 'void'})"


def parse(path):
    calls, seen = [], {}
    for number, line in enumerate(open(path, encoding="ascii"), 1):
        line = line.split("#")[0].strip()
        if not line:
            continue
        call = Call(f"{path}:{number}", line)
        for key in (("name", call.name), ("x86_64", call.x86), ("generic", call.generic)):
            if key[1] is not None and key in seen:
                sys.exit(f"{path}:{number}: {key[0]} {key[1]} is also on line {seen[key]}")
            seen[key] = number
        calls.append(call)
    return calls


def event_arg(call, type_, name):
    """(C type, name) of an argument as Linux's events of the call have it."""
    c_type = C_TYPE[type_]
    if type_ == "fd_t" and not name.endswith("dfd"):
        c_type = "unsigned int"
    elif type_ == "buf_t" and re.search("write|send", call.name):
        c_type = "const char *"
    if type_ == "path_t" and name == "path":
        name = "pathname" if call.name in PATHNAME else "filename"
    return c_type, name


def write_proto(calls, out):
    out.write("/* Generated from syscall/syscalls.tbl by scripts/gensyscalls.py. */\n")
    for call in calls:
        out.write(call.prototype() + ";\n")


def write_numbering(calls, out, number):
    listed = sorted((number(c), c) for c in calls if number(c) is not None)
    types = sorted({event_arg(c, t, n)[0] for _, c in listed for t, n in c.args})
    for nr, call in listed:
        if call.only:
            out.write(f"#ifdef {MACRO[call.only]}\n")
        args = ", ".join(f"({t})uctx_arg(u, {i})" for i, (t, _) in enumerate(call.args))
        out.write(f"static long call_{call.name}(const struct uctx *u)\n{{\n")
        if not call.args:
            out.write("\t(void)u;\n")
        out.write(f"\treturn sys_{call.name}({args});\n}}\n")
        if call.only:
            out.write("#endif\n")
    out.write("static long call_none(const struct uctx *u)\n{\n\t(void)u;\n\treturn -ENOSYS;\n}\n")
    out.write(f"static_assert(SYSCALL_TABLE_SIZE == {TABLE_SIZE});\n")
    out.write("const struct syscall_desc syscall_table[SYSCALL_TABLE_SIZE] = {\n")
    by_number = dict(listed)
    if len(by_number) != len(listed):
        sys.exit("two system calls of one number")
    for nr in range(TABLE_SIZE):
        none = f"\t[{nr}] = {{ call_none, RESTART_NEVER, NULL, NULL }},\n"
        call = by_number.get(nr)
        if not call:
            out.write(none)
            continue
        fmt = "".join(FORMAT[t] for t, _ in call.args)
        entry = f'\t[{nr}] = {{ call_{call.name}, {RESTART[call.restart]}, "{fmt}", "{call.name}" }},\n'
        out.write(f"#ifdef {MACRO[call.only]}\n{entry}#else\n{none}#endif\n" if call.only else entry)
        if call.name == "restart_syscall":
            restart = nr
    out.write("};\n")
    out.write("const char *const syscall_info[SYSCALL_TABLE_SIZE] = {\n")
    for nr, call in listed:
        args = (event_arg(call, t, n) for t, n in call.args)
        text = "".join(f"{chr(65 + types.index(t))}{n}\\0" for t, n in args)
        entry = f'\t[{nr}] = "{EVENT_NAME.get(call.name, call.name)}\\0{text}",\n'
        out.write(f"#ifdef {MACRO[call.only]}\n{entry}#endif\n" if call.only else entry)
    out.write("};\n")
    out.write("const char *const syscall_types[] = {\n" + "".join(f'\t"{t}",\n' for t in types) + "};\n")
    out.write(f"#define NR_RESTART_SYSCALL {restart}\n")


def write_table(calls, out):
    out.write("/* Generated from syscall/syscalls.tbl by scripts/gensyscalls.py. */\n#ifdef __x86_64__\n")
    write_numbering(calls, out, lambda c: c.x86)
    out.write("#else\n")
    write_numbering(calls, out, lambda c: c.generic)
    out.write("#endif\n")


def document(calls):
    lines = ["# System calls", "",
             "Generated from `syscall/syscalls.tbl` by `scripts/gensyscalls.py --docs`. A call that is not in this list",
             "answers ENOSYS. What a listed call does not support it refuses; [abi-coverage.md](abi-coverage.md) says what.",
             "", "Restart: what happens when a signal interrupts the call. *sys*: restarted if the handler has SA_RESTART;",
             "*nohand*: only if no handler ran; *block*: continued with the remaining time if no handler ran; *never*: EINTR.",
             "", f"{len(calls)} calls.", "", "| call | x86_64 | riscv64, aarch64, loongarch64 | restart | arguments |",
             "|---|---|---|---|---|"]
    for c in sorted(calls, key=lambda c: c.name):
        nr = ["" if n is None else str(n) for n in (c.x86, c.generic)]
        nr[1] += f" ({c.only} only)" if c.only else ""
        lines.append(f"| {c.name} | {nr[0]} | {nr[1]} | {c.restart} | {', '.join(n for _, n in c.args)} |")
    return "\n".join(lines) + "\n"


def main():
    calls = parse(sys.argv[1])
    if sys.argv[2] == "--docs":
        open(DOC, "w", encoding="ascii").write(document(calls))
    elif sys.argv[2] == "--check":
        if open(DOC, encoding="ascii").read() != document(calls):
            sys.exit(f"{DOC} is out of date: run scripts/gensyscalls.py syscall/syscalls.tbl --docs")
    else:
        for name, write in (("syscall_proto.h", write_proto), ("syscall_table.h", write_table)):
            with open(f"{sys.argv[2]}/{name}", "w", encoding="ascii") as out:
                write(calls, out)


if __name__ == "__main__":
    main()
