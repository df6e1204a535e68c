"""`attention-course grade` leaves what `nbgrader autograde` with our plug-ins leaves, byte for byte.

On two workers of this machine as on the workers of a Dask cluster.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import nbformat
import pytest

from attention_course.commands.course_folder import CourseFolder
from attention_course.sample_class import make_class

from .clusters import cluster

pytestmark = pytest.mark.slow

# The same secret inputs on both sides; a real course never sets this.
SEED = "\nc.TrustedExecute.seed = 5\nc.Execute.timeout = 8\n"
PENALTY = """
from nbgrader.plugins import BasePlugin
class ATenth(BasePlugin):
    def late_submission_penalty(self, student_id, score, total_seconds_late):
        return 0.1 * score
c.AssignLatePenalties.plugin_class = ATenth
"""


def run(folder: Path, *command: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=600,
        env=os.environ,
    )
    return done.stdout + done.stderr


def graded(folder: Path, assignment: str) -> tuple[Path, ...]:
    """The same course graded by nbgrader's command, by ours, and by ours on a cluster."""
    ours, clustered = folder.parent / "ours", folder.parent / "clustered"
    for other in (ours, clustered):
        shutil.copytree(folder, other)
    grade = ("attention_course.cli", "grade", assignment)
    run(folder, "nbgrader", "autograde", assignment)
    run(ours, *grade, "--workers", "2")
    with cluster(folder.parent / "dask", 2) as dask:
        run(clustered, *grade, "--scheduler", dask.address)
    for place in (folder, ours, clustered):
        run(place, "nbgrader", "generate_feedback", assignment)
    return folder, ours, clustered


def feedback(folder: Path) -> dict[str, str]:
    pages = (folder / "feedback").rglob("*.html")
    return {str(page.relative_to(folder)): page.read_text() for page in pages}


@pytest.fixture(scope="module")
def the_lesson(tmp_path_factory: pytest.TempPathFactory, repository_root: Path) -> Any:
    folder = tmp_path_factory.mktemp("lesson") / "stock"
    (folder / "source").mkdir(parents=True)
    config = (repository_root / "nbgrader_config.py").read_text()
    (folder / "nbgrader_config.py").write_text(config + SEED + PENALTY)
    shutil.copytree(repository_root / "source" / "attention", folder / "source" / "attention")
    run(folder, "nbgrader", "generate_assignment", "attention")
    students = make_class(CourseFolder(folder), "attention")
    _with_a_due_date(folder, "attention", [student.name for student in students[:4]])
    return graded(folder, "attention")


@pytest.fixture(scope="module")
def the_nasty_class(tmp_path_factory: pytest.TempPathFactory, repository_root: Path) -> Any:
    """What the tests of the stock command grade: everything that goes wrong in a class."""
    nasty = _module(repository_root / "tests" / "grading" / "test_autograde_command.py")
    folder = tmp_path_factory.mktemp("nasty") / "stock"
    (folder / "source" / "ps1").mkdir(parents=True)
    config = (repository_root / "nbgrader_config.py").read_text()
    (folder / "nbgrader_config.py").write_text(config + SEED)
    nbformat.write(nasty.MASTER, folder / "source" / "ps1" / "p1.ipynb")
    run(folder, "nbgrader", "generate_assignment", "ps1")
    released = nbformat.read(folder / "release" / "ps1" / "p1.ipynb", as_version=4)
    for student, (damage, _) in nasty.CLASS.items():
        if student in ("endless", "exits"):
            continue  # these take long, and both sides run them through the same engine
        notebook = nbformat.from_dict(json.loads(json.dumps(released)))
        for name, source in nasty.RIGHT.items():
            nasty.find(notebook, name).source = source
        if damage is not None:
            damage(notebook)
        nasty._hand_in(folder, student, nbformat.writes(notebook))
    for student, text in nasty.BROKEN.items():
        nasty._hand_in(folder, student, text)
    return graded(folder, "ps1")


def _with_a_due_date(folder: Path, assignment: str, students: list[str]) -> None:
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{folder / 'gradebook.db'}", "attention-course") as gradebook:
        gradebook.update_or_create_assignment(assignment, duedate="2026-01-10 00:00:00 UTC")
    for day, student in enumerate(students, start=8):
        place = folder / "submitted" / student / assignment
        if place.is_dir():
            (place / "timestamp.txt").write_text(f"2026-01-{day:02} 12:00:00 UTC")


def _module(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("nasty_class", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("course", ["the_lesson", "the_nasty_class"])
@pytest.mark.parametrize("what", ["grades", "comments", "submissions", "notebooks", "students"])
def test_the_gradebooks_rows_are_the_same(
    course: str, what: str, request: pytest.FixtureRequest, read_rows: Any
) -> None:
    stock, *others = request.getfixturevalue(course)
    expected = read_rows(stock)[what]
    assert expected and len(others) == 2
    assert all(read_rows(ours)[what] == expected for ours in others)


@pytest.mark.parametrize("course", ["the_lesson", "the_nasty_class"])
def test_the_autograded_files_are_the_same(
    course: str, request: pytest.FixtureRequest, read_files: Any
) -> None:
    stock, *others = request.getfixturevalue(course)
    expected = read_files(stock)
    for ours in others:
        found = read_files(ours)
        assert expected.keys() == found.keys() and expected
        for name in expected:
            assert found[name] == expected[name], name


@pytest.mark.parametrize("course", ["the_lesson", "the_nasty_class"])
def test_the_feedback_is_the_same(course: str, request: pytest.FixtureRequest) -> None:
    stock, *others = request.getfixturevalue(course)
    assert feedback(stock) and all(feedback(ours) == feedback(stock) for ours in others)


def test_some_submission_of_the_lesson_was_late(the_lesson: Any, read_rows: Any) -> None:
    assert any(row[3] for row in read_rows(the_lesson[1])["notebooks"])
