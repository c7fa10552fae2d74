# SPDX-License-Identifier: MIT
"""Samples as a flame graph: `caelum run --profile`.

Each box is a function; its width is the share of samples in which it was on the stack; what it called stands on it. The
drawing is plain SVG with titles, so that a viewer shows a box's numbers under the pointer.
"""
import bisect
import collections
import os
import struct
import zlib
from xml.sax.saxutils import escape

SHT_SYMTAB, SHT_DYNSYM = 2, 11
STT_NOTYPE, STT_FUNC = 0, 2
PT_LOAD, PF_X = 1, 1
LOOP = "user_task_loop [k]"         # what is between a program and the kernel says nothing
WIDTH, ROW, MARGIN, LEAST = 1200, 17, 10, 0.3
CHAR_WIDTH = 6.6


# ---- symbols -------------------------------------------------------------------------------------


class Symbols:
    """The functions of an ELF file: name(address in the file's own numbering)."""

    def __init__(self, path):
        self.starts, self.ends, self.names, self.segments = [], [], [], []
        try:
            with open(path, "rb") as f:
                self.load(f.read())
        except (OSError, struct.error):
            pass

    def load(self, elf):
        if elf[:6] != b"\x7fELF\x02\x01":
            return
        phoff, shoff = struct.unpack_from("<QQ", elf, 32)
        phentsize, phnum, shentsize, shnum = struct.unpack_from("<HHHH", elf, 54)
        for i in range(phnum):
            kind, flags, offset, vaddr, _, filesz = struct.unpack_from("<IIQQQQ", elf, phoff + i * phentsize)
            if kind == PT_LOAD and flags & PF_X:
                self.segments.append((offset, filesz, vaddr))
        sections = [struct.unpack_from("<IIQQQQIIQQ", elf, shoff + i * shentsize) for i in range(shnum)]
        functions = {}
        for kind in (SHT_DYNSYM, SHT_SYMTAB):
            for s in sections:
                if s[1] == kind and s[6] < shnum:
                    functions.update(self.table(elf, s, sections[s[6]]))
        ordered = sorted(functions.items())
        self.starts = [a for a, _ in ordered]
        self.names = [name for _, (name, _) in ordered]
        self.ends = [a + size if size else 0 for a, (_, size) in ordered]

    @staticmethod
    def table(elf, section, strings):
        offset, size = section[4], section[5]
        text = elf[strings[4]:strings[4] + strings[5]]
        for at in range(offset, offset + size - 23, 24):
            name, info, _, index, value, length = struct.unpack_from("<IBBHQQ", elf, at)
            if index and name and (info & 15 == STT_FUNC or (info & 15 == STT_NOTYPE and info >> 4)):
                word = text[name:text.find(b"\0", name)].decode("ascii", "replace")
                if word and not word.startswith(("$", ".L")):
                    yield value, (word, length)

    def name(self, address):
        i = bisect.bisect_right(self.starts, address) - 1
        if i < 0 or (self.ends[i] and address >= self.ends[i]):
            return None
        return self.names[i]

    def address_of_offset(self, offset):
        """The address that the byte at @offset of the file has in the file's numbering."""
        for start, size, vaddr in self.segments:
            if start <= offset < start + size:
                return offset - start + vaddr
        return None


class Resolver:
    """Addresses of samples to names. @host_path(guest path): where the file is on this machine, or None. @program: whose
    own numbering an address without mappings is taken for (a run that was cut short)."""

    def __init__(self, kernel_elf, host_path, program):
        self.kernel = Symbols(kernel_elf)
        self.program = Symbols(program) if program else None
        self.host_path = host_path
        self.files = {}

    def file(self, guest):
        if guest not in self.files:
            path = self.host_path(guest)
            self.files[guest] = Symbols(path) if path else None
        return self.files[guest]

    def kernel_name(self, address):
        return (self.kernel.name(address) or f"{address:#x}") + " [k]"

    def user_name(self, maps, address):
        for start, end, offset, guest in maps:
            if start <= address < end:
                symbols = self.file(guest)
                own = symbols.address_of_offset(address - start + offset) if symbols else None
                name = symbols.name(own) if own is not None else None
                return name or f"[{os.path.basename(guest)}]"
        if not maps and self.program:
            return self.program.name(address) or f"{address:#x}"
        return f"{address:#x}"


