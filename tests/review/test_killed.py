"""A review that is killed at any moment: afterwards each review is there exactly once."""

from __future__ import annotations

import random
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from attention_course.grading.review.desk import Desk
from attention_course.grading.review.queue import Place
from attention_course.grading.review.settings import Settings
from attention_course.grading.review.submitted import Submitted

Start = Callable[..., Any]
Class = Callable[..., list[Submitted]]

# What `attention-course review attention` does, less the reading of a course's folder.
PROGRAM = """
import sys
from pathlib import Path
from traitlets.config import Config
from attention_course.grading.review.client import Reviewer
from attention_course.grading.review.desk import Desk
from attention_course.grading.review.gradebook import GradebookWriter
from attention_course.grading.review.settings import Settings

root, host = Path(sys.argv[1]), sys.argv[2]
settings = Settings(host=host)
writer = GradebookWriter(f"sqlite:///{root}/gradebook.db", settings.cell, Config())
with Desk(settings, root) as desk, Reviewer(settings) as reviewer:
    desk.work_off("attention", reviewer, writer.write)
    print(desk.waiting(["attention"]))
"""


def make_gradebook(root: Path, students: list[str]) -> None:
    """A gradebook with a submission of each student and the task cell that is reviewed."""
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{root}/gradebook.db") as gradebook:
        gradebook.add_assignment("attention")
        gradebook.add_notebook("lesson", "attention")
        gradebook.add_task_cell(
            "code_quality", "lesson", "attention", max_score=2, cell_type="markdown"
        )
        for student in students:
            gradebook.add_student(student)
            gradebook.add_submission("attention", student)


def start(root: Path, host: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(root), host], stdout=subprocess.PIPE, text=True
    )


def kill_and_go_on(
    root: Path, submissions: list[Submitted], stand_in: Start, kills: int
) -> tuple[int, int]:
    """Kill a review ``kills`` times at random, let one end, and check the outcome.

    Returns how many chats there were, and how many different ones were needed.
    """
    students = [f"student-{number:02}" for number in range(1, len(submissions) + 1)]
    make_gradebook(root, students)
    server = stand_in()
    with Desk(Settings(), root) as desk:
        desk.keep_calibration(server.digest, True, {})
        for student, submitted in zip(students, submissions, strict=True):
            desk.take(Place("attention", student, "lesson"), submitted)
    rng = random.Random(11)
    answer = server.judge
    armed = threading.Event()
    victim: list[subprocess.Popen[str]] = []

    def judge(body: dict[str, Any]) -> Any:
        # Some kills come while the model still thinks, some a moment after it answered.
        if not armed.is_set() and rng.random() < 0.15:
            armed.set()
            threading.Timer(rng.choice((0.0, rng.uniform(0, 0.08))), victim[-1].kill).start()
        return answer(body)

    for _ in range(kills):
        armed.clear()
        server.judge = judge
        victim.append(start(root, server.host))
        victim[-1].communicate(timeout=120)
        assert victim[-1].returncode in (-signal.SIGKILL, 0)
    server.judge = answer
    last = start(root, server.host)
    said, _ = last.communicate(timeout=300)
    assert (last.returncode, said.strip()) == (0, "0")

    killed = sum(process.returncode == -signal.SIGKILL for process in victim)
    assert killed >= kills - 1, "there was work left to be killed in"
    with sqlite3.connect(root / "cache" / "reviews.db") as connection:
        rows = connection.execute("SELECT student, state, applied_times FROM reviews").fetchall()
        stored = connection.execute("SELECT COUNT(*) FROM answers").fetchone()[0]
    assert sorted(rows) == [(student, "done", 1) for student in students]
    check_gradebook(root, students)
    return len(server.chats), stored


def check_gradebook(root: Path, students: list[str]) -> None:
    from nbgrader.api import Gradebook

    with Desk(Settings(), root) as desk:
        expected = {job.place.student: desk.standing(job) for job in desk.jobs("attention")}
    with Gradebook(f"sqlite:///{root}/gradebook.db") as gradebook:
        for student in students:
            where = ("code_quality", "lesson", "attention", student)
            grade, comment = gradebook.find_grade(*where), gradebook.find_comment(*where)
            assert grade.auto_score == expected[student].score is not None
            assert not grade.needs_manual_grade and grade.manual_score is None
            assert comment.auto_comment == expected[student].comment


def test_a_review_that_was_killed_goes_on_where_it_was(
    tmp_path: Path, a_class: Class, stand_in: Start
) -> None:
    chats, stored = kill_and_go_on(tmp_path, a_class(6, exponent=0), stand_in, kills=2)
    assert stored <= chats <= stored + 2, "at most the answer under way is asked for again"


@pytest.mark.slow
def test_after_ten_kills_of_thirty_submissions_each_review_is_there_once(
    tmp_path: Path, a_class: Class, stand_in: Start
) -> None:
    chats, stored = kill_and_go_on(tmp_path, a_class(30, exponent=0.8), stand_in, kills=10)
    print(f"{chats} calls for {stored} answers over ten kills")
    assert stored <= chats <= stored + 10
