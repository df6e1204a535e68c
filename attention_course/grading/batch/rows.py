"""The rows of one submission in nbgrader's tables: read once, and only what differs is written.

The statements are made once, since making them takes longer than a database file takes to
answer them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from nbgrader.api import (
    BaseCell,
    Comment,
    Grade,
    GradeCell,
    Notebook,
    SolutionCell,
    Student,
    SubmittedAssignment,
    SubmittedNotebook,
    TaskCell,
    new_uuid,
)
from sqlalchemy import Connection, bindparam, case, insert, select, update

_SUBMITTED, _NOTEBOOK = SubmittedAssignment.__table__, SubmittedNotebook.__table__
_GRADE, _COMMENT = Grade.__table__, Comment.__table__
_ROW: Any = bindparam("row")

_FIND = (
    select(
        _SUBMITTED.c.id,
        _SUBMITTED.c.timestamp,
        _NOTEBOOK.c.notebook_id,
        _NOTEBOOK.c.id.label("place"),
        _NOTEBOOK.c.late_submission_penalty.is_not(None).label("penalised"),
    )
    .select_from(_SUBMITTED.outerjoin(_NOTEBOOK, _NOTEBOOK.c.assignment_id == _SUBMITTED.c.id))
    .where(
        _SUBMITTED.c.assignment_id == bindparam("assignment"),
        _SUBMITTED.c.student_id == bindparam("student"),
    )
)
_FIND_GRADES = select(
    _GRADE.c.cell_id,
    _GRADE.c.id,
    _GRADE.c.auto_score,
    _GRADE.c.manual_score.is_not(None).label("by_person"),
    _GRADE.c.needs_manual_grade,
).where(_GRADE.c.notebook_id == bindparam("place"))
_FIND_COMMENTS = select(_COMMENT.c.cell_id, _COMMENT.c.id, _COMMENT.c.auto_comment).where(
    _COMMENT.c.notebook_id == bindparam("place")
)

_ADD_STUDENT, _ADD_SUBMITTED = insert(Student.__table__), insert(_SUBMITTED)
_ADD_NOTEBOOK, _ADD_GRADES, _ADD_COMMENTS = insert(_NOTEBOOK), insert(_GRADE), insert(_COMMENT)

_SET_TIME = update(_SUBMITTED).where(_SUBMITTED.c.id == _ROW).values(timestamp=bindparam("at"))
_NO_PENALTY = update(_NOTEBOOK).where(_NOTEBOOK.c.id == _ROW).values(late_submission_penalty=None)
_WAITS = update(_GRADE).where(_GRADE.c.id == _ROW).values(
    auto_score=None, needs_manual_grade=True
)  # fmt: skip
# What a person gave before is to be confirmed: asked of the row itself, since they may just
# be giving it.
_GIVES = update(_GRADE).where(_GRADE.c.id == _ROW).values(
    auto_score=bindparam("score"),
    needs_manual_grade=case((_GRADE.c.manual_score.is_not(None), True), else_=False),
)  # fmt: skip
_SETTLES = update(_GRADE).where(_GRADE.c.id == _ROW).values(
    auto_score=bindparam("score"), needs_manual_grade=False
)  # fmt: skip
_SAYS = update(_COMMENT).where(_COMMENT.c.id == _ROW).values(auto_comment=bindparam("said"))


@dataclass
class Cells:
    """The ids of one notebook's cells by grade_id."""

    notebook: str
    graded: dict[str, str] = field(default_factory=dict)
    tasks: dict[str, str] = field(default_factory=dict)
    solutions: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Values:
    """What is to stand in the automatic fields of one submitted notebook, by grade_id.

    A mark of None waits for a person; a cell that is not named keeps what it has. Where
    ``settled``, nobody need look at the notebook.
    """

    marks: Mapping[str, float | None] = field(default_factory=dict)
    comments: Mapping[str, str | None] = field(default_factory=dict)
    settled: bool = False


