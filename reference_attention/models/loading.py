"""Load the bundled mini-transformer, a model of the Hub, or one in a folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from .cache import BUNDLED, ModelNotAvailable, bundled_folder, find_damage, hub_folder

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

PROMPT_EXAMPLE = "The cat sat on the mat"
FAMILIES = ("gpt2", "llama", "mistral", "qwen2")  # GPT-2's one c_attn, or q_proj, k_proj, v_proj


@dataclass(frozen=True)
class LoadedModel:
    """A causal language model with its tokenizer; ``model, tokenizer = loaded`` works too.

    ``tokenizer`` is None for a folder that holds none; prompts are then token ids.
    """

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase | None
    name: str
    folder: Path

    def __iter__(self) -> Iterator[object]:
        return iter((self.model, self.tokenizer))

    def token_ids(self, prompt: str | Tensor | list[int]) -> Tensor:
        """The prompt as token ids, [1, n]. Raises ValueError for an empty or too long prompt."""
        if isinstance(prompt, str):
            if self.tokenizer is None:
                raise ValueError(f"{self.folder} holds no tokenizer.json: pass token ids instead")
            ids = torch.tensor([self.tokenizer(prompt)["input_ids"]], dtype=torch.long)
        else:
            ids = torch.as_tensor(prompt, dtype=torch.long).reshape(1, -1)
        longest = getattr(self.model.config, "max_position_embeddings", None)
        if ids.shape[1] == 0:
            raise ValueError("the prompt is empty: write at least one word")
        if longest is not None and ids.shape[1] > longest:
            raise ValueError(
                f"the prompt has {ids.shape[1]} tokens; {self.name} reads at most {longest}"
            )
        return ids

    def tokens(self, prompt: str | Tensor | list[int]) -> list[str]:
        """One readable string for each token, without the marks that stand for spaces."""
        ids = self.token_ids(prompt)[0].tolist()
        if self.tokenizer is None:
            return [str(token) for token in ids]
        return [str(self.tokenizer.decode([token])).strip() or "␣" for token in ids]

    def text(self, ids: Tensor) -> str:
        """Token ids [n] as text."""
        if self.tokenizer is None:
            return " ".join(map(str, ids.tolist()))
        return str(self.tokenizer.decode(ids, skip_special_tokens=True)).strip()


def load_mini_transformer(name: str | Path | None = None) -> LoadedModel:
    """The bundled mini-transformer (None), a hub model such as "distilgpt2", or a folder's.

    A hub model comes from cache/models if it is there, else it is downloaded into it. Only
    safetensors weights are read, in float32, and no code that comes with a model is run.

    Raises ModelNotAvailable, with a message that says what to do.
    """
    if name is None or name == BUNDLED:
        folder, shown = bundled_folder(), "the bundled mini-transformer"
    elif isinstance(name, Path) or Path(name).is_dir():
        folder, shown = Path(name), Path(name).name
        if not folder.is_dir():
            raise ModelNotAvailable(f"{folder}: no such folder")
        if damage := find_damage(folder):
            raise ModelNotAvailable(f"{damage}. Write the model again with save_pretrained")
    else:
        folder, shown = hub_folder(name), name
    return _load(folder, shown)


def _load(folder: Path, shown: str) -> LoadedModel:
    from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

    family = AutoConfig.from_pretrained(folder, local_files_only=True).model_type
    if family not in FAMILIES:
        raise ModelNotAvailable(
            f"{shown} is of the family {family!r}. The lesson's attention fits the families "
            f"{', '.join(FAMILIES)}: choose one of those, such as distilgpt2"
        )
    with _no_bar():
        model = AutoModelForCausalLM.from_pretrained(
            folder, local_files_only=True, use_safetensors=True, dtype=torch.float32
        )
    tokenizer = None
    if any((folder / file).exists() for file in ("tokenizer.json", "vocab.json")):
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    return LoadedModel(model.eval(), tokenizer, shown, folder)


@contextmanager
def _no_bar() -> Iterator[None]:
    """No progress bar for what takes a blink; a download shows its own."""
    from transformers.utils import logging

    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()
