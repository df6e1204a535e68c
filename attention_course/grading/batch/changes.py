"""What a regrade changed, and why: for people as a table, for machines as plain data."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any

from attention_course.grading.batch.gradebook import Marks, StoredMark

THEN = ", then "  # between the reasons of several changes of one mark


@dataclass(frozen=True)
class Change:
    """A mark that is another than before. ``kept`` is a person's mark, which still counts."""

    student: str
    notebook: str
    cell: str
    before: float | None
    after: float | None
    why: str
    kept: float | None = None

    @property
    def in_words(self) -> str:
        text = f"{_show(self.before)} → {_show(self.after)}"
        return text if self.kept is None else f"{text} (a person's {self.kept:g} counts)"

    def to_record(self) -> dict[str, Any]:
        return asdict(self)


def changes(student: str, before: Marks, after: Marks, why: str) -> list[Change]:
    """The automatic marks that differ; a submission's first marks are no change."""
    found = []
    for notebook, cells in after.items():
        for cell, new in cells.items():
            old = before.get(notebook, {}).get(cell)
            if old is not None and old.auto != new.auto:
                change = Change(student, notebook, cell, old.auto, new.auto, why, new.manual)
                found.append(change)
    return found


def merged(several: Iterable[Change]) -> list[Change]:
    """One change for each mark, from before its first change to after its last, oldest first.

    A mark that came back to what it was is left out.
    """
    found: dict[tuple[str, str, str], Change] = {}
    for change in several:
        place = (change.student, change.notebook, change.cell)
        first = found.get(place)
        if first is not None:
            why = list(dict.fromkeys([*first.why.split(THEN), change.why]))
            change = replace(change, before=first.before, why=THEN.join(why))
        found[place] = change
    kept = [change for change in found.values() if change.before != change.after]
    return sorted(kept, key=lambda change: (change.student, change.notebook))


def plain_marks(marks: Marks) -> dict[str, dict[str, float | None]]:
    """The automatic marks alone."""
    return {
        notebook: {cell: mark.auto for cell, mark in cells.items()}
        for notebook, cells in marks.items()
    }


def _show(mark: float | None) -> str:
    return "ungraded" if mark is None else f"{mark:g}"


__all__ = ["Change", "StoredMark", "changes", "merged", "plain_marks"]
