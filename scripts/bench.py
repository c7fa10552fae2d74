# SPDX-License-Identifier: MIT
"""caelum bench: what the kernel costs, beside what Debian's Linux costs in the same machine.

tests/bench is one static program of rows. It is booted on Caelum and on Linux with the same QEMU machine, memory,
CPUs and files, and the table shows both and their ratio. Rows of one CPU are counted in instructions (QEMU's
-icount, where a guest nanosecond is an instruction); loongarch64's Linux and everything with several CPUs is timed
by the clock, both kernels in turn several times, and the median of the pairs' ratios is shown.

  caelum bench                    the one-CPU rows of all architectures, beside Linux
  caelum bench --all              also rows of several CPUs, whole programs, image size, least memory, in 40 minutes
  caelum bench --gate             Caelum's instruction counts against tests/bench/baseline; status 1 when one grew
  caelum bench --profile ROW      the functions of the kernel that a row's instructions go to; with --markdown FILE the parts of its path
  caelum bench --fast-paths       the tables of docs/fast-paths anew
  caelum bench --update-baseline WHY    measure and write that file, with the reason

A row that gives no result on one side is shown as failed. Counts do not mind what else the machine does, so both sides are
counted at once; what is timed runs alone, and as often as its share of --minutes allows.
--json, --markdown and --svg write the results (scripts/benchreport.py).
"""
import datetime
import glob
import os
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time

from elfinfo import ARCHES

ROOT = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tests"))
BASELINE = os.path.join(ROOT, "tests/bench/baseline")
TIMED_LINUX = {"loongarch64"}       # its Linux has no instruction counts: by the clock, in pairs
SEVERAL_CPUS = ["par-*"]            # the number after @ is that of workers, or of the CPUs they have
PROGRAMS = ["prog-*", "pkg-*"]      # pkg-: the distribution's, from build/deps/programs
CPUS = 4                            # of the machine for rows of several CPUs
PACKAGED_FILES = ("lua5.4", "python3", "sqlite3", "tcc", "git", "strace")
PACKAGED_UNUSED = ("perl", "gconv", "libperl", "git-core", "systemd", "tmpfiles.d", "sasl2", "cmake", "pkgconfig")
TARGET = {"prog": 0.8, "pkg": 0.8, "par": 1}    # 0.5 for the others
GROWTH = 1.05
SLACK = 4                           # instructions by which a short row may differ
DEVICES = (("console", 5, 1), ("null", 1, 3), ("zero", 1, 5), ("random", 1, 8), ("urandom", 1, 9))
ICOUNT = ["-icount", "shift=0,sleep=off"]
MEMORY = 1 << 30
BOOT_LIMIT = 15000000               # instructions from the kernel's start to the program's first
IMAGE_LIMIT = 1 << 20
START_LIMIT_S = {"caelum": 20, "linux": 60}     # a machine with too little memory may hang
LEAST_TIME_MS = 50                  # of one measurement by the clock
BOOTS = 3                           # for rows that a machine has ended without a result for
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
    for path in glob.glob(usr + "/libexec/gcc/*/*/cc1"):
        archive.add_path("/bin/cc1", path)
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
        for name, major, minor in DEVICES:
            archive.add_device("/dev/" + name, 0o020666, major, minor)
        archive.add_data("/.bench-words", " ".join(words).encode())
        archive.add_data(caelum.RECORD, caelum.run_record("/bin/bench", ["/bin/bench"],
                                                          caelum.DEFAULT_ENV, "/"), 0o600)
        archive.finish()


def parse_rows(text):
    """{row: (value, unit) or (None, why)} of the program's lines."""
    rows = {}
    for line in text.split("\n"):
        m = re.fullmatch(r"((?:cpu:)?[\w@*-]+) (?:(-?\d+) (ns|bytes)|failed (.*))", line.strip())
        if m:
            rows[m.group(1)] = (int(m.group(2)), m.group(3)) if m.group(2) else (None, m.group(4))
    return rows


def cpu_ns(pid):
    """Time that all threads of a process have had a CPU of this machine."""
    total = 0
    for path in glob.glob(f"/proc/{pid}/task/*/schedstat"):
        try:
            with open(path, encoding="ascii") as f:
                total += int(f.read().split()[0])
        except OSError:
            pass            # the thread has ended
    return total


