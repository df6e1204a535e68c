"""The master notebooks, read once."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest

SOURCE = Path(__file__).resolve().parents[2] / "source"


@pytest.fixture(scope="session")
def masters():
    return {
        "attention": nbformat.read(SOURCE / "attention" / "lesson.ipynb", 4),
        "attention_basics": nbformat.read(
            SOURCE / "attention_basics" / "attention_basics.ipynb", 4
        ),
    }
