"""Runs ruff on answers, and remembers what it said of each."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path

from attention_course.grading.review.style import BY_CODE, MOST_COMPLEX

REMEMBERED = 2_000  # answers whose findings are kept: many hand in the same
PATIENCE = 30.0  # seconds that ruff may take

said: OrderedDict[str, list[dict[str, object]]] = OrderedDict()
"""By an answer's text, ruff's findings as its JSON has them."""


def run(texts: Sequence[str]) -> str | None:
    """Let ruff read ``texts`` with no configuration but this; why it could not, or None."""
    try:
        from ruff import find_ruff_bin

        program = find_ruff_bin()
    except (ImportError, FileNotFoundError):
        return "is not installed: pip install ruff"
    with tempfile.TemporaryDirectory(prefix="review-") as folder:
        for number, text in enumerate(texts):
            path = Path(folder, f"answer_{number}.py")
            path.write_text(text, encoding="utf-8", errors="replace")
        command = [program, "check", "--isolated", "--no-cache", "--quiet", "--exit-zero",
                   "--ignore-noqa", "--output-format", "json", "--select", ",".join(BY_CODE),
                   "--config", f"lint.mccabe.max-complexity={MOST_COMPLEX}", "."]  # fmt: skip
        try:
            done = subprocess.run(
                command, cwd=folder, capture_output=True, text=True, timeout=PATIENCE
            )
            reported = json.loads(done.stdout)
        except subprocess.TimeoutExpired:
            return f"took longer than {PATIENCE:g} s"
        except (OSError, ValueError) as error:
            return f"failed ({type(error).__name__})"
    found: list[list[dict[str, object]]] = [[] for _ in texts]
    for item in reported:
        place = Path(str(item.get("filename"))).stem.removeprefix("answer_")
        found[int(place)].append(item)
    said.update(zip(texts, found, strict=True))
    return None


def forget() -> None:
    """Let go of what was said of the oldest answers."""
    while len(said) > REMEMBERED:
        said.popitem(last=False)
