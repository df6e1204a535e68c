"""What became of one assignment in a whole class, read from nbgrader's gradebook and notebooks.

A few queries for the class, whatever its size, and one look into each autograded notebook for
the verdicts that our grading left there. An assignment graded without our checks, so with no
verdicts, is read just the same.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attention_course.grading.hints_opened import hints_opened
from attention_course.verdict import Outcome, Verdict

if TYPE_CHECKING:
    from nbgrader.api import Gradebook

# Events of grading that a person has to mend, since they are never the student's.
OUR_FAULTS = {"sandbox"}
CANNOT_READ = "is not a notebook (its JSON cannot be read)"


@dataclass(frozen=True, slots=True)
class GradedCell:
    """A cell of the master notebook that carries points; ``by_person`` where no test marks it."""

    name: str
    max_score: float
    by_person: bool


@dataclass(frozen=True, slots=True)
class Mark:
    """What one student has for one graded cell; ``score`` is None while nobody has marked it."""

    score: float | None
    needs_person: bool
    verdict: Verdict | None = None
    ungraded: str | None = None  # why it could not be judged, through no fault of the student
    error: str | None = None  # what the test cell ended with, where no verdict says more
    review: str | None = None  # how its code-quality review stands, where that is not given yet


@dataclass(frozen=True, slots=True)
class Submission:
    """One student's work: marks by cell name, and what stands in the way of grading it."""

    student: str
    marks: dict[str, Mark]
    problems: tuple[str, ...] = ()
    events: tuple[str, ...] = ()
    graded: bool = True
    hint_tiers: dict[str, int] = field(
        default_factory=dict
    )  # by exercise, as the student's file tells

    @property
    def score(self) -> float:
        """Points so far; what waits for a person counts nothing yet."""
        return sum(mark.score or 0.0 for mark in self.marks.values())


@dataclass(frozen=True, slots=True)
class ClassResults:
    """One assignment of a class; submissions are in the order of the students' ids."""

    assignment: str
    cells: tuple[GradedCell, ...]
    submissions: tuple[Submission, ...]
    not_submitted: tuple[str, ...] = ()
    reviews: Mapping[str, Mapping[str, int]] = field(default_factory=dict)  # by cell and state

    @property
    def max_score(self) -> float:
        return sum(cell.max_score for cell in self.cells)


@dataclass(slots=True)
class _Notes:
    """What an autograded notebook says beside its marks."""

    verdicts: dict[str, Verdict] = field(default_factory=dict)
    ungraded: dict[str, str] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    events: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    order: list[str] = field(default_factory=list)  # the names of its cells


def read_class(
    gradebook: Gradebook,
    assignment: str,
    submitted: dict[str, Path],
    autograded: dict[str, Path],
) -> ClassResults:
    """Put gradebook, submitted folders and autograded notebooks of one assignment together.

    ``submitted`` and ``autograded`` give each student's folder of that stage. A student of the
    gradebook with neither a submission nor a folder is listed as not submitted.
    """
    notebooks, cells = _graded_cells(gradebook, assignment)
    marks = _marks(gradebook, assignment)
    students = sorted(set(marks) | set(submitted))
    submissions = []
    order: list[str] = []
    for student in students:
        notes = _notes(autograded.get(student), notebooks)
        notes.problems += _submission_problems(submitted.get(student), notebooks)
        order = order or notes.order
        graded = student in autograded
        if not graded and not notes.problems:
            notes.problems.append("was not graded: nbgrader autograde stopped or was not run on it")
        if not graded and any(mark.score is not None for mark in marks.get(student, {}).values()):
            notes.problems.append("its marks are from an earlier run")
        submissions.append(
            Submission(
                student,
                _with_notes(marks.get(student, {}), notes),
                tuple(notes.problems),
                tuple(notes.events),
                graded,
                hints_opened(submitted.get(student), assignment),
            )
        )
    enrolled = _enrolled(gradebook)
    ordered = _in_order(cells, order)
    return ClassResults(
        assignment,
        ordered,
        tuple(replace(one, marks=_marks_in_order(one.marks, ordered)) for one in submissions),
        tuple(sorted(set(enrolled) - set(students))),
    )


