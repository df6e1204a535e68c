"""The student's answers beside the reference: largest error, and time."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from attention_course.comparisons.answers import (
    AnswerProblem,
    call,
    name_of,
    one_of_a_batch,
    sentences_for,
    tensor,
)
from attention_course.comparisons.result import Comparison, facts, nothing, told
from attention_course.comparisons.timing import microseconds, times_panel
from attention_course.views.matrices import ViewError, drawing_is_off, read_tokens
from attention_course.views.pictures import compare
from attention_course.views.view import View

if TYPE_CHECKING:
    from torch import Tensor

TITLE = "Yours and the reference"
# Float32 rounding was measured at 2e-6; the smallest fault at 0.08.
AGREES = 1e-4
NOTICEABLE = 2.0  # on a busy computer, equal code was measured at ratios up to 1.8
ANSWERS = (
    "linear_projections",
    "scaled_dot_product_scores",
    "softmax_weights",
    "aggregate_values",
    "AttentionHead",
)


@dataclass(frozen=True, slots=True)
class _Measured:
    """One answer beside its reference; ``problem`` says why there are no numbers."""

    error: float = math.nan
    yours_us: float = math.nan
    reference_us: float = math.nan
    problem: str = ""
    weights: tuple[Any, Any] | None = None

    @property
    def agrees(self) -> bool:
        return self.error < AGREES


def against_reference(
    embeddings: Any, projections: Sequence[Any], tokens: Any, *answers: Callable[..., Any]
) -> Comparison:
    """Largest error and time of each of the student's answers, on the reference's own inputs.

    ``embeddings`` [n, d_model] or [1, n, d_model]; ``projections``: W_q, W_k [d_model, d_k] and
    W_v [d_model, d_v]; ``answers``: any of the lesson's four functions and AttentionHead (the
    class or an instance), known by their names. A wrong answer does not spoil the next one: each
    gets what the reference computed before it. Numbers, for each answer: "error", "yours_us" and
    "reference_us" (NaN if it failed), "problem".
    """
    if drawing_is_off():
        return nothing()
    x = one_of_a_batch(embeddings, "embeddings")
    if len(projections) != 3:
        raise ViewError(f"projections must be (W_q, W_k, W_v); {len(projections)} came.")
    labels = read_tokens(tokens)
    if len(labels) != x.shape[1]:
        raise ViewError(f"embeddings has {x.shape[1]} rows, but there are {len(labels)} tokens.")
    named = {name_of(answer): answer for answer in answers}
    for name in named:
        if name not in ANSWERS:
            raise ViewError(f"{name} is none of the lesson's answers: {', '.join(ANSWERS)}.")
    if not named:
        return told(TITLE, "Give at least one of your answers to compare.")
    inputs = _inputs(x, projections)
    measured = {name: _measure(name, named[name], inputs) for name in ANSWERS if name in named}
    numbers = {
        name: {
            "error": each.error,
            "yours_us": each.yours_us,
            "reference_us": each.reference_us,
            "problem": each.problem,
        }
        for name, each in measured.items()
    }
    sentence = _sentence(measured)
    view = _view(measured, labels, sentence)
    whole = all(not each.problem for each in measured.values())
    return Comparison(sentence, numbers, view, problem=not whole)


def _inputs(x: Tensor, projections: Sequence[Any]) -> dict[str, tuple[Any, ...]]:
    """What each answer is called with: the reference's own results so far."""
    import torch

    from reference_attention import (
        linear_projections,
        scaled_dot_product_scores,
        softmax_weights,
    )

    matrices = [matrix.detach().to(x.dtype) for matrix in projections]
    try:
        queries, keys, values = linear_projections(x, *matrices)
        scores = scaled_dot_product_scores(queries, keys)
    except RuntimeError as error:
        shapes = ", ".join(str(list(matrix.shape)) for matrix in matrices)
        raise ViewError(
            f"embeddings {list(x.shape)} and projections {shapes} do not fit ({error})."
        ) from None
    assert isinstance(scores, torch.Tensor)
    return {
        "linear_projections": (x, *matrices),
        "scaled_dot_product_scores": (queries, keys),
        "softmax_weights": (scores,),
        "aggregate_values": (softmax_weights(scores), values),
        "AttentionHead": (x, queries.shape[-1], values.shape[-1]),
    }


