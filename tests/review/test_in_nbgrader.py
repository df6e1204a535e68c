"""The review in stock nbgrader commands: gradebook, feedback, regrades, and people's marks."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from graded_course import STUDENTS, autograde, numeric, review, rows, run

from attention_course.grading.review.desk import Desk
from attention_course.grading.review.settings import Settings

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def course(released: Path) -> Path:
    """The same course, autograded with nothing at the Ollama address."""
    folder = released.with_name("course")
    shutil.copytree(released, folder)
    (folder / "log").write_text(autograde(folder))
    return folder


@pytest.fixture(scope="module")
def server() -> Iterator[Any]:
    from stand_in_ollama import StandInOllama

    with StandInOllama() as running:
        yield running


@pytest.fixture(scope="module")
def reviewed(course: Path, server: Any) -> Path:
    """The same course after its reviews were worked off with a calibrated stand-in."""
    with Desk(Settings(), course) as desk:
        desk.keep_calibration(server.digest, True, {})
    (course / "review-log").write_text(review(course, "attention", host=server.host))
    return course


def test_with_no_server_the_marks_are_made_and_the_reviews_wait(course: Path) -> None:
    log = (course / "log").read_text()
    assert "2 code-quality reviews of attention wait: no Ollama server answers" in log
    assert "Then: attention-course review attention" in log
    for student in STUDENTS[:2]:
        found = rows(course, student)
        assert all(row["auto"] == 1 for name, row in found.items() if name != "code_quality")
        assert found["code_quality"]["auto"] is None and found["code_quality"]["needs"]


def test_what_was_never_written_needs_no_model(course: Path) -> None:
    row = rows(course, STUDENTS[2])["code_quality"]
    assert (row["auto"], row["needs"]) == (0, False)
    assert "nothing was written here yet" in row["comment"]


def test_the_report_says_which_reviews_wait(course: Path) -> None:
    data = json.loads(run(course, "attention_course.cli", "report", "attention", "--json"))
    quality = next(e for e in data["exercises"] if e["cell"] == "code_quality")
    assert quality["reviews"]["given"] == 1
    waiting = [row for row in data["needs_a_person"] if row["exercise"] == "code_quality"]
    said = {student: row["reason"] for row in waiting for student in row["students"]}
    assert set(said) == set(STUDENTS[:2])
    assert all(reason.startswith("review ") for reason in said.values())


def test_the_numeric_marks_are_those_of_a_run_without_reviews(
    released: Path, course: Path, tmp_path: Path
) -> None:
    without = tmp_path / "course"
    shutil.copytree(released, without)
    config = without / "nbgrader_config.py"
    config.write_text(config.read_text() + "\nc.Review.enabled = False\n")
    log = autograde(without)
    assert "review" not in log.lower() and not (without / "cache").exists()
    assert numeric(without) == numeric(course)
    assert rows(without, STUDENTS[2])["code_quality"]["auto"] is None


def test_points_and_comments_reach_gradebook_and_feedback(reviewed: Path) -> None:
    row = rows(reviewed, STUDENTS[0])["code_quality"]
    assert row["auto"] is not None and 0 < row["auto"] <= 2 and not row["needs"]
    assert row["comment"]
    run(reviewed, "nbgrader", "generate_feedback", "attention", "--force")
    page = (reviewed / "feedback" / STUDENTS[0] / "attention" / "lesson.html").read_text()
    assert row["comment"].split("\n")[0].split(", line")[0] in page
    hostile = (reviewed / "feedback" / STUDENTS[1] / "attention" / "lesson.html").read_text()
    comment = hostile.split("Comments:", 1)[1][:3000]
    assert "<script>alert" not in comment


def test_text_that_speaks_to_its_judge_goes_to_a_person_and_is_not_read_by_the_judge(
    reviewed: Path, server: Any
) -> None:
    row = rows(reviewed, STUDENTS[1])["code_quality"]
    assert row["auto"] is None and row["needs"]
    said = review(reviewed, "show", STUDENTS[1])
    assert "reads like an instruction" in said and "value_aggregation, line 2" in said
    assert "full marks" not in json.dumps([body["messages"][-1] for body in server.chats])


def test_show_prints_how_each_judgement_came_about(reviewed: Path, server: Any) -> None:
    said = review(reviewed, "show", STUDENTS[0], "--full")
    for words in (server.digest, "server 0.32.15", "prompt_eval_count", "1 attempt", '"messages"'):
        assert words in said


def test_a_second_run_asks_nothing_and_changes_nothing(reviewed: Path, server: Any) -> None:
    before = {student: rows(reviewed, student) for student in STUDENTS}
    asked = len(server.chats)
    autograde(reviewed, "--force", host=server.host)
    said = review(reviewed, "attention", host=server.host)
    assert {student: rows(reviewed, student) for student in STUDENTS} == before
    assert len(server.chats) == asked
    assert "still to come" not in said


def test_autograde_itself_goes_on_with_the_reviews_where_a_server_answers(
    released: Path, server: Any, tmp_path: Path
) -> None:
    fresh = tmp_path / "course"
    shutil.copytree(released, fresh)
    log = autograde(fresh, host=server.host)
    assert "All numeric marks are saved. Now qwen2.5-coder:7b reads 2 code-quality reviews" in log
    assert "attention: 2 reviewed with" in log
    with Desk(Settings(), fresh) as desk:
        assert {desk.standing(job).state for job in desk.jobs("attention")[:1]} == {"proposed"}


def test_a_person_s_mark_and_comment_win_and_survive_a_regrade(reviewed: Path, server: Any) -> None:
    from nbgrader.api import Gradebook

    where = ("code_quality", "lesson", "attention", STUDENTS[0])
    with Gradebook(f"sqlite:///{reviewed / 'gradebook.db'}") as gradebook:
        grade = gradebook.find_grade(*where)
        grade.manual_score, grade.needs_manual_grade = 0.5, False  # as formgrader does
        gradebook.find_comment(*where).manual_comment = "Talk to me."
        gradebook.db.commit()
    autograde(reviewed, "--force", "--student", STUDENTS[0], host=server.host)
    review(reviewed, "attention", host=server.host)
    with Gradebook(f"sqlite:///{reviewed / 'gradebook.db'}") as gradebook:
        grade, comment = gradebook.find_grade(*where), gradebook.find_comment(*where)
        assert (grade.score, grade.manual_score) == (0.5, 0.5)
        assert not grade.needs_manual_grade
        assert comment.comment == "Talk to me."


def test_a_lost_review_file_is_made_again_from_the_autograded_notebooks(
    reviewed: Path, server: Any, tmp_path: Path
) -> None:
    copy = tmp_path / "course"
    shutil.copytree(reviewed, copy, ignore=shutil.ignore_patterns("cache"))
    said = review(copy, "attention", host=server.host)
    assert "2 reviewed with" in said
    with Desk(Settings(), copy) as desk:
        assert len(desk.jobs("attention")) == len(STUDENTS)


def test_a_review_file_that_cannot_be_read_costs_no_marks(
    released: Path, course: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "course"
    shutil.copytree(released, broken)
    (broken / "cache").mkdir()
    (broken / "cache" / "reviews.db").write_text("no database" * 200)
    log = autograde(broken)
    assert "the code-quality review was not prepared" in log and "Move it away" in log
    assert numeric(broken) == numeric(course)
