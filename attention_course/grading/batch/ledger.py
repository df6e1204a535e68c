"""Remembers what each submission was graded with, so that only what changed is run again."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

FOLDER = ".attention_course"
NAME = "ledger.sqlite"
TABLES = """
CREATE TABLE IF NOT EXISTS graded (
    assignment TEXT, student TEXT, entry TEXT NOT NULL, PRIMARY KEY (assignment, student)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS runs (
    number INTEGER PRIMARY KEY, assignment TEXT, at TEXT, report TEXT
);
"""
KEPT_RUNS = 50  # of each assignment


@dataclass(frozen=True)
class Entry:
    """One graded submission.

    ``submission`` is the digest of what was handed in, ``parts`` those of what it was graded
    with, by what a person calls them. ``written`` gives the size of each autograded notebook,
    ``marks`` the automatic marks by notebook and grade_id. ``problem`` says why nothing could
    be graded; ``passing`` that another run may end otherwise.
    """

    submission: str
    parts: dict[str, str]
    written: dict[str, int] = field(default_factory=dict)
    marks: dict[str, dict[str, float | None]] = field(default_factory=dict)
    problem: str | None = None
    passing: bool = False


class Ledger:
    """The file; every entry is one transaction."""

    def __init__(self, root: Path) -> None:
        folder = root / FOLDER
        folder.mkdir(exist_ok=True)
        self.path = folder / NAME
        try:
            self._open()
        except sqlite3.DatabaseError:
            # A ledger is only a shortcut: a damaged one costs a regrade, nothing else.
            self.path.replace(self.path.with_suffix(".damaged"))
            self._open()

    def _open(self) -> None:
        self._file = sqlite3.connect(self.path, isolation_level=None, timeout=30)
        with contextlib.suppress(sqlite3.OperationalError):
            self._file.execute("PRAGMA journal_mode=WAL")
        self._file.execute("PRAGMA synchronous=NORMAL")
        self._file.executescript(TABLES)

    def close(self) -> None:
        self._file.close()

    def entries(self, assignment: str) -> dict[str, Entry]:
        """Student to entry; what an older version wrote and cannot be read is left out."""
        found = {}
        query = "SELECT student, entry FROM graded WHERE assignment = ?"
        for student, text in self._file.execute(query, (assignment,)):
            with contextlib.suppress(TypeError, ValueError):
                found[student] = Entry(**json.loads(text))
        return found

    def put(self, assignment: str, student: str, entry: Entry) -> None:
        text = json.dumps(entry.__dict__)
        self._file.execute(
            "INSERT OR REPLACE INTO graded VALUES (?, ?, ?)", (assignment, student, text)
        )

    def forget(self, assignment: str, student: str) -> None:
        query = "DELETE FROM graded WHERE assignment = ? AND student = ?"
        self._file.execute(query, (assignment, student))

    def keep_run(self, assignment: str, report: dict[str, Any]) -> None:
        at = datetime.now(UTC).isoformat(timespec="seconds")
        query = "INSERT INTO runs (assignment, at, report) VALUES (?, ?, ?)"
        self._file.execute(query, (assignment, at, json.dumps(report)))
        self._file.execute(
            "DELETE FROM runs WHERE assignment = ? AND number NOT IN (SELECT number FROM runs "
            "WHERE assignment = ? ORDER BY number DESC LIMIT ?)",
            (assignment, assignment, KEPT_RUNS),
        )


def read_runs(root: Path, assignment: str) -> list[dict[str, Any]]:
    """The reports of earlier runs with their ``number`` and time (``at``), oldest first.

    Makes no ledger, and leaves a damaged one where it is; raises sqlite3.Error where it cannot
    be read.
    """
    path = root / FOLDER / NAME
    if not path.is_file():
        return []
    query = "SELECT number, at, report FROM runs WHERE assignment = ? ORDER BY number"
    with contextlib.closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as file:
        rows = file.execute(query, (assignment,)).fetchall()
    return [{**json.loads(report), "number": number, "at": at} for number, at, report in rows]


def why_again(old: Entry | None, submission: str, parts: dict[str, str]) -> str | None:
    """Why a submission is to be graded, in words; None where nothing changed."""
    if old is None:
        return "not graded yet"
    if old.submission != submission:
        return "submission changed"
    changed = [name for name in parts if old.parts.get(name) != parts[name]]
    if changed:
        return " and ".join(changed) + " changed"
    if old.passing:
        return "was ungraded"
    return None
