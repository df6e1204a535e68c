"""The workers: hands out submissions, gathers results, and survives the death of any worker."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection, wait
from typing import Any

from attention_course.grading.batch.worker import Job
from attention_course.grading.submission import Assignment, Result

WORKER = "attention_course.grading.batch.worker"
AHEAD = 2  # jobs at a worker: one that it does, and one that it finds when it is done
STARTS = 3  # times in a row that a worker may end before it is ready
# Seconds beyond a submission's own limit after which a worker counts as stuck.
PATIENCE = 300.0


class NoWorkers(RuntimeError):
    """Workers do not start on this machine."""


@dataclass
class Outcome:
    """What became of a job: a result with the digest of what was read, or why there is none."""

    job: Job
    result: Result | None = None
    digest: str = ""
    lost: str | None = None


@dataclass
class _Worker:
    process: subprocess.Popen[bytes]
    connection: Connection
    log: Any
    folder: str
    jobs: deque[Job] = field(default_factory=deque)
    since: float = field(default_factory=time.monotonic)
    ready: bool = False

    def last_words(self) -> str:
        self.log.seek(0)
        lines = self.log.read().decode("utf-8", "replace").strip().splitlines()
        return lines[-1][:300] if lines else f"exit code {self.process.poll()}"


class Pool:
    """``count`` worker processes for one assignment; close it, or use it as a context."""

    def __init__(self, assignment: Assignment, count: int, seconds: float | None) -> None:
        self.assignment = assignment
        self.count = count
        self.seconds = None if seconds is None else seconds + PATIENCE
        self._workers: list[_Worker] = []
        self._attempts: dict[str, int] = {}
        self._failed_starts = 0

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *about: object) -> None:
        self.close()

    def run(self, jobs: Iterable[Job]) -> Iterator[Outcome]:
        """Grade all jobs; outcomes come as they are ready. Raises NoWorkers."""
        waiting = deque(jobs)
        while waiting or any(worker.jobs for worker in self._workers):
            self._hand_out(waiting)
            busy = {worker.connection: worker for worker in self._workers if worker.jobs}
            for ready in wait(list(busy), timeout=5.0):
                outcome = self._receive(busy[ready], waiting)  # type: ignore[index]
                if outcome is not None:
                    yield outcome
            for worker in list(self._workers):
                late = self.seconds is not None and time.monotonic() - worker.since > self.seconds
                if worker.jobs and late:
                    outcome = self._buried(worker, waiting, "took too long and was ended")
                    if outcome is not None:
                        yield outcome

    def close(self) -> None:
        """End every worker, whatever it does."""
        for worker in self._workers:
            _end(worker)
        self._workers = []

    # -- inside -----------------------------------------------------------------------------

    def _hand_out(self, waiting: deque[Job]) -> None:
        in_work = sum(len(worker.jobs) for worker in self._workers)
        wanted = min(self.count, len(waiting) + in_work)
        while len(self._workers) < wanted:
            self._workers.append(self._start())
        for depth in range(AHEAD):
            for worker in list(self._workers):
                # One at a time until a worker has shown that it works.
                if waiting and len(worker.jobs) == depth and (worker.ready or depth == 0):
                    job = waiting.popleft()
                    if not worker.jobs:
                        worker.since = time.monotonic()
                    worker.jobs.append(job)
                    with contextlib.suppress(OSError):  # its death is seen when it is waited for
                        worker.connection.send(job)

    def _start(self) -> _Worker:
        ours, theirs = socket.socketpair()
        log = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the worker
        folder = tempfile.mkdtemp(prefix="attention-course-worker-")
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
        try:
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", WORKER, str(theirs.fileno()), folder],
                env=environment,
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        finally:
            theirs.close()
        worker = _Worker(process, Connection(ours.detach()), log, folder)
        with contextlib.suppress(OSError):
            worker.connection.send(self.assignment)
        return worker

    def _receive(self, worker: _Worker, waiting: deque[Job]) -> Outcome | None:
        try:
            kind, value, digest = worker.connection.recv()
        except (EOFError, OSError):
            return self._buried(worker, waiting, "ended the grader's process")
        worker.since = time.monotonic()
        if kind == "ready":
            worker.ready = True
            self._failed_starts = 0
            return None
        job = worker.jobs.popleft()
        if kind == "failed":
            return self._again(job, waiting, f"failed in the grader ({value})")
        return Outcome(job, result=value, digest=digest)

    def _buried(self, worker: _Worker, waiting: deque[Job], what: str) -> Outcome | None:
        """After a worker's end: its other jobs go back, the one it did is tried once more."""
        first, *others = worker.jobs
        waiting.extendleft(reversed(others))
        self._workers.remove(worker)
        _end(worker, close=False)
        said = worker.last_words()
        worker.log.close()
        if not worker.ready:
            self._failed_starts += 1
            if self._failed_starts > STARTS:
                raise NoWorkers(f"no worker can be started ({said})")
            waiting.appendleft(first)
            return None
        return self._again(first, waiting, f"{what} ({said})")

    def _again(self, job: Job, waiting: deque[Job], what: str) -> Outcome | None:
        attempts = self._attempts[job.student] = self._attempts.get(job.student, 0) + 1
        if attempts == 1:
            waiting.appendleft(job)
        elif job.reason is None:
            waiting.appendleft(replace(job, reason=f"grading it {what}, twice"))
        else:
            return Outcome(job, lost=job.reason)
        return None


def _end(worker: _Worker, close: bool = True) -> None:
    with contextlib.suppress(OSError):
        worker.connection.close()  # it ends itself at once, and tidies up
    try:
        worker.process.wait(5)
    except subprocess.TimeoutExpired:
        worker.process.kill()
        worker.process.wait()
    shutil.rmtree(worker.folder, ignore_errors=True)
    if close:
        worker.log.close()
