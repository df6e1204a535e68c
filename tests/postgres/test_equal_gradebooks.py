"""One class, graded by two commands into two databases: four gradebooks that say the same."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from nbgrader.api import Gradebook

from attention_course.commands.course_folder import CourseFolder
from attention_course.sample_class import make_class

from .contents import COURSE, contents, run

pytestmark = [pytest.mark.slow, pytest.mark.postgres]

# The same secret inputs in all runs; a real course never sets this.
SETTINGS = """
c.TrustedExecute.seed = 5
from nbgrader.plugins import BasePlugin
class ATenth(BasePlugin):
    def late_submission_penalty(self, student_id, score, total_seconds_late):
        return 0.1 * score
c.AssignLatePenalties.plugin_class = ATenth
"""
COMMANDS = {
    "ours": ("attention_course.cli", "grade", "attention", "--workers", "2"),
    "stock": ("nbgrader", "autograde", "attention"),
}
AGAIN = ("--force", "--student=student-0[1-4]")
WAYS = [(command, database) for command in COMMANDS for database in ("sqlite", "postgresql")]
TABLES = (
    "students",
    "assignments",
    "notebooks",
    "cells",
    "source cells",
    "cells in order",
    "submissions",
    "submitted notebooks",
    "grades",
    "comments",
)


@dataclass
class Graded:
    """A course folder whose class was graded, marked by a person, and graded again."""

    folder: Path
    url: str
    first: dict[str, list[Any]]
    last: dict[str, list[Any]]
    report: dict[str, Any]
    export: list[str]
    feedback: dict[str, str]


def mark_by_hand(url: str) -> None:
    """What formgrader writes: a mark, extra credit, comments, a flag, an extension."""
    with Gradebook(url, COURSE) as book:
        where = ("lesson", "attention")
        grade = book.find_grade("test_attention_scores", *where, "student-01")
        grade.manual_score, grade.extra_credit, grade.needs_manual_grade = 0.5, 0.25, False
        style = book.find_grade("code_quality", *where, "student-02")
        style.manual_score, style.needs_manual_grade = 2.0, False
        said = book.find_comment("code_quality", *where, "student-02")
        said.manual_comment = "Names that say what they hold. Größe, 注意力, <b>"
        book.find_submission_notebook("lesson", "attention", "student-03").flagged = True
        book.find_submission("attention", "student-04").extension = timedelta(days=2)
        book.update_or_create_student("student-01", first_name="First", last_name="Student")
        book.db.commit()


def hand_in_times(folder: Path) -> None:
    """In time, late, late with an extension to come, and at no time that can be read."""
    times = {
        "student-01": "2026-01-09 12:00:00 UTC",
        "student-02": "2026-01-11 12:00:00 CET",
        "student-04": "2026-01-11 06:30:00.123456 UTC",
        "student-05": "yesterday-ish",
    }
    for student, time in times.items():
        place = folder / "submitted" / student / "attention" / "timestamp.txt"
        if place.parent.is_dir() and student != "student-05":
            place.write_text(time)


def grade_all(folder: Path, url: str, command: str) -> Graded:
    first = run(folder, *COMMANDS[command])
    assert "Traceback" not in first.stderr or command == "stock", first.stderr[-3000:]
    before = contents(url, folder / "source")
    mark_by_hand(url)
    wrong = folder / "submitted" / "student-03" / "attention"
    shutil.copy(
        folder / "submitted" / "student-01" / "attention" / "lesson.ipynb", wrong / "lesson.ipynb"
    )
    run(folder, *COMMANDS[command], *AGAIN)
    report = run(folder, "attention_course.cli", "report", "attention", "--json")
    assert report.returncode == 0, report.stderr
    exported = run(folder, "nbgrader", "export", "--to=grades.csv")
    assert exported.returncode == 0, exported.stderr
    run(folder, "nbgrader", "generate_feedback", "attention", "--student=student-0[1-4]")
    pages = sorted((folder / "feedback").rglob("lesson.html"))
    return Graded(
        folder,
        url,
        before,
        contents(url, folder / "source"),
        {name: what for name, what in json.loads(report.stdout).items() if name != "generated"},
        sorted((folder / "grades.csv").read_text().splitlines()),
        {str(page.relative_to(folder)): page.read_text() for page in pages},
    )


@pytest.fixture(scope="module")
def classes(
    server: Any, tmp_path_factory: pytest.TempPathFactory, repository_root: Path
) -> dict[tuple[str, str], Graded]:
    """Each command's and each database's own class of the sample's twelve students."""
    root = tmp_path_factory.mktemp("classes")
    released = {"postgresql": server.new_database(), "sqlite": ""}
    for kind, database in released.items():
        folder = root / kind
        (folder / "source").mkdir(parents=True)
        shutil.copytree(repository_root / "source" / "attention", folder / "source" / "attention")
        configure(folder, repository_root, server.url(database) if database else "")
        done = run(folder, "nbgrader", "generate_assignment", "attention")
        assert done.returncode == 0, done.stderr
        url = server.url(database) if database else f"sqlite:///{folder / 'gradebook.db'}"
        with Gradebook(url, COURSE) as book:
            book.update_or_create_assignment("attention", duedate="2026-01-10 00:00:00 UTC")
        make_class(CourseFolder(folder), "attention")
        hand_in_times(folder)
    found = {}
    for command, kind in WAYS:
        folder = Path(shutil.copytree(root / kind, root / f"{command}-{kind}"))
        url = f"sqlite:///{folder / 'gradebook.db'}"
        if kind == "postgresql":
            url = server.url(server.new_database(released[kind]))
            configure(folder, repository_root, url)
        found[command, kind] = grade_all(folder, url, command)
    return found


