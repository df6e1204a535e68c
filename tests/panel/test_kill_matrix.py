"""The kill matrix: every answer is caught, every check earns its place, the page is current."""

from __future__ import annotations

from pathlib import Path

import pytest

from attention_course.checks import EXERCISES
from attention_course.checks.properties import checks_of
from attention_course.panel import BASICS, PANEL, KnownAnswer
from attention_course.panel.kill_matrix import (
    CANNOT,
    STOPS,
    kill_matrix,
    render,
    row_of,
    write_kill_matrix,
)

PAGE = Path(__file__).parents[2] / "docs" / "kill-matrix.md"


@pytest.fixture(name="matrix", scope="module")
def _matrix():
    return kill_matrix()


def test_every_wrong_answer_has_a_row(matrix):
    rows = [row.answer for group in matrix.values() for row in group]
    assert rows == [answer for answer in PANEL if not answer.right]


def test_every_wrong_answer_is_caught_by_a_check(matrix):
    survivors = [row.answer.name for group in matrix.values() for row in group if not row.caught]
    assert survivors == []


def test_at_least_95_in_100_are_named_rightly(matrix):
    rows = [row for group in matrix.values() for row in group if row.answer.misconceptions]
    missed = [f"{row.answer.exercise}: {row.answer.name}" for row in rows if not row.named_rightly]
    assert len(missed) <= 0.05 * len(rows), missed


def test_the_judge_stops_at_the_first_check_that_catches(matrix):
    for name, group in matrix.items():
        if name == "output":
            continue
        for row in group:
            caught = [mark for mark in row.marks if mark not in ("", CANNOT)]
            assert caught[:1] == [STOPS] and caught.count(STOPS) == 1, row.answer.name


def test_every_check_that_can_cost_a_mark_catches_an_answer(matrix):
    """One that only says something is the exception: it is called handles_any_batch."""
    idle = {
        check.__name__
        for name, group in matrix.items()
        if name != "output"
        for place, check in enumerate(checks_of(name))
        if all(row.marks[place] in ("", CANNOT) for row in group)
    }
    assert idle <= {"handles_any_batch"}


def test_a_class_loses_exactly_the_exercises_that_the_panel_says(matrix):
    wrong = {}
    for row in matrix["output"]:
        lost = {name for name, mark in zip(BASICS, row.marks, strict=True) if mark == STOPS}
        if lost != set(row.answer.fails):
            wrong[row.answer.name] = (sorted(row.answer.fails), sorted(lost))
    assert wrong == {}


def test_the_published_page_is_current(matrix):
    assert PAGE.read_text(encoding="utf-8") == render(matrix), (
        "docs/kill-matrix.md is out of date. Write it again: attention-course kill-matrix"
    )


def test_the_page_is_the_same_at_every_call(tmp_path, matrix):
    page = write_kill_matrix(tmp_path / "new" / "kill-matrix.md")
    assert page.read_text(encoding="utf-8") == render(matrix)


def test_an_answer_that_nothing_catches_would_show(tmp_path):
    right = next(a for a in PANEL if a.right and a.exercise == "attention_scores")
    pretended = KnownAnswer("attention_scores", "pretended", right.source, right=False)
    row = row_of(pretended)
    assert not row.caught and row.verdicts[0].passed
    assert EXERCISES[right.exercise].points == row.verdicts[0].points
