"""A circuit breaker: after some failures in a row, nobody waits for the server any more."""

from __future__ import annotations

import time
from collections.abc import Callable


class Breaker:
    """Counts failures in a row; opens at ``limit`` of them and lets one try through after a while.

    ``cooldown`` is in seconds of ``clock``.
    """

    def __init__(
        self,
        limit: int = 2,
        cooldown: float = 60.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.limit = limit
        self.cooldown = cooldown
        self.clock = clock
        self.reason = ""
        self._failures = 0
        self._opened: float | None = None

    @property
    def open(self) -> bool:
        """Whether asking is pointless now."""
        return self._opened is not None and self.clock() - self._opened < self.cooldown

    def failed(self, reason: str, *, for_good: bool = False) -> None:
        """Note a failure; ``for_good`` opens at once, as where nothing listens at the address."""
        self.reason = reason
        self._failures += 1
        if for_good or self._failures >= self.limit:
            self._opened = self.clock()

    def succeeded(self) -> None:
        self.reason = ""
        self._failures = 0
        self._opened = None
