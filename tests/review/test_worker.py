"""Working off the queue: what is asked, what is replayed, what waits, what goes to a person."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from attention_course.grading.review.client import Reviewer
from attention_course.grading.review.desk import Desk
from attention_course.grading.review.provenance import provenance_of
from attention_course.grading.review.queue import Place
from attention_course.grading.review.settings import Settings
from attention_course.grading.review.standing import Standing
from attention_course.grading.review.submitted import Submitted

Start = Callable[..., Any]
Make = Callable[..., Reviewer]
Submit = Callable[..., Submitted]
Class = Callable[..., list[Submitted]]


def place(number: int = 1) -> Place:
    return Place("attention", f"student-{number:03}", "lesson")


class Book:
    """Holds what a gradebook would be told, and how often."""

    def __init__(self) -> None:
        self.rows: dict[Place, Standing] = {}
        self.writes = 0

    def write(self, where: Place, said: Standing) -> bool:
        self.rows[where] = said
        self.writes += 1
        return True


@pytest.fixture
def book() -> Book:
    return Book()


def take(desk: Desk, submissions: list[Submitted]) -> None:
    for number, submitted in enumerate(submissions, 1):
        desk.take(place(number), submitted)


def calibrate(desk: Desk, digest: str, passed: bool = True) -> None:
    desk.keep_calibration(digest, passed, {})


def test_a_submission_waits_with_what_is_computed_until_a_model_judges(
    tmp_path: Path, submission: Submit, stand_in: Start, reviewer: Make, book: Book
) -> None:
    server = stand_in()
    with Desk(Settings(), tmp_path) as desk:
        said = desk.take(place(), submission())
        assert (said.state, said.score, said.needs_person) == ("pending", None, True)
        calibrate(desk, server.digest)
        tally = desk.work_off("attention", reviewer(server), book.write)
    assert tally.reviewed == 1 and tally.stopped == ""
    said = book.rows[place()]
    assert said.state == "given"
    assert said.score is not None and 0 < said.score <= 2
    assert said.comment


def test_a_regrade_replays_and_asks_nothing_with_the_server_gone(
    tmp_path: Path, submission: Submit, stand_in: Start, reviewer: Make, book: Book
) -> None:
    server = stand_in()
    with Desk(Settings(), tmp_path) as desk:
        calibrate(desk, server.digest)
        desk.take(place(), submission())
        desk.work_off("attention", reviewer(server), book.write)
    server.close()
    asked = len(server.chats)
    with Desk(Settings(), tmp_path) as desk:
        assert desk.take(place(), submission()) == book.rows[place()]
    assert len(server.chats) == asked


def test_the_points_are_the_task_cell_s_and_the_share_is_the_model_s(
    tmp_path: Path, submission: Submit, stand_in: Start, reviewer: Make
) -> None:
    proposed = {}
    for share in (0.0, 0.5, 1.0):
        server, book = stand_in(), Book()
        with Desk(Settings(share=share), tmp_path / str(share)) as desk:
            calibrate(desk, server.digest)
            said = desk.take(place(), submission())
            if share:
                desk.work_off("attention", reviewer(server), book.write)
                said = book.rows[place()]
            proposed[share] = said.score
        assert bool(server.chats) == bool(share), "at 0 no model is asked"
    assert proposed[1.0] == pytest.approx(1.6, abs=0.25), "4 of 5 on every criterion"
    low, high = sorted((proposed[0.0], proposed[1.0]))
    assert low - 0.25 <= proposed[0.5] <= high + 0.25


def test_marks_of_a_model_that_is_not_calibrated_are_proposals(
    tmp_path: Path, submission: Submit, stand_in: Start, reviewer: Make, book: Book
) -> None:
    server = stand_in()
    with Desk(Settings(), tmp_path) as desk:
        desk.take(place(), submission())
        desk.work_off("attention", reviewer(server), book.write)
        said = book.rows[place()]
        assert (said.state, said.score) == ("proposed", None)
        assert said.proposed is not None and "is not calibrated" in said.why
        assert "roposed" not in said.comment, "students read the comment"

        calibrate(desk, server.digest, passed=False)
        (job,) = desk.jobs("attention")
        assert "failed its calibration" in desk.standing(job).why

        asked = len(server.chats)
        calibrate(desk, server.digest)
        assert desk.apply_finished("attention", book.write) == 1
        assert book.rows[place()].score == said.proposed
        assert len(server.chats) == asked
        assert desk.apply_finished("attention", book.write) == 0


def test_a_server_that_goes_halfway_leaves_the_rest_pending(
    tmp_path: Path, a_class: Class, stand_in: Start, reviewer: Make, book: Book
) -> None:
    server = stand_in(script=[None] * 12 + ["gone_after"])
    with Desk(Settings(), tmp_path) as desk:
        take(desk, a_class(8, exponent=0))
        tally = desk.work_off("attention", reviewer(server), book.write)
        assert 0 < tally.reviewed < 8
        assert desk.waiting(["attention"]) == 8 - tally.reviewed
        assert "no Ollama server answers" in tally.stopped
        reasons = {job.reason for job in desk.jobs("attention") if not job.finished}
        assert any("server" in reason for reason in reasons)

        again = stand_in()
        more = desk.work_off("attention", reviewer(again), book.write)
        assert more.reviewed == 8 - tally.reviewed and desk.waiting(["attention"]) == 0
    assert book.writes == 8
    both = [str(body["messages"]) for body in server.chats[:12] + again.chats]
    assert len(both) == len(set(both)), "what was answered before is not asked again"


def test_one_request_that_the_server_refuses_does_not_hold_up_the_class(
    tmp_path: Path, a_class: Class, stand_in: Start, reviewer: Make, book: Book
) -> None:
    server = stand_in(script=["28_option_wrong_type"])
    with Desk(Settings(), tmp_path) as desk:
        take(desk, a_class(3, exponent=0))
        tally = desk.work_off("attention", reviewer(server), book.write)
        assert tally.reviewed == 2 and tally.stopped == ""
        assert desk.waiting(["attention"]) == 1


@pytest.mark.parametrize(
    "step", ["110_repeat_abort", "40_num_predict_truncated", "truncated_count"]
)
def test_an_answer_that_may_not_count_sends_the_submission_to_a_person(
    tmp_path: Path, submission: Submit, stand_in: Start, reviewer: Make, book: Book, step: str
) -> None:
    server = stand_in(script=[step])
    with Desk(Settings(), tmp_path) as desk:
        calibrate(desk, server.digest)
        desk.take(place(), submission())
        desk.work_off("attention", reviewer(server), book.write)
        said = book.rows[place()]
        assert (said.state, said.score) == ("for a person", None)
        assert "linear_projections" in said.why

        asked = len(server.chats)
        desk.work_off("attention", reviewer(server), book.write)
        assert len(server.chats) == asked, "what was refused is not asked for again by itself"
        desk.queue.ask_again("attention")
        desk.work_off("attention", reviewer(server), book.write)
        assert len(server.chats) == asked + 1, "only what was refused is asked for again"
        assert book.rows[place()].state == "given"


@pytest.mark.slow
def test_equal_answers_of_a_class_are_judged_once(
    tmp_path: Path, a_class: Class, stand_in: Start, reviewer: Make, book: Book
) -> None:
    """Under half a call a submission for a class of 200 that writes mostly a few forms."""
    server = stand_in()
    with Desk(Settings(), tmp_path) as desk:
        take(desk, a_class(200))
        tally = desk.work_off("attention", reviewer(server), book.write)
    print(f"{tally.calls} model calls for 200 submissions, {tally.calls / 200:.2f} each")
    assert tally.reviewed == len(book.rows) == 200
    assert tally.calls == len(server.chats) < 100


def test_layout_and_comments_make_no_other_answer(
    tmp_path: Path, submission: Submit, stand_in: Start, reviewer: Make, book: Book
) -> None:
    server = stand_in()
    plain = (
        "def aggregate_values(attention_weights, values):\n    return attention_weights @ values\n"
    )
    laid_out = plain.replace("):\n", "):\n    # the mean\n\n", 1) + "\n\n"
    with Desk(Settings(), tmp_path) as desk:
        take(desk, [submission(value_aggregation=text) for text in (plain, laid_out)])
        desk.work_off("attention", reviewer(server), book.write)
        asked = {one.asked for one in provenance_of(desk.storage, place(2))}
    assert asked == {False}


def test_no_request_names_a_student(
    tmp_path: Path, submission: Submit, stand_in: Start, reviewer: Make, book: Book
) -> None:
    server = stand_in()
    with Desk(Settings(), tmp_path) as desk:
        desk.take(Place("attention", "ada-lovelace-1815", "lesson"), submission())
        desk.work_off("attention", reviewer(server), book.write)
    assert server.chats and "lovelace" not in str(server.chats).lower()


def test_another_digest_is_asked_anew(
    tmp_path: Path, submission: Submit, stand_in: Start, reviewer: Make, book: Book
) -> None:
    server = stand_in()
    with Desk(Settings(), tmp_path) as desk:
        desk.take(place(1), submission())
        desk.work_off("attention", reviewer(server), book.write)
        asked = len(server.chats)
        server.digest = "1" * 64
        desk.take(place(2), submission())
        desk.work_off("attention", reviewer(server), book.write)
        assert len(server.chats) == 2 * asked
        digests = {one.digest for one in provenance_of(desk.storage, place(2))}
    assert digests == {"1" * 64}


def test_provenance_holds_request_answer_digest_versions_counts_and_times(
    tmp_path: Path, submission: Submit, stand_in: Start, reviewer: Make, book: Book
) -> None:
    server = stand_in(script=["100_busy_503_6"])
    with Desk(Settings(), tmp_path) as desk:
        desk.take(place(), submission())
        desk.work_off("attention", reviewer(server), book.write)
        first, *others = provenance_of(desk.storage, place())
        everything = [first, *others]
    assert {one.exercise for one in everything} == set(submission().answers)
    assert [one.masked for one in everything[:2]] == [False, True]
    assert max(one.attempts for one in everything) == 2
    assert first.digest == server.digest and first.versions["server"] == "0.32.15"
    assert first.counts["prompt_eval_count"] and first.durations["total_duration"]
    assert (
        first.request in server.chats
        and first.text is not None
        and first.text in first.raw.replace("\\", "")
    )


def test_the_class_in_problem_py_is_judged_beside_what_explores_it(
    tmp_path: Path, stand_in: Start, reviewer: Make, book: Book
) -> None:
    from attention_course.grading.review.plugin import written_in
    from attention_course.panel import complete_problem

    cells = {
        "scores": "attention = SimpleAttention(64)\nscores = attention.query(x) @ attention.key(x).mT"
    }
    stub = {"problem.py": "class SimpleAttention:\n    raise NotImplementedError()"}
    assert written_in(stub, {"projections": "class SimpleAttention:\n    pass"}) == {}
    assert written_in(stub, cells) == stub
    server = stand_in()
    with Desk(Settings(), tmp_path) as desk:
        calibrate(desk, server.digest)
        files = {"problem.py": complete_problem("bmm")}
        where = Place("attention_basics", "student-001", "attention_basics")
        desk.take(where, Submitted({**files, **cells}, points=1))
        desk.work_off("attention_basics", reviewer(server), book.write)
        asked = {one.exercise for one in provenance_of(desk.storage, where)}
    assert asked == {"problem.py", "scores"}
    said = book.rows[where]
    assert said.score is not None and 0 < said.score <= 1
