# SPDX-License-Identifier: MIT
"""Tests of the host's tools: the frame reader, the escape key, archives, and what is known of an ELF file.

Usage: /usr/bin/python3 tests/test_tools.py      (unittest's options apply)
"""
import io
import os
import struct
import sys
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "scripts"))

import caelum
import elfinfo
import lint
import machine
import mkcpio
import symbolize


def demux(data, size):
    """Feed @data in pieces of @size; (channel -> bytes, status)."""
    got = {}
    d = machine.Demux(lambda channel, piece: got.__setitem__(channel, got.get(channel, b"") + piece))
    for at in range(0, len(data), size):
        d.feed(data[at:at + size])
    return got, d.status


class Frames(unittest.TestCase):
    DATA = b"firm\x10ware\x10S\x10klog\n\x10oout\x10\x10\x10eerr\x10ox\x10pbad\x10x137;"

    def test_split_anywhere(self):
        for size in range(1, len(self.DATA) + 1):
            got, status = demux(self.DATA, size)
            self.assertEqual(got, {None: b"firm\x10ware", "k": b"log\n", "o": b"out\x10x", "e": b"err", "p": b"bad"})
            self.assertEqual(status, 137)

    def test_firmware_cannot_end_it(self):
        """Before DLE S nothing is a frame: what looks like one is text of the firmware."""
        got, status = demux(b"\x10x0;\x10oabc\x10S\x10ook", 3)
        self.assertIsNone(status)
        self.assertEqual(got["o"], b"ok")

    def test_every_byte_value(self):
        data = bytes(range(256)) * 3
        got, _ = demux(b"\x10S\x10o" + data.replace(b"\x10", b"\x10\x10"), 7)
        self.assertEqual(got["o"], data)

    def test_escape_key(self):
        key = machine.EscapeKey()
        self.assertEqual(key.filter(b"a\x1d"), (b"a", False))
        self.assertEqual(key.filter(b"\x1db"), (b"\x1db", False))
        self.assertEqual(key.filter(b"\x1dq"), (b"\x1dq", False))
        self.assertEqual(key.filter(b"c\x1dxd"), (b"c", True))

    def test_sizes(self):
        self.assertEqual([machine.parse_size(s) for s in ("64", "16M", "1g", "512KB")],
                         [64 << 20, 16 << 20, 1 << 30, 512 << 10])
        for bad in ("", "M", "1T", "-1", "1.5G"):
            self.assertRaises(ValueError, machine.parse_size, bad)


class Archives(unittest.TestCase):
    @staticmethod
    def entries(data):
        """(name, mode, content) of each entry of a newc archive."""
        at, found = 0, []
        while True:
            assert data[at:at + 6] == b"070701"
            fields = [int(data[at + 6 + i * 8:at + 14 + i * 8], 16) for i in range(13)]
            name_end = at + 110 + fields[11]
            name = data[at + 110:name_end - 1].decode()
            start = (name_end + 3) & ~3
            found.append((name, fields[1], data[start:start + fields[6]]))
            at = (start + fields[6] + 3) & ~3
            if name == "TRAILER!!!":
                assert at == len(data)
                return found[:-1]

    def test_round_trip(self):
        out = io.BytesIO()
        archive = mkcpio.Archive(out)
        archive.add_data("/a/b/file", b"12345", 0o600)
        archive.add_link("/a/link", "b/file")
        archive.add_dir("/a")
        archive.add_file("/self", __file__, 0o755)
        archive.finish()
        found = self.entries(out.getvalue())
        with open(__file__, "rb") as f:
            own = f.read()
        self.assertEqual(found, [("a", 0o40755, b""), ("a/b", 0o40755, b""), ("a/b/file", 0o100600, b"12345"),
                                 ("a/link", 0o120777, b"b/file"), ("self", 0o100755, own)])

    def test_run_record(self):
        self.assertEqual(caelum.run_record("/bin/x", ["x", "a b"], {"K": "V"}, "/tmp"),
                         b"exe=/bin/x\0argv=x\0argv=a b\0env=K=V\0cwd=/tmp\0")
        self.assertRaises(caelum.Failure, caelum.run_record, "/bin/x", ["a\0b"], {}, "/")


class Elf(unittest.TestCase):
    @staticmethod
    def image(machine_number=243, kind=2, bits=2, order=1, phnum=1, p_type=1, cut=None):
        head = b"\x7fELF" + bytes([bits, order, 1]) + b"\0" * 9
        head += struct.pack("<HHIQQQIHHHHHH", kind, machine_number, 1, 0, 64, 0, 0, 64, 56, phnum, 0, 0, 0)
        return (head + struct.pack("<IIQQQQQQ", p_type, 5, 0, 0, 0, 64, 64, 4096) * phnum)[:cut]

    def arch(self, image):
        with tempfile.NamedTemporaryFile() as f:
            f.write(image)
            f.flush()
            return elfinfo.program_arch(f.name)

    def test_architectures(self):
        for number, name in elfinfo.MACHINES.items():
            self.assertEqual(self.arch(self.image(number)), name)
            self.assertEqual(self.arch(self.image(number, kind=3)), name)

    def test_refused(self):
        for image, word in ((b"", "not an ELF"), (b"#!/bin/sh\n", "script"), (self.image(cut=30), "truncated"),
                            (self.image(cut=80), "truncated"), (self.image(bits=1), "32-bit"),
                            (self.image(order=2), "big-endian"), (self.image(8), "ELF machine 8"),
                            (self.image(kind=1), "object file"), (self.image(phnum=0), "program headers"),
                            (self.image(p_type=3), "dynamically linked")):
            with self.assertRaisesRegex(elfinfo.NotRunnable, word):
                self.arch(image)


class CommandLine(unittest.TestCase):
    def test_program_arguments_are_untouched(self):
        for argv, program, rest in ((["p", "-v", "--", "x"], "p", ["-v", "--", "x"]),
                                    (["--smp", "2", "--", "p", "--smp"], "p", ["--smp"]),
                                    (["-v"], None, []), (["-m64M", "--env=A=b", "p"], "p", [])):
            args = caelum.parse(["run", *argv])
            self.assertEqual((args.program, args.args), (program, rest))


class Checks(unittest.TestCase):
    def test_symbolize_leaves_other_text(self):
        self.assertEqual(symbolize.symbolize("no address here\n", "/nonexistent"), "no address here\n")

    def test_layers_have_no_cycle(self):
        """Following allowed includes from any directory never leads back to it."""
        for start in lint.LAYERS:
            seen, todo = set(), list(lint.LAYERS[start])
            while todo:
                name = todo.pop()
                self.assertNotEqual(name, start)
                if name not in seen:
                    seen.add(name)
                    todo += lint.LAYERS.get(name, ())


if __name__ == "__main__":
    unittest.main()
