"""A child process and nothing more: own session, clean environment, time limits.

It keeps the grader's memory apart from the student's, which is what the marks need. It does
not keep the student's code from the disk or the network.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from attention_course.grading.sandbox.base import (
    Limits,
    SandboxDidNotStart,
    SandboxEnded,
    SandboxTimeout,
)
from attention_course.grading.sandbox.wire import (
    ReplyTimeout,
    WireError,
    receive_frame,
    send_frame,
)

GRACE = 2.0  # seconds that an interrupted cell has to give up before its process is killed
CHILD = "attention_course.grading.sandbox.child"


class Plain:
    """The student's process, started in ``folder``; nothing of it outlives ``close``."""

    level = "plain"

    def __init__(
        self,
        folder: Path,
        limits: Limits,
        refused: tuple[str, ...] = (),
        environment: dict[str, str] | None = None,
    ) -> None:
        self._home = tempfile.TemporaryDirectory(prefix="student-home-", ignore_cleanup_errors=True)
        ours, theirs = socket.socketpair()
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the sandbox
        try:
            self._process = subprocess.Popen(
                self._command(folder, str(theirs.fileno())),
                cwd=folder,
                env=self._environment(refused, environment or {}),
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._log,
                start_new_session=True,
            )
        except OSError as error:
            ours.close()
            self._home.cleanup()
            raise SandboxDidNotStart(f"no process could be started: {error}") from error
        finally:
            theirs.close()
        self._connection = ours
        try:
            header, _ = receive_frame(ours, time.monotonic() + limits.start)
            if "ready" not in header:
                raise WireError("it did not report that it is ready")
            self._started()
        except WireError as error:
            self._log.seek(0)
            last = self._log.read()[-500:].decode("utf-8", "replace").strip()
            self.close()
            reason = last.splitlines()[-1] if last else str(error)
            raise SandboxDidNotStart(f"the student's process did not start: {reason}") from error

    def _command(self, folder: Path, descriptor: str) -> list[str]:
        return [sys.executable, "-I", "-m", CHILD, descriptor]

    def _started(self) -> None:
        """Called once the process answers."""

    def _environment(self, refused: tuple[str, ...], more: dict[str, str]) -> dict[str, str]:
        kept = {
            key: os.environ[key] for key in ("PATH", "LANG", "LC_ALL", "TZ") if key in os.environ
        }
        return {
            **kept,
            "HOME": self._home.name,
            "IPYTHONDIR": os.path.join(self._home.name, ".ipython"),
            "TMPDIR": self._home.name,
            "MPLBACKEND": "agg",
            "OMP_NUM_THREADS": "1",
            "MKL_NUM_THREADS": "1",
            "ATTENTION_COURSE_SANDBOX": "1",
            "ATTENTION_COURSE_REFUSED": ",".join(refused),
            **more,
        }

    def send(self, header: dict[str, Any], chunks: Iterable[bytes] = ()) -> None:
        try:
            send_frame(self._connection, header, chunks, time.monotonic() + 60)
        except (WireError, OSError) as error:
            raise SandboxEnded(self._ending(error)) from error

    def receive(self, seconds: float | None) -> tuple[dict[str, Any], memoryview]:
        deadline = None if seconds is None else time.monotonic() + max(seconds, 0.0)
        try:
            return receive_frame(self._connection, deadline)
        except ReplyTimeout as error:
            self._interrupt()
            raise SandboxTimeout(f"stopped after {seconds:.3g} s", alive=self._gave_up()) from error
        except (WireError, OSError) as error:
            raise SandboxEnded(self._ending(error)) from error

    def _interrupt(self) -> None:
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)

    def _gave_up(self) -> bool:
        """Whether the interrupted request was answered in time; its answer is thrown away."""
        try:
            receive_frame(self._connection, time.monotonic() + GRACE)
        except (WireError, OSError):
            self.close()
            return False
        return True

    def _ending(self, error: Exception) -> str:
        try:
            status = self._process.wait(timeout=1.0)
        except subprocess.TimeoutExpired:
            self.close()
            return f"the process broke off the connection ({error})"
        if status < 0:
            return f"the process was ended by signal {signal.Signals(-status).name}"
        return f"the process ended itself with exit code {status}"

    def close(self) -> None:
        self._connection.close()
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._log.close()
        self._home.cleanup()
