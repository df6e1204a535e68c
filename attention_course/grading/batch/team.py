"""The helpers of one process whose threads grade at the same time."""

from __future__ import annotations

import threading
import time
from typing import Any

from attention_course.grading.batch.helper import Helper
from attention_course.grading.batch.worker import Job
from attention_course.grading.submission import Assignment

STARTS = 3  # times in a row that a helper may end before it is ready
ENDED = "ended the grader's process"  # where it said nothing else


class CannotGrade(Exception):
    """The fault is this machine's, whatever the job: the job is for another one."""


class Team:
    """As many helpers for ``assignment`` as jobs are done at the same time; close them.

    The first is started at once, and may take its time. Raises CannotGrade. A job may take
    ``seconds``.
    """

    def __init__(self, assignment: Assignment, seconds: float | None) -> None:
        self.assignment = assignment
        self.seconds = seconds
        self._lock = threading.Lock()
        self._closed = False
        self._all: list[Helper] = []
        self._free = [self._started()]

    def grade(self, job: Job) -> tuple[str, Any]:
        """``("done", result)``, or ``("failed", what happened)``. Raises CannotGrade."""
        words = ""
        for _ in range(STARTS):
            with self._lock:
                helper = self._free.pop() if self._free else self._started()
            try:
                answer = _asked(helper, job, self.seconds)
            except (EOFError, OSError) as error:
                words = self._bury(helper)
                if helper.ready or isinstance(error, TimeoutError):
                    return "failed", f"{str(error) or ENDED} ({words})"
            else:
                with self._lock:
                    self._free.append(helper)  # where it was closed meanwhile, nobody asks it
                return answer
        raise CannotGrade(f"its processes end before they are ready ({words})")

    def close(self) -> None:
        """End the helpers, whatever they do."""
        with self._lock:
            self._closed = True  # who still waits for a helper of these starts no other
            helpers, self._all, self._free = self._all, [], []
        for helper in helpers:
            helper.end()

    def _started(self) -> Helper:
        if self._closed:
            raise CannotGrade("its helpers were ended")
        try:
            helper = Helper(self.assignment)
        except OSError as error:
            raise CannotGrade(f"it can start no process ({error})") from error
        self._all.append(helper)
        return helper

    def _bury(self, helper: Helper) -> str:
        """What it said last."""
        with self._lock:
            if helper not in self._all:
                return "it was ended"
            self._all.remove(helper)
        helper.end(close=False)
        words = helper.last_words()
        helper.log.close()
        return words


def _asked(helper: Helper, job: Job, seconds: float | None) -> tuple[str, Any]:
    """The helper's answer. Raises EOFError when it has died, TimeoutError when it is late."""
    until = None if seconds is None else time.monotonic() + seconds
    helper.connection.send(job)
    while True:
        left = None if until is None else max(0.0, until - time.monotonic())
        if not helper.connection.poll(left):
            raise TimeoutError("took too long and was ended")
        kind, value, _ = helper.connection.recv()
        if kind == "ready":
            helper.ready = True
        elif kind == "failed":
            return kind, f"failed in the grader ({value})"
        else:
            return kind, value
