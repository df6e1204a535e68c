"""Every right answer of the panel passes; every wrong one loses its mark and is named."""

from __future__ import annotations

import pytest

from attention_course.checks import MISCONCEPTIONS, Session, exercises_of, session
from attention_course.panel import PANEL, KnownAnswer
from attention_course.verdict import Outcome

from .conftest import judged

RIGHT = [answer for answer in PANEL if answer.right]
WRONG = [answer for answer in PANEL if not answer.right]
NAMED = [answer for answer in WRONG if answer.misconceptions]


def label(answer: KnownAnswer) -> str:
    return f"{answer.exercise}-{answer.name}"


def test_the_panel_is_as_large_as_promised() -> None:
    assert len(RIGHT) >= 40 and len(WRONG) >= 60


@pytest.mark.parametrize("answer", RIGHT, ids=label)
def test_a_right_answer_passes(answer: KnownAnswer) -> None:
    verdict = judged(answer.exercise, answer.source)
    assert verdict.outcome is Outcome.PASSED, verdict
    assert verdict.points == verdict.max_points == 1


@pytest.mark.parametrize("answer", [a for a in RIGHT if a.noted], ids=label)
def test_an_answer_for_one_batch_axis_passes_with_a_note(answer: KnownAnswer) -> None:
    verdict = judged(answer.exercise, answer.source)
    assert verdict.passed and any("one batch axis" in detail for detail in verdict.details)


def test_a_wrong_class_costs_the_marks_of_its_parts_and_no_other() -> None:
    basics = exercises_of("attention_basics")
    for answer in PANEL:
        if answer.exercise in {exercise.name for exercise in basics}:
            lost = {e.name for e in basics if not judged(e.name, answer.source).passed}
            assert lost == set(answer.fails), label(answer)


@pytest.mark.parametrize("answer", WRONG, ids=label)
def test_a_wrong_answer_loses_its_mark(answer: KnownAnswer) -> None:
    verdict = judged(answer.exercise, answer.source)
    assert verdict.outcome is Outcome.FAILED, verdict
    assert verdict.points == 0 and verdict.message


def test_nearly_every_wrong_answer_is_named_rightly() -> None:
    missed = {}
    for answer in NAMED:
        found = judged(answer.exercise, answer.source).misconceptions
        if set(found) != set(answer.misconceptions):
            missed[label(answer)] = (answer.misconceptions, found)
    assert len(missed) <= 0.05 * len(NAMED), missed


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20))
def test_no_right_answer_is_rejected_whatever_the_secret_seed(seed: int) -> None:
    with session(Session(seed=1000 + seed)):
        rejected = [label(a) for a in RIGHT if not judged(a.exercise, a.source).passed]
    assert rejected == []


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(8))
def test_no_wrong_answer_passes_whatever_the_secret_seed(seed: int) -> None:
    with session(Session(seed=5000 + seed)):
        passed = [label(a) for a in WRONG if judged(a.exercise, a.source).passed]
    assert passed == []


def test_every_expected_name_is_one_that_students_can_read_about() -> None:
    unknown = {name for answer in PANEL for name in answer.misconceptions} - set(MISCONCEPTIONS)
    assert unknown == set()
