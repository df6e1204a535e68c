"""The first assignment: four exercises that look at one class, each at its own part.

A fault in one part costs that part's mark and no other's: scores are compared in a form that
does not depend on the axis of the softmax, and the output against the student's own weights.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attention_course.checks.basics_output import judge_output
from attention_course.checks.basics_projections import judge_projections
from attention_course.checks.basics_scores import judge_scores
from attention_course.checks.basics_views import KIND
from attention_course.checks.basics_weights import judge_weights
from attention_course.checks.diagnosis import diagnose_error
from attention_course.checks.observe import WrongLayers
from attention_course.checks.trial import Failure, Trial, failure, verdict
from attention_course.exercise import Exercise
from attention_course.verdict import Verdict

PARTS: dict[str, Callable[[Trial], Failure | None]] = {
    "projections": judge_projections,
    "scores": judge_scores,
    "weights": judge_weights,
    "output": judge_output,
}


def judge_basics(exercise: Exercise, answer: Any) -> Verdict:
    """The verdict of one of the four exercises."""
    trial = Trial(exercise, KIND, answer)
    error = trial.observe("first").error
    if isinstance(error, WrongLayers) and error.only_biases and exercise.name != "projections":
        # That costs the projections; what comes after is judged by what is there.
        trial = Trial(exercise, KIND, answer, biases=False)
    failed = _ready_made(trial) or _does_not_start(trial) or PARTS[exercise.name](trial)
    return verdict(exercise, failed)


def _ready_made(trial: Trial) -> Failure | None:
    names = trial.observe("first").ready_made
    return failure("ready_made", names=" and ".join(names)) if names else None


def _does_not_start(trial: Trial) -> Failure | None:
    """An error before there is anything to judge belongs to every part."""
    error = trial.observe("first").error
    if error is None or trial.exercise.name == "projections":
        return None
    return diagnose_error(trial, error)
