"""Where a lesson's cell is running: a student's notebook, a grader, or a sandbox."""

from __future__ import annotations

import os
import sys
from typing import Any

SANDBOX_VARIABLE = "ATTENTION_COURSE_SANDBOX"
NBGRADER_VARIABLE = "NBGRADER_EXECUTION"


def in_sandbox() -> bool:
    """True in the process that runs a submission: nothing is checked or shown there."""
    return os.environ.get(SANDBOX_VARIABLE) == "1"


def is_validating() -> bool:
    """True under ``nbgrader validate``, which reports a cell only if it raises."""
    return os.environ.get(NBGRADER_VARIABLE) == "validate"


def is_grading() -> bool:
    """True where a grader holds a checks session: it keeps the verdicts, not the student."""
    from attention_course.checks import current_session

    return current_session() is not None


def notebook_names() -> dict[str, Any]:
    """The names that the student's cells have defined so far."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    if shell is not None:
        return dict(shell.user_ns)
    return dict(vars(sys.modules["__main__"]))


def show(thing: object) -> None:
    """Display an object below the running cell (printed as text outside a notebook)."""
    from IPython.display import display

    display(thing)
