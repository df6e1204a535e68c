"""A small course that is not ours, and a pool that grades in the test's own process."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from attention_course.commands.course_folder import CourseFolder
from attention_course.commands.report import loaded_configuration
from attention_course.grading.batch.course import Course
from attention_course.grading.batch.helper import Outcome
from attention_course.grading.batch.recording import Summary
from attention_course.grading.batch.run import grade_class
from attention_course.grading.batch.submitted import read_submission
from attention_course.grading.batch.worker import Job
from attention_course.grading.submission import (
    Assignment,
    digest_of_submission,
    grade_submission,
)

PYTHON = {"name": "python3", "display_name": "Python 3", "language": "python"}


def cell(kind: str, source: str, grade_id: str, **flags: object) -> NotebookNode:
    nbgrader = {
        "schema_version": 3,
        "grade_id": grade_id,
        "grade": False,
        "solution": False,
        "locked": False,
        "task": False,
        **flags,
    }
    new = new_code_cell if kind == "code" else new_markdown_cell
    return new(source, metadata={"nbgrader": nbgrader})


def solution(source: str) -> str:
    return f"### BEGIN SOLUTION\n{source}\n### END SOLUTION"


def master(test: str = "assert double(2) == 4") -> NotebookNode:
    return new_notebook(
        metadata={"kernelspec": PYTHON},
        cells=[
            cell("code", solution("def double(x):\n    return 2 * x"), "double", solution=True),
            cell("code", test, "test_double", grade=True, locked=True, points=2),
            cell("code", solution("def half(x):\n    return x / 2"), "half", solution=True),
            cell(
                "code",
                "0.5 * (half(4) == 2) + 0.5 * (half(3) == 1.5)",
                "test_half",
                grade=True,
                locked=True,
                points=1,
            ),
            cell("markdown", "Why?", "essay", grade=True, solution=True, points=3),
            cell("markdown", "Style", "style", task=True, locked=True, points=1),
        ],
    )


SECOND = new_notebook(
    metadata={"kernelspec": PYTHON},
    cells=[
        cell("code", solution("third = lambda x: x / 3"), "third", solution=True),
        cell("code", "assert third(6) == 2", "test_third", grade=True, locked=True, points=1),
    ],
)
RIGHT = {
    "double": "def double(x):\n    return x + x",
    "half": "def half(x):\n    return 0.5 * x",
    "essay": "Because.",
    "third": "def third(x):\n    return x / 3",
}
WRONG = {"double": "def double(x):\n    return x"}
PARTLY = {"half": "def half(x):\n    return x // 2"}


class Here:
    """Grades in this process; a real pool is tested apart."""

    def __init__(self, assignment: Assignment, count: int, seconds: float | None) -> None:
        self.assignment = assignment

    def __enter__(self) -> Here:
        return self

    def __exit__(self, *about: object) -> None: ...

    def run(self, jobs: Any) -> Iterator[Outcome]:
        for job in list(jobs):
            yield self.one(job)

    def one(self, job: Job) -> Outcome:
        submission = read_submission(Path(job.folder), job.student, job.ignore)
        result = grade_submission(submission, self.assignment)
        return Outcome(job, result, digest_of_submission(submission))


@dataclass
class Told:
    """A listener that remembers."""

    sentences: list[str] = field(default_factory=list)
    steps: list[str] = field(default_factory=list)

    def begin(self, total: int, unchanged: int) -> None: ...

    def step(self, student: str) -> None:
        self.steps.append(student)

    def say(self, sentence: str) -> None:
        self.sentences.append(sentence)


@dataclass
class Small:
    """A course folder with one assignment, ps1."""

    root: Path
    told: Told = field(default_factory=Told)

    def configure(self, *lines: str) -> None:
        with (self.root / "nbgrader_config.py").open("a") as file:
            file.write("\n" + "\n".join(lines) + "\n")

    def hand_in(
        self,
        student: str,
        answers: dict[str, str | None] | None = None,
        notebook: str = "p1",
        timestamp: str | None = None,
        **files: str,
    ) -> Path:
        released = nbformat.read(self.root / "release" / "ps1" / f"{notebook}.ipynb", 4)
        for name, source in {**RIGHT, **(answers or {})}.items():
            for found in released.cells:
                if source is not None and found.metadata.nbgrader.grade_id == name:
                    found.source = source
        place = self.root / "submitted" / student / "ps1"
        place.mkdir(parents=True, exist_ok=True)
        nbformat.write(released, place / f"{notebook}.ipynb")
        if timestamp is not None:
            (place / "timestamp.txt").write_text(timestamp)
        for name, text in files.items():
            (place / f"{name}.txt").write_text(text)
        return place

    def hand_in_text(self, student: str, text: str) -> None:
        place = self.root / "submitted" / student / "ps1"
        place.mkdir(parents=True, exist_ok=True)
        (place / "p1.ipynb").write_text(text)

    @property
    def course(self) -> Course:
        folder = CourseFolder(self.root)
        return Course(self.root, loaded_configuration(folder))

    def grade(self, pattern: str = "*", force: bool = False, pool: Any = Here) -> Summary:
        self.told = Told()
        with contextlib.chdir(self.root):
            return grade_class(self.course, "ps1", 1, pattern, force, self.told, pool)

    def query(self, text: str, *values: Any) -> list[tuple[Any, ...]]:
        with contextlib.closing(sqlite3.connect(self.root / "gradebook.db")) as database:
            found = database.execute(text, values).fetchall()
            database.commit()
            return found

    def marks(self, student: str) -> dict[str, tuple[float | None, float | None, bool]]:
        """grade_id to automatic mark, a person's mark, and whether it waits for a person."""
        rows = self.query(GRADES + " WHERE sa.student_id = ?", student)
        return {cell: (auto, by_hand, bool(needs)) for _, _, cell, auto, by_hand, _, needs in rows}

    def automatic(self, student: str) -> dict[str, float | None]:
        return {name: mark[0] for name, mark in self.marks(student).items()}

    def mark_by_hand(self, student: str, name: str, score: float) -> None:
        self.query(
            "UPDATE grade SET manual_score = ?, needs_manual_grade = 0 WHERE id IN "
            f"(SELECT g.id {FROM_GRADES} WHERE sa.student_id = ? AND b.name = ?)",
            score,
            student,
            name,
        )

    def autograded(self, student: str, notebook: str = "p1") -> Path:
        return self.root / "autograded" / student / "ps1" / f"{notebook}.ipynb"

    def state(self) -> dict[str, Any]:
        """All that graders see: rows without their random ids, files and their modes."""
        return {"rows": rows(self.root), "files": files(self.root)}

    def command(self, *arguments: str, **more: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "attention_course.cli", *arguments],
            cwd=self.root,
            capture_output=True,
            text=True,
            timeout=300,
            **more,
        )


