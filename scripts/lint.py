# SPDX-License-Identifier: MIT
"""Checks of the source text: `make lint`.

  layers     who may include whom (docs/ and the table below)
  arch       no CONFIG_ARCH_* conditional outside arch/, hal/ and include/
  spdx       each source file begins with its licence
  functions  no function over 80 lines
  format     clang-format agrees (.clang-format)
  generated  what is generated from syscalls.tbl and checked in is up to date
  todo       no TODO or FIXME

Usage: lint.py [--fix-format] [CHECK...]       the last line is `N passed, N failed, N skipped`
"""
import fnmatch
import functools
import os
import re
import subprocess
import sys

# Directory of the including file -> directories it may include from. include/ is open to all.
LAYERS = {
    "lib": set(),
    "hal": {"lib"},
    "arch": {"hal", "lib"},
    "drivers": {"hal", "lib", "mm"},
    "mm": {"hal", "lib"},
    "kernel": {"mm", "hal", "lib"},
    "fs": {"kernel", "mm", "drivers", "lib", "hal"},
    "net": {"kernel", "fs", "drivers", "lib", "mm", "hal"},
    "syscall": {"lib", "hal", "mm", "kernel", "fs", "net"},
}
# <arch/x.h> is the CPU's own header behind the hal contract: these may use it.
ARCH_USERS = {"arch", "hal"}
KNOWN = set(LAYERS) | {"arch", "net"}
MAX_FUNCTION_LINES = 80
SOURCE_DIRS = ("arch", "hal", "lib", "mm", "kernel", "fs", "net", "syscall", "drivers", "include")


@functools.cache
def all_files():
    """Every file of the tree: git's list, or all but build/ where this is not a usable git repository."""
    done = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                          capture_output=True, check=False)
    if done.returncode == 0:
        names = done.stdout.decode().split("\0")
    else:
        names = [os.path.relpath(os.path.join(top, f)) for top, _, files in os.walk(".") for f in files
                 if not os.path.relpath(top).startswith(("build", ".git"))]
    return sorted(p for p in names if p and os.path.isfile(p))


def tracked(*patterns):
    """The files whose path matches one of the patterns; * also matches /."""
    return [p for p in all_files() if any(fnmatch.fnmatch(p, pattern) for pattern in patterns)]


def read(path):
    with open(path, encoding="utf-8", errors="replace") as f:
        return f.read()


def kernel_sources():
    return [p for p in tracked("*.c", "*.h", "*.S")
            if p.split("/")[0] in SOURCE_DIRS and not p.startswith("lib/third_party/")]


def check_layers():
    for path in kernel_sources():
        top = path.split("/")[0]
        if top not in LAYERS:
            continue
        for number, line in enumerate(read(path).split("\n"), 1):
            m = re.match(r'\s*#\s*include\s*[<"](?:\./)?([a-z0-9_-]+)/', line)
            if not m:
                continue
            target = m.group(1)
            if target not in KNOWN or target == top:
                continue
            if target == "arch" and top in ARCH_USERS:
                continue
            if target not in LAYERS[top]:
                yield f"{path}:{number}: {top}/ must not include {target}/: {line.strip()}"


def check_arch():
    for path in kernel_sources():
        if path.split("/")[0] in ("arch", "hal", "include"):
            continue
        for number, line in enumerate(read(path).split("\n"), 1):
            if re.match(r"\s*#\s*(if|ifdef|ifndef|elif)\b.*\b(CONFIG_ARCH_(?!HAS_)|__x86_64__|__riscv|__aarch64__|"
                        r"__loongarch)", line):
                yield f"{path}:{number}: architecture conditional outside arch/ and hal/: {line.strip()}"


def check_spdx():
    for path in tracked("*.c", "*.h", "*.S", "*.py", "*.mk", "*.lds.S", "Makefile", "*/Makefile", "*Kconfig",
                        "caelum", "scripts/*", "tests/*.sh"):
        if "/corpus/" in path or path.endswith((".expected", ".md", ".txt")):
            continue
        if "SPDX-License-Identifier: MIT" not in "\n".join(read(path).split("\n")[:3]):
            yield f"{path}:1: no SPDX-License-Identifier line"


def check_functions():
    """A function is what lies between `{` and `}` in column 1; tables (with `=` before `{`) are not."""
    for path in tracked("*.c"):
        start = None
        previous = ""
        for number, line in enumerate(read(path).split("\n"), 1):
            if line == "{":
                start = number
                name = previous
            elif line == "}" and start:
                if number - start - 1 > MAX_FUNCTION_LINES:
                    yield f"{path}:{start}: {number - start - 1} lines in one function: {name.strip()}"
                start = None
            if line.strip():
                previous = line


def check_format():
    files = [p for p in tracked("*.c", "*.h") if not p.startswith("lib/third_party/")]
    if "--fix-format" in sys.argv:
        subprocess.run(["clang-format-19", "-i", *files], check=True)
        return
    # A whole-file comparison by clang-format itself, a line for each file that differs.
    done = subprocess.run(["clang-format-19", "--dry-run", "-Werror", "--ferror-limit=1", *files],
                          capture_output=True, text=True, check=False)
    seen = set()
    for m in re.finditer(r"^(\S+?):(\d+):\d+: error: code should be clang-formatted", done.stderr, re.M):
        if m.group(1) not in seen:
            seen.add(m.group(1))
            yield f"{m.group(1)}:{m.group(2)}: clang-format would change this file (make format)"


def check_generated():
    """Files that scripts/gensyscalls.py writes into the tree equal what it writes now."""
    script = "scripts/gensyscalls.py"
    if not os.path.exists(script):
        return
    done = subprocess.run([sys.executable, script, "syscall/syscalls.tbl", "--check"],
                          capture_output=True, text=True, check=False)
    if done.returncode:
        yield (done.stdout + done.stderr).strip() or f"{script} --check failed"


def check_fast_paths():
    """The totals of docs/fast-paths are tests/bench/baseline's, to 5 %."""
    import fastpaths
    yield from fastpaths.check()


def check_todo():
    for path in tracked("*.c", "*.h", "*.S", "*.py", "*.mk", "*.md"):
        if path == "scripts/lint.py":
            continue
        for number, line in enumerate(read(path).split("\n"), 1):
            if re.search(r"\b(TODO|FIXME|XXX)\b", line):
                yield f"{path}:{number}: {line.strip()}"


CHECKS = {"layers": check_layers, "arch": check_arch, "spdx": check_spdx, "functions": check_functions,
          "format": check_format, "generated": check_generated, "fast-paths": check_fast_paths, "todo": check_todo}


def main():
    wanted = [a for a in sys.argv[1:] if not a.startswith("-")] or list(CHECKS)
    failed = 0
    for name in wanted:
        problems = list(CHECKS[name]())
        for p in problems:
            print(p)
        print(f"{'FAIL' if problems else 'ok':4}  {name}" + (f": {len(problems)} problems" if problems else ""))
        failed += bool(problems)
    print(f"{len(wanted) - failed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
