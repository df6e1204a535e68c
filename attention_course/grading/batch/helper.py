"""A grading process of the grader's own, and what a job is given another chance for.

Whoever hands out jobs owns helpers: the pool of this machine one for each worker, a worker of a
cluster one for each of its threads. A helper forks students' processes, so it has no threads
that work, and nothing of the gradebook in memory.
"""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection
from typing import Any

from attention_course.grading.batch.launcher import Launched, Launcher, LauncherGone
from attention_course.grading.batch.worker import Job, worker_environment
from attention_course.grading.submission import Assignment, Result

Worker = subprocess.Popen[bytes] | Launched
WORKER = "attention_course.grading.batch.worker"
# Seconds beyond a submission's own limit after which whoever grades it counts as stuck.
PATIENCE = 300.0


class NoWorkers(RuntimeError):
    """Nobody is there who could grade."""


@dataclass
class Outcome:
    """What became of a job: a result with the digest of what was read, or why there is none."""

    job: Job
    result: Result | None = None
    digest: str = ""
    lost: str | None = None


@dataclass
class Chances:
    """Two attempts for a job; then its notebooks are set aside for a person; then it is lost."""

    attempts: dict[str, int] = field(default_factory=dict)

    def after(self, job: Job, what: str) -> Job | Outcome:
        """The job to do next, or its end, once ``what`` has happened to whoever graded it."""
        self.attempts[job.student] = self.attempts.get(job.student, 0) + 1
        if self.attempts[job.student] == 1:
            return job
        if job.reason is None:
            return replace(job, reason=f"grading it {what}, twice")
        return Outcome(job, lost=job.reason)


class Helper:
    """A process that grades one submission of ``assignment`` after another.

    It is forked from the ``launcher``, where there is one that has been told to load.
    """

    def __init__(self, assignment: Assignment, launcher: Launcher | None = None) -> None:
        ours, theirs = socket.socketpair()
        self.log: Any = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the helper
        self.folder = tempfile.mkdtemp(prefix="attention-course-worker-")
        self.ready = False
        try:
            with theirs:
                process, knows = self._launched(theirs, launcher), True
                if process is None:
                    process, knows = self._started(theirs), False
        except BaseException:  # Ctrl-C while the launcher loads
            ours.close()
            self.log.close()
            shutil.rmtree(self.folder, ignore_errors=True)
            raise
        self.process = process
        self.connection = Connection(ours.detach())
        if not knows:
            with contextlib.suppress(OSError):  # its death is seen when it is waited for
                self.connection.send(assignment)

    def _launched(self, theirs: socket.socket, launcher: Launcher | None) -> Worker | None:
        if launcher is not None:
            with contextlib.suppress(LauncherGone):
                return launcher.launch(theirs, self.log, self.folder)
        return None

    def _started(self, theirs: socket.socket) -> Worker:
        return subprocess.Popen(
            [sys.executable, "-P", "-m", WORKER, str(theirs.fileno()), self.folder],
            env=worker_environment(),
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=self.log,
            start_new_session=True,
        )

    def last_words(self) -> str:
        """What it said last, or how it ended."""
        self.log.seek(0)
        lines = self.log.read().decode("utf-8", "replace").strip().splitlines()
        return lines[-1][:300] if lines else f"exit code {self.process.poll()}"

    def end(self, close: bool = True) -> None:
        """End it, whatever it does; without ``close`` its last words are kept."""
        with contextlib.suppress(OSError):
            self.connection.close()  # it ends itself at once, and tidies up
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)
        if close:
            self.log.close()
