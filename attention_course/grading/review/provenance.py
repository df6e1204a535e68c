"""How each judgement came about: what was asked, what was answered, by what, how long it took."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from attention_course.grading.review.queue import Place
from attention_course.grading.review.storage import Storage


@dataclass(frozen=True, slots=True)
class Provenance:
    """One reading of one answer: the request as sent, the raw answer, and what is known of both.

    ``masked`` is the reading with strings masked; ``asked`` is False where the answer was given
    for an equal answer of another submission. Durations in seconds.
    """

    exercise: str
    masked: bool
    asked: bool
    created: str
    model: str
    digest: str
    request: dict[str, Any]
    raw: str
    text: str | None
    refused: str | None
    versions: dict[str, str]
    counts: dict[str, int]
    durations: dict[str, float]
    attempts: int


def provenance_of(storage: Storage, place: Place) -> Iterator[Provenance]:
    """Every reading behind the review of one submission, by exercise."""
    rows = storage.connection.execute(
        "SELECT readings.exercise, readings.masked, readings.asked, answers.* FROM readings "
        "JOIN answers ON answers.key = readings.answer "
        "WHERE assignment = ? AND student = ? AND notebook = ? ORDER BY exercise, masked",
        (place.assignment, place.student, place.notebook),
    )
    for row in rows:
        facts = json.loads(row["facts"])
        yield Provenance(
            row["exercise"],
            bool(row["masked"]),
            bool(row["asked"]),
            row["created"],
            row["model"],
            row["digest"],
            json.loads(row["request"]),
            row["raw"],
            row["text"],
            row["refused"],
            facts.get("versions", {}),
            facts.get("counts", {}),
            facts.get("durations", {}),
            facts.get("attempts", 0),
        )
