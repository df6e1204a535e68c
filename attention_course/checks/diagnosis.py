"""Finds the name of a fault from the numbers it makes.

A candidate is a setting of the switches in :mod:`pipeline`. It names the fault only if its
numbers equal the student's on one fixture *and* on a second one of other sizes, and if no
other candidate does the same; single faults are tried before pairs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import torch
from torch import Tensor

from attention_course.checks.candidates import CANDIDATES, Candidate, rounded
from attention_course.checks.misconceptions import MISCONCEPTIONS, message_of
from attention_course.checks.observe import ARGUMENTS, WrongLayers, show
from attention_course.checks.trial import (
    Failure,
    Trial,
    Unusable,
    close,
    failure,
    quoted,
    shapes_of,
)
from attention_course.verdict import AnswerStopped

Ids = tuple[str, ...]
Results = tuple[Tensor, ...]
PAIRS_OF_FIXTURES = (("first", "second"), ("square", "square_too"))


def diagnose(trial: Trial) -> Failure | None:
    """The named fault of an answer whose numbers are wrong, or None."""
    return _by_behaviour(trial) or _by_numbers(trial)


def diagnose_error(trial: Trial, error: BaseException) -> Failure:
    """The failure of an answer that raises on a batch of several sentences of odd sizes."""
    if isinstance(error, NotImplementedError):
        return failure("not_started")
    if isinstance(error, AnswerStopped):
        return failure("stopped", error=str(error))
    if isinstance(error, WrongLayers):
        return wrong_layers(error)
    if isinstance(error, ImportError) and "reference_attention" in str(error):
        return failure("ready_made", names="reference_attention")  # not there while grading
    if isinstance(error, NameError) and not isinstance(error, UnboundLocalError):
        return failure("raises", error=quoted(error))
    problem = quoted(error)
    by_numbers = _by_numbers(trial, (PAIRS_OF_FIXTURES[1],))
    called = _called_with(trial)
    if by_numbers is not None:
        where = f"Where the sizes differ, it raises {problem}."
        return Failure(by_numbers.message, by_numbers.misconceptions, details=(where, called))
    right = {name: trial.right_on(name) for name in ("no_batch", "square", "prompt")}
    note = (f"It raised {problem}.", called)
    if right["no_batch"]:
        return Failure(message_of("no_batch"), ("no_batch",), details=note)
    if right["prompt"] and not right["square"]:
        return Failure(message_of("hard_coded_shape"), ("hard_coded_shape",), details=note)
    found = failure("square_only" if right["square"] else "raises", problem=problem, error=problem)
    return Failure(found.message, found.misconceptions, details=(called,))


def _called_with(trial: Trial) -> str:
    """The shapes that went in, and what should have come out."""
    inputs = zip(ARGUMENTS[trial.kind], trial.fixture("first").inputs, strict=True)
    given = " and ".join(f"{name} {show(tensor.shape)}" for name, tensor in inputs)
    return f"It was called with {given}; expected {shapes_of(trial.expected('first'))}."


def wrong_layers(error: WrongLayers) -> Failure:
    """Which of the expected layers are missing, without a bias, or of another size."""
    layers = ("query", "key", "value")
    missing = [name for name in layers if f"{name}.weight" not in error.found]
    if missing:
        others = sorted({name.rpartition(".")[0] or name for name in error.found})
        return failure("wrong_layer_names", found=", ".join(others)[:200] or "no layers at all")
    for layer in layers:
        found, wanted = error.found[f"{layer}.weight"], error.wanted[f"{layer}.weight"]
        if found != wanted:
            sizes = "{1} to {0}".format(*wanted)
            got = "{1} to {0}".format(*found) if len(found) == 2 else show(found)
            return failure("wrong_layer_sizes", layer=layer, wanted=sizes, found=got)
    return failure("no_biases")


# -- what the answer does, whatever the numbers are -----------------------------------------


def _by_behaviour(trial: Trial) -> Failure | None:
    try:
        found = trial.results("first")
        again = trial.results("first", again=1)
    except Unusable as error:
        return error.failed
    if any(bool(torch.isnan(f).any()) for f in found):
        return failure("nan_result", count=sum(int(torch.isnan(f).sum()) for f in found))
    if all(not f.any() for f in found):
        return failure("all_zeros")
    coarse = coarse_dtype(trial, "first")
    if coarse:
        return failure("wrong_dtype", dtype=coarse)
    if not _same(found, again):
        return _random(trial, found, again)
    if trial.kind == "attention_weights" and all(close(f, torch.ones_like(f)) for f in found):
        return None  # a softmax over one entry: the numbers have a name
    if all(f.numel() > 1 and close(f, f.flatten()[0].expand_as(f)) for f in found):
        return failure("constant", value=f"{float(found[0].flatten()[0]):.3g}")
    other = trial.tried("other")
    if other is not None and _same(found, other):
        return failure("ignores_inputs")
    return None


def coarse_dtype(trial: Trial, name: str) -> str:
    """Whether right numbers were rounded by a dtype on their way, and to which."""
    found, right = trial.results(name), trial.expected(name)
    if [f.shape for f in found] != [r.shape for r in right]:
        return ""
    value = trial.observe(name).value
    with torch._C.DisableTorchFunctionSubclass():
        if issubclass(type(value), Tensor) and not value.is_floating_point():
            return "whole numbers"
    if trial.kind == "attention_weights" and rounded(found[0], trial.fixture(name)):
        return ""  # rounded by hand, which has a name of its own
    for words, cut in (
        ("whole numbers", lambda t: t.trunc()),
        ("whole numbers", lambda t: t.round()),
        ("half precision", lambda t: t.half().double()),
        ("half precision", lambda t: t.bfloat16().double()),
    ):
        # Rounding on the way differs from rounding at the end by a step or two.
        step = 1e-6 if words == "whole numbers" else 5e-3
        if all(close(f, cut(r), step) for f, r in zip(found, right, strict=True)):
            return words
    return ""


def _same(left: Results, right: Results) -> bool:
    return [x.shape for x in left] == [x.shape for x in right] and all(
        torch.equal(x.nan_to_num(7.25), y.nan_to_num(7.25))
        for x, y in zip(left, right, strict=True)
    )


def _random(trial: Trial, found: Results, again: Results) -> Failure:
    if trial.kind not in ("attention_head", "simple_attention"):
        return failure("random_result")
    extra = _extra_parameters(trial)
    if extra:
        return failure("output_projection_added", found=extra)
    right = trial.expected("first")
    if [f.shape for f in found] == [r.shape for r in right]:
        for f, a, r in zip(found, again, right, strict=True):
            # Dropout leaves every entry at zero or at the same multiple of what it was.
            if bool((f == 0).any()) and bool((a == 0).any()) and not bool((r == 0).any()):
                return failure("dropout_left_on")
        if close(found[-1], right[-1]) != close(again[-1], right[-1]):
            return failure("dropout_left_on")
        if _dropped_inside(found, again, right):
            return failure("dropout_left_on")
    return failure("random_weights")


def _extra_parameters(trial: Trial) -> str:
    """Layers of a head beside the three: a fixture cannot load them, so they start at random."""
    module, fixture = trial.observe("first").extra.get("module"), trial.fixture("first")
    try:
        names = set(module.state_dict()) - set(fixture.state or {})  # type: ignore[union-attr]
    except Exception:
        return ""
    return ", ".join(sorted({str(name).rpartition(".")[0] or str(name) for name in names}))[:200]


def _dropped_inside(found: Results, again: Results, right: Results) -> bool:
    """Weights right, output a mixture in which some weights were dropped at random."""
    if len(right) < 2 or not (close(found[1], right[1]) and close(again[1], right[1])):
        return False
    return not close(found[0], again[0])


# -- what the numbers are -------------------------------------------------------------------


def _by_numbers(
    trial: Trial, pairs: Iterable[tuple[str, str]] = PAIRS_OF_FIXTURES
) -> Failure | None:
    for first, second in pairs:
        one, two = trial.tried(first), trial.tried(second)
        if one is None or two is None:
            continue
        fixtures = trial.fixture(first), trial.fixture(second)
        for candidates in CANDIDATES.get(trial.kind, ()):
            matched = dict(_matching(candidates(fixtures, (one, two))))
            matched.pop((), None)
            if first == "square":
                matched = _on_squares(trial.kind, matched)
            if len(matched) == 1:
                ids, numbers = next(iter(matched.items()))
                return together(ids, numbers)
            if matched:
                return _one_of(list(matched))
    return None


def _on_squares(kind: str, matched: dict[Ids, dict[str, object]]) -> dict[Ids, dict[str, object]]:
    """On squares a reshape moves nothing: what looks like one is a transposition left out."""
    reshape = "reshape_instead_of_transpose"
    if kind == "value_aggregation":
        return {ids: numbers for ids, numbers in matched.items() if reshape not in ids}
    return {
        tuple("not_transposed" if name == reshape else name for name in ids): numbers
        for ids, numbers in matched.items()
    }


def _matching(candidates: Iterator[Candidate | None]) -> Iterator[Candidate]:
    return (candidate for candidate in candidates if candidate is not None)


def together(ids: Ids, numbers: dict[str, object]) -> Failure:
    """The failure for one named fault, or for two that come together."""
    if len(ids) == 1:
        return Failure(message_of(ids[0], **numbers), ids)
    titles = " and ".join(f"“{MISCONCEPTIONS[name].title}”" for name in ids)
    messages = [message_of(name, **numbers) for name in ids]
    return Failure(f"Two things at once: {titles}. {messages[0]}", ids, details=tuple(messages[1:]))


def _one_of(found: list[Ids]) -> Failure:
    names = [" with ".join(MISCONCEPTIONS[name].title for name in ids) for ids in found]
    listed = " or ".join(f"“{name}”" for name in names[:4])
    return Failure(f"The numbers are those of {listed}; which one fits your code?")
