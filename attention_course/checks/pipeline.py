"""Attention in float64 with a switch for every known fault.

With all switches at their defaults this is the checks' own oracle; a fault, or a pair of
faults, is the same computation with one or two switches thrown. Diagnosis compares a student's
numbers with those of each setting.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Sizes:
    """What a scale may be mistaken for."""

    n_q: int
    n_k: int
    d_k: int
    d_v: int | None = None
    d_model: int | None = None


SCALES: dict[str, Callable[[Sizes], float | None]] = {
    "right": lambda s: 1 / math.sqrt(s.d_k),
    "no_scaling": lambda s: 1.0,
    "divided_by_d_k": lambda s: 1 / s.d_k,
    "multiplied_by_sqrt_d_k": lambda s: math.sqrt(s.d_k),
    "divided_by_sqrt_n": lambda s: 1 / math.sqrt(s.n_k),
    "divided_by_sqrt_n_queries": lambda s: 1 / math.sqrt(s.n_q),
    "divided_by_sqrt_d_model": lambda s: 1 / math.sqrt(s.d_model) if s.d_model else None,
    "divided_by_sqrt_d_v": lambda s: 1 / math.sqrt(s.d_v) if s.d_v else None,
    "hard_coded_scale": lambda s: 1 / 8,
}
# Two ways of writing one slip share its name.
SAME = {
    "divided_by_sqrt_n_queries": "divided_by_sqrt_n",
    "elementwise_transposed": "elementwise_product",
}


def _reshaped(keys: Tensor) -> Tensor:
    return keys.reshape(*keys.shape[:-2], keys.shape[-1], keys.shape[-2])


PRODUCTS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "right": lambda q, k: q @ k.mT,
    "queries_keys_swapped": lambda q, k: k @ q.mT,
    "reshape_instead_of_transpose": lambda q, k: q @ _reshaped(k),
    "queries_only": lambda q, k: q @ q.mT,
    "keys_only": lambda q, k: k @ k.mT,
    "negated_scores": lambda q, k: -(q @ k.mT),
    "elementwise_product": lambda q, k: q * k,
    "elementwise_transposed": lambda q, k: q * k.mT,
}


def _masked(scores: Tensor) -> Tensor:
    return scores.masked_fill(torch.ones_like(scores).triu(1).bool(), -math.inf)


def _raw_sum(s: Tensor) -> Tensor:
    return s / s.sum(-1, keepdim=True)


def _divided_by_maximum(s: Tensor) -> Tensor:
    return s / s.amax(-1, keepdim=True)


NORMALISERS: dict[str, Callable[[Tensor], Tensor]] = {
    "right": lambda s: s.softmax(-1),
    "softmax_over_queries": lambda s: s.softmax(-2),
    "softmax_over_batch": lambda s: s.softmax(0),
    "softmax_over_everything": lambda s: s.flatten().softmax(0).reshape(s.shape),
    "softmax_over_everything_each": lambda s: s.flatten(-2).softmax(-1).reshape(s.shape),
    "softmax_twice": lambda s: s.softmax(-1).softmax(-1),
    "only_exponentials": lambda s: s.exp(),
    "only_exponentials_shifted": lambda s: (s - s.amax(-1, keepdim=True)).exp(),
    "divided_by_raw_sum": _raw_sum,
    "divided_by_maximum": _divided_by_maximum,
    "divided_by_maximum_exponential": lambda s: s.exp() / s.exp().amax(-1, keepdim=True),
    "sigmoid_instead": lambda s: s.sigmoid(),
    "log_softmax_instead": lambda s: s.log_softmax(-1),
    "negated_scores": lambda s: (-s).softmax(-1),
    "hard_maximum": lambda s: torch.nn.functional.one_hot(s.argmax(-1), s.shape[-1]).to(s.dtype),
    "no_softmax": lambda s: s,
    "mask_applied": lambda s: _masked(s).softmax(-1),
}
SAME |= {
    "softmax_over_everything_each": "softmax_over_everything",
    "only_exponentials_shifted": "only_exponentials",
    "divided_by_maximum_exponential": "only_exponentials",
}

AGGREGATIONS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "right": lambda w, v: w @ v,
    "weights_transposed": lambda w, v: w.mT @ v,
    "mean_of_values": lambda w, v: v.mean(-2, keepdim=True).expand(*w.shape[:-1], v.shape[-1]),
    "best_value_only": lambda w, v: torch.take_along_dim(v, w.argmax(-1)[..., None], -2),
    "softmax_again": lambda w, v: w.softmax(-1) @ v,
    "values_transposed": lambda w, v: w @ v.mT,
    "elementwise_product": lambda w, v: w * v,
    "residual_added": lambda w, v: w @ v + v,
    "extra_scale": lambda w, v: w @ v / math.sqrt(v.shape[-1]),
    "extra_scale_keys": lambda w, v: w @ v / math.sqrt(v.shape[-2]),
    "extra_scale_mean": lambda w, v: w @ v / v.shape[-2],
    "values_reshaped": lambda w, v: w @ v.reshape(*v.shape[:-2], v.shape[-1], v.shape[-2]).mT,
}
SAME |= {
    "extra_scale_keys": "extra_scale",
    "extra_scale_mean": "extra_scale",
    "values_reshaped": "reshape_instead_of_transpose",
}


def named(*switches: str) -> tuple[str, ...]:
    """The ids of thrown switches, without the right ones and with two spellings made one."""
    return tuple(dict.fromkeys(SAME.get(s, s) for s in switches if s != "right"))


def double(
    values: Mapping[str, Tensor] | tuple[Tensor, ...],
) -> dict[str, Tensor] | tuple[Tensor, ...]:
    """Copies in float64."""
    if isinstance(values, Mapping):
        return {name: tensor.double() for name, tensor in values.items()}
    return tuple(tensor.double() for tensor in values)


def reference(
    kind: str, inputs: tuple[Tensor, ...], state: Mapping[str, Tensor] | None
) -> tuple[Tensor, ...]:
    """The right results for ``kind``, in float64, always as a tuple."""
    x = tuple(tensor.double() for tensor in inputs)
    if kind == "linear_projections":
        return x[0] @ x[1], x[0] @ x[2], x[0] @ x[3]
    if kind == "attention_scores":
        return (x[0] @ x[1].mT / math.sqrt(x[0].shape[-1]),)
    if kind == "attention_weights":
        return (x[0].softmax(-1),)
    if kind == "value_aggregation":
        return (x[0] @ x[1],)
    assert state is not None
    queries, keys, values = projected(x[0], state)
    scale = math.sqrt(queries.shape[-1]) if kind == "attention_head" else 1.0
    weights = (queries @ keys.mT / scale).softmax(-1)
    return weights @ values, weights


def projected(
    x: Tensor, state: Mapping[str, Tensor], biases: bool = True, roles: str = "qkv"
) -> tuple[Tensor, Tensor, Tensor]:
    """Queries, keys and values; ``roles`` says which layer plays each part ("qqq": one for all)."""
    names = {"q": "query", "k": "key", "v": "value"}
    made = []
    for role in roles:
        layer = names[role]
        out = x.double() @ state[f"{layer}.weight"].double().mT
        bias = state.get(f"{layer}.bias") if biases else None
        made.append(out if bias is None else out + bias.double())
    return made[0], made[1], made[2]
