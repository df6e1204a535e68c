"""Let a model go on writing, with its own attention or with somebody else's."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from .hook import attention_in
from .loading import PROMPT_EXAMPLE, LoadedModel, load_mini_transformer
from .steps import AttentionSteps

OWN = "own"  # the model attends as it was made to


@dataclass(frozen=True)
class Continuation:
    """``text`` is the prompt and what the model wrote after it; ``ids`` [n] the same as tokens."""

    text: str
    ids: Tensor

    def __str__(self) -> str:
        return self.text


@torch.no_grad()
def continue_text(
    prompt: str | Tensor | list[int] = PROMPT_EXAMPLE,
    *,
    attention: AttentionSteps | Mapping[str, Any] | Any | None = OWN,
    model: LoadedModel | None = None,
    new_tokens: int = 24,
) -> Continuation:
    """Write on greedily, the likeliest token each time; at most ``new_tokens`` of them.

    ``attention`` is "own" for the model's, None for the reference's, or somebody's functions
    (see AttentionSteps.of). Raises AttentionFault when those cannot go on; the model is as it
    was, however this ends.
    """
    loaded = model or load_mini_transformer()
    ids = loaded.token_ids(prompt)
    longest = getattr(loaded.model.config, "max_position_embeddings", None)
    if longest is not None:
        new_tokens = min(new_tokens, longest - ids.shape[1])
    if new_tokens < 1:
        return Continuation(loaded.text(ids[0]), ids[0])
    own = isinstance(attention, str) and attention == OWN
    place = nullcontext() if own else attention_in(loaded.model, attention)
    with place:
        writer: Any = loaded.model  # generate comes from a mixin that the types do not show
        written = writer.generate(
            ids,
            attention_mask=torch.ones_like(ids),
            do_sample=False,
            max_new_tokens=new_tokens,
            pad_token_id=_padding(loaded),
        )
    return Continuation(loaded.text(written[0]), written[0])


def _padding(loaded: LoadedModel) -> int:
    """Any token will do, as one prompt needs no padding: the end token, or the first there is."""
    end = loaded.model.generation_config.eos_token_id
    if isinstance(end, list):
        end = end[0] if end else None
    return 0 if end is None else int(end)
