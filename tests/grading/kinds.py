"""The kinds of sandboxes, and a student's process of one of them with a short way to ask it."""

from __future__ import annotations

import pytest

from attention_course.grading.remote import Wall
from attention_course.grading.sandbox import Limits, Unprotected, level_here, start

from .forked_warm import use_forked

MIB = 2**20


def missing(name: str) -> str | None:
    try:
        level_here(name.removeprefix("forked "))
    except Unprotected as error:
        return str(error)
    return None


def of_kinds(*names: str) -> pytest.MarkDecorator:
    marked = [
        pytest.param(n, marks=pytest.mark.skipif(missing(n) is not None, reason=str(missing(n))))
        for n in names
    ]
    return pytest.mark.parametrize("kind", marked, indirect=True)


# With "forked" the warm process is one that a launcher has forked, and not started anew.
EVERY = of_kinds("bubblewrap", "forked bubblewrap", "landlock", "plain")
PROTECTED = of_kinds("bubblewrap", "forked bubblewrap", "landlock")
NAMESPACES = of_kinds("bubblewrap", "forked bubblewrap")


class Process:
    """A running student process with a short way to ask it."""

    def __init__(self, level: str, limits: Limits, **files: bytes) -> None:
        self.printed: list[str] = []
        given = {name.replace("_dot_", "."): data for name, data in files.items()}
        self.hidden = ("reference_attention", "attention_course.checks")
        if level.startswith("forked "):
            level = level.removeprefix("forked ")
            self.hidden = (*self.hidden, "forked")
            use_forked(self.hidden)
        self.sandbox = start(given, limits, self.hidden, wanted=level)
        self.wall = Wall(self.sandbox, limits, self.printed.append)

    def run(self, source: str) -> None:
        self.wall.exchange({"op": "run_cell", "source": source})

    def value(self, expression: str) -> object:
        self.run(f"import os, sys, socket, subprocess\nanswer = {expression}")
        return self.wall.ask("lookup", name="answer")

    def refused(self, statement: str) -> bool:
        """Whether ``statement`` raised OSError."""
        self.run(
            "import os, sys, socket, ctypes\nrefused = False\n"
            f"try:\n    {statement}\nexcept OSError:\n    refused = True"
        )
        return bool(self.wall.ask("lookup", name="refused"))


LIMITS = Limits(cell=10, memory=400 * MIB, processes=24, file_size=MIB, open_files=64,
                scratch=8 * MIB, files=200, kept=MIB)  # fmt: skip
