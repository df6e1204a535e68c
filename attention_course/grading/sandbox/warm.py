"""The grader's side of the warm process, and of each student's process forked from it.

A grader's process has one warm process at most for each kind of walls; it is started at the
first submission and ends with the grader's process, however that ends.
"""

from __future__ import annotations

import atexit
import contextlib
import itertools
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attention_course.grading.sandbox import bubblewrap, cgroup, joined, kernel, landlock, seccomp
from attention_course.grading.sandbox.base import (
    MIB,
    Limits,
    SandboxDidNotStart,
    SandboxEnded,
    SandboxTakenAway,
)
from attention_course.grading.sandbox.connection import Connected
from attention_course.grading.sandbox.plain import last_line, surroundings
from attention_course.grading.sandbox.walls import HOME, OUTSIDE, Walls
from attention_course.grading.sandbox.wire import WireError, receive_frame, send_frame

NURSERY = "attention_course.grading.sandbox.nursery"
ANSWERING = 20.0  # seconds that the warm process has to fork, or to tell how a child ended
OWN_MEMORY = 1024 * MIB  # what the warm process itself may use, beside a submission's share
OWN_PROCESSES = 16
FIRST_USER, USERS = 64_000, 1_400  # numbers that no distribution gives to anybody


class WarmProcess:
    """One warm process and the walls that its children shut themselves in.

    It is started here, and of use after :meth:`wait_until_ready`. Whoever is forked from its
    starter may use it in the starter's place, see :func:`take_over`. With ``forked`` it is
    forked from this process where that can be (:mod:`.joined`), which must hold no secret.
    """

    def __init__(self, level: str, refused: tuple[str, ...], forked: bool = False) -> None:
        self.level = level
        self.refused = refused
        self.alive = True
        self._ready = False
        self._lock = threading.Lock()
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the process
        self._cgroup = cgroup.create()
        self._limited: Limits | None = None
        self._control, theirs = socket.socketpair()
        self._held = self._waiting = -1  # of a forked one, see joined.Joined
        # No two have the same user: the limit of processes counts for a user.
        self._claim: socket.socket | None = None
        user: int | None = None
        if os.getuid() == 0:
            self._claim, user = _claimed_user()
        if level != "bubblewrap" and not bubblewrap.everybody_reads_python():
            user = None  # who became another user could not load a module any more
        self.walls = Walls(
            namespaces=level == "bubblewrap",
            user=user,
            landlock=landlock.version() > 0,
            readable=tuple(bubblewrap.readable()),
            seccomp=None if seccomp.unavailable() else seccomp.program(),
            kept=bubblewrap.kept(OUTSIDE),
        )
        try:
            with theirs:
                self._process = self._start(theirs.fileno(), user, forked)
        except OSError as error:
            self._remove_cgroup()
            raise SandboxDidNotStart(f"no process could be started: {error}") from error
        try:
            self._handle = os.pidfd_open(self._process.pid)
        except OSError as error:
            self._let_go_of_walls()
            self._process.kill()
            self._process.wait()
            self._remove_cgroup()
            raise SandboxDidNotStart(f"no process could be started: {error}") from error
        try:
            self._count(self._process.pid)
            send_frame(self._control, {"walls": self.walls.to_data()})
        except (WireError, OSError) as error:
            raise self._not_started(error) from error

    def _start(self, control: int, user: int | None, forked: bool) -> subprocess.Popen[bytes]:
        isolation = bubblewrap.isolation(HOME, user) if self.walls.namespaces else []
        environment = surroundings(HOME, self.refused)
        if forked and joined.why_not(self.walls) is None:
            rights = bubblewrap.rights(user)
            process, self._waiting, self._held = joined.start(
                isolation, environment, rights, control, self._log, self._count
            )
            return process
        return subprocess.Popen(
            [*isolation, sys.executable, "-I", "-m", NURSERY, str(control)],
            env={**environment, kernel.TUNABLES: kernel.HUGE_HEAP},
            cwd="/",
            pass_fds=[control],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self._log,
            start_new_session=True,
        )

    def _count(self, pid: int) -> None:
        if self._cgroup:
            self._cgroup.add(pid)

    def wait_until_ready(self, seconds: float) -> None:
        """Raises SandboxDidNotStart."""
        if self._ready:
            return
        try:
            self._answer(seconds)
            for pid in joined.children(self._process.pid):
                self._count(pid)  # bubblewrap's own child may have been born before it was counted
        except (WireError, OSError) as error:
            raise self._not_started(error) from error
        self._ready = True

    def _not_started(self, error: Exception) -> SandboxDidNotStart:
        reason = last_line(self._log) or str(error)
        self.end()
        return SandboxDidNotStart(f"the warm process did not start: {reason}")

    def fork(self, limits: Limits, home: str) -> tuple[socket.socket, int, int]:
        """A new child: the connection to it, a descriptor of its process, and its number there.

        Raises SandboxDidNotStart.
        """
        ours, theirs = socket.socketpair()
        try:
            with self._lock, theirs:
                self._limit(limits)
                socket.send_fds(self._control, [b"."], [theirs.fileno()])
                request = {"op": "fork", "limits": vars(limits), "home": home}
                send_frame(self._control, request, (), time.monotonic() + ANSWERING)
                answer, descriptors = self._answer(ANSWERING)
        except (WireError, OSError) as error:
            ours.close()
            self.end()
            raise SandboxDidNotStart(f"the warm process is gone ({error})") from error
        if not descriptors:
            ours.close()
            raise SandboxDidNotStart(f"no process could be forked: {answer.get('failed')}")
        return ours, descriptors[0], int(answer["pid"])

    def status_of(self, pid: int) -> int:
        """How an ended child ended (negative: by a signal)."""
        try:
            with self._lock:
                socket.send_fds(self._control, [b"."], [])
                send_frame(self._control, {"op": "wait", "pid": pid})
                return int(self._answer(ANSWERING)[0]["status"])
        except (WireError, OSError, KeyError):
            self.end()
            return -signal.SIGKILL

    def was_out_of_memory(self) -> bool:
        return self._cgroup is not None and self._cgroup.was_out_of_memory()

    @property
    def limits_memory_of_all(self) -> bool:
        return self._cgroup is not None

    def _limit(self, limits: Limits) -> None:
        if self._cgroup and limits != self._limited:
            processes = limits.processes + OWN_PROCESSES
            self._cgroup.limit(limits.memory + OWN_MEMORY, processes)
            self._limited = limits

    def _answer(self, seconds: float) -> tuple[dict[str, Any], list[int]]:
        self._control.settimeout(seconds)
        message, descriptors, _, _ = socket.recv_fds(self._control, 1, 1)
        if not message:
            raise WireError("it closed the connection")
        answer, _ = receive_frame(self._control, time.monotonic() + seconds)
        return answer, list(descriptors)

    def end(self) -> None:
        """End it, and with it every child that still lives; may be called twice."""
        if not self.alive:
            return
        self.alive = False
        self._control.close()
        self._let_go_of_walls()
        ended = select.poll()
        ended.register(self._handle, select.POLLIN)
        if not ended.poll(1000):
            # bubblewrap's own child is the first process of the namespace: all end with it.
            for pid in (*joined.children(self._process.pid), self._process.pid):
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal.SIGKILL)
            ended.poll()
        self._process.wait()  # at once; where another process started it, it is buried there
        if self._waiting > 0:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(self._waiting, 0)
        self._let_go()
        self._remove_cgroup()

    def leave(self) -> None:
        """Close this process's share in it; another one uses it."""
        self.alive = False
        self._control.close()
        self._let_go_of_walls()
        self._let_go()

    def _let_go_of_walls(self) -> None:
        if self._held >= 0:
            os.close(self._held)
            self._held = -1

    def _let_go(self) -> None:
        os.close(self._handle)
        self._log.close()
        if self._claim is not None:
            self._claim.close()

    def _remove_cgroup(self) -> None:
        if self._cgroup:
            with contextlib.suppress(OSError):
                self._cgroup.end_all()
            self._cgroup.remove()


