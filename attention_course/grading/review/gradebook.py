"""Reviews in nbgrader's gradebook: the automatic fields of the task cell, and nothing else."""

from __future__ import annotations

from nbformat.v4 import new_notebook
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.preprocessors import AssignLatePenalties
from traitlets.config import Config

from attention_course.grading.database import storable
from attention_course.grading.review.queue import Place
from attention_course.grading.review.standing import Standing


def write_standing(gradebook: Gradebook, place: Place, cell: str, standing: Standing) -> None:
    """Write score and comment of one review; a person's mark and comment stay and win.

    Raises nbgrader's MissingEntry where the gradebook does not know the submission.
    """
    where = (cell, place.notebook, place.assignment, place.student)
    grade, comment = gradebook.find_grade(*where), gradebook.find_comment(*where)
    grade.auto_score = standing.score
    if grade.manual_score is None:
        grade.needs_manual_grade = standing.needs_person
    comment.auto_comment = storable(standing.comment) or None
    gradebook.db.commit()


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
