"""The mini-transformer's sizes, and why they are what they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

if TYPE_CHECKING:
    from transformers import GPT2Config, GPT2LMHeadModel

# One head of 64 in a stream of 64: so the lesson's embeddings [6, 64] and its W_q [64, 64]
# have exactly the sizes of a head of this model. More heads come from more layers.
EMBEDDING_SIZE = 64
LAYERS = 8
HEADS_PER_LAYER = 1
FEED_FORWARD_SIZE = 896
POSITIONS = 128


def mini_configuration(vocabulary_size: int, end_token: int, **changes: Any) -> GPT2Config:
    """GPT-2's architecture in the lesson's sizes; ``changes`` go to GPT2Config as they are."""
    from transformers import GPT2Config

    settings: dict[str, Any] = {
        "vocab_size": vocabulary_size,
        "n_positions": POSITIONS,
        "n_embd": EMBEDDING_SIZE,
        "n_layer": LAYERS,
        "n_head": HEADS_PER_LAYER,
        "n_inner": FEED_FORWARD_SIZE,
        "initializer_range": 0.1,
        # The corpus is endless for this model, so nothing needs to be dropped against overfitting.
        "resid_pdrop": 0.0,
        "embd_pdrop": 0.0,
        "attn_pdrop": 0.0,
        "bos_token_id": end_token,
        "eos_token_id": end_token,
        "pad_token_id": end_token,
    }
    return GPT2Config(**{**settings, **changes})


def sinusoids(positions: int, size: int) -> Tensor:
    """[positions, size]: the positions of Vaswani et al. 2017, section 3.5."""
    angles = torch.arange(positions)[:, None] / 10_000 ** (torch.arange(0, size, 2) / size)
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)


def new_model(configuration: GPT2Config) -> GPT2LMHeadModel:
    """A fresh model whose query, key and value biases are zero and stay so.

    Positions begin as sines and cosines (and are then trained like all else): "one before" is
    then the same turn at every position, and a head that needs it learns it much sooner.

    Without them a head's queries are exactly ``embeddings @ W_q``, as the student's
    ``linear_projections`` computes them. Nothing is lost: the bias of the layer norm before
    the projection does the same work.
    """
    from transformers import GPT2LMHeadModel

    model = GPT2LMHeadModel(configuration)
    model.transformer.wpe.weight.data.copy_(0.14 * sinusoids(POSITIONS, EMBEDDING_SIZE))
    for name, parameter in model.named_parameters():
        if name.endswith("attn.c_attn.bias"):
            parameter.requires_grad_(False).zero_()
    return model
