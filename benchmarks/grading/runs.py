"""What one grading of a class took, and what comes of several of them."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from benchmarks.grading.marks import Agreement


@dataclass(frozen=True, slots=True)
class Run:
    """One grading of ``students`` submissions, from the command's start to its end.

    ``landed_s`` are the seconds after the start at which each submission was done, in order.
    """

    round: int
    students: int
    wall_s: float
    cpu_s: float
    cpu_from: str
    landed_s: tuple[float, ...]

    @property
    def each_s(self) -> float:
        """Seconds from one submission to the next, start and end left out."""
        if len(self.landed_s) < 2:
            return self.wall_s
        # The slope of all of them: workers side by side land two at a time.
        return statistics.linear_regression(range(len(self.landed_s)), self.landed_s).slope

    @property
    def start_s(self) -> float:
        """Seconds that do not depend on how many submissions there are."""
        return max(0.0, self.wall_s - self.students * self.each_s)

    def class_s(self, students: int) -> float:
        """Seconds for a class of that size: measured, or computed where another was graded."""
        if students == self.students:
            return self.wall_s
        return self.start_s + students * self.each_s


@dataclass(frozen=True, slots=True)
class Spread:
    """The median of some runs, and the smallest and largest."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Iterable[float]) -> Spread:
        found = sorted(values)
        return cls(statistics.median(found), found[0], found[-1])

    def text(self, digits: int = 0, unit: str = "") -> str:
        if f"{self.least:.{digits}f}" == f"{self.most:.{digits}f}":
            return f"{self.median:.{digits}f}{unit}"
        return f"{self.median:.{digits}f}{unit} ({self.least:.{digits}f}–{self.most:.{digits}f})"


@dataclass(slots=True)
class Results:
    """All runs of one way of grading, and the largest memory that it was seen to use."""

    key: str
    label: str
    runs: list[Run] = field(default_factory=list)
    agreement: Agreement | None = None
    peak_mb: float | None = None

    def spread(self, value: Callable[[Run], float]) -> Spread:
        return Spread.of(map(value, self.runs))

    def per_minute(self, students: int) -> Spread:
        """Submissions a minute in a class of that size, start and end included."""
        return self.spread(lambda run: 60 * students / run.class_s(students))

    def times(self, other: Results, students: int) -> Spread:
        """How many times as many submissions a minute as ``other``, round by round."""
        return Spread.of(b.class_s(students) / a.class_s(students) for a, b in _pairs(self, other))

    def times_without_start(self, other: Results) -> Spread:
        return Spread.of(b.each_s / a.each_s for a, b in _pairs(self, other))

    def to_record(
        self, students: int, stock: Results | None, shown: Results | None = None
    ) -> dict[str, Any]:
        """As plain data; ``shown`` is stock on the lesson as it is, demonstrations included."""
        record: dict[str, Any] = {
            "key": self.key,
            "label": self.label,
            "runs": [{**asdict(run), "landed_s": _rounded(run.landed_s)} for run in self.runs],
            "students": self.runs[0].students,
            "submissions_a_minute": asdict(self.per_minute(students)),
            "ms_each": asdict(self.spread(lambda run: 1000 * run.each_s)),
            "start_s": asdict(self.spread(lambda run: run.start_s)),
            "cpu_s_each": asdict(self.spread(lambda run: run.cpu_s / run.students)),
            "peak_mb": self.peak_mb,
            "marks": asdict(self.agreement) if self.agreement else None,
        }
        if stock is not None and stock.runs:
            record["times_stock"] = asdict(self.times(stock, students))
            record["times_stock_without_start"] = asdict(self.times_without_start(stock))
        if shown is not None and shown.runs:
            record["times_same"] = asdict(self.times(shown, students))
            record["times_same_without_start"] = asdict(self.times_without_start(shown))
        return record


def _pairs(ours: Results, theirs: Results) -> list[tuple[Run, Run]]:
    """The runs of the same round, so that a busy minute slows both."""
    by_round = {run.round: run for run in theirs.runs}
    return [(run, by_round[run.round]) for run in ours.runs if run.round in by_round]


def _rounded(values: Iterable[float]) -> list[float]:
    return [round(value, 4) for value in values]
