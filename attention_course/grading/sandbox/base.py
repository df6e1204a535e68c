"""What every kind of sandbox offers, and the ways in which it can end."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True)
class Limits:
    """How long a student's code may run, in seconds; None is no limit.

    ``cell`` bounds each cell and each call from a test, ``submission`` all of them together.
    """

    cell: float | None = 30.0
    submission: float | None = 600.0
    start: float = 60.0
    restarts: int = 3


class SandboxDidNotStart(Exception):
    """The process could not be started: our fault, never the student's."""


class SandboxEnded(Exception):
    """The student's code ended its own process, or broke the connection to it."""


class SandboxTimeout(Exception):
    """The time limit passed. ``alive`` says whether an interrupt was enough to stop the code."""

    def __init__(self, message: str, alive: bool) -> None:
        super().__init__(message)
        self.alive = alive


class Sandbox(Protocol):
    """One running student process."""

    def send(self, header: dict[str, Any], chunks: Iterable[bytes] = ()) -> None:
        """Send a request; raises SandboxEnded."""

    def receive(self, seconds: float | None) -> tuple[dict[str, Any], memoryview]:
        """The next message; raises SandboxEnded, or SandboxTimeout after ``seconds``."""

    def close(self) -> None:
        """End the process and all that it started; may be called twice."""
