# SPDX-License-Identifier: MIT
"""Put names and lines behind the addresses of a panic report."""
import re
import subprocess

ADDRESS = re.compile(r"\[<([0-9a-fA-F]{16})>\]")


def symbolize(text, elf):
    """@text with ` function at file:line` behind every `[<address>]` of the kernel image @elf."""
    found = list(dict.fromkeys(ADDRESS.findall(text)))
    if not found:
        return text
    # A return address points behind the call: look at the byte before it.
    query = "".join(f"0x{int(a, 16) - 1:x}\n" for a in found)
    try:
        out = subprocess.run(["llvm-symbolizer-19", f"--obj={elf}", "--functions=short", "--relativenames"],
                             input=query, capture_output=True, text=True, check=False).stdout
    except OSError:
        return text
    names = {}
    for address, block in zip(found, out.split("\n\n")):
        lines = block.strip().split("\n")
        frames = [f"{lines[i]} at {lines[i + 1]}" for i in range(0, len(lines) - 1, 2)]
        if frames and not frames[0].startswith("??"):
            names[address] = ", inlined by ".join(frames)
    return ADDRESS.sub(lambda m: m.group(0) + (f" {names[m.group(1)]}" if m.group(1) in names else ""), text)
