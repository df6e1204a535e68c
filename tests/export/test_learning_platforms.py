"""The files for Canvas and Moodle, read back as their importers would."""

from __future__ import annotations

import csv
import datetime
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from nbgrader.api import Gradebook

from attention_course.grading.export import CanvasExport, MoodleExport, harmless

DUE = datetime.datetime(2026, 3, 1, 12, 0)
EXPORTERS = "attention_course.grading.export"


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two assignments and nobody; nbgrader takes seconds to make a database."""
    path = tmp_path_factory.mktemp("course") / "gradebook.db"
    with Gradebook(f"sqlite:///{path}") as book:
        for name in ("attention", "basics"):
            book.add_assignment(name, duedate=DUE)
            book.add_notebook("lesson", name)
            book.add_grade_cell("test", "lesson", name, max_score=5, cell_type="code")
            book.add_task_cell("quality", "lesson", name, max_score=2, cell_type="markdown")
    return path


@pytest.fixture
def database(course: Path, tmp_path: Path) -> str:
    return f"sqlite:///{shutil.copy(course, tmp_path / 'gradebook.db')}"


@pytest.fixture
def gradebook(database: str) -> Iterator[Any]:
    with Gradebook(database) as book:
        yield book


def hand_in(
    book: Any,
    student: str,
    test: float | None = None,
    quality: float | None = None,
    *,
    assignment: str = "attention",
    graded: bool = True,
    late: datetime.timedelta = -datetime.timedelta(hours=1),
    penalty: float = 0,
    **person: str,
) -> None:
    book.update_or_create_student(student, **person)
    submission = book.add_submission(assignment, student, timestamp=DUE + late)
    submission.notebooks[0].late_submission_penalty = penalty
    if graded:
        grades = {grade.name: grade for grade in submission.notebooks[0].grades}
        grades["test"].auto_score, grades["quality"].manual_score = test, quality
        grades["quality"].needs_manual_grade = quality is None
    else:
        for grade in list(submission.notebooks[0].grades):
            book.db.delete(grade)
    book.db.commit()


def rows_of(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file))


def canvas(book: Any, tmp_path: Path, **options: Any) -> tuple[dict[str, str], dict[str, str]]:
    """From the student's id to the mark of ``attention``, and to its note."""
    to = tmp_path / "marks.csv"
    CanvasExport(to=str(to), **{"assignment": ["attention"], **options}).export(book)
    marks = {row[2]: row[5] for row in rows_of(to)[2:]}
    return marks, {row[0]: row[3] for row in rows_of(tmp_path / "marks-notes.csv")[1:]}


def moodle(book: Any, tmp_path: Path) -> dict[str, list[str]]:
    to = tmp_path / "moodle.csv"
    MoodleExport(to=str(to), assignment=["attention"]).export(book)
    return {row[0]: row for row in rows_of(to)}


def test_canvas_gets_the_columns_that_its_import_names(gradebook: Any, tmp_path: Path) -> None:
    hand_in(gradebook, "student-01", 4.5, 2, first_name="Student", last_name="One")
    to = tmp_path / "canvas.csv"
    CanvasExport(to=str(to)).export(gradebook)
    head, points, student = rows_of(to)
    fixed = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section"]
    assert head == [*fixed, "attention", "basics"]
    assert [points[0].strip(), *points[5:]] == ["Points Possible", "7", "7"]
    assert student == ["One, Student", "", "student-01", "student-01", "", "6.5", ""]


def test_moodle_gets_points_and_feedback(gradebook: Any, tmp_path: Path) -> None:
    hand_in(gradebook, "student-01", 5, 1, email="student-01@example.org")
    found = moodle(gradebook, tmp_path)
    assert found["Username"][3:] == [
        "Email address",
        "Assignment: attention (Real)",
        "Assignment: attention (Feedback)",
    ]
    assert found["student-01"][3:] == ["student-01@example.org", "6", ""]


def test_a_mark_of_zero_stays_a_zero(gradebook: Any, tmp_path: Path) -> None:
    hand_in(gradebook, "student-01", 0, 0)
    assert canvas(gradebook, tmp_path) == ({"student-01": "0"}, {})


def test_what_was_not_handed_in_is_empty_and_says_so(gradebook: Any, tmp_path: Path) -> None:
    gradebook.update_or_create_student("student-01")
    assert canvas(gradebook, tmp_path) == ({"student-01": ""}, {"student-01": "not handed in"})
    assert moodle(gradebook, tmp_path)["student-01"][4:] == ["", "not handed in"]


def test_what_is_not_graded_is_empty_and_says_so(gradebook: Any, tmp_path: Path) -> None:
    hand_in(gradebook, "student-01", graded=False)
    expected = ({"student-01": ""}, {"student-01": "not graded yet"})
    assert canvas(gradebook, tmp_path) == expected
    assert moodle(gradebook, tmp_path)["student-01"][4:] == ["", "not graded yet"]


@pytest.mark.parametrize(("test", "quality"), [(5, None), (None, 2), (None, None)])
def test_a_mark_that_waits_for_a_person_is_no_zero_in_the_sum(
    gradebook: Any, tmp_path: Path, test: float | None, quality: float | None
) -> None:
    hand_in(gradebook, "student-01", test, quality)
    waits = "waits for a person's mark"
    assert canvas(gradebook, tmp_path) == ({"student-01": ""}, {"student-01": waits})


