# SPDX-License-Identifier: MIT
"""Go's runtime on Caelum: esbuild's static binary, from npm, prints its version and bundles a file."""
import os
import shutil
import subprocess
import tarfile

import caelum
import command

VERSION = "0.25.12"
PATIENCE_S = 1200   # Go's runtime and an emulator
NPM_ARCH = {"x86_64": "x64", "aarch64": "arm64", "riscv64": "riscv64", "loongarch64": "loong64"}
SOURCES = {"main.js": 'import { name } from "./lib.js";\nconsole.log("hello " + name);\n',
           "lib.js": 'export const name = "caelum";\nexport const unused = 1;\n'}
BUNDLE = [b'var name = "caelum";', b'console.log("hello " + name);']


def fetch(arch):
    """The path of esbuild for @arch, or None with no npm or no registry. Kept in build/deps/esbuild."""
    place = os.path.join(caelum.DEPS, "esbuild", arch)
    binary = os.path.join(place, "package/bin/esbuild")
    if os.path.exists(binary):
        return binary
    if not shutil.which("npm"):
        return None
    os.makedirs(place, exist_ok=True)
    done = subprocess.run(["npm", "pack", "--silent", f"@esbuild/linux-{NPM_ARCH[arch]}@{VERSION}"], cwd=place,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          timeout=300, check=False)
    names = [n for n in os.listdir(place) if n.endswith(".tgz")]
    if done.returncode or not names:
        return None
    os.makedirs(os.path.dirname(binary), exist_ok=True)
    with tarfile.open(os.path.join(place, names[0])) as tar, open(binary + ".new", "wb") as f:
        shutil.copyfileobj(tar.extractfile("package/bin/esbuild"), f)
    os.chmod(binary + ".new", 0o755)
    os.rename(binary + ".new", binary)
    os.remove(os.path.join(place, names[0]))
    return binary


def check(binary):
    """Raise command.Wrong when esbuild's output is not right."""
    options = ("-m", "1G", "--smp", "2")
    command.expect_run(command.caelum_run(*options, binary, "--version", timeout=PATIENCE_S), 0, VERSION.encode() + b"\n")
    files = []
    place = os.path.dirname(os.path.dirname(os.path.dirname(binary)))
    for name, text in SOURCES.items():
        path = os.path.join(place, name)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        files += ["--file", f"{path}:/src/{name}"]
    run = command.caelum_run(*options, *files, "--cwd", "/src", binary, "main.js", "--bundle", timeout=PATIENCE_S)
    command.expect_run(run, 0)
    for line in BUNDLE:
        if line not in run[1]:
            raise command.Wrong(f"the bundle lacks {line!r}: {run[1][-600:]!r}")
    if b"unused" in run[1]:
        raise command.Wrong("the bundle has what nothing uses")


def run(tally, arch):
    try:
        binary = fetch(arch)
        if binary is None:
            tally.result("esbuild", "skip", "npm, or the package at its registry, cannot be had here", arch, 2)
            return
        check(binary)
        tally.result("esbuild", "pass", "", arch, 2)
    except (command.Wrong, subprocess.SubprocessError, OSError) as e:
        tally.result("esbuild", "fail", str(e), arch, 2)
