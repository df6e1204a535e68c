"""Forks workers from one process that has loaded what they need.

Torch and nbgrader take more than a second to load. The grader itself has nbgrader, so a launcher
is forked from it before it reads any configuration or gradebook; told to :meth:`Launcher.load`,
it starts the processes that submissions are forked from, loads torch beside them, and then forks
a worker whenever one is wanted. Where it cannot be forked, each worker is started for itself.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NoReturn

from attention_course.grading.batch.worker import load, serve, worker_environment
from attention_course.grading.sandbox import kernel
from attention_course.grading.sandbox.warm import WarmProcess, fork_works
from attention_course.grading.submission import Assignment, warm_ahead

LOADING = 120.0  # seconds that the launcher may take for its libraries


class LauncherGone(Exception):
    """There is no launcher any more; the message says what it said last."""


class Launched:
    """A worker that a launcher has forked: of :class:`subprocess.Popen`, what its owner needs."""

    def __init__(self, pid: int, handle: int) -> None:
        self.pid = pid
        self._handle = handle

    def poll(self) -> str | None:
        """None while it lives. How it ended only its parent knows."""
        return "unknown" if _has_ended(self._handle, 0) else None

    def wait(self, seconds: float | None = None) -> None:
        """Raises subprocess.TimeoutExpired."""
        if not _has_ended(self._handle, seconds):
            raise subprocess.TimeoutExpired("worker", seconds or 0.0)

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._handle, signal.SIGKILL)

    def __del__(self) -> None:
        with contextlib.suppress(OSError):
            os.close(self._handle)


class Launcher:
    """The grader's side; close it, or use it as a context."""

    def __init__(self, pid: int, control: socket.socket) -> None:
        self._pid = pid
        self._handle = os.pidfd_open(pid)
        self._control = control
        self._told = False

    @classmethod
    def fork(cls) -> Launcher | None:
        """A launcher forked from this process; None where that is not to be had.

        A process that has threads, or torch, or an event loop of somebody's cannot be forked
        with any certainty; nor any on Windows and macOS.
        """
        if fork_works() is not None or "torch" in sys.modules or _threads() != 1:
            return None
        ours, theirs = socket.socketpair()
        sys.stdout.flush()  # or the other process would say it, too
        sys.stderr.flush()
        try:
            pid = os.fork()
        except OSError:
            ours.close()
            theirs.close()
            return None
        if pid == 0:
            _become_launcher(theirs.detach())
        theirs.close()
        return cls(pid, ours)

    def __enter__(self) -> Launcher:
        return self

    def __exit__(self, *about: object) -> None:
        self.close()

    def load(self, assignment: Assignment, count: int) -> None:
        """Let it get ready, in its own time, for ``count`` workers on ``assignment``."""
        if self._told:
            return
        self._told = True
        plan = (assignment, count, worker_environment(), os.getcwd())
        with contextlib.suppress(OSError):  # that it is gone is seen at the first worker
            _send(self._control, plan)

    def launch(self, connection: socket.socket, log: Any, folder: str) -> Launched:
        """A new worker at the other end of ``connection``; raises LauncherGone."""
        try:
            self._control.settimeout(LOADING)
            given = [connection.fileno(), log.fileno()]
            socket.send_fds(self._control, [folder.encode()], given)
            answer, handles, _, _ = socket.recv_fds(self._control, 64, 1)
        except OSError as error:
            self.close()
            raise LauncherGone(str(error)) from error
        if not handles:
            self.close()
            raise LauncherGone(answer.decode() or "it ended")
        return Launched(int(answer), handles[0])

    def close(self) -> None:
        """End it; its workers have ended before. May be called twice."""
        if self._handle < 0:
            return
        self._control.close()
        if not _has_ended(self._handle, 5.0):
            signal.pidfd_send_signal(self._handle, signal.SIGKILL)
        os.waitpid(self._pid, 0)
        os.close(self._handle)
        self._handle = -1


def _has_ended(handle: int, seconds: float | None) -> bool:
    poll = select.poll()
    poll.register(handle, select.POLLIN)
    return bool(poll.poll(None if seconds is None else 1000 * seconds))


def _threads() -> int:
    return sum(1 for _ in Path("/proc/self/task").iterdir())


def _send(control: socket.socket, plan: Any) -> None:
    with contextlib.closing(Connection(os.dup(control.fileno()))) as connection:
        connection.send(plan)


# -- the launcher itself ----------------------------------------------------------------------


def _become_launcher(descriptor: int) -> NoReturn:
    try:
        os.setsid()  # Ctrl-C is the grader's to deal with
        for sent in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(sent, signal.SIG_DFL)
        control = kernel.keep_only(descriptor)
        with contextlib.closing(Connection(os.dup(control.fileno()))) as connection:
            plan = connection.recv()
        _launch(control, *plan)
    except (EOFError, OSError):
        pass  # the grader is gone, or needs no workers
    finally:
        os._exit(0)


def _launch(
    control: socket.socket,
    assignment: Assignment,
    count: int,
    surroundings: dict[str, str],
    place: str,
) -> None:
    os.environ.clear()
    os.environ.update(surroundings)
    os.chdir(place)
    sys.dont_write_bytecode = True
    # As with python -P: a file of the course folder is no module of ours.
    sys.path[:] = [entry for entry in sys.path if entry not in ("", place)]
    started: list[WarmProcess] = []
    try:
        with contextlib.suppress(Exception):  # whatever it is, the first submission will tell
            started += warm_ahead(assignment, count)
        load()
        while True:
            folder, descriptors, _, _ = socket.recv_fds(control, 4096, 2)
            if not folder:
                return
            connection, log = descriptors
            mine = started.pop(0) if started else None
            others = [control.close, *(process.leave for process in started)]
            answer, handle = _fork(others, connection, log, folder.decode(), assignment, mine)
            if mine is not None:
                mine.leave()
            socket.send_fds(control, [answer], handle)
            for descriptor in (*descriptors, *handle):
                os.close(descriptor)
    finally:
        for process in started:
            process.end()
        with contextlib.suppress(ChildProcessError):
            while True:  # so that what they took is counted as the grader's
                os.waitpid(-1, 0)


def _fork(
    others: list[Callable[[], None]],
    connection: int,
    log: int,
    folder: str,
    assignment: Assignment,
    started: WarmProcess | None,
) -> tuple[bytes, list[int]]:
    """What the grader is answered: the worker's number with a descriptor of it, or why not."""
    try:
        pid = os.fork()
    except OSError as error:
        return f"no process could be forked: {error}".encode()[:64], []
    if pid == 0:
        try:
            os.setsid()
            os.dup2(log, 1)
            os.dup2(log, 2)
            os.close(log)
            for close in others:
                close()
            tempfile.tempdir = folder
            serve(Connection(connection), folder, assignment, started)
        finally:
            os._exit(1)
    return str(pid).encode(), [os.pidfd_open(pid)]