def with_reviews(
    results: ClassResults, cell: str, standings: Mapping[str, tuple[str, str]]
) -> ClassResults:
    """The same results with how the reviews of one cell stand.

    ``standings`` maps a student to the review's state and, where a person is to look, the
    reason.
    """
    submissions = []
    for submission in results.submissions:
        mark, (_, reason) = submission.marks.get(cell), standings.get(submission.student, ("", ""))
        if mark is not None and mark.score is None and reason:
            marks = submission.marks | {cell: replace(mark, review=reason)}
            submission = replace(submission, marks=marks)
        submissions.append(submission)
    counts = dict(Counter(state for state, _ in standings.values()))
    return replace(results, submissions=tuple(submissions), reviews={cell: counts})


def _graded_cells(gradebook: Gradebook, assignment: str) -> tuple[list[str], list[GradedCell]]:
    """The names of the assignment's notebooks, and its graded cells by name."""
    from nbgrader.api import Assignment, GradeCell, Notebook, TaskCell

    notebooks = gradebook.db.query(Notebook.name).join(Assignment)
    names = notebooks.filter(Assignment.name == assignment).order_by(Notebook.name)
    found: list[GradedCell] = []
    for kind in (GradeCell, TaskCell):
        cells = gradebook.db.query(kind.name, kind.max_score, kind.cell_type)
        cells = cells.join(Notebook, kind.notebook_id == Notebook.id).join(Assignment)
        for cell in cells.filter(Assignment.name == assignment).order_by(kind.name):
            by_person = kind is TaskCell or cell.cell_type == "markdown"
            found.append(GradedCell(cell.name, cell.max_score, by_person))
    return [row.name for row in names], found


def _in_order(cells: list[GradedCell], order: list[str]) -> tuple[GradedCell, ...]:
    """The cells as the notebook has them; those it does not have come last."""
    places = {name: place for place, name in enumerate(order)}
    return tuple(sorted(cells, key=lambda cell: places.get(cell.name, len(places))))


def _marks_in_order(marks: dict[str, Mark], cells: tuple[GradedCell, ...]) -> dict[str, Mark]:
    """The marks in the order of the cells; a database returns them in any."""
    places = {cell.name: place for place, cell in enumerate(cells)}
    return dict(sorted(marks.items(), key=lambda mark: places.get(mark[0], len(places))))


def exercise_name(cell: str) -> str:
    """The exercise that a graded cell tests: ``test_scores`` tests ``scores``."""
    return cell.removeprefix("test_")