class Forked(Connected):
    """A student's process, forked from the warm one and shut in."""

    def __init__(
        self,
        parent: WarmProcess,
        files: Mapping[str, bytes],
        limits: Limits,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.level = parent.level
        self._parent = parent
        self._limits = limits
        self._status: int | None = None
        self._scratch: tempfile.TemporaryDirectory[str] | None = None
        home = HOME
        if not parent.walls.namespaces:
            self._scratch = tempfile.TemporaryDirectory(
                prefix="student-", ignore_cleanup_errors=True
            )
            home = self._scratch.name
            if parent.walls.user is not None:
                os.chown(home, parent.walls.user, parent.walls.user)
        try:
            self._connection, self._handle, self._pid = parent.fork(limits, home)
        except SandboxDidNotStart:
            self._forget_scratch()
            raise
        try:
            self._begin(files, {"TMPDIR": "/tmp" if home == HOME else home, **(environment or {})})
        except (WireError, OSError) as error:
            self.close()
            raise SandboxDidNotStart(f"the student's process did not start: {error}") from error

    def _interrupt(self) -> None:
        with contextlib.suppress(OSError):
            signal.pidfd_send_signal(self._handle, signal.SIGINT)

    def _wait(self, seconds: float) -> int | None:
        if self._status is None and self._handle >= 0:
            poll = select.poll()
            poll.register(self._handle, select.POLLIN)
            if not poll.poll(1000 * seconds):
                return None
            self._status = self._parent.status_of(self._pid)
            os.close(self._handle)
            self._handle = -1
        return self._status

    def _ended(self, error: Exception) -> SandboxEnded:
        ended = super()._ended(error)
        if self._parent.alive:
            return ended
        return SandboxTakenAway("the process that submissions are forked from was ended")

    def _why(self, status: int) -> str:
        if status == -signal.SIGKILL and self._parent.was_out_of_memory():
            return f"the process was ended: it used more than {self._limits.memory // MIB} MiB"
        return super()._why(status)

    def close(self) -> None:
        self._connection.close()
        if self._handle >= 0:
            with contextlib.suppress(OSError):
                signal.pidfd_send_signal(self._handle, signal.SIGKILL)
            if self._wait(ANSWERING) is None:
                os.close(self._handle)
                self._handle = -1
                self._parent.end()
        self._forget_scratch()

    def _forget_scratch(self) -> None:
        if self._scratch:
            self._scratch.cleanup()


def _claimed_user() -> tuple[socket.socket | None, int]:
    """A user's number that no other grader of this machine uses while the socket is open."""
    first = os.getpid() + next(_started)
    for number in range(first, first + USERS):
        user = FIRST_USER + number % USERS
        claim = socket.socket(socket.AF_UNIX)
        try:
            claim.bind(f"\0attention-course-user-{user}")
        except OSError:
            claim.close()
            continue
        return claim, user
    return None, FIRST_USER + first % USERS  # more graders than numbers: shared, not refused


_running: dict[tuple[str, tuple[str, ...]], WarmProcess] = {}
_owner = 0
_started = itertools.count()
_starting = threading.Lock()  # who asks while another thread starts one waits for that


def warm_process(level: str, refused: tuple[str, ...], limits: Limits) -> WarmProcess:
    """This process's warm process for ``level``; started if there is none that lives."""
    with _starting:
        _own()
        found = _running.get((level, refused))
        if found is None or not found.alive:
            found = _running[level, refused] = WarmProcess(level, refused)
        found.wait_until_ready(limits.start)
        return found


def take_over(process: WarmProcess) -> None:
    """Use a warm process that this process's parent started before the fork.

    The parent, and whoever else it forks, must :meth:`~WarmProcess.leave` it.
    """
    _own()
    _running[process.level, process.refused] = process


def _own() -> None:
    global _owner
    if _owner != os.getpid():
        _running.clear()  # a forked grader's process has no share in its parent's
        _owner = os.getpid()


@atexit.register
def shut_down() -> None:
    """End the warm processes of this process; the next submission starts another."""
    if _owner == os.getpid():
        for process in _running.values():
            process.end()
        _running.clear()


def fork_works() -> str | None:
    """Why no process can be forked from a warm one on this machine, or None where it can."""
    if sys.platform != "linux":
        return f"warm forks are for Linux, this is {sys.platform}"
    if not hasattr(os, "pidfd_open") or not Path("/proc/self/ns/pid").exists():
        return "this kernel is too old (5.3 or newer is needed)"
    return None
