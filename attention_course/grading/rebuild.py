"""Rebuilds a submitted notebook around the instructor's cells.

What a student may change is the source of solution cells and of cells that are no exercise.
Everything else (test cells, read-only cells, task cells, their order, their points) comes from
the instructor's version, and no metadata or tag of the submission counts.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from nbformat import NotebookNode, from_dict
from nbformat.v4 import new_code_cell, new_markdown_cell, new_raw_cell

from attention_course.grading.names import names_of
from attention_course.grading.outputs import writable

NEW_CELL = {"code": new_code_cell, "markdown": new_markdown_cell, "raw": new_raw_cell}
HIDDEN = (
    re.compile(r"BEGIN (HIDDEN TESTS|MARK SCHEME)"),
    re.compile(r"END (HIDDEN TESTS|MARK SCHEME)"),
)
MISSING = "# This cell was missing from the submission."


@dataclass(frozen=True)
class SourceCell:
    """One cell with a grade_id, as the instructor released it."""

    grade_id: str
    cell_type: str
    source: str
    checksum: str | None = None
    grade: bool = False
    solution: bool = False
    task: bool = False
    locked: bool = False
    points: float | None = None

    @property
    def students(self) -> bool:
        """Whether the student's source of this cell counts."""
        return self.solution

    def metadata(self) -> dict[str, Any]:
        nbgrader: dict[str, Any] = {
            "schema_version": 3,
            "grade_id": self.grade_id,
            "grade": self.grade,
            "solution": self.solution,
            "task": self.task,
            "locked": self.locked,
            "cell_type": self.cell_type,
            "checksum": self.checksum,
        }
        if self.points is not None:
            nbgrader["points"] = self.points
        return nbgrader


@dataclass(frozen=True)
class Change:
    """One thing that was put right, in words for the grader."""

    grade_id: str
    what: str


class AnotherNotebook(ValueError):
    """What was handed in is the notebook of another assignment."""


def rebuild(notebook: NotebookNode, sources: Iterable[SourceCell]) -> list[Change]:
    """Put ``notebook`` right in place; returns what was changed, an empty list for nothing.

    Raises AnotherNotebook where no exercise of this assignment is to be found in it.

    The instructor's cells keep the instructor's order: a moved or deleted one is put back
    after the cell that comes before it in ``sources``.
    """
    known = {source.grade_id: source for source in sources}
    changes: list[Change] = []
    _mend_text(notebook)
    strangers = _release_strangers(notebook, known, changes)
    _adopt_renamed(notebook, known, changes)
    if strangers and not any(_grade_id(cell) for cell in notebook.cells):
        raise AnotherNotebook(
            f"none of its exercise cells ({', '.join(sorted(strangers)[:5])}) belongs to this "
            "assignment: it seems to be another notebook under this one's name"
        )
    cells = [cell for cell in notebook.cells if not _is_instructors(cell, known)]
    submitted = {_grade_id(c): c for c in notebook.cells if _is_instructors(c, known)}
    before = [_grade_id(c) for c in notebook.cells if _grade_id(c)]
    place = 0
    for source in known.values():
        if source.students:
            found = next((i for i, c in enumerate(cells) if _grade_id(c) == source.grade_id), None)
            if found is None:
                cells.insert(place, _missing(source))
                changes.append(Change(source.grade_id, "was missing and has been put back"))
                place += 1
            else:
                _restore(cells[found], source, changes)
                place = max(place, found + 1)
            continue
        cell = submitted.get(source.grade_id)
        if cell is None:
            cell = _made(source, source.source)
            changes.append(Change(source.grade_id, "was missing and has been put back"))
        place = _place_among(cells, notebook, cell, place)
        cells.insert(place, _restore(cell, source, changes))
        place += 1
    notebook.cells = cells
    after = [_grade_id(c) for c in cells if _grade_id(c) in set(before)]
    if after != before:
        changes.append(Change("", "cells of the instructor were moved and are back in their order"))
    _unique_ids(notebook)
    return changes


def _mend_text(notebook: NotebookNode) -> None:
    """Half a surrogate pair, which JSON can hold, ends whoever writes it to a file in UTF-8."""
    notebook.metadata = from_dict(writable(notebook.get("metadata")))
    for cell in notebook.cells:
        for key in ("source", "metadata", "attachments"):
            if key in cell:
                cell[key] = from_dict(writable(cell[key]))


def _grade_id(cell: NotebookNode) -> str | None:
    data = cell.metadata.get("nbgrader") if isinstance(cell.metadata, dict) else None
    name = data.get("grade_id") if isinstance(data, dict) else None
    return name if isinstance(name, str) else None


def _is_instructors(cell: NotebookNode, known: dict[str, SourceCell]) -> bool:
    name = _grade_id(cell)
    return name is not None and not known[name].students


