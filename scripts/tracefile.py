# SPDX-License-Identifier: MIT
"""What a machine recorded, out of its memory (docs/tracing.md, "For the host"; kernel/trace/ring.h has the layout).

memory() makes the file that is to be the machine's memory and the words for QEMU and the kernel; read() finds the
records in it when the machine has ended.
"""
import os
import re
import struct

MAGIC = b"CAELUM-TRACE-PG1"
PAGE = 4096
HEAD = struct.Struct("<16sQIIIIII")             # magic, run, kind, ring, index, header size, record size
CONTROL = struct.Struct("<5QI")                 # head, tail, capacity, overrun, dropped, npages
RECORD = struct.Struct("<IIQQiI16s")            # size, len, time, seq, tgid, cpu, comm
ENTRY = struct.Struct("<HBBi")                  # type, flags, preempt count, pid
KIND_CONTROL, KIND_DATA = 1, 2
RING_META = 0xffffffff
CHUNK = 1 << 24
FIELD = re.compile(r"^\tfield:(.+?);\toffset:(\d+);\tsize:(\d+);\tsigned:(\d);$", re.M)


class BadTrace(Exception):
    """The memory does not hold what a trace needs; the text says what is missing."""


class Field:
    """Where a field lies in a record, and how it is read."""

    def __init__(self, declaration, offset, size, signed):
        m = re.fullmatch(r"(.*?)(\w+)(?:\[(\d*)\])?", declaration)
        self.name = m.group(2)
        self.is_string = "char" in m.group(1) and m.group(3) is not None
        self.is_tail = m.group(1).startswith("__data_loc")
        self.offset, self.size, self.signed = offset, size, signed
        self.count = int(m.group(3) or 0)

    def value(self, data):
        if self.is_tail:
            loc = int.from_bytes(data[self.offset:self.offset + 4], "little")
            return text(data[loc & 0xffff:(loc & 0xffff) + (loc >> 16)])
        if self.is_string:
            return text(data[self.offset:self.offset + self.size] if self.size else data[self.offset:])
        raw = data[self.offset:self.offset + self.size]
        if self.count:
            step = self.size // self.count
            return [int.from_bytes(raw[i:i + step], "little", signed=self.signed) for i in range(0, len(raw), step)]
        return int.from_bytes(raw, "little", signed=self.signed)


class Event:
    """A kind of record, from the text of its format file."""

    def __init__(self, description):
        self.system = re.search(r"^system: (\S+)", description, re.M).group(1)
        self.name = re.search(r"^name: (\S+)", description, re.M).group(1)
        self.id = int(re.search(r"^ID: (\d+)", description, re.M).group(1))
        self.fields = [Field(m[0], int(m[1]), int(m[2]), m[3] == "1") for m in FIELD.findall(description)
                       if not m[0].split()[-1].startswith("common_")]

    def values(self, data):
        return {f.name: f.value(data) for f in self.fields}


class Record:
    """One record: when, where, whose, and its fields when asked for."""
    __slots__ = ("time", "cpu", "tgid", "pid", "comm", "event", "data")

    def __init__(self, time, cpu, tgid, pid, comm, event, data):
        self.time, self.cpu, self.tgid, self.pid, self.comm = time, cpu, tgid, pid, comm
        self.event, self.data = event, data

    @property
    def name(self):
        return self.event.name

    def values(self):
        return self.event.values(self.data)


def text(raw):
    return raw.split(b"\0")[0].decode("utf-8", "replace")


def memory(path, size):
    """Make the memory file. Return: (words for QEMU, words for the kernel, run number)."""
    with open(path, "wb") as f:
        f.truncate(size)
    run = int.from_bytes(os.urandom(8), "little")
    return (["-object", f"memory-backend-file,id=caelum.ram,size={size},mem-path={path},share=on",
             "-machine", "memory-backend=caelum.ram"], f"caelum.trace_run={run:x}", run)


def data_extents(f):
    """(offset, length) of what was ever written in a sparse file."""
    end = f.seek(0, os.SEEK_END)
    at = 0
    while at < end:
        try:
            start = os.lseek(f.fileno(), at, os.SEEK_DATA)
        except OSError:
            return
        at = os.lseek(f.fileno(), start, os.SEEK_HOLE)
        yield start, at - start


def find_pages(path, run):
    """({ring: control page}, {ring: {index: data page}}) of this run."""
    controls, pages = {}, {}
    with open(path, "rb") as f:
        for start, length in data_extents(f):
            for at in range(start, start + length, CHUNK):
                block = os.pread(f.fileno(), min(CHUNK, start + length - at), at)
                found = block.find(MAGIC)
                while found >= 0:
                    page = block[found:found + PAGE]
                    if (at + found) % PAGE == 0 and len(page) == PAGE:
                        _, its_run, kind, ring, index, _, _, _ = HEAD.unpack_from(page)
                        if its_run == run and kind == KIND_CONTROL:
                            controls[ring] = page
                        elif its_run == run and kind == KIND_DATA:
                            pages.setdefault(ring, {})[index] = page
                    found = block.find(MAGIC, found + 1)
    return controls, pages


def ring_records(control, pages):
    """(record header fields, bytes of the entry) of one ring, the oldest first."""
    _, _, _, _, _, _, record_size, _ = HEAD.unpack_from(control)
    head, tail, capacity, _, _, npages = CONTROL.unpack_from(control, HEAD.size)
    if record_size != RECORD.size or npages * (PAGE - HEAD.size) != capacity:
        raise BadTrace("the kernel's records have another layout")
    missing = [i for i in range(npages) if i not in pages]
    if missing:
        raise BadTrace(f"{len(missing)} of {npages} pages of a buffer were not found")
    ring = b"".join(pages[i][HEAD.size:] for i in range(npages))
    start, length = tail % capacity, head - tail
    data = (ring + ring)[start:start + length] if start + length > capacity else ring[start:start + length]
    at = 0
    while at + RECORD.size <= len(data):
        fields = RECORD.unpack_from(data, at)
        if fields[0] < RECORD.size:
            raise BadTrace("a record of no size")
        yield fields, data[at + RECORD.size:at + RECORD.size + fields[1]]
        at += fields[0]


def read(path, run):
    """(records in the order of time, number of lost ones)."""
    controls, pages = find_pages(path, run)
    if RING_META not in controls:
        raise BadTrace("the machine recorded nothing: the kernel did not come so far, or had no memory for it")
    events = {}
    for _, description in ring_records(controls.pop(RING_META), pages[RING_META]):
        event = Event(description.decode("ascii", "replace"))
        events[event.id] = event
    records, lost = [], 0
    for ring, control in controls.items():
        lost += sum(CONTROL.unpack_from(control, HEAD.size)[3:5])
        for fields, data in ring_records(control, pages[ring]):
            _, _, time, _, tgid, cpu, comm = fields
            kind, _, _, pid = ENTRY.unpack_from(data)
            if kind in events:
                records.append(Record(time, cpu, tgid, pid, text(comm), events[kind], data))
    records.sort(key=lambda r: r.time)
    return records, lost
