# SPDX-License-Identifier: MIT
"""Boot Caelum under QEMU and speak docs/console-frames.md with it.

Machine describes what to boot; Machine.run() boots it, moves bytes between the guest and the given
descriptors, and returns a Result. Nothing here prints or exits: the callers (caelum.py, guest_tests.py)
decide what a person sees.
"""
import ctypes
import errno
import fcntl
import os
import re
import select
import shlex
import signal
import socket
import struct
import subprocess
import tempfile
import termios
import time
import tty

import boards

DLE = 0x10
ESCAPE_KEY = 0x1d           # Ctrl-] in a raw terminal: then x ends the machine
PATIENCE_S = 600            # a machine that takes longer over a small thing has hung, however busy this computer is
QUIT_GRACE_S = 60           # QEMU must be gone this long after the exit frame
NO_SWITCH_S = 3             # the same, of a machine that cannot switch itself off
PANIC_QUIET_S = 10          # a panic report is complete when nothing came for this long
CHUNK = 1 << 16
FIRMWARE_PIECE = 16         # bytes: a 16550's FIFO
PR_SET_PDEATHSIG = 1
PR_SET_THP_DISABLE = 41

UNITS = {"": 20, "K": 10, "M": 20, "G": 30}


def parse_size(text):
    """Bytes of "256M", "1G" or "64" (MiB, as QEMU counts)."""
    m = re.fullmatch(r"(\d+)([KMG]?)B?", text.upper())
    if not m:
        raise ValueError(f"not a memory size: {text}")
    return int(m.group(1)) << UNITS[m.group(2)]


class Result:
    """How a run ended."""

    def __init__(self):
        self.status = None      # the program's status, when the kernel reported one
        self.panicked = False
        self.panic = b""        # the panic report as the kernel printed it
        self.started = False    # DLE S was seen
        self.early = b""        # what came before it
        self.timed_out = False
        self.ended_by_user = False
        self.qemu_status = None
        self.qemu_errors = ""


class Demux:
    """Split the guest's byte stream into channels. feed() calls sink(channel, data) for each piece;
    channel is None (before framing), "o", "e", "k" or "p". A status frame sets .status."""

    FRAME = re.compile(rb"\x10(?:([\x10Soekp])|x(\d{1,10});)", re.S)

    def __init__(self, sink):
        self.sink = sink
        self.channel = None
        self.started = False
        self.status = None
        self.held = b""         # an unfinished frame at the end of the last piece

    def feed(self, data):
        data = self.held + data
        self.held = b""
        at = 0
        while True:
            dle = data.find(b"\x10", at)
            if dle < 0:
                self._emit(data[at:])
                return
            self._emit(data[at:dle])
            m = self.FRAME.match(data, dle)
            if not m:
                if re.fullmatch(rb"\x10(?:x\d{0,10})?", data[dle:]):
                    self.held = data[dle:]
                    return
                self._emit(data[dle:dle + 1])   # not a frame: firmware may print anything
                at = dle + 1
                continue
            self._frame(m)
            at = m.end()

    def _emit(self, data):
        if data:
            self.sink(self.channel, data)

    def _frame(self, m):
        kind = m.group(1)
        if kind is None:
            if self.started:
                self.status = int(m.group(2)) & 0xff
        elif kind == b"S":
            self.started = True
            self.channel = "k"
        elif kind == b"\x10":
            self._emit(b"\x10")
        elif self.started:
            self.channel = kind.decode()


class Terminal:
    """The person's terminal in raw mode while a machine runs."""

    def __init__(self, fd):
        self.fd = fd
        self.saved = termios.tcgetattr(fd)

    def __enter__(self):
        tty.setraw(self.fd, termios.TCSANOW)
        return self

    def __exit__(self, *exc):
        termios.tcsetattr(self.fd, termios.TCSADRAIN, self.saved)

    def size_frame(self):
        rows, cols, _, _ = struct.unpack("HHHH", fcntl.ioctl(self.fd, termios.TIOCGWINSZ, b"\0" * 8))
        return b"\x10w%d,%d;" % (cols, rows) if rows and cols else b""


class EscapeKey:
    """Ctrl-] x ends the machine, Ctrl-] Ctrl-] is one Ctrl-]; all else passes."""

    def __init__(self):
        self.pending = False

    def filter(self, data):
        """(bytes for the guest, whether to end)"""
        out = bytearray()
        for b in data:
            if self.pending:
                self.pending = False
                if b in b"xX":
                    return bytes(out), True
                if b != ESCAPE_KEY:
                    out.append(ESCAPE_KEY)
                out.append(b)
            elif b == ESCAPE_KEY:
                self.pending = True
            else:
                out.append(b)
        return bytes(out), False


