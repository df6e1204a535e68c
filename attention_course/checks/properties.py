"""The checks of a function or head, one property each, in the order in which they are made.

Each takes a trial and gives a failure or None. What a check is called is its function's name,
what it asks is its docstring; both stand in the kill matrix.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch

from attention_course.checks.diagnosis import coarse_dtype, diagnose, diagnose_error
from attention_course.checks.fixtures import stable_scores, with_large_scores
from attention_course.checks.observe import call, guarded, show
from attention_course.checks.pipeline import AGGREGATIONS, NORMALISERS, PRODUCTS, SCALES
from attention_course.checks.trial import (
    Failure,
    Trial,
    Unusable,
    all_close,
    close,
    failure,
    quoted,
    shapes_of,
    usable,
)
from attention_course.exercise import Answer

Check = Callable[[Trial], Failure | None]


def is_own_work(trial: Trial) -> Failure | None:
    """Is it written by the student, not called ready-made?"""
    names = trial.observe("first").ready_made
    return failure("ready_made", names=" and ".join(names)) if names else None


def runs(trial: Trial) -> Failure | None:
    """Does it run on a batch of sentences?"""
    error = trial.observe("first").error
    return None if error is None else diagnose_error(trial, error)


def returns_tensors(trial: Trial) -> Failure | None:
    """Does it return the tensors that are asked for?"""
    try:
        trial.results("first")
    except Unusable as error:
        return error.failed
    return None


def has_the_right_shape(trial: Trial) -> Failure | None:
    """Have the results the right shapes?"""
    found, right = trial.results("first"), trial.expected("first")
    if [f.shape for f in found] == [r.shape for r in right]:
        return None
    named = diagnose(trial)
    expected, actual = shapes_of(right), shapes_of(found)
    if named is None:
        named = Failure(f"Expected shape {expected}, got {actual}. Which axis became which?")
    return Failure(named.message, named.misconceptions, expected, actual, named.details)


def equals_the_reference(trial: Trial) -> Failure | None:
    """Do the numbers agree with the reference?"""
    found, right = trial.results("first"), trial.expected("first")
    if all_close(found, right):
        return None
    return _and_also(trial, diagnose(trial) or _violated(trial, "first"))


def _and_also(trial: Trial, failed: Failure) -> Failure:
    """A second fault that shows apart from the numbers is named with the first."""
    if len(failed.misconceptions) != 1:
        return failed
    changed = trial.observe("first").changed
    more = failure("changes_input", argument=" and ".join(changed)) if changed else None
    if more is None and trial.kind == "attention_weights" and _overflows(trial):
        more = failure("no_maximum_subtracted", size="10,000")
    if more is None or not set(failed.misconceptions) <= NAMED_BY_NUMBERS:
        return failed
    ids = (*failed.misconceptions, *more.misconceptions)
    return Failure(
        failed.message, ids, failed.expected, failed.actual, (more.message, *failed.details)
    )


def _overflows(trial: Trial) -> bool:
    scores = stable_scores("large")
    answer = guarded(lambda: Answer(trial.answer(scores)), local=False)
    try:
        (found,) = usable(trial.kind, answer)
    except Unusable:
        return False
    return bool(torch.isnan(found).any())


# Only what the numbers named: an answer that returns nothing but zeros is no pair of faults.
NAMED_BY_NUMBERS = frozenset((*SCALES, *PRODUCTS, *NORMALISERS, *AGGREGATIONS))


def equals_it_for_other_sizes(trial: Trial) -> Failure | None:
    """Do they agree for other sizes too?"""
    return _also(trial, "second", "hard_coded_shape")


def leaves_its_input_alone(trial: Trial) -> Failure | None:
    """Are the arguments the same after the call?"""
    changed = trial.observe("first").changed
    return failure("changes_input", argument=" and ".join(changed)) if changed else None


def is_repeatable(trial: Trial) -> Failure | None:
    """Do two calls with the same input give the same?"""
    found = trial.results("first")
    try:
        second = usable(trial.kind, trial.repeat("first"))
    except Unusable as error:
        return Failure(
            f"The second call with the same input failed. {error.failed.message}", ("keeps_state",)
        )
    if all_close(second, found):
        return None
    return failure("keeps_state" if all_close(found, trial.expected("first")) else "random_result")


def handles_one_token(trial: Trial) -> Failure | None:
    """Does it work for a single query?"""
    return _also(trial, "one_token", "hard_coded_shape")


def handles_the_prompt(trial: Trial) -> Failure | None:
    """Does it work for one sentence without a batch axis, as the lesson uses it?"""
    return _also(trial, "no_batch", "needs_batch", lead="none")


def handles_any_batch(trial: Trial) -> Failure | None:
    """Does it work with no batch axis and with two? (said to the student, costs nothing)"""
    for name, words in (("no_batch", "without a batch axis"), ("two_batches", "with two")):
        if not trial.right_on(name):
            trial.notes.append(
                f"It works with one batch axis, and not {words}. Counting axes from the end "
                "(-1, -2) makes it work with any number."
            )
    return None


def is_stable_for_large_scores(trial: Trial) -> Failure | None:
    """Are weights right for scores of 10,000?"""
    return _on_special_scores(trial, "large")


def handles_minus_infinity(trial: Trial) -> Failure | None:
    """Does a score of minus infinity get the weight 0?"""
    return _on_special_scores(trial, "masked")


def stays_finite_for_large_scores(trial: Trial) -> Failure | None:
    """Does the head stay finite where all scores are about 200?"""
    large = with_large_scores(trial.fixture("first"))
    try:
        results = usable(trial.kind, call(trial.answer, trial.kind, large))
    except Unusable as error:
        return Failure(f"With large scores your code failed. {error.failed.message}", ("raises",))
    if all(bool(torch.isfinite(result).all()) for result in results):
        return None
    return failure("no_maximum_subtracted", size="about 200")


def lets_gradients_through(trial: Trial) -> Failure | None:
    """Does the result's gradient reach every parameter?"""
    fixture = trial.fixture("first")
    generator = torch.Generator().manual_seed(fixture.seed + 1)
    lost = []

    def run() -> Answer:
        observed = trial.repeat("first")
        if observed.error is not None:
            raise observed.error
        results = observed.value
        total = sum((r * torch.randn(r.shape, generator=generator)).sum() for r in results)
        module = observed.extra["module"]
        if getattr(total, "requires_grad", False):
            total.backward()
        for layer in ("query", "key", "value"):
            gradient = getattr(module, layer).weight.grad
            if gradient is None or not bool((gradient != 0).any()):
                lost.append(layer)
        return Answer()

    answer = guarded(run, local=False)
    if answer.error is not None:
        return Failure(
            f"The gradient could not be computed: {quoted(answer.error)}.", ("gradients_lost",)
        )
    return failure("gradients_lost", layers=_listed(lost)) if lost else None


