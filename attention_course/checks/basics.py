"""The first assignment: four exercises that look at one class, each at its own part.

A fault in one part costs that part's mark and no other's: scores are compared in a form that
does not depend on the axis of the softmax, and the output against the student's own weights.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from attention_course.checks.diagnosis import diagnose_error, together
from attention_course.checks.fixtures import with_large_scores
from attention_course.checks.heads import (
    Setting,
    find_output,
    find_weights,
    same_logits,
)
from attention_course.checks.observe import (
    NotATensor,
    WrongLayers,
    as_numbers,
    build,
    call,
    guarded,
    show,
)
from attention_course.checks.pipeline import NORMALISERS, SCALES, named, projected
from attention_course.checks.trial import (
    Failure,
    Trial,
    Unusable,
    close,
    failure,
    quoted,
    usable,
    verdict,
)
from attention_course.exercise import Answer, Exercise
from attention_course.verdict import Verdict

KIND = "simple_attention"


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


# -- projections


def _projections(trial: Trial) -> Failure | None:
    """Are there three linear layers with biases, and are all of them used?"""
    observed = trial.observe("first")
    if observed.error is not None:
        built = _layers_alone(trial)
        return diagnose_error(trial, built.error) if built.error is not None else None
    fixture = trial.fixture("first")
    assert fixture.state is not None
    unused = []
    for layer in ("query", "key", "value"):
        changed = dict(fixture.state)
        changed[f"{layer}.weight"] = fixture.state[f"{layer}.weight"].flip(0) * 1.5
        if not _reacts(trial, changed, layer):
            unused.append(layer)
    if unused == ["value"] and _mixes_something_else(trial):
        unused = []  # that is the output's fault, and costs its mark
    if unused:
        return failure("shared_projection", detail=_without_influence(trial, unused))
    used = {
        f"{n}.bias": t.flip(0) * 1.5
        for n in ("query", "value")
        for t in [fixture.state[f"{n}.bias"]]
    }
    if not _reacts(trial, {**fixture.state, **used}, "value"):
        return failure("no_biases")
    return _wrong_roles(trial)


def _without_influence(trial: Trial, unused: list[str]) -> str:
    """In words: layers do nothing, or are one layer under several names."""
    try:
        kept = trial.observe("first").extra["module"].state_dict()
        weights = {name: as_numbers(kept[f"{name}.weight"]) for name in ("query", "key", "value")}
    except Exception:
        weights = {}
    # What was loaded into one was overwritten by what was loaded into the other.
    same = [n for n in weights if torch.equal(weights[n], weights[unused[0]])]
    if len(same) > 1:
        return f"{' and '.join(same)} are one and the same layer".capitalize()
    layers = " and ".join(f"the {name} layer" for name in unused)
    return f"T{layers[1:]} {'has' if len(unused) == 1 else 'have'} no influence on the result"


def _mixes_something_else(trial: Trial) -> bool:
    found = []
    for name in ("first", "second"):
        weights = _weights(trial, name)
        try:
            (output,) = usable(KIND, trial.observe(name))
        except Unusable:
            return False
        if weights is None:
            return False
        found.append((output, weights))
    return bool(
        find_output((trial.fixture("first"), trial.fixture("second")), (found[0], found[1]))
    )


def _layers_alone(trial: Trial) -> Answer:
    """Whether the class can be made and has its layers, whatever its forward does."""
    fixture = trial.fixture("first")
    return guarded(lambda: Answer(build(trial.answer, fixture)), local=False)


def _reacts(trial: Trial, state: dict[str, Tensor], layer: str) -> bool:
    """Whether weights or output change with these parameters."""
    fixture = trial.fixture("first")

    def run() -> Answer:
        module = build(trial.answer, dataclasses.replace(fixture, state=state))
        value = module(fixture.inputs[0].clone())
        return Answer(
            value, extra={"attention_weights": getattr(module, "attention_weights", None)}
        )

    before, after = trial.observe("first"), guarded(run, local=False)
    if after.error is not None:
        return True
    outputs = _readable(before.value), _readable(after.value)
    kept = tuple(_readable(answer.extra.get("attention_weights")) for answer in (before, after))
    if not outputs[0] and kept[0] and layer == "value":
        return True  # an output that cannot be read does not accuse the layer that makes it
    pairs = [*zip(*outputs, strict=False), *zip(*kept, strict=False)]
    return any(
        a.shape != b.shape or not torch.allclose(a, b, atol=1e-5, equal_nan=True) for a, b in pairs
    )


def _readable(value: Any) -> list[Tensor]:
    """The tensors of a result, also where it has more than it should."""
    items = value if type(value) in (tuple, list) else [value]
    found = []
    for item in items:
        try:
            found.append(as_numbers(item))
        except NotATensor:
            continue
    return found


def _wrong_roles(trial: Trial) -> Failure | None:
    """Layers that are all used, but for another part than their name says."""
    weights = _weights(trial, "first"), _weights(trial, "second")
    if weights[0] is None or weights[1] is None:
        return None
    fixtures = trial.fixture("first"), trial.fixture("second")
    found = find_weights(fixtures, (weights[0], weights[1]), "no_scaling")
    for setting in found[:1]:
        if setting.roles not in ("qk", "kq"):
            names = {"q": "query", "k": "key", "v": "value"}
            q, k = (names[role] for role in setting.roles)
            detail = f"The queries come from the {q} layer and the keys from the {k} layer"
            return failure("shared_projection", detail=detail)
        if setting.biases != "right":
            return failure("no_biases")
    return None


def _weights(trial: Trial, name: str) -> Tensor | None:
    """The kept weights as numbers, or None where there are none of a usable kind."""
    observed = trial.observe(name)
    if observed.error is not None:
        return None
    try:
        return as_numbers(observed.extra.get("attention_weights"))
    except NotATensor:
        return None


# -- scores


def _scores(trial: Trial) -> Failure | None:
    """Do the weights come from queries times keys, without scaling?"""
    if all(_output_is_right(trial, name) for name in ("first", "second")):
        return None  # whatever is kept: a right output has come from right scores
    found = []
    for name in ("first", "second"):
        weights = _weights(trial, name)
        if weights is None:
            kept = trial.observe(name).extra.get("attention_weights")
            return failure("weights_not_kept") if kept is None else _not_numbers(trial, name)
        found.append(weights)
    problems = [
        _compare_scores(trial, n, w) for n, w in zip(("first", "second"), found, strict=True)
    ]
    if not any(problems):
        return None
    return _named_scores(trial, (found[0], found[1])) or next(p for p in problems if p)


def _output_is_right(trial: Trial, name: str) -> bool:
    try:
        (output,) = usable(KIND, trial.observe(name))
    except Unusable:
        return False
    return close(output, trial.expected(name)[0])


def _not_numbers(trial: Trial, name: str) -> Failure:
    try:
        as_numbers(trial.observe(name).extra.get("attention_weights"))
    except NotATensor as error:
        return failure("not_a_tensor", what=f"self.attention_weights: {error}")
    return failure("weights_not_kept")


def _right_scores(trial: Trial, name: str) -> Tensor:
    fixture = trial.fixture(name)
    assert fixture.state is not None
    queries, keys, _ = projected(fixture.inputs[0], fixture.state)
    return queries @ keys.mT


def _compare_scores(trial: Trial, name: str, weights: Tensor) -> Failure | None:
    scores = _right_scores(trial, name)
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
        w.shape != _right_scores(trial, n).shape
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


# -- weights


def _weights_part(trial: Trial) -> Failure | None:
    """Are the weights kept, one row for each query, and does every row sum to 1?"""
    for name in ("first", "second"):
        kept = trial.observe(name).extra.get("attention_weights")
        if kept is None:
            return failure("weights_not_kept")
        weights = _weights(trial, name)
        if weights is None:
            return _not_numbers(trial, name)
        expected = _right_scores(trial, name).shape
        if weights.shape != expected:
            return failure(
                "weights_kept_wrong_shape", expected=show(expected), actual=show(weights.shape)
            )
        failed = _not_weights(weights, _right_scores(trial, name))
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
    one, two = _weights(trial, "first"), _weights(trial, "other")
    if one is not None and two is not None and one.shape == two.shape and torch.equal(one, two):
        return failure("ignores_inputs")
    return None


def _twice_or_random(trial: Trial) -> Failure | None:
    weights = _weights(trial, "first"), _weights(trial, "second")
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


# -- output


def _output(trial: Trial) -> Failure | None:
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
        weights = _weights(trial, name)
        if weights is None:
            # Nothing is kept to judge by: then the output itself must be right.
            weights = NORMALISERS["right"](_right_scores(trial, name))
        if output.shape != expected:
            return failure("shape_changed", expected=show(expected), actual=show(output.shape))
        results.append((output, weights))
    fixtures = trial.fixture("first"), trial.fixture("second")
    whole = all(_output_is_right(trial, name) for name in ("first", "second"))
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
        weights = NORMALISERS["right"](_right_scores(trial, name))
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


PARTS: dict[str, Callable[[Trial], Failure | None]] = {
    "projections": _projections,
    "scores": _scores,
    "weights": _weights_part,
    "output": _output,
}
