"""The first step: attention without scaling."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn

from reference_attention.aggregation import aggregate_values
from reference_attention.weights import softmax_weights

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor


class SimpleAttention(nn.Module):
    """Unscaled self-attention with one head, as wide as its input.

    The weights of the last call stay in ``attention_weights``. Source: Vaswani et al. 2017,
    equation 1 without the division by sqrt(d_k); compare "dot-product attention" in Luong et
    al. 2015, section 3.1.

    >>> import torch
    >>> attention = SimpleAttention(4)
    >>> attention(torch.randn(2, 3, 4)).shape, attention.attention_weights.shape
    (torch.Size([2, 3, 4]), torch.Size([2, 3, 3]))
    """

    attention_weights: Float[Tensor, "batch seq_len seq_len"] | None

    def __init__(self, n_embd: int) -> None:
        super().__init__()
        self.query = nn.Linear(n_embd, n_embd)
        self.key = nn.Linear(n_embd, n_embd)
        self.value = nn.Linear(n_embd, n_embd)
        self.attention_weights = None

    def forward(
        self, x: Float[Tensor, "batch seq_len n_embd"]
    ) -> Float[Tensor, "batch seq_len n_embd"]:
        """Each token's mixture of the values; [batch, seq_len, n_embd] to the same shape."""
        queries, keys, values = self.query(x), self.key(x), self.value(x)
        # No scaling yet: with a large n_embd these scores grow, and softmax turns to one-hot.
        self.attention_weights = softmax_weights(queries @ keys.transpose(-2, -1))
        return aggregate_values(self.attention_weights, values)