def test_a_late_submission_says_how_late_and_what_it_cost(gradebook: Any, tmp_path: Path) -> None:
    late = datetime.timedelta(days=1, hours=2, minutes=5)
    hand_in(gradebook, "student-01", 5, 2, late=late, penalty=3)
    marks, notes = canvas(gradebook, tmp_path)
    assert marks == {"student-01": "4"}
    assert notes == {"student-01": "late by 1 d 2 h 5 min; 3 points taken off"}
    assert moodle(gradebook, tmp_path)["student-01"][4:] == ["4", notes["student-01"]]


@pytest.mark.parametrize(
    ("granted", "note"),
    [(datetime.timedelta(days=2), ""), (datetime.timedelta(days=1), "late by 2 h 5 min")],
)
def test_an_extension_counts_before_a_submission_is_called_late(
    gradebook: Any, tmp_path: Path, granted: datetime.timedelta, note: str
) -> None:
    hand_in(gradebook, "student-01", 5, 2, late=datetime.timedelta(days=1, hours=2, minutes=5))
    gradebook.find_submission("attention", "student-01").extension = granted
    gradebook.db.commit()
    assert moodle(gradebook, tmp_path)["student-01"][4:] == ["7", note]
    assert canvas(gradebook, tmp_path) == (
        {"student-01": "7"},
        {"student-01": note} if note else {},
    )


def test_an_extension_without_a_due_date_is_no_fault(gradebook: Any, tmp_path: Path) -> None:
    hand_in(gradebook, "student-01", 5, 2)
    gradebook.find_assignment("attention").duedate = None
    gradebook.find_submission("attention", "student-01").extension = datetime.timedelta(days=1)
    gradebook.db.commit()
    assert moodle(gradebook, tmp_path)["student-01"][4:] == ["7", ""]


def test_a_penalty_never_makes_less_than_nothing(gradebook: Any, tmp_path: Path) -> None:
    late = datetime.timedelta(minutes=1)
    hand_in(gradebook, "student-01", 1, 0, late=late, penalty=3)
    assert canvas(gradebook, tmp_path)[0] == {"student-01": "0"}


def test_a_late_submission_that_waits_says_both(gradebook: Any, tmp_path: Path) -> None:
    hand_in(gradebook, "student-01", 5, None, late=datetime.timedelta(minutes=3))
    note = "waits for a person's mark; late by 3 min"
    assert canvas(gradebook, tmp_path) == ({"student-01": ""}, {"student-01": note})


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", " =", "\u00a0@"])
def test_a_name_cannot_become_a_formula(gradebook: Any, tmp_path: Path, start: str) -> None:
    text = f"{start}HYPERLINK(0)"
    hand_in(gradebook, "student-01", 5, 2, last_name=text, first_name=text, email=text)
    to = tmp_path / "canvas.csv"
    CanvasExport(to=str(to)).export(gradebook)
    cells = [cell for row in rows_of(to) for cell in row]
    cells += [cell for row in moodle(gradebook, tmp_path).values() for cell in row]
    dangerous = tuple("=+-@＝\t\r\n")
    assert [cell for cell in cells if cell.strip(" \u00a0").startswith(dangerous)] == []
    assert "'" + text in cells, "the name is still to be read"


def test_plain_text_is_left_as_it_is() -> None:
    for text in ("", "Ada", "O'Neil", "a=b", "1-2", "Łukasz", "名前"):
        assert harmless(text) == text


def test_names_in_every_script_with_commas_and_quotes_come_back(
    gradebook: Any, tmp_path: Path
) -> None:
    for number, name in enumerate(("Łukasz, jr.", 'Zoë "Z"', "名前", "ألف", "two\nlines")):
        hand_in(gradebook, f"student-{number:02d}", 5, 2, first_name=name, last_name="")
    to = tmp_path / "canvas.csv"
    CanvasExport(to=str(to)).export(gradebook)
    found = [row[0] for row in rows_of(to)[2:]]
    assert found == ["Łukasz, jr.", 'Zoë "Z"', "名前", "ألف", "two\nlines"]
    assert to.read_bytes().startswith(b"\xef\xbb\xbf"), "spreadsheets know UTF-8 by this mark"


def test_only_the_students_asked_for_are_written(gradebook: Any, tmp_path: Path) -> None:
    for student in ("student-01", "student-02"):
        hand_in(gradebook, student, 5, 2)
    assert list(canvas(gradebook, tmp_path, student=["student-02"])[0]) == ["student-02"]


@pytest.mark.slow
def test_nbgraders_own_command_finds_the_exporters(
    gradebook: Any, database: str, tmp_path: Path
) -> None:
    hand_in(gradebook, "student-01", 5, 2)
    hand_in(gradebook, "student-02", graded=False)
    for name, file in (("CanvasExport", "canvas.csv"), ("MoodleExport", "moodle.csv")):
        command = [sys.executable, "-m", "nbgrader", "export", f"--exporter={EXPORTERS}.{name}"]
        done = subprocess.run(
            [*command, f"--db={database}", "--assignment=['attention']"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert "1 of 2 marks are empty, not zero" in done.stderr
        assert any("7" in row for row in rows_of(tmp_path / file))


@pytest.mark.slow
def test_an_assignment_that_is_not_there_is_named(
    gradebook: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    canvas(gradebook, tmp_path, assignment=["atention"])
    assert "The gradebook has no assignment atention" in caplog.text
