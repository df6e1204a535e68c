"""Forks workers from one process that has loaded what they need.

Torch and nbgrader take more than a second to load. A launcher is forked from the grader before
this reads any configuration or gradebook; told to :meth:`Launcher.load`, it loads both once and
then forks a worker whenever one is wanted. Where it cannot be forked, each worker is started for
itself.

A launcher that is fresh (see :mod:`.afresh`) never held a secret until it is told of the
assignment. So before that it forks what submissions are forked from, too, with torch loaded.
Another one starts these anew beside it.
"""

from __future__ import annotations

import atexit
import contextlib
import importlib
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
from typing import TYPE_CHECKING, Any, NoReturn

from attention_course.grading.batch.processors import Places
from attention_course.grading.batch.worker import load, load_torch, serve, worker_environment
from attention_course.grading.sandbox import kernel
from attention_course.grading.sandbox.base import SandboxDidNotStart
from attention_course.grading.sandbox.warm import WarmProcess, fork_works

# Nothing of the checks is loaded here: students' processes may be forked from this one.
if TYPE_CHECKING:
    from attention_course.grading.submission import Assignment

# What workers need of others' libraries, in parts.
WHAT_TAKES_LONG = ("attention_course.grading.sandbox.nursery", "nbformat.validator",
                   "sqlalchemy.orm", "nbconvert.exporters", "nbgrader.api")  # fmt: skip
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
    def fork(cls, fresh: bool = False, early: bool = False) -> Launcher | None:
        """A launcher forked from this process; None where that is not to be had.

        A process that has threads, or torch, or an event loop of somebody's cannot be forked
        with any certainty; nor any on Windows and macOS. This process is ``fresh`` where it
        holds no secret. An ``early`` one loads torch without being told.
        """
        if fork_works() is not None or "torch" in sys.modules or _threads() != 1:
            return None
        ours, theirs = socket.socketpair()
        for stream in filter(None, (sys.stdout, sys.stderr)):
            stream.flush()  # or the other process would say it, too
        try:
            pid = os.fork()
        except OSError:
            ours.close()
            theirs.close()
            return None
        if pid == 0:
            _become_launcher(theirs.detach(), fresh, early)
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
        from attention_course.grading.submission import walls_of

        with contextlib.suppress(OSError):  # that it is gone is seen at the first worker
            _send(self._control, (walls_of(assignment), count))
            _send(self._control, (assignment, worker_environment(), os.getcwd(), sys.path))

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
        if not self._told or not _has_ended(self._handle, 5.0):
            signal.pidfd_send_signal(self._handle, signal.SIGKILL)
        os.waitpid(self._pid, 0)
        os.close(self._handle)
        self._handle = -1


_fresh: Launcher | None = None


def fork_fresh(early: bool) -> None:
    """Fork a launcher from this process, which holds no secret yet; :func:`take_fresh` has it."""
    global _fresh
    _fresh = Launcher.fork(fresh=True, early=early)
    if _fresh is not None:
        atexit.register(_fresh.close)


def take_fresh() -> Launcher | None:
    """The launcher that was forked when this process was fresh; once."""
    global _fresh
    found, _fresh = _fresh, None
    return found


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


def _become_launcher(descriptor: int, fresh: bool, early: bool) -> NoReturn:
    try:
        os.setsid()  # Ctrl-C is the grader's to deal with
        for sent in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(sent, signal.SIG_DFL)
        control = kernel.keep_only(descriptor)
        os.chdir("/")
        sys.dont_write_bytecode = True
        if early:
            load_torch()
            _load_while_waiting(control)
        started: dict[int, WarmProcess] = {}
        try:
            # In two parts: what is forked after the first has seen nothing of the second.
            walls, count = _receive(control)
            places = Places(count)
            if fresh and walls is not None:
                load_torch()
                _start_warm(started, places, walls, forked=True)
            _launch(control, walls, places, started, *_receive(control))
        finally:
            for process in started.values():
                process.end()
            with contextlib.suppress(ChildProcessError):
                while True:  # so that what they took is counted as the grader's
                    os.waitpid(-1, 0)
    except (EOFError, OSError):
        pass  # the grader is gone, or needs no workers
    finally:
        os._exit(0)


def _load_while_waiting(control: socket.socket) -> None:
    for module in WHAT_TAKES_LONG:
        if select.select([control], [], [], 0)[0]:
            return
        importlib.import_module(module)


def _receive(control: socket.socket) -> Any:
    with contextlib.closing(Connection(os.dup(control.fileno()))) as connection:
        return connection.recv()


def _launch(
    control: socket.socket,
    walls: tuple[str, tuple[str, ...]] | None,
    places: Places,
    started: dict[int, WarmProcess],
    assignment: Assignment,
    surroundings: dict[str, str],
    here: str,
    path: list[str],
) -> None:
    os.environ.clear()
    os.environ.update(surroundings)
    os.chdir(here)
    tempfile.tempdir = None  # the environment may name another folder
    # As with python -P: a file of the course folder is no module of ours.
    sys.path[:] = [entry for entry in path if entry not in ("", here)]
    if not started and walls is not None:
        _start_warm(started, places, walls)
    load()
    while True:
        folder, descriptors, _, _ = socket.recv_fds(control, 4096, 2)
        if not folder:
            return
        connection, log = descriptors
        place = places.free()
        mine = started.pop(place, None)
        others = [control.close, *(process.leave for process in started.values())]
        with places.at(place):
            answer, handle = _fork(others, connection, log, folder.decode(), assignment, mine)
        if handle:
            places.take(place, int(answer))
        if mine is not None:
            mine.leave()
        socket.send_fds(control, [answer], handle)
        for descriptor in (*descriptors, *handle):
            os.close(descriptor)


def _start_warm(
    started: dict[int, WarmProcess],
    places: Places,
    walls: tuple[str, tuple[str, ...]],
    forked: bool = False,
) -> None:
    """Start what the submissions of each worker are forked from, at the worker's place."""
    with contextlib.suppress(SandboxDidNotStart):  # the first submission will tell
        for place in range(len(places)):
            with places.at(place):
                started[place] = WarmProcess(*walls, forked=forked)


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
