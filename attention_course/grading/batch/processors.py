"""Keeps each worker on a processor of its own, where there are as many of one as of the other.

A worker and the process of the submission that it grades take turns: one asks, the other
answers, some thousand times a second. A kernel that places such pairs anew at each turn leaves
processors idle while somebody waits for another one, for 4 to 7 of 100 ms when this was measured.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator


def processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Places:
    """The places of ``count`` workers that this process forks, numbered from 0."""

    def __init__(self, count: int) -> None:
        self._allowed = os.sched_getaffinity(0)
        own = sorted(self._allowed) if len(self._allowed) == count else []
        self._processors = [{processor} for processor in own]
        self._workers: list[set[int]] = [set() for _ in range(count)]

    def __len__(self) -> int:
        return len(self._workers)

    @contextlib.contextmanager
    def at(self, place: int) -> Iterator[None]:
        """Whoever is started meanwhile stays on the processor of ``place``, and all it starts."""
        if not self._processors:
            yield
            return
        with contextlib.suppress(OSError):  # the processor was taken away: anywhere will do
            os.sched_setaffinity(0, self._processors[place])
        try:
            yield
        finally:
            with contextlib.suppress(OSError):
                os.sched_setaffinity(0, self._allowed)

    def free(self) -> int:
        """The place with the fewest workers that live. Who has ended is buried."""
        for workers in self._workers:
            workers -= {pid for pid in workers if os.waitpid(pid, os.WNOHANG)[0]}
        return min(range(len(self._workers)), key=lambda place: len(self._workers[place]))

    def take(self, place: int, worker: int) -> None:
        """Note the number of the process that works at ``place``."""
        self._workers[place].add(worker)
