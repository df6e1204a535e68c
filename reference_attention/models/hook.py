"""Put single-head functions in the place of a transformer's own attention.

The seam is transformers' ``AttentionInterface``: the model projects, this adapter lays out heads,
groups and mask, the given functions do the rest. Any number of layers and heads works, because to
the functions the heads are just a batch.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from .steps import AttentionSteps

if TYPE_CHECKING:
    from transformers import PreTrainedModel

_numbers = itertools.count(1)


@dataclass(frozen=True)
class Trace:
    """What one layer's attention was given and made, each [batch, heads, ...].

    ``keys`` and ``values`` are already repeated for grouped heads, ``mask`` is additive
    ([batch, 1, n_q, n_k] or None), ``scores`` carry it; ``output`` is each head's, before the
    heads are mixed.
    """

    layer: int
    queries: Tensor
    keys: Tensor
    values: Tensor
    mask: Tensor | None
    scores: Tensor
    weights: Tensor
    output: Tensor


def repeat_groups(keys: Tensor, groups: int) -> Tensor:
    """[batch, key heads, n, d] to [batch, key heads * groups, n, d]: grouped heads share keys."""
    return keys if groups == 1 else keys.repeat_interleave(groups, dim=1)


def layer_of(module: nn.Module) -> int:
    """The number of the layer that an attention module belongs to, counted from 0."""
    index = getattr(module, "layer_idx", None)
    return 0 if index is None else int(index)


def attend(
    steps: AttentionSteps,
    queries: Tensor,
    keys: Tensor,
    values: Tensor,
    mask: Tensor | None,
    *,
    scaling: float | None = None,
    layer: int | None = None,
) -> tuple[Tensor, Tensor, Tensor]:
    """Scores, weights and output of all heads, each [batch, heads, n_q, ...].

    ``queries`` is [batch, heads, n_q, d_k], ``keys`` and ``values`` [batch, heads, n_k, d].
    The functions see three dimensions, [batch * heads, n, d], like the lesson's own [1, 6, 64].
    Raises AttentionFault when a function raises or answers something of another shape or NaN.
    """
    batch, heads, n_queries, d_k = queries.shape
    n_keys, d_v = values.shape[-2:]
    if scaling is not None and not math.isclose(scaling * math.sqrt(d_k), 1.0):
        # The functions divide by sqrt(d_k); what a model does beyond that goes to the queries.
        queries = queries * (scaling * math.sqrt(d_k))
    flat = batch * heads
    (scores,) = steps.run(
        "scaled_dot_product_scores",
        queries.reshape(flat, n_queries, d_k),
        keys.reshape(flat, n_keys, d_k),
        shapes=((flat, n_queries, n_keys),),
        layer=layer,
    )
    scores = scores.to(queries.dtype)
    if mask is not None:
        scores = (scores.view(batch, heads, n_queries, n_keys) + mask).reshape(scores.shape)
    (weights,) = steps.run("softmax_weights", scores, shapes=(tuple(scores.shape),), layer=layer)
    weights = weights.to(values.dtype)
    (output,) = steps.run(
        "aggregate_values",
        weights,
        values.reshape(flat, n_keys, d_v),
        shapes=((flat, n_queries, d_v),),
        layer=layer,
    )
    return (
        scores.view(batch, heads, n_queries, n_keys),
        weights.view(batch, heads, n_queries, n_keys),
        output.to(values.dtype).view(batch, heads, n_queries, d_v),
    )


@contextmanager
def attention_in(
    model: PreTrainedModel,
    implementation: AttentionSteps | Mapping[str, Any] | Any | None = None,
    *,
    record: list[Trace] | None = None,
) -> Iterator[PreTrainedModel]:
    """Within this block the model attends with the given functions (None: the reference's).

    ``record`` receives one Trace for each layer and forward pass. However the block ends, the
    model attends afterwards as it did before.
    """
    steps = AttentionSteps.of(implementation)

    def attention(
        module: nn.Module,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        attention_mask: Tensor | None,
        scaling: float | None = None,
        dropout: float = 0.0,
        **_: Any,
    ) -> tuple[Tensor, Tensor]:
        groups = query.shape[1] // key.shape[1]
        key, value = repeat_groups(key, groups), repeat_groups(value, groups)
        layer = layer_of(module)
        scores, weights, output = attend(
            steps, query, key, value, attention_mask, scaling=scaling, layer=layer
        )
        if record is not None:
            record.append(Trace(layer, query, key, value, attention_mask, scores, weights, output))
        return output.transpose(1, 2).contiguous(), weights

    with _registered(model, attention):
        yield model


@contextmanager
def observed(model: PreTrainedModel, record: list[Trace]) -> Iterator[PreTrainedModel]:
    """Within this block the model attends with its own eager code, and ``record`` fills up."""
    import sys

    def attention(
        module: nn.Module,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        attention_mask: Tensor | None,
        scaling: float | None = None,
        **rest: Any,
    ) -> tuple[Tensor, Tensor]:
        own = sys.modules[type(module).__module__].eager_attention_forward
        output, weights = own(module, query, key, value, attention_mask, scaling=scaling, **rest)
        groups = query.shape[1] // key.shape[1]
        keys, values = repeat_groups(key, groups), repeat_groups(value, groups)
        scale = query.shape[-1] ** -0.5 if scaling is None else scaling
        # The eager code keeps its scores to itself: the same two lines again.
        scores = torch.matmul(query, keys.transpose(-2, -1)) * scale
        scores = scores if attention_mask is None else scores + attention_mask
        made = output.transpose(1, 2)
        record.append(
            Trace(layer_of(module), query, keys, values, attention_mask, scores, weights, made)
        )
        return output, weights

    with _registered(model, attention):
        yield model


@contextmanager
def _registered(model: PreTrainedModel, attention: Callable[..., Any]) -> Iterator[None]:
    from transformers import AttentionInterface, AttentionMaskInterface
    from transformers.masking_utils import eager_mask

    # A name of its own for each block, so that nested blocks and several models never meet.
    name = f"attention_course_{next(_numbers)}"
    before = model.config._attn_implementation
    AttentionInterface.register(name, attention)
    # Without a mask of the same name a model would hand over none at all, and see the future.
    AttentionMaskInterface.register(name, eager_mask)
    try:
        model.set_attn_implementation(name)
        if model.config._attn_implementation != name:
            raise TypeError(
                f"{type(model).__name__} does not let its attention be replaced. "
                f"Use a model of the GPT-2 or Llama family."
            )
        yield
    finally:
        model.set_attn_implementation(before)
        # transformers has no call to take a name back; left in, each use would leak a closure.
        AttentionInterface._global_mapping.pop(name, None)
        AttentionMaskInterface._global_mapping.pop(name, None)
