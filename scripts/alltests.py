# SPDX-License-Identifier: MIT
"""All tests, for `caelum test`: lint, host, fuzz smoke, tests/user on Linux, then for each architecture the tests inside
the kernel (4 CPUs; also with its debugging checks), the guest programs with 1 and 4 CPUs, the command, its
--trace and --profile, the interactive shell, strace, and esbuild; then machines that are described badly, disks
on PCI by each kind of interrupt controller, images of cards and disks, and last every board that QEMU has, through its firmware.

The last line is `N passed, N failed, N skipped`. A test that is listed in tests/known-failures counts as
skipped while it fails, and as failed when it passes.
"""
import os
import re
import subprocess
import sys
import time

from elfinfo import ARCHES

ROOT = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tests"))
PARTS = ("lint", "host", "fuzz", "linux", "ktest", "guest", "command", "recording", "shell", "tools", "esbuild",
         "badboot", "pcidisks", "images", "machines")
PROGRAM_PARTS = {"guest", "command", "recording", "shell", "tools", "esbuild"}
SMP = (1, 4)
NOT_HERE = r"not an? \w+ machine|needs two CPUs|one CPU only"    # a skip that nothing could be done about


def known_failures():
    """(architecture or *, CPUs or *, name) -> reason, from tests/known-failures."""
    known = {}
    path = os.path.join(ROOT, "tests/known-failures")
    if os.path.exists(path):
        with open(path, encoding="utf-8") as f:
            for line in f:
                words = line.split(None, 3)
                if line.strip() and not line.startswith("#"):
                    known[tuple(words[:3])] = words[3].strip()
    return known


class Tally:
    """Counts results and prints a line for each that is not a plain pass."""

    def __init__(self, verbose):
        self.passed = self.failed = self.skipped = 0
        self.verbose = verbose
        self.known = known_failures()
        self.failures = []

    def count(self, passed, failed, skipped, name):
        self.passed += passed
        self.failed += failed
        self.skipped += skipped
        if failed:
            self.failures.append(f"{name}: {failed} failed")

    def result(self, name, verdict, detail="", arch="*", smp="*"):
        """@verdict: "pass", "fail" or "skip"."""
        where = name if arch == "*" else f"{arch}/smp{smp}: {name}"
        reason = next((self.known[k] for k in ((arch, str(smp), name), (arch, "*", name), ("*", "*", name))
                       if k in self.known), None)
        if reason and verdict == "fail":
            verdict, detail = "skip", f"known failure: {reason}"
        elif reason and verdict == "pass":
            verdict, detail = "fail", "passes, but is listed in tests/known-failures"
        if verdict == "pass":
            self.passed += 1
            if self.verbose:
                print(f"ok    {where}", flush=True)
        elif verdict == "skip":
            self.skipped += 1
            if self.verbose or not re.search(NOT_HERE, detail):
                print(f"skip  {where}: {detail}", flush=True)
        else:
            self.failed += 1
            self.failures.append(where)
            print(f"FAIL  {where}: {detail}", flush=True)


def run_counted(tally, name, cmd):
    """A command whose last line is `N passed, N failed, N skipped`."""
    done = subprocess.run(cmd, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          stdin=subprocess.DEVNULL, check=False)
    text = done.stdout.decode("utf-8", "replace")
    counts = re.findall(r"^(\d+) passed, (\d+) failed, (\d+) skipped$", text, re.M)
    if not counts:
        print(text[-6000:])
        tally.result(name, "fail", f"no result; status {done.returncode}")
        return
    passed, failed, skipped = map(int, counts[-1])
    if failed or tally.verbose:
        print(text[-20000:])
    tally.count(passed, failed, skipped, name)
    print(f"{name}: {passed} passed, {failed} failed, {skipped} skipped", flush=True)


def linux_part(args, tally):
    """tests/user on this machine's Linux, which is what Caelum has to equal."""
    import caelum
    import guest
    arch = os.uname().machine
    try:
        programs = guest.build_programs(arch) if arch in ARCHES else None
    except caelum.Failure as e:
        tally.result("build", "fail", str(e), "linux")
        return
    if programs is None:
        tally.result("user programs on Linux", "skip", f"no libraries for {arch}")
        return
    before = tally.passed, tally.failed, tally.skipped
    guest.run_on_linux(tally, programs, args.names)
    print("linux: {} passed, {} failed, {} skipped".format(
        tally.passed - before[0], tally.failed - before[1], tally.skipped - before[2]), flush=True)


def program_parts(args, tally, parts, arch):
    """What runs programs in machines of @arch."""
    import caelum
    import command
    import esbuild
    import guest
    import recording
    import shell_pty
    import tools
    try:
        kernel = caelum.build(arch, args.config, args.verbose)
        programs = guest.build_programs(arch)
    except caelum.Failure as e:
        tally.result("build", "fail", str(e), arch)
        return
    if programs is None:
        tally.result("user programs", "skip", "the mirror does not have this architecture's libraries", arch)
        return
    if "guest" in parts:
        for smp in args.smp or SMP:
            guest.run(tally, arch, kernel, programs, smp, args.timeout, args.names)
    if "command" in parts:
        command.run(tally, arch, programs)
    if "recording" in parts:
        recording.run(tally, arch)
    if "shell" in parts:
        shell_pty.run(tally, arch)
    if "tools" in parts:
        tools.run(tally, arch)
    if "esbuild" in parts:
        esbuild.run(tally, arch)


def machine_parts(args, tally, parts):
    """Everything that boots machines."""
    import kernel_tests
    for arch in args.arch or ARCHES:
        start = time.monotonic()
        before = (tally.passed, tally.failed, tally.skipped)
        if "ktest" in parts:
            for smp in args.smp or SMP[-1:]:
                kernel_tests.run(tally, arch, smp, args.timeout, args.verbose)
        if parts & PROGRAM_PARTS:
            program_parts(args, tally, parts, arch)
        counts = (tally.passed - before[0], tally.failed - before[1], tally.skipped - before[2])
        print("{}: {} passed, {} failed, {} skipped ({:.0f} s)".format(arch, *counts, time.monotonic() - start),
              flush=True)


def main(args):
    parts = set()
    for p in args.only or PARTS:
        parts.update(p.split(","))
    if parts - set(PARTS):
        print(f"caelum: --only takes: {', '.join(PARTS)}", file=sys.stderr)
        return 2
    if args.names and not args.only:
        parts = {"guest"}
    os.chdir(ROOT)
    tally = Tally(args.verbose)
    if "lint" in parts:
        run_counted(tally, "lint", ["make", "--no-print-directory", "-s", "lint"])
    if "host" in parts:
        run_counted(tally, "host tests", ["make", "--no-print-directory", "-s", "-j2", "check"])
    if "fuzz" in parts:
        run_counted(tally, "fuzz smoke", ["make", "--no-print-directory", "-s", "-j2", "fuzz-smoke"])
    if "linux" in parts:
        linux_part(args, tally)
    if parts & (PROGRAM_PARTS | {"ktest"}):
        machine_parts(args, tally, parts)
    if "badboot" in parts:
        import badboot
        badboot.run(tally, args)
    if "pcidisks" in parts:
        import pcidisks
        pcidisks.run(tally, args)
    if "images" in parts:
        import images
        images.run(tally, args)
    if "machines" in parts:
        import machines
        machines.run(tally, args)
    if tally.failures:
        print("failed: " + "; ".join(tally.failures))
    print(f"{tally.passed} passed, {tally.failed} failed, {tally.skipped} skipped")
    return 1 if tally.failed else 0
