"""Which submissions wait for their review, which are being reviewed, which are done.

A submission is one row. It is ``pending``, then ``claimed`` by one process for a while, then
``done`` or ``for_person``. What a killed process had claimed is pending again.
"""

from __future__ import annotations

import json
import os
import socket
import sqlite3
import time
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from typing import Any

from attention_course.grading.review.storage import Storage, now

STATES = ("pending", "claimed", "done", "for_person")
MOST_FAILURES = 5  # after so many runs that could not judge a submission, a person does


@dataclass(frozen=True, slots=True)
class Place:
    """Which submitted notebook a review belongs to."""

    assignment: str
    student: str
    notebook: str

    def __str__(self) -> str:
        return f"{self.assignment}/{self.student}/{self.notebook}"


@dataclass(frozen=True, slots=True)
class Job:
    """A row of the queue; ``payload`` is what is to be reviewed, ``result`` what came of it."""

    place: Place
    fingerprint: str
    state: str
    payload: dict[str, Any]
    result: dict[str, Any] | None
    reason: str
    failures: int
    applied: str | None

    @property
    def finished(self) -> bool:
        return self.state in ("done", "for_person")


@dataclass(frozen=True, slots=True)
class Reading:
    """Which stored answer judged which exercise; ``asked`` where it was asked for this review."""

    exercise: str
    masked: bool
    answer: str
    asked: bool


