"""A real Dask scheduler and real workers, each a process of its own, on loopback."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from attention_course.grading.distributed import ClusterPool

SECONDS = 90  # in which a process starts or a worker joins, before a test says that it did not


@dataclass
class Cluster:
    """A scheduler's address, and its workers."""

    folder: Path
    address: str = ""
    scheduler: subprocess.Popen[bytes] | None = None
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)
    host: str = "127.0.0.1"
    settings: dict[str, str] = field(default_factory=dict)
    _made: int = 0

    def begin(self, port: str = "0") -> None:
        """Start a scheduler and wait until it listens."""
        about = self.folder / f"scheduler-{self._next()}.json"
        self.scheduler = self._dask(
            "scheduler", "--host", self.host, "--port", port, "--no-dashboard",
            "--scheduler-file", str(about),
        )  # fmt: skip
        until = time.monotonic() + SECONDS
        while time.monotonic() < until and self.scheduler.poll() is None:
            with contextlib.suppress(OSError, ValueError, KeyError):
                self.address = json.loads(about.read_text())["address"]
                return
            time.sleep(0.05)
        raise AssertionError(f"no scheduler: {self.said()}")

    def add(self, *before: str, threads: int = 1, host: str = "127.0.0.1") -> Any:
        """Start a worker; ``before`` is the command that it is started by, if any."""
        process = self._dask(
            "worker", self.address, "--nthreads", str(threads), "--no-nanny", "--no-dashboard",
            "--host", host, "--local-directory", str(self.folder), "--memory-limit", "0",
            before=before,
        )  # fmt: skip
        self.workers.append(process)
        return process

    def count(self) -> int:
        """How many workers the scheduler knows."""
        from distributed import Client

        with Client(self.address, set_as_default=False) as client:
            return len(client.nthreads())

    def wait_for(self, count: int) -> None:
        until = time.monotonic() + SECONDS
        while (found := self.count()) != count:
            assert time.monotonic() < until, f"{found} workers, not {count}: {self.said()}"
            time.sleep(0.1)

    def pool(self, told: Any, **more: Any) -> Any:
        """What ``grade_class`` takes as its pool; everybody may grade unprotected here."""
        given = {"isolation": "auto", "required": (), "say": told, **more}
        return partial(ClusterPool, address=self.address, **given)

    def end(self) -> None:
        for process in (*self.workers, self.scheduler):
            if process is not None and process.poll() is None:
                with contextlib.suppress(ProcessLookupError):
                    process.send_signal(signal.SIGCONT)
                    process.kill()
                process.wait()

    def said(self) -> str:
        logs = sorted(self.folder.glob("*.log"))
        return "\n".join(log.read_text(errors="replace")[-1500:] for log in logs)

    def _dask(self, *arguments: str, before: tuple[str, ...] = ()) -> subprocess.Popen[bytes]:
        path = self.folder / f"{arguments[0]}-{self._next()}.log"
        with path.open("wb") as log:
            return subprocess.Popen(
                [*before, sys.executable, "-m", "dask", *arguments],
                cwd=self.folder,
                env={**os.environ, **self.settings, "OMP_NUM_THREADS": "1"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def _next(self) -> int:
        self._made += 1
        return self._made


@contextmanager
def cluster(folder: Path, workers: int, **settings: str) -> Iterator[Cluster]:
    """A scheduler with ``workers`` workers; ``settings`` are Dask's own variables."""
    folder.mkdir(parents=True, exist_ok=True)
    made = Cluster(folder, settings=settings)
    try:
        made.begin()
        for _ in range(workers):
            made.add()
        made.wait_for(workers)
        yield made
    finally:
        made.end()
