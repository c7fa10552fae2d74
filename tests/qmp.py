# SPDX-License-Identifier: MIT
"""Why a machine ended, as QEMU's own protocol tells it: a reset and a switch-off leave the same exit status."""
import json
import socket

SWITCHED_OFF = "guest-shutdown"
RESET = "guest-reset"


class Ends:
    """To be made before @m runs; reason() may be asked for once it has ended."""

    def __init__(self, m):
        self.ours, self.theirs = socket.socketpair()
        m.fds = [*m.fds, self.theirs.fileno()]
        m.qemu_args = [*m.qemu_args, "-chardev", f"socket,id=qmp,fd={self.theirs.fileno()}", "-mon", "chardev=qmp,mode=control"]
        self.ours.sendall(b'{"execute": "qmp_capabilities"}\n')

    def reason(self):
        """QEMU's word for it, one of the above or another, or an empty string."""
        self.theirs.close()
        with self.ours, self.ours.makefile("r", encoding="utf-8") as lines:
            events = [json.loads(line) for line in lines]
        return next((e["data"]["reason"] for e in events if e.get("event") == "SHUTDOWN"), "")
