"""Train the mini-transformer from nothing.

    python -m reference_attention.mini_transformer.train --folder FOLDER

Fixed seeds, checkpoints that a later call goes on from, and safetensors throughout: no pickle
is written or read. About twenty-five minutes on one CPU core, a few on a GPU.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ..models.cache import write_manifest
from .configuration import POSITIONS, mini_configuration, new_model
from .grammar import stories
from .tokenizer import END, end_token, train_tokenizer

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from transformers import GPT2LMHeadModel

TRAINING_SEED = 1
STORIES = 150_000
STEPS = 8_000
# Many small steps: with four times the tokens in a step, heads that copy appeared far later.
TOKENS_A_STEP = 1024
SHORT_ROW = POSITIONS // 2  # for the first part of training: near positions are met more often
SHORT_SHARE = 0.6
LEARNING_RATE = 1.5e-3
WARM_UP = 100
WEIGHT_DECAY = 0.05
CHECKPOINT_EVERY = 200


def pack(texts: list[str], tokenizer: Tokenizer, length: int) -> Tensor:
    """Stories end to end in rows of ``length`` tokens, [rows, length].

    Each row begins with the beginning of a story, as a prompt does; what no longer fits at a
    row's end is left out.
    """
    end = end_token(tokenizer)
    rows: list[list[int]] = []
    row: list[int] = []
    for encoding in tokenizer.encode_batch(texts):
        row += [*encoding.ids, end]
        if len(row) >= length:
            rows.append(row[:length])
            row = []
    return torch.tensor(rows, dtype=torch.long)


def learning_rate(step: int, steps: int) -> float:
    """A short linear rise, then half a cosine down to a twentieth."""
    if step < WARM_UP:
        return LEARNING_RATE * (step + 1) / WARM_UP
    progress = (step - WARM_UP) / max(1, steps - WARM_UP)
    return LEARNING_RATE * (0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * min(1.0, progress))))


def batch_at(step: int, rows: Tensor, seed: int) -> Tensor:
    """The batch of one step: a function of the step alone, so that a resumed run is the same."""
    batch = TOKENS_A_STEP // rows.shape[1]
    epoch, place = divmod(step, len(rows) // batch)
    order = torch.randperm(len(rows), generator=torch.Generator().manual_seed(seed + epoch))
    return rows[order[place * batch : (place + 1) * batch]]


class Checkpoint:
    """Weights and optimizer state in one safetensors file, beside a JSON with the step."""

    def __init__(self, folder: Path) -> None:
        self.tensors = folder / "checkpoint.safetensors"
        self.facts = folder / "checkpoint.json"

    def save(
        self, model: torch.nn.Module, optimizer: torch.optim.Optimizer, step: int, seconds: float
    ) -> None:
        from safetensors.torch import save_file

        # One file replaces another in one move, so that an interrupted save harms nothing.
        tensors = {f"model.{name}": value.detach() for name, value in model.named_parameters()}
        for index, state in optimizer.state_dict()["state"].items():
            for name, value in state.items():
                tensors[f"optimizer.{index}.{name}"] = value
        partial = self.tensors.with_suffix(".partial")
        facts = {"step": step, "seconds": seconds}
        save_file(tensors, partial, metadata={"facts": json.dumps(facts)})
        partial.replace(self.tensors)
        self.facts.write_text(json.dumps(facts) + "\n")

    def load(self, model: torch.nn.Module, optimizer: torch.optim.Optimizer) -> tuple[int, float]:
        """Put the saved state back; (0, 0.0) where there is none yet."""
        from safetensors import safe_open

        if not self.tensors.exists():
            return 0, 0.0
        state: dict[int, dict[str, Tensor]] = {}
        with safe_open(self.tensors, framework="pt") as saved:
            facts = json.loads(saved.metadata()["facts"])
            with torch.no_grad():
                for name, parameter in model.named_parameters():
                    parameter.copy_(saved.get_tensor(f"model.{name}"))
            for key in saved.keys():  # noqa: SIM118  (safe_open is no dict)
                if key.startswith("optimizer."):
                    _, index, name = key.split(".")
                    state.setdefault(int(index), {})[name] = saved.get_tensor(key)
        optimizer.load_state_dict(
            {"state": state, "param_groups": optimizer.state_dict()["param_groups"]}
        )
        return facts["step"], facts["seconds"]


def _optimizer(model: torch.nn.Module) -> torch.optim.Optimizer:
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    groups = [
        {"params": [p for p in trained if p.dim() > 1], "weight_decay": WEIGHT_DECAY},
        {"params": [p for p in trained if p.dim() <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=LEARNING_RATE, betas=(0.9, 0.98))


def _tokenizer(file: Path, texts: list[str]) -> Tokenizer:
    """The one that this folder's checkpoint was trained with, or else a new one."""
    from tokenizers import Tokenizer

    if file.exists():
        return Tokenizer.from_file(str(file))
    tokenizer = train_tokenizer(texts)
    tokenizer.save(str(file))
    return tokenizer


