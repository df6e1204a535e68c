"""What nbgrader asks of the gradebook grows with the class, not with its square.

Counted in steps of SQLite's own machine, which are the same on a busy computer as on a quiet one.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from nbgrader.api import (
    Comment,
    Grade,
    Gradebook,
    Student,
    SubmittedAssignment,
    SubmittedNotebook,
)

from attention_course.grading.batch import gradebook as gradebook_module
from attention_course.grading.batch.gradebook import Writer

STEP = 100  # of SQLite's instructions
ASKED: dict[str, Callable[[Gradebook], Any]] = {
    "formgrader's submissions": lambda book: book.submission_dicts("ps1"),
    "formgrader's notebooks": lambda book: book.notebook_submission_dicts("p1", "ps1"),
    "an export": lambda book: [
        (book.find_submission("ps1", s.id).score, book.find_submission("ps1", s.id).max_score)
        for s in book.students
    ],
    "every grade by name": lambda book: [
        book.find_grade(cell.name, "p1", "ps1", s.id)
        for s in book.students
        for cell in book.find_notebook("p1", "ps1").grade_cells
    ],
}


def filled(small: Any, place: Path, size: int) -> str:
    """A copy of the course's gradebook with so many graded students."""
    shutil.copy(small.root / "gradebook.db", place)
    with Gradebook(f"sqlite:///{place}", "attention-course") as book:
        assignment = book.find_assignment("ps1")
        for number in range(size):
            work = SubmittedAssignment(assignment=assignment, student=Student(id=f"s-{number}"))
            book.db.add(work)
            for notebook in assignment.notebooks:
                part = SubmittedNotebook(notebook=notebook, assignment=work)
                book.db.add(part)
                for cell in notebook.grade_cells + notebook.task_cells:
                    book.db.add(Grade(cell=cell, notebook=part, auto_score=1.0))
                for cell in notebook.solution_cells + notebook.task_cells:
                    book.db.add(Comment(cell=cell, notebook=part, auto_comment="x"))
        book.db.commit()
    return f"sqlite:///{place}"


def steps(url: str, ask: Callable[[Gradebook], Any]) -> int:
    with Gradebook(url, "attention-course") as book:
        counted = [0]

        def count() -> int:
            counted[0] += 1
            return 0

        found = book.db.connection().connection.driver_connection
        assert isinstance(found, sqlite3.Connection)
        found.set_progress_handler(count, STEP)
        ask(book)
        found.set_progress_handler(None, STEP)
        return counted[0]


@pytest.fixture
def gradebooks(small: Any, tmp_path: Path) -> Callable[[], list[str]]:
    def made() -> list[str]:
        urls = [filled(small, tmp_path / f"{size}.db", size) for size in (100, 400)]
        for url in urls:
            Writer(url, "attention-course", "ps1").gradebook.close()
        return urls

    return made


@pytest.mark.slow
def test_four_times_the_class_is_four_times_the_work(gradebooks: Any) -> None:
    few, many = gradebooks()
    growth = {name: steps(many, ask) / steps(few, ask) for name, ask in ASKED.items()}
    assert all(times < 5 for times in growth.values()), growth


@pytest.mark.slow
def test_without_our_indexes_it_is_far_more(
    gradebooks: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gradebook_module, "add_indexes", lambda connection: True)
    few, many = gradebooks()
    ask = ASKED["formgrader's submissions"]
    assert steps(many, ask) / steps(few, ask) > 8


def test_a_gradebook_that_takes_no_index_is_used_as_it_is(
    small: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from attention_course.grading.batch import indexes

    monkeypatch.setattr(indexes, "_keys", lambda: [("grade", "no_such_column")])
    small.hand_in("student-01")
    assert list(small.grade().graded) == ["student-01"]
