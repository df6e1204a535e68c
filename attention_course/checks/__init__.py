"""What is right, what is wrong, and what it is called.

Used by the notebook's self-check and by the grader alike; knows nothing of either. What needs
torch is loaded on first use: who only asks for the names of faults does not wait for it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from attention_course.checks.misconceptions import MISCONCEPTIONS, Misconception

if TYPE_CHECKING:
    from attention_course.checks.exercises import EXERCISES, exercises_of
    from attention_course.checks.judging import MISSING, judge
    from attention_course.checks.sessions import Session, current_session, session

__all__ = [
    "EXERCISES",
    "MISCONCEPTIONS",
    "MISSING",
    "Misconception",
    "Session",
    "current_session",
    "exercises_of",
    "judge",
    "session",
]

_HOMES = {
    "EXERCISES": "exercises",
    "exercises_of": "exercises",
    "MISSING": "judging",
    "judge": "judging",
    "Session": "sessions",
    "current_session": "sessions",
    "session": "sessions",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
