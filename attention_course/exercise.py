"""The words that describe an exercise: what is asked, what goes in, what came back.

Imports nothing of ours, so that every room may import it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Exercise:
    """One exercise of an assignment, named by the grade_id of its solution cell."""

    name: str
    assignment: str
    answer_name: str
    title: str
    points: float
    result: str
    """The expected result on the lesson's prompt, in words."""


@dataclass(frozen=True, slots=True)
class Fixture:
    """Inputs drawn from one seed, with the sizes that they were drawn for.

    ``inputs`` are the arguments of a call. For a class, ``sizes`` are the arguments of its
    constructor and ``state`` the parameters to load before the call.
    """

    name: str
    seed: int
    dimensions: Mapping[str, int]
    inputs: tuple[Any, ...]
    sizes: tuple[int, ...] = ()
    state: Mapping[str, Any] | None = None
    purpose: str = "judge"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one call of a student's code: a value, or the error it raised.

    ``changed`` names the arguments that were changed in place.
    """

    value: Any = None
    error: BaseException | None = None
    changed: tuple[str, ...] = ()
    ready_made: tuple[str, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)
