# SPDX-License-Identifier: MIT
"""The tables of docs/fast-paths: where the instructions of a row go, by parts of its path.

Which function or file counts to which part is said in docs/fast-paths/parts. In a page a table stands between `<!-- row NAME -->`
and `<!-- end -->`.

  caelum bench --fast-paths                             write all tables anew, counted on all architectures
  caelum bench --profile ROW[,ROW] --markdown FILE      such tables of these rows in FILE
"""
import fnmatch
import glob
import os
import re

import bench
import rowprofile

PAGES = os.path.join(bench.ROOT, "docs/fast-paths")
TABLE = re.compile(r"(<!-- row (\S+) -->\n)(.*?)(<!-- end -->)", re.S)
TOTAL = "**in all**"
OTHERS = "all else"
LEAST_SHARE = 0.01                  # a part that is less than that everywhere has no line of its own
EITHER_OF_TWO = {"unix-bandwidth-64k"}      # by which of both sides a tick stops


class Parts:
    """The committed table: the names of the parts in order, which are the floor, and what belongs to them."""

    def __init__(self):
        self.names, self.floor, self.words = [], set(), []
        with open(os.path.join(PAGES, "parts"), encoding="utf-8") as f:
            for line in f:
                if line.startswith("#"):
                    continue
                name, words = line.rsplit(": ", 1)
                self.names.append(name.removeprefix("+ "))
                self.words += [(word, self.names[-1]) for word in words.split()]
                if line.startswith("+ "):
                    self.floor.add(self.names[-1])

    def part(self, function, file):
        for text, slash in ((function, False), (file, True)):
            for word, part in self.words:
                if ("/" in word) == slash and fnmatch.fnmatchcase(text, word):
                    return part
        return OTHERS

    def count(self, profile):
        """{part: instructions a round}."""
        counts = dict.fromkeys([*self.names, OTHERS], 0)
        for index, n in profile.functions().items():
            counts[self.part(profile.kernel.name(index), profile.kernel.file(index))] += n / profile.rounds
        return counts


def line(name, values):
    return f"| {name} | " + " | ".join(f"{v:,}" for v in values) + " |\n"


def fold(values, rest):
    """Add to the largest of @values what rounding has lost."""
    i = values.index(max(values))
    return values[:i] + [values[i] + rest] + values[i + 1:]


def table(parts, row, counts):
    """The table of a row; its lines add up to its total. @counts: {architecture: {part: instructions}}."""
    totals = [round(sum(c.values())) for c in counts.values()]
    floors = [round(sum(c[p] for p in parts.floor)) for c in counts.values()]
    shown = [p for p in parts.names if any(c[p] >= max(1, LEAST_SHARE * t) for c, t in zip(counts.values(), totals))]
    columns = [[round(c[p]) for p in shown] for c in counts.values()]
    rest = [t - sum(column) for t, column in zip(totals, columns)]
    if max(abs(r) for r in rest) < 3:
        columns, rest = [fold(column, r) for column, r in zip(columns, rest)], []
    text = f"| `{row}` | " + " | ".join(counts) + " |\n|---|" + "--:|" * len(counts) + "\n"
    text += "".join(line(f"*{p}*" if p in parts.floor else p, values) for p, *values in zip(shown, *columns))
    return text + (line(OTHERS, rest) if rest else "") + line(TOTAL, totals) + line("*floor*", floors)


def tables(benches, names, order):
    """
    {row: its table}. @benches: of the architectures. Each boots once, and once more where the boot itself is counted. The rows run
    in the program's @order, since probes stay in the kernel until its end.
    """
    parts, counts = Parts(), {name: {} for name in names}
    boots = [[n for n in (rowprofile.BOOT,) if n in names], [n for n in order if n in names]]
    for b in benches:
        for boot in filter(None, boots):
            for profile in rowprofile.count(b, [rowprofile.Row(name) for name in boot]):
                counts[profile.row][b.arch] = parts.count(profile)
    return {name: table(parts, name, counts[name]) for name in names if counts[name]}


def pages():
    """(path, text) of each page."""
    for path in sorted(glob.glob(os.path.join(PAGES, "*.md"))):
        with open(path, encoding="utf-8") as f:
            yield path, f.read()


def update(benches, order):
    """Write the tables of all pages anew."""
    found = list(pages())
    new = tables(benches, list(dict.fromkeys(m.group(2) for _, text in found for m in TABLE.finditer(text))), order)
    for path, text in found:
        with open(path, "w", encoding="utf-8") as f:
            f.write(TABLE.sub(lambda m: m.group(1) + new[m.group(2)] + m.group(4), text))


def check():
    """For scripts/lint.py: a line for each total that is not tests/bench/baseline's, to 5 %."""
    baseline, _ = bench.read_baseline()
    for path, text in pages():
        for m in TABLE.finditer(text):
            lines = {cells[1].strip(): cells[2:-1] for cells in (t.split("|") for t in m.group(3).strip().split("\n")) if len(cells) > 3}
            for arch, total in zip(lines.get(f"`{m.group(2)}`", []), lines.get(TOTAL, [])):
                old = baseline.get((arch.strip(), m.group(2)))
                value = int(total.replace(",", ""))
                if old and m.group(2) not in EITHER_OF_TWO and abs(value - old) > (bench.GROWTH - 1) * old + bench.SLACK:
                    yield (f"{os.path.relpath(path, bench.ROOT)}: {m.group(2)} on {arch.strip()}: {value}, in tests/bench/baseline {old} "
                           "(caelum bench --fast-paths)")
