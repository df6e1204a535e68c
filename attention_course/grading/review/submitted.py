"""What of a submission is reviewed: its answers, as plain data, and nothing that names anybody."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

MARKER = re.compile(r"^[ \t]*### (BEGIN|END) SOLUTION[ \t]*$\n?", re.M)


@dataclass(frozen=True, slots=True)
class Submitted:
    """One submitted notebook as the review reads it.

    ``answers`` maps each exercise to the student's source as handed in, ``reference`` to the
    instructor's, ``verdicts`` to a line on what the tests said, ``released`` to the stub that
    the student began with; ``points`` is what the task cell can give.
    """

    answers: dict[str, str]
    reference: dict[str, str] = field(default_factory=dict)
    verdicts: dict[str, str] = field(default_factory=dict)
    released: dict[str, str] = field(default_factory=dict)
    points: float = 2.0

    def record(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> Submitted:
        return cls(**record)


def solutions(notebook: Mapping[str, Any]) -> dict[str, str]:
    """grade_id to source of a notebook's solution cells, without the instructor's markers."""
    found = {}
    for cell in notebook["cells"]:
        data = cell["metadata"].get("nbgrader", {})
        if cell["cell_type"] == "code" and data.get("solution") and data.get("grade_id"):
            source = cell["source"]
            text = source if isinstance(source, str) else "".join(source)
            found[str(data["grade_id"])] = MARKER.sub("", text)
    return found


def task_points(notebook: Mapping[str, Any], grade_id: str) -> float | None:
    """The points of a task cell; None where the notebook has no such task."""
    for cell in notebook["cells"]:
        data = cell["metadata"].get("nbgrader", {})
        if data.get("task") and data.get("grade_id") == grade_id:
            return float(data.get("points", 0))
    return None


def verdict_lines(verdicts: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Exercise to a line on what the tests said: the same for all answers with the same fault.

    The verdict's own words are left out: they may quote numbers, which are drawn afresh in each
    run, and then no stored answer would ever fit again.
    """
    from attention_course.checks import MISCONCEPTIONS

    lines = {}
    for verdict in verdicts:
        named = [MISCONCEPTIONS[m].title for m in verdict["misconceptions"] if m in MISCONCEPTIONS]
        outcome = str(verdict["outcome"])
        lines[str(verdict["exercise"])] = {
            "passed": "The numeric tests pass.",
            "failed": f"The numeric tests fail{': ' if named else ''}{'; '.join(named)}.",
        }.get(outcome, "The numeric tests could not be run.")
    return lines
