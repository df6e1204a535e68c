"""The one writer of a class: puts results into nbgrader's own tables, a submission at a time.

The rows are those that nbgrader's own preprocessors would leave: automatic marks and comments
are set, what a person gave is never touched, and a mark that a person had given before is to
be confirmed. One transaction holds all rows of a submission.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar

from nbgrader.api import (
    Assignment,
    BaseCell,
    Comment,
    Grade,
    Gradebook,
    GradeCell,
    Notebook,
    SolutionCell,
    Student,
    SubmittedAssignment,
    SubmittedNotebook,
    TaskCell,
    new_uuid,
)
from nbgrader.utils import parse_utc
from sqlalchemy import Connection, and_, case, insert, or_, select, update
from sqlalchemy.exc import DBAPIError

from attention_course.grading.batch.indexes import add_indexes
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


@dataclass
class _Cells:
    """The ids of one notebook's cells by grade_id."""

    notebook: str
    graded: dict[str, str] = field(default_factory=dict)
    tasks: dict[str, str] = field(default_factory=dict)
    solutions: dict[str, str] = field(default_factory=dict)


Marks = dict[str, dict[str, StoredMark]]
"""By notebook and grade_id."""


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
        self.cells = self._ask(lambda c: _cells(c, self.assignment))
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

    def write(self, student: str, timestamp: str | None, result: Result | None) -> None:
        """Put one submission's rows in; without a result every test waits for a person.

        Raises UnknownStudent, GradebookLost where its server is gone, and SQLAlchemy's errors
        where it cannot be written.
        """
        self._ask(lambda connection: self._write(connection, student, timestamp, result))
        self.students.add(student)
        self._done += 1

    # -- rows -------------------------------------------------------------------------------

    def _write(
        self, connection: Connection, student: str, timestamp: str | None, result: Result | None
    ) -> None:
        if student not in self.students:
            if not self.create_students:
                raise UnknownStudent(f"no student {student!r} is in the gradebook")
            longest = Student.__table__.c.id.type.length
            if self._server is not None and len(student) > longest:
                raise UnknownStudent(
                    f"the student's id has {len(student)} characters, this gradebook takes at most "
                    f"{longest}; rename the submitted folder"
                )
            connection.execute(insert(Student.__table__).values(id=student))
        submitted = self._submission(connection, student, timestamp)
        for name, cells in self.cells.items():
            notebook = self._notebook(connection, submitted, cells)
            handed_in = result is None or result.problem or name in result.marks
            if not handed_in:
                self._set(
                    connection, notebook, dict.fromkeys((*cells.graded, *cells.tasks), 0.0), cells
                )
                self._sure(connection, notebook)
            elif result is None:
                self._set(connection, notebook, dict.fromkeys(cells.graded), cells)
            elif not result.problem:
                marks = {**result.marks[name], **dict.fromkeys(result.ungraded.get(name, {}))}
                self._set(connection, notebook, marks, cells)
                comments = {n: storable(said) for n, said in result.comments[name].items()}
                self._comment(connection, notebook, comments, cells)

    def _submission(self, connection: Connection, student: str, timestamp: str | None) -> str:
        table = SubmittedAssignment.__table__
        at = {} if timestamp is None else {"timestamp": parse_utc(timestamp)}
        query = select(table.c.id).where(
            table.c.assignment_id == self.assignment, table.c.student_id == student
        )
        found = connection.execute(query).scalar()
        if found is None:
            found = new_uuid()
            values = {"id": found, "assignment_id": self.assignment, "student_id": student, **at}
            connection.execute(insert(table).values(values))
        elif at:
            connection.execute(update(table).where(table.c.id == found).values(at))
        return str(found)

    def _notebook(self, connection: Connection, submitted: str, cells: _Cells) -> str:
        """The submitted notebook's id; it and what it lacks of grades and comments are made."""
        table = SubmittedNotebook.__table__
        query = select(table.c.id).where(
            table.c.assignment_id == submitted, table.c.notebook_id == cells.notebook
        )
        found = connection.execute(query).scalar()
        if found is None:
            found = new_uuid()
            values = {"id": found, "assignment_id": submitted, "notebook_id": cells.notebook}
            connection.execute(insert(table).values(flagged=False, **values))
        elif self.reset_penalties:
            penalty = table.c.late_submission_penalty
            is_set = and_(table.c.id == found, penalty.is_not(None))
            connection.execute(update(table).where(is_set).values({penalty: None}))
        for kind, wanted in (
            (Grade.__table__, {**cells.graded, **cells.tasks}),
            (Comment.__table__, {**cells.solutions, **cells.tasks}),
        ):
            there = set(
                connection.execute(
                    select(kind.c.cell_id).where(kind.c.notebook_id == found)
                ).scalars()
            )
            more = {"needs_manual_grade": True} if kind is Grade.__table__ else {}
            rows = [
                {"id": new_uuid(), "notebook_id": found, "cell_id": cell, **more}
                for cell in wanted.values()
                if cell not in there
            ]
            if rows:
                connection.execute(insert(kind), rows)
        return str(found)

    def _set(
        self, connection: Connection, notebook: str, marks: dict[str, Any], cells: _Cells
    ) -> None:
        table = Grade.__table__
        for value in set(marks.values()):
            ids = [
                {**cells.graded, **cells.tasks}[name]
                for name, mark in marks.items()
                if mark == value and name in {**cells.graded, **cells.tasks}
            ]
            needs = (
                True
                if value is None
                else case((table.c.manual_score.is_not(None), True), else_=False)
            )
            connection.execute(
                update(table)
                .where(table.c.notebook_id == notebook, table.c.cell_id.in_(ids))
                .values(auto_score=value, needs_manual_grade=needs)
            )

    def _sure(self, connection: Connection, notebook: str) -> None:
        """A notebook that was not handed in needs nobody's look."""
        table = Grade.__table__
        connection.execute(
            update(table).where(table.c.notebook_id == notebook).values(needs_manual_grade=False)
        )

    def _comment(
        self, connection: Connection, notebook: str, comments: dict[str, Any], cells: _Cells
    ) -> None:
        table = Comment.__table__
        ids = {**cells.solutions, **cells.tasks}
        for value in set(comments.values()):
            wanted = [ids[n] for n, said in comments.items() if said == value and n in ids]
            other = (
                table.c.auto_comment.is_not(None)
                if value is None
                else or_(table.c.auto_comment.is_(None), table.c.auto_comment != value)
            )
            connection.execute(
                update(table)
                .where(and_(table.c.notebook_id == notebook, table.c.cell_id.in_(wanted), other))
                .values(auto_comment=value)
            )


def _points() -> Any:
    graded, task = GradeCell.__table__.c.max_score, TaskCell.__table__.c.max_score
    return case((graded.is_not(None), graded), else_=task)


def _cells(connection: Connection, assignment: str) -> dict[str, _Cells]:
    query = select(Notebook.name, Notebook.id).where(Notebook.assignment_id == assignment)
    found = {name: _Cells(identity) for name, identity in connection.execute(query)}
    names = {cells.notebook: cells for cells in found.values()}
    base = BaseCell.__table__
    for model, kind in ((GradeCell, "graded"), (TaskCell, "tasks"), (SolutionCell, "solutions")):
        table = model.__table__
        rows = (
            select(base.c.notebook_id, base.c.name, base.c.id)
            .join(table, table.c.id == base.c.id)
            .where(base.c.notebook_id.in_(list(names)))
        )
        for notebook, name, identity in connection.execute(rows):
            getattr(names[notebook], kind)[name] = identity
    return found
