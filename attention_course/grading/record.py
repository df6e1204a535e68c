"""What came of grading one notebook, as plain data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from attention_course.grading.outputs import writable


@dataclass
class Record:
    """What came of one notebook, as plain data."""

    verdicts: list[dict[str, Any]] = field(default_factory=list)
    ungraded: dict[str, str] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)
    durations: dict[str, float] = field(default_factory=dict)

    def to_metadata(self) -> dict[str, Any]:
        """What the autograded notebook keeps: no times, so that a regrade is byte-equal."""
        kept = {
            "version": 1,
            "verdicts": self.verdicts,
            "ungraded": self.ungraded,
            "events": self.events,
        }
        return dict(writable(kept))  # verdicts and events quote what the student's code said
