"""Runs one command and says what it took: wall time, CPU time of all its processes, memory.

CPU time comes from a cgroup where this user may make one (it misses nobody), else from what the
kernel adds up for processes that were waited for. Memory is the largest sum of proportional set
sizes seen (shared pages count once); sampling costs time, so a run is timed or sampled, not both.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ACCOUNTS = Path("/sys/fs/cgroup/cpuacct")
UNIFIED = Path("/sys/fs/cgroup")
# The command begins when its CPU time is being counted, a millisecond later.
WAITING = ("sh", "-c", 'read go; exec "$@" </dev/null', "sh")
SAMPLE_EVERY = 0.03  # seconds between two looks at memory


class CommandFailed(Exception):
    """A command that was to be measured failed; ``said`` is all that it printed."""

    def __init__(self, why: str, said: str) -> None:
        super().__init__(why)
        self.said = said
        self.add_note(self.last_words())

    def last_words(self, limit: int = 12) -> str:
        return "\n".join([line for line in self.said.splitlines() if line.strip()][-limit:])


@dataclass(frozen=True, slots=True)
class Usage:
    """What one command took. ``began`` is a time.time(), to compare files' times with."""

    began: float
    wall_s: float
    cpu_s: float
    cpu_from: str
    peak_mb: float | None
    said: str


def measure(
    command: Sequence[str],
    folder: Path,
    environment: Mapping[str, str],
    *,
    cores: frozenset[int] | None = None,
    memory: bool = False,
) -> Usage:
    """Run ``command`` in ``folder``, on ``cores`` only where they are given.

    Raises CommandFailed where it ends with an error.
    """
    log = folder / "benchmark.log"
    with log.open("wb") as said, _account() as account:
        began, start = time.time(), time.perf_counter()
        with _on(cores):  # a child inherits where its parent may run
            process = subprocess.Popen(
                [*WAITING, *command],
                cwd=folder,
                env=dict(environment),
                stdin=subprocess.PIPE,
                stdout=said,
                stderr=subprocess.STDOUT,
            )
        if account is not None:
            (account / "cgroup.procs").write_text(str(process.pid))
        assert process.stdin is not None
        process.stdin.write(b"go\n")
        process.stdin.close()
        with _peak_of(process.pid if memory else None) as peak:
            _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        cpu, source = usage.ru_utime + usage.ru_stime, "rusage"
        if account is not None:
            cpu, source = _cpu_of(account), "cgroup"
    text = log.read_text(encoding="utf-8", errors="replace")
    if process.returncode != 0:
        raise CommandFailed(f"it ended with exit code {process.returncode}", text)
    return Usage(began, wall, cpu, source, max(peak, default=None), text)


@contextlib.contextmanager
def _on(cores: frozenset[int] | None) -> Iterator[None]:
    before = os.sched_getaffinity(0)
    if cores is not None:
        os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


# -- CPU time -------------------------------------------------------------------------------


@contextlib.contextmanager
def _account() -> Iterator[Path | None]:
    """A cgroup that counts CPU time, below this process's own; None where that is not allowed."""
    place = _own_place()
    made = place / f"benchmark-{os.getpid()}-{time.monotonic_ns()}" if place else None
    try:
        if made is not None:
            made.mkdir()
    except OSError:
        made = None
    try:
        yield made
    finally:
        if made is not None:
            with contextlib.suppress(OSError):
                made.rmdir()


def _own_place() -> Path | None:
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        if "cpuacct" in controllers.split(","):
            return ACCOUNTS / path.lstrip("/")
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        place = UNIFIED / line.removeprefix("0::").lstrip("/")
        if line.startswith("0::") and (place / "cpu.stat").is_file():
            return place
    return None


def _cpu_of(account: Path) -> float:
    older = account / "cpuacct.usage"
    if older.is_file():
        return int(older.read_text()) / 1e9
    stat = dict(line.split() for line in (account / "cpu.stat").read_text().splitlines())
    return int(stat["usage_usec"]) / 1e6


# -- memory ---------------------------------------------------------------------------------


@contextlib.contextmanager
def _peak_of(pid: int | None) -> Iterator[list[float]]:
    """Megabytes of the process and all its descendants, sampled while the block runs."""
    seen: list[float] = []
    if pid is None:
        yield seen
        return
    over = threading.Event()

    def watch() -> None:
        while not over.wait(SAMPLE_EVERY):
            seen.append(sum(map(_memory_mb, _family(pid))))

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()


def _family(pid: int) -> list[int]:
    found, place = [pid], 0
    while place < len(found):
        with contextlib.suppress(OSError):
            for task in Path(f"/proc/{found[place]}/task").iterdir():
                found += map(int, (task / "children").read_text().split())
        place += 1
    return found


def _memory_mb(pid: int) -> float:
    with contextlib.suppress(OSError, IndexError, ValueError):
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
        return int(text.split("\nPss:")[1].split()[0]) / 1024
    with contextlib.suppress(OSError, IndexError):  # another user's process: count shared pages too
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20
    return 0.0
