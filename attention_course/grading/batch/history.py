"""The runs that the ledger keeps of an assignment, and what changed from one to another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Any

from attention_course.grading.batch.changes import Change, merged
from attention_course.grading.batch.ledger import read_runs


@dataclass(frozen=True)
class PastRun:
    """One run: its number, when it ended, how many it graded, and what it changed.

    ``broken_off`` says why it ended early, and is empty where it did not.
    """

    number: int
    at: datetime
    graded: int
    changes: tuple[Change, ...]
    broken_off: str = ""

    @property
    def local(self) -> str:
        """When it ended, by this machine's clock."""
        return f"{self.at.astimezone():%Y-%m-%d %H:%M:%S}"

    def to_record(self) -> dict[str, Any]:
        return {
            "number": self.number,
            "at": self.at.isoformat(),
            "graded": self.graded,
            "changed": len(self.changes),
            "broken_off": self.broken_off,
        }


def past_runs(root: Path, assignment: str) -> list[PastRun]:
    """The recorded runs, oldest first; raises sqlite3.Error and ValueError where unreadable."""
    return [_past_run(record) for record in read_runs(root, assignment)]


def _past_run(record: dict[str, Any]) -> PastRun:
    try:
        return PastRun(
            int(record["number"]),
            datetime.fromisoformat(record["at"]),
            len(record["graded"]),
            tuple(_change(change) for change in record["changes"]),
            record.get("refused") or ("interrupted" if record["interrupted"] else ""),
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"run {record.get('number')} has another form: {error}") from error


def _change(record: dict[str, Any]) -> Change:
    """Without what a later version may have noted besides."""
    known = {field.name for field in fields(Change)}
    return Change(**{name: value for name, value in record.items() if name in known})


def before_the_last(runs: Sequence[PastRun]) -> PastRun | None:
    """The run that the last one is compared with, or None where it is the first.

    Runs that were broken off and the one that went on count as one.
    """
    return next((run for run in reversed(runs[:-1]) if not run.broken_off), None)


def changes_after(runs: Sequence[PastRun], since: PastRun | None) -> list[Change]:
    """What changed from the marks that ``since`` left (those before the first run, if None)."""
    later = [run for run in runs if since is None or run.number > since.number]
    return merged(change for run in later for change in run.changes)
