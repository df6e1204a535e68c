"""How well each query matches each key."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor


def scaled_dot_product_scores(
    queries: Float[Tensor, "*batch n_queries d_k"],
    keys: Float[Tensor, "*batch n_keys d_k"],
) -> Float[Tensor, "*batch n_queries n_keys"]:
    """How well each query matches each key, on a scale that does not grow with d_k.

    Source: Vaswani et al. 2017, section 3.2.1.

    >>> import torch
    >>> scaled_dot_product_scores(torch.ones(1, 4), torch.ones(3, 4))
    tensor([[2., 2., 2.]])
    """
    # A dot product of d_k unit-variance terms has standard deviation sqrt(d_k);
    # dividing by it keeps softmax away from its flat ends, where gradients vanish.
    return queries @ keys.transpose(-2, -1) / math.sqrt(queries.shape[-1])
