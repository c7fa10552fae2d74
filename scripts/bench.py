# SPDX-License-Identifier: MIT
"""caelum bench: what the kernel costs, in guest nanoseconds under QEMU -icount (= instructions).

Boots tests/bench/bench.c with one CPU and prints each row beside the limit it is meant to keep and what
Linux 6.12 needs in the same machine. loongarch64 has no -icount figures for Linux; its rows are printed
without them. The last lines give the size of the raw image.
"""
import os
import sys
import tempfile

from elfinfo import ARCHES

ROOT = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tests"))
IMAGE_LIMIT = 1 << 20
# row -> (limit, Linux 6.12 over the three architectures)
LIMITS = {
    "boot-to-main": (15000000, "780-1900 million"),
    "getppid": (200, "355-478"),
    "read1": (400, "663-898"),
    "fork-exit-wait": (70000, "126000-230000"),
    "fork-exec-wait": (150000, "293000-484000"),
    "pipe-round-trip": (7000, "12400-14200"),
}


def measure(arch, kernel, programs):
    """Boot the benchmark; Return: its output, or None when it did not end well."""
    import caelum
    import machine
    from mkcpio import Archive
    with tempfile.TemporaryDirectory(prefix="caelum-") as tmp:
        initrd = os.path.join(tmp, "initrd")
        with open(initrd, "wb") as f:
            archive = Archive(f)
            archive.add_file("/bin/bench", os.path.join(programs, "bench"), 0o755)
            for d in ("/proc", "/dev", "/tmp"):
                archive.add_dir(d)
            archive.add_data(caelum.RECORD, caelum.run_record("/bin/bench", ["/bin/bench"],
                                                              caelum.DEFAULT_ENV, "/"), 0o600)
            archive.finish()
        output = bytearray()
        m = machine.Machine(arch, kernel, initrd,
                            f"caelum.frame=1 caelum.stdio=nss caelum.run={caelum.RECORD} quiet",
                            qemu_args=["-icount", "shift=0,sleep=off"])
        result = m.run(lambda channel, data: output.extend(data) if channel in ("o", "e") else None, timeout=600)
    if result.status != 0:
        print(f"{arch}: the benchmark did not end well (status {result.status}, "
              f"{'panic' if result.panicked else 'timeout' if result.timed_out else 'no panic'})")
        print(result.panic.decode("utf-8", "replace"))
    return output.decode("utf-8", "replace").replace("\r", "")


def report(arch, kernel, text):
    """Print the table. Return: how many rows are above their limit."""
    above = 0
    print(f"{arch:20} {'ns':>10} {'limit':>10}   Linux 6.12")
    for line in text.split("\n"):
        words = line.split()
        if len(words) != 2:
            continue
        limit, linux = LIMITS.get(words[0], (None, ""))
        over = limit is not None and arch != "loongarch64" and float(words[1]) > limit
        above += over
        print(f"  {words[0]:18} {words[1]:>10} {limit or '':>10}   {linux}{'   ABOVE' if over else ''}")
    size = os.path.getsize(os.path.join(kernel, "Image"))
    above += size > IMAGE_LIMIT
    print(f"  {'image bytes':18} {size:>10} {IMAGE_LIMIT:>10}{'   ABOVE' if size > IMAGE_LIMIT else ''}")
    return above


def main(args):
    import caelum
    import guest
    above = 0
    for arch in args.arch or ARCHES:
        kernel = caelum.build(arch, args.config, args.verbose)
        programs = guest.build_programs(arch)
        if programs is None:
            print(f"{arch}: no libraries for user programs here")
            continue
        above += report(arch, kernel, measure(arch, kernel, programs))
    return 1 if above else 0
