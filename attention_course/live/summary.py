"""How far the student is, for the lab's Progress panel: every exercise, tried or not."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attention_course.progress import read_progress

if TYPE_CHECKING:
    from attention_course.exercise import Exercise

UNTRIED: Mapping[str, Any] = {
    "outcome": "untried",
    "points": 0,
    "attempts": 0,
    "hint_tiers_opened": 0,
}


def summary_of(assignment: str, exercises: Mapping[str, Exercise]) -> dict[str, Any]:
    """The progress of one assignment in the current folder, every exercise of it listed."""
    entry = _entry(assignment)
    kept = entry.get("exercises", {})
    listed = []
    for exercise in exercises.values():
        if exercise.assignment == assignment:
            record = kept.get(exercise.name, UNTRIED)
            listed.append(
                {
                    "exercise": exercise.name,
                    "title": exercise.title,
                    "outcome": _outcome(record),
                    "points": record["points"],
                    "max_points": exercise.points,
                    "attempts": record["attempts"],
                    "hint_tiers_opened": record["hint_tiers_opened"],
                }
            )
    return {
        "assignment": assignment,
        "points": sum(one["points"] for one in listed),
        "max_points": sum(one["max_points"] for one in listed),
        "evaluations": entry.get("evaluations", 0),
        "exercises": listed,
        "next": next((one["exercise"] for one in listed if one["outcome"] != "passed"), None),
    }


def assignment_of(names: Mapping[str, Any], assignments: set[str]) -> str | None:
    """Which assignment this notebook is: by its names, its progress file, its folder's name."""
    if "SimpleAttention" in names:
        return "attention_basics"
    if not assignments.isdisjoint(found := _recorded()) and len(found) == 1:
        return next(iter(found))
    if "PROMPT_EXAMPLE" in names and "W_q" in names:
        return "attention"
    try:
        folder = Path.cwd().name
    except OSError:
        return None
    return folder if folder in assignments else None


def _entry(assignment: str) -> dict[str, Any]:
    return dict(_assignments().get(assignment, {}))


def _recorded() -> set[str]:
    return set(_assignments())


def _assignments() -> dict[str, Any]:
    try:
        return dict(read_progress()["assignments"])
    except (ValueError, OSError):
        return {}


def _outcome(record: Mapping[str, Any]) -> str:
    # An answer that was only looked at, or a hint opened, is recorded with no attempt.
    if record["outcome"] == "failed" and record["attempts"] == 0:
        return "untried"
    return str(record["outcome"])
