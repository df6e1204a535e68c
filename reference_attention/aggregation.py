"""What each query takes home: a mixture of the values."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor


def aggregate_values(
    attention_weights: Float[Tensor, "*batch n_queries n_keys"],
    values: Float[Tensor, "*batch n_keys d_v"],
) -> Float[Tensor, "*batch n_queries d_v"]:
    """For each query, the values of all tokens, mixed by its attention weights.

    Source: Vaswani et al. 2017, equation 1.

    >>> import torch
    >>> aggregate_values(torch.tensor([[0.25, 0.75]]), torch.tensor([[4.0], [8.0]]))
    tensor([[7.]])
    """
    # A row of weights times the matrix of values is their weighted mean: a point among them.
    return attention_weights @ values
