"""The one writer of a class: puts results into nbgrader's own tables, a submission at a time.

The rows are those that nbgrader's own preprocessors would leave: automatic marks and comments
are set, what a person gave is never touched, and a mark that a person had given before is to
be confirmed. One transaction holds all rows of a submission.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from nbgrader.api import (
    Assignment,
    BaseCell,
    Grade,
    Gradebook,
    GradeCell,
    Notebook,
    Student,
    SubmittedAssignment,
    SubmittedNotebook,
    TaskCell,
)
from nbgrader.utils import parse_utc
from sqlalchemy import Connection, case, select
from sqlalchemy.exc import DBAPIError

from attention_course.grading.batch.indexes import add_indexes
from attention_course.grading.batch.rows import (
    Cells,
    SubmissionRows,
    Values,
    add_student,
    cells_of,
)
from attention_course.grading.database import (
    NO_SERVER,
    GradebookLost,
    is_server,
    patient,
    place,
    storable,
    words,
)
from attention_course.grading.submission import Result

# Times that a gradebook is asked that somebody else is writing to, or that is being restarted.
TRIES = 6
Found = TypeVar("Found")


class UnknownStudent(LookupError):
    """A student whom the gradebook does not know, and whom it is not to learn of."""


@dataclass
class StoredMark:
    """One graded cell of one submission as the gradebook has it."""

    auto: float | None
    manual: float | None
    needs_person: bool
    max_score: float

    @property
    def score(self) -> float | None:
        """What counts: a person's mark, or else the automatic one."""
        return self.auto if self.manual is None else self.manual


Marks = dict[str, dict[str, StoredMark]]
"""By notebook and grade_id."""
Review = Mapping[str, tuple[float | None, str]]
"""By grade_id what a review gives: points (None: a person gives them) and a comment."""
Reviews = Mapping[str, Review]
"""By notebook."""


