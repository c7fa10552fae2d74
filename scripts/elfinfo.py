# SPDX-License-Identifier: MIT
"""What the runner must know about a program before it boots a machine for it."""
import os
import struct

MACHINES = {62: "x86_64", 183: "aarch64", 243: "riscv64", 258: "loongarch64"}
ARCHES = ("x86_64", "riscv64", "aarch64", "loongarch64")
ET_EXEC, ET_DYN = 2, 3
PT_INTERP = 3


class NotRunnable(Exception):
    """The file is not a program that Caelum can run; the text says why, without the file's name."""


def program_arch(path, dynamic=False):
    """The architecture of the 64-bit ELF program at @path, which must be static unless @dynamic (its interpreter is
    there); NotRunnable says what is wrong."""
    if os.path.isdir(path):
        raise NotRunnable("is a directory")
    try:
        with open(path, "rb") as f:
            head = f.read(64)
            size = os.fstat(f.fileno()).st_size
            if head[:2] == b"#!":
                raise NotRunnable("is a script; run its interpreter, with the script as --file SRC:DST")
            if head[:4] != b"\x7fELF":
                raise NotRunnable("is not an ELF file")
            if len(head) < 64:
                raise NotRunnable("is a truncated ELF file: its header is cut off")
            if head[4] != 2:
                raise NotRunnable("is a 32-bit program; Caelum runs 64-bit ones")
            if head[5] != 1:
                raise NotRunnable("is big-endian; Caelum runs little-endian programs")
            e_type, machine, _, _, phoff, _, _, _, phentsize, phnum = struct.unpack_from(
                "<HHIQQQIHHH", head, 16)
            if machine not in MACHINES:
                raise NotRunnable(f"is for ELF machine {machine}, which is none of " + ", ".join(ARCHES))
            if e_type not in (ET_EXEC, ET_DYN):
                raise NotRunnable("is not a program but an object file, a library or a core dump")
            if phnum == 0 or phentsize != 56:
                raise NotRunnable("has no usable program headers")
            if phoff + phnum * phentsize > size:
                raise NotRunnable("is a truncated ELF file: its program headers are cut off")
            f.seek(phoff)
            table = f.read(phnum * phentsize)
            for i in range(phnum):
                p_type, _, offset, _, _, filesz = struct.unpack_from("<IIQQQQ", table, i * phentsize)
                if p_type == PT_INTERP and not dynamic:
                    if offset + filesz > size:
                        raise NotRunnable("is a truncated ELF file: its interpreter's name is cut off")
                    f.seek(offset)
                    interp = f.read(min(filesz, 256)).rstrip(b"\0").decode("utf-8", "replace")
                    raise NotRunnable(f"is dynamically linked (wants {interp}); link it with -static, or give its libraries by --rootfs")
            return MACHINES[machine]
    except OSError as e:
        raise NotRunnable(f"cannot be read: {e.strerror}") from None
