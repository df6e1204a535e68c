"""A class of two from release to feedback, in a real browser on a real hub.

``ATTENTION_COURSE_SCREENSHOTS`` names a folder that keeps the pictures.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from people import Instructor, Student

from attention_course.checks import MISCONCEPTIONS

pytestmark = [pytest.mark.hub, pytest.mark.browser, pytest.mark.slow]
SLIP = MISCONCEPTIONS["no_scaling"].message.partition(". ")[0]


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = Path(os.environ.get("ATTENTION_COURSE_SCREENSHOTS") or tmp_path / "pictures")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def test_two_students_and_an_instructor_go_from_release_to_feedback(
    empty_hub: Any, chromium: Any, pictures: Path
) -> None:
    hub = empty_hub
    teacher = Instructor(hub, chromium, hub.instructor, pictures)
    right, wrong = (Student(hub, chromium, name, pictures) for name in hub.students)
    everybody = (teacher, right, wrong)
    for person in everybody:
        person.ask_to_log_in()

    teacher.open_formgrader()
    teacher.press("assign")
    teacher.press("release")

    for student in (right, wrong):
        student.wait_for_lab()
        student.open_assignment_list()
        student.fetch()
        student.open_notebook()
    right.solve()
    wrong.solve(attention_scores="no_scaling")
    assert "Passed" in right.verdict_under("attention_scores")
    assert SLIP in wrong.verdict_under("attention_scores")
    if right.has_panels():
        right.wait_for_outcome("attention_scores", "passed")
        wrong.wait_for_outcome("attention_scores", "failed")
        wrong.wait_for_outcome("attention_head", "passed")

    for student in (right, wrong):
        student.save()
        student.picture("1-solved")
        student.ask_to_validate()
    assert "Success! Your notebook passes all the tests." in right.validation()
    assert "check.attention_scores" in wrong.validation()
    for student in (right, wrong):
        student.submit()
        student.picture("2-submitted")

    teacher.page.reload()
    teacher.press("collect")
    hub.expect(hub.instructor, ["nbgrader", "autograde", "attention"], hub.course)
    assert teacher.scores() == {right.name: "5 / 7", wrong.name: "4 / 7"}
    teacher.mark_code_quality(right.name, 2)
    teacher.mark_code_quality(wrong.name, 1)
    assert teacher.scores() == {right.name: "7 / 7", wrong.name: "5 / 7"}
    teacher.picture("3-scores")
    teacher.open_formgrader()
    teacher.press("generate-feedback")
    teacher.press("release-feedback")

    read = {student.name: student.read_feedback() for student in (right, wrong)}
    for student in (right, wrong):
        student.picture("4-feedback")
    assert "lesson (Score: 7.0 / 7.0)" in read[right.name]
    assert "lesson (Score: 5.0 / 7.0)" in read[wrong.name]
    assert SLIP in read[wrong.name]
    assert SLIP not in read[right.name]
    assert marks(hub.course / "gradebook.db") == {
        (right.name, "test_attention_scores"): 1.0,
        (wrong.name, "test_attention_scores"): 0.0,
        (right.name, "test_attention_head"): 1.0,
        (wrong.name, "test_attention_head"): 1.0,
    }
    for person in everybody:
        person.leave()


def marks(gradebook: Path) -> dict[tuple[str, str], float]:
    """The automatic marks of two exercises, as the database has them."""
    query = """
        SELECT submitted_assignment.student_id, base_cell.name, grade.auto_score FROM grade
        JOIN base_cell ON base_cell.id = grade.cell_id
        JOIN submitted_notebook ON submitted_notebook.id = grade.notebook_id
        JOIN submitted_assignment ON submitted_assignment.id = submitted_notebook.assignment_id
        WHERE base_cell.name IN ('test_attention_scores', 'test_attention_head')
    """
    with sqlite3.connect(gradebook) as database:
        return {(student, cell): score for student, cell, score in database.execute(query)}
