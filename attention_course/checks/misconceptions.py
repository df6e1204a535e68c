"""The names of mistakes, each with what a student reads about it.

``message`` says what was seen and asks the question that leads on; ``hint`` is the step after
that. Numbers come from the student's own results, never from secret inputs.
"""

from __future__ import annotations

from dataclasses import dataclass

from attention_course.checks.misconception_texts_from_weights import TEXTS_FROM_WEIGHTS
from attention_course.checks.misconception_texts_up_to_scores import TEXTS_UP_TO_SCORES


@dataclass(frozen=True, slots=True)
class Misconception:
    """One recognisable mistake; ``message`` may hold placeholders for measured numbers."""

    id: str
    title: str
    message: str
    hint: str


MISCONCEPTIONS: dict[str, Misconception] = {
    name: Misconception(name, title, message, hint)
    for name, (title, message, hint) in {**TEXTS_UP_TO_SCORES, **TEXTS_FROM_WEIGHTS}.items()
}


class _Numbers(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return "…"


def message_of(name: str, /, **numbers: object) -> str:
    """The message of a misconception with measured numbers filled in."""
    return MISCONCEPTIONS[name].message.format_map(
        _Numbers({k: str(v) for k, v in numbers.items()})
    )