def checks_of(kind: str) -> tuple[Check, ...]:
    """The checks of an exercise, in order."""
    common: tuple[Check, ...] = (
        is_own_work,
        runs,
        returns_tensors,
        has_the_right_shape,
        equals_the_reference,
        is_repeatable,
        equals_it_for_other_sizes,
        leaves_its_input_alone,
        handles_one_token,
    )
    more: dict[str, tuple[Check, ...]] = {
        "linear_projections": (handles_the_prompt,),
        "attention_weights": (is_stable_for_large_scores, handles_minus_infinity),
        "attention_head": (lets_gradients_through, stays_finite_for_large_scores),
    }
    return (*common, *more.get(kind, ()), handles_any_batch)


# -- helpers --------------------------------------------------------------------------------


def _also(trial: Trial, name: str, misconception: str, **numbers: object) -> Failure | None:
    """Right on the first fixture; is it on another one?"""
    answer = trial.observe(name)
    if answer.error is not None:
        found = failure(misconception, **numbers)
        size = shapes_of(trial.fixture(name).inputs[:1])
        note = f"For an input of shape {size} it raised {quoted(answer.error)}."
        return Failure(found.message, found.misconceptions, details=(note,))
    try:
        results = trial.results(name)
    except Unusable as error:
        return error.failed
    right = trial.expected(name)
    if all_close(results, right):
        return None
    coarse = coarse_dtype(trial, name)
    if coarse:
        return failure("wrong_dtype", dtype=coarse)
    found = failure(misconception, **numbers)
    if shapes_of(results) != shapes_of(right):
        expected, actual = shapes_of(right), shapes_of(results)
        return Failure(found.message, found.misconceptions, expected, actual)
    return found


