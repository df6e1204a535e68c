"""Grades a course in this process and says when each submission was done and what it took.

    python benchmarks/_scale_probe.py COURSE ASSIGNMENT WORKERS INTO [EVERY WAITS FREE]

Started by scale.py, which reads the JSON that is written to INTO. After each EVERY submissions it
makes the file WAITS and waits until that is gone again, unless there is FREE.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import resource
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any


class Clock:
    """A listener that notes the moment of each step, and what the process holds then."""

    def __init__(self, every: str = "0", waits: str = "", free: str = "") -> None:
        self.done: list[float] = []
        self.memory: list[int] = []
        self.problems: list[str] = []
        self.total = 0
        self._every = int(every)
        self._waits, self._free = Path(waits), Path(free)
        self._parent = os.getppid()

    def begin(self, total: int, unchanged: int) -> None:
        self.total = total

    def step(self, student: str) -> None:
        self.done.append(time.perf_counter())
        self.memory.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
        done = len(self.done)
        if self._every and done % self._every == 0 and done < self.total:
            self._wait()

    def _wait(self) -> None:
        self._waits.touch()
        while self._waits.exists() and not self._free.exists() and os.getppid() == self._parent:
            time.sleep(0.02)

    def say(self, sentence: str) -> None:
        self.problems.append(sentence)


@contextlib.contextmanager
def timed(owner: Any, name: str, into: dict[str, float]) -> Iterator[None]:
    function = getattr(owner, name)

    def run(*args: Any, **kwargs: Any) -> Any:
        began = time.perf_counter()
        try:
            return function(*args, **kwargs)
        finally:
            into[name] = into.get(name, 0.0) + time.perf_counter() - began

    setattr(owner, name, run)
    try:
        yield
    finally:
        setattr(owner, name, function)


def main() -> None:
    root, assignment, workers, into = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4]
    from attention_course.grading.batch.launcher import Launcher

    launcher = Launcher.fork()  # as the command does, before a configuration is read
    from attention_course.commands.course_folder import CourseFolder
    from attention_course.commands.report import loaded_configuration
    from attention_course.grading.batch import recording
    from attention_course.grading.batch.course import Course
    from attention_course.grading.batch.gradebook import Writer
    from attention_course.grading.batch.pool import Pool
    from attention_course.grading.batch.run import Run, grade_class

    course = Course(root, loaded_configuration(CourseFolder(root)))
    clock, spent = Clock(*sys.argv[5:]), dict[str, float]()
    began = time.perf_counter()
    with (
        timed(Writer, "write", spent),
        timed(Writer, "marks", spent),
        timed(Run, "_keep", spent),
        timed(Run, "_tasks", spent),
        timed(recording, "_report", spent),
    ):
        pool = functools.partial(Pool, launcher=launcher)
        summary = grade_class(course, assignment, workers, listener=clock, pool=pool)
    if launcher is not None:
        launcher.close()
    ended = time.perf_counter()
    found = {
        "asked": clock.total,
        "graded": len(summary.graded),
        "ungraded": len(summary.ungraded),
        "seconds": ended - began,
        "done": [moment - began for moment in clock.done],
        "memory": clock.memory,
        "spent": spent,
        "said": clock.problems[:5],
    }
    Path(into).write_text(json.dumps(found))


if __name__ == "__main__":
    main()
