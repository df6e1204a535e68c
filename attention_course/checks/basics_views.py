"""What the exercises on SimpleAttention look at: the weights that it keeps, and its output."""

from __future__ import annotations

from torch import Tensor

from attention_course.checks.observe import NotATensor, as_numbers
from attention_course.checks.pipeline import projected
from attention_course.checks.trial import Failure, Trial, Unusable, close, failure, usable

KIND = "simple_attention"


def kept_weights(trial: Trial, name: str) -> Tensor | None:
    """The kept weights as numbers, or None where there are none of a usable kind."""
    observed = trial.observe(name)
    if observed.error is not None:
        return None
    try:
        return as_numbers(observed.extra.get("attention_weights"))
    except NotATensor:
        return None


def not_numbers(trial: Trial, name: str) -> Failure:
    try:
        as_numbers(trial.observe(name).extra.get("attention_weights"))
    except NotATensor as error:
        return failure("not_a_tensor", what=f"self.attention_weights: {error}")
    return failure("weights_not_kept")


def right_scores(trial: Trial, name: str) -> Tensor:
    fixture = trial.fixture(name)
    assert fixture.state is not None
    queries, keys, _ = projected(fixture.inputs[0], fixture.state)
    return queries @ keys.mT


def output_is_right(trial: Trial, name: str) -> bool:
    try:
        (output,) = usable(KIND, trial.observe(name))
    except Unusable:
        return False
    return close(output, trial.expected(name)[0])