def configure(folder: Path, repository: Path, url: str) -> None:
    text = (repository / "nbgrader_config.py").read_text() + SETTINGS
    if url:
        text += f"c.CourseDirectory.db_url = {url!r}\n"
    (folder / "nbgrader_config.py").write_text(text)


OTHERS = [way for way in WAYS if way != ("stock", "sqlite")]


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("way", OTHERS, ids="-".join)
def test_a_gradebook_says_what_stock_nbgrader_writes_into_sqlite(
    classes: Any, way: tuple[str, str], table: str
) -> None:
    expected, found = classes["stock", "sqlite"], classes[way]
    assert expected.first[table] and found.first[table] == expected.first[table]


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("way", OTHERS, ids="-".join)
def test_it_still_does_after_a_persons_marks_and_a_regrade(
    classes: Any, way: tuple[str, str], table: str
) -> None:
    assert classes[way].last[table] == classes["stock", "sqlite"].last[table]


@pytest.mark.parametrize("way", OTHERS, ids="-".join)
def test_the_report_is_the_same(classes: Any, way: tuple[str, str]) -> None:
    assert classes[way].report == classes["stock", "sqlite"].report


@pytest.mark.parametrize("way", OTHERS, ids="-".join)
def test_the_export_is_the_same(classes: Any, way: tuple[str, str]) -> None:
    expected = classes["stock", "sqlite"].export
    assert len(expected) > 10 and classes[way].export == expected


@pytest.mark.parametrize("way", OTHERS, ids="-".join)
def test_the_feedback_pages_are_the_same(classes: Any, way: tuple[str, str]) -> None:
    expected = classes["stock", "sqlite"].feedback
    assert len(expected) == 4 and classes[way].feedback == expected


def test_the_class_has_what_gradebooks_could_differ_in(classes: Any) -> None:
    """Late ones, penalties, extensions, marks by hand, extra credit, flags, broken notebooks."""
    last = classes["ours", "postgresql"].last
    assert classes["ours", "postgresql"].first["grades"] != last["grades"]
    assert any(row[4] > 0 for row in last["submissions"])
    assert any(row[3] for row in last["submissions"])
    assert any(row[7] for row in last["submissions"])
    assert any(row[6] for row in last["submissions"])
    assert any(row[3] for row in last["submitted notebooks"])
    grades = last["grades"]
    assert any(row[5] is not None for row in grades) and any(row[6] for row in grades)
    assert {row[4] for row in grades} >= {None, 0.0, 1.0}
    assert any(row[5] for row in last["comments"])
    assert "student-11" in {row[1] for row in last["submissions"]}  # no notebook at all in there


def test_the_database_on_the_server_is_the_only_one(classes: Any) -> None:
    for way, graded in classes.items():
        assert (graded.folder / "gradebook.db").exists() is (way[1] == "sqlite")
