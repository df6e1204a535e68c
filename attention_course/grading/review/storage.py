"""The one file that holds the review's queue, answers and provenance: SQLite, safe to kill.

Every change is one transaction on disk; whoever is killed in the middle leaves the state before
it or after it. Several processes may use the file at once.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

VERSION = 1
PATIENCE = 30.0  # seconds to wait for another process's transaction

TABLES = """
CREATE TABLE reviews (
    assignment TEXT NOT NULL,
    student TEXT NOT NULL,
    notebook TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'claimed', 'done', 'for_person')),
    payload TEXT NOT NULL,
    result TEXT,
    reason TEXT NOT NULL DEFAULT '',
    failures INTEGER NOT NULL DEFAULT 0,
    owner TEXT,
    lease REAL,
    queued TEXT NOT NULL,
    finished TEXT,
    applied TEXT,
    applied_times INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (assignment, student, notebook)
);
CREATE INDEX reviews_by_state ON reviews (state, queued);
CREATE TABLE answers (
    key TEXT PRIMARY KEY,
    created TEXT NOT NULL,
    model TEXT NOT NULL,
    digest TEXT NOT NULL,
    request TEXT NOT NULL,
    raw TEXT NOT NULL,
    text TEXT,
    refused TEXT,
    facts TEXT NOT NULL
);
CREATE TABLE readings (
    assignment TEXT NOT NULL,
    student TEXT NOT NULL,
    notebook TEXT NOT NULL,
    exercise TEXT NOT NULL,
    masked INTEGER NOT NULL,
    answer TEXT NOT NULL REFERENCES answers (key),
    asked INTEGER NOT NULL,
    PRIMARY KEY (assignment, student, notebook, exercise, masked)
);
CREATE TABLE calibrations (
    digest TEXT NOT NULL,
    form TEXT NOT NULL,
    created TEXT NOT NULL,
    passed INTEGER NOT NULL,
    record TEXT NOT NULL,
    PRIMARY KEY (digest, form)
);
"""


class StorageUnreadable(Exception):
    """The file is damaged or of another version; the message says what to do."""


class Storage:
    """An open review file; made, with its folder, where there is none.

    Raises StorageUnreadable for a file that is damaged or that another version wrote.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        new = not path.exists()
        try:
            self.connection = sqlite3.connect(path, timeout=PATIENCE, isolation_level=None)
            self.connection.row_factory = sqlite3.Row
            self.connection.execute("PRAGMA foreign_keys = ON")
            if new:
                # One wait for the disk a change instead of three, and readers never wait. An
                # older file stays as it is: it could not be changed while somebody reads it.
                with suppress(sqlite3.OperationalError):
                    self.connection.execute("PRAGMA journal_mode = WAL")
            self.connection.execute("PRAGMA synchronous = FULL")
            self._prepare()
        except sqlite3.DatabaseError as error:
            raise StorageUnreadable(
                f"{path} cannot be read ({error}). Move it away: the reviews in it are made again"
            ) from error

    def _prepare(self) -> None:
        if self._version() == VERSION:
            return  # the usual case asks for no lock: somebody may be reading or writing
        with self.change():
            version = self._version()
            if version == 0:
                for statement in TABLES.split(";"):
                    self.connection.execute(statement)
                self.connection.execute(f"PRAGMA user_version = {VERSION}")
            elif version != VERSION:
                raise StorageUnreadable(
                    f"{self.path} is of version {version}, and this program writes {VERSION}. "
                    "Move it away: the reviews in it are made again"
                )

    def _version(self) -> int:
        version: int = self.connection.execute("PRAGMA user_version").fetchone()[0]
        return version

    @contextmanager
    def change(self) -> Iterator[sqlite3.Connection]:
        """One transaction: all of it or, after an exception or a kill, nothing."""
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            yield self.connection
        except BaseException:
            self.connection.execute("ROLLBACK")
            raise
        self.connection.execute("COMMIT")

    def close(self) -> None:
        self.connection.close()

    def __enter__(self) -> Storage:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
