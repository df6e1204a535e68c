"""A warm process that was forked by a fresh process, as a launcher forks it, used from a test.

A test's own process is full of secrets, so a process of its own forks the warm one and hands its
descriptors over.
"""

from __future__ import annotations

import pickle
import select
import socket
import subprocess
import sys
import threading
from dataclasses import dataclass

from attention_course.grading.sandbox import warm

PROGRAM = """
import pickle, socket, sys
from attention_course.grading.batch.worker import load_torch
import nbgrader.api
load_torch()
from attention_course.grading.sandbox.warm import WarmProcess
control = socket.socket(fileno=int(sys.argv[1]))
made = WarmProcess("bubblewrap", tuple(sys.argv[2:]), forked=True)
made.wait_until_ready(60)
about = {"walls": made.walls, "_cgroup": made._cgroup, "pid": made._process.pid}
handed = [made._control.fileno(), made._handle, made._held, made._log.fileno()]
socket.send_fds(control, [pickle.dumps(about)], handed)
made.leave()
control.recv(1)
"""


@dataclass
class Elsewhere:
    """What a warm process asks of bubblewrap's process, which another process has started."""

    pid: int
    handle: int

    def wait(self) -> None:
        poll = select.poll()
        poll.register(self.handle, select.POLLIN)
        poll.poll()


class ForkedElsewhere(warm.WarmProcess):
    def __init__(self, refused: tuple[str, ...]) -> None:
        ours, theirs = socket.socketpair()
        command = [sys.executable, "-I", "-c", PROGRAM, str(theirs.fileno()), *refused]
        self.starter = subprocess.Popen(command, pass_fds=[theirs.fileno()])
        theirs.close()
        self.ours = ours
        ours.settimeout(120)
        said, (control, self._handle, self._held, log), _, _ = socket.recv_fds(ours, 100_000, 4)
        about = pickle.loads(said)
        self._process = Elsewhere(about.pop("pid"), self._handle)  # type: ignore[assignment]
        vars(self).update(about)
        self.level, self.refused, self.alive, self._ready = "bubblewrap", refused, True, True
        self._control, self._limited, self._waiting = socket.socket(fileno=control), None, -1
        self._claim = None
        self._lock, self._log = threading.Lock(), open(log, "rb")  # type: ignore[assignment]  # noqa: SIM115

    def end(self) -> None:
        super().end()
        self.ours.close()
        self.starter.wait()


def use_forked(refused: tuple[str, ...]) -> None:
    """Have submissions of this process forked from such a warm process, until it ends."""
    found = warm._running.get(("bubblewrap", refused))
    if isinstance(found, ForkedElsewhere) and found.alive:
        return
    stop_using(refused)
    warm.take_over(ForkedElsewhere(refused))


def stop_using(refused: tuple[str, ...]) -> None:
    found = warm._running.pop(("bubblewrap", refused), None)
    if found is not None:
        found.end()
