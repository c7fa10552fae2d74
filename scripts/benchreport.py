# SPDX-License-Identifier: MIT
"""What caelum bench shows of its results: the table on the terminal, and JSON, Markdown and a chart in files.

A report is a dictionary: date, versions, how long it took, and under "results" for each architecture a list of what bench.result()
made. All forms are made of the same report, so --from-json draws an earlier one again.
"""
import datetime
import json
import os
import statistics
import subprocess
import sys

import linuxvm

ROOT = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
COLORS = {True: "#2a7", False: "#c83"}          # within the target, above it


def output_of(*command):
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


def facts(arches):
    """Date and versions."""
    return {"date": str(datetime.date.today()), "caelum": output_of("git", "-C", ROOT, "describe", "--always", "--dirty"),
            "qemu": output_of("qemu-system-x86_64", "--version").split("\n", maxsplit=1)[0],
            "linux": {a: linuxvm.version(a) for a in arches}}


def shown(r, side):
    value = r[side]
    if value is None:
        return "failed"
    return f"{value:.2f}" if r["unit"] == "times" else f"{value:,}"


def ratio(r):
    return "" if r["ratio"] is None else f"{r['ratio']:.2f}"


def within(r):
    return r["ratio"] is not None and r["ratio"] <= r["target"]


def verdict(r):
    if r["ratio"] is None:
        return r["why"]
    return "" if within(r) else f"above {r['target']}"


def print_table(arch, results):
    print(f"\n{arch:28} {'Caelum':>14} {'Linux':>14} {'ratio':>6}")
    for r in results:
        print(f"  {r['row']:26} {shown(r, 'caelum'):>14} {shown(r, 'linux'):>14} {ratio(r):>6}  "
              f"{r['how'] if r['unit'] == 'ns' else r['unit']:14} {verdict(r)}")
    sys.stdout.flush()


def by_row(report):
    """{row: {architecture: result}}, in the order of the results."""
    rows = {}
    for arch, results in report["results"].items():
        for r in results:
            rows.setdefault(r["row"], {})[arch] = r
    return rows


def cells(r):
    """The three columns of one architecture."""
    if r is None:
        return ["", "", ""]
    return [shown(r, "caelum"), shown(r, "linux"), ratio(r) if r["ratio"] is None or within(r) else f"**{ratio(r)}**"]


def markdown(report):
    """The table of the documentation: a row of the benchmark a line, three columns an architecture; then what failed, and why."""
    arches = list(report["results"])
    out = ["| row | " + " | ".join(f"{a} Caelum | Linux | ratio" for a in arches) + " |",
           "|---|" + "--:|--:|--:|" * len(arches)]
    for row, found in by_row(report).items():
        out.append(f"| {row} | " + " | ".join(c for a in arches for c in cells(found.get(a))) + " |")
    failed = [(row, a, r["why"]) for row, found in by_row(report).items() for a, r in found.items() if r["why"]]
    if failed:
        out += ["", "Failed:", "", *(f"- {row}, {a}: {why}" for row, a, why in failed)]
    return "\n".join(out) + "\n"


def bar(y, row, found, left, width):
    """A row of the chart: the median over the architectures, as a bar."""
    value = statistics.median(r["ratio"] for r in found)
    end = left + width * min(value, 1.2) / 1.2
    color = COLORS[value <= found[0]["target"]]
    return (f'<text x="{left - 6}" y="{y + 10}" text-anchor="end">{row}</text>'
            f'<rect x="{left}" y="{y}" width="{end - left:.0f}" height="12" fill="{color}"/>'
            f'<text x="{end + 4:.0f}" y="{y + 10}">{value:.2f}</text>')


def svg(report):
    """A bar for each row: the median over the architectures of Caelum's share of Linux's cost."""
    rows = {row: [r for r in found.values() if r["ratio"] is not None] for row, found in by_row(report).items()}
    rows = {row: found for row, found in rows.items() if found}
    width, left, step = 400, 200, 16
    height = 56 + step * len(rows)
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + width + 60}" height="{height}" '
           'font-family="sans-serif" font-size="11">', '<rect width="100%" height="100%" fill="#fff"/>',
           f'<text x="{left}" y="14">cost as a share of Linux\'s (shorter is better), {report["date"]}, '
           f'{", ".join(report["results"])}</text>',
           f'<text x="{left}" y="28">median of the architectures; orange: above the target</text>']
    for share in (0, 0.5, 1):
        x = left + width * share / 1.2
        out.append(f'<line x1="{x:.0f}" y1="34" x2="{x:.0f}" y2="{height - 16}" stroke="#bbb"/>'
                   f'<text x="{x:.0f}" y="{height - 4}" text-anchor="middle">{share:g}</text>')
    out += [bar(38 + step * i, row, found, left, width) for i, (row, found) in enumerate(rows.items())]
    return "\n".join(out + ["</svg>"]) + "\n"


def write(args, report):
    """The files that the options ask for."""
    for path, text in ((args.json, json.dumps(report, indent=1) + "\n"), (args.markdown, markdown(report)),
                       (args.svg, svg(report))):
        if path:
            with open(path, "w", encoding="utf-8") as f:
                f.write(text)


def read(path):
    with open(path, encoding="utf-8") as f:
        return json.load(f)
