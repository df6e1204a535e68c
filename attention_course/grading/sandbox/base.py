"""What every kind of sandbox offers, and the ways in which it can end."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol

MIB = 2**20


@dataclass(frozen=True)
class Limits:
    """What a submission may use. Times are seconds, sizes bytes; None is no limit.

    ``cell`` bounds each cell and all that one test asks for; ``submission`` all of them
    together; ``start`` the time to start a process, of which there may be ``restarts`` more
    after one that ended. ``memory`` is for the whole submission where a cgroup is to be had,
    and for each of its processes everywhere. ``cpu`` is processor time. ``scratch`` is the room
    for files, ``kept`` how much of them is brought back.
    """

    cell: float | None = 30.0
    submission: float | None = 600.0
    start: float = 60.0
    restarts: int = 20
    memory: int = 2048 * MIB
    processes: int = 64
    cpu: int | None = 600
    file_size: int = 64 * MIB
    open_files: int = 256
    scratch: int = 128 * MIB
    files: int = 10_000
    kept: int = 32 * MIB


class SandboxDidNotStart(Exception):
    """The process could not be started: our fault, never the student's."""


class Unprotected(SandboxDidNotStart):
    """A protection that the configuration requires is not to be had on this machine."""


class SandboxEnded(Exception):
    """The student's code ended its own process, or broke the connection to it."""


class SandboxTakenAway(SandboxEnded):
    """The process ended with the one that it was forked from: our fault, never the student's."""


class SandboxTimeout(Exception):
    """The time limit is over. ``alive`` says whether an interrupt was enough to stop the code."""

    def __init__(self, message: str, alive: bool) -> None:
        super().__init__(message)
        self.alive = alive


class Sandbox(Protocol):
    """One running student process."""

    def send(
        self, header: dict[str, Any], chunks: Iterable[bytes] = (), seconds: float | None = None
    ) -> None:
        """Send a request; raises SandboxEnded, and SandboxTimeout after ``seconds``."""

    def receive(self, seconds: float | None) -> tuple[dict[str, Any], memoryview]:
        """The next message; raises SandboxEnded, or SandboxTimeout after ``seconds``."""

    def collect(self) -> dict[str, bytes]:
        """The files that the code made or changed in its working folder, by relative path.

        Only what a living process can hand over within ``Limits.kept``; else nothing.
        """

    def close(self) -> None:
        """End the process and all that it started; may be called twice."""
