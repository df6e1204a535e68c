"""The judge: one exercise, one answer, one verdict."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any, Final

import torch

from attention_course.checks.basics import judge_basics
from attention_course.checks.exercises import EXERCISES
from attention_course.checks.policy import ready_made_for
from attention_course.checks.properties import checks_of
from attention_course.checks.sessions import current_session
from attention_course.checks.trial import Trial, failure, quoted, verdict
from attention_course.exercise import Exercise
from attention_course.verdict import Outcome, Ungradable, Verdict


class _Missing:
    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = _Missing()
"""Stands for an answer that is not defined."""


def judge(exercise: Exercise | str, answer: Any) -> Verdict:
    """Compare an answer with the reference on fresh inputs; name the first thing that is wrong.

    ``answer`` is the function or class that the exercise asks for, or MISSING. Whatever it
    does, the outcome is a verdict; only a KeyboardInterrupt passes through. What is our own
    fault is UNGRADED. Inside a :class:`Session` its seed is used, and the verdict is kept in
    it.
    """
    asked = EXERCISES[exercise] if isinstance(exercise, str) else exercise
    try:
        with _one_thread():
            found = _judge(asked, answer)
    except KeyboardInterrupt:
        raise
    except Ungradable as error:
        found = _ungraded(asked, str(error))
    except Exception as error:
        found = _ungraded(asked, f"the check itself failed ({quoted(error)})")
    active = current_session()
    if active is not None:
        active.verdicts.append(found)
    return found


@contextlib.contextmanager
def _one_thread() -> Iterator[None]:
    """On matrices as small as the fixtures', threads wait for each other longer than they work.

    A softmax took 1 ms with two threads on a busy machine, 3 µs with one. The setting belongs to
    the calling thread, so judges in several threads do not disturb each other.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _judge(exercise: Exercise, answer: Any) -> Verdict:
    active = current_session()
    ready_made = ready_made_for(exercise.answer_name, active.sources) if active else ()
    if ready_made:
        return verdict(exercise, failure("ready_made", names=" and ".join(ready_made)))
    if answer is MISSING:
        return verdict(exercise, failure("not_defined", name=exercise.answer_name))
    if exercise.assignment == "attention_basics":
        return judge_basics(exercise, answer)
    trial = Trial(exercise, exercise.name, answer)
    for check in checks_of(trial.kind):
        failed = check(trial)
        if failed is not None:
            return verdict(exercise, failed)
    return verdict(exercise, None, tuple(trial.notes))


def _ungraded(exercise: Exercise, reason: str) -> Verdict:
    return Verdict(
        Outcome.UNGRADED,
        exercise.name,
        f"Not judged: {reason}. That is no fault of yours; a person will look at it.",
        0.0,
        exercise.points,
    )
