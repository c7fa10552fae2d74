# SPDX-License-Identifier: MIT
"""caelum bench: what the kernel costs, beside what Debian's Linux costs in the same machine.

tests/bench is one static program of rows. It is booted on Caelum and on Linux with the same QEMU machine, memory,
CPUs and files, and the table shows both and their ratio. Rows of one CPU are counted in instructions (QEMU's
-icount, where a guest nanosecond is an instruction); loongarch64's Linux and everything with several CPUs is timed
by the clock, both kernels in turn several times, and the median of the pairs is shown.

  caelum bench                    the one-CPU rows of all architectures, beside Linux
  caelum bench --all              also rows of several CPUs, whole programs, image size, least memory
  caelum bench --gate             Caelum's instruction counts against tests/bench/baseline; status 1 when one grew
  caelum bench --profile ROW      the functions of the kernel that a row's instructions go to
  caelum bench --update-baseline WHY    measure and write that file, with the reason

A row that gives no result on one side is shown as failed. --json, --markdown and --svg write the results.
"""
import datetime
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time

from elfinfo import ARCHES

ROOT = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tests"))
BASELINE = os.path.join(ROOT, "tests/bench/baseline")
TIMED_LINUX = {"loongarch64"}       # its Linux has no instruction counts: by the clock, in pairs
ONE_CPU = ["null", "clock_gettime", "clock_gettime-call", "read1", "write1", "signal-*", "yield", "select-100", "stat",
           "fstat", "open-close", "create-unlink", "tmpfs-*", "mmap-touch-unmap", "*-fault", "mprotect", "fork-*",
           "vfork-*", "sh-c", "thread-create-join", "idle-1000-memory", "pipe-*", "unix-*", "eventfd", "epoll-*",
           "futex-ping-pong", "yield-switch", "switch-*", "hackbench-pipe@1", "hackbench-unix@1", "call-unprobed",
           "uprobe-hit", "uretprobe-hit", "kprobe-hit"]
SEVERAL_CPUS = ["hackbench-pipe@4", "hackbench-unix@4", "par-*"]
PROGRAMS = ["prog-*"]
PACKAGED = ["pkg-*"]                # programs of the distribution, from build/deps/programs
PACKAGED_FILES = ("lua5.4", "python3", "sqlite3", "tcc", "git", "strace")
PACKAGED_UNUSED = ("perl", "gconv", "libperl", "git-core", "systemd", "tmpfiles.d", "sasl2", "cmake", "pkgconfig")
TARGET = {"prog": 0.8, "pkg": 0.8}
GROWTH = 1.05
SLACK = 4                           # instructions by which a short row may differ
ICOUNT = ["-icount", "shift=0,sleep=off"]
MEMORY = 1 << 30
BOOT_LIMIT = 15000000               # instructions from the kernel's start to the program's first
IMAGE_LIMIT = 1 << 20
START_LIMIT_S = {"caelum": 20, "linux": 60}     # a machine with too little memory may hang
LEAST_STEP = {"caelum": 1 << 20, "linux": 8 << 20}
LEAST_START = {"caelum": 8, "linux": 24}        # steps that are tried first


# ---- running -------------------------------------------------------------------------------------


def all_rows(programs):
    """The rows the benchmark has, asked of this machine's build of it."""
    done = subprocess.run([os.path.join(programs, "bench"), "-l"], capture_output=True, text=True, check=True)
    return done.stdout.split()


def select(names, patterns):
    """The names that a pattern (with * at either end) stands for, in the order of the program."""
    res = [re.compile(re.escape(p).replace(r"\*", ".*")) for p in patterns]
    return [n for n in names if any(r.fullmatch(n) for r in res)]


def fetch_programs():
    subprocess.run([os.path.join(ROOT, "scripts/bootstrap"), "--programs"], check=False)


def add_packaged(archive, arch):
    """The distribution's programs and what they load. One that could not be had is missed by its row."""
    import caelum
    usr = os.path.join(caelum.DEPS, "programs", arch, "usr")
    if not os.path.isdir(usr):
        return
    for name in sorted(os.listdir(usr + "/bin")):
        if name.startswith(PACKAGED_FILES):
            archive.add_path("/bin/" + name, f"{usr}/bin/{name}")
    if os.path.exists(usr + "/bin/find"):   # /bin/find is busybox's
        archive.add_path("/bin/debian-find", usr + "/bin/find")
    for lib in ("lib", "lib64"):
        if os.path.isdir(f"{usr}/{lib}"):
            archive.add_link("/" + lib, "usr/" + lib)
            add_libraries(archive, f"/usr/{lib}", f"{usr}/{lib}")


