"""The four steps as one layer that can learn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn

from reference_attention.aggregation import aggregate_values
from reference_attention.scores import scaled_dot_product_scores
from reference_attention.weights import softmax_weights

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor


class AttentionHead(nn.Module):
    """One head of self-attention.

    ``d_model`` is the size of an embedding, ``d_k`` of a query and a key, ``d_v`` of a value.
    Source: Vaswani et al. 2017, sections 3.2.1 and 3.2.2.

    >>> import torch
    >>> attended, weights = AttentionHead(d_model=8, d_k=4, d_v=3)(torch.randn(2, 6, 8))
    >>> attended.shape, weights.shape
    (torch.Size([2, 6, 3]), torch.Size([2, 6, 6]))
    """

    def __init__(self, d_model: int, d_k: int, d_v: int) -> None:
        super().__init__()
        self.query = nn.Linear(d_model, d_k)
        self.key = nn.Linear(d_model, d_k)
        self.value = nn.Linear(d_model, d_v)

    def forward(
        self, embeddings: Float[Tensor, "*batch n d_model"]
    ) -> tuple[Float[Tensor, "*batch n d_v"], Float[Tensor, "*batch n n"]]:
        """What each token takes home, and how it shared out its attention."""
        queries, keys = self.query(embeddings), self.key(embeddings)
        attention_weights = softmax_weights(scaled_dot_product_scores(queries, keys))
        return aggregate_values(attention_weights, self.value(embeddings)), attention_weights
