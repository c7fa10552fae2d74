# SPDX-License-Identifier: MIT
"""Drive the interactive shell through a pseudo-terminal: line editing, ^C, ^Z, fg, bg, ^D, window size."""
import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time

import caelum

COMMAND = os.path.join(caelum.ROOT, "caelum")
STEP_S = 300
PROMPT = rb"[#$] (?=$|\x1b)"


class Wrong(Exception):
    """The shell did not answer as it should."""


class Session:
    """./caelum shell in a pseudo-terminal."""

    def __init__(self, arch, smp):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ["TERM"] = "dumb"
            os.execv(COMMAND, [COMMAND, "shell", "-a", arch, "--smp", str(smp), "--timeout", "3600"])
        self.resize(100, 30)
        self.seen = b""

    def resize(self, cols, rows):
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, cols, 0, 0))

    def send(self, text):
        os.write(self.fd, text)

    def expect(self, pattern, seconds=STEP_S):
        """Read until @pattern is seen; what came before is dropped."""
        deadline = time.monotonic() + seconds
        while True:
            m = re.search(pattern, self.seen)
            if m:
                self.seen = self.seen[m.end():]
                return m
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.fd], [], [], left)[0]:
                raise Wrong(f"waited for {pattern!r}, got {self.seen[-600:]!r}")
            try:
                data = os.read(self.fd, 4096)
            except OSError:
                data = b""
            if not data:
                raise Wrong(f"ended while waiting for {pattern!r}; got {self.seen[-600:]!r}")
            self.seen += data

    def prompt(self, seconds=STEP_S):
        """
        Wait for the prompt. After it busybox asks where the cursor is; it takes what is typed instead, too. An answer could come torn
        apart on a busy machine, and what busybox does not get within 50 ms would be typed text.
        """
        self.expect(PROMPT, seconds)

    def command(self, text, pattern):
        """Type a line; expect @pattern at the start of a line of output, then a prompt."""
        self.send(text + b"\r")
        m = self.expect(rb"\n" + pattern + rb"\r?\n")
        self.prompt()
        return m

    def end(self, seconds=60):
        """The command's exit status."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.pid = None
                return os.waitstatus_to_exitcode(status)
            if select.select([self.fd], [], [], 0.1)[0]:
                try:
                    os.read(self.fd, 4096)
                except OSError:
                    pass
        raise Wrong("the command did not end")

    def kill(self):
        if self.pid:
            os.kill(self.pid, signal.SIGTERM)
            try:
                self.end()
            except Wrong:
                os.kill(self.pid, signal.SIGKILL)
                os.waitpid(self.pid, 0)
        os.close(self.fd)


def case_echo_and_erase(s):
    s.command(b"echo on\x7f\x7ftwo", b"two")


def case_terminal(s):
    s.command(b"tty", b"/dev/\\S+")
    s.command(b"stty size", b"30 100")
    s.resize(120, 40)
    for _ in range(STEP_S):     # the terminal's size travels to the guest
        if s.command(b"stty size", rb"(\d+ \d+)").group(1) == b"40 120":
            return
        time.sleep(0.2)
    raise Wrong("the guest does not hear of the terminal's new size")


# Tells when it has the terminal, and when it is continued. By then it starts no child any more: where the shell does that by vfork, a ^Z
# that stops the child before its exec leaves the shell waiting for it, neither stopped nor to be interrupted (on Linux, too).
JOB = b"""sh -c 'trap "echo again" CONT; sleep 9999 & echo begun; while :; do wait; done'"""


def start_job(s):
    s.send(JOB + b"\r")
    s.expect(rb"\nbegun\r?\n")


def case_interrupt(s):
    start_job(s)
    s.send(b"\x03")
    s.prompt()
    s.command(b"echo status $?", b"status 130")


def case_stop_and_continue(s):
    start_job(s)
    s.send(b"\x1a")
    s.expect(rb"Stopped")
    s.prompt()
    s.send(b"bg\r")
    s.expect(rb"wait.*\n")
    s.expect(rb"again\r?\n")     # before the prompt, after it, or between the prompt and its question
    s.send(b"\r")
    s.prompt()
    s.command(b"jobs", rb"\[1\].*Running.*")
    s.send(b"fg\r")
    s.expect(rb"wait.*\n")
    s.expect(rb"again\r?\n")
    s.send(b"\x03")
    s.prompt()
    s.command(b"jobs; echo none", b"none")


def case_foreground_reader(s):
    """cat reads the terminal: lines come back, ^D ends it; stopped in the background when it reads."""
    s.send(b"echo ready; cat\r")
    s.expect(rb"\nready\r?\n")     # from now on what is typed is the command's
    s.send(b"line\r")
    s.expect(rb"line\r\nline\r\n")
    s.send(b"\x04")
    s.prompt()
    s.send(b"cat &\r")         # it may have come to its read before the first prompt, or only later
    for _ in range(STEP_S):
        if s.expect(rb"Stopped|" + PROMPT).group() == b"Stopped":
            break
        time.sleep(1)
        s.send(b"\r")           # the shell tells it before a prompt
    else:
        raise Wrong("cat & is never told as stopped")
    s.prompt()
    s.send(b"kill %1\r")
    s.prompt()
    s.command(b"fg 2>/dev/null; echo over", b"over")


def case_exit(s):
    s.send(b"exit 9\r")
    status = s.end(STEP_S)
    if status != 9:
        raise Wrong(f"the command's status is {status}, not 9")


CASES = (case_echo_and_erase, case_terminal, case_interrupt, case_stop_and_continue, case_foreground_reader,
         case_exit)


def run(tally, arch, smp=1):
    session = Session(arch, smp)
    lost = None
    try:
        try:
            session.prompt(180)
        except Wrong as e:
            lost = str(e)
        for case in CASES:
            name = "shell-" + case.__name__[5:].replace("_", "-")
            try:
                if lost:
                    raise Wrong(lost)
                case(session)
                tally.result(name, "pass", "", arch, smp)
            except (Wrong, OSError) as e:
                lost = lost or f"{case.__name__}: {e}"
                tally.result(name, "fail", str(e), arch, smp)
    finally:
        session.kill()
