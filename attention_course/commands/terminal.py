"""How commands print: through rich, and wide enough for tables where there is no terminal."""

from __future__ import annotations

from rich.console import Console

NARROWEST = 120  # columns where the output goes to a file or a pipe


def console() -> Console:
    found = Console()
    if found.is_terminal:
        return found
    return Console(width=max(found.width, NARROWEST))
