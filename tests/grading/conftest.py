"""Small notebooks that are not ours, graded by the engine without nbgrader's commands."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook

from attention_course.grading.engine import Record, Surroundings, grade_notebook
from attention_course.grading.sandbox import Limits
from attention_course.grading.source import instructor_cells, plan

from .kinds import LIMITS, Process


def plain(source: str, *tags: str) -> NotebookNode:
    """A cell that is no exercise."""
    return new_code_cell(source, metadata={"tags": list(tags)} if tags else {})


def answer(source: str, grade_id: str = "answer") -> NotebookNode:
    """A solution cell."""
    return _cell(source, grade_id, solution=True)


def test(source: str, grade_id: str = "test_answer", points: float = 1) -> NotebookNode:
    """A test cell."""
    return _cell(source, grade_id, grade=True, points=points)


test.__test__ = False  # type: ignore[attr-defined]


def locked(source: str, grade_id: str) -> NotebookNode:
    """A read-only cell."""
    return _cell(source, grade_id, locked=True)


def _cell(source: str, grade_id: str, **flags: object) -> NotebookNode:
    nbgrader = {
        "schema_version": 3,
        "grade_id": grade_id,
        "grade": False,
        "solution": False,
        "locked": False,
        "task": False,
        **flags,
    }
    return new_code_cell(source, metadata={"nbgrader": nbgrader})


class Graded:
    """A graded notebook: what each test cell earned and showed."""

    def __init__(self, notebook: NotebookNode, record: Record) -> None:
        self.notebook = notebook
        self.record = record

    def cell(self, grade_id: str = "test_answer") -> NotebookNode:
        return next(
            c
            for c in self.notebook.cells
            if c.metadata.get("nbgrader", {}).get("grade_id") == grade_id
        )

    def score(self, grade_id: str = "test_answer") -> float:
        """What stock nbgrader makes of the cell's outputs."""
        from nbgrader.utils import determine_grade

        return determine_grade(self.cell(grade_id))[0]

    def text(self, grade_id: str = "test_answer") -> str:
        parts = []
        for output in self.cell(grade_id).outputs:
            parts += [output.get("text", ""), *output.get("traceback", [])]
            parts.append(output.get("data", {}).get("text/plain", ""))
        return "\n".join(parts)


Grade = Callable[..., Graded]


@pytest.fixture
def grade(tmp_path: Path) -> Grade:
    """``grade(master cells, submitted cells)``; without the second, the master is handed in."""

    def run(
        master: list[NotebookNode],
        submitted: list[NotebookNode] | None = None,
        seconds: float = 20,
        **surroundings: object,
    ) -> Graded:
        cells = instructor_cells(new_notebook(cells=master))
        tests = {c.grade_id: c.source for c in cells if c.kind == "graded" and c.grade_id}
        notebook = new_notebook(cells=[c.copy() for c in (submitted or master)])
        folder = tmp_path / "submission"
        folder.mkdir(exist_ok=True)
        around = Surroundings(folder, limits=Limits(cell=seconds), **surroundings)  # type: ignore[arg-type]
        return Graded(notebook, grade_notebook(notebook, plan(cells, tests), around))

    return run


@pytest.fixture
def kind(request: pytest.FixtureRequest) -> Iterator[Process]:
    """A process of one kind of sandbox; see kinds.py."""
    process = Process(request.param, LIMITS, data_dot_txt=b"given")
    yield process
    process.sandbox.close()
