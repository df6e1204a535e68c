"""A cluster's workers grade, one writer puts it on the server: the gradebook of one machine."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from ..grading.batch.clusters import cluster
from .contents import contents, run

pytestmark = [pytest.mark.slow, pytest.mark.postgres]


def test_a_cluster_into_postgresql_is_one_process_into_sqlite(
    course: Any, small_courses: Any, tmp_path: Path
) -> None:
    alone = type(course)(Path(shutil.copytree(course.root, tmp_path / "alone")))
    alone.use(f"sqlite:///{alone.root / 'gradebook.db'}")
    small_courses.generate(alone.root, p1=small_courses.master())
    for one in (course, alone):
        one.hand_in("student-01", timestamp="2026-01-11 12:00:00 CET")
        one.hand_in("student-02", small_courses.WRONG)
        one.hand_in("student-03", small_courses.PARTLY)
        one.hand_in("student-04", {"double": "def double("})
        one.hand_in_text("student-05", "no JSON")
    with cluster(tmp_path / "cluster", 2) as started:
        done = run(
            course.root, "attention_course.cli", "grade", "ps1", "--scheduler", started.address
        )
    assert done.returncode == 1 and "5 graded" in done.stdout, done.stderr
    alone.grade()
    assert contents(course.url, course.root / "source") == contents(
        alone.url, alone.root / "source"
    )
