"""The workers: hands out submissions, gathers results, and survives the death of any worker."""

from __future__ import annotations

import contextlib
import time
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import wait

from attention_course.grading.batch.helper import PATIENCE, Chances, Helper, NoWorkers, Outcome
from attention_course.grading.batch.launcher import Launcher
from attention_course.grading.batch.worker import Job
from attention_course.grading.submission import Assignment

AHEAD = 2  # jobs at a worker: one that it does, and one that it finds when it is done
STARTS = 3  # times in a row that a worker may end before it is ready


@dataclass
class _Worker:
    helper: Helper
    jobs: deque[Job] = field(default_factory=deque)
    since: float = field(default_factory=time.monotonic)


class Pool:
    """``count`` worker processes for one assignment; close it, or use it as a context."""

    def __init__(
        self,
        assignment: Assignment,
        count: int,
        seconds: float | None,
        launcher: Launcher | None = None,
    ) -> None:
        self.assignment = assignment
        self.launcher = launcher
        self.count = count
        self.seconds = None if seconds is None else seconds + PATIENCE
        self._workers: list[_Worker] = []
        self._chances = Chances()
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
            busy = {w.helper.connection: w for w in self._workers if w.jobs}
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
            worker.helper.end()
        self._workers = []

    # -- inside -----------------------------------------------------------------------------

    def _hand_out(self, waiting: deque[Job]) -> None:
        in_work = sum(len(worker.jobs) for worker in self._workers)
        wanted = min(self.count, len(waiting) + in_work)
        while len(self._workers) < wanted:
            if self.launcher is not None:
                self.launcher.load(self.assignment, wanted)
            self._workers.append(_Worker(Helper(self.assignment, self.launcher)))
        for depth in range(AHEAD):
            for worker in list(self._workers):
                # One at a time until a worker has shown that it works.
                if waiting and len(worker.jobs) == depth and (worker.helper.ready or depth == 0):
                    job = waiting.popleft()
                    if not worker.jobs:
                        worker.since = time.monotonic()
                    worker.jobs.append(job)
                    with contextlib.suppress(OSError):  # its death is seen when it is waited for
                        worker.helper.connection.send(job)

    def _receive(self, worker: _Worker, waiting: deque[Job]) -> Outcome | None:
        try:
            kind, value, digest = worker.helper.connection.recv()
        except (EOFError, OSError):
            return self._buried(worker, waiting, "ended the grader's process")
        worker.since = time.monotonic()
        if kind == "ready":
            worker.helper.ready = True
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
        worker.helper.end(close=False)
        said = worker.helper.last_words()
        worker.helper.log.close()
        if not worker.helper.ready:
            self._failed_starts += 1
            if self._failed_starts > STARTS:
                raise NoWorkers(f"no worker can be started ({said})")
            waiting.appendleft(first)
            return None
        return self._again(first, waiting, f"{what} ({said})")

    def _again(self, job: Job, waiting: deque[Job], what: str) -> Outcome | None:
        after = self._chances.after(job, what)
        if isinstance(after, Outcome):
            return after
        waiting.appendleft(after)
        return None
