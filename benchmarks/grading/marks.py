"""Whether everybody's marks are what the answers deserve: speed is worth nothing without it."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.grading.classes import ASSIGNMENT, Expected, PreparedClass

Marks = dict[str, dict[str, bool | None]]
"""By student and exercise, whether the mark was given; None where nothing was decided."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """How the marks compare with what the known answers deserve."""

    right: int
    right_marked: int
    wrong: int
    wrong_refused: int
    differing: tuple[str, ...] = ()

    def words(self) -> str:
        return f"{self.right_marked}/{self.right} right, {self.wrong_refused}/{self.wrong} wrong"


def marks_in_gradebook(graded: PreparedClass) -> Marks:
    """Read from the gradebook of a course that has been graded."""
    from nbgrader.api import Gradebook

    found: Marks = {}
    with Gradebook(f"sqlite:///{graded.course.gradebook}") as gradebook:
        for submission in gradebook.assignment_submissions(ASSIGNMENT):
            grades = [grade for notebook in submission.notebooks for grade in notebook.grades]
            found[submission.student_id] = {
                grade.name.removeprefix("test_"): _decided(grade.auto_score)
                for grade in grades
                if grade.name.startswith("test_")
            }
    return found


def _decided(score: float | None) -> bool | None:
    return None if score is None else score > 0


def compare(marks: Marks, expected: Expected) -> Agreement:
    """Raises ValueError where a student of the class was not graded at all."""
    missing = sorted(set(expected) - set(marks))
    if missing:
        raise ValueError(f"{', '.join(missing)} of {len(expected)} students were not graded")
    right = right_marked = wrong = wrong_refused = 0
    differing = []
    for student, deserved in expected.items():
        for exercise, is_right in deserved.items():
            given = marks[student].get(exercise)
            if given is not is_right:
                differing.append(f"{student}/{exercise}")
            if is_right:
                right, right_marked = right + 1, right_marked + (given is True)
            else:
                wrong, wrong_refused = wrong + 1, wrong_refused + (given is False)
    return Agreement(right, right_marked, wrong, wrong_refused, tuple(differing))
