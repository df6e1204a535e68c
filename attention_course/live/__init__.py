"""What the kernel tells the lab extension: matrices, verdicts, progress.

Nothing here is needed by a lesson. Importing :mod:`attention_course` in a notebook's kernel
starts it; anywhere else nothing is loaded. No error of this room reaches a student's cell, and
nothing is written into the notebook. The messages: docs/live-messages.md.

``show``  a matrix of your own in the lab's panel, also from inside a loop
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from attention_course.live.publisher import Publisher
    from attention_course.verdict import Verdict

__all__ = ["show", "start", "verdicts_reached"]

TARGET = "attention_course:live"
VERSION = 1
SANDBOX_VARIABLE = "ATTENTION_COURSE_SANDBOX"
NBGRADER_VARIABLE = "NBGRADER_EXECUTION"
OFF_VARIABLE = "ATTENTION_COURSE_LIVE"
# On the shell, not here: an import of the course made anew must find the one that is there.
_PLACE = "_attention_course_live"


def start() -> Publisher | None:
    """Begin to tell, if this is a notebook's kernel; a second call changes nothing."""
    shell = _kernel_shell()
    if shell is None:
        return None
    there: Publisher | None = getattr(shell, _PLACE, None)
    if there is None:
        from attention_course.live.publisher import Publisher

        there = Publisher(shell)
        setattr(shell, _PLACE, there)
        there.attach()
    return there


def verdicts_reached(assignment: str, verdicts: Iterable[Verdict]) -> None:
    """Tell the lab, when the running cell has ended, what a check or evaluation has found."""
    publisher = _running()
    if publisher is not None:
        publisher.verdicts_reached(assignment, verdicts)


def show(
    matrix: Any,
    tokens: Any = None,
    *,
    key_tokens: Any = None,
    name: str = "live",
    kind: str = "weights",
    reference: Any = None,
) -> None:
    """Draw a matrix [rows, columns] in the lab's Attention panel, at once.

    In a loop, what comes faster than the screen is left out; the last one is always shown.
    ``tokens`` name the rows, ``key_tokens`` the columns (default: the same). ``kind`` is
    "weights" or "scores"; ``reference`` is a matrix to compare with; pictures of another
    ``name`` are kept apart. Does nothing where there is no lab.
    """
    publisher = _running()
    if publisher is not None:
        publisher.show(matrix, tokens, key_tokens, name, kind, reference)


def _running() -> Publisher | None:
    shell = _kernel_shell()
    return None if shell is None else getattr(shell, _PLACE, None)


def _kernel_shell() -> Any:
    """The shell of a notebook's kernel, or None wherever nothing is to be told."""
    if (
        os.environ.get(SANDBOX_VARIABLE) == "1"
        or os.environ.get(NBGRADER_VARIABLE) == "validate"
        or os.environ.get(OFF_VARIABLE) == "0"
        or "ipykernel" not in sys.modules
    ):
        return None
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return shell if hasattr(shell, "kernel") else None
