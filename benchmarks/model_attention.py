"""How long attention takes inside a model: eager, SDPA, the reference's and a student's.

    python benchmarks/model_attention.py [--tokens 64] [--json FILE]

Each way of attending runs the same forward pass of the bundled model and of one of distilgpt2's
shape (random weights), in turns, in this process; ratios are to the model's own eager code. The
median of several rounds, on one thread; on a GPU too where there is one. Also what importing and
loading cost.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils.benchmark import Timer

from reference_attention.model_utils import (
    AttentionSteps,
    LoadedModel,
    attention_in,
    load_mini_transformer,
)

ROUNDS = 7
RESULTS = Path(__file__).parent / "results" / "model_attention.json"


@dataclass(frozen=True, slots=True)
class Row:
    """One way of attending in one model, milliseconds a forward pass."""

    model: str
    device: str
    attention: str
    milliseconds: float
    times_eager: float


def student_scores(queries: Tensor, keys: Tensor) -> Tensor:
    """As many a student writes it: right, and with a loop."""
    rows = [(queries[:, i : i + 1] * keys).sum(-1) for i in range(queries.shape[1])]
    return torch.stack(rows, dim=1) / queries.shape[-1] ** 0.5


def wide_model() -> LoadedModel:
    from transformers import GPT2Config, GPT2LMHeadModel

    torch.manual_seed(0)
    model = GPT2LMHeadModel(GPT2Config(n_layer=6, n_head=12, n_embd=768)).eval()
    return LoadedModel(model, None, "distilgpt2's shape", Path())


@contextmanager
def built_in(loaded: LoadedModel, name: str) -> Any:
    before = loaded.model.config._attn_implementation
    loaded.model.set_attn_implementation(name)
    try:
        yield
    finally:
        loaded.model.set_attn_implementation(before)


def time_model(loaded: LoadedModel, tokens: int, device: str) -> list[Row]:
    module: torch.nn.Module = loaded.model
    module.to(device)
    ids = torch.arange(1, tokens + 1, device=device)[None]
    ways: dict[str, Callable[[], AbstractContextManager[Any]]] = {
        "eager": lambda: built_in(loaded, "eager"),
        "sdpa": lambda: built_in(loaded, "sdpa"),
        "reference": lambda: attention_in(loaded.model),
        "student with a loop": lambda: attention_in(
            loaded.model, AttentionSteps(scaled_dot_product_scores=student_scores)
        ),
    }
    samples: dict[str, list[float]] = {way: [] for way in ways}
    with torch.no_grad():
        for _ in range(ROUNDS):
            for way, place in ways.items():  # in turns, so that a slow moment hits all alike
                with place():
                    timer = Timer(
                        "model(ids, use_cache=False)", globals={"model": module, "ids": ids}
                    )
                    samples[way].append(timer.timeit(3).median * 1000)
    eager = statistics.median(samples["eager"])
    return [
        Row(loaded.name, device, way, statistics.median(taken), statistics.median(taken) / eager)
        for way, taken in samples.items()
    ]


def seconds_of(program: str) -> float:
    """What a program prints last, run in a fresh Python."""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return float(done.stdout.split()[-1])


TIMED = (
    "import time, torch\n{before}\nt = time.perf_counter()\n{timed}\nprint(time.perf_counter() - t)"
)
COSTS = {
    "import reference_attention, after torch": ("", "import reference_attention"),
    "import reference_attention.model_utils, after torch": (
        "",
        "import reference_attention.model_utils",
    ),
    "load the bundled model, after transformers' GPT-2": (
        "from transformers import GPT2LMHeadModel, AutoTokenizer, AutoModelForCausalLM\n"
        "from reference_attention.model_utils import load_mini_transformer",
        "load_mini_transformer()",
    ),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tokens", type=int, default=64, help="length of the prompt")
    parser.add_argument("--json", type=Path, default=RESULTS, help="file for the figures")
    options = parser.parse_args()
    torch.set_num_threads(1)
    costs = {
        name: statistics.median(
            seconds_of(TIMED.format(before=before, timed=timed)) for _ in range(3)
        )
        for name, (before, timed) in COSTS.items()
    }
    for name, seconds in costs.items():
        print(f"{seconds * 1000:8.0f} ms  {name}")
    rows: list[Row] = []
    for device in ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]:
        for loaded in (load_mini_transformer(), wide_model()):
            rows += time_model(loaded, options.tokens, device)
    print(f"\nForward pass on {options.tokens} tokens, median of {ROUNDS} rounds, one thread:")
    for row in rows:
        print(
            f"{row.milliseconds:8.1f} ms  {row.times_eager:5.2f} x eager  "
            f"{row.model}, {row.device}: {row.attention}"
        )
    options.json.parent.mkdir(parents=True, exist_ok=True)
    facts = {"machine": platform.processor() or platform.machine(), "torch": torch.__version__}
    options.json.write_text(
        json.dumps(
            {
                **facts,
                "tokens": options.tokens,
                "seconds": costs,
                "rows": [asdict(r) for r in rows],
            },
            indent=1,
        )
        + "\n"
    )


if __name__ == "__main__":
    main()
