"""docs/model.md: its examples run as they are written."""

from __future__ import annotations

import re
from pathlib import Path

import reference_attention


def test_the_examples_of_the_document_run_one_after_the_other(repository_root: Path) -> None:
    text = (repository_root / "docs" / "model.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert len(blocks) == 2
    names = {name: getattr(reference_attention, name) for name in reference_attention.__all__}
    names["my_scores"] = lambda queries, keys: queries @ keys.transpose(-2, -1)
    for block in blocks:
        exec(block, names)  # the project's own document
    assert names["comparison"].first_difference == "scores"
    assert names["attended_values"].shape == (1, 6, 64)
