"""The instructor's notebook as the grader needs it: which cell runs where, and in what order."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass

from nbformat import NotebookNode

from attention_course.grading.names import CellNames, names_of, plain_python

DEMONSTRATION = "demonstration"


@dataclass(frozen=True)
class InstructorCell:
    """A cell of the master notebook: of code, or of text that has a grade_id.

    ``kind`` is "graded", "solution", "instructor", "demonstration" or, for its place, "text".
    """

    kind: str
    source: str
    grade_id: str | None

    @property
    def names(self) -> CellNames:
        return names_of(self.source)


def instructor_cells(master: NotebookNode) -> tuple[InstructorCell, ...]:
    """The cells of a master notebook that say what runs, and in what order cells come."""
    found = []
    for cell in master.cells:
        data = cell.metadata.get("nbgrader", {})
        if cell.cell_type != "code":
            if data.get("grade_id"):
                found.append(InstructorCell("text", "", data["grade_id"]))
            continue
        kind = "instructor"
        if data.get("solution"):
            kind = "solution"
        elif data.get("grade"):
            kind = "graded"
        elif DEMONSTRATION in cell.metadata.get("tags", ()):
            kind = DEMONSTRATION
        found.append(InstructorCell(kind, cell.source, data.get("grade_id")))
    return tuple(found)


@dataclass(frozen=True)
class Plan:
    """What runs in the grader's process before each graded cell.

    ``before`` maps a graded cell's grade_id to the instructor's cells to run first;
    ``theirs`` to the names that are the student's at that point, whatever else bound them.
    ``ours`` are all names that the instructor's cells bind.
    """

    before: dict[str, tuple[InstructorCell, ...]]
    theirs: dict[str, frozenset[str]]
    demonstrations: frozenset[str]
    ours: frozenset[str] = frozenset()


def plan(cells: Iterable[InstructorCell], graded: dict[str, str]) -> Plan:
    """Decide which of the instructor's cells the tests need.

    A cell that binds nothing that a test reads, directly or through another cell, is not run
    here: pictures and demonstrations cost a class of three hundred a lot of time.
    ``graded`` maps grade_id to the source of the graded cells, hidden tests included.
    """
    cells = list(cells)
    needed: set[str] = set()
    wanted: list[bool] = [False] * len(cells)
    for place in range(len(cells) - 1, -1, -1):
        cell = cells[place]
        if cell.kind == "graded":
            needed |= names_of(graded.get(cell.grade_id or "", cell.source)).reads
        elif cell.kind == "instructor":
            names = cell.names
            if not names.certain or names.binds & needed:
                wanted[place] = True
                needed |= names.reads
    before: dict[str, tuple[InstructorCell, ...]] = {}
    theirs: dict[str, frozenset[str]] = {}
    pending: list[InstructorCell] = []
    owned: set[str] = set()
    imported: set[str] = set()
    for cell, want in zip(cells, wanted, strict=True):
        if cell.kind == "instructor" and want:
            pending.append(cell)
            owned -= cell.names.binds
            imported |= cell.names.imports
        elif cell.kind == "solution":
            # `import math` in a solution does not make the tests' math the student's.
            libraries = _imports_for(cell, needed - imported)
            if libraries is not None:
                pending.append(libraries)
                imported |= libraries.names.imports
            owned |= cell.names.binds - (cell.names.imports & imported)
        elif cell.kind == "graded" and cell.grade_id:
            before[cell.grade_id] = tuple(pending)
            theirs[cell.grade_id] = frozenset(owned)
            pending = []
    skipped = frozenset(c.source.strip() for c in cells if c.kind == DEMONSTRATION)
    ours = frozenset().union(*(c.names.binds for c in cells if c.kind == "instructor"))
    return Plan(before, theirs, skipped, ours | imported)


def _imports_for(cell: InstructorCell, wanted: set[str]) -> InstructorCell | None:
    """The imports of ``wanted`` names at the top of a master's solution, as a cell of ours.

    A test that uses ``math`` means the library, though only the solution imports it. (Modules
    that are the student's own files are still asked for in the student's process.)
    """
    if not cell.names.imports & wanted:
        return None
    lines = [
        ast.unparse(statement)
        for statement in ast.parse(plain_python(cell.source)).body
        if isinstance(statement, ast.Import | ast.ImportFrom)
        and {(a.asname or a.name).split(".")[0] for a in statement.names} & wanted
    ]
    return InstructorCell("instructor", "\n".join(lines), None) if lines else None
