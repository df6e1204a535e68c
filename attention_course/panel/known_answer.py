"""One known answer, and how the panel's files write many of them down."""

from __future__ import annotations

import re
from dataclasses import dataclass

BASICS = ("projections", "scores", "weights", "output")

# "# %% name | misconception, misconception | remark"; in SimpleAttention's file the middle part
# begins with the exercises that lose their mark: "scores, output: queries_keys_swapped".
_HEADING = re.compile(r"^# %% (?P<heading>.+)$", re.MULTILINE)


@dataclass(frozen=True)
class KnownAnswer:
    """An answer that a student may hand in, and what an honest grader makes of it.

    ``source`` is the text of the solution cell. It assumes the lesson's set-up cell, which
    imports torch, nn, math and torch.nn.functional as F. ``misconceptions`` are the ids that a
    wrong answer must be named with; where there are none, any words will do. ``also_fails``
    holds the other exercises whose mark is lost as well, where several judge one answer.
    ``noted`` are ids that a right answer's student is told about, at no cost.
    """

    exercise: str
    name: str
    source: str
    right: bool
    misconceptions: tuple[str, ...] = ()
    remark: str = ""
    also_fails: tuple[str, ...] = ()
    noted: tuple[str, ...] = ()

    @property
    def fails(self) -> tuple[str, ...]:
        """The exercises in which this answer loses its mark."""
        return () if self.right else (self.exercise, *self.also_fails)


def right_answers(exercise: str, text: str) -> tuple[KnownAnswer, ...]:
    """The right answers in ``text``, each below a heading ``# %% name | remark``."""
    return tuple(
        KnownAnswer(exercise, parts[0], source, right=True, remark=_at(parts, 1))
        for parts, source in _cells(text)
    )


def wrong_answers(exercise: str, text: str, class_start: str = "") -> tuple[KnownAnswer, ...]:
    """The wrong answers in ``text``, each below ``# %% name | ids | remark``.

    ``noted: ids`` in place of the ids makes it a right answer with a weakness that costs nothing.
    An answer that begins with an indented line continues the class begun in ``class_start``.
    """
    answers = []
    for parts, source in _cells(text, class_start):
        ids, remark = _at(parts, 1), _at(parts, 2)
        if ids.startswith("noted:"):
            noted = _names(ids.removeprefix("noted:"))
            answer = KnownAnswer(exercise, parts[0], source, True, remark=remark, noted=noted)
        else:
            answer = KnownAnswer(exercise, parts[0], source, False, _names(ids), remark)
        answers.append(answer)
    return tuple(answers)


def wrong_classes(text: str, class_start: str = "") -> tuple[KnownAnswer, ...]:
    """Wrong SimpleAttention classes, each below ``# %% name | exercises: ids | remark``."""
    answers = []
    for parts, source in _cells(text, class_start):
        lost, _, ids = _at(parts, 1).partition(":")
        exercises = BASICS if lost.strip() == "all" else _names(lost)
        answers.append(
            KnownAnswer(
                exercises[0],
                parts[0],
                source,
                right=False,
                misconceptions=_names(ids),
                remark=_at(parts, 2),
                also_fails=exercises[1:],
            )
        )
    return tuple(answers)


def _cells(text: str, class_start: str = "") -> list[tuple[list[str], str]]:
    before, *pieces = _HEADING.split(text)
    if before.strip():
        raise ValueError(f"text before the first heading: {before.strip()[:40]!r}")
    cells = []
    for heading, piece in zip(pieces[::2], pieces[1::2], strict=True):
        source = piece.strip("\n") + "\n"
        if source.startswith(" "):
            source = class_start.strip("\n") + "\n\n" + source
        cells.append(([part.strip() for part in heading.split("|")], source))
    return cells


def _at(parts: list[str], index: int) -> str:
    return parts[index] if index < len(parts) else ""


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())
