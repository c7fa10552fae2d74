# SPDX-License-Identifier: MIT
"""Boot a kernel that tests itself (tests/ktest, configs/ktest.config) and read its TAP."""
import os

import caelum
import guest
import machine

MEMORY = 256 << 20
CONFIGS = (("ktest",), ("ktest", "debug"))


def run(tally, arch, smp, timeout, verbose):
    """Both configurations, the second with lock and context checks, with @smp CPUs."""
    for config in CONFIGS:
        name = "-".join(config)
        try:
            build = caelum.build(arch, config, verbose)
        except caelum.Failure as e:
            tally.result(name, "fail", str(e), arch, smp)
            continue
        boot(tally, arch, smp, timeout, name, build)


def boot(tally, arch, smp, timeout, name, build):
    output = bytearray()
    m = machine.Machine(arch, build, None, "caelum.frame=1 caelum.stdio=nss caelum.ktest", MEMORY, smp)
    result = m.run(lambda channel, data: output.extend(data) if channel == "k" else None, timeout=timeout)
    text = output.decode("utf-8", "replace").replace("\r", "")
    log = os.path.join(caelum.ROOT, "build", f"{name}-{arch}-smp{smp}.log")
    with open(log, "w", encoding="utf-8") as f:
        f.write(text)
    seen, planned = guest.read_tap(tally, text, arch, smp)
    end = guest.describe_end(result, build, timeout, seen, planned)
    if end:
        tally.result(name, "fail", f"{end} (output: {os.path.relpath(log)})", arch, smp)