def add_libraries(archive, name, path):
    archive.add_dir(name)
    for entry in sorted(os.listdir(path)):
        if entry.startswith(PACKAGED_UNUSED):
            continue
        if entry.endswith("-linux-gnu") and os.path.isdir(f"{path}/{entry}"):
            add_libraries(archive, f"{name}/{entry}", f"{path}/{entry}")
        else:
            archive.add_path(f"{name}/{entry}", f"{path}/{entry}")


def write_initrd(path, arch, programs, words):
    import caelum
    from mkcpio import Archive
    with open(path, "wb") as f:
        archive = Archive(f)
        caelum.add_busybox(archive, arch)
        if any(w.startswith("pkg-") for w in words):
            add_packaged(archive, arch)
        archive.add_file("/bin/bench", os.path.join(programs, "bench"), 0o755)
        for d in ("/proc", "/dev", "/tmp"):
            archive.add_dir(d)
        for name, major, minor in (("console", 5, 1), ("null", 1, 3), ("zero", 1, 5)):
            archive.add_device("/dev/" + name, 0o020666, major, minor)
        archive.add_data("/.bench-words", " ".join(words).encode())
        archive.add_data(caelum.RECORD, caelum.run_record("/bin/bench", ["/bin/bench"],
                                                          caelum.DEFAULT_ENV, "/"), 0o600)
        archive.finish()


def parse_rows(text):
    """{row: (value, unit) or (None, why)} of the program's lines."""
    rows = {}
    for line in text.split("\n"):
        m = re.fullmatch(r"([\w@*-]+) (?:(-?\d+) (ns|bytes)|failed (.*))", line.strip())
        if m:
            rows[m.group(1)] = (int(m.group(2)), m.group(3)) if m.group(2) else (None, m.group(4))
    return rows


def run_caelum(arch, kernel, initrd, memory, smp, qemu_args, timeout):
    """Return: what the program printed."""
    import caelum
    import machine
    output = bytearray()
    m = machine.Machine(arch, kernel, initrd, f"caelum.frame=1 caelum.stdio=nss caelum.run={caelum.RECORD} quiet",
                        memory, smp, qemu_args)
    result = m.run(lambda channel, data: output.extend(data) if channel in ("o", "e") else None, timeout=timeout)
    text = output.decode("utf-8", "replace").replace("\r", "")
    if result.status != 0:
        print(f"{arch}: Caelum did not end well (status {result.status}, "
              f"{'panic' if result.panicked else 'timeout' if result.timed_out else result.qemu_errors or 'no panic'})",
              file=sys.stderr)
        print(result.panic.decode("utf-8", "replace"), file=sys.stderr)
    return text


class Bench:
    """One architecture: how to boot either kernel with the benchmark."""

    def __init__(self, arch, args):
        import caelum
        import guest
        self.arch = arch
        self.timeout = args.timeout
        self.kernel = caelum.build(arch, args.config, args.verbose)
        self.programs = guest.build_programs(arch)
        if self.programs is None:
            raise caelum.Failure(f"{arch}: no libraries for user programs here")

    def run(self, side, rows, smp=1, qemu_args=(), memory=MEMORY, timeout=None):
        """Boot @side ("caelum" or "linux") with these rows. Return: {row: (value, unit) or (None, why)}."""
        import linuxvm
        timeout = timeout or self.timeout
        with tempfile.TemporaryDirectory(prefix="caelum-") as tmp:
            initrd = os.path.join(tmp, "initrd")
            words = rows if side == "caelum" else ["-s", "3", *rows]
            write_initrd(initrd, self.arch, self.programs, words)
            if side == "caelum":
                text = run_caelum(self.arch, self.kernel, initrd, memory, smp, list(qemu_args), timeout)
            else:
                text = linuxvm.boot(self.arch, initrd, tmp, memory, smp, list(qemu_args), "/bin/bench", timeout)
        found = parse_rows(text)
        self.log(side, text)
        return {row: found.get(row, (None, "no result")) for row in [*rows, "reset-to-main", "boot-to-main"]}

    def log(self, side, text):
        os.makedirs(os.path.join(ROOT, "build/bench"), exist_ok=True)
        with open(os.path.join(ROOT, "build/bench", f"{self.arch}-{side}.log"), "a", encoding="utf-8") as f:
            f.write(text)

    def starts(self, side, memory):
        """Whether the kernel comes up with that much memory and runs a row."""
        if memory < 1 << 20:
            return False
        return self.run(side, ["null"], memory=memory, timeout=START_LIMIT_S[side])["null"][0] is not None

    def least_memory(self, side):
        """Bytes, in steps: twice as much until it starts, then bisection."""
        step = LEAST_STEP[side]
        low, high = 0, LEAST_START[side]
        while not self.starts(side, high * step):
            if high * step >= MEMORY:
                return None
            low, high = high, 2 * high
        while high - low > 1:
            mid = (low + high) // 2
            if self.starts(side, mid * step):
                high = mid
            else:
                low = mid
        return high * step


