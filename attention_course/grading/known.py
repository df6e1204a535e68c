"""What the grader knows of a released notebook, as plain data: no database, no files."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from attention_course.grading.rebuild import SourceCell
from attention_course.grading.source import InstructorCell, Plan, plan


@dataclass(frozen=True)
class KnownNotebook:
    """A released notebook: its cells with a grade_id, and the master's.

    ``kernelspec`` is what the release was made with; without ``master`` the plan is made from
    what the release holds. ``cells`` come in the master's order, however they were given: a
    database may return a row that was changed behind all others.
    """

    name: str
    cells: tuple[SourceCell, ...]
    kernelspec: dict[str, Any] | None = None
    master: tuple[InstructorCell, ...] | None = None

    def __post_init__(self) -> None:
        names = [cell.grade_id for cell in self.master or () if cell.grade_id]
        places = {name: place for place, name in enumerate(names)}
        cells = sorted(self.cells, key=lambda cell: places.get(cell.grade_id, len(places)))
        object.__setattr__(self, "cells", tuple(cells))

    @cached_property
    def plan(self) -> Plan:
        """What runs in the grader's process before each graded cell."""
        graded = {s.grade_id: s.source for s in self.cells if s.grade and not s.solution}
        return plan(self._instructors, graded)

    @property
    def _instructors(self) -> tuple[InstructorCell, ...]:
        if self.master is not None:
            return self.master
        kinds = {True: "graded", False: "instructor"}
        return tuple(
            InstructorCell("solution" if s.solution else kinds[s.grade], s.source, s.grade_id)
            for s in self.cells
            if s.cell_type == "code"
        )

    @cached_property
    def by_name(self) -> dict[str, SourceCell]:
        return {cell.grade_id: cell for cell in self.cells}

    def __getstate__(self) -> dict[str, Any]:
        names = ("name", "cells", "kernelspec", "master")
        return {name: self.__dict__[name] for name in names}
