"""What an entry of the gold set is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class GoldAnswer:
    """An answer and its scores for names, shapes and structure, 0 to 5 by the rubric's words.

    ``right`` says whether the numeric tests pass; style is judged alone.
    """

    name: str
    exercise: str
    right: bool
    scores: tuple[int, int, int]
    source: str

    @property
    def verdict_line(self) -> str:
        return "The numeric tests pass." if self.right else "The numeric tests fail."
