# SPDX-License-Identifier: MIT
"""Files that firmware reads: flattened device trees and FIT images, U-Boot scripts, FAT file systems, disks.

	fdt(tree)		a nested dict as a flattened device tree
	fit(...)		kernel, initrd and device trees with hashes, for U-Boot's bootm
	uboot_script(text)	boot.scr
	fat(files)		a FAT16 or FAT32 file system with long names
	gpt_disk(parts)		a disk with a GUID partition table; mbr_disk(parts) with the old one
Sources: Devicetree Specification 0.4; U-Boot doc/usage/fit; Microsoft FAT specification; UEFI 2.10, chapter 5.
"""
import hashlib
import struct
import uuid
import zlib

SECTOR = 512
ESP_GUID = uuid.UUID("c12a7328-f81f-11d2-ba4b-00a0c93ec93b")
DATA_GUID = uuid.UUID("ebd0a0a2-b9e5-4433-87c0-68b6b72699c7")


# ---- flattened device trees and FIT --------------------------------------------------------------


def fdt_value(value):
    if isinstance(value, bytes):
        return value
    if isinstance(value, int):
        return struct.pack(">I", value)
    if isinstance(value, str):
        return value.encode() + b"\0"
    return b"".join(fdt_value(v) for v in value)


def fdt(tree):
    """@tree: a property is bytes, a string, a number (one cell) or a list of these; a node is a dict."""
    strings = bytearray()
    offsets = {}
    body = bytearray()

    def pad():
        body.extend(b"\0" * (-len(body) % 4))

    def node(name, content):
        body.extend(struct.pack(">I", 1) + name.encode() + b"\0")
        pad()
        for key, value in content.items():
            if isinstance(value, dict):
                continue
            if key not in offsets:
                offsets[key] = len(strings)
                strings.extend(key.encode() + b"\0")
            data = fdt_value(value)
            body.extend(struct.pack(">III", 3, len(data), offsets[key]) + data)
            pad()
        for key, value in content.items():
            if isinstance(value, dict):
                node(key, value)
        body.extend(struct.pack(">I", 2))

    node("", tree)
    body.extend(struct.pack(">I", 9))
    reserve = b"\0" * 16
    at = 40 + len(reserve)
    total = at + len(body) + len(strings)
    header = struct.pack(">10I", 0xd00dfeed, total, at, at + len(body), 40, 17, 16, 0, len(strings), len(body))
    return header + reserve + bytes(body) + bytes(strings)


def fit(arch, kernel, initrd, dtb, load):
    """An image tree with SHA-256 hashes. @arch: U-Boot's name. @load: where the kernel goes. @dtb: bytes or None."""

    def image(data, kind, **more):
        return {"description": kind, "data": data, "type": kind, "arch": arch, "compression": "none", **more,
                "hash-1": {"algo": "sha256", "value": hashlib.sha256(data).digest()}}

    where = struct.pack(">Q", load)
    images = {"kernel": image(kernel, "kernel", os="linux", load=where, entry=where),
              "initrd": image(initrd, "ramdisk", os="linux")}
    conf = {"description": "Caelum", "kernel": "kernel", "ramdisk": "initrd"}
    if dtb is not None:
        images["fdt"] = image(dtb, "flat_dt")
        conf["fdt"] = "fdt"
    return fdt({"description": "Caelum", "timestamp": 0x65920080, "#address-cells": 2, "images": images,
                "configurations": {"default": "conf", "conf": conf}})


def uboot_script(text):
    """A legacy image of type script: header, table of one length, the text."""
    data = text.encode()
    body = struct.pack(">II", len(data), 0) + data
    def header(crc):
        return struct.pack(">7I4B32s", 0x27051956, crc, 0, len(body), 0, 0, zlib.crc32(body), 5, 2, 6, 0, b"boot")
    return header(zlib.crc32(header(0))) + body


# ---- FAT -----------------------------------------------------------------------------------------


