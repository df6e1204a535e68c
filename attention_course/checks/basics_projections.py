"""Are there three linear layers with biases, and does each do what its name says?"""

from __future__ import annotations

import dataclasses
from typing import Any

import torch
from torch import Tensor

from attention_course.checks.basics_views import (
    KIND,
    kept_weights,
)
from attention_course.checks.diagnosis import diagnose_error
from attention_course.checks.heads import find_output, find_weights
from attention_course.checks.observe import NotATensor, as_numbers, build, guarded
from attention_course.checks.trial import Failure, Trial, Unusable, failure, usable
from attention_course.exercise import Answer


def judge_projections(trial: Trial) -> Failure | None:
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
        weights = kept_weights(trial, name)
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
    weights = kept_weights(trial, "first"), kept_weights(trial, "second")
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
