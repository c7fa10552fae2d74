# SPDX-License-Identifier: MIT
"""Boot Debian's Linux kernel in the machine that Caelum is given, to compare with.

scripts/bootstrap --linux brings the kernels. boot() returns what the serial port said. loongarch64's kernel is a
compressed EFI program: the firmware in the machine's flash starts it; the others are started directly.
"""
import os
import shutil
import subprocess
import threading

import boards
import caelum
import machine

LINUX = os.path.join(caelum.DEPS, "linux")
CONSOLE = {"x86_64": "ttyS0", "riscv64": "ttyS0", "aarch64": "ttyAMA0", "loongarch64": "ttyS0"}


def fetch():
    """Have the kernels under build/deps/linux; Failure when the mirror does not give them."""
    done = subprocess.run([os.path.join(caelum.ROOT, "scripts/bootstrap"), "--linux"], check=False)
    if done.returncode:
        raise caelum.Failure("the Linux kernels to compare with could not be fetched")


def version(arch):
    """Debian's version of the kernel of @arch."""
    with open(os.path.join(LINUX, arch, "vmlinuz.stamp"), encoding="utf-8") as f:
        return dict(line.strip().split(": ", 1) for line in f)["Version"]


def flash(arch, scratch):
    """QEMU's options for the firmware in flash, where Linux needs one."""
    if arch != "loongarch64":
        return []
    variables = os.path.join(scratch, "variables.fd")
    shutil.copyfile(os.path.join(LINUX, arch, "variables.fd"), variables)
    return ["-drive", f"if=pflash,format=raw,unit=0,readonly=on,file={LINUX}/{arch}/firmware.fd",
            "-drive", f"if=pflash,format=raw,unit=1,file={variables}"]


def boot(arch, initrd, scratch, memory, smp, qemu_args, init, timeout, heard=None):
    """
    Run Linux with @init as its first process until it powers off. @heard(pid, line): told each line as it comes, with
    QEMU's process. Return: the text of the serial port.
    """
    board = boards.default_board(arch)
    cmd = [f"qemu-system-{arch}", *board.qemu, *board.size_args(memory, smp),
           "-display", "none", "-monitor", "none", "-nodefaults", "-no-reboot", "-serial", "stdio",
           "-kernel", os.path.join(LINUX, arch, "vmlinuz"), "-initrd", initrd,
           "-append", f"console={CONSOLE[arch]} quiet loglevel=0 mitigations=off panic=-1 rdinit={init}",
           *flash(arch, scratch), *qemu_args]
    text = []
    with subprocess.Popen(cmd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          start_new_session=True, preexec_fn=machine.die_with_parent) as proc:
        limit = threading.Timer(timeout, proc.kill)
        limit.start()
        for data in proc.stdout:
            text.append(data.decode("utf-8", "replace").replace("\r", ""))
            if heard:
                heard(proc.pid, text[-1])
        limit.cancel()
    return "".join(text)
