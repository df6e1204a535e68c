"""Whatever secret seed is drawn: right answers pass, wrong ones fail, and names stay the same."""

from __future__ import annotations

import functools

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from attention_course.checks import Session, session, trial
from attention_course.checks.fixtures import draw
from attention_course.panel import BASICS, PANEL, KnownAnswer

from .conftest import judged

RIGHT = [answer for answer in PANEL if answer.right]
WRONG = [answer for answer in PANEL if not answer.right]
SEEDS = st.integers(0, 2**62)
SOME = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


def exercises(answer: KnownAnswer) -> tuple[str, ...]:
    """The exercises that judge an answer; a right SimpleAttention is one in all four."""
    if answer.right and answer.exercise in BASICS:
        return BASICS
    return answer.fails or (answer.exercise,)


@SOME
@given(SEEDS, st.sampled_from(RIGHT))
def test_a_right_answer_passes_whatever_the_seed(seed, answer):
    with session(Session(seed)):
        for exercise in exercises(answer):
            assert judged(exercise, answer.source).passed, (exercise, answer.name)


@SOME
@given(SEEDS, st.sampled_from(WRONG))
def test_a_wrong_answer_fails_and_is_named_as_ever_whatever_the_seed(seed, answer):
    with session(Session(seed)):
        for exercise in exercises(answer):
            found = judged(exercise, answer.source)
            assert not found.passed, (exercise, answer.name)
            assert not answer.misconceptions or set(found.misconceptions) == set(
                answer.misconceptions
            ), (exercise, answer.name, found)


@pytest.mark.slow
@pytest.mark.parametrize("start", range(0, 200, 20))
def test_no_right_answer_is_rejected_for_any_of_200_seeds(start, monkeypatch):
    rejected = []
    for seed in range(start, start + 20):
        # All answers meet the same inputs, which are copied for each of them: one drawing a seed.
        monkeypatch.setattr(trial, "draw", functools.cache(draw))
        with session(Session(7919 * seed + 1)):
            rejected += [
                (seed, exercise, answer.name)
                for answer in RIGHT
                for exercise in exercises(answer)
                if not judged(exercise, answer.source).passed
            ]
    assert rejected == []
