"""Runs a known answer on fixtures of the tests' own and tells where it departs from the oracle.

The oracle is torch's scaled_dot_product_attention and einsum in float64; nothing of the course.
"""

from __future__ import annotations

import contextlib
import copy
import io
import math
import warnings
from dataclasses import dataclass, field
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

ATOL = 1e-4  # float32 noise is about 2e-6 here, the smallest fault about 0.004 (rounded weights)
READY_MADE = ("reference_attention", "scaled_dot_product_attention", "MultiheadAttention")
LETTERS = "...qd,...kd->...qk"
BASICS = ("projections", "scores", "weights", "output")

# name: (leading dimensions, n_q, n_k, d_model, d_k, d_v); all sizes of one differ, but in the
# prompt and the squares, where some faults give numbers instead of an error
SIZES = {
    "batch": ((2,), 5, 7, 6, 3, 4),
    "other batch": ((3,), 4, 6, 8, 5, 7),
    "one sentence": ((), 4, 5, 7, 6, 3),
    "two batches": ((2, 3), 4, 6, 8, 5, 7),
    "prompt": ((1,), 6, 6, 64, 64, 64),
    "square": ((3,), 5, 5, 5, 5, 5),
    "larger square": ((2,), 7, 7, 7, 7, 7),
}


def inputs_for(exercise: str, name: str) -> tuple[tuple[Tensor, ...], dict[str, Tensor], tuple]:
    """Arguments of the call, the parameters to load, and the arguments of the constructor."""
    lead, n, m, d, k, v = SIZES[name]
    rng = torch.Generator().manual_seed(sum(map(ord, exercise + name)))

    def normal(*shape: int) -> Tensor:
        return torch.randn(shape, generator=rng)

    if exercise == "linear_projections":
        return (normal(*lead, n, d), *(0.7 * normal(d, w) for w in (k, k, v))), {}, ()
    if exercise == "attention_scores":
        return (normal(*lead, n, k), normal(*lead, m, k)), {}, ()
    if exercise == "attention_weights":
        return (1.5 * normal(*lead, n, m),), {}, ()
    if exercise == "value_aggregation":
        return (torch.softmax(1.5 * normal(*lead, n, m), -1), normal(*lead, m, v)), {}, ()
    widths = (d, d, d) if exercise in BASICS else (k, k, v)
    state = {}
    for layer, width in zip(("query", "key", "value"), widths, strict=True):
        state[f"{layer}.weight"] = normal(width, d) * (0.7 if exercise not in BASICS else 0.35)
        state[f"{layer}.bias"] = normal(width).sign() * (0.5 + torch.rand(width, generator=rng))
    return (normal(*lead, n, d),), state, (d,) if exercise in BASICS else (d, k, v)


