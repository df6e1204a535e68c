"""The folder of models: what is in it, whether it is whole, and how it is mended.

Only safetensors weights are ever read. A folder is checked before it is loaded, so that a file
cut off by a lost connection is named and fetched again instead of failing deep in a library.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

BUNDLED = "bundled"
MANIFEST = "manifest.json"
ALIASES = {"distilgpt2": "distilbert/distilgpt2", "gpt2": "openai-community/gpt2"}
# What a model needs; weights in other formats (pickle among them) are not even fetched.
WANTED = (
    "config.json",
    "generation_config.json",
    "model*.safetensors",
    "model.safetensors.index.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "vocab.json",
    "merges.txt",
)

logger = logging.getLogger("reference_attention")


class ModelNotAvailable(Exception):
    """No usable model of that name; the message says what is the matter and what to do."""


@dataclass(frozen=True)
class Damage:
    """One file that keeps a model from being loaded, and what is the matter with it."""

    file: Path
    matter: str

    def __str__(self) -> str:
        return f"{self.file}: {self.matter}"


def models_folder() -> Path:
    """``cache/models`` of the checkout, or what ATTENTION_COURSE_MODELS names."""
    elsewhere = os.environ.get("ATTENTION_COURSE_MODELS")
    return Path(elsewhere) if elsewhere else Path(__file__).parents[2] / "cache" / "models"


def find_damage(folder: Path) -> Damage | None:
    """The first thing that is wrong with a model folder, or None when it is whole."""
    configuration = folder / "config.json"
    if matter := _json_matter(configuration):
        return Damage(configuration, matter)
    tokenizer = folder / "tokenizer.json"
    if tokenizer.exists() and (matter := _json_matter(tokenizer)):
        return Damage(tokenizer, matter)
    weights = _weight_files(folder)
    if isinstance(weights, Damage):
        return weights
    for file in weights:
        if matter := _safetensors_matter(file):
            return Damage(file, matter)
    return _manifest_damage(folder)


def _weight_files(folder: Path) -> list[Path] | Damage:
    index = folder / "model.safetensors.index.json"
    if index.exists():
        if matter := _json_matter(index):
            return Damage(index, matter)
        names = sorted(set(json.loads(index.read_text())["weight_map"].values()))
        return [folder / name for name in names]
    whole = folder / "model.safetensors"
    if not whole.exists() and [*folder.glob("*.bin"), *folder.glob("*.pt"), *folder.glob("*.pth")]:
        return Damage(
            whole, "is missing; the weights here are pickle files, which are never loaded"
        )
    return [whole]


def _json_matter(file: Path) -> str | None:
    try:
        json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return "is missing"
    except ValueError:
        return "is not whole (cannot be read as JSON)"
    return None


def _safetensors_matter(file: Path) -> str | None:
    """A safetensors file says at its beginning how long it is: the cheapest whole-file check."""
    try:
        size = file.stat().st_size
        with file.open("rb") as opened:
            header_size = int.from_bytes(opened.read(8), "little")
            if not 2 <= header_size <= size - 8:
                return f"is damaged (its header does not fit into its {size} bytes)"
            header = json.loads(opened.read(header_size))
        ends = [entry["data_offsets"][1] for name, entry in header.items() if name[0] != "_"]
    except FileNotFoundError:
        return "is missing"
    except (ValueError, KeyError, TypeError, AttributeError, IndexError):
        return "is damaged (its header cannot be read)"
    expected = 8 + header_size + max(ends, default=0)
    if size != expected:
        return f"is damaged ({size} bytes where {expected} are expected)"
    return None


def write_manifest(folder: Path, *, digests: bool) -> None:
    """Note the size, and with ``digests`` the SHA-256, of each file that loading may read."""
    files: dict[str, dict[str, int | str]] = {}
    for file in sorted(folder.iterdir()):
        if file.suffix in (".safetensors", ".json", ".txt") and file.name != MANIFEST:
            files[file.name] = {"bytes": file.stat().st_size}
            if digests:
                files[file.name]["sha256"] = hashlib.sha256(file.read_bytes()).hexdigest()
    (folder / MANIFEST).write_text(json.dumps({"files": files}, indent=2) + "\n")


def _manifest_damage(folder: Path) -> Damage | None:
    manifest = folder / MANIFEST
    if not manifest.exists():
        return None  # made by save_pretrained, not by us: there is nothing more to compare with
    if matter := _json_matter(manifest):
        return Damage(manifest, matter)
    for name, facts in json.loads(manifest.read_text())["files"].items():
        file = folder / name
        if not file.exists():
            return Damage(file, "is missing")
        if file.stat().st_size != facts["bytes"]:
            return Damage(
                file,
                f"is damaged ({file.stat().st_size} bytes where {facts['bytes']} are expected)",
            )
        if "sha256" in facts and hashlib.sha256(file.read_bytes()).hexdigest() != facts["sha256"]:
            return Damage(file, "is damaged (its content is not what was written)")
    return None


def bundled_folder() -> Path:
    """The bundled model's folder, mended from the checkout's own git where it is damaged.

    Raises ModelNotAvailable where it is not there, or damaged and beyond mending.
    """
    folder = models_folder() / BUNDLED
    if not folder.is_dir():
        raise ModelNotAvailable(
            f"The bundled model is not in {folder}. Run the course from its checkout, or set "
            f"ATTENTION_COURSE_MODELS to the checkout's cache/models."
        )
    for _ in range(len(list(folder.iterdir())) + 5):  # one damaged file a round
        damage = find_damage(folder)
        if damage is None:
            return folder
        if not _restored_from_git(damage.file):
            break
        logger.warning("%s. It was restored from the checkout's git.", damage)
    raise ModelNotAvailable(
        f"{damage}. Restore the bundled model with: git checkout -- cache/models/{BUNDLED}"
    )


def _restored_from_git(file: Path) -> bool:
    git = ["git", "-C", str(file.parent)]
    try:
        subprocess.run(
            [*git, "ls-files", "--error-unmatch", file.name], check=True, capture_output=True
        )
        if file.exists():
            # Set aside, not lost: it may be somebody's own retrained model.
            file.replace(file.with_name(file.name + ".damaged"))
        subprocess.run([*git, "checkout", "--", file.name], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        return False
    return True


def hub_folder(name: str) -> Path:
    """The folder of a hub model: from the cache if it is whole there, else downloaded into it.

    An interrupted download is taken up where it stopped; a damaged one is named and replaced.
    Raises ModelNotAvailable when there is neither a whole copy nor a way to get one.
    """
    repository = ALIASES.get(name, name)
    names = dict.fromkeys((name, repository))
    folders = [models_folder() / known.replace("/", "--") for known in names]
    damage: Damage | None = None
    for folder in folders:
        if folder.is_dir():
            found = find_damage(folder)
            if found is None:
                return folder
            damage = damage or found
    target = damage.file.parent if damage else folders[0]
    partial = target.with_name(target.name + ".partial")
    if damage is not None:
        logger.warning("%s. Downloading %s again.", damage, repository)
    elif partial.is_dir():
        logger.warning("An earlier download of %s stopped half-way. Going on with it.", repository)
    _download(repository, partial, damage)
    if fresh := find_damage(partial):
        shutil.rmtree(partial)
        raise ModelNotAvailable(
            f"{repository} was downloaded, but {fresh.file.name} {fresh.matter}. "
            f"Use another model, or the bundled one: load_mini_transformer()"
        )
    shutil.rmtree(partial / ".cache", ignore_errors=True)
    write_manifest(partial, digests=False)
    if target.is_dir():
        shutil.rmtree(target)
    partial.replace(target)
    return target


def _download(repository: str, partial: Path, damage: Damage | None) -> None:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError
    from huggingface_hub.errors import RepositoryNotFoundError as NoSuchRepository

    before = f"{damage}. " if damage else ""
    use_bundled = "or use the bundled model: load_mini_transformer()"
    try:
        # Its own progress bar; files that were cut off are taken up where they stopped.
        snapshot_download(repository, local_dir=partial, allow_patterns=list(WANTED))
    except (NoSuchRepository, HFValidationError) as error:
        raise ModelNotAvailable(
            f"{before}The Hub has no public model named {repository!r}. Check the spelling "
            f"(owner/name), {use_bundled}"
        ) from error
    except LocalEntryNotFoundError as error:
        raise ModelNotAvailable(
            f"{before}{repository} is not in {models_folder()} and the Hub cannot be reached. "
            f"Connect to the internet and call this again, {use_bundled}"
        ) from error
    except Exception as error:  # the many ways in which a connection ends
        raise ModelNotAvailable(
            f"{before}The download of {repository} stopped ({type(error).__name__}). What has "
            f"arrived is kept in {partial}. Call this again to go on, {use_bundled}"
        ) from error