class Meter:
    """What the rows cost this machine: QEMU's CPU time between the program's marks, whatever else the machine does."""

    def __init__(self):
        self.begun = {}
        self.lines = []     # as the program would report them
        self.partial = ""

    def heard(self, pid, line):
        m = re.match(r"@([\w@-]+) (begin|end) (\d+)", line)
        if m and m.group(2) == "begin":
            self.begun[m.group(1)] = cpu_ns(pid)
        elif m and m.group(1) in self.begun:
            cost = (cpu_ns(pid) - self.begun[m.group(1)]) // int(m.group(3))
            self.lines.append(f"cpu:{m.group(1)} {cost} ns\n")

    def feed(self, pid, data):
        """The same for output that does not come in lines."""
        *lines, self.partial = (self.partial + data.decode("utf-8", "replace")).split("\n")
        for line in lines:
            self.heard(pid, line)


def run_caelum(arch, kernel, initrd, memory, smp, qemu_args, timeout, meter):
    """Return: what the program printed, and the Result of the machine."""
    import caelum
    import machine
    output = bytearray()
    m = machine.Machine(arch, kernel, initrd, f"caelum.frame=1 caelum.stdio=nss caelum.run={caelum.RECORD} quiet",
                        memory, smp, qemu_args)

    def sink(channel, data):
        if channel in ("o", "e"):
            output.extend(data)
            meter.feed(m.pid, data)
    result = m.run(sink, timeout=timeout)
    return output.decode("utf-8", "replace").replace("\r", ""), result


def complain(arch, result):
    """Say on standard error how Caelum's machine ended, if not well."""
    if result.status != 0:
        print(f"{arch}: Caelum did not end well (status {result.status}, "
              f"{'panic' if result.panicked else 'timeout' if result.timed_out else result.qemu_errors or 'no panic'})",
              file=sys.stderr)
        print(result.panic.decode("utf-8", "replace"), file=sys.stderr)


class Bench:
    """One architecture: how to boot either kernel with the benchmark."""

    def __init__(self, arch, args):
        import caelum
        import guest
        self.arch = arch
        self.timeout = args.timeout
        self.kernel = caelum.build(arch, args.config, args.verbose)
        self.programs = guest.build_programs(arch, "bench")
        if self.programs is None:
            raise caelum.Failure(f"{arch}: no libraries for user programs here")

    def boot(self, side, words, smp, qemu_args, memory, timeout, may_fail=False):
        """Boot @side ("caelum" or "linux") with these words for the program. Return: what it printed, and what rows cost."""
        import linuxvm
        meter = Meter()
        with tempfile.TemporaryDirectory(prefix="caelum-") as tmp:
            initrd = os.path.join(tmp, "initrd")
            write_initrd(initrd, self.arch, self.programs, words)
            if side == "linux":
                text = linuxvm.boot(self.arch, initrd, tmp, memory, smp, list(qemu_args), "/bin/bench", timeout, meter.heard)
            else:
                text, ended = run_caelum(self.arch, self.kernel, initrd, memory, smp, list(qemu_args), timeout, meter)
                if not may_fail:
                    complain(self.arch, ended)
        return text + "".join(meter.lines)

    def run(self, side, rows, smp=1, qemu_args=(), memory=MEMORY, timeout=None, options=()):
        """
        The rows on @side, in as many boots as it takes: a row that ends the machine does not take those after it along.
        Return: {row: (value, unit) or (None, why)}.
        """
        found, left = {}, list(rows)
        for _ in range(BOOTS):
            start = time.monotonic()
            settle = [] if side == "caelum" else ["-s", "3"]
            text = self.boot(side, [*settle, *options, *left], smp, qemu_args, memory, timeout or self.timeout)
            self.log(side, f"# {time.monotonic() - start:.1f} s, {smp} CPUs, {memory >> 20} MiB\n{text}")
            found.update(parse_rows(text))
            left = [row for row in left if row not in found]
            if not left or "bench done" in text:
                break
            found[left.pop(0)] = (None, "the machine ended or hung")
        names = [*rows, *(n for n in found if n.startswith("cpu:")), "reset-to-main", "boot-to-main"]
        return {row: found.get(row, (None, "no result")) for row in names}

    def log(self, side, text):
        os.makedirs(os.path.join(ROOT, "build/bench"), exist_ok=True)
        with open(os.path.join(ROOT, "build/bench", f"{self.arch}-{side}.log"), "a", encoding="utf-8") as f:
            f.write(text)

    def starts(self, side, memory):
        """Whether the kernel comes up with that much memory and runs a row."""
        if memory < 1 << 20:
            return False
        words = ["null"] if side == "caelum" else ["-s", "1", "null"]
        text = self.boot(side, words, 1, (), memory, START_LIMIT_S[side], may_fail=True)
        return parse_rows(text).get("null", (None,))[0] is not None

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