def die_with_parent():
    """In QEMU's process: end when the command is killed without a chance to clean up."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def with_small_pages():
    """The same, and of memory that it gives the guest it takes only the pages that the guest touches."""
    ctypes.CDLL(None).prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0)
    die_with_parent()


class Machine:
    """What to boot. @build is the kernel's output directory; @memory in bytes; @board: of boards.py, or None for the
    architecture's virtual machine."""

    def __init__(self, arch, build, initrd=None, cmdline="", memory=512 << 20, smp=1, qemu_args=(),
                 gdb_port=None, board=None):
        self.arch = arch
        self.build = build
        self.board = board or boards.default_board(arch)
        self.initrd = initrd
        self.cmdline = cmdline
        self.memory = memory
        self.smp = smp
        self.qemu_args = list(qemu_args)
        self.gdb_port = gdb_port
        self.pid = None     # QEMU's, once it runs
        self.sparse = False # of much memory, the guest will touch little
        self.fds = []       # more descriptors that @qemu_args name

    def memory_bytes(self):
        """How much QEMU is told to give it."""
        return parse_size(self.board.size_args(self.memory, self.smp)[1])

    def command(self, fd, start):
        cmd = [f"qemu-system-{self.arch}", *self.board.qemu, *self.board.size_args(self.memory, self.smp),
               "-display", "none", "-monitor", "none", "-nodefaults", "-no-reboot",
               "-chardev", f"socket,id=console,fd={fd}", *self.board.serial, *start.args]
        if self.gdb_port:
            cmd += ["-gdb", f"tcp:127.0.0.1:{self.gdb_port}", "-S"]
        return cmd + self.qemu_args

    def run(self, sink, stdin=None, terminal=None, timeout=None, show=None):
        """Boot and serve until the machine ends.

        @sink(channel, data): takes the guest's output. @stdin: descriptor of the stream for the
        program's standard input, or None. @terminal: a Terminal to read keys from, or None. @timeout:
        seconds. @show(text): told the QEMU command line. Return: a Result. Raises boards.Missing.
        """
        with tempfile.TemporaryDirectory(prefix="caelum-machine-") as tmp:
            start = self.board.start(boards.Job(self.build, self.initrd, self.cmdline, self.memory, tmp))
            return self.run_started(start, sink, stdin, terminal, timeout, show)

    def run_started(self, start, sink, stdin, terminal, timeout, show):
        ours, theirs = socket.socketpair()
        cmd = self.command(theirs.fileno(), start)
        if show:
            show(shlex.join(cmd))
        proc = subprocess.Popen(cmd, pass_fds=[theirs.fileno(), *self.fds], stdin=subprocess.DEVNULL,
                                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True,
                                preexec_fn=with_small_pages if self.sparse else die_with_parent)
        theirs.close()
        self.pid = proc.pid
        try:
            with ours:
                grace = QUIT_GRACE_S if self.board.can_off else NO_SWITCH_S
                return _Session(ours, proc, sink, stdin, terminal, timeout, grace, start.dialog).serve()
        finally:
            if proc.poll() is None:
                proc.kill()
            proc.wait()
            proc.stderr.close()


