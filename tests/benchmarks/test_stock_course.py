"""Stock nbgrader's course is the real lesson with nothing of ours in it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest


@pytest.fixture
def master(repository_root: Path) -> dict:
    return json.loads((repository_root / "source/attention/lesson.ipynb").read_text())


def code(notebook: dict) -> list[str]:
    return ["".join(c["source"]) for c in notebook["cells"] if c["cell_type"] == "code"]


def graded(notebook: dict, key: str) -> dict[str, dict]:
    cells = [cell["metadata"].get("nbgrader", {}) for cell in notebook["cells"]]
    return {data["grade_id"]: data for data in cells if data.get(key)}


def test_no_code_cell_names_our_package_or_its_helpers(master: dict) -> None:
    from benchmarks.grading.stock_course import stock_master

    sources = code(stock_master(master))
    assert sources
    for word in ("attention_course", "needs(", "check.", "views.", "verify("):
        assert [source for source in sources if word in source] == []


def test_every_cell_is_python_that_compiles(master: dict) -> None:
    from benchmarks.grading.stock_course import stock_master

    for source in code(stock_master(master)):
        compile(source, "<cell>", "exec")


def test_points_and_student_cells_are_those_of_the_lesson(master: dict) -> None:
    from benchmarks.grading.stock_course import stock_master

    stock = stock_master(master)
    assert graded(stock, "grade") == graded(master, "grade")
    assert graded(stock, "solution") == graded(master, "solution")


def test_demonstrations_are_kept_where_they_are_asked_for(master: dict) -> None:
    from benchmarks.grading.stock_course import stock_master

    kept = code(stock_master(master, demonstrations=True))
    assert len(kept) == len(code(master))
    assert any("views.heatmap" in source for source in kept)
    assert not any("check.attention" in source for source in kept)
