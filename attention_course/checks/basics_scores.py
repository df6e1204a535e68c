"""Do the weights come from unscaled scores of queries and keys, whatever the softmax does?"""

from __future__ import annotations

import dataclasses

import torch
from torch import Tensor

from attention_course.checks.basics_views import (
    kept_weights,
    not_numbers,
    output_is_right,
    right_scores,
)
from attention_course.checks.diagnosis import together
from attention_course.checks.heads import Setting, find_weights, same_logits
from attention_course.checks.observe import show
from attention_course.checks.pipeline import NORMALISERS, SCALES
from attention_course.checks.trial import Failure, Trial, close, failure


def judge_scores(trial: Trial) -> Failure | None:
    """Do the weights come from queries times keys, without scaling?"""
    if all(output_is_right(trial, name) for name in ("first", "second")):
        return None  # whatever is kept: a right output has come from right scores
    found = []
    for name in ("first", "second"):
        weights = kept_weights(trial, name)
        if weights is None:
            kept = trial.observe(name).extra.get("attention_weights")
            return failure("weights_not_kept") if kept is None else not_numbers(trial, name)
        found.append(weights)
    problems = [
        _compare_scores(trial, n, w) for n, w in zip(("first", "second"), found, strict=True)
    ]
    if not any(problems):
        return None
    return _named_scores(trial, (found[0], found[1])) or next(p for p in problems if p)


def _compare_scores(trial: Trial, name: str, weights: Tensor) -> Failure | None:
    scores = right_scores(trial, name)
    if weights.shape != scores.shape:
        return failure(
            "weights_kept_wrong_shape", expected=show(scores.shape), actual=show(weights.shape)
        )
    # A wrong softmax is the next exercise's; these leave no logarithm to compare.
    for name in ("softmax_twice", "sigmoid_instead", "hard_maximum", "divided_by_raw_sum",
                 "divided_by_maximum", "log_softmax_instead", "no_softmax"):  # fmt: skip
        if close(weights, NORMALISERS[name](scores), 1e-3):
            return None
    if same_logits(weights, scores):
        return None
    total = int((~torch.isclose(weights, scores.softmax(-1), atol=1e-4)).sum())
    return Failure(
        f"The weights are not those of queries times keys: {total} of {weights.numel()} differ. "
        "Compare each factor's shape and layer with the formula."
    )


def _named_scores(trial: Trial, weights: tuple[Tensor, Tensor]) -> Failure | None:
    fixtures = trial.fixture("first"), trial.fixture("second")
    if any(
        w.shape != right_scores(trial, n).shape
        for n, w in zip(("first", "second"), weights, strict=True)
    ):
        return None
    found = find_weights(fixtures, weights, "no_scaling")
    for setting in found[:1]:
        ids = tuple(i for i in _scores_ids(setting) if i)
        if setting.normaliser == "mask_applied":
            ids = (*ids, "mask_applied")
        if not ids:
            return None
        found_name = together(ids, setting.numbers())
        if not SCALES.keys() & set(ids):
            return found_name
        unscaled = "In this assignment the scores stay unscaled: scaling is the next one's step."
        return dataclasses.replace(found_name, details=(*found_name.details, unscaled))
    return None


def _scores_ids(setting: Setting) -> tuple[str, ...]:
    """What of a setting concerns the scores; the softmax is another exercise's."""
    plain = Setting(setting.roles, setting.biases, setting.product, setting.scale).ids()
    renamed = {"right": "scaled_already", "no_scaling": ""}
    scale = renamed.get(setting.scale, setting.scale)
    others = [i for i in plain if i != "no_scaling" and i != setting.scale]
    if setting.scale in ("divided_by_sqrt_d_v", "divided_by_sqrt_d_model"):
        scale = "scaled_already"  # queries, values and embeddings have one size here
    return tuple(dict.fromkeys((*others, scale)))
