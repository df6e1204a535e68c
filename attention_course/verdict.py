"""What a check says: the words that the notebook, the grader and the reports share.

Imports nothing of ours, so that every room may import it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import Enum
from typing import Any


class Outcome(Enum):
    """What came of checking one exercise."""

    PASSED = "passed"
    FAILED = "failed"
    UNGRADED = "ungraded"  # ours, or undecided: a person looks; never a zero


class AnswerStopped(Exception):
    """The student's code was stopped or ended its own process; the message says which."""


class Ungradable(Exception):
    """Something of ours failed, so nothing can be said about the answer; the message says what."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome of one exercise, in words that its student can use.

    ``misconceptions`` holds the ids of what was recognised, the main one first; it is
    empty where the answer passed or its fault has no name.
    """

    outcome: Outcome
    exercise: str
    message: str
    points: float = 0.0
    max_points: float = 1.0
    misconceptions: tuple[str, ...] = ()
    expected_shape: str | None = None
    actual_shape: str | None = None
    details: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        return self.outcome is Outcome.PASSED

    def to_record(self) -> dict[str, Any]:
        """The verdict as plain JSON data: the same record for grader, progress and reports."""
        record = asdict(self)
        record["outcome"] = self.outcome.value
        record["misconceptions"] = list(self.misconceptions)
        record["details"] = list(self.details)
        return record

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> Verdict:
        """Read what :meth:`to_record` wrote; a record of another shape raises ValueError."""
        try:
            return cls(
                outcome=Outcome(record["outcome"]),
                exercise=str(record["exercise"]),
                message=str(record["message"]),
                points=float(record["points"]),
                max_points=float(record["max_points"]),
                misconceptions=tuple(map(str, record.get("misconceptions", ()))),
                expected_shape=record.get("expected_shape"),
                actual_shape=record.get("actual_shape"),
                details=tuple(map(str, record.get("details", ()))),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"not a verdict record: {error!r}") from error
