"""What a run did and which marks it changed, noted however it ends."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from attention_course.grading.batch.changes import Change, changes
from attention_course.grading.batch.gradebook import Marks
from attention_course.grading.batch.ledger import Ledger


@dataclass
class Summary:
    """What a run did. ``graded`` maps each student to the reason why their work was run.

    ``interrupted`` by Ctrl-C, or ``refused`` to go on for a reason, it holds what was done until
    then.
    """

    assignment: str
    graded: dict[str, str] = field(default_factory=dict)
    unchanged: list[str] = field(default_factory=list)
    problems: dict[str, str] = field(default_factory=dict)
    ungraded: dict[str, dict[str, str]] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)
    seconds: float = 0.0
    interrupted: bool = False
    refused: str = ""

    def to_record(self) -> dict[str, Any]:
        return {**self.__dict__, "changes": [change.to_record() for change in self.changes]}


Tell = Callable[[Summary], None]


@contextlib.contextmanager
def recorded(
    summary: Summary, ledger: Ledger, marks: Callable[[], dict[str, Marks]], tell: Tell
) -> Iterator[dict[str, Marks]]:
    """Around a run: gives the marks before it, and notes afterwards what has become of them.

    The changes go into ``summary`` and the ledger, and ``tell`` hears of them, whether the run
    ends well, by Ctrl-C (as if it were done) or by another exception (which goes on); but not
    where ``marks`` cannot be read any more, as when the gradebook's server is gone.
    """
    began = time.monotonic()
    before = marks()
    try:
        yield before
    except KeyboardInterrupt:
        summary.interrupted = True
    except Exception as error:
        summary.refused = str(error) or type(error).__name__
        raise
    finally:
        summary.seconds = time.monotonic() - began
        try:
            with uninterrupted():
                _report(summary, ledger, before, marks, tell)
        except KeyboardInterrupt:
            summary.interrupted = True


def _report(
    summary: Summary,
    ledger: Ledger,
    before: dict[str, Marks],
    marks: Callable[[], dict[str, Marks]],
    tell: Tell,
) -> None:
    # What failed half-way may have changed marks, too.
    touched = {**dict.fromkeys(summary.problems, "not graded to the end"), **summary.graded}
    if not touched:
        return
    after = marks()
    for student, why in sorted(touched.items()):
        summary.changes += changes(student, before.get(student, {}), after.get(student, {}), why)
    if summary.graded or summary.changes:
        ledger.keep_run(summary.assignment, summary.to_record())
        tell(summary)


@contextlib.contextmanager
def uninterrupted() -> Iterator[None]:
    """Ctrl-C waits until what was begun is written."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    pressed: list[bool] = []
    before = signal.signal(signal.SIGINT, lambda *about: pressed.append(True))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if pressed:
        raise KeyboardInterrupt