def _marks(gradebook: Gradebook, assignment: str) -> dict[str, dict[str, Mark]]:
    """Student to cell name to mark, in one query."""
    from nbgrader.api import Assignment, BaseCell, Grade, SubmittedAssignment, SubmittedNotebook

    submitted = gradebook.db.query(SubmittedAssignment.student_id).join(Assignment)
    found: dict[str, dict[str, Mark]] = {
        row.student_id: {} for row in submitted.filter(Assignment.name == assignment)
    }
    rows = (
        gradebook.db.query(
            SubmittedAssignment.student_id,
            BaseCell.name,
            Grade.auto_score,
            Grade.manual_score,
            Grade.extra_credit,
            Grade.needs_manual_grade,
        )
        .select_from(Grade)
        .join(SubmittedNotebook, Grade.notebook_id == SubmittedNotebook.id)
        .join(SubmittedAssignment, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
        .join(Assignment, SubmittedAssignment.assignment_id == Assignment.id)
        .join(BaseCell, Grade.cell_id == BaseCell.id)
        .filter(Assignment.name == assignment)
    )
    for student, cell, auto, manual, extra, needs_person in rows:
        score = manual if manual is not None else auto
        if score is not None:
            score += extra or 0.0
        found.setdefault(student, {})[cell] = Mark(score, bool(needs_person))
    return found


def _enrolled(gradebook: Gradebook) -> list[str]:
    from nbgrader.api import Student

    return [row.id for row in gradebook.db.query(Student.id)]


def _with_notes(marks: dict[str, Mark], notes: _Notes) -> dict[str, Mark]:
    verdicts = {exercise_name(cell): verdict for cell, verdict in notes.verdicts.items()}
    found = {}
    for cell, mark in marks.items():
        verdict = verdicts.get(exercise_name(cell))
        reason = notes.ungraded.get(cell)
        if reason is None and verdict is not None and verdict.outcome is Outcome.UNGRADED:
            reason = verdict.message
        # An ungraded answer is never a zero, whatever stands in the gradebook.
        score = None if reason and not mark.score else mark.score
        needs_person = mark.needs_person or (reason is not None and score is None)
        error = notes.errors.get(cell) if verdict is None else None
        found[cell] = Mark(score, needs_person, verdict, reason, error)
    return found


def _notes(folder: Path | None, notebooks: list[str]) -> _Notes:
    """The verdicts and events that grading wrote into the notebooks of one folder."""
    notes = _Notes()
    for path in sorted(folder.glob("*.ipynb")) if folder else ():
        if notebooks and path.stem not in notebooks:
            continue
        try:
            content = json.loads(path.read_bytes())
            record = content["metadata"].get("attention_course", {})
            verdicts = _verdicts(record.get("verdicts", []))
            order = [_cell_name(cell) for cell in content["cells"]]
            errors = _errors(content["cells"])
            ungraded = {str(cell): str(why) for cell, why in record.get("ungraded", {}).items()}
            events = list(record.get("events", []))
            said = [_event(event) for event in events]
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            notes.problems.append(f"autograded {path.name} {CANNOT_READ}")
            continue
        notes.verdicts.update(verdicts)
        notes.ungraded.update(ungraded)
        notes.errors.update(errors)
        notes.events += said
        notes.problems += [
            text
            for event, text in zip(events, said, strict=True)
            if event.get("what") in OUR_FAULTS
        ]
        notes.order += [name for name in order if name]
    return notes


def _verdicts(records: list[dict[str, Any]]) -> dict[str, Verdict]:
    found = {}
    for record in records:
        verdict = Verdict.from_record(record)
        found[str(record.get("cell") or verdict.exercise)] = verdict
    return found


def _cell_name(cell: dict[str, Any]) -> str:
    return str(cell["metadata"].get("nbgrader", {}).get("grade_id", ""))


def _errors(cells: list[dict[str, Any]]) -> dict[str, str]:
    """The error that each graded cell ended with, as one line: its kind and its words."""
    found = {}
    for cell in cells:
        for output in cell.get("outputs", ()):
            if output.get("output_type") == "error" and _cell_name(cell):
                line = f"{output.get('ename')}: {output.get('evalue')}"
                found[_cell_name(cell)] = " ".join(line.split())
    return found


def _event(event: dict[str, Any]) -> str:
    said = ": ".join(str(event[key]) for key in ("cell", "what", "why") if event.get(key))
    return said or "something that the grader did not describe"


def _submission_problems(folder: Path | None, notebooks: list[str]) -> list[str]:
    """What keeps a submitted folder from being graded, in words for its grader."""
    if folder is None or not folder.is_dir():
        return []
    problems = []
    present = {path.stem: path for path in folder.glob("*.ipynb")}
    for name in notebooks or sorted(present):
        if name not in present:
            others = ", ".join(sorted(path.name for path in present.values()))
            problems.append(f"{name}.ipynb is missing; the folder holds {others or 'no notebook'}")
        elif not _is_notebook(present[name]):
            problems.append(f"{name}.ipynb {CANNOT_READ}")
    if not notebooks and not present:
        problems.append("the submission holds no notebook")
    return problems


def _is_notebook(path: Path) -> bool:
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(content, dict) and isinstance(content.get("cells"), list)
