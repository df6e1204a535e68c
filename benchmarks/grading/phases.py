"""Where each millisecond of one submission goes (stub until the engine's durations are there)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.grading.classes import PreparedClass

if TYPE_CHECKING:
    from benchmarks.grading.session import Options


def phases(options: Options, ours: PreparedClass, scratch: Path) -> dict[str, Any]:
    """Where the milliseconds go."""
    return {}
