"""One run of the benchmark: everybody grades the same class, in turn, round after round."""

from __future__ import annotations

import contextlib
import importlib.metadata
import os
import platform
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.grading.classes import PreparedClass, make_class
from benchmarks.grading.contestants import STOCK, Contestant, contestants
from benchmarks.grading.measure import CommandFailed
from benchmarks.grading.otter_course import OtterCourse, OtterMissing, install, make_otter_class
from benchmarks.grading.runs import Results
from benchmarks.grading.stock_course import make_stock_class

MEMORY_STUDENTS = 3  # memory hardly depends on how many there are, and sampling it costs time
BUSY = 0.7  # processes at work on average, above which nothing should be measured
PACKAGES = ("attention-course", "torch", "nbgrader", "nbclient", "ipython", "ipykernel")


@dataclass(frozen=True, slots=True)
class Options:
    """How large the class is, and how often everybody grades it."""

    students: int = 50
    rounds: int = 3
    stock_students: int | None = None
    many: int = 300
    only: tuple[str, ...] = ()
    otter: bool = True


@dataclass(slots=True)
class Session:
    """What came of it; ``skipped`` says who could not take part, and why."""

    options: Options
    results: dict[str, Results] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    regrade: dict[str, Any] = field(default_factory=dict)
    phases: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0
    load: float = 0.0  # what the machine was doing before it all began

    def to_record(self) -> dict[str, Any]:
        stock, shown = self.results.get(STOCK), self.results.get("stock-shown")
        students = self.options.students
        return {
            "machine": machine(),
            "students": students,
            "rounds": self.options.rounds,
            "seconds": round(self.seconds, 1),
            "load_before": round(self.load, 2),
            "contestants": [
                found.to_record(students, stock, shown)
                for found in self.results.values()
                if found.runs
            ],
            "regrade": self.regrade,
            "phases": self.phases,
            "skipped": self.skipped,
        }


def run(options: Options, scratch: Path, say: Callable[[str], None]) -> Session:
    """The whole benchmark in the folder ``scratch``; ``say`` hears what it is doing."""
    from benchmarks.grading.phases import phases
    from benchmarks.grading.regrade import regrade

    began = time.perf_counter()
    session = Session(options, load=os.getloadavg()[0])
    if session.load > BUSY:
        say(f"The machine is busy (load {session.load:.1f}): times will be longer than they are.")
    say(f"a class of {options.students}, for our course and for stock nbgrader's")
    ours = make_class(scratch / "ours", options.students)
    field_ = _everybody(options, session, ours, scratch, say)
    for contestant in field_:
        session.results[contestant.key] = Results(contestant.key, contestant.label)
    for contestant in field_:  # it warms the machine's caches as well
        if contestant.rounds > 1:
            _take_part(session, contestant, 0, say)
    for number in range(1, options.rounds + 1):
        for contestant in field_:
            if number <= contestant.rounds:
                _take_part(session, contestant, number, say)
    grades = session.results.get("grade-1")
    each_ms = {}
    if grades is not None and grades.runs:
        each_ms["grade-1"] = 1000 * grades.spread(lambda run: run.each_s).median
    if "grade" not in session.skipped:
        with _noted(session, "phases", say):
            session.phases = phases(options, ours, scratch, each_ms)
        with _noted(session, "regrade", say):
            session.regrade = regrade(options, ours, scratch)
    session.seconds = time.perf_counter() - began
    return session


@contextlib.contextmanager
def _noted(session: Session, name: str, say: Callable[[str], None]) -> Iterator[None]:
    """A part that fails is left out, with the reason."""
    say(f"{name} of attention-course grade")
    try:
        yield
    except (CommandFailed, ImportError, ValueError) as error:
        session.skipped[name] = f"The {name} could not be measured: {error}."
        say(session.skipped[name])
        if isinstance(error, CommandFailed):
            say(error.last_words())


def _everybody(
    options: Options,
    session: Session,
    ours: PreparedClass,
    scratch: Path,
    say: Callable[[str], None],
) -> list[Contestant]:
    stock = make_stock_class(scratch / "stock", ours)
    shown = make_stock_class(scratch / "shown", ours, demonstrations=True)
    otter: OtterCourse | None = None
    if options.otter:
        say("otter-grader, in an environment of its own")
        try:
            otter = make_otter_class(scratch / "otter", install(scratch / "otter-venv"), stock)
        except OtterMissing as error:
            session.skipped["otter"] = f"otter-grader was left out: {error}."
    found = contestants(ours, stock, shown, otter, scratch, options.stock_students)
    if not (Path(__file__).parents[2] / "attention_course" / "commands" / "grade.py").is_file():
        found = [contestant for contestant in found if not contestant.key.startswith("grade")]
        session.skipped["grade"] = "attention-course grade is not in this checkout."
    return [
        contestant for contestant in found if not options.only or contestant.key in options.only
    ]


def _take_part(
    session: Session, contestant: Contestant, number: int, say: Callable[[str], None]
) -> None:
    """One run of one contestant, or its look at memory (``number`` 0); failures are noted."""
    if contestant.key in session.skipped:
        return
    results, memory = session.results[contestant.key], number == 0
    what = "the look at memory" if memory else f"round {number}"
    try:
        most = MEMORY_STUDENTS if memory else None
        graded = contestant.grade(number, memory=memory, most=most)
    except (CommandFailed, ValueError) as error:
        session.skipped[contestant.key] = f"{contestant.label} failed in {what}: {error}."
        say(session.skipped[contestant.key])
        if isinstance(error, CommandFailed):
            say(error.last_words())
        return
    say(f"{what}: {contestant.label}: {graded.run.students} in {graded.run.wall_s:.1f} s")
    if memory:
        results.peak_mb = graded.peak_mb
        return
    results.runs.append(graded.run)
    results.agreement = graded.agreement


def machine() -> dict[str, Any]:
    """What it ran on; nothing that tells whose machine it is."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    model = ""
    information = Path("/proc/cpuinfo")
    if information.is_file():
        names = [line for line in information.read_text().splitlines() if "model name" in line]
        model = names[0].split(":", 1)[1].strip() if names else ""
    return {
        "system": f"{platform.system()} {platform.release().split('-')[0]}",
        "processor": model or platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(memory, 1),
        "python": platform.python_version(),
        "packages": {name: importlib.metadata.version(name) for name in PACKAGES},
    }
