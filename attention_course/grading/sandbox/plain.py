"""A child process and nothing more: own session, clean environment, time limits.

It keeps the grader's memory apart from the student's, which is what the marks need. It does
not keep the student's code from the disk or the network. For machines on which no process
can be forked from a warm one, and for whoever asks for it.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from attention_course.grading.sandbox.base import Limits, SandboxDidNotStart
from attention_course.grading.sandbox.connection import Connected
from attention_course.grading.sandbox.wire import WireError

CHILD = "attention_course.grading.sandbox.child"
INHERITED = ("PATH", "LANG", "LC_ALL", "TZ", "SYSTEMROOT")


class Plain(Connected):
    """A student's process of its own, started anew; nothing of it outlives ``close``."""

    level = "plain"

    def __init__(
        self,
        files: Mapping[str, bytes],
        limits: Limits,
        refused: tuple[str, ...] = (),
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._limits = limits
        self._home = tempfile.TemporaryDirectory(prefix="student-", ignore_cleanup_errors=True)
        folder = Path(self._home.name, "work")
        folder.mkdir()
        ours, theirs = socket.socketpair()
        self._connection = ours
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the sandbox
        command = [sys.executable, "-I", "-m", CHILD, str(theirs.fileno()), str(folder)]
        try:
            self._process = subprocess.Popen(
                command,
                cwd=folder,
                env=surroundings(self._home.name, refused),
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
        try:
            self._begin(files, environment or {})
        except (WireError, OSError) as error:
            reason = last_line(self._log) or str(error)
            self.close()
            raise SandboxDidNotStart(f"the student's process did not start: {reason}") from error

    def _interrupt(self) -> None:
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)

    def _wait(self, seconds: float) -> int | None:
        try:
            return self._process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            return None

    def close(self) -> None:
        self._connection.close()
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._log.close()
        self._home.cleanup()


def surroundings(home: str, refused: tuple[str, ...]) -> dict[str, str]:
    """The environment of a student's process: nothing of the grader's but where programs lie."""
    return {
        **{key: os.environ[key] for key in INHERITED if key in os.environ},
        "HOME": home,
        "USER": "student",
        "LOGNAME": "student",
        "IPYTHONDIR": os.path.join(home, ".ipython"),
        "TMPDIR": home,
        "MPLBACKEND": "agg",
        "OMP_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "ATTENTION_COURSE_SANDBOX": "1",
        "ATTENTION_COURSE_REFUSED": ",".join(refused),
    }


def last_line(log: object) -> str:
    """The last thing that a process said before it failed."""
    log.seek(0)  # type: ignore[attr-defined]
    words = log.read()[-500:].decode("utf-8", "replace").strip()  # type: ignore[attr-defined]
    return words.splitlines()[-1] if words else ""
