"""One head of a wide model, cut out so that the lesson's own functions can be it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from .hook import layer_of
from .steps import AttentionSteps

if TYPE_CHECKING:
    from transformers import PreTrainedModel


@dataclass(frozen=True)
class HeadProjections:
    """The projections of one head in the lesson's layout: ``embeddings @ W_q + b_q``.

    ``W_q``, ``W_k`` are [d_model, d_k], ``W_v`` [d_model, d_v]; the biases are zeros where the
    model has none. ``key_head`` is the key head that this head shares (its own number, unless
    the model groups its keys).
    """

    layer: int
    head: int
    key_head: int
    W_q: Tensor
    W_k: Tensor
    W_v: Tensor
    b_q: Tensor
    b_k: Tensor
    b_v: Tensor

    @property
    def d_model(self) -> int:
        return self.W_q.shape[0]

    @property
    def d_k(self) -> int:
        return self.W_q.shape[1]

    def state_dict(self) -> dict[str, Tensor]:
        """The same weights as the lesson's AttentionHead names them, for load_state_dict."""
        return {
            "query.weight": self.W_q.T.contiguous(),
            "query.bias": self.b_q,
            "key.weight": self.W_k.T.contiguous(),
            "key.bias": self.b_k,
            "value.weight": self.W_v.T.contiguous(),
            "value.bias": self.b_v,
        }

    def as_head(self, attention_head: Callable[[int, int, int], nn.Module]) -> nn.Module:
        """An AttentionHead(d_model, d_k, d_v) with these weights, in eval mode."""
        head = attention_head(self.d_model, self.d_k, self.W_v.shape[1])
        head.load_state_dict(self.state_dict())
        return head.eval()

    def project(self, steps: AttentionSteps, embeddings: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, keys and values [..., n, d] by the given ``linear_projections``."""
        leading = tuple(embeddings.shape[:-1])
        shapes = tuple((*leading, weight.shape[1]) for weight in (self.W_q, self.W_k, self.W_v))
        queries, keys, values = steps.run(
            "linear_projections",
            embeddings,
            self.W_q,
            self.W_k,
            self.W_v,
            shapes=shapes,
            layer=self.layer,
        )
        return queries + self.b_q, keys + self.b_k, values + self.b_v


def attention_modules(model: PreTrainedModel) -> list[nn.Module]:
    """The self-attention module of each layer, in order."""
    found = [
        module
        for module in model.modules()
        if hasattr(module, "layer_idx") and (hasattr(module, "c_attn") or hasattr(module, "q_proj"))
    ]
    return sorted(found, key=layer_of)


def shape_of_heads(model: PreTrainedModel) -> tuple[int, int]:
    """(layers, heads in a layer)."""
    return model.config.num_hidden_layers, model.config.num_attention_heads


@torch.no_grad()
def adapt_dimensions(model: PreTrainedModel, layer: int = 0, head: int = 0) -> HeadProjections:
    """One head's projections out of a wide model: distilgpt2's 768 come down to a head's 64.

    ``model`` may also be what load_mini_transformer returned. The tensors are copies.
    Raises IndexError for a layer or head that the model does not have.
    """
    model = model if hasattr(model, "config") else model.model
    layers, heads = shape_of_heads(model)
    if not (0 <= layer < layers and 0 <= head < heads):
        raise IndexError(
            f"layer {layer}, head {head}: the model has layers 0 to {layers - 1} "
            f"and heads 0 to {heads - 1}"
        )
    module: Any = attention_modules(model)[layer]
    if hasattr(module, "c_attn"):  # GPT-2: one matrix [d_model, 3 * d_model], columns q | k | v
        weight, bias = module.c_attn.weight, module.c_attn.bias
        d_k = module.head_dim
        starts = [part * module.embed_dim + head * d_k for part in range(3)]
        weights = [weight[:, start : start + d_k].clone() for start in starts]
        biases = [bias[start : start + d_k].clone() for start in starts]
        return HeadProjections(layer, head, head, *weights, *biases)
    key_heads = getattr(model.config, "num_key_value_heads", None) or heads
    key_head = head // (heads // key_heads)
    d_k = module.head_dim
    weights, biases = [], []
    for linear, place in (
        (module.q_proj, head),
        (module.k_proj, key_head),
        (module.v_proj, key_head),
    ):
        rows = slice(place * d_k, (place + 1) * d_k)
        weights.append(linear.weight[rows].T.clone())  # nn.Linear keeps [out, in]
        biases.append(torch.zeros(d_k) if linear.bias is None else linear.bias[rows].clone())
    return HeadProjections(layer, head, key_head, *weights, *biases)


@dataclass(frozen=True)
class HeadInputs:
    """What a layer's attention is given: ``embeddings`` [1, n, d_model], after its norm.

    ``rotate`` turns queries and keys [1, n, d_k] by their positions as the model does; it
    changes nothing in a model without rotary positions.
    """

    embeddings: Tensor
    rotate: Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
    has_rotary: bool


@torch.no_grad()
def head_inputs(model: PreTrainedModel, ids: Tensor, layer: int) -> HeadInputs:
    """Run the model on ``ids`` [1, n] and catch what the attention of ``layer`` receives."""
    caught: dict[str, Any] = {}

    def catch(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        caught["embeddings"] = args[0] if args else kwargs["hidden_states"]
        caught["turns"] = kwargs.get("position_embeddings")

    module = attention_modules(model)[layer]
    handle = module.register_forward_pre_hook(catch, with_kwargs=True)
    try:
        model(ids, use_cache=False)
    finally:
        handle.remove()
    turns = caught["turns"]
    if turns is None:
        return HeadInputs(caught["embeddings"], lambda queries, keys: (queries, keys), False)
    turn = sys.modules[type(module).__module__].apply_rotary_pos_emb

    def rotate(queries: Tensor, keys: Tensor) -> tuple[Tensor, Tensor]:
        turned_queries, turned_keys = turn(queries[:, None], keys[:, None], *turns)
        return turned_queries[:, 0], turned_keys[:, 0]

    return HeadInputs(caught["embeddings"], rotate, True)


def causal_mask(n: int) -> Tensor:
    """[n, n] to add to scores: 0 where a query may look, minus infinity at later keys."""
    return torch.full((n, n), float("-inf")).triu(1)


@torch.no_grad()
def causal_rows(head: nn.Module, embeddings: Tensor) -> tuple[Tensor, Tensor]:
    """Run a head without a mask so that nobody sees the future: ([1, n, d_v], [1, n, n]).

    Row i is the last row of the head's answer on the first i + 1 embeddings [1, n, d_model],
    which is just what a causal mask would have left of it.
    """
    n = embeddings.shape[1]
    outputs, weights = [], torch.zeros(1, n, n)
    for i in range(n):
        attended, attention = head(embeddings[:, : i + 1].clone())
        outputs.append(attended[:, -1:])
        weights[:, i, : i + 1] = attention[:, -1]
    return torch.cat(outputs, dim=1), weights
