"""Is the output the student's own weights times the values?"""

from __future__ import annotations

import torch
from torch import Tensor

from attention_course.checks.basics_views import (
    KIND,
    kept_weights,
    output_is_right,
    right_scores,
)
from attention_course.checks.diagnosis import diagnose_error, together
from attention_course.checks.heads import find_output
from attention_course.checks.observe import guarded, show
from attention_course.checks.pipeline import NORMALISERS, projected
from attention_course.checks.trial import Failure, Trial, Unusable, close, failure, quoted, usable
from attention_course.exercise import Answer


def judge_output(trial: Trial) -> Failure | None:
    """Is the output their own weights times the values, in the input's shape?"""
    results: list[tuple[Tensor, Tensor]] = []
    for name in ("first", "second"):
        observed = trial.observe(name)
        if observed.error is not None:
            return diagnose_error(trial, observed.error)
        try:
            (output,) = usable(KIND, observed)
        except Unusable as error:
            return error.failed
        expected = trial.fixture(name).inputs[0].shape
        weights = kept_weights(trial, name)
        if weights is None:
            # Nothing is kept to judge by: then the output itself must be right.
            weights = NORMALISERS["right"](right_scores(trial, name))
        if output.shape != expected:
            return failure("shape_changed", expected=show(expected), actual=show(output.shape))
        results.append((output, weights))
    fixtures = trial.fixture("first"), trial.fixture("second")
    whole = all(output_is_right(trial, name) for name in ("first", "second"))
    if whole or all(
        _mixed(trial, n, o, w) for n, (o, w) in zip(("first", "second"), results, strict=True)
    ):
        return _side_effects(trial)
    ids = find_output(fixtures, (results[0], results[1]))
    if ids:
        return together(ids, {})
    differing = int(
        (~torch.isclose(results[0][0], _mixture(trial, "first", results[0][1]), atol=1e-4)).sum()
    )
    return Failure(
        f"The output is not your weights times the values: {differing} of "
        f"{results[0][0].numel()} entries differ. What is mixed, and by which weights?"
    )


def _mixture(trial: Trial, name: str, weights: Tensor) -> Tensor:
    fixture = trial.fixture(name)
    assert fixture.state is not None
    values = projected(fixture.inputs[0], fixture.state)[2]
    if weights.shape != (*values.shape[:-1], values.shape[-2]):
        weights = NORMALISERS["right"](right_scores(trial, name))
    return weights @ values


def _mixed(trial: Trial, name: str, output: Tensor, weights: Tensor) -> bool:
    # Weights that are not normalised make large outputs: noise grows with them.
    right = _mixture(trial, name, weights)
    return close(output, right, 1e-4 * max(1.0, float(weights.abs().max())))


def _side_effects(trial: Trial) -> Failure | None:
    if trial.observe("first").changed:
        return failure("changes_input", argument="x")
    return _no_gradient(trial)


def _no_gradient(trial: Trial) -> Failure | None:
    lost: list[str] = []

    def run() -> Answer:
        observed = trial.repeat("first")
        if observed.error is not None:
            raise observed.error
        total = (observed.value * torch.arange(1.0, 7.0)).sum()
        if getattr(total, "requires_grad", False):
            total.backward()
        gradient = observed.extra["module"].value.weight.grad
        if gradient is None or not bool((gradient != 0).any()):
            lost.append("value")
        return Answer()

    answer = guarded(run, local=False)
    if answer.error is not None:
        return Failure(
            f"The gradient could not be computed: {quoted(answer.error)}.", ("gradients_lost",)
        )
    return failure("gradients_lost", layers="the value layer") if lost else None
