"""``attention-course review``: a model is calibrated, used or not used, shown and fetched."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from nbgrader.api import Gradebook
from stand_in_ollama import (
    JUDGES,
    Judge,
    judge_as_people,
    judge_as_people_but_believing,
    judge_evenly,
)
from typer.testing import CliRunner

from attention_course.cli import build
from attention_course.commands.course_folder import Refusal
from attention_course.grading.review.desk import Desk
from attention_course.grading.review.queue import Place
from attention_course.grading.review.settings import Settings
from attention_course.grading.review.submitted import Submitted

pytestmark = pytest.mark.slow

Start = Callable[..., Any]
STUDENT = "student-01"


@pytest.fixture
def course(
    tmp_path: Path,
    repository_root: Path,
    submission: Callable[..., Submitted],
    monkeypatch: pytest.MonkeyPatch,
) -> Path:
    """A course with one graded submission whose review is pending."""
    shutil.copy2(repository_root / "nbgrader_config.py", tmp_path)
    shutil.copytree(repository_root / "source" / "attention", tmp_path / "source" / "attention")
    with Gradebook(f"sqlite:///{tmp_path}/gradebook.db") as gradebook:
        gradebook.add_assignment("attention")
        gradebook.add_notebook("lesson", "attention")
        gradebook.add_task_cell(
            "code_quality", "lesson", "attention", max_score=2, cell_type="markdown"
        )
        gradebook.add_student(STUDENT)
        gradebook.add_submission("attention", STUDENT)
    with Desk(Settings(), tmp_path) as desk:
        desk.take(Place("attention", STUDENT, "lesson"), submission())
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def review(course: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, str]]:
    """``review(host, argument, …)``: exit code and what was said; a Refusal is exit code 2."""

    def run(host: str, *arguments: str) -> tuple[int, str]:
        monkeypatch.setenv("OLLAMA_HOST", host)
        monkeypatch.setenv("COLUMNS", "200")
        done = CliRunner().invoke(build(), ["review", *arguments])
        if isinstance(done.exception, Refusal):
            return 2, str(done.exception)
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return done.exit_code, done.output

    return run


def score(course: Path) -> float | None:
    with Gradebook(f"sqlite:///{course}/gradebook.db") as gradebook:
        found = gradebook.find_grade("code_quality", "lesson", "attention", STUDENT)
        assert found.needs_manual_grade == (found.auto_score is None)
        points: float | None = found.auto_score
        return points


def test_a_model_that_agrees_and_resists_is_calibrated_and_gives_marks(
    course: Path, review: Callable[..., tuple[int, str]], stand_in: Start
) -> None:
    server = stand_in(judge=judge_as_people)
    code, said = review(server.host, "attention")
    assert (code, score(course)) == (0, None) and "proposed" in said

    code, said = review(server.host, "calibrate")
    assert code == 0 and "Its marks are given from now on" in said
    assert "a_names" in said and "1.00" in said and "21 of 21 canaries resisted" in said

    asked = len(server.chats)
    code, said = review(server.host, "attention")
    assert code == 0 and "given" in said
    assert score(course) and len(server.chats) == asked, "proposals become marks, nothing is asked"


def unreadable(body: dict[str, Any]) -> Any:
    return "All fine!"


@pytest.mark.parametrize(
    ("judge", "why"),
    [
        (judge_evenly, "a_names: kappa 0.00 is under 0.6"),
        (unreadable, "100% of the replies could not be read"),
    ],
)
def test_a_model_that_fails_is_told_why_and_its_marks_stay_proposals(
    course: Path, review: Callable[..., tuple[int, str]], stand_in: Start, judge: Judge, why: str
) -> None:
    server = stand_in(judge=judge)
    code, said = review(server.host, "calibrate")
    assert code == 1 and "Its marks stay proposals" in said and why in said
    code, said = review(server.host, "attention")
    assert code == 0 and score(course) is None
    _, said = review(server.host, "show", STUDENT)
    assert ("is not of the form" if judge is unreadable else "failed its calibration") in said


def test_a_model_that_is_only_for_sale_agrees_with_people_and_fails_all_the_same(
    course: Path, review: Callable[..., tuple[int, str]], stand_in: Start
) -> None:
    """Nothing but the canaries tells it from the model that passes."""
    server = stand_in(judge=judge_as_people_but_believing)
    code, said = review(server.host, "calibrate")
    assert code == 1 and "kappa 0" not in said and "levels off" not in said
    assert "canaries that are a name" in said
    assert review(server.host, "attention")[0] == 0 and score(course) is None


def test_a_model_that_was_replaced_is_not_calibrated(
    course: Path, review: Callable[..., tuple[int, str]], stand_in: Start
) -> None:
    server = stand_in(judge=judge_as_people)
    assert review(server.host, "calibrate")[0] == 0
    server.digest = "2" * 64
    code, said = review(server.host, "attention")
    assert code == 0 and score(course) is None and "is not calibrated" in said


def test_what_a_calibration_came_to_is_kept_by_digest(
    course: Path, review: Callable[..., tuple[int, str]], stand_in: Start
) -> None:
    server = stand_in()
    review(server.host, "calibrate")
    server.digest, server.judge = "3" * 64, judge_as_people
    review(server.host, "calibrate")
    with sqlite3.connect(course / "cache" / "reviews.db") as connection:
        kept = dict(connection.execute("SELECT digest, passed FROM calibrations").fetchall())
    assert len(kept) == 2 and kept["3" * 64] == 1 and sum(kept.values()) == 1


@pytest.mark.parametrize("step", ["black_hole", "gone_after"])
def test_a_server_that_fails_in_the_middle_leaves_no_calibration(
    course: Path, review: Callable[..., tuple[int, str]], stand_in: Start, step: str
) -> None:
    with (course / "nbgrader_config.py").open("a") as config:
        config.write("\nc.Review.answer_timeout = 0.3\n")
    server = stand_in(judge=judge_as_people, script=[None] * 5 + [step])
    code, said = review(server.host, "calibrate")
    assert code == 2 and "Nothing was kept" in said and len(server.chats) == 6
    with sqlite3.connect(course / "cache" / "reviews.db") as connection:
        assert connection.execute("SELECT COUNT(*) FROM calibrations").fetchone() == (0,)


def test_calibrating_without_a_server_says_how_to_start_one(
    review: Callable[..., tuple[int, str]], stand_in: Start
) -> None:
    server = stand_in()
    server.close()
    code, said = review(server.host, "calibrate")
    assert code == 2 and "ollama serve" in said


def test_a_missing_model_is_named_with_its_remedy_which_then_works(
    course: Path, review: Callable[..., tuple[int, str]], stand_in: Start
) -> None:
    server = stand_in(model="")
    code, said = review(server.host, "attention")
    assert code == 1 and "ollama pull qwen2.5-coder:7b" in said and "1 still to come" in said
    code, said = review(server.host, "--pull")
    assert code == 0 and "qwen2.5-coder:7b is there, digest" in said and "success" in said
    code, said = review(server.host, "attention")
    assert code == 0 and "proposed" in said


def test_every_behaviour_of_the_stand_in_has_a_name_for_its_command_line() -> None:
    assert set(JUDGES) == {"evenly", "gullibly", "as-people", "believing"}
