"""Are the weights kept, of the right shape, and does every row sum to 1?"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from attention_course.checks.basics_views import (
    KIND,
    kept_weights,
    not_numbers,
    right_scores,
)
from attention_course.checks.fixtures import with_large_scores
from attention_course.checks.heads import find_weights
from attention_course.checks.observe import NotATensor, as_numbers, call, show
from attention_course.checks.pipeline import NORMALISERS, named
from attention_course.checks.trial import Failure, Trial, close, failure


def judge_weights(trial: Trial) -> Failure | None:
    """Are the weights kept, one row for each query, and does every row sum to 1?"""
    for name in ("first", "second"):
        kept = trial.observe(name).extra.get("attention_weights")
        if kept is None:
            return failure("weights_not_kept")
        weights = kept_weights(trial, name)
        if weights is None:
            return not_numbers(trial, name)
        expected = right_scores(trial, name).shape
        if weights.shape != expected:
            return failure(
                "weights_kept_wrong_shape", expected=show(expected), actual=show(weights.shape)
            )
        failed = _not_weights(weights, right_scores(trial, name))
        if failed is not None:
            return failed
    return _kept_afresh(trial) or _twice_or_random(trial) or _overflow(trial)


# What may stand in place of weights whose rows sum to 1.
NOT_NORMALISED = (
    "no_softmax",
    "only_exponentials",
    "only_exponentials_shifted",
    "sigmoid_instead",
    "log_softmax_instead",
)


def _not_weights(weights: Tensor, scores: Tensor) -> Failure | None:
    if bool(torch.isnan(weights).any()):
        return failure("nan_result", count=int(torch.isnan(weights).sum()))
    ones = torch.ones(())
    rows, columns = weights.sum(-1), weights.sum(-2)
    if not close(rows, ones.double().expand_as(rows), 1e-3):
        if close(columns, ones.double().expand_as(columns), 1e-3):
            return failure("softmax_over_queries")
        batch = weights.sum(0)
        if close(batch, ones.double().expand_as(batch), 1e-3):
            return failure("softmax_over_batch")
        if math.isclose(float(weights.sum()), 1.0, abs_tol=1e-3) or close(
            weights.sum((-2, -1)), ones.double().expand(weights.shape[:-2]), 1e-3
        ):
            return failure("softmax_over_everything")
        worst = int((rows - 1).abs().flatten().argmax())
        row, total = worst % rows.shape[-1], float(rows.flatten()[worst])
        for name in NOT_NORMALISED:
            if close(weights, NORMALISERS[name](scores), 1e-3):
                return failure(named(name)[0], row=row, sum=f"{total:.3g}")
        # The scores are other ones, too: then the sign and the size tell what was done.
        if bool((weights < 0).any()):
            if bool((weights <= 0).all()) and close(weights.exp().sum(-1), torch.ones_like(rows)):
                return failure("log_softmax_instead")
            return failure("no_softmax")
        if bool((weights < 1).all()):
            return failure("sigmoid_instead", row=row, sum=f"{total:.3g}")
        return failure("only_exponentials", row=row, sum=f"{total:.3g}")
    if bool((weights < 0).any()):
        return failure("divided_by_raw_sum")
    if bool(((weights == 0) | (weights == 1)).all()):
        return failure("hard_maximum")
    return None


def _overflow(trial: Trial) -> Failure | None:
    """Are weights of large scores numbers? (Large biases make them, so there have to be some.)"""
    if not trial.biases:
        return None
    large = call(trial.answer, KIND, with_large_scores(trial.fixture("first")))
    try:
        weights = as_numbers(large.extra.get("attention_weights"))
    except NotATensor:
        return None
    if bool(torch.isfinite(weights).all()):
        return None
    return failure("no_maximum_subtracted", size="several hundred")


def _kept_afresh(trial: Trial) -> Failure | None:
    """Another input must bring other weights: what is kept belongs to the last call."""
    one, two = kept_weights(trial, "first"), kept_weights(trial, "other")
    if one is not None and two is not None and one.shape == two.shape and torch.equal(one, two):
        return failure("ignores_inputs")
    return None


def _twice_or_random(trial: Trial) -> Failure | None:
    weights = kept_weights(trial, "first"), kept_weights(trial, "second")
    again = trial.observe("first", again=1)
    try:
        repeated = as_numbers(again.extra.get("attention_weights"))
    except NotATensor:
        return failure("keeps_state")
    assert weights[0] is not None and weights[1] is not None
    if not close(repeated, weights[0]):
        return failure("random_result")
    fixtures = trial.fixture("first"), trial.fixture("second")
    for setting in find_weights(fixtures, (weights[0], weights[1]), "no_scaling")[:1]:
        if setting.normaliser == "softmax_twice":
            return failure(setting.normaliser)
    return None