def on_both(measure):
    """measure(side) for both sides at the same time. Return: Caelum's result, Linux's."""
    linux = []
    thread = threading.Thread(target=lambda: linux.append(measure("linux")), daemon=True)
    thread.start()
    caelum = measure("caelum")      # here: a machine's console looks after signals, which only the main thread may
    thread.join()
    return caelum, linux[0]


def compare_counted(bench, rows):
    """Both kernels once, in instructions."""
    caelum, linux = on_both(lambda side: bench.run(side, rows, qemu_args=ICOUNT))
    return [result(row, "instructions", caelum[row], linux[row]) for row in [*rows, "reset-to-main"]]


def median(values):
    good = [v for v in values if v[0] is not None]
    return (int(statistics.median(v[0] for v in good)), good[0][1]) if good else values[0]


def pairs_within(bench, rows, smp, pairs, until):
    """Both kernels in turn, up to @pairs times, the first whatever the time. Return: two lists of what run() gave."""
    caelum, linux = [], []
    options = ["-t", str(LEAST_TIME_MS)]
    for _ in range(pairs):
        start = time.monotonic()
        caelum.append(bench.run("caelum", rows, smp, options=options))
        linux.append(bench.run("linux", rows, smp, options=options))
        if 2 * time.monotonic() - start > until:
            break
    return caelum, linux


def median_ratio(ratios):
    """The median of those there are, or None."""
    good = [r for r in ratios if r is not None]
    return statistics.median(good) if good else None


def quotient(a, b):
    return a[0] / b[0] if a[0] is not None and b[0] else None


def cost(run, row):
    """A row's CPU time if it was metered; what yields no time, as it is."""
    return run.get("cpu:" + row, run[row])


def compare_timed(bench, rows, pairs, until):
    """One CPU, by the CPU time that QEMU takes for a round; the ratio is the median of the pairs' ratios."""
    caelum, linux = pairs_within(bench, rows, 1, pairs, until)
    results = []
    for row in rows:
        r = result(row, f"CPU time, {len(caelum)} pairs", median([cost(c, row) for c in caelum]), median([cost(x, row) for x in linux]))
        r["ratio"] = median_ratio([quotient(cost(c, row), cost(x, row)) for c, x in zip(caelum, linux)])
        results.append(r)
    return results


def compare_parallel(bench, rows, pairs, until):
    """Several CPUs, by the clock; then how the rows scale."""
    caelum, linux = pairs_within(bench, rows, CPUS, pairs, until)
    results = []
    for row in rows:
        r = result(row, f"clock, {len(caelum)} pairs", median([c[row] for c in caelum]), median([x[row] for x in linux]))
        r["ratio"] = median_ratio([quotient(c[row], x[row]) for c, x in zip(caelum, linux)])
        results.append(r)
    for row in rows:
        if row.endswith(f"@{CPUS}"):
            results += [scaling(row, caelum, linux), overhead(row, caelum, linux)]
    return results


def relation(row, name, above, below, caelum, linux, less_is_better):
    """A row that says how two rows of one side, above(run) and below(run), are related, on either side."""
    sides = [[quotient(above(run), below(run)) for run in runs] for runs in (caelum, linux)]
    shown = [(median_ratio(s), "times" if median_ratio(s) else "no result of its rows") for s in sides]
    r = result(row.replace("@", f"-{name}@"), f"{len(caelum)} pairs", *shown)
    r["ratio"] = median_ratio([(c / x if less_is_better else x / c) if c and x else None for c, x in zip(*sides)])
    return r


def scaling(row, caelum, linux):
    """
    How many times the work that one worker does all of them do in the same time, which needs as many CPUs that are idle. The ratio is
    Linux's to Caelum's: as with cost, less is better.
    """
    one = row.replace(f"@{CPUS}", "@1")
    return relation(row, "scaling", lambda run: run.get(one, (None,)), lambda run: run[row], caelum, linux, False)


