"""A class of any size, written straight into a real nbgrader gradebook and autograded notebooks."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from nbgrader.api import (
    Assignment,
    Course,
    Grade,
    Gradebook,
    GradeCell,
    Notebook,
    Student,
    SubmittedAssignment,
    SubmittedNotebook,
    TaskCell,
)

from attention_course.grading.class_results import ClassResults, read_class
from attention_course.verdict import Outcome, Verdict

CELLS = ("test_attention_scores", "test_attention_weights")
TASK = "code_quality"


def failed(exercise: str, *misconceptions: str, message: str = "not right") -> Verdict:
    return Verdict(Outcome.FAILED, exercise, message, misconceptions=misconceptions)


def passed(exercise: str) -> Verdict:
    return Verdict(Outcome.PASSED, exercise, "right", points=1.0)


@dataclass
class MadeUpClass:
    """One assignment "attention" with two tested cells and one for a person."""

    root: Path
    cells: tuple[str, ...] = CELLS
    url: str = field(init=False)
    submitted: dict[str, Path] = field(default_factory=dict)
    autograded: dict[str, Path] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.url = f"sqlite:///{self.root / 'gradebook.db'}"
        with Gradebook(self.url) as gradebook:
            course = gradebook.db.query(Course).first()
            assignment = Assignment(name="attention", course_id=course.id)
            notebook = Notebook(name="lesson", assignment=assignment)
            gradebook.db.add_all([assignment, notebook])
            gradebook.db.flush()
            for name in self.cells:
                cell = GradeCell(name=name, notebook=notebook, max_score=1.0, cell_type="code")
                gradebook.db.add(cell)
            task = TaskCell(name=TASK, notebook=notebook, max_score=2.0, cell_type="markdown")
            gradebook.db.add(task)
            gradebook.db.commit()

    def add(
        self,
        students: dict[str, dict[str, float | None]],
        *,
        verdicts: dict[str, list[Verdict]] | None = None,
        metadata: dict[str, Any] | None = None,
        notebook_text: str | None = None,
        **grade: Any,
    ) -> None:
        """Grades by student and cell; ``grade`` sets further fields of every grade."""
        with Gradebook(self.url) as gradebook:
            assignment = gradebook.find_assignment("attention")
            notebook = gradebook.find_notebook("lesson", "attention")
            cells = {cell.name: cell for cell in (*notebook.grade_cells, *notebook.task_cells)}
            for name, scores in students.items():
                student = Student(id=name)
                submission = SubmittedAssignment(assignment=assignment, student=student)
                copy = SubmittedNotebook(notebook=notebook, assignment=submission)
                gradebook.db.add_all([student, submission, copy])
                for cell, score in scores.items():
                    fields = {"auto_score": score, "needs_manual_grade": score is None, **grade}
                    gradebook.db.add(Grade(cell=cells[cell], notebook=copy, **fields))
                self.write(name, (verdicts or {}).get(name), metadata, notebook_text)
            gradebook.db.commit()

    def write(
        self,
        student: str,
        verdicts: list[Verdict] | None,
        metadata: dict[str, Any] | None = None,
        text: str | None = None,
    ) -> None:
        """The student's submitted and autograded notebook."""
        records = [v.to_record() | {"cell": f"test_{v.exercise}"} for v in verdicts or []]
        ours = {"version": 1, "verdicts": records, "events": [], **(metadata or {})}
        cells = [_cell(name) for name in (*self.cells, TASK)]
        notebook: dict[str, Any] = {"cells": cells, "metadata": {}, "nbformat": 4}
        if verdicts is not None or metadata:
            notebook["metadata"]["attention_course"] = ours
        for stage, folders in (("submitted", self.submitted), ("autograded", self.autograded)):
            folder = self.root / stage / student / "attention"
            folder.mkdir(parents=True)
            (folder / "lesson.ipynb").write_text(text or json.dumps(notebook))
            folders[student] = folder

    def results(self) -> ClassResults:
        with Gradebook(self.url) as gradebook:
            return read_class(gradebook, "attention", self.submitted, self.autograded)


def _cell(name: str) -> dict[str, Any]:
    return {"cell_type": "code", "source": "", "metadata": {"nbgrader": {"grade_id": name}}}


@pytest.fixture(scope="session")
def empty_gradebook(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A gradebook with its tables made once: nbgrader asks another program for their version."""
    path = tmp_path_factory.mktemp("gradebook") / "gradebook.db"
    Gradebook(f"sqlite:///{path}").close()
    return path


@pytest.fixture
def made_up_class(tmp_path: Path, empty_gradebook: Path) -> Callable[..., MadeUpClass]:
    shutil.copy2(empty_gradebook, tmp_path / "gradebook.db")
    return lambda **options: MadeUpClass(tmp_path, **options)
