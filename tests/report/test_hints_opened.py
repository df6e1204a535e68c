"""How far students went through the hints: read from their own files, believed in nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from attention_course.grading.hints_opened import LARGEST_FILE, hints_opened
from attention_course.grading.report import render, summarise
from attention_course.progress import progress_path, record_hint

SCORES = {"test_attention_scores": 1.0, "test_attention_weights": 0.0, "code_quality": None}


def test_the_furthest_tier_of_each_exercise_is_read(tmp_path: Path) -> None:
    record_hint("attention", "attention_scores", 2, 1, folder=tmp_path)
    record_hint("attention", "attention_scores", 1, 1, folder=tmp_path)
    record_hint("attention_basics", "scores", 3, 1, folder=tmp_path)
    assert hints_opened(tmp_path, "attention") == {"attention_scores": 2}


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[1]", b"\xff\xfe", b'{"assignments": {"attention": 3}}', b"[" * 100_000],
)
def test_a_file_that_is_no_progress_counts_as_none(tmp_path: Path, content: bytes) -> None:
    progress_path(tmp_path).parent.mkdir()
    progress_path(tmp_path).write_bytes(content)
    assert hints_opened(tmp_path, "attention") == {}


def test_a_file_of_any_size_is_not_read(tmp_path: Path) -> None:
    record_hint("attention", "attention_scores", 2, 1, folder=tmp_path)
    path = progress_path(tmp_path)
    path.write_text(path.read_text() + " " * LARGEST_FILE)
    assert hints_opened(tmp_path, "attention") == {}


def test_a_link_out_of_the_submission_is_not_followed(tmp_path: Path) -> None:
    record_hint("attention", "attention_scores", 2, 1, folder=tmp_path / "elsewhere")
    submitted = tmp_path / "submitted"
    submitted.mkdir()
    (submitted / "progress").symlink_to(tmp_path / "elsewhere" / "progress")
    assert hints_opened(submitted, "attention") == {}


def test_a_tier_that_does_not_exist_is_not_believed(tmp_path: Path) -> None:
    record_hint("attention", "attention_scores", 2, 1, folder=tmp_path)
    path = progress_path(tmp_path)
    progress = json.loads(path.read_text())
    exercise = progress["assignments"]["attention"]["exercises"]["attention_scores"]
    exercise["hint_tiers_opened"] = 99
    path.write_text(json.dumps(progress))
    assert hints_opened(tmp_path, "attention") == {}


def test_no_submitted_folder_is_no_hint() -> None:
    assert hints_opened(None, "attention") == {}


def test_the_report_says_how_many_went_how_far(made_up_class: Callable) -> None:
    made_up = made_up_class()
    made_up.add({f"student-0{n}": SCORES for n in (1, 2, 3)})
    for student, tier in (("student-01", 1), ("student-02", 3)):
        record_hint("attention", "attention_scores", tier, 1, folder=made_up.submitted[student])
    summary = summarise(made_up.results())
    exercise = next(one for one in summary["exercises"] if one["cell"] == "test_attention_scores")
    assert exercise["hints_opened"] == {"1": 1, "3": 1}
    assert [one["hint_tiers"] for one in summary["students"]] == [
        {"attention_scores": 1},
        {"attention_scores": 3},
        {},
    ]
    assert "Hints opened: 1 to tier 1, 1 to tier 3" in render(summary)
