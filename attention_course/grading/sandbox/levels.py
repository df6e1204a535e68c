"""Which kind of sandbox runs: the strongest one, or the one that the settings ask for."""

from __future__ import annotations

from pathlib import Path

from attention_course.grading.sandbox.base import Limits, SandboxDidNotStart
from attention_course.grading.sandbox.bubblewrap import Bubblewrap, available
from attention_course.grading.sandbox.plain import Plain

LEVELS = ("auto", "bubblewrap", "plain")


def level_here(wanted: str = "auto") -> tuple[str, str | None]:
    """The level that will run for ``wanted``, and why it is not a stronger one.

    "bubblewrap" is never replaced by a weaker level: where it cannot run, nothing starts.
    """
    if wanted not in LEVELS:
        raise ValueError(f"no isolation level {wanted!r}; there are {', '.join(LEVELS)}")
    if wanted == "plain":
        return "plain", "the configuration asks for it"
    reason = available()
    if reason is None or wanted == "bubblewrap":
        return "bubblewrap", reason
    return "plain", reason


def start(
    folder: Path,
    limits: Limits,
    refused: tuple[str, ...] = (),
    environment: dict[str, str] | None = None,
    wanted: str = "auto",
) -> Plain:
    """Start a student's process; raises SandboxDidNotStart."""
    level, reason = level_here(wanted)
    if level == "plain":
        return Plain(folder, limits, refused, environment)
    if reason is not None:
        raise SandboxDidNotStart(f"the isolation that is required is not to be had: {reason}")
    return Bubblewrap(folder, limits, refused, environment)
