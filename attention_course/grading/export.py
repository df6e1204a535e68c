"""Marks for Canvas and Moodle: ``nbgrader export --exporter=attention_course.grading.export.…``.

One row a student, one column an assignment. A cell without a mark is never written as zero: a
person has to know whether nothing was handed in, or whether we have not finished. Why a mark is
missing, and which submission came late, is said in words: for Canvas, whose import refuses text
in a column of points, in a second file beside the first; for Moodle in a feedback column.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbgrader.api import MissingEntry
from nbgrader.plugins import ExportPlugin
from traitlets import Dict, Unicode

# A spreadsheet takes a cell that begins with one of these for a formula, and runs it.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
NOT_HANDED_IN = "not handed in"
NOT_GRADED = "not graded yet"
WAITS = "waits for a person's mark"


@dataclass(frozen=True, slots=True)
class Mark:
    """One student's result in one assignment; ``score`` is None where there is none to give."""

    score: float | None
    note: str

    @property
    def text(self) -> str:
        """The score with no more digits than it needs; empty where there is none.

        >>> Mark(6.50, "").text, Mark(None, "not handed in").text
        ('6.5', '')
        """
        return "" if self.score is None else f"{round(self.score, 4):g}"


@dataclass(frozen=True, slots=True)
class Row:
    """One student, with a mark for each assignment in the order of ``Table.assignments``."""

    student: str
    first_name: str
    last_name: str
    email: str
    marks: tuple[Mark, ...]

    @property
    def full_name(self) -> str:
        """ "Last, First", or what is known of it, or the student's id."""
        return ", ".join(name for name in (self.last_name, self.first_name) if name) or self.student


@dataclass(frozen=True, slots=True)
class Table:
    """A class's marks: assignment names, what each is marked out of, and a row a student."""

    assignments: tuple[str, ...]
    out_of: tuple[float, ...]
    rows: tuple[Row, ...]


def harmless(text: str) -> str:
    """The text as a spreadsheet shows it, never as a formula that it runs.

    >>> harmless("=HYPERLINK(0)"), harmless("Ada"), harmless(" @SUM(A1)")
    ("'=HYPERLINK(0)", 'Ada', "' @SUM(A1)")
    """
    return f"'{text}" if text.lstrip(" \u00a0").startswith(FORMULA_STARTS) else text


def read_marks(
    gradebook: Any, assignments: Sequence[str] = (), students: Sequence[str] = ()
) -> Table:
    """The marks of these assignments and students; of all where none are named."""
    chosen = [one for one in gradebook.assignments if not assignments or one.name in assignments]
    people = [one for one in gradebook.students if not students or one.id in students]
    chosen.sort(key=lambda one: one.name)
    people.sort(key=lambda one: one.id)
    return Table(
        tuple(one.name for one in chosen),
        tuple(float(one.max_score) for one in chosen),
        tuple(
            Row(
                person.id,
                person.first_name or "",
                person.last_name or "",
                person.email or "",
                tuple(mark_of(gradebook, one, person.id) for one in chosen),
            )
            for person in people
        ),
    )


def mark_of(gradebook: Any, assignment: Any, student: str) -> Mark:
    """What can be said of one student's submission."""
    try:
        submission = gradebook.find_submission(assignment.name, student)
    except MissingEntry:
        return Mark(None, NOT_HANDED_IN)
    # nbgrader counts an extension, and takes an assignment without a due date amiss where there
    # is one.
    late = _late(submission.total_seconds_late) if assignment.duedate else ""
    grades = [grade for notebook in submission.notebooks for grade in notebook.grades]
    wanted = {
        cell.id
        for notebook in assignment.notebooks
        for cell in (*notebook.grade_cells, *notebook.task_cells)
    }
    if not grades or wanted - {grade.cell_id for grade in grades}:
        return Mark(None, _joined(NOT_GRADED, late))
    # Before a cell has either mark, nbgrader counts it as zero; so does a regrade after which a
    # person's mark is to be confirmed, but that mark is there.
    if any(grade.auto_score is None and grade.manual_score is None for grade in grades):
        return Mark(None, _joined(WAITS, late))
    penalty = submission.late_submission_penalty or 0.0
    score = max(0.0, submission.score - penalty)
    return Mark(score, _joined(late, f"{penalty:g} points taken off" if penalty else ""))


