"""Everybody grades two students; stock's marks and ours are those that the answers deserve."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from benchmarks.grading.classes import PreparedClass
    from benchmarks.grading.contestants import Contestant

pytestmark = pytest.mark.slow

Pair = tuple["PreparedClass", "PreparedClass"]


def everybody(pair: Pair, scratch: Path) -> dict[str, Contestant]:
    from benchmarks.grading.contestants import contestants

    ours, stock = pair
    return {found.key: found for found in contestants(ours, stock, stock, None, scratch)}


@pytest.mark.parametrize("key", ["stock", "plugins", "grade-1", "floor"])
def test_each_way_of_grading_gives_the_marks_that_the_answers_deserve(
    pair: Pair, tmp_path: Path, key: str
) -> None:
    graded = everybody(pair, tmp_path)[key].grade(1)
    assert graded.agreement.differing == ()
    assert graded.agreement.right == 10  # five exercises of two students, all right
    assert graded.run.students == len(graded.run.landed_s) == 2
    assert 0 < graded.run.landed_s[0] < graded.run.landed_s[1] <= graded.run.wall_s


def test_a_smaller_class_is_graded_where_fewer_are_asked_for(pair: Pair, tmp_path: Path) -> None:
    floor = everybody(pair, tmp_path)["floor"]
    assert floor.grade(1, most=1).run.students == 1
    assert floor.grade(1).run.students == 2


def test_the_milliseconds_of_the_engine_and_of_the_floor_are_told_part_by_part(
    pair: Pair, tmp_path: Path
) -> None:
    from benchmarks.grading.phases import phases
    from benchmarks.grading.session import Options

    found = phases(Options(students=2), pair[0], tmp_path, {"grade-1": 1e6})
    engine = {part["name"]: part["ms"] for part in found["engine"]}
    assert set(engine) == {
        "a sandboxed fork",
        "student's cells",
        "calls for the checks",
        "checks",
        "reading and rebuilding",
        "nbgrader's steps",
        "writing the notebook",
        "files and the end",
        "one writer and the pool",
    }
    assert all(ms > 0 for ms in engine.values())
    assert sum(engine.values()) == pytest.approx(1e6, rel=1e-3)
    assert [part["name"] for part in found["floor"]] == ["the fork", "student's cells", "checks"]
    assert found["exchanges"] > 20


def test_a_class_that_nothing_changed_in_keeps_its_marks_when_it_is_graded_again(
    pair: Pair, tmp_path: Path
) -> None:
    from benchmarks.grading.regrade import regrade
    from benchmarks.grading.session import Options

    found = regrade(Options(many=2), pair[0], tmp_path)
    assert found["students"] == 2
    assert found["unchanged_s"]["median"] < found["first_s"]