class Queue:
    """The reviews of a course, in the order in which they were put there."""

    def __init__(self, storage: Storage) -> None:
        self.storage = storage
        self.owner = _this_process()

    def put(self, place: Place, fingerprint: str, payload: dict[str, Any]) -> Job:
        """The job of a submission: the one there is, where nothing about it has changed."""
        with self.storage.change() as connection:
            known = self._find(connection, place)
            if known is not None and known["fingerprint"] == fingerprint:
                # max_score and the like may have changed without changing what is judged.
                connection.execute(
                    f"UPDATE reviews SET payload = ? WHERE {_HERE}",
                    (json.dumps(payload), *_key(place)),
                )
            else:
                connection.execute(f"DELETE FROM readings WHERE {_HERE}", _key(place))
                connection.execute(
                    "INSERT OR REPLACE INTO reviews "
                    "(assignment, student, notebook, fingerprint, state, payload, queued) "
                    "VALUES (?, ?, ?, ?, 'pending', ?, ?)",
                    (*_key(place), fingerprint, json.dumps(payload), now()),
                )
            return _job(self._find(connection, place))

    def find(self, place: Place) -> Job | None:
        row = self._find(self.storage.connection, place)
        return None if row is None else _job(row)

    def jobs(self, assignment: str, student: str | None = None) -> list[Job]:
        """Every job of an assignment (of one student), by student and notebook."""
        self._free_what_the_dead_claimed()
        rows = self.storage.connection.execute(
            "SELECT * FROM reviews WHERE assignment = ? AND (? IS NULL OR student = ?) "
            "ORDER BY student, notebook",
            (assignment, student, student),
        )
        return [_job(row) for row in rows]

    def assignments(self) -> list[str]:
        rows = self.storage.connection.execute("SELECT DISTINCT assignment FROM reviews ORDER BY 1")
        return [row[0] for row in rows]

    def claim(self, assignment: str, seconds: float, but: Collection[Place] = ()) -> Job | None:
        """The next pending job, this process's for ``seconds``; None where none is left.

        ``but`` names those that are left alone in this run.
        """
        self._free_what_the_dead_claimed()
        with self.storage.change() as connection:
            rows = connection.execute(
                "SELECT * FROM reviews WHERE assignment = ? AND state = 'pending' "
                "ORDER BY queued, rowid",
                (assignment,),
            )
            places = (Place(row[0], row[1], row[2]) for row in rows)
            place = next((place for place in places if place not in but), None)
            if place is None:
                return None
            connection.execute(
                f"UPDATE reviews SET state = 'claimed', owner = ?, lease = ? WHERE {_HERE}",
                (self.owner, time.time() + seconds, *_key(place)),
            )
            return _job(self._find(connection, place))

    def renew(self, job: Job, seconds: float) -> bool:
        """Keep a claim for longer; False where it is no longer this process's."""
        return self._update(job, "lease = ?", time.time() + seconds)

    def give_back(self, job: Job, reason: str, *, failed: bool = True) -> bool:
        """Nothing could be judged: pending again, or for a person after several such runs."""
        failures = job.failures + failed
        state = "for_person" if failures >= MOST_FAILURES else "pending"
        return self._update(
            job, "state = ?, owner = NULL, reason = ?, failures = ?", state, reason, failures
        )

    def finish(self, job: Job, state: str, result: dict[str, Any], readings: list[Reading]) -> bool:
        """Store the review of a claimed job; False where the claim was lost meanwhile."""
        with self.storage.change() as connection:
            done = connection.execute(
                f"UPDATE reviews SET state = ?, result = ?, reason = '', owner = NULL, "
                f"finished = ? WHERE {_HERE} AND {_MINE}",
                (state, json.dumps(result), now(), *_key(job.place), self.owner, job.fingerprint),
            )
            if done.rowcount != 1:
                return False
            connection.execute(f"DELETE FROM readings WHERE {_HERE}", _key(job.place))
            connection.executemany(
                "INSERT INTO readings VALUES (?, ?, ?, ?, ?, ?, ?)",
                [(*_key(job.place), r.exercise, r.masked, r.answer, r.asked) for r in readings],
            )
            return True

    def say_why(self, assignment: str, reason: str) -> None:
        """Note why nothing of an assignment is judged at present."""
        with self.storage.change() as connection:
            connection.execute(
                "UPDATE reviews SET reason = ? WHERE assignment = ? AND state = 'pending'",
                (reason, assignment),
            )

    def complete(self, job: Job, state: str, result: dict[str, Any]) -> Job:
        """Store the review of a pending job that no model is needed for."""
        with self.storage.change() as connection:
            connection.execute(
                f"UPDATE reviews SET state = ?, result = ?, reason = '', finished = ? "
                f"WHERE {_HERE} AND state = 'pending' AND fingerprint = ?",
                (state, json.dumps(result), now(), *_key(job.place), job.fingerprint),
            )
            return _job(self._find(connection, job.place))

    def applied(self, job: Job, what: str) -> None:
        """Note what the gradebook now says of a job; counts how often that was something new."""
        with self.storage.change() as connection:
            connection.execute(
                "UPDATE reviews SET applied = ?, applied_times = applied_times + 1 "
                f"WHERE {_HERE} AND fingerprint = ? AND applied IS NOT ?",
                (what, *_key(job.place), job.fingerprint, what),
            )

    def ask_again(self, assignment: str, student: str | None = None) -> int:
        """Make jobs pending once more, with the refused answers forgotten; returns how many."""
        with self.storage.change() as connection:
            which = "assignment = ? AND (? IS NULL OR student = ?)"
            given = (assignment, student, student)
            refused = f"SELECT answer FROM readings WHERE {which}"
            keys = connection.execute(
                f"SELECT key FROM answers WHERE refused IS NOT NULL AND key IN ({refused})", given
            ).fetchall()
            connection.execute(f"DELETE FROM readings WHERE {which}", given)
            for (key,) in keys:
                connection.execute("DELETE FROM readings WHERE answer = ?", (key,))
                connection.execute("DELETE FROM answers WHERE key = ?", (key,))
            changed = connection.execute(
                "UPDATE reviews SET state = 'pending', result = NULL, failures = 0, reason = '' "
                f"WHERE {which} AND state != 'claimed'",
                given,
            )
            return changed.rowcount

    def _update(self, job: Job, assignments: str, *values: Any) -> bool:
        with self.storage.change() as connection:
            done = connection.execute(
                f"UPDATE reviews SET {assignments} WHERE {_HERE} AND {_MINE}",
                (*values, *_key(job.place), self.owner, job.fingerprint),
            )
            return done.rowcount == 1

    def _free_what_the_dead_claimed(self) -> None:
        connection = self.storage.connection
        claimed = connection.execute(
            "SELECT DISTINCT owner FROM reviews WHERE state = 'claimed'"
        ).fetchall()
        dead = [row[0] for row in claimed if not _lives(row[0])]
        late = "UPDATE reviews SET state = 'pending', owner = NULL WHERE state = 'claimed' AND "
        if claimed:
            with self.storage.change():
                connection.execute(f"{late} lease < ?", (time.time(),))
                connection.executemany(f"{late} owner IS ?", [(owner,) for owner in dead])

    @staticmethod
    def _find(connection: sqlite3.Connection, place: Place) -> Any:
        return connection.execute(f"SELECT * FROM reviews WHERE {_HERE}", _key(place)).fetchone()


_HERE = "assignment = ? AND student = ? AND notebook = ?"
_MINE = "state = 'claimed' AND owner = ? AND fingerprint = ?"


def _key(place: Place) -> tuple[str, str, str]:
    return place.assignment, place.student, place.notebook


def _job(row: Any) -> Job:
    return Job(
        Place(row["assignment"], row["student"], row["notebook"]),
        row["fingerprint"],
        row["state"],
        json.loads(row["payload"]),
        None if row["result"] is None else json.loads(row["result"]),
        row["reason"],
        row["failures"],
        row["applied"],
    )


@cache
def _this_process() -> str:
    import psutil

    return f"{socket.gethostname()} {os.getpid()} {psutil.Process().create_time():.2f}"


def _lives(owner: str | None) -> bool:
    """Whether the process that claimed a job is still there; on another machine: yes."""
    import psutil

    if owner is None:
        return False
    host, number, started = owner.rsplit(" ", 2)
    if host != socket.gethostname():
        return True
    try:
        return f"{psutil.Process(int(number)).create_time():.2f}" == started
    except psutil.Error:
        return False
