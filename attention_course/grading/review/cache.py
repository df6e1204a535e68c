"""Answers that the model gave, by everything that could have changed them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from attention_course.grading.review.storage import Storage, now

if TYPE_CHECKING:
    from attention_course.grading.review.client import RawAnswer, Server


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """An answer as it was kept: its text, or why it was refused."""

    key: str
    text: str | None
    refused: str | None
    digest: str


def answer_key(request: Mapping[str, Any], server: Server) -> str:
    """The key of an answer: a hash of the whole request, the model's digest and the server.

    ``request`` is plain data with messages, schema, options and versions: the messages hold
    rubric, facts and the sanitized source, so whatever is asked differently has another key.
    """
    return fingerprint({"request": request, "digest": server.digest, "server": server.version})


def fingerprint(data: Any) -> str:
    """A hash of plain data that does not depend on the order of keys."""
    text = json.dumps(data, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


class Cache:
    """The stored answers of a course; the first answer for a key stays."""

    def __init__(self, storage: Storage) -> None:
        self.storage = storage

    def find(self, key: str) -> StoredAnswer | None:
        row = self.storage.connection.execute(
            "SELECT key, text, refused, digest FROM answers WHERE key = ?", (key,)
        ).fetchone()
        return None if row is None else StoredAnswer(*row)

    def keep(self, key: str, answer: RawAnswer) -> StoredAnswer:
        """Store an accepted answer with all that is known of how it came about."""
        facts = {
            "versions": answer.versions,
            "counts": answer.counts,
            "durations": answer.durations,
            "attempts": answer.attempts,
        }
        values = (answer.request["model"], answer.digest, answer.request, answer.raw)
        return self._insert(key, *values, answer.text, None, facts)

    def keep_refusal(
        self, key: str, server: Server, request: Mapping[str, Any], raw: str, why: str
    ) -> StoredAnswer:
        """Store that the model's answer may not count, so that it is not asked for again."""
        facts = {"versions": {"server": server.version}}
        return self._insert(key, server.model, server.digest, request, raw, None, why, facts)

    def _insert(
        self,
        key: str,
        model: str,
        digest: str,
        request: Mapping[str, Any],
        raw: str,
        text: str | None,
        refused: str | None,
        facts: dict[str, Any],
    ) -> StoredAnswer:
        with self.storage.change() as connection:
            connection.execute(
                "INSERT OR IGNORE INTO answers VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    *(key, now(), model, digest, json.dumps(request), raw),
                    *(text, refused, json.dumps(facts)),
                ),
            )
        stored = self.find(key)
        assert stored is not None
        return stored