def projected(x: Tensor, state: dict[str, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
    made = (
        torch.einsum("...nd,kd->...nk", x.double(), state[f"{layer}.weight"].double())
        + state[f"{layer}.bias"].double()
        for layer in ("query", "key", "value")
    )
    q, k, v = made
    return q, k, v


def oracle(exercise: str, inputs: tuple[Tensor, ...], state: dict[str, Tensor]) -> tuple:
    """What is right, in float64."""
    x = [tensor.double() for tensor in inputs]
    if exercise == "linear_projections":
        return tuple(torch.einsum("...nd,dk->...nk", x[0], W) for W in x[1:])
    if exercise == "attention_scores":
        return (torch.einsum(LETTERS, x[0], x[1]) / math.sqrt(x[0].shape[-1]),)
    if exercise == "attention_weights":
        eye = torch.eye(x[0].shape[-1], dtype=torch.float64)
        expanded = eye.expand(*x[0].shape[:-2], *eye.shape)
        return (F.scaled_dot_product_attention(x[0], expanded, expanded, scale=1.0),)
    if exercise == "value_aggregation":
        return (torch.einsum("...qk,...kv->...qv", x[0], x[1]),)
    q, k, v = projected(x[0], state)
    scale = 1.0 if exercise in BASICS else 1 / math.sqrt(q.shape[-1])
    eye = torch.eye(q.shape[-2], dtype=torch.float64).expand(*q.shape[:-1], q.shape[-2])
    return (
        F.scaled_dot_product_attention(q, k, v, scale=scale),
        F.scaled_dot_product_attention(q, k, eye, scale=scale),
    )


class CallsWatched(TorchFunctionMode):
    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()

    def __torch_function__(self, func, types, args=(), kwargs=None):
        self.seen.add(getattr(func, "__name__", ""))
        return func(*args, **(kwargs or {}))


@dataclass
class Call:
    """What one call gave: results as a tuple, or the error; and what it did besides."""

    results: Any = None
    error: Exception | None = None
    departures: set[str] = field(default_factory=set)


class Answer:
    """A known answer, defined in a namespace like that of the lesson's set-up cell."""

    def __init__(self, known) -> None:
        self.known = known
        self.exercise = known.exercise
        self.is_class = self.exercise == "attention_head" or self.exercise in BASICS
        namespace = {"torch": torch, "nn": nn, "F": F, "math": math, "__name__": "__main__"}
        exec(compile(known.source, known.name, "exec"), namespace)
        name = {
            "linear_projections": "linear_projections",
            "attention_scores": "scaled_dot_product_scores",
            "attention_weights": "softmax_weights",
            "value_aggregation": "aggregate_values",
            "attention_head": "AttentionHead",
        }.get(self.exercise, "SimpleAttention")
        self.answer = namespace[name]

    def call(self, inputs, state, sizes) -> Call:
        """Call it twice, and compare everything but the numbers with what was agreed."""
        call = Call()
        before = copy.deepcopy(inputs)
        with _quiet(), CallsWatched() as watched:
            try:
                target = self.answer
                if self.is_class:
                    target = self.answer(*sizes)
                    target.load_state_dict(state)
                    target.eval()
                raw = target(*inputs)
                kept = copy.deepcopy(_tensors(raw))
                weights = getattr(target, "attention_weights", None) if self.is_class else None
                again = target(*[tensor.clone() for tensor in before])
            except Exception as error:
                call.error = error
                call.departures.add("error")
                return call
        if "scaled_dot_product_attention" in watched.seen:
            call.departures.add("ready made")
        if any(a.shape != b.shape or not a.equal(b) for a, b in zip(before, inputs, strict=True)):
            call.departures.add("changed input")
        if not _same(kept, _tensors(again)):
            call.departures.add("second call")
        call.results = raw
        if self.exercise in BASICS:
            raw = (raw, weights)
        elif not isinstance(raw, tuple | list):
            raw = (raw,)
        call.results = raw
        count = {"linear_projections": 3}.get(self.exercise, 2 if self.is_class else 1)
        if len(raw) != count or not all(isinstance(r, Tensor) for r in raw):
            call.departures.add("results")
            return call
        if any(r.dtype != torch.float32 for r in raw):
            call.departures.add("dtype")
        if self.is_class and not _learns(target, raw):
            call.departures.add("gradient")
        return call

    def departures(self, name: str) -> set[str]:
        """Where it departs from the oracle on the fixture of that name."""
        inputs, state, sizes = inputs_for(self.exercise, name)
        expected = oracle(self.exercise, inputs, state)
        call = self.call(inputs, state, sizes)
        if call.departures & {"error", "results"}:
            return call.departures
        return call.departures | numbers_departing(call.results, expected)


def numbers_departing(results, expected) -> set[str]:
    if any(r.shape != e.shape for r, e in zip(results, expected, strict=True)):
        return {"shape"}
    if any(bool(r.isnan().any()) for r in results):
        return {"nan"}
    if all(close(r, e) for r, e in zip(results, expected, strict=True)):
        return set()
    return {"numbers"}


def close(result: Tensor, expected: Tensor, atol: float = ATOL) -> bool:
    return result.shape == expected.shape and torch.allclose(
        result.detach().double(), expected, atol=atol, rtol=1e-5
    )


def _tensors(raw: Any) -> list[Tensor]:
    if isinstance(raw, dict):
        raw = list(raw.values())
    if not isinstance(raw, tuple | list):
        raw = [raw]
    return [r.detach().clone() for r in raw if isinstance(r, Tensor)]


def _same(first: list[Tensor], second: list[Tensor]) -> bool:
    return len(first) == len(second) and all(
        a.shape == b.shape and torch.allclose(a, b, equal_nan=True)
        for a, b in zip(first, second, strict=True)
    )


def _learns(head: nn.Module, results: tuple[Tensor, ...]) -> bool:
    """Whether a gradient reaches the weights of all three layers from the output."""
    try:
        results[0].square().sum().backward()
    except RuntimeError:
        return False
    weights = [p for name, p in head.named_parameters() if name.endswith("weight")]
    return all(w.grad is not None and bool((w.grad != 0).any()) for w in weights)


@contextlib.contextmanager
def _quiet():
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


class Workbench:
    """What the tests of this room use."""

    Answer = Answer
    READY_MADE = READY_MADE
    inputs_for = staticmethod(inputs_for)
    oracle = staticmethod(oracle)
    projected = staticmethod(projected)
    close = staticmethod(close)

    @staticmethod
    def fixtures(exercise: str) -> tuple[str, ...]:
        """The fixtures that an answer must be right on; only SimpleAttention's x has one batch."""
        both = ("batch", "other batch")
        return both if exercise in BASICS else (*both, "one sentence", "two batches")


@pytest.fixture(scope="session")
def bench() -> type[Workbench]:
    return Workbench
