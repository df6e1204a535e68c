"""Who grades the class, with what command and on which cores."""

from __future__ import annotations

import json
import os
import sys
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from attention_course.commands.course_folder import path_with_own_programs
from benchmarks.grading import marks
from benchmarks.grading.classes import ASSIGNMENT, NOTEBOOK, PreparedClass
from benchmarks.grading.marks import Marks
from benchmarks.grading.measure import Usage, measure
from benchmarks.grading.otter_course import OtterCourse
from benchmarks.grading.runs import Run
from benchmarks.grading.stock_course import CONFIGURATION

NBGRADER = [sys.executable, "-m", "nbgrader", "autograde", ASSIGNMENT]
GRADE = [sys.executable, "-m", "attention_course.cli", "grade", ASSIGNMENT]
STOCK = "stock"


def one_core() -> frozenset[int]:
    return frozenset([max(os.sched_getaffinity(0))])


def two_cores() -> frozenset[int]:
    return frozenset(sorted(os.sched_getaffinity(0))[-2:])


def environment(scratch: Path, modules: bool = False) -> dict[str, str]:
    """This process's, without the user's own settings of Jupyter and IPython.

    With ``modules`` the benchmark's own can be imported; commands run as they do for a user.
    """
    found = {k: v for k, v in os.environ.items() if not k.startswith(("NBGRADER_", "JUPYTER_"))}
    for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR"):
        folder = scratch / "home" / name.lower()
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        found[name] = str(folder)
    found["PATH"] = path_with_own_programs()
    if modules:
        paths = [str(Path(__file__).resolve().parents[2]), found.get("PYTHONPATH", "")]
        found["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
    return found


@dataclass(slots=True)
class Contestant(ABC):
    """One way of grading; ``most`` submissions at most and in so many ``rounds`` at most."""

    key: str
    label: str
    prepared: PreparedClass
    scratch: Path
    cores: frozenset[int] | None = None
    most: int | None = None
    rounds: int = 1_000
    needs_modules: ClassVar[bool] = True

    def students(self, most: int | None = None) -> tuple[str, ...]:
        limits = [limit for limit in (self.most, most) if limit is not None]
        return self.prepared.students[: min(limits, default=None)]

    def grade(self, number: int, *, memory: bool = False, most: int | None = None) -> Grading:
        """Grade everybody afresh; raises CommandFailed or ValueError where that fails."""
        students = self.students(most)
        self.prepare(students)
        usage = measure(
            self.command(students),
            self.folder(),
            environment(self.scratch, self.needs_modules),
            cores=self.cores,
            memory=memory,
        )
        landed = sorted(moment - usage.began for moment in self.landed(students))
        found = {who: given for who, given in self.marks().items() if who in students}
        wanted = {who: self.prepared.expected[who] for who in students}
        agreement = marks.compare(found, wanted)
        wall = self.wall_s(usage)
        run = Run(number, len(students), wall, usage.cpu_s, usage.cpu_from, tuple(landed))
        return Grading(run, agreement, usage.peak_mb)

    def folder(self) -> Path:
        return self.prepared.course.root

    def wall_s(self, usage: Usage) -> float:
        return usage.wall_s

    @abstractmethod
    def prepare(self, students: tuple[str, ...]) -> None:
        """Make the folder as if nobody had been graded yet."""

    @abstractmethod
    def command(self, students: tuple[str, ...]) -> list[str]: ...

    @abstractmethod
    def landed(self, students: tuple[str, ...]) -> list[float]:
        """For each student the time.time() at which the submission was graded."""

    @abstractmethod
    def marks(self) -> Marks: ...


@dataclass(frozen=True, slots=True)
class Grading:
    """What one run of a contestant took, and whether its marks were right."""

    run: Run
    agreement: marks.Agreement
    peak_mb: float | None


@dataclass(slots=True)
class InCourseFolder(Contestant):
    """A command that grades ``submitted/`` into ``autograded/`` and the gradebook."""

    needs_modules: ClassVar[bool] = False
    run: tuple[str, ...] = tuple(NBGRADER)
    configuration: str | None = None

    def prepare(self, students: tuple[str, ...]) -> None:
        self.prepared.reset()
        self.prepared.keep_only(students, self.scratch / "spare" / self.prepared.course.root.name)
        if self.configuration is not None:
            (self.folder() / "nbgrader_config.py").write_text(self.configuration)

    def command(self, students: tuple[str, ...]) -> list[str]:
        return list(self.run)

    def landed(self, students: tuple[str, ...]) -> list[float]:
        files = self.folder().glob(f"autograded/*/{ASSIGNMENT}/{NOTEBOOK}")
        return [file.stat().st_mtime_ns / 1e9 for file in files]

    def marks(self) -> Marks:
        return marks.marks_in_gradebook(self.prepared)


@dataclass(slots=True)
class TwoAtOnce(InCourseFolder):
    """Two commands at the same time, each with half of the class; the fastest stock can be."""

    def command(self, students: tuple[str, ...]) -> list[str]:
        half = len(students) // 2
        halves = [students[:half], students[half:]]
        lines = [
            f'"$@" --CourseDirectory.student_id_exclude={",".join(left_out)} & pids="$pids $!"'
            for left_out in halves
        ]
        wait = "for pid in $pids; do wait $pid || exit 1; done"
        return ["bash", "-c", "\n".join([*lines, wait]), "two", *self.run]


@dataclass(slots=True)
class Floor(Contestant):
    """:mod:`floor`, which reads the notebooks before its clock starts."""

    def _result(self) -> Path:
        return self.scratch / "floor.json"

    def prepare(self, students: tuple[str, ...]) -> None:
        self.prepared.reset()
        self.prepared.keep_only(students, self.scratch / "spare" / self.prepared.course.root.name)

    def command(self, students: tuple[str, ...]) -> list[str]:
        module = "benchmarks.grading.floor"
        return [sys.executable, "-m", module, str(self.folder()), str(self._result())]

    def answers(self) -> dict[str, dict[str, float]]:
        found: dict[str, dict[str, float]] = json.loads(self._result().read_text())["answers"]
        return found

    def landed(self, students: tuple[str, ...]) -> list[float]:
        found: list[float] = json.loads(self._result().read_text())["landed"]
        return found

    def marks(self) -> Marks:
        answers = json.loads(self._result().read_text())["answers"]
        # A test cell that fails on a name that is not there comes to no verdict: no mark either.
        return {
            student: {
                name: found["marks"].get(name, False) for name in self.prepared.expected[student]
            }
            for student, found in answers.items()
        }


@dataclass(slots=True)
class Otter(Contestant):
    """otter-grader without containers, in one process."""

    otter: OtterCourse | None = None

    def _result(self) -> Path:
        return self.scratch / "otter.json"

    def prepare(self, students: tuple[str, ...]) -> None:
        self._result().unlink(missing_ok=True)

    def command(self, students: tuple[str, ...]) -> list[str]:
        assert self.otter is not None
        return self.otter.command(self._result(), students)

    def landed(self, students: tuple[str, ...]) -> list[float]:
        found: list[float] = json.loads(self._result().read_text())["landed"]
        return found

    def marks(self) -> Marks:
        found: Marks = json.loads(self._result().read_text())["marks"]
        return found


def contestants(
    ours: PreparedClass,
    stock: PreparedClass,
    shown: PreparedClass,
    otter: OtterCourse | None,
    scratch: Path,
    stock_students: int | None = None,
) -> list[Contestant]:
    """Everybody, in the order of each round; ``shown`` is stock with demonstration cells."""
    found: list[Contestant] = [
        InCourseFolder(
            STOCK,
            "stock nbgrader 0.9.6",
            stock,
            scratch,
            most=stock_students,
            configuration=CONFIGURATION,
        ),
        InCourseFolder("plugins", "nbgrader autograde with our plug-ins", ours, scratch),
        # Right before those that are compared with it; the machine's speed changes with time.
        InCourseFolder(
            "stock-shown",
            "stock with the demonstration cells",
            shown,
            scratch,
            most=6,
            rounds=2,
        ),
        InCourseFolder(
            "grade-1",
            "attention-course grade, one core",
            ours,
            scratch,
            cores=one_core(),
            run=(*GRADE, "--workers", "1"),
        ),
        Floor("floor", "the floor (fork and run_cell), one core", ours, scratch, cores=one_core()),
        TwoAtOnce(
            "stock-2",
            "stock, two at once, kernels ended at once",
            stock,
            scratch,
            most=12,
            rounds=2,
            configuration=CONFIGURATION + 'c.Execute.shutdown_kernel = "immediate"\n',
        ),
    ]
    if len(os.sched_getaffinity(0)) > 1:
        two = InCourseFolder(
            "grade-2",
            "attention-course grade, two cores",
            ours,
            scratch,
            cores=two_cores(),
            run=(*GRADE, "--workers", "2"),
        )
        found.insert(4, two)
    if otter is not None:
        name = "otter-grader 7.0, no containers, one process"
        found.append(Otter("otter", name, stock, scratch, most=4, rounds=2, otter=otter))
    return found
