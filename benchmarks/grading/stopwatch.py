"""Says how a run's time divides among named functions, each without those it calls."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from typing import Any


class NoSuchPart(ImportError):
    """A function that was to be timed is not where it was; the list of parts needs mending."""


class Stopwatch:
    """Times functions in place; ``seconds`` maps a part to what was spent in it alone.

    A part inside a part stops the outer one's clock, so all seconds add up to the whole.
    """

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._open: list[str] = []
        self._since = 0.0

    def time(self, part: str, owner: Any, name: str, within: str | None = None) -> None:
        """Time ``owner.name`` as ``part``; only inside the part ``within`` where one is given."""
        function = getattr(owner, name, None)
        if function is None:
            raise NoSuchPart(f"{getattr(owner, '__name__', owner)} has no {name} to be timed")

        @functools.wraps(function)
        def timed(*args: Any, **kwargs: Any) -> Any:
            if within is not None and (not self._open or self._open[-1] != within):
                return function(*args, **kwargs)
            return self.run(part, function, *args, **kwargs)

        setattr(owner, name, timed)

    def run(self, part: str, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        self._turn()
        self._open.append(part)
        try:
            return function(*args, **kwargs)
        finally:
            self._turn()
            self._open.pop()

    def _turn(self) -> None:
        now = time.perf_counter()
        if self._open:
            part = self._open[-1]
            self.seconds[part] = self.seconds.get(part, 0.0) + now - self._since
        self._since = now