class _Session:
    """One running machine: the poll loop between the console socket and the person's descriptors."""

    def __init__(self, sock, proc, sink, stdin, terminal, timeout, grace, dialog=()):
        self.sock = sock
        self.proc = proc
        self.user_sink = sink
        self.stdin = stdin
        self.terminal = terminal
        self.deadline = time.monotonic() + timeout if timeout else None
        self.grace = grace
        self.result = Result()
        self.demux = Demux(self.output)
        self.to_guest = bytearray()
        self.to_firmware = bytearray()
        self.dialog = list(dialog)
        self.heard = b""        # what the firmware said since the last answer
        self.channel_in = b"t"
        self.escape = EscapeKey()
        self.panic_seen = None
        self.quit_by = None
        self.console_open = True

    def output(self, channel, data):
        if channel is None:
            self.result.early = (self.result.early + data)[-CHUNK:]
            self.converse(data)
        elif channel == "p":
            self.result.panicked = True
            self.result.panic += data
        self.user_sink(channel, data)

    def converse(self, data):
        """Answer the firmware's prompts with the dialogue."""
        self.heard = (self.heard + data)[-CHUNK:]
        while self.dialog:
            at = self.heard.find(self.dialog[0][0].encode())
            if at < 0:
                return
            want, answer = self.dialog.pop(0)
            self.heard = self.heard[at + len(want):]
            self.to_firmware += answer.encode()

    def send_some(self):
        """What the socket takes of what is queued; little at a time for firmware, whose input buffers are small."""
        early = not self.demux.started
        queue = self.to_firmware if early else self.to_guest
        piece = queue[:FIRMWARE_PIECE] if early else queue[:CHUNK]
        try:
            del queue[:self.sock.send(piece)]
        except BlockingIOError:
            pass
        except OSError:
            queue.clear()

    def send(self, channel, data):
        """Queue bytes for the guest on a channel ("t" or "i")."""
        if channel != self.channel_in:
            self.to_guest += b"\x10" + channel
            self.channel_in = channel
        self.to_guest += data.replace(b"\x10", b"\x10\x10")

    def serve(self):
        self.sock.setblocking(False)
        wake_r, wake_w = os.pipe()
        for fd in (wake_r, wake_w):
            os.set_blocking(fd, False)
        old_fd = signal.set_wakeup_fd(wake_w, warn_on_full_buffer=False)
        old_winch = signal.signal(signal.SIGWINCH, lambda *_: self.window_changed())
        try:
            self.window_changed()
            self.loop(wake_r)
        finally:
            signal.signal(signal.SIGWINCH, old_winch)
            signal.set_wakeup_fd(old_fd)
            os.close(wake_r)
            os.close(wake_w)
        self.finish()
        return self.result

    def window_changed(self):
        if self.terminal:
            self.to_guest += self.terminal.size_frame()

    def finish(self):
        result = self.result
        result.started = self.demux.started
        result.status = self.demux.status
        if self.proc.poll() is None and not self.console_open:
            try:
                self.proc.wait(self.grace)
            except subprocess.TimeoutExpired:
                pass
        if self.proc.poll() is None:
            self.proc.kill()
        else:
            result.qemu_status = self.proc.returncode
        self.proc.wait()
        result.qemu_errors = self.proc.stderr.read().decode("utf-8", "replace")

    def wait_ms(self):
        """How long the loop may sleep, or None when it has to end now."""
        now = time.monotonic()
        until = [t for t in (self.deadline, self.quit_by) if t is not None]
        if self.deadline and now >= self.deadline and self.demux.status is None:
            self.result.timed_out = not self.result.panicked
            return None
        if self.quit_by and now >= self.quit_by:
            return None
        return max(0, int((min(until) - now) * 1000) + 1) if until else -1

    def loop(self, wake):
        # Standard input is read only once framing has started: before that, firmware has the line.
        while self.console_open:
            wait = self.wait_ms()
            if wait is None:
                return
            poll = select.poll()
            writable = self.to_guest if self.demux.started else self.to_firmware
            poll.register(self.sock, select.POLLIN | (select.POLLOUT if writable else 0))
            poll.register(wake, select.POLLIN)
            if self.demux.started and len(self.to_guest) < CHUNK:
                for fd in (self.stdin, self.terminal.fd if self.terminal else None):
                    if fd is not None:
                        poll.register(fd, select.POLLIN)
            for fd, events in poll.poll(wait):
                if fd == self.sock.fileno():
                    self.serve_console(events)
                elif fd == wake:
                    os.read(wake, 512)
                elif fd == self.stdin:
                    self.read_stdin()
                elif not self.read_terminal():
                    self.result.ended_by_user = True
                    return

    def serve_console(self, events):
        if events & select.POLLOUT:
            self.send_some()
        if not events & (select.POLLIN | select.POLLHUP | select.POLLERR):
            return
        try:
            data = self.sock.recv(CHUNK)
        except BlockingIOError:
            return
        except OSError as e:
            if e.errno != errno.ECONNRESET:
                raise
            data = b""
        if not data:
            self.console_open = False
            return
        self.demux.feed(data)
        if self.demux.status is not None and self.quit_by is None:
            self.quit_by = time.monotonic() + self.grace
        elif self.result.panicked:
            self.quit_by = time.monotonic() + PANIC_QUIET_S

    def read_stdin(self):
        data = os.read(self.stdin, CHUNK)
        if data:
            self.send(b"i", data)
        else:
            self.to_guest += b"\x10z"
            self.stdin = None

    def read_terminal(self):
        """Return: whether the machine goes on."""
        data = os.read(self.terminal.fd, 4096)
        if not data:
            return False
        data, end = self.escape.filter(data)
        self.send(b"t", data)
        return not end