FROM_GRADES = (
    "FROM grade g JOIN submitted_notebook sn ON sn.id = g.notebook_id "
    "JOIN submitted_assignment sa ON sa.id = sn.assignment_id "
    "JOIN base_cell b ON b.id = g.cell_id JOIN notebook n ON n.id = b.notebook_id"
)
GRADES = (
    "SELECT sa.student_id, n.name, b.name, g.auto_score, g.manual_score, g.extra_credit, "
    f"g.needs_manual_grade {FROM_GRADES}"
)
ROWS = {
    "grades": GRADES,
    "comments": "SELECT sa.student_id, n.name, b.name, c.auto_comment, c.manual_comment "
    + FROM_GRADES.replace("grade g", "comment c").replace("g.", "c."),
    "submissions": "SELECT student_id, timestamp, extension FROM submitted_assignment",
    "notebooks": "SELECT sa.student_id, n.name, sn.flagged, sn.late_submission_penalty "
    "FROM submitted_notebook sn JOIN submitted_assignment sa ON sa.id = sn.assignment_id "
    "JOIN notebook n ON n.id = sn.notebook_id",
    "students": "SELECT * FROM student",
}


def rows(root: Path) -> dict[str, list[tuple[Any, ...]]]:
    with contextlib.closing(sqlite3.connect(root / "gradebook.db")) as database:
        return {name: sorted(database.execute(q), key=repr) for name, q in ROWS.items()}


def files(root: Path) -> dict[str, tuple[int, bytes]]:
    place = root / "autograded"
    found = (path for path in place.rglob("*") if path.is_file())
    return {str(p.relative_to(place)): (p.stat().st_mode, p.read_bytes()) for p in found}


def generate(root: Path, **notebooks: NotebookNode) -> None:
    source = root / "source" / "ps1"
    source.mkdir(parents=True, exist_ok=True)
    for name, notebook in notebooks.items():
        nbformat.write(
            nbformat.from_dict(json.loads(json.dumps(notebook))), source / f"{name}.ipynb"
        )
    done = subprocess.run(
        [sys.executable, "-m", "nbgrader", "generate_assignment", "ps1", "--force"],
        cwd=root,
        capture_output=True,
        text=True,
        timeout=300,
        env=os.environ,
    )
    assert done.returncode == 0, done.stderr[-2000:]


def _made(root: Path, repository: Path, **notebooks: NotebookNode) -> Path:
    root.mkdir()
    shutil.copy(repository / "nbgrader_config.py", root)
    generate(root, **notebooks)
    return root


@pytest.fixture(scope="session")
def _released(tmp_path_factory: pytest.TempPathFactory, repository_root: Path) -> Path:
    return _made(tmp_path_factory.mktemp("released") / "one", repository_root, p1=master())


@pytest.fixture(scope="session")
def _released_two(tmp_path_factory: pytest.TempPathFactory, repository_root: Path) -> Path:
    root = tmp_path_factory.mktemp("released") / "two"
    return _made(root, repository_root, p1=master(), p2=SECOND)


@pytest.fixture
def small(tmp_path: Path, _released: Path) -> Small:
    """A course with one notebook, p1, and nobody's submission."""
    return Small(Path(shutil.copytree(_released, tmp_path / "course")))


@pytest.fixture
def two(tmp_path: Path, _released_two: Path) -> Small:
    """A course whose assignment has two notebooks, p1 and p2."""
    return Small(Path(shutil.copytree(_released_two, tmp_path / "course")))


@pytest.fixture
def here() -> type[Here]:
    """The pool of this process, for tests that make one of their own."""
    return Here


@pytest.fixture
def make_small(tmp_path: Path, repository_root: Path) -> Any:
    """``make_small(test)``: a course whose first test cell is ``test``."""

    def make(test: str) -> Small:
        return Small(_made(tmp_path / "made", repository_root, p1=master(test)))

    return make


@pytest.fixture(scope="session")
def read_rows() -> Any:
    """The gradebook's rows of a course folder, without random ids."""
    return rows


@pytest.fixture(scope="session")
def read_files() -> Any:
    """Mode and content of all files below autograded/ of a course folder."""
    return files