def _on_special_scores(trial: Trial, name: str) -> Failure | None:
    scores = stable_scores(name)
    answer = guarded(lambda: Answer(trial.answer(scores.clone())), local=False)
    try:
        (found,) = usable(trial.kind, answer)
    except Unusable as error:
        return Failure(f"With {_kind(name)} your code failed. {error.failed.message}", ("raises",))
    right = scores.double().softmax(-1)
    # Around 1e4 float32 numbers stand 1e-3 apart: a log-sum-exp is right only up to that.
    if close(found, right, 1e-2 if name == "large" else 1e-4):
        return None
    if name == "masked":
        at = torch.isinf(scores)
        wrong = at & ~(found.abs() <= 1e-6) if found.shape == scores.shape else at
        got = (
            found[wrong][0].item()
            if found.shape == scores.shape and bool(wrong.any())
            else "a wrong row"
        )
        shown = "NaN" if got != got else (f"{got:.3g}" if isinstance(got, float) else got)
        return failure("minus_infinity_lost", got=shown)
    if bool(torch.isnan(found).any()) or bool(torch.isinf(found).any()):
        return failure("no_maximum_subtracted", size="10,000")
    if found.shape == scores.shape:
        row = (found.sum(-1) - 1).abs().flatten()
        worst = float(found.sum(-1).flatten()[row.argmax()])
        if abs(worst - 1) > 1e-3:
            return failure("no_maximum_subtracted", size=f"10,000 (a row then sums to {worst:.3g})")
    return failure("no_maximum_subtracted", size="10,000")


def _kind(name: str) -> str:
    return "scores up to 10,000" if name == "large" else "a score of minus infinity"


def _violated(trial: Trial, name: str) -> Failure:
    """No name for it: say which property does not hold, with numbers."""
    found, right = trial.results(name), trial.expected(name)
    sentences = []
    for label, f, r in zip(_labels(trial), found, right, strict=True):
        if f.shape != r.shape or close(f, r):
            continue
        if bool(torch.isnan(f).any()):
            return failure("nan_result", count=int(torch.isnan(f).sum()))
        if "weights" in label:
            sums = f.sum(-1)
            if not close(sums, torch.ones_like(sums), 1e-3):
                row = int((sums - 1).abs().flatten().argmax()) % sums.shape[-1]
                total = float(sums.flatten()[(sums - 1).abs().flatten().argmax()])
                sentences.append(f"{label}: row {row} sums to {total:.3g}, not 1.")
            if bool((f < -1e-6).any()):
                sentences.append(f"{label}: {int((f < -1e-6).sum())} weights are negative.")
        wrong = ~torch.isclose(f, r, rtol=1e-4, atol=1e-4)
        sentences.append(
            f"{label}: {int(wrong.sum())} of {wrong.numel()} entries differ from the reference, "
            f"by up to {_short(float((f - r).abs().max()))}."
        )
    return Failure(
        " ".join(sentences[:2]) + " Compare the formula with your code, step by step.",
        details=tuple(sentences[2:]),
    )


def _labels(trial: Trial) -> tuple[str, ...]:
    from attention_course.checks.trial import RESULTS

    return RESULTS[trial.kind]


def _short(value: float) -> str:
    return "infinity" if math.isinf(value) else f"{value:.3g}"


def _listed(names: list[str]) -> str:
    layers = [f"the {name} layer" for name in names]
    return " and ".join(layers) if len(layers) < 3 else "any of the three layers"


__all__ = ["Check", "checks_of", "show"]