@dataclass
class SubmissionRows:
    """The rows of one submission: its own, and by notebook that of the submitted notebook."""

    connection: Connection
    identity: str
    places: dict[str, str]
    penalised: list[str]

    @classmethod
    def find_or_add(
        cls, connection: Connection, assignment: str, student: str, at: datetime | None
    ) -> SubmissionRows:
        """Those of ``student``; their time of submission becomes ``at``, if there is one."""
        found = connection.execute(_FIND, {"assignment": assignment, "student": student}).all()
        if not found:
            row = {"id": new_uuid(), "assignment_id": assignment, "student_id": student}
            connection.execute(_ADD_SUBMITTED, row | ({} if at is None else {"timestamp": at}))
            return cls(connection, row["id"], {}, [])
        identity = str(found[0].id)
        if at is not None and found[0].timestamp != at:
            connection.execute(_SET_TIME, {"row": identity, "at": at})
        places = {row.notebook_id: str(row.place) for row in found if row.place is not None}
        return cls(connection, identity, places, [str(r.place) for r in found if r.penalised])

    def reset_penalties(self) -> None:
        for place in self.penalised:
            self.connection.execute(_NO_PENALTY, {"row": place})

    def put(self, cells: Cells, values: Values) -> None:
        """Make what a notebook lacks of rows, and write the values that are not there yet."""
        place = self.places.get(cells.notebook)
        new = place is None
        if place is None:
            place = self.places[cells.notebook] = new_uuid()
            row = {"assignment_id": self.identity, "notebook_id": cells.notebook}
            self.connection.execute(_ADD_NOTEBOOK, {"id": place, "flagged": False, **row})
        self._put_marks(place, {**cells.graded, **cells.tasks}, values, new)
        self._put_comments(place, {**cells.solutions, **cells.tasks}, values.comments, new)

    def _put_marks(self, place: str, ids: dict[str, str], values: Values, new: bool) -> None:
        there = {} if new else self._there(_FIND_GRADES, place)
        missing = [
            {
                "id": new_uuid(),
                "notebook_id": place,
                "cell_id": cell,
                "auto_score": values.marks.get(name),
                "needs_manual_grade": not values.settled and values.marks.get(name) is None,
            }
            for name, cell in ids.items()
            if cell not in there
        ]
        if missing:
            self.connection.execute(_ADD_GRADES, missing)
        waits, gives, settles = [], [], []
        for name, score in values.marks.items():
            row = there.pop(ids[name], None) if name in ids else None
            if row is None:
                continue
            needs = not values.settled and (score is None or row.by_person)
            if (row.auto_score, row.needs_manual_grade) == (score, needs):
                continue
            if values.settled:
                settles.append({"row": row.id, "score": score})
            elif score is None:
                waits.append({"row": row.id})
            else:
                gives.append({"row": row.id, "score": score})
        if values.settled:  # cells that are no longer in the assignment, too
            settles += [
                {"row": row.id, "score": row.auto_score}
                for row in there.values()
                if row.needs_manual_grade
            ]
        for statement, rows in ((_WAITS, waits), (_GIVES, gives), (_SETTLES, settles)):
            if rows:
                self.connection.execute(statement, rows)

    def _put_comments(
        self, place: str, ids: dict[str, str], comments: Mapping[str, str | None], new: bool
    ) -> None:
        there = {} if new else self._there(_FIND_COMMENTS, place)
        missing = [
            {
                "id": new_uuid(),
                "notebook_id": place,
                "cell_id": cell,
                "auto_comment": comments.get(name),
            }
            for name, cell in ids.items()
            if cell not in there
        ]
        if missing:
            self.connection.execute(_ADD_COMMENTS, missing)
        changed = [
            {"row": there[ids[name]].id, "said": said}
            for name, said in comments.items()
            if name in ids and ids[name] in there and there[ids[name]].auto_comment != said
        ]
        if changed:
            self.connection.execute(_SAYS, changed)

    def _there(self, statement: Any, place: str) -> dict[str, Any]:
        rows = self.connection.execute(statement, {"place": place})
        return {row.cell_id: row for row in rows}


def add_student(connection: Connection, student: str) -> None:
    connection.execute(_ADD_STUDENT, {"id": student})


def cells_of(connection: Connection, assignment: str) -> dict[str, Cells]:
    """Notebook name to the ids of its cells, of the assignment with this id."""
    query = select(Notebook.name, Notebook.id).where(Notebook.assignment_id == assignment)
    found = {name: Cells(identity) for name, identity in connection.execute(query)}
    names = {cells.notebook: cells for cells in found.values()}
    base = BaseCell.__table__
    kinds: Iterable[tuple[Any, str]] = (
        (GradeCell, "graded"),
        (TaskCell, "tasks"),
        (SolutionCell, "solutions"),
    )
    for model, kind in kinds:
        table = model.__table__
        rows = (
            select(base.c.notebook_id, base.c.name, base.c.id)
            .join(table, table.c.id == base.c.id)
            .where(base.c.notebook_id.in_(list(names)))
        )
        for notebook, name, identity in connection.execute(rows):
            getattr(names[notebook], kind)[name] = identity
    return found
