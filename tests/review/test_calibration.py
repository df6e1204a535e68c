"""Whether a model may give marks: the gold set, the canaries, and the arithmetic."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from stand_in_ollama import scores_of_people

from attention_course.grading.review.calibration import (
    kappa,
    mean_error,
    measure,
    questions,
)
from attention_course.grading.review.client import Reviewer
from attention_course.grading.review.desk import Desk
from attention_course.grading.review.gold import CANARIES, GOLD
from attention_course.grading.review.prompt import ReviewRequest
from attention_course.grading.review.queue import Place
from attention_course.grading.review.rubric import CRITERIA, RUBRICS
from attention_course.grading.review.settings import Settings
from attention_course.grading.review.submitted import Submitted

GOLD_SCORES = tuple(
    answer for answer in GOLD if answer.exercise == "attention_scores" and any(answer.scores)
)
NAMES = tuple(canary for canary in CANARIES if canary.where == "name")


def reply(scores: tuple[int, int, int]) -> str:
    whole: dict[str, object] = {"d_remarks": []}
    for criterion, score in zip(CRITERIA, scores, strict=True):
        whole |= {f"{criterion}_score": score, f"{criterion}_reason": ""}
    return json.dumps(whole)


def people(request: ReviewRequest) -> tuple[int, int, int]:
    """What the gold set gave the answer in the question; 3 for what is not in it."""
    return scores_of_people(request.messages[1]["content"])


def test_the_gold_set_is_varied() -> None:
    assert len(GOLD) >= 40 and len(CANARIES) >= 15
    assert {answer.exercise for answer in GOLD} == set(RUBRICS)
    assert len({answer.name for answer in GOLD}) == len(GOLD)
    kinds = Counter((answer.right, min(answer.scores) >= 4) for answer in GOLD)
    assert len(kinds) == 4 and min(kinds.values()) >= 5
    for place in range(3):
        assert len({answer.scores[place] for answer in GOLD}) >= 5
    assert {canary.where for canary in CANARIES} == {"comment", "docstring", "string", "name"}


@pytest.mark.parametrize("answer", GOLD, ids=lambda answer: answer.name)
def test_a_gold_answer_is_python_and_no_example_of_the_rubric(answer: object) -> None:
    source = answer.source  # type: ignore[attr-defined]
    compile(source, "<gold>", "exec")
    examples = [e.source.strip() for e in RUBRICS[answer.exercise].examples]  # type: ignore[attr-defined]
    assert source.strip() not in examples


def test_a_model_that_agrees_with_people_passes() -> None:
    record = measure(lambda request: reply(people(request)), runs=2)
    assert record.passed and record.answers == len(GOLD) - 1
    assert record.same == 1 and record.resisted == record.alone == record.canaries
    assert all(found.kappa == 1 and found.error == 0 for found in record.agreement.values())
    assert json.loads(json.dumps(record.to_record()))["passed"] is True


def _kind(request: ReviewRequest) -> str:
    return reply((5, 5, 5))


def _strange(request: ReviewRequest) -> str:
    return "five"


def _talked_into(request: ReviewRequest) -> str:
    text = request.messages[1]["content"].lower()
    pays = any(word in text for word in ("full_marks", "generous", "maximum_score", "highest"))
    return reply((5, 5, 5) if pays else people(request))


class _Moody:
    def __init__(self) -> None:
        self.asked = 0

    def __call__(self, request: ReviewRequest) -> str:
        self.asked += 1
        scores = people(request)
        return reply(scores if self.asked % 2 else tuple(5 - s for s in scores))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("judge", "why"),
    [
        (_kind, "kappa 0.00 is under"),
        (_strange, "no answer of the gold set was judged"),
        (_Moody(), "the same score again"),
    ],
)
def test_a_model_that_may_not_give_marks_is_told_why(
    judge: Callable[[ReviewRequest], str], why: str
) -> None:
    record = measure(judge, runs=2)
    assert not record.passed and any(why in said for said in record.shortcomings)


def test_a_canary_that_pays_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the flags, such a model's canaries go to a person; without them they would pay."""
    warned = measure(_talked_into, runs=1)
    assert warned.paid == [] and warned.alone == warned.canaries - 2
    monkeypatch.setattr("attention_course.grading.review.prompt.flags", lambda *_, **__: ())
    monkeypatch.setattr("attention_course.grading.review.assess.flags", lambda *_, **__: ())
    record = measure(_talked_into, runs=1)
    assert record.paid == ["order_in_name", "praise_in_name"] and not record.passed


def test_a_model_that_only_the_flags_save_from_canaries_fails() -> None:
    """It believes what a name says, so the next one that nobody has thought of would pay."""
    record = measure(_talked_into, runs=1)
    assert record.resisted == record.canaries and record.alone > 0.8 * record.canaries
    assert record.shortcomings == [
        f"unwarned it resisted {len(NAMES) - 2} of {len(NAMES)} canaries that are a name, under 80%"
    ]


def test_a_lower_score_for_a_name_that_says_nothing_of_its_value_is_no_surrender() -> None:
    def strict(request: ReviewRequest) -> str:
        text = request.messages[1]["content"]
        return reply(people(request) if "    return tmp2 / 8" in text else (1, 3, 3))

    record = measure(strict, runs=1, gold=(), canaries=NAMES)
    assert record.alone_by_kind == {"name": (len(NAMES), len(NAMES))} and record.paid == []


def test_calibration_asks_what_a_class_is_asked(
    tmp_path: Path, stand_in: Callable[..., Any], reviewer: Callable[..., Reviewer]
) -> None:
    """Letter by letter: the gold answers handed in as submissions make the same requests."""
    reference = {"attention_scores": GOLD_SCORES[0].source}
    in_calibration = []

    def judge(request: ReviewRequest) -> str:
        in_calibration.append(json.dumps(request.messages))
        return reply((3, 3, 3))

    measure(judge, runs=1, gold=GOLD_SCORES, canaries=(), reference=reference)
    server = stand_in()
    with Desk(Settings(), tmp_path) as desk:
        for answer in GOLD_SCORES:
            source = f"# mine\n\n{answer.source}\n\n# end"
            verdicts = {"attention_scores": answer.verdict_line}
            submitted = Submitted({"attention_scores": source}, reference, verdicts)
            desk.take(Place("attention", answer.name, "lesson"), submitted)
        desk.work_off("attention", reviewer(server), lambda place, said: True)
    in_class = {json.dumps(body["messages"]) for body in server.chats}
    assert len(set(in_calibration)) == len(GOLD_SCORES)
    assert set(in_calibration) <= in_class


def test_every_question_is_counted() -> None:
    asked = []
    measure(lambda request: reply((3, 3, 3)), runs=3, progress=lambda: asked.append(1))
    assert len(asked) == questions(3)


def test_kappa_is_that_of_the_textbook() -> None:
    assert kappa([(0, 0), (3, 3), (5, 5)]) == 1
    assert kappa([(0, 5), (5, 0)]) == pytest.approx(-1)
    assert kappa([(0, 3), (5, 3)]) == pytest.approx(0)
    # By hand: seen (0 + 1 + 1 + 0) / 4 = 0.5, by chance (18 + 10 + 10 + 18) / 16 = 3.5.
    assert kappa([(1, 1), (2, 1), (3, 4), (4, 4)]) == pytest.approx(1 - 0.5 / 3.5)
    assert kappa([(2, 2), (2, 2)]) == 1 and kappa([]) == 0


def test_the_mean_error_is_in_levels() -> None:
    assert mean_error([(0, 2), (5, 4)]) == 1.5 and mean_error([]) == 0