class Writer:
    """nbgrader's gradebook, open for the length of a run."""

    def __init__(
        self,
        db_url: str,
        course_id: str,
        assignment: str,
        create_students: bool = True,
        reset_penalties: bool = True,
    ) -> None:
        self.gradebook = Gradebook(db_url, course_id)
        patient(self.gradebook.engine)
        self.name = assignment
        self.create_students = create_students
        self.reset_penalties = reset_penalties
        self._server = place(db_url) if is_server(db_url) else None
        self._url = db_url
        self._done = 0
        self._lost = False
        self._ask(add_indexes)
        query = select(Assignment.id, Assignment.duedate).where(Assignment.name == assignment)
        self.assignment, self.due = self._ask(lambda c: c.execute(query).one())
        self.cells = self._ask(lambda c: cells_of(c, self.assignment))
        self.students = self._ask(lambda c: set(c.execute(select(Student.id)).scalars()))

    def __enter__(self) -> Writer:
        return self

    def __exit__(self, *about: object) -> None:
        self.gradebook.close()

    def _ask(self, work: Callable[[Connection], Found]) -> Found:
        """What ``work`` finds or changes, in one transaction of its own.

        A file that is locked and a server that is away are asked again for some seconds. Raises
        GradebookLost where the server stays away, and SQLAlchemy's errors.
        """
        for attempt in range(1, TRIES + 1):
            try:
                with self.gradebook.engine.begin() as connection:
                    return work(connection)
            except NO_SERVER as error:
                if self._server is None and "locked" not in str(error):
                    raise
                if attempt == TRIES or self._lost:
                    if self._server is not None:
                        raise self._gone(error) from None
                    raise
            time.sleep(0.1 * 2**attempt)
        raise AssertionError("TRIES is a number above 0")

    def _gone(self, error: DBAPIError) -> GradebookLost:
        self._lost = True
        kept = f"the marks of {self._done} submissions are in it" if self._done else ""
        return GradebookLost(
            f"the gradebook {self._server} is lost ({words(error, self._url)}); "
            f"{kept or 'nothing of this run is in it'}. Once it answers again "
            f"(attention-course doctor looks), go on with: attention-course grade {self.name}"
        )

    def marks(self) -> dict[str, Marks]:
        """Every mark of the assignment there is, by student."""
        found: dict[str, Marks] = {}
        query = (
            select(
                SubmittedAssignment.student_id,
                Notebook.name,
                BaseCell.name,
                Grade.auto_score,
                Grade.manual_score,
                Grade.needs_manual_grade,
                _points(),
            )
            .select_from(Grade)
            .join(SubmittedNotebook, SubmittedNotebook.id == Grade.notebook_id)
            .join(SubmittedAssignment, SubmittedAssignment.id == SubmittedNotebook.assignment_id)
            .join(BaseCell, BaseCell.id == Grade.cell_id)
            .join(Notebook, Notebook.id == BaseCell.notebook_id)
            .outerjoin(GradeCell.__table__, GradeCell.__table__.c.id == Grade.cell_id)
            .outerjoin(TaskCell.__table__, TaskCell.__table__.c.id == Grade.cell_id)
            .where(SubmittedAssignment.assignment_id == self.assignment)
        )
        rows = self._ask(lambda connection: connection.execute(query).all())
        for student, notebook, cell, auto, manual, needs, points in rows:
            mark = StoredMark(auto, manual, bool(needs), float(points or 0.0))
            found.setdefault(student, {}).setdefault(notebook, {})[cell] = mark
        return found

    def extensions(self) -> dict[str, timedelta | None]:
        """What each student with a submission was granted."""
        query = select(SubmittedAssignment.student_id, SubmittedAssignment.extension).where(
            SubmittedAssignment.assignment_id == self.assignment
        )
        return dict(self._ask(lambda connection: connection.execute(query).tuples().all()))

    def late_by(self, student: str, timestamp: datetime | None) -> float:
        """Seconds after the due date, an extension included; 0 where in time."""
        if timestamp is None or self.due is None:
            return 0.0
        query = select(SubmittedAssignment.extension).where(
            SubmittedAssignment.assignment_id == self.assignment,
            SubmittedAssignment.student_id == student,
        )
        extension = self._ask(lambda connection: connection.execute(query).scalar())
        return max(0.0, (timestamp - self.due - (extension or timedelta())).total_seconds())

    def write(
        self,
        student: str,
        timestamp: str | None,
        result: Result | None,
        reviews: Reviews | None = None,
    ) -> None:
        """Put one submission's rows in; without a result every test waits for a person.

        Raises UnknownStudent, GradebookLost where its server is gone, and SQLAlchemy's errors
        where it cannot be written.
        """
        self._ask(lambda c: self._write(c, student, timestamp, result, reviews or {}))
        self.students.add(student)
        self._done += 1

    def _write(
        self,
        connection: Connection,
        student: str,
        timestamp: str | None,
        result: Result | None,
        reviews: Reviews,
    ) -> None:
        if student not in self.students:
            self._add_student(connection, student)
        at = None if timestamp is None else parse_utc(timestamp)
        rows = SubmissionRows.find_or_add(connection, self.assignment, student, at)
        if self.reset_penalties:
            rows.reset_penalties()
        for name, cells in self.cells.items():
            rows.put(cells, _values(name, cells, result, reviews.get(name, {})))

    def _add_student(self, connection: Connection, student: str) -> None:
        if not self.create_students:
            raise UnknownStudent(f"no student {student!r} is in the gradebook")
        longest = Student.__table__.c.id.type.length
        if self._server is not None and len(student) > longest:
            raise UnknownStudent(
                f"the student's id has {len(student)} characters, this gradebook takes at most "
                f"{longest}; rename the submitted folder"
            )
        add_student(connection, student)


def _values(name: str, cells: Cells, result: Result | None, review: Review) -> Values:
    """What one notebook's automatic fields are to be, by what came of the submission."""
    if result is None:
        return Values(dict.fromkeys(cells.graded))
    if result.problem:
        return Values()
    if name not in result.marks:  # was not handed in: nothing of it is worth a look
        return Values(dict.fromkeys((*cells.graded, *cells.tasks), 0.0), settled=True)
    marks = {**result.marks[name], **dict.fromkeys(result.ungraded.get(name, {}))}
    comments = {cell: storable(said) for cell, said in result.comments[name].items()}
    for cell, (score, said) in review.items():
        marks[cell], comments[cell] = score, storable(said) or None
    return Values(marks, comments)


def _points() -> Any:
    graded, task = GradeCell.__table__.c.max_score, TaskCell.__table__.c.max_score
    return case((graded.is_not(None), graded), else_=task)