def _measure(name: str, answer: Callable[..., Any], inputs: Mapping[str, Any]) -> _Measured:
    import reference_attention

    arguments = inputs[name]
    try:
        if name == "AttentionHead":
            answer, reference = _heads(answer, *arguments)
            arguments = arguments[:1]
        else:
            reference = getattr(reference_attention, name)
        expected = _parts(reference(*arguments))
        result = call(name, answer, *arguments)
        if len(expected) > 1 and not (isinstance(result, tuple | list)):
            raise AnswerProblem(f"{name} must return {len(expected)} tensors, one after another.")
        found = _parts(result)
        if len(found) != len(expected):
            raise AnswerProblem(f"{name} gave {len(found)} tensors; {len(expected)} are needed.")
        pairs = [
            (tensor(name, mine, tuple(theirs.shape)), theirs.detach())
            for mine, theirs in zip(found, expected, strict=True)
        ]
        with sentences_for(name):
            yours_us, reference_us = microseconds(answer, reference, arguments)
    except AnswerProblem as problem:
        return _Measured(problem=str(problem))
    return _Measured(
        # A NaN anywhere makes the error NaN, which agrees with nothing.
        error=max(
            (float((mine - theirs).abs().max()) for mine, theirs in pairs),
            key=lambda size: math.inf if math.isnan(size) else size,
        ),
        yours_us=yours_us,
        reference_us=reference_us,
        weights=pairs[-1] if name in ("softmax_weights", "AttentionHead") else None,
    )


def _heads(answer: Any, x: Tensor, d_k: int, d_v: int) -> tuple[Any, Any]:
    """The student's head and a reference head with the same parameters."""
    import torch

    from reference_attention import AttentionHead

    d_model, name = x.shape[-1], "AttentionHead"
    with sentences_for(name), torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        head = answer(d_model, d_k, d_v) if isinstance(answer, type) else answer
        state = {key: value.detach().clone() for key, value in head.state_dict().items()}
        d_k, d_v = (int(state[f"{part}.weight"].shape[0]) for part in ("query", "value"))
        reference = AttentionHead(d_model, d_k, d_v)
        reference.load_state_dict(state)
    return head, reference.to(x.dtype)


def _parts(result: Any) -> list[Any]:
    return list(result) if isinstance(result, tuple | list) else [result]


def _sentence(measured: Mapping[str, _Measured]) -> str:
    broken = {name: each for name, each in measured.items() if each.problem}
    off = {n: each for n, each in measured.items() if not each.problem and not each.agrees}
    good = {n: each for n, each in measured.items() if each.agrees}
    said = []
    if broken:
        first = next(iter(broken.values()))
        more = f" ({len(broken) - 1} more could not be compared.)" if len(broken) > 1 else ""
        said.append(first.problem + more)
    if off:
        worst = ", ".join(f"{name} by {each.error:.2g}" for name, each in off.items())
        said.append(f"Differs from the reference: {worst}. Run its check.")
    if good:
        largest = max(each.error for each in good.values())
        who = "Every answer agrees" if len(good) == len(measured) > 1 else _listed(good)
        said.append(
            f"{who} with the reference to within {largest:.0e}, which is rounding."
            if largest
            else f"{who} with the reference exactly."
        )
        said.append(_about_time(good))
    return " ".join(said)


def _about_time(good: Mapping[str, _Measured]) -> str:
    ratios = {name: each.yours_us / each.reference_us for name, each in good.items()}
    slowest = max(ratios, key=lambda name: ratios[name])
    if ratios[slowest] < NOTICEABLE:
        return "None takes noticeably longer than the reference."
    return (
        f"The slowest beside the reference is {slowest}, with {ratios[slowest]:.1f} times its time "
        "(times are noisy)."
    )


def _listed(good: Mapping[str, _Measured]) -> str:
    names = list(good)
    joined = " and ".join([", ".join(names[:-1]), names[-1]]) if names[1:] else names[0]
    return f"{joined} {'agree' if names[1:] else 'agrees'}"


def _view(measured: Mapping[str, _Measured], tokens: tuple[str, ...], sentence: str) -> View:
    view = View()
    shown = next((each.weights for each in measured.values() if each.weights), None)
    if shown is not None:
        view = compare(*shown, tokens, names=("Your weights", "The reference's weights"))
    timed = {n: (e.yours_us, e.reference_us) for n, e in measured.items() if not e.problem}
    panels = (times_panel(timed), *view.panels) if timed else view.panels
    table = facts(
        "Times: median of short runs on one thread, in microseconds; another run on a busy "
        "computer may differ by half",
        ("largest error", "your time", "reference's time", "ratio"),
        {
            name: (
                (
                    f"{each.error:.1e}" if each.error else "0",
                    f"{each.yours_us:.1f}",
                    f"{each.reference_us:.1f}",
                    f"{each.yours_us / each.reference_us:.1f}",
                )
                if not each.problem
                else ("not compared", "", "", "")
            )
            for name, each in measured.items()
        },
    )
    return dataclasses.replace(view, title=TITLE, sentence=sentence, panels=panels, facts=(table,))