def _late(seconds: float) -> str:
    if seconds <= 0:
        return ""
    minutes = int(seconds // 60)
    days, minutes = divmod(minutes, 24 * 60)
    hours, minutes = divmod(minutes, 60)
    parts = [f"{days} d" if days else "", f"{hours} h" if hours else "", f"{minutes} min"]
    return "late by " + " ".join(part for part in parts if part)


def _joined(*words: str) -> str:
    return "; ".join(word for word in words if word)


class _LearningPlatformExport(ExportPlugin):
    """What the two exporters share; a subclass says which rows its platform reads."""

    default_name = ""

    def export(self, gradebook: Any) -> None:
        """Write the file that ``--to`` names, and say what is missing in it."""
        known = {one.name for one in gradebook.assignments}
        for name in self.assignment:
            if str(name) not in known:
                self.log.error("The gradebook has no assignment %s; it has %s", name, sorted(known))
        table = read_marks(
            gradebook, [str(one) for one in self.assignment], [str(one) for one in self.student]
        )
        path = Path(self.to or self.default_name)
        self.write(table, path)
        self.log.info("Wrote the marks of %d students to %s", len(table.rows), path)
        without = sum(mark.score is None for row in table.rows for mark in row.marks)
        if without:
            self.log.warning(
                "%d of %d marks are empty, not zero: not handed in, or not graded to the end.",
                without,
                len(table.rows) * len(table.assignments),
            )

    def write(self, table: Table, path: Path) -> None:
        raise NotImplementedError


def write(path: Path, lines: Iterator[list[str]]) -> None:
    """Write a CSV file in UTF-8, with the mark at its start that spreadsheets look for.

    Every cell is made harmless, those that hold numbers of ours included, which are not negative.
    """
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file).writerows([harmless(cell) for cell in line] for line in lines)


class CanvasExport(_LearningPlatformExport):
    """For Canvas: *Grades → Import*. Notes lie beside it in ``…-notes.csv``.

    Canvas finds a student by ``SIS User ID`` or ``SIS Login ID`` and leaves a mark alone whose
    cell is empty.
    """

    section = Unicode("", help="what to write into the column Section").tag(config=True)
    default_name = "canvas.csv"

    def write(self, table: Table, path: Path) -> None:
        write(path, self.lines(table))
        notes = path.with_name(f"{path.stem}-notes{path.suffix}")
        write(notes, notes_of(table))
        self.log.info("Wrote what is late or missing to %s", notes)

    def lines(self, table: Table) -> Iterator[list[str]]:
        yield ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", *table.assignments]
        yield ["    Points Possible", "", "", "", "", *(f"{points:g}" for points in table.out_of)]
        for row in table.rows:
            marks = [mark.text for mark in row.marks]
            yield [row.full_name, "", row.student, row.student, self.section, *marks]


class MoodleExport(_LearningPlatformExport):
    """For Moodle: *Grades → Import → CSV file*, mapped by ``Email address`` or ``Username``.

    Each assignment has a column of points and one of feedback. Choose *Separator: Comma*.
    """

    names = Dict(help="Moodle's name of an assignment, where it differs from ours").tag(config=True)
    default_name = "moodle.csv"

    def write(self, table: Table, path: Path) -> None:
        write(path, self.lines(table))

    def lines(self, table: Table) -> Iterator[list[str]]:
        named = [self.names.get(name, name) for name in table.assignments]
        columns = [
            column
            for name in named
            for column in (f"Assignment: {name} (Real)", f"Assignment: {name} (Feedback)")
        ]
        yield ["Username", "First name", "Last name", "Email address", *columns]
        for row in table.rows:
            cells = [cell for mark in row.marks for cell in (mark.text, mark.note)]
            yield [row.student, row.first_name, row.last_name, row.email, *cells]


def notes_of(table: Table) -> Iterator[list[str]]:
    """A line for each mark that needs a word."""
    yield ["Student", "Assignment", "Mark", "Note"]
    for row in table.rows:
        for name, mark in zip(table.assignments, row.marks, strict=True):
            if mark.note:
                yield [row.student, name, mark.text, mark.note]
