"""Where models come from: the checkout, a folder, the cache, the Hub; and what is mended."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from reference_attention.model_utils import (
    LoadedModel,
    ModelNotAvailable,
    continue_text,
    load_mini_transformer,
    models_folder,
)


def test_the_prompt_is_six_tokens_and_the_sizes_are_the_lessons(bundled: LoadedModel) -> None:
    assert bundled.tokens("The cat sat on the mat") == ["The", "cat", "sat", "on", "the", "mat"]
    assert bundled.model.config.n_embd == 64
    assert bundled.model.config.n_embd // bundled.model.config.n_head == 64
    assert 1_000_000 <= sum(p.numel() for p in bundled.model.parameters()) <= 5_000_000


def test_the_bundled_folder_stays_under_twelve_megabytes(repository_root: Path) -> None:
    folder = repository_root / "cache" / "models" / "bundled"
    assert sum(file.stat().st_size for file in folder.iterdir()) < 12_000_000
    assert {file.suffix for file in folder.iterdir()} <= {".json", ".safetensors", ".md", ""}


def test_model_and_tokenizer_can_be_taken_apart(bundled: LoadedModel) -> None:
    model, tokenizer = bundled
    assert model is bundled.model
    assert tokenizer is bundled.tokenizer


def test_a_folder_without_a_tokenizer_takes_token_ids(distilgpt2_shaped: LoadedModel) -> None:
    assert distilgpt2_shaped.tokenizer is None
    assert distilgpt2_shaped.tokens([5, 9]) == ["5", "9"]
    with pytest.raises(ValueError, match="pass token ids instead"):
        distilgpt2_shaped.token_ids("The cat")


def test_a_prompt_too_long_or_empty_is_refused(bundled: LoadedModel) -> None:
    with pytest.raises(ValueError, match=r"200 tokens; .* reads at most 128"):
        bundled.token_ids([1] * 200)
    with pytest.raises(ValueError, match="prompt is empty"):
        bundled.token_ids("")


def test_text_that_fills_the_model_ends_there(bundled: LoadedModel) -> None:
    written = continue_text([5, 9] * 60, model=bundled, attention=None, new_tokens=50)
    assert len(written.ids) <= 128


def test_pickled_weights_are_refused_even_if_there_is_nothing_else(
    bundled: LoadedModel, tmp_path: Path
) -> None:
    folder = tmp_path / "pickled"
    bundled.model.config.save_pretrained(folder)
    torch.save(bundled.model.state_dict(), folder / "pytorch_model.bin")
    with pytest.raises(ModelNotAvailable, match="pickle files, which are never loaded"):
        load_mini_transformer(folder)


def test_a_model_in_several_files_is_checked_file_by_file(
    bundled: LoadedModel, tmp_path: Path
) -> None:
    bundled.model.save_pretrained(tmp_path, max_shard_size="1MB")
    assert len(list(tmp_path.glob("model-*.safetensors"))) > 2
    assert load_mini_transformer(tmp_path).model.config.n_embd == 64
    sorted(tmp_path.glob("model-*.safetensors"))[1].unlink()
    with pytest.raises(ModelNotAvailable, match=r"model-00002-of-.*is missing"):
        load_mini_transformer(tmp_path)


def test_another_family_is_refused_by_name(tmp_path: Path) -> None:
    from transformers import OPTConfig, OPTForCausalLM

    configuration = OPTConfig(
        vocab_size=20, hidden_size=8, ffn_dim=8, num_hidden_layers=1, num_attention_heads=1
    )
    OPTForCausalLM(configuration).save_pretrained(tmp_path)
    with pytest.raises(ModelNotAvailable, match="of the family 'opt'"):
        load_mini_transformer(tmp_path)


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A git checkout of its own with the bundled model in it."""
    models = tmp_path / "checkout" / "cache" / "models"
    shutil.copytree(models_folder() / "bundled", models / "bundled")
    git = ["git", "-C", str(models), "-c", "user.name=test", "-c", "user.email=test@example.org"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "The bundled model"]):
        subprocess.run([*git, *command], check=True)
    monkeypatch.setenv("ATTENTION_COURSE_MODELS", str(models))
    return models / "bundled"


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json", "config.json"])
def test_a_damaged_bundled_model_is_named_and_restored_from_git(
    checkout: Path, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    whole = (checkout / name).read_bytes()
    (checkout / name).write_bytes(whole[: len(whole) // 2])
    assert continue_text().text.startswith("The cat sat on the mat")
    assert f"{name}: is " in caplog.text
    assert "restored from the checkout's git" in caplog.text
    assert (checkout / name).read_bytes() == whole
    assert (checkout / f"{name}.damaged").exists()


def test_a_byte_changed_in_the_bundled_weights_is_noticed(checkout: Path) -> None:
    weights = checkout / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-5] ^= 0xFF
    weights.write_bytes(content)
    shutil.rmtree(checkout.parent / ".git")
    with pytest.raises(
        ModelNotAvailable, match=r"content is not what was written.*git checkout --"
    ):
        load_mini_transformer()


def test_a_checkout_without_the_bundled_model_says_so(models_elsewhere: Path) -> None:
    with pytest.raises(ModelNotAvailable, match="The bundled model is not in"):
        load_mini_transformer()


def test_importing_the_functions_does_not_import_transformers(repository_root: Path) -> None:
    program = (
        "import sys, reference_attention.model_utils\n"
        "print([name for name in ('transformers', 'bokeh', 'tokenizers', 'huggingface_hub')"
        " if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": str(repository_root)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.network
@pytest.mark.slow
def test_the_real_distilgpt2_writes_the_same_with_the_references_attention() -> None:
    loaded = load_mini_transformer("distilgpt2")
    own = continue_text("The cat sat on the mat", model=loaded)
    ours = continue_text("The cat sat on the mat", model=loaded, attention=None)
    assert ours.ids.tolist() == own.ids.tolist()


def test_the_manifest_lists_every_file_that_is_loaded(repository_root: Path) -> None:
    folder = repository_root / "cache" / "models" / "bundled"
    listed = json.loads((folder / "manifest.json").read_text())["files"]
    assert {"config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"} <= set(
        listed
    )
