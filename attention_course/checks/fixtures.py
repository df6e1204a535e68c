"""Inputs on which right and wrong answers differ.

A check is only as good as its fixture: with weights of standard deviation 0.02, no biases and
equal sizes, a head without scaling or with swapped projections passes. Here all sizes differ,
weights have standard deviation 0.7 and biases are not zero; :func:`lint` refuses anything less
for a fixture that judges. Measured on such fixtures: float32 noise at most 2e-6, the smallest
fault 0.08.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from functools import partial

import torch
from torch import Tensor

from attention_course.checks.sessions import seed_for
from attention_course.exercise import Fixture

STD = 0.7
LEAST_STD = 0.3
SIZES = ("batch", "n_q", "n_k", "d_model", "d_k", "d_v")

# Each name's sizes all differ; "first" and "second" share none, so that a name for a fault
# that is confirmed on the second cannot be an accident of the first one's sizes.
DIMENSIONS: dict[str, dict[str, int]] = {
    "first": {"batch": 2, "n_q": 5, "n_k": 7, "d_model": 6, "d_k": 3, "d_v": 4},
    "second": {"batch": 3, "n_q": 4, "n_k": 6, "d_model": 8, "d_k": 5, "d_v": 7},
    # The first one's sizes with other numbers: an answer that ignores its input shows here.
    "other": {"batch": 2, "n_q": 5, "n_k": 7, "d_model": 6, "d_k": 3, "d_v": 4},
    "no_batch": {"batch": 0, "n_q": 4, "n_k": 5, "d_model": 7, "d_k": 6, "d_v": 3},
    "two_batches": {"batch": 2, "n_q": 3, "n_k": 6, "d_model": 7, "d_k": 8, "d_v": 4},
    "one_token": {"batch": 2, "n_q": 1, "n_k": 4, "d_model": 6, "d_k": 5, "d_v": 3},
    "prompt": {"batch": 1, "n_q": 6, "n_k": 6, "d_model": 64, "d_k": 64, "d_v": 64},
    "square": {"batch": 3, "n_q": 5, "n_k": 5, "d_model": 5, "d_k": 5, "d_v": 5},
    "square_too": {"batch": 2, "n_q": 4, "n_k": 4, "d_model": 4, "d_k": 4, "d_v": 4},
}
# A head is made for its sizes: these keep the first one's, and so can share its instance.
SIZES_OF_THE_FIRST = {"d_model": 6, "d_k": 3, "d_v": 4}
HEAD_DIMENSIONS: dict[str, dict[str, int]] = {
    **DIMENSIONS,
    "no_batch": {"batch": 0, "n_q": 8, "n_k": 7, **SIZES_OF_THE_FIRST},
    "two_batches": {"batch": 2, "n_q": 8, "n_k": 7, **SIZES_OF_THE_FIRST},
    "one_token": {"batch": 2, "n_q": 1, "n_k": 7, **SIZES_OF_THE_FIRST},
}
SECOND_BATCH = 5
# These serve diagnosis alone: they find out which sizes a wrong answer takes for granted.
DIAGNOSTIC = ("prompt", "square", "square_too")


class DegenerateFixture(ValueError):
    """A fixture on which wrong answers look right."""


def draw(kind: str, name: str) -> Fixture:
    """The fixture ``name`` for answers of ``kind``, from a seed and a generator of its own.

    ``kind`` is "linear_projections", "attention_scores", "attention_weights",
    "value_aggregation", "attention_head" or "simple_attention".
    """
    is_head = kind in ("attention_head", "simple_attention")
    sizes = (HEAD_DIMENSIONS if is_head else DIMENSIONS)[name]
    seed = seed_for(kind, name)
    generator = torch.Generator().manual_seed(seed)
    batches: tuple[int, ...] = (sizes["batch"],)
    lead = {"no_batch": (), "two_batches": (*batches, SECOND_BATCH)}.get(name, batches)
    normal = partial(_normal, generator)

    if name == "prompt" and kind == "linear_projections":
        lead = ()  # the lesson projects its one sentence before it adds a batch axis

    n, m, d, k, v = (sizes[s] for s in ("n_q", "n_k", "d_model", "d_k", "d_v"))
    state: Mapping[str, Tensor] | None = None
    arguments: tuple[int, ...] = ()
    if kind == "linear_projections":
        matrices = (normal(d, k, std=STD), normal(d, k, std=STD), normal(d, v, std=STD))
        inputs: tuple[Tensor, ...] = (normal(*lead, n, d), *matrices)
    elif kind == "attention_scores":
        inputs = (normal(*lead, n, k), normal(*lead, m, k))
    elif kind == "attention_weights":
        inputs = (normal(*lead, n, m, std=1.5),)
    elif kind == "value_aggregation":
        inputs = (torch.softmax(normal(*lead, n, m, std=1.5), dim=-1), normal(*lead, m, v))
    elif kind == "attention_head":
        inputs, arguments = (normal(*lead, n, d),), (d, k, v)
        state = _layers(kind, d, (k, k, v))
    else:
        # Unscaled scores grow with n_embd: smaller weights keep softmax off its flat ends.
        inputs, arguments = (normal(*lead, n, d),), (d,)
        state = _layers(kind, d, (d, d, d), std=STD / math.sqrt(d) * 1.2)
    fixture = Fixture(
        name=name,
        seed=seed,
        dimensions=sizes,
        inputs=inputs,
        sizes=arguments,
        state=state,
        purpose="diagnose" if name in DIAGNOSTIC else "judge",
    )
    lint(fixture, kind)
    return fixture


def _normal(generator: torch.Generator, *shape: int, std: float = 1.0) -> Tensor:
    """Normal numbers of exactly this standard deviation, none far out.

    So no seed draws a degenerate fixture, nor scores so far apart that exp of their difference
    is lost in float32 where one maximum is taken off them all.
    """
    # A notebook may have another default dtype; the fixtures stay float32.
    drawn = torch.randn(shape, generator=generator, dtype=torch.float32).clamp(-2, 2)
    return drawn * (std / drawn.std())


def _layers(kind: str, d: int, widths: tuple[int, ...], std: float = STD) -> dict[str, Tensor]:
    """Weights and biases of the three layers; their seed depends on the sizes alone."""
    generator = torch.Generator().manual_seed(seed_for(kind, "layers", d, *widths))
    state = {}
    for layer, width in zip(("query", "key", "value"), widths, strict=True):
        state[f"{layer}.weight"] = _normal(generator, width, d, std=std)
        # Away from zero, where a dropped bias would not show; bounded, so that scores are too.
        size = 0.5 + torch.rand(width, generator=generator, dtype=torch.float32)
        sign = torch.randint(2, (width,), generator=generator) * 2 - 1
        state[f"{layer}.bias"] = sign * size
    return state


def stable_scores(name: str) -> Tensor:
    """Scores that overflow a naive softmax: "large" up to 1e4, "masked" with minus infinity.

    Every row of the large ones reaches 1e4, so that taking off one maximum for all is as good
    as one for each row.
    """
    generator = torch.Generator().manual_seed(seed_for("attention_weights", name))
    scores = _normal(generator, 2, 4, 6)
    if name == "large":
        return scores * 2 + torch.tensor([1e4, 0.0, 1e4, 0.0, 1e4, 0.0])
    mask = torch.rand((2, 4, 6), generator=generator) < 0.4
    mask[..., 0] = False  # every query keeps a key: a row of nothing has no right answer
    mask[..., 1] = True
    return scores.masked_fill(mask, -math.inf)


def with_large_scores(fixture: Fixture) -> Fixture:
    """A head's fixture whose scores are all about 200, where exp overflows float32.

    Large biases make them so, and smaller weights keep every row's maximum within 80 of the
    others, so that taking off one maximum for all is as good as one for each row.
    """
    assert fixture.state is not None
    d_k = fixture.state["query.bias"].shape[0]
    large = torch.full((d_k,), math.sqrt(200 / math.sqrt(d_k)), dtype=torch.float32)
    state = {
        name: tensor * 0.05 if name in ("query.weight", "key.weight") else tensor
        for name, tensor in fixture.state.items()
    }
    state |= {"query.bias": large, "key.bias": large.clone()}
    return dataclasses.replace(fixture, name="large", state=state, purpose="diagnose")


def lint(fixture: Fixture, kind: str) -> None:
    """Refuse a fixture on which known wrong answers would pass.

    Raises DegenerateFixture with the reason in one sentence.
    """
    if fixture.purpose != "judge":
        return
    sizes = {name: fixture.dimensions[name] for name in SIZES if fixture.dimensions[name]}
    seen: dict[int, str] = {}
    for name, size in sizes.items():
        if size in seen:
            raise DegenerateFixture(
                f"fixture {fixture.name}: {seen[size]} and {name} are both {size}; a transposed "
                "or mixed-up answer would pass. Give every size a value of its own."
            )
        seen[size] = name
    tensors = {f"input {i + 1}": t for i, t in enumerate(fixture.inputs)}
    tensors |= dict(fixture.state or {})
    for name, tensor in tensors.items():
        if name.endswith("bias"):
            if bool((tensor.abs() < 0.1).any()):
                raise DegenerateFixture(
                    f"fixture {fixture.name}: {name} has entries near zero; an answer that drops "
                    "the bias would pass. Draw biases away from zero."
                )
        elif kind != "value_aggregation" and float(tensor.std()) < LEAST_STD * _scale(kind, name):
            raise DegenerateFixture(
                f"fixture {fixture.name}: {name} has standard deviation {float(tensor.std()):.3f}; "
                "with numbers so small all attention is nearly uniform and wrong answers pass."
            )


def _scale(kind: str, name: str) -> float:
    # The unscaled head's weights are drawn smaller on purpose.
    return 0.3 if kind == "simple_attention" and name.endswith("weight") else 1.0
