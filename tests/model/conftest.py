"""Models to test with: the bundled one, and real architectures with random weights."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from reference_attention.model_utils import LoadedModel, load_mini_transformer


@pytest.fixture(scope="session")
def bundled() -> LoadedModel:
    return load_mini_transformer()


@pytest.fixture(scope="session")
def distilgpt2_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint of distilgpt2's shape: 6 layers, 12 heads, 768, its whole vocabulary."""
    from transformers import GPT2Config, GPT2LMHeadModel

    torch.manual_seed(5)
    configuration = GPT2Config(n_layer=6, n_head=12, n_embd=768, vocab_size=50257)
    model = GPT2LMHeadModel(configuration)
    _wake_up(model)
    folder = tmp_path_factory.mktemp("models") / "distilgpt2-shaped"
    model.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def distilgpt2_shaped(distilgpt2_folder: Path) -> LoadedModel:
    return load_mini_transformer(distilgpt2_folder)


@pytest.fixture(scope="session", params=["llama", "mistral", "qwen2"])
def grouped_keys(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> LoadedModel:
    """Small models of the Llama family: rotary positions, 6 heads that share 2 key heads."""
    import transformers

    torch.manual_seed(6)
    name = {"llama": "Llama", "mistral": "Mistral", "qwen2": "Qwen2"}[request.param]
    configuration = getattr(transformers, f"{name}Config")(
        hidden_size=96,
        intermediate_size=80,
        num_hidden_layers=3,
        num_attention_heads=6,
        num_key_value_heads=2,
        vocab_size=300,
        max_position_embeddings=64,
        pad_token_id=0,
        bos_token_id=1,
        eos_token_id=2,
    )
    model = getattr(transformers, f"{name}ForCausalLM")(configuration)
    _wake_up(model)
    folder = tmp_path_factory.mktemp("models") / request.param
    model.save_pretrained(folder)
    return load_mini_transformer(folder)


def _wake_up(model: torch.nn.Module) -> None:
    """Larger projections and biases that are not zero: with those of a fresh model attention is
    flat, and no fault in it would show."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "c_attn" in name or "q_proj" in name or "k_proj" in name:
                parameter.normal_(std=0.1)


@pytest.fixture
def models_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty models folder of the test's own in place of the checkout's."""
    folder = tmp_path / "models"
    folder.mkdir()
    monkeypatch.setenv("ATTENTION_COURSE_MODELS", str(folder))
    yield folder
