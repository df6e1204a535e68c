"""Reviews in nbgrader's gradebook: the automatic fields of the task cell, and nothing else."""

from __future__ import annotations

from nbformat.v4 import new_notebook
from nbgrader.api import (
    Assignment,
    BaseCell,
    Comment,
    Grade,
    Gradebook,
    MissingEntry,
    Notebook,
    SubmittedAssignment,
    SubmittedNotebook,
)
from nbgrader.preprocessors import AssignLatePenalties
from sqlalchemy import and_, bindparam, case, select, update
from traitlets.config import Config

from attention_course.grading.database import storable
from attention_course.grading.review.queue import Place
from attention_course.grading.review.standing import Standing

# The rows of one task cell of one submission, by their ids.
_ROWS = (
    select(Grade.id.label("grade"), Comment.id.label("comment"))
    .select_from(SubmittedNotebook)
    .join(SubmittedAssignment, SubmittedAssignment.id == SubmittedNotebook.assignment_id)
    .join(Assignment, Assignment.id == SubmittedAssignment.assignment_id)
    .join(Notebook, Notebook.id == SubmittedNotebook.notebook_id)
    .join(Grade, Grade.notebook_id == SubmittedNotebook.id)
    .join(BaseCell.__table__, BaseCell.__table__.c.id == Grade.cell_id)
    .join(
        Comment,
        and_(Comment.notebook_id == SubmittedNotebook.id, Comment.cell_id == Grade.cell_id),
    )
    .where(
        SubmittedAssignment.student_id == bindparam("student"),
        Assignment.name == bindparam("assignment"),
        Notebook.name == bindparam("notebook"),
        BaseCell.__table__.c.name == bindparam("cell"),
    )
)


def write_standing(gradebook: Gradebook, place: Place, cell: str, standing: Standing) -> None:
    """Write score and comment of one review; a person's mark and comment stay and win.

    Raises nbgrader's MissingEntry where the gradebook does not know the submission.
    """
    # In three statements: by nbgrader's own calls this took longer than the rest of a submission.
    with gradebook.engine.begin() as connection:
        found = connection.execute(
            _ROWS,
            {
                "student": place.student,
                "assignment": place.assignment,
                "notebook": place.notebook,
                "cell": cell,
            },
        ).first()
        if found is None:
            raise MissingEntry(f"no review of {place} can be noted: the gradebook has no {cell}")
        waits = case((Grade.manual_score.is_(None), standing.needs_person),
                     else_=Grade.needs_manual_grade)  # fmt: skip
        values = {"auto_score": standing.score, "needs_manual_grade": waits}
        connection.execute(update(Grade).where(Grade.id == found.grade).values(values))
        said = storable(standing.comment) or None
        connection.execute(
            update(Comment).where(Comment.id == found.comment).values(auto_comment=said)
        )


class GradebookWriter:
    """Writes reviews that come after the submission was graded."""

    def __init__(self, db_url: str, cell: str, config: Config) -> None:
        self.db_url = db_url
        self.cell = cell
        self.config = config

    def write(self, place: Place, standing: Standing) -> bool:
        """False where the gradebook does not know the submission (any more)."""
        try:
            with Gradebook(self.db_url) as gradebook:
                write_standing(gradebook, place, self.cell, standing)
                submission = gradebook.find_submission(place.assignment, place.student)
                late = submission.total_seconds_late > 0
        except MissingEntry:
            return False
        if late:
            self._penalise(place)
        return True

    def _penalise(self, place: Place) -> None:
        # A penalty for lateness may depend on the score, which has just changed.
        about = {
            "notebook": place.notebook,
            "assignment": place.assignment,
            "student": place.student,
            "db_url": self.db_url,
        }
        AssignLatePenalties(config=self.config).preprocess(new_notebook(), {"nbgrader": about})