# ---- results -------------------------------------------------------------------------------------


def result(row, how, caelum, linux):
    """A line of the table as a dictionary. @caelum, @linux: (value, unit) or (None, why)."""
    ratio = caelum[0] / linux[0] if caelum[0] is not None and linux[0] else None
    return {"row": row, "how": how, "unit": caelum[1] if caelum[0] is not None else linux[1],
            "caelum": caelum[0], "linux": linux[0], "ratio": ratio,
            "target": TARGET.get(row.split("-")[0], 0.5),
            "why": "; ".join(f"{n}: {v[1]}" for n, v in (("Caelum", caelum), ("Linux", linux)) if v[0] is None)}


def compare_counted(bench, rows):
    """Both kernels once, in instructions."""
    caelum = bench.run("caelum", rows, qemu_args=ICOUNT)
    linux = bench.run("linux", rows, qemu_args=ICOUNT)
    return [result(row, "instructions", caelum[row], linux[row]) for row in [*rows, "reset-to-main"]]


def median(values):
    good = [v for v in values if v[0] is not None]
    return (int(statistics.median(v[0] for v in good)), good[0][1]) if good else values[0]


def compare_timed(bench, rows, smp, pairs):
    """Both kernels in turn, by the clock; the ratio is the median of the pairs' ratios."""
    caelum, linux = [], []
    for _ in range(pairs):
        caelum.append(bench.run("caelum", rows, smp))
        linux.append(bench.run("linux", rows, smp))
    results = []
    for row in rows:
        r = result(row, f"clock, {smp} CPU{'s' if smp > 1 else ''}", median([c[row] for c in caelum]),
                   median([x[row] for x in linux]))
        ratios = [c[row][0] / x[row][0] for c, x in zip(caelum, linux) if c[row][0] is not None and x[row][0]]
        if ratios:
            r["ratio"] = statistics.median(ratios)
        results.append(r)
    return results


def compare_sizes(bench):
    import linuxvm
    image = os.path.getsize(os.path.join(bench.kernel, "Image"))
    linux = os.path.getsize(os.path.join(linuxvm.LINUX, bench.arch, "vmlinuz"))
    yield result("image-size", "size", (image, "bytes"), (linux, "bytes"))
    least = {side: bench.least_memory(side) for side in LEAST_STEP}
    yield result("least-memory", "size", *((v, "bytes" if v else "does not start") for v in least.values()))


def compare(bench, rows, pairs):
    """Rows of one CPU, in the way that the architecture allows."""
    if not rows:
        return []
    if bench.arch in TIMED_LINUX:
        return compare_timed(bench, rows, 1, pairs)
    return compare_counted(bench, rows)


def without_boot(results):
    return [r for r in results if r["row"] != "reset-to-main"]


def asked(args, kinds, always=False):
    """The rows of @kinds that are wanted: all of them, or those that --rows names."""
    if args.rows:
        wanted = select(args.names, args.rows)
        return [n for n in select(args.names, kinds) if n in wanted]
    return select(args.names, kinds) if args.all or always else []