def overhead(row, caelum, linux):
    """How many times the CPU time that a round takes with one worker it takes with all. Busy machines do not matter to it."""
    one = row.replace(f"@{CPUS}", "@1")
    return relation(row, "overhead", lambda run: run.get("cpu:" + row, (None,)), lambda run: run.get("cpu:" + one, (None,)),
                    caelum, linux, True)


def compare_sizes(bench):
    import linuxvm
    image = os.path.getsize(os.path.join(bench.kernel, "Image"))
    linux = os.path.getsize(os.path.join(linuxvm.LINUX, bench.arch, "vmlinuz"))
    yield result("image-size", "size", (image, "bytes"), (linux, "bytes"))
    least = on_both(bench.least_memory)
    yield result("least-memory", "size", *((v, "bytes" if v else "does not start") for v in least))


def compare(bench, rows, pairs, until):
    """Rows of one CPU, in the way that the architecture allows."""
    if not rows:
        return []
    if bench.arch in TIMED_LINUX:
        return compare_timed(bench, rows, pairs, until)
    return compare_counted(bench, rows)


def without_boot(results):
    return [r for r in results if r["row"] != "reset-to-main"]


def one_cpu(names):
    """The rows that are neither whole programs nor of several CPUs."""
    others = select(names, SEVERAL_CPUS + PROGRAMS)
    return [n for n in names if n not in others]


def asked(args, names, always=False):
    """Those of @names that are wanted: all of them, or those that --rows names."""
    if args.rows:
        return select(names, args.rows)
    return names if args.all or always else []


def measure_arch(arch, args, until):
    """
    Everything asked for of one architecture: a list of results. @until: when it should be done; what is timed is
    repeated less often rather than later. How long each kind takes goes to standard error.
    """
    bench = Bench(arch, args)
    several = asked(args, select(args.names, SEVERAL_CPUS))
    programs = asked(args, select(args.names, PROGRAMS))
    kinds = [("one CPU", lambda end: compare(bench, asked(args, one_cpu(args.names), True), args.pairs, end)),
             ("sizes", lambda end: list(compare_sizes(bench)) if args.all else []),
             ("programs", lambda end: without_boot(compare(bench, programs, 1, end))),
             ("several CPUs", lambda end: compare_parallel(bench, several, args.pairs, end) if several else [])]
    results = []
    for name, measure in kinds:
        start = time.monotonic()
        found = measure(until if name == "several CPUs" else start + (until - start) / 3)
        results += found
        if found:
            print(f"{arch}: {name}: {len(found)} rows in {time.monotonic() - start:.0f} s", file=sys.stderr, flush=True)
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
        for row, value in bench.run("caelum", asked(args, one_cpu(args.names), True), qemu_args=ICOUNT).items():
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


def measure(args):
    """All that is asked for, shown and written after each architecture."""
    import benchreport
    arches = args.arch or list(ARCHES)
    start = time.monotonic()
    report = {**benchreport.facts(arches), "results": {}}
    for i, arch in enumerate(arches):
        now = time.monotonic()
        share = (start + 60 * args.minutes - now) / (len(arches) - i)
        report["results"][arch] = measure_arch(arch, args, now + share)
        report["seconds"] = int(time.monotonic() - start)
        benchreport.print_table(arch, report["results"][arch])
        benchreport.write(args, report)
    print(f"bench: {report['seconds']} s", file=sys.stderr)


def main(args):
    import benchreport
    import guest
    import linuxvm
    if args.from_json:
        report = benchreport.read(args.from_json)
        for arch, results in report["results"].items():
            benchreport.print_table(arch, results)
        benchreport.write(args, report)
        return 0
    args.names = all_rows(guest.build_programs(os.uname().machine, "bench"))
    if args.profile or args.fast_paths:
        import fastpaths
        import rowprofile
        benches = [Bench(arch, args) for arch in args.arch or ARCHES]
        if args.fast_paths:
            fastpaths.update(benches, args.names)
        elif args.markdown:
            with open(args.markdown, "w", encoding="utf-8") as f:
                f.write("\n".join(fastpaths.tables(benches, args.profile, args.names).values()))
        else:
            for b in benches:
                rowprofile.profile(b, args.profile, args.rounds)
        return 0
    if args.gate:
        return gate(args)
    if args.update_baseline:
        return update_baseline(args)
    linuxvm.fetch()
    if asked(args, select(args.names, ["pkg-*"])):
        fetch_programs()
    measure(args)
    return 0
