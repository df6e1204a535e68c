"""The grader's end of the connection to a student's process, whatever kind of process it is."""

from __future__ import annotations

import signal
import socket
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import Any

from attention_course.grading.sandbox.base import (
    Limits,
    SandboxEnded,
    SandboxTimeout,
)
from attention_course.grading.sandbox.wire import (
    ConnectionEnded,
    Decoder,
    ReplyTimeout,
    WireError,
    receive_frame,
    send_frame,
)
from attention_course.grading.sandbox.workfolder import is_inside

GRACE = 2.0  # seconds that an interrupted cell has to give up before its process is killed
COLLECTING = 5.0  # seconds to hand over files at the end
SENDING = 60.0


class Connected(ABC):
    """Sends and receives frames; subclasses know how to signal and to end the process."""

    level: str
    _connection: socket.socket
    _limits: Limits

    # -- what kinds of processes differ in --------------------------------------------------

    @abstractmethod
    def _interrupt(self) -> None:
        """Ask the running cell to give up, as Ctrl-C in a terminal would."""

    @abstractmethod
    def _wait(self, seconds: float) -> int | None:
        """The exit status once the process has ended (negative: a signal), None if it lives."""

    @abstractmethod
    def close(self) -> None:
        """End the process and all that it started; may be called twice."""

    def _why(self, status: int) -> str:
        """How the process ended, in words."""
        if status < 0:
            named = {int(known): known.name for known in signal.Signals}
            return f"the process was ended by signal {named.get(-status, -status)}"
        return f"the process ended itself with exit code {status}"

    # -- what they share --------------------------------------------------------------------

    def _begin(self, files: Mapping[str, bytes], environment: Mapping[str, str]) -> None:
        """Hand over the submission's files; raises SandboxDidNotStart or WireError."""
        listed, at = [], 0
        for name, data in files.items():
            listed.append([name, at, len(data)])
            at += len(data)
        header = {"files": listed, "environment": dict(environment), "kept": self._limits.kept}
        deadline = time.monotonic() + self._limits.start
        send_frame(self._connection, header, files.values(), deadline)
        answer, _ = receive_frame(self._connection, deadline)
        if "ready" not in answer:
            raise WireError(str(answer.get("failed", "it did not report that it is ready")))

    def send(
        self, header: dict[str, Any], chunks: Iterable[bytes] = (), seconds: float | None = None
    ) -> None:
        deadline = time.monotonic() + (SENDING if seconds is None else max(seconds, 0.0))
        try:
            send_frame(self._connection, header, chunks, deadline)
        except ReplyTimeout as error:
            self.close()
            if seconds is not None:
                raise SandboxTimeout("its time limit is over", alive=False) from error
            raise SandboxEnded("the process took in no message in time") from error
        except (WireError, OSError) as error:
            raise self._ended(error) from error

    def receive(self, seconds: float | None) -> tuple[dict[str, Any], memoryview]:
        deadline = None if seconds is None else time.monotonic() + max(seconds, 0.0)
        try:
            return receive_frame(self._connection, deadline)
        except ReplyTimeout as error:
            self._interrupt()
            raise SandboxTimeout("its time limit is over", alive=self._gave_up()) from error
        except (WireError, OSError) as error:
            raise self._ended(error) from error

    def _gave_up(self) -> bool:
        """Whether the interrupted request was answered in time; its answer is thrown away."""
        try:
            receive_frame(self._connection, time.monotonic() + GRACE)
        except (WireError, OSError):
            self.close()
            return False
        return True

    def _ended(self, error: Exception) -> SandboxEnded:
        return SandboxEnded(self._ending(error))

    def _ending(self, error: Exception) -> str:
        # One that closed the connection is about to end; one that broke the rules is not.
        status = self._wait(1.0 if isinstance(error, ConnectionEnded | OSError) else 0.0)
        if status is None:
            self.close()
            return f"the process broke off the connection ({error})"
        return self._why(status)

    def collect(self) -> dict[str, bytes]:
        """Files that the student's code left behind; nothing where it cannot say so in time."""
        try:
            send_frame(self._connection, {"op": "collect", "id": 0}, (), time.monotonic() + 1)
            header, payload = receive_frame(self._connection, time.monotonic() + COLLECTING)
            found = Decoder(payload, _nothing_else).decode(header.get("value"))
        except (WireError, OSError):
            return {}
        return self._agreed(found) if isinstance(found, dict) else {}

    def _agreed(self, found: dict[Any, Any]) -> dict[str, bytes]:
        """What may be kept of it: the other side is not believed to have kept to the limits."""
        kept: dict[str, bytes] = {}
        left = self._limits.kept
        for name, data in found.items():
            if len(kept) == self._limits.files:
                break
            plain = isinstance(name, str) and isinstance(data, bytes) and is_inside(name)
            if plain and len(data) <= left:
                kept[name] = data
                left -= len(data)
        return kept


def _nothing_else(data: list[Any]) -> Any:
    raise WireError("only files were asked for")