class Fat:
    """A FAT file system that is written once. FAT16 below 512 MiB of room, else FAT32."""

    def __init__(self, size):
        self.fat32 = size >= 512 << 20
        self.cluster = 4096
        while not self.fat32 and size // self.cluster > 60000:
            self.cluster *= 2
        self.reserved = 32 if self.fat32 else 4
        self.width = 4 if self.fat32 else 2
        self.sectors = size // SECTOR
        clusters = size // self.cluster
        self.fat_sectors = -(-(clusters + 2) * self.width // SECTOR)
        self.root_entries = 0 if self.fat32 else 512
        self.data_at = (self.reserved + 2 * self.fat_sectors) * SECTOR + self.root_entries * 32
        self.nclusters = (size - self.data_at) // self.cluster
        self.table = [0x0ffffff8, 0x0fffffff] if self.fat32 else [0xfff8, 0xffff]
        self.data = bytearray()

    def allocate(self, data):
        """Place @data; return its first cluster, 0 for nothing."""
        n = -(-len(data) // self.cluster)
        if n == 0:
            return 0
        first = len(self.table)
        self.table += [first + i + 1 for i in range(n - 1)] + [0x0fffffff if self.fat32 else 0xffff]
        self.data += data + b"\0" * (n * self.cluster - len(data))
        if len(self.table) - 2 > self.nclusters:
            raise ValueError("the files do not fit into the FAT file system")
        return first

    @staticmethod
    def entry(short, attr, cluster, size):
        return struct.pack("<11sBBBHHHHHHHI", short, attr, 0, 0, 0, 0x5821, 0x5821, cluster >> 16, 0, 0x5821,
                           cluster & 0xffff, size)

    @staticmethod
    def long_entries(name, short):
        total = 0
        for b in short:
            total = ((total >> 1) + ((total & 1) << 7) + b) & 0xff
        units = name.encode("utf-16-le")
        units += b"\0\0" if len(units) % 26 else b""
        units += b"\xff" * (-len(units) % 26)
        parts = [units[i:i + 26] for i in range(0, len(units), 26)]
        out = b""
        for i in reversed(range(len(parts))):
            p = parts[i]
            number = (i + 1) | (0x40 if i == len(parts) - 1 else 0)
            out += struct.pack("<B10sBBB12sH4s", number, p[:10], 0x0f, 0, total, p[10:22], 0, p[22:])
        return out

    def name_entries(self, name, number, attr, cluster, size):
        base, dot, ext = name.rpartition(".")
        if not dot:
            base, ext = name, ""
        plain = f"{base:8}{ext:3}".encode("ascii", "replace")
        if name == name.upper() and len(base) <= 8 and len(ext) <= 3 and "." not in base:
            return self.entry(plain, attr, cluster, size)
        keep = "".join(c for c in base.upper() if c.isalnum())[:4]
        short = f"{keep + '~' + str(number):8}{ext.upper()[:3]:3}".encode("ascii", "replace")
        return self.long_entries(name, short) + self.entry(short, attr, cluster, size)

    def directory(self, content, parent, root=False):
        """Write a dict of names; return (bytes, first cluster)."""
        dirs = {name: value for name, value in content.items() if isinstance(value, dict)}
        size = sum(32 * (2 + len(name) // 13 + 1) for name in content) + 64
        here = 0
        if not root or self.fat32:
            here = self.allocate(b"\0" * size)
        at = len(self.data) - self.cluster * -(-size // self.cluster)
        out = b"" if root else self.entry(b".          ", 0x10, here, 0) + self.entry(b"..         ", 0x10, parent, 0)
        for number, (name, value) in enumerate(content.items(), 1):
            if name in dirs:
                cluster = self.directory(value, 0 if root else here)[1]
                out += self.name_entries(name, number, 0x10, cluster, 0)
            else:
                out += self.name_entries(name, number, 0x20, self.allocate(value), len(value))
        if here:
            self.data[at:at + len(out)] = out
        return out, here

    def image(self, files):
        root, cluster = self.directory(files, 0, True)
        common = struct.pack("<3s8sHBHBHHBHHHII", b"\xeb\x58\x90", b"CAELUM  ", SECTOR, self.cluster // SECTOR,
                             self.reserved, 2, self.root_entries, 0, 0xf8, 0 if self.fat32 else self.fat_sectors,
                             63, 255, 0, self.sectors)
        tail = struct.pack("<BBBI11s8s", 0x80, 0, 0x29, 0xcae1cae1, b"NO NAME    ",
                           b"FAT32   " if self.fat32 else b"FAT16   ")
        if self.fat32:
            common += struct.pack("<IHHIHH12x", self.fat_sectors, 0, 0, cluster, 1, 6)
        boot = (common + tail).ljust(510, b"\0") + b"\x55\xaa"
        image = bytearray(self.data_at)
        image[:SECTOR] = boot
        if self.fat32:
            free = struct.pack("<I480xII", 0x41615252, 0x61417272, self.nclusters + 2 - len(self.table))
            image[SECTOR:2 * SECTOR] = (free + struct.pack("<I", len(self.table))).ljust(508, b"\0") + b"\0\0\x55\xaa"
            image[6 * SECTOR:8 * SECTOR] = image[:2 * SECTOR]
        table = struct.pack(f"<{len(self.table)}{'I' if self.fat32 else 'H'}", *self.table)
        for copy in range(2):
            at = (self.reserved + copy * self.fat_sectors) * SECTOR
            image[at:at + len(table)] = table
        if not self.fat32:
            at = self.data_at - self.root_entries * 32
            image[at:at + len(root)] = root
        image += self.data
        return bytes(image.ljust(self.sectors * SECTOR, b"\0"))


def fat(files, size):
    """@files: {name: bytes or dict}. @size in bytes, at least 16 MiB."""
    return Fat(size).image(files)


# ---- disks ---------------------------------------------------------------------------------------


def mbr_entry(kind, start, count, active=False):
    return struct.pack("<B3sB3sII", 0x80 if active else 0, b"\xfe\xff\xff", kind, b"\xfe\xff\xff", start, count)


def power_of_two(size):
    n = 1 << 20
    while n < size:
        n *= 2
    return n


def mbr_disk(parts):
    """@parts: [(type byte, bytes)]; each starts at a multiple of 1 MiB, the first is marked active. SD cards want a size
    that is a power of two."""
    at, entries, body = 1 << 20, b"", bytearray(1 << 20)
    for i, (kind, data) in enumerate(parts):
        entries += mbr_entry(kind, at // SECTOR, len(data) // SECTOR, i == 0)
        body += data + b"\0" * (-len(data) % (1 << 20))
        at = len(body)
    body[446:510] = entries.ljust(64, b"\0")
    body[510:512] = b"\x55\xaa"
    return bytes(body.ljust(power_of_two(len(body)), b"\0"))


def gpt_disk(parts, first=1 << 20):
    """@parts: [(GUID, name, bytes)]. @first: where the first one lies; each has a multiple of 1 MiB."""
    at, entries, body = first, b"", bytearray()
    for i, (kind, name, data) in enumerate(parts):
        data = data + b"\0" * (-len(data) % (1 << 20))
        entries += kind.bytes_le + uuid.uuid5(kind, f"{name}{i}").bytes_le + struct.pack(
            "<QQQ72s", at // SECTOR, (at + len(data)) // SECTOR - 1, 1 if i == 0 else 0, name.encode("utf-16-le"))
        body += data
        at += len(data)
    entries = entries.ljust(128 * 128, b"\0")
    size = power_of_two(at + (1 << 20))
    last = size // SECTOR - 1
    disk_guid = uuid.uuid5(ESP_GUID, "disk").bytes_le

    def header(here, other, table):
        def pack(crc):
            return struct.pack("<8sIIIIQQQQ16sQIII", b"EFI PART", 0x10000, 92, crc, 0, here, other, 34, last - 33,
                               disk_guid, table, 128, 128, zlib.crc32(entries))
        return pack(zlib.crc32(pack(0))).ljust(SECTOR, b"\0")

    image = bytearray(size)
    image[446:462] = mbr_entry(0xee, 1, last)
    image[510:512] = b"\x55\xaa"
    image[SECTOR:2 * SECTOR] = header(1, last, 2)
    image[2 * SECTOR:2 * SECTOR + len(entries)] = entries
    image[first:first + len(body)] = body
    image[(last - 32) * SECTOR:last * SECTOR] = entries
    image[last * SECTOR:] = header(last, 1, last - 32)
    return bytes(image)
