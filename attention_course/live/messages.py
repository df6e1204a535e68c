"""The messages of the kernel: plain data and buffers, in the form of messages.schema.json."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attention_course.live import VERSION
from attention_course.verdict import Outcome, Verdict

if TYPE_CHECKING:
    from attention_course.exercise import Exercise

MOST_NOTES = 8


@dataclass(slots=True)
class Message:
    """One message: its data, its buffers, and under which key a newer one replaces it."""

    key: tuple[str, str]
    data: dict[str, Any]
    buffers: tuple[memoryview, ...] = ()

    @property
    def size(self) -> int:
        return sum(buffer.nbytes for buffer in self.buffers)

    def stamped(self) -> dict[str, Any]:
        return {**self.data, "sent": time.time()}


@cache
def schema() -> dict[str, Any]:
    """The messages of both directions as a JSON Schema."""
    path = Path(__file__).with_name("messages.schema.json")
    return dict(json.loads(path.read_text(encoding="utf-8")))


def hello(session: str, assignment: str | None, exercises: Mapping[str, Exercise]) -> Message:
    return _message(
        "hello",
        "",
        session=session,
        assignment=assignment,
        exercises=[
            {
                "exercise": exercise.name,
                "assignment": exercise.assignment,
                "title": exercise.title,
                "points": exercise.points,
            }
            for exercise in exercises.values()
        ],
    )


def clear(exercise: str) -> Message:
    return _message("clear", exercise, exercise=exercise)


def matrices(
    exercise: str,
    title: str,
    cell_id: str | None,
    shown: Mapping[str, Any],
    *,
    what: str,
    tokens: Any = None,
    key_tokens: Any = None,
    d_k: int | None = None,
    scaled: bool = True,
) -> Message:
    """A picture: ``shown`` are matrices by their name in the message, the student's first.

    What cannot be drawn, or not whole, becomes a note; nothing that the student made raises.
    """
    from attention_course.live import encoding

    notes: list[str] = []
    encoded: dict[str, encoding.Encoded] = {}
    for name, thing in shown.items():
        try:
            encoded[name] = encoding.encode(thing, what)
        except Exception as error:
            if not name.startswith("reference_"):
                notes.append(encoding.note(str(error)))
    first = next(iter(encoded.values()), None)
    rows: list[str] = []
    columns: list[str] | None = None
    if first is None or next(iter(encoded)).startswith("reference_"):
        # Without the student's own there is nothing to compare; the notes say why.
        encoded = {}
    else:
        notes += encoding.notes_on(first, what)
        rows, columns, said = _axes(first.full_shape, tokens, key_tokens, what)
        notes += said
    return _message(
        "matrices",
        exercise,
        buffers=tuple(encoding.buffers_of(list(encoded.values()))),
        exercise=exercise[:200],
        title=title[:200],
        cell_id=cell_id,
        tokens=rows,
        key_tokens=columns,
        matrices=[_matrix(name, one, i) for i, (name, one) in enumerate(encoded.items())],
        d_k=d_k,
        scaled=scaled,
        notes=notes[:MOST_NOTES],
    )


def verdict(
    reached: Verdict, assignment: str, title: str, cell_id: str | None, *, tried: bool
) -> Message:
    return _message(
        "verdict",
        reached.exercise,
        record=reached.to_record(),
        title=title,
        assignment=assignment,
        cell_id=cell_id,
        tried=tried,
        hint=_hint(reached),
    )


def progress(record: dict[str, Any]) -> Message:
    return _message("progress", "", record=record)


def _message(
    kind: str, about: str, *, buffers: tuple[memoryview, ...] = (), **data: Any
) -> Message:
    # A clear takes the place of the matrices that it clears, so that a refresh sends only it.
    key = ("matrices" if kind == "clear" else kind, about)
    return Message(key, {"version": VERSION, "type": kind, **data}, buffers)


def _matrix(name: str, encoded: Any, place: int) -> dict[str, Any]:
    found = {
        "name": name,
        "shape": list(encoded.numbers.shape),
        "dtype": "float32",
        "buffer": place,
    }
    if encoded.sampled:
        found["full_shape"] = list(encoded.full_shape)
    return found


def _axes(
    shape: tuple[int, int], tokens: Any, key_tokens: Any, what: str
) -> tuple[list[str], list[str] | None, list[str]]:
    """Names of the rows, of the columns (None: as the rows), and what does not fit."""
    from attention_course.live import encoding

    notes = []
    rows = encoding.names(tokens, shape[0])
    given = tokens if key_tokens is None else key_tokens
    columns = encoding.names(given, shape[1])
    for axis, size, found, wanted in (
        ("rows", shape[0], rows, tokens),
        ("columns", shape[1], columns, given),
    ):
        if found is None and hasattr(wanted, "__len__"):
            notes.append(
                f"{what} has {size} {axis}, but there are {len(wanted)} tokens; "
                f"the {axis} are numbered."
            )
    rows = encoding.numbered(shape[0]) if rows is None else rows
    columns = encoding.numbered(shape[1]) if columns is None else columns
    return rows, None if columns == rows else columns, notes


def _hint(reached: Verdict) -> dict[str, str] | None:
    """The hint of the first recognised misconception that has one."""
    if reached.outcome is not Outcome.FAILED or "attention_course.checks" not in sys.modules:
        return None
    from attention_course.checks import MISCONCEPTIONS

    for name in reached.misconceptions:
        known = MISCONCEPTIONS.get(name)
        if known is not None and known.hint:
            return {"misconception": name, "title": known.title, "text": known.hint}
    return None
