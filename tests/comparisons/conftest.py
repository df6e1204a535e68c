"""The lesson's own setting: six tokens, random embeddings and projections."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
import torch

from reference_attention import linear_projections


@dataclass(frozen=True)
class Setting:
    tokens: list[str]
    embeddings: torch.Tensor
    projections: tuple[torch.Tensor, torch.Tensor, torch.Tensor]
    queries: torch.Tensor
    keys: torch.Tensor
    values: torch.Tensor


@pytest.fixture
def lesson() -> Setting:
    generator = torch.Generator().manual_seed(7)
    embeddings = torch.randn(5, 64, generator=generator)[[4, 0, 3, 2, 4, 1]]
    W_q, W_k, W_v = (torch.randn(64, 64, generator=generator) / 8 for _ in range(3))
    queries, keys, values = linear_projections(embeddings, W_q, W_k, W_v)
    tokens = ["The", "cat", "sat", "on", "the", "mat"]
    return Setting(tokens, embeddings, (W_q, W_k, W_v), queries, keys, values)