def _release_strangers(
    notebook: NotebookNode, known: dict[str, SourceCell], changes: list[Change]
) -> set[str]:
    """Leave one cell for each known grade_id; every other cell is an ordinary one."""
    seen: set[str] = set()
    strangers: set[str] = set()
    # From the end: of copies, the last one ran last, and what it defined was in force.
    for cell in reversed(notebook.cells):
        if not isinstance(cell.get("metadata"), dict):
            cell.metadata = NotebookNode()
        if not isinstance(cell.get("source"), str):
            cell.source = ""
        name = _grade_id(cell)
        tags = cell.metadata.pop("tags", None)
        if name in known and name not in seen:
            seen.add(name)
            if tags:
                changes.append(Change(name, "had tags, which were taken off"))
            continue
        if name in seen:
            changes.append(Change(str(name), "was there more than once; the last one counts"))
            if not known[str(name)].students:
                cell["dropped"] = True  # a copy of a test is not the student's code
        elif name is not None:
            strangers.add(name)
            changes.append(
                Change(name, "is no cell of this assignment; it counts as an extra cell")
            )
        if "nbgrader" in cell.metadata:
            cell.metadata = NotebookNode(
                {k: v for k, v in cell.metadata.items() if k != "nbgrader"}
            )
    notebook.cells = [cell for cell in notebook.cells if not cell.get("dropped")]
    return strangers


def _adopt_renamed(
    notebook: NotebookNode, known: dict[str, SourceCell], changes: list[Change]
) -> None:
    """An ordinary cell that defines what a missing solution cell should define is that cell."""
    present = {_grade_id(cell) for cell in notebook.cells}
    for source in known.values():
        if not source.students or source.cell_type != "code" or source.grade_id in present:
            continue
        wanted = names_of(source.source).binds
        if not wanted:
            continue
        for cell in reversed(notebook.cells):
            ordinary = cell.cell_type == "code" and _grade_id(cell) is None
            if ordinary and wanted <= names_of(cell.source).binds:
                cell.metadata["nbgrader"] = NotebookNode(grade_id=source.grade_id)
                changes.append(Change(source.grade_id, "had lost its grade_id"))
                break


def _missing(source: SourceCell) -> NotebookNode:
    # A stub that was put back could hide what the student wrote in another cell; but for
    # a manually graded cell the stub is how nbgrader knows that there is no response.
    text = source.source if source.grade or source.cell_type != "code" else MISSING
    cell = _made(source, text)
    cell.metadata["nbgrader"] = NotebookNode(source.metadata())
    return cell


def _made(source: SourceCell, text: str) -> NotebookNode:
    """A cell with an id of its grade_id's, so that a regrade writes the same notebook."""
    made: NotebookNode = NEW_CELL[source.cell_type](text)
    made["id"] = hashlib.sha256(source.grade_id.encode("utf-8")).hexdigest()[:8]
    return made


def _restore(cell: NotebookNode, source: SourceCell, changes: list[Change]) -> NotebookNode:
    if cell.cell_type != source.cell_type:
        changes.append(Change(source.grade_id, f"was a {cell.cell_type} cell"))
        replacement = NEW_CELL[source.cell_type](cell.source)
        for key in list(cell):
            if key not in ("id", "source", "metadata"):
                del cell[key]
        cell.update({k: v for k, v in replacement.items() if k not in ("id", "source", "metadata")})
    if not source.students:
        if cell.source not in (source.source, _released(source.source)):
            changes.append(
                Change(source.grade_id, "had been edited; the instructor's version counts")
            )
        cell.source = source.source
    cell.metadata = NotebookNode({"nbgrader": source.metadata()})
    if not source.students:
        cell.metadata.update(deletable=False, editable=False)
    return cell


def _released(source: str) -> str:
    """An instructor's cell as students get it: without hidden tests and marking schemes."""
    begin, end = HIDDEN
    kept, hidden = [], False
    for line in source.split("\n"):
        if begin.search(line):
            hidden = True
        elif end.search(line):
            hidden = False
        elif not hidden:
            kept.append(line)
    return "\n".join(kept)


def _place_among(
    cells: list[NotebookNode], notebook: NotebookNode, cell: NotebookNode, least: int
) -> int:
    """Where an instructor's cell goes: after the ordinary cells that stood before it.

    Never before ``least``, the place after the instructor's previous cell.
    """
    at = next((i for i, c in enumerate(notebook.cells) if c is cell), None)
    if at is None:
        return least
    earlier = {id(c) for c in notebook.cells[:at]}
    place = least
    while place < len(cells) and id(cells[place]) in earlier:
        place += 1
    return place


def _unique_ids(notebook: NotebookNode) -> None:
    seen: set[str] = set()
    for number, cell in enumerate(notebook.cells):
        if "id" in cell or notebook.get("nbformat_minor", 0) >= 5:
            name = cell.get("id")
            if not isinstance(name, str) or name in seen:
                name = f"cell-{number}"
                while name in seen:
                    name += "-"
                cell["id"] = name
            seen.add(name)