def measure_arch(arch, args):
    """Everything asked for of one architecture: a list of results. How long each kind takes goes to standard error."""
    bench = Bench(arch, args)
    several = asked(args, SEVERAL_CPUS)
    kinds = [("one CPU", lambda: compare(bench, asked(args, ONE_CPU, True), args.pairs)),
             ("programs", lambda: without_boot(compare(bench, asked(args, PROGRAMS), 1))),
             ("packaged programs", lambda: without_boot(compare(bench, asked(args, PACKAGED), 1))),
             ("several CPUs", lambda: compare_timed(bench, several, 4, args.pairs) if several else []),
             ("sizes", lambda: list(compare_sizes(bench)) if args.all else [])]
    results = []
    for name, measure in kinds:
        start = time.monotonic()
        found = measure()
        results += found
        if found:
            print(f"{arch}: {name}: {len(found)} rows in {time.monotonic() - start:.0f} s", file=sys.stderr)
    return results


# ---- the gate ------------------------------------------------------------------------------------


def read_baseline():
    """{(arch, row): instructions} and the reasons, as lines."""
    counts, reasons = {}, []
    try:
        with open(BASELINE, encoding="utf-8") as f:
            for line in f:
                words = line.split()
                if line.startswith("# 2"):
                    reasons.append(line.rstrip())
                elif len(words) == 3 and words[0] in ARCHES:
                    counts[words[0], words[1]] = int(words[2])
    except FileNotFoundError:
        pass
    return counts, reasons


def write_baseline(counts, reasons):
    with open(BASELINE, "w", encoding="utf-8") as f:
        f.write("# SPDX-License-Identifier: MIT\n"
                "# Instructions per round of each row of tests/bench, for caelum bench --gate: a row that grows by more\n"
                "# than 5 % fails. Written by caelum bench --update-baseline WHY; the reasons so far:\n")
        f.write("".join(f"{line}\n" for line in reasons))
        for arch, row in sorted(counts, key=lambda k: (ARCHES.index(k[0]), k[1])):
            f.write(f"{arch} {row} {counts[arch, row]}\n")


def count_rows(args):
    """{(arch, row): value or None} of Caelum alone, in instructions."""
    counts = {}
    for arch in args.arch or ARCHES:
        bench = Bench(arch, args)
        for row, value in bench.run("caelum", select(args.names, args.rows or ONE_CPU), qemu_args=ICOUNT).items():
            if row != "reset-to-main":
                counts[arch, row] = value[0]
        counts[arch, "image-size"] = os.path.getsize(os.path.join(bench.kernel, "Image"))
    return counts


def gate(args):
    """Compare with the baseline; one line for what differs. Return: the status."""
    baseline, _ = read_baseline()
    counts = count_rows(args)
    worse = 0
    for key, value in counts.items():
        old = baseline.get(key)
        limit = {"boot-to-main": BOOT_LIMIT, "image-size": IMAGE_LIMIT}.get(key[1])
        if old is not None and (value is None or value > old * GROWTH + SLACK):
            worse += 1
            print(f"{key[0]:12} {key[1]:20} {old} -> {value if value is not None else 'failed'}")
        elif limit and value is not None and value > limit:
            worse += 1
            print(f"{key[0]:12} {key[1]:20} {value} is over {limit}")
    new = [k for k, v in counts.items() if v is not None and k not in baseline]
    if new:
        print(f"not in tests/bench/baseline: {len(new)} rows, e.g. {' '.join(new[0])}")
    print(f"bench: {len(counts) - worse} rows within the baseline, {worse} not")
    return 1 if worse else 0


def update_baseline(args):
    counts, reasons = read_baseline()
    counts.update({k: v for k, v in count_rows(args).items() if v is not None})
    write_baseline(counts, reasons + [f"# {datetime.date.today()} {args.update_baseline}"])
    return 0


# ---- what is shown -------------------------------------------------------------------------------


def shown(value):
    return "failed" if value is None else f"{value:,}"


def verdict(r):
    if r["ratio"] is None:
        return r["why"]
    return "" if r["ratio"] <= r["target"] else f"above {r['target']}"


def print_table(arch, results):
    print(f"\n{arch:24} {'Caelum':>14} {'Linux':>14} {'ratio':>6}")
    for r in results:
        ratio = "" if r["ratio"] is None else f"{r['ratio']:.2f}"
        print(f"  {r['row']:22} {shown(r['caelum']):>14} {shown(r['linux']):>14} {ratio:>6}  "
              f"{r['unit'] if r['how'] == 'size' or r['unit'] == 'bytes' else r['how']:14} {verdict(r)}")
    sys.stdout.flush()


