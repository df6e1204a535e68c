"""Which check catches which wrong answer: every check asked by itself, not only the first to fail.

A check that catches nothing is dead weight, and an answer that only one check catches would pass
if that check were lost; both are seen at a glance. :func:`write_kill_matrix` writes the tables
to docs/kill-matrix.md, the same bytes at every call.
"""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from attention_course.checks import EXERCISES, exercises_of, judge
from attention_course.checks.properties import Check, checks_of
from attention_course.checks.trial import Trial, Unusable
from attention_course.panel import BASICS, PANEL, KnownAnswer
from attention_course.verdict import Verdict

STOPS, CATCHES, CANNOT = "●", "○", "·"
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True)
class Row:
    """One wrong answer: the verdict on it, and what each check by itself made of it.

    ``marks`` holds one of ``STOPS`` (the judge stops here), ``CATCHES``, ``CANNOT`` (there is
    nothing to ask) and "" (let through), in the order of the checks.
    """

    answer: KnownAnswer
    marks: tuple[str, ...]
    verdicts: tuple[Verdict, ...]

    @property
    def caught(self) -> bool:
        return STOPS in self.marks or CATCHES in self.marks

    @property
    def named_rightly(self) -> bool:
        wanted = set(self.answer.misconceptions)
        return all(set(verdict.misconceptions) == wanted for verdict in self.verdicts)


def define(answer: KnownAnswer) -> Any:
    """What a student's cell defines after the lesson's set-up cell was run."""
    names: dict[str, Any] = {
        "torch": torch,
        "nn": torch.nn,
        "F": torch.nn.functional,
        "math": __import__("math"),
        "__name__": "__main__",
    }
    exec(compile(answer.source, answer.name, "exec"), names)
    return names[EXERCISES[answer.exercise].answer_name]


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """No prints, no warnings, and the same numbers for answers that draw some.

    One thread: on matrices this small, more wait for each other ten times as long as they work.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with (
        torch.random.fork_rng(devices=[]),
        warnings.catch_warnings(),
        contextlib.redirect_stdout(io.StringIO()),
    ):
        warnings.simplefilter("ignore")
        torch.manual_seed(20170612)
        try:
            yield
        finally:
            torch.set_num_threads(threads)


def row_of(answer: KnownAnswer) -> Row:
    """A wrong answer met by every check of its exercise; in attention_basics by every exercise."""
    with _undisturbed():
        if answer.exercise in BASICS:
            verdicts = tuple(judge(name, define(answer)) for name in BASICS)
            marks = tuple("" if verdict.passed else STOPS for verdict in verdicts)
            lost = tuple(verdict for verdict in verdicts if not verdict.passed)
            return Row(answer, marks, lost)
        found = judge(answer.exercise, define(answer))
        trial = Trial(EXERCISES[answer.exercise], answer.exercise, define(answer))
        marks = tuple(_mark(check, trial) for check in checks_of(answer.exercise))
    if CATCHES in marks:
        first = marks.index(CATCHES)
        marks = (*marks[:first], STOPS, *marks[first + 1 :])
    return Row(answer, marks, (found,))


def _mark(check: Check, trial: Trial) -> str:
    try:
        return "" if check(trial) is None else CATCHES
    except Unusable:
        return CANNOT


def kill_matrix() -> dict[str, tuple[Row, ...]]:
    """The wrong answers of each exercise in lesson order; those of SimpleAttention under "output".

    Takes a few seconds.
    """
    wrong = [answer for answer in PANEL if not answer.right]
    names = [exercise.name for exercise in exercises_of("attention")]
    rows = {n: tuple(row_of(a) for a in wrong if a.exercise == n) for n in names}
    rows["output"] = tuple(row_of(answer) for answer in wrong if answer.exercise in BASICS)
    return rows


def render(matrix: dict[str, tuple[Row, ...]]) -> str:
    """The tables as Markdown."""
    rows = [row for group in matrix.values() for row in group]
    named = [row for row in rows if row.answer.misconceptions]
    right = sum(row.named_rightly for row in named)
    text = [
        "# Kill matrix",
        "",
        "Which check catches which wrong answer of the panel. Written by "
        "`attention-course kill-matrix`; a test fails when it is out of date.",
        "",
        f"{len(rows)} wrong answers, {sum(row.caught for row in rows)} caught. {len(named)} have a "
        f"name, {right} are given it. The panel's {sum(a.right for a in PANEL)} right answers "
        "pass every check.",
        "",
        f"`{STOPS}` the judge stops here and says what it found; `{CATCHES}` would catch it too, "
        f"were the checks before it not there; `{CANNOT}` there is no result to ask. An answer "
        "with one mark only hangs on one check.",
    ]
    for name, group in matrix.items():
        text += ["", *(_basics(group) if name == "output" else _table(name, group))]
    return "\n".join(text) + "\n"


def _table(name: str, group: tuple[Row, ...]) -> list[str]:
    # A check that only says something, and never costs a mark, has no column.
    places = [n for n in range(len(checks_of(name))) if any(_catches(row, n) for row in group)]
    checks = [checks_of(name)[place] for place in places]
    lines = [f"## {name}", "", "| | check | asks | stops | catches | alone |"]
    lines.append("| --- | --- | --- | ---: | ---: | ---: |")
    for letter, check, place in zip(LETTERS, checks, places, strict=False):
        stops = sum(row.marks[place] == STOPS for row in group)
        catches = sum(_catches(row, place) for row in group)
        alone = sum(_alone(row, place) for row in group)
        asks = (check.__doc__ or "").splitlines()[0]
        lines.append(f"| {letter} | `{check.__name__}` | {asks} | {stops} | {catches} | {alone} |")
    header = " | ".join(LETTERS[: len(checks)])
    lines += ["", f"| answer | {header} | named |"]
    lines.append("| --- | " + " | ".join(":-:" for _ in checks) + " | --- |")
    for row in group:
        cells = " | ".join(row.marks[place] for place in places)
        lines.append(f"| {row.answer.name} | {cells} | {_names(row)} |")
    return lines


def _catches(row: Row, place: int) -> bool:
    return row.marks[place] in (STOPS, CATCHES)


def _alone(row: Row, place: int) -> bool:
    others = row.marks[:place] + row.marks[place + 1 :]
    return row.marks[place] == STOPS and CATCHES not in others


def _basics(group: tuple[Row, ...]) -> list[str]:
    lines = ["## SimpleAttention", "", "One class, four exercises, each judged by itself.", ""]
    lines.append("| answer | " + " | ".join(BASICS) + " | named |")
    lines.append("| --- | " + " | ".join(":-:" for _ in BASICS) + " | --- |")
    for row in group:
        lines.append(f"| {row.answer.name} | {' | '.join(row.marks)} | {_names(row)} |")
    return lines


def _names(row: Row) -> str:
    names = dict.fromkeys(name for v in row.verdicts for name in v.misconceptions)
    return ", ".join(f"`{name}`" for name in names) or "(stated in numbers)"


def write_kill_matrix(path: Path) -> Path:
    """Write the tables to ``path`` and return it; folders that are missing are made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(render(kill_matrix()), encoding="utf-8")
    return path
