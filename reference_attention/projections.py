"""Three views of every token: what it asks, what it offers, what it says."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor


def linear_projections(
    embeddings: Float[Tensor, "*batch n d_model"],
    W_q: Float[Tensor, "d_model d_k"],
    W_k: Float[Tensor, "d_model d_k"],
    W_v: Float[Tensor, "d_model d_v"],
) -> tuple[
    Float[Tensor, "*batch n d_k"], Float[Tensor, "*batch n d_k"], Float[Tensor, "*batch n d_v"]
]:
    """Queries, keys and values of every token.

    Source: Vaswani et al. 2017, section 3.2.2 (one head's projections).

    >>> import torch
    >>> queries, keys, values = linear_projections(
    ...     torch.ones(2, 3), torch.eye(3), 2 * torch.eye(3), torch.ones(3, 1)
    ... )
    >>> queries.shape, keys[0].tolist(), values.tolist()
    (torch.Size([2, 3]), [2.0, 2.0, 2.0], [[3.0], [3.0]])
    """
    # The same embeddings, three matrices: what a token asks for need not be what it offers.
    return embeddings @ W_q, embeddings @ W_k, embeddings @ W_v
