# SPDX-License-Identifier: MIT
"""Write cpio archives (newc), the format of an initramfs.

As a command: mkcpio.py -o FILE DIRECTORY      the directory's content becomes the root
              mkcpio.py -o FILE ARCHIVE.cpio   the archive is copied
As a module: class Archive, used by the runner.
"""
import argparse
import os
import shutil
import stat
import sys


class Archive:
    """A cpio newc archive written file by file; parents of a path are added when they are missing."""

    def __init__(self, out):
        self.out = out
        self.ino = 0
        self.dirs = {""}

    def _entry(self, name, mode, data=b"", size=None, rdev=(0, 0), mtime=0):
        """Header and name; then @data. With @size the caller writes that many bytes itself."""
        self.ino += 1
        raw = name.encode("utf-8", "surrogateescape") + b"\0"
        length = len(data) if size is None else size
        if length >= 1 << 32:
            raise ValueError(f"{name}: files of 4 GiB and more do not fit into a cpio archive")
        fields = [self.ino, mode, 0, 0, 1, mtime, length, 0, 0, rdev[0], rdev[1], len(raw), 0]
        head = b"070701" + b"".join(b"%08X" % f for f in fields) + raw
        self.out.write(head + b"\0" * (-len(head) % 4) + data + b"\0" * (-len(data) % 4))

    def _parents(self, name):
        parent = os.path.dirname(name)
        if parent not in self.dirs:
            self.add_dir(parent)

    def add_dir(self, name, mode=0o755):
        name = name.strip("/")
        if name in self.dirs:
            return
        self._parents(name)
        self.dirs.add(name)
        self._entry(name, stat.S_IFDIR | mode)

    def add_data(self, name, data, mode=0o644):
        name = name.strip("/")
        self._parents(name)
        self._entry(name, stat.S_IFREG | mode, data)

    def add_link(self, name, target):
        name = name.strip("/")
        self._parents(name)
        self._entry(name, stat.S_IFLNK | 0o777, os.fsencode(target))

    def add_device(self, name, mode, major, minor):
        name = name.strip("/")
        self._parents(name)
        self._entry(name, mode, rdev=(major, minor))

    def add_file(self, name, path, mode=None):
        """The content of the file @path, which may be large."""
        name = name.strip("/")
        self._parents(name)
        with open(path, "rb") as f:
            st = os.fstat(f.fileno())
            self._entry(name, stat.S_IFREG | (st.st_mode & 0o7777 if mode is None else mode),
                        size=st.st_size, mtime=int(st.st_mtime) & 0xffffffff)
            start = self.out.tell()
            shutil.copyfileobj(f, self.out, 1 << 20)
            written = self.out.tell() - start
            if written != st.st_size:
                raise OSError(f"{path} changed while it was read")
            self.out.write(b"\0" * (-written % 4))

    def add_path(self, name, path):
        """A file, symbolic link, device or whole directory of the host."""
        st = os.lstat(path)
        if stat.S_ISLNK(st.st_mode):
            self.add_link(name, os.readlink(path))
        elif stat.S_ISDIR(st.st_mode):
            self.add_dir(name, st.st_mode & 0o7777)
            for entry in sorted(os.listdir(path)):
                self.add_path(f"{name}/{entry}", os.path.join(path, entry))
        elif stat.S_ISREG(st.st_mode):
            self.add_file(name, path)
        elif stat.S_ISCHR(st.st_mode) or stat.S_ISBLK(st.st_mode):
            self.add_device(name, st.st_mode, os.major(st.st_rdev), os.minor(st.st_rdev))
        elif stat.S_ISFIFO(st.st_mode):
            self.add_device(name, st.st_mode, 0, 0)

    def finish(self):
        self.ino = -1
        self._entry("TRAILER!!!", 0)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("-o", required=True, dest="out")
    parser.add_argument("source")
    args = parser.parse_args()
    if not os.path.isdir(args.source):
        shutil.copyfile(args.source, args.out)
        return
    with open(args.out, "wb") as out:
        archive = Archive(out)
        for entry in sorted(os.listdir(args.source)):
            archive.add_path(entry, os.path.join(args.source, entry))
        archive.finish()


if __name__ == "__main__":
    sys.exit(main())