def facts(arches):
    import linuxvm
    git = subprocess.run(["git", "-C", ROOT, "describe", "--always", "--dirty"], capture_output=True, text=True,
                         check=False).stdout.strip()
    qemu = subprocess.run(["qemu-system-x86_64", "--version"], capture_output=True, text=True,
                          check=False).stdout.split("\n")[0]
    return {"date": str(datetime.date.today()), "caelum": git, "qemu": qemu,
            "linux": {a: linuxvm.version(a) for a in arches}}


def markdown(report):
    """The table of the documentation: a row of the benchmark a line, three columns an architecture."""
    arches = list(report["results"])
    rows = {}
    for arch in arches:
        for r in report["results"][arch]:
            rows.setdefault(r["row"], {})[arch] = r
    out = ["| row | " + " | ".join(f"{a} Caelum | Linux | ratio" for a in arches) + " |",
           "|---|" + "--:|--:|--:|" * len(arches)]
    for row, by_arch in rows.items():
        cells = []
        for arch in arches:
            r = by_arch.get(arch)
            if r is None:
                cells += ["", "", ""]
                continue
            ratio = "" if r["ratio"] is None else f"{r['ratio']:.2f}"
            cells += [shown(r["caelum"]), shown(r["linux"]),
                      f"**{ratio}**" if ratio and r["ratio"] > r["target"] else ratio]
        out.append(f"| {row} | " + " | ".join(cells) + " |")
    return "\n".join(out) + "\n"


def svg(report):
    """A bar for each row: the median over the architectures of Caelum's share of Linux's cost."""
    ratios = {}
    for results in report["results"].values():
        for r in results:
            if r["ratio"] is not None:
                ratios.setdefault(r["row"], []).append(r["ratio"])
    width, left, bar = 400, 170, 16
    height = 40 + bar * len(ratios)
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + width + 60}" height="{height}" '
           'font-family="sans-serif" font-size="11">',
           f'<text x="{left}" y="14">cost as a share of Linux\'s (shorter is better)</text>']
    for share in (0, 0.5, 1):
        x = left + width * share / 1.2
        out.append(f'<line x1="{x:.0f}" y1="20" x2="{x:.0f}" y2="{height - 16}" stroke="#bbb"/>'
                   f'<text x="{x:.0f}" y="{height - 4}" text-anchor="middle">{share:g}</text>')
    for i, (row, values) in enumerate(ratios.items()):
        value, y = statistics.median(values), 24 + bar * i
        out.append(f'<text x="{left - 6}" y="{y + 10}" text-anchor="end">{row}</text>'
                   f'<rect x="{left}" y="{y}" width="{width * min(value, 1.2) / 1.2:.0f}" height="{bar - 4}" '
                   f'fill="{"#2a7" if value <= 0.5 else "#c83"}"/>'
                   f'<text x="{left + width * min(value, 1.2) / 1.2 + 4:.0f}" y="{y + 10}">{value:.2f}</text>')
    return "\n".join(out + ["</svg>"]) + "\n"


def write_reports(args, report):
    for path, text in ((args.json, json.dumps(report, indent=1) + "\n"), (args.markdown, markdown(report)),
                       (args.svg, svg(report))):
        if path:
            with open(path, "w", encoding="utf-8") as f:
                f.write(text)


def from_json(path):
    with open(path, encoding="utf-8") as f:
        return json.load(f)


def main(args):
    import guest
    import linuxvm
    if args.from_json:
        report = from_json(args.from_json)
        for arch, results in report["results"].items():
            print_table(arch, results)
        write_reports(args, report)
        return 0
    if args.profile:
        import rowprofile
        for arch in args.arch or ARCHES:
            rowprofile.profile(Bench(arch, args), args.profile, args.rounds)
        return 0
    host = guest.build_programs(os.uname().machine)
    args.names = all_rows(host)
    if args.gate:
        return gate(args)
    if args.update_baseline:
        return update_baseline(args)
    linuxvm.fetch()
    if asked(args, PACKAGED):
        fetch_programs()
    arches = args.arch or list(ARCHES)
    report = {**facts(arches), "results": {}}
    for arch in arches:
        report["results"][arch] = measure_arch(arch, args)
        print_table(arch, report["results"][arch])
        write_reports(args, report)
    return 0