def train(
    folder: Path,
    *,
    steps: int = STEPS,
    stories_told: int = STORIES,
    device: str = "cpu",
    stop_after: int | None = None,
) -> GPT2LMHeadModel:
    """Train in ``folder`` (checkpoints there), going on from its checkpoint if it has one.

    ``stop_after`` ends early at that step with a checkpoint, as an interruption would.
    """
    from tqdm.auto import tqdm

    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(TRAINING_SEED)
    texts = [story.text for story in stories(stories_told, seed=TRAINING_SEED, held_out=False)]
    tokenizer = _tokenizer(folder / "tokenizer.json", texts)
    short, long = (pack(texts, tokenizer, length) for length in (SHORT_ROW, POSITIONS))
    configuration = mini_configuration(tokenizer.get_vocab_size(), end_token(tokenizer))
    model = new_model(configuration)
    module: torch.nn.Module = model  # .to and .train as every module has them
    module.to(device).train()
    optimizer = _optimizer(model)
    checkpoint = Checkpoint(folder)
    done, seconds = checkpoint.load(model, optimizer)
    last = min(steps, stop_after or steps)
    began = time.monotonic()
    bar = tqdm(
        range(done, last), initial=done, total=steps, desc="training", unit="step", mininterval=1
    )
    for step in bar:
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step, steps)
        rows = short if step < SHORT_SHARE * steps else long
        batch = batch_at(step, rows, TRAINING_SEED).to(device)
        loss = model(batch, labels=batch, use_cache=False).loss
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        if step % 50 == 0:
            bar.set_postfix(loss=f"{loss.item():.3f}")
        if (step + 1) % CHECKPOINT_EVERY == 0 or step + 1 == last:
            checkpoint.save(model, optimizer, step + 1, seconds + time.monotonic() - began)
    return model.eval()


def publish(model: GPT2LMHeadModel, trained_in: Path, target: Path) -> None:
    """Write the finished model as its users load it: weights, configuration, tokenizer."""
    from transformers import PreTrainedTokenizerFast

    module: torch.nn.Module = model
    module.to("cpu")
    model.save_pretrained(target)
    PreTrainedTokenizerFast(
        tokenizer_file=str(trained_in / "tokenizer.json"),
        bos_token=END,
        eos_token=END,
        pad_token=END,
        unk_token="<unk>",
        model_max_length=POSITIONS,
    ).save_pretrained(target)
    (target / "model.safetensors").chmod(0o644)  # safetensors writes for its owner alone
    facts = json.loads((trained_in / "checkpoint.json").read_text())
    (target / "training.json").write_text(
        json.dumps({"training_steps": facts["step"], "training_seconds": facts["seconds"]}) + "\n"
    )
    write_manifest(target, digests=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="where checkpoints are kept")
    parser.add_argument("--publish", type=Path, help="folder to write the finished model to")
    parser.add_argument("--steps", type=int, default=STEPS, help="training steps (batches)")
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--threads", type=int, help="CPU threads (default: torch's own)")
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    model = train(options.folder, steps=options.steps, device=options.device)
    if options.publish:
        publish(model, options.folder, options.publish)


if __name__ == "__main__":
    main()