def stacks(records, resolver):
    """{(program, outermost function, ..., innermost): number of samples}.

    An address space says what lies in it when it is left: samples wait for that. One that is left by one of its threads may
    go on; one that has gone may come again under the same name, with other content.
    """
    counted = collections.Counter()
    waiting = collections.defaultdict(list)
    told = collections.defaultdict(list)

    def settle(space):
        maps = told.pop(space, ())
        for comm, kernel, user in waiting.pop(space, ()):
            # A return address points behind the call.
            names = [resolver.kernel_name(a - (i > 0)) for i, a in enumerate(kernel)]
            if user and LOOP in names:
                del names[names.index(LOOP):]
            names += [resolver.user_name(maps, a - (i > 0)) for i, a in enumerate(user)]
            counted[(comm, *reversed(names))] += 1

    for r in records:
        if r.name == "mapping":
            v = r.values()
            told[v["vm"]].append((v["start"], v["end"], v["offset"], v["path"]))
        elif r.name == "sample":
            space, nkernel, nuser = struct.unpack_from("<QII", r.data, 8)
            ips = struct.unpack_from(f"<{nkernel + nuser}Q", r.data, 24)
            if space in told:
                settle(space)
            waiting[space].append((r.comm, ips[:nkernel], ips[nkernel:]))
    for space in list(waiting):
        settle(space)
    return counted


# ---- drawing -------------------------------------------------------------------------------------


class Box:
    """A function at one place of the tree of callers."""

    def __init__(self, name):
        self.name, self.count, self.children = name, 0, {}

    def add(self, stack, count):
        self.count += count
        if stack:
            child = self.children.setdefault(stack[0], Box(stack[0]))
            child.add(stack[1:], count)

    def depth(self):
        return 1 + max((c.depth() for c in self.children.values()), default=0)


def colour(name):
    """The same for a name everywhere: reds and yellows for programs, blues for the kernel."""
    h = zlib.crc32(name.encode())
    if name.endswith("[k]"):
        return f"rgb({90 + h % 60},{140 + (h >> 8) % 60},{205 + (h >> 16) % 50})"
    return f"rgb({205 + h % 50},{80 + (h >> 8) % 130},{30 + (h >> 16) % 40})"


def draw(out, box, x, level, scale, height, total):
    width = box.count * scale
    if width < LEAST:
        return
    y = height - (level + 1) * ROW - MARGIN
    title = f"{box.name}: {box.count} samples, {100 * box.count / total:.1f} %"
    out.write(f'<g><title>{escape(title)}</title><rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="{ROW - 1}" '
              f'fill="{colour(box.name)}" rx="1"/>')
    fits = int((width - 4) / CHAR_WIDTH)
    if fits >= 3:
        label = box.name if len(box.name) <= fits else box.name[:fits - 2] + ".."
        out.write(f'<text x="{x + 2:.1f}" y="{y + ROW - 5}">{escape(label)}</text>')
    out.write("</g>\n")
    for child in sorted(box.children.values(), key=lambda c: c.name):
        draw(out, child, x, level + 1, scale, height, total)
        x += child.count * scale


def write_svg(out, counted, heading):
    """Draw {stack: count} into the text file @out."""
    root = Box("all")
    for stack, count in sorted(counted.items()):
        root.add(stack, count)
    total = max(root.count, 1)
    height = root.depth() * ROW + 3 * MARGIN + ROW
    out.write(f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
              f'viewBox="0 0 {WIDTH} {height}" font-family="monospace" font-size="11">\n'
              f'<rect width="{WIDTH}" height="{height}" fill="#fdfaf0"/>\n'
              f'<text x="{MARGIN}" y="{MARGIN + 8}" font-size="13">{escape(heading)}</text>\n')
    draw(out, root, MARGIN, 0, (WIDTH - 2 * MARGIN) / total, height, total)
    out.write("</svg>\n")
