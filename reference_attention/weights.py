"""From scores to shares: each query spends one unit of attention."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor


def softmax_weights(
    attention_scores: Float[Tensor, "*batch n_queries n_keys"],
) -> Float[Tensor, "*batch n_queries n_keys"]:
    """Each row of scores as positive shares that sum to 1.

    A score of minus infinity gets the share 0. Source: Vaswani et al. 2017, equation 1.

    >>> softmax_weights(torch.tensor([[0.0, 0.0], [10_000.0, -torch.inf]]))
    tensor([[0.5000, 0.5000],
            [1.0000, 0.0000]])
    """
    # exp overflows beyond 88; taking off the row's maximum changes no ratio and keeps it below 1.
    shifted = attention_scores - attention_scores.amax(dim=-1, keepdim=True)
    exponentials = torch.exp(shifted)
    # Over the keys (the last axis): one query's shares are what must sum to 1.
    return exponentials / exponentials.sum(dim=-1, keepdim=True)
