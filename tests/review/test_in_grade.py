"""``attention-course grade`` in a course that asks for reviews: marks first, whatever answers."""

from __future__ import annotations

import json
import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from graded_course import STUDENTS, numeric, review, rows, run

from attention_course.grading.review.desk import Desk
from attention_course.grading.review.settings import Settings

pytestmark = pytest.mark.slow

Grade = Callable[..., tuple[Path, str]]
QUICK = "\nc.Review.connect_timeout = 0.5\nc.Review.answer_timeout = 0.5\n"


@pytest.fixture
def grade(released: Path, tmp_path: Path) -> Grade:
    """``grade(host, configuration, calibrated=digest)``: the course, graded, and what was said."""

    def graded(host: str, configuration: str = "", calibrated: str = "") -> tuple[Path, str]:
        course = tmp_path / "course"
        shutil.copytree(released, course)
        with (course / "nbgrader_config.py").open("a") as config:
            config.write(configuration)
        if calibrated:
            with Desk(Settings(), course) as desk:
                desk.keep_calibration(calibrated, True, {})
        program = ("attention_course.cli", "grade", "attention", "--workers", "1")
        return course, run(course, *program, host=host)

    return graded


@pytest.fixture(scope="module")
def without(released: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The numeric marks of a run without reviews."""
    course = tmp_path_factory.mktemp("without") / "course"
    shutil.copytree(released, course)
    with (course / "nbgrader_config.py").open("a") as config:
        config.write("\nc.Review.enabled = False\n")
    said = run(course, "attention_course.cli", "grade", "attention", "--workers", "1")
    assert "review" not in said and not (course / "cache").exists()
    return numeric(course)


class SilentPort:
    """Takes connections on a free port, counts them, and never says a word."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.host = f"127.0.0.1:{self.listener.getsockname()[1]}"
        self.taken: list[socket.socket] = []
        self.thread = threading.Thread(target=self._take, daemon=True)
        self.thread.start()

    def _take(self) -> None:
        while True:
            try:
                self.taken.append(self.listener.accept()[0])
            except OSError:
                return

    def close(self) -> None:
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join(5)
        for connection in self.taken:
            connection.close()


@pytest.fixture
def silent() -> Iterator[SilentPort]:
    port = SilentPort()
    yield port
    port.close()


def expect_pending(course: Path, said: str, why: str) -> None:
    assert "code-quality review" in said and why in said
    assert "attention-course review attention" in said
    for student in STUDENTS[:2]:
        row = rows(course, student)["code_quality"]
        assert row["auto"] is None and row["needs"]
    data = json.loads(run(course, "attention_course.cli", "report", "attention", "--json"))
    quality = next(e for e in data["exercises"] if e["cell"] == "code_quality")
    assert quality["reviews"] == {"given": 1, "pending": 2}
    reasons = {r["reason"] for r in data["needs_a_person"] if r["exercise"] == "code_quality"}
    assert reasons and all(why in reason for reason in reasons)


def test_where_a_server_answers_reviews_reach_gradebook_report_and_feedback(
    grade: Grade, without: dict[str, Any], stand_in: Callable[..., Any]
) -> None:
    server = stand_in()
    course, said = grade(server.host, calibrated=server.digest)
    assert "All numeric marks are saved. Now qwen2.5-coder:7b reads 2 code-quality reviews" in said
    assert numeric(course) == without, "the review changes no mark but its own"
    row = rows(course, STUDENTS[0])["code_quality"]
    assert row["auto"] and row["auto"] <= 2 and not row["needs"] and row["comment"]
    hostile = rows(course, STUDENTS[1])["code_quality"]
    assert hostile["auto"] is None and hostile["needs"]

    data = json.loads(run(course, "attention_course.cli", "report", "attention", "--json"))
    quality = next(e for e in data["exercises"] if e["cell"] == "code_quality")
    assert quality["reviews"] == {"given": 2, "for a person": 1}
    run(course, "nbgrader", "generate_feedback", "attention")
    page = (course / "feedback" / STUDENTS[0] / "attention" / "lesson.html").read_text()
    assert row["comment"].split("\n")[0] in page

    asked = len(server.chats)
    again = run(course, "attention_course.cli", "grade", "attention", "--force", host=server.host)
    assert len(server.chats) == asked and "reads" not in again
    assert rows(course, STUDENTS[0])["code_quality"] == row


def test_with_nothing_at_the_address_the_marks_are_the_same_and_the_reviews_wait(
    grade: Grade, without: dict[str, Any], stand_in: Callable[..., Any]
) -> None:
    server = stand_in()
    server.close()
    course, said = grade(server.host)
    assert numeric(course) == without and server.requests == []
    expect_pending(course, said, "no Ollama server answers")

    later = stand_in()
    assert "2 reviewed with" in review(course, "attention", host=later.host)
    assert numeric(course) == without


def test_a_port_that_takes_connections_and_says_nothing_is_waited_for_once(
    grade: Grade, without: dict[str, Any], silent: SilentPort
) -> None:
    """One connection for the whole class, given up after c.Review.connect_timeout."""
    course, said = grade(silent.host, QUICK)
    assert numeric(course) == without
    assert len(silent.taken) == 1
    expect_pending(course, said, "did not answer in time")


def test_a_server_that_never_finishes_an_answer_is_given_up_after_two(
    grade: Grade, without: dict[str, Any], stand_in: Callable[..., Any]
) -> None:
    """Each waits for c.Review.answer_timeout; what timed out is not asked again in this run."""
    server = stand_in(script=["black_hole"] * 20)
    course, said = grade(server.host, QUICK)
    assert numeric(course) == without
    assert len(server.chats) == 2
    expect_pending(course, said, "did not answer in time")
