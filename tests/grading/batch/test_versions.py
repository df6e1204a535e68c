"""Which of our files two machines must have in common, and which decide what is graded again."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import attention_course
from attention_course.grading.batch import versions


@pytest.mark.parametrize(
    ("file", "in_common", "marks"),
    [
        ("grading/batch/worker.py", True, False),  # defines a Job
        ("grading/distributed.py", True, False),  # defines what a cluster's workers are told
        ("grading/submission.py", True, True),
        ("commands/grade.py", False, False),
        ("grading/review/run.py", False, False),
    ],
)
def test_a_file_that_differs_is_noticed_where_it_matters(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str, in_common: bool, marks: bool
) -> None:
    home = Path(attention_course.__file__).parent
    copy = tmp_path / home.name
    shutil.copytree(home, copy, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(attention_course, "__file__", str(copy / "__init__.py"))
    before = versions.own_code.__wrapped__(), versions.marking_code.__wrapped__()
    with (copy / file).open("a") as changed:
        changed.write("# another checkout\n")
    after = versions.own_code.__wrapped__(), versions.marking_code.__wrapped__()
    assert (before[0] != after[0], before[1] != after[1]) == (in_common, marks)


def test_what_workers_of_a_cluster_are_asked_for_is_the_code_in_common() -> None:
    distributed = pytest.importorskip("attention_course.grading.distributed")
    assert distributed.own_code is versions.own_code
