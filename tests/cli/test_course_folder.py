"""What the commands guess of a course's folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from attention_course.commands.course_folder import looks_ungraded


def folder(place: Path, time: int) -> None:
    place.mkdir(parents=True)
    os.utime(place, (time, time))


@pytest.mark.parametrize(
    ("handed_in", "graded", "looks"),
    [
        ({}, {}, False),
        ({"student-01": 5}, {}, True),
        ({"student-01": 5}, {"student-01": 9}, False),
        ({"student-01": 5}, {"student-01": 5}, False),
        ({"student-01": 5, "student-02": 9}, {"student-01": 6, "student-02": 8}, True),
    ],
)
def test_a_submission_newer_than_its_grading_looks_ungraded(
    tmp_path: Path, handed_in: dict[str, int], graded: dict[str, int], looks: bool
) -> None:
    (tmp_path / "submitted").mkdir()
    folder(tmp_path / "submitted" / "student-09" / "another", 99)
    for student, time in handed_in.items():
        folder(tmp_path / "submitted" / student / "ps1", time)
    for student, time in graded.items():
        folder(tmp_path / "autograded" / student / "ps1", time)
    assert looks_ungraded(tmp_path, ["--workers", "2", "ps1"]) is looks


def test_where_submissions_lie_elsewhere_it_cannot_tell(tmp_path: Path) -> None:
    assert looks_ungraded(tmp_path, ["ps1"])
