"""The student's process over the length of a notebook, and what it may see and use.

Started where it is first asked something, started again where it ended, stopped where it takes
too long; files go to it and come back as data.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

from attention_course.grading.outputs import checked
from attention_course.grading.record import Record
from attention_course.grading.remote import Wall
from attention_course.grading.sandbox import (
    REQUIRED,
    Limits,
    Sandbox,
    SandboxDidNotStart,
    Unprotected,
    read_folder,
    start,
    write_folder,
)
from attention_course.grading.sandbox.outputs import Outputs
from attention_course.verdict import AnswerStopped, Ungradable

# What holds ready-made answers cannot be imported by a student's code at grading.
REFUSED = (
    "reference_attention",
    "attention_course.checks",
    "attention_course.panel",
    "attention_course.comparisons",
    "attention_course.grading.engine",
    "attention_course.grading.review",
)

MARGIN = 10.0  # seconds that a test has for its own work, beside what the answer may take


@dataclass(frozen=True)
class Surroundings:
    """Where a submission's files lie and how it may be run.

    ``folder`` is the submission's working folder, ``helpers`` the instructor's folder of the
    assignment, ``student_files`` the files in it that are the student's to write.
    """

    folder: Path
    helpers: Path | None = None
    student_files: frozenset[str] = frozenset()
    limits: Limits = field(default_factory=Limits)
    environment: tuple[tuple[str, str], ...] = ()
    isolation: str = "auto"
    required: tuple[str, ...] = REQUIRED
    open_sandbox: Callable[[Surroundings], Sandbox] | None = None

    def start(self) -> Sandbox:
        if self.open_sandbox is not None:
            return self.open_sandbox(self)
        wanted, required = self.isolation, self.required
        return start(self.files(), self.limits, REFUSED, dict(self.environment), wanted, required)

    def files(self) -> dict[str, bytes]:
        """What the student's process gets of the folder: all but the notebooks.

        By now nbgrader has put the hidden tests back into these.
        """
        notebooks = [path.name for path in self.folder.glob("*.ipynb")]
        return read_folder(self.folder, self.limits.scratch // 2, leave_out=notebooks)

    def keep(self, made: dict[str, bytes]) -> None:
        """Put files that the student's code made into the folder.

        Never a notebook, nor a file in the place of one of the instructor's: what the next test
        reads would be the student's.
        """
        write_folder(self.folder, {k: v for k, v in made.items() if not self._is_ours(k)})

    def _is_ours(self, name: str) -> bool:
        if name.endswith(".ipynb"):
            return True
        known = self.helpers is not None and (self.helpers / name).exists()
        return known and name not in self.student_files


class Clock(Enum):
    """Whether the time of a graded cell is counted."""

    OFF = "off"
    WAITING = "waiting"
    RUNNING = "running"


class StudentSide:
    """The student's process over the length of a notebook, started again where it ended."""

    def __init__(self, surroundings: Surroundings, outputs: Outputs, record: Record) -> None:
        self.surroundings = surroundings
        self.limits = surroundings.limits
        self.outputs = outputs
        self.record = record
        self._wall: Wall | None = None
        self._ran: list[str] = []
        self._starts = 0
        self._exchanged = 0
        submission = self.limits.submission
        self._end = None if submission is None else time.monotonic() + submission
        self._cell_end: float | None = None
        self._clock = Clock.OFF
        self._sharing = False
        self._unstartable: str | None = None
        self._folder: dict[str, tuple[int, int]] = {}

    def wall(self) -> Wall:
        """The connection to a living process that has run all cells so far."""
        if self._wall is None or self._wall.ended is not None:
            self._restart()
        assert self._wall is not None
        if self._clock is Clock.WAITING:
            # The first question starts it: what a test does before is not the answer's time.
            self._clock = Clock.RUNNING
            cell = self.limits.cell
            self._cell_end = None if cell is None else time.monotonic() + cell
        self._wall.deadline = self._deadline()
        return self._wall

    def _share_files(self, shared: bool) -> None:
        """While a test runs, it and the answer see each other's files."""
        self._sharing = shared
        if self._wall is not None:
            self._wall.before_question = self._hand_over_files if shared else None
            self._wall.after_files = self.keep_files if shared else None

    def _deadline(self) -> float | None:
        ends = [end for end in (self._end, self._cell_end) if end is not None]
        return min(ends) if ends else None

    @contextlib.contextmanager
    def graded_cell(self) -> Iterator[None]:
        """All that a graded cell asks for must be answered within one cell's time."""
        with contextlib.suppress(AnswerStopped, Ungradable):
            self.wall()  # a process that must be started again does so on its own time
        self.keep_files()
        self._clock = Clock.WAITING
        self._share_files(True)
        try:
            with _alarm(self.limits.cell):
                yield
        finally:
            self._clock, self._cell_end = Clock.OFF, None
            self._share_files(False)

    def _restart(self) -> None:
        if self._unstartable is not None:
            raise Ungradable(self._unstartable)  # every cell would wait for it again
        if self._starts > self.limits.restarts:
            raise AnswerStopped(
                f"the submission ended its process {self._starts} times and is not run again"
            )
        self.close()
        self._starts += 1
        began = time.monotonic()
        sandbox = self._start()
        spent = time.monotonic() - began
        self.record.durations["start"] = self.record.durations.get("start", 0.0) + spent
        if self._end is not None:
            self._end += spent  # a machine that is slow to start a process is no student's fault
        self._wall = Wall(sandbox, self.limits, lambda text: self.outputs.stream("stdout", text))
        self._folder = self._folder_now()
        self._share_files(self._sharing)
        for source in list(self._ran):
            self._wall.deadline = self._deadline()
            try:
                self._wall.exchange({"op": "run_cell", "source": source})
            except AnswerStopped:
                self._ran.remove(source)
                if self._wall.ended is not None:
                    self._restart()
                    return

    def _start(self) -> Sandbox:
        try:
            return self.surroundings.start()
        except Unprotected as error:
            self._unstartable = str(error)
        except SandboxDidNotStart:
            # Once more: a machine that was short of processes for a moment is no verdict.
            try:
                return self.surroundings.start()
            except SandboxDidNotStart as error:
                self._unstartable = str(error)
        raise Ungradable(self._unstartable)

    def run_cell(self, source: str) -> tuple[list[dict[str, Any]], int | None]:
        """Run one of the student's cells; returns its outputs and execution count."""
        question = {"op": "run_cell", "source": source}
        try:
            try:
                header, _ = self.wall().exchange(question)
            except Ungradable:
                # Its process was taken away, which is no restart of the student's making; another
                # runs all cells once more. Where none can be started, this raises again.
                self._starts -= 1
                header, _ = self.wall().exchange(question)
        except AnswerStopped as error:
            self.record.events.append({"what": "stopped", "why": str(error)})
            return [stopped(error)], None
        self._ran.append(source)
        outputs = checked(header.get("outputs"))
        value = header.get("value")
        count = None
        if isinstance(value, list) and value and value[0] == "d":
            count = sum(1 for _ in self._ran)
        elif "error" in header:
            outputs.append(stopped(AnswerStopped("the cell ended with SystemExit")))
        return outputs, count

    @property
    def exchanges(self) -> int:
        """How often the student's process was asked something so far."""
        return self._exchanged + (self._wall.number if self._wall is not None else 0)

    def keep_files(self) -> None:
        """Bring back what the code wrote, as far as its process still answers."""
        if self._wall is not None and self._wall.ended is None:
            made = self._wall.sandbox.collect()
            if made:
                self.surroundings.keep(made)
                self._folder = self._folder_now()

    def _hand_over_files(self) -> None:
        """Give the student's process what a test has written into the folder."""
        before, now = self._folder, self._folder_now()
        if self._wall is None or now == before:
            return
        self._folder = now
        files = self.surroundings.files()
        changed = {n: d for n, d in files.items() if now.get(n) != before.get(n) or "/" in n}
        self._wall.before_question = None  # this is a question of its own
        try:
            self._wall.put(changed)
        finally:
            self._wall.before_question = self._hand_over_files

    def _folder_now(self) -> dict[str, tuple[int, int]]:
        """What tells a changed folder from the one before: its entries, sizes and times."""
        with os.scandir(self.surroundings.folder) as entries:
            found = ((entry.name, entry.stat(follow_symlinks=False)) for entry in entries)
            return {name: (about.st_size, about.st_mtime_ns) for name, about in found}

    def close(self) -> None:
        if self._wall is not None:
            self._wall.sandbox.close()
            self._exchanged += self._wall.number
            self._wall = None


class TestStopped(AnswerStopped):
    """A graded cell went on and on in the grader's own process."""


@contextlib.contextmanager
def _alarm(seconds: float | None) -> Iterator[None]:
    """Stop a test that what it was given keeps busy here: ``for i in range(their_number)``."""
    if (
        seconds is None
        or not hasattr(signal, "setitimer")
        or threading.current_thread() is not threading.main_thread()
    ):
        yield
        return
    limit = seconds + MARGIN

    def stop(number: int, frame: Any) -> None:
        raise TestStopped(f"the test was stopped after {limit:.3g} s")

    handler = signal.signal(signal.SIGALRM, stop)
    # Again each second: the first exception may come where something swallows it.
    left, interval = signal.setitimer(signal.ITIMER_REAL, limit, 1.0)
    began = time.monotonic()
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
        if left:
            rest = max(left - (time.monotonic() - began), 0.001)
            signal.setitimer(signal.ITIMER_REAL, rest, interval)


def stopped(error: Exception) -> dict[str, Any]:
    text = f"Stopped: {error}"
    return {"output_type": "error", "ename": "Stopped", "evalue": str(error), "traceback": [text]}
