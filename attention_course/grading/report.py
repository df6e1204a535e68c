"""The class report: what a grader wants to see of one assignment, as data and as a page.

:func:`summarise` turns a class's results into plain JSON data, :func:`render` turns that data
into one HTML file that needs nothing else: no network, no script, no other file.
"""

from __future__ import annotations

import statistics
from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from attention_course.grading.class_results import (
    ClassResults,
    GradedCell,
    Mark,
    Submission,
    exercise_name,
)
from attention_course.verdict import Outcome

TEMPLATE = Path(__file__).with_name("report_page.html")
MOST_BINS = 10
LISTED_MISCONCEPTIONS = 5
OUTCOMES = ("full", "partial", "none", "waiting")


def summarise(results: ClassResults, *, generated: datetime | None = None) -> dict[str, Any]:
    """The report as JSON data: what ``attention-course report --json`` prints.

    Scores are points. A mark that waits for a person is null and counts in no mean.
    """
    graded = [submission for submission in results.submissions if submission.graded]
    counted = [cell for cell in results.cells if _is_counted(cell, graded)]
    scores = [_score(submission, counted) for submission in graded]
    return {
        "assignment": results.assignment,
        "generated": (generated or datetime.now().astimezone()).isoformat(timespec="seconds"),
        "class": {
            "submissions": len(results.submissions),
            "graded": len(graded),
            "not_submitted": list(results.not_submitted),
            "max_score": results.max_score,
            "counted_max_score": sum(cell.max_score for cell in counted),
            "counted_cells": [cell.name for cell in counted],
            "mean": statistics.fmean(scores) if scores else None,
            "median": statistics.median(scores) if scores else None,
        },
        "distribution": _distribution(scores, sum(cell.max_score for cell in counted)),
        "exercises": [
            _exercise(cell, graded) | {"reviews": dict(results.reviews.get(cell.name, {}))}
            for cell in results.cells
        ],
        "needs_a_person": _needs_a_person(results),
        "students": [_student(submission, results.cells) for submission in results.submissions],
    }


def render(summary: dict[str, Any], feedback: Mapping[str, str] | None = None) -> str:
    """The HTML page of a summary; ``feedback`` gives students' feedback pages as relative URLs."""
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["points"] = points
    environment.filters["counts"] = counts
    environment.filters["hints"] = hints
    environment.filters["named_and_noted"] = named_and_noted
    environment.filters["reviews"] = reviews
    template = environment.from_string(TEMPLATE.read_text(encoding="utf-8"))
    largest = max((bar["count"] for bar in summary["distribution"]), default=0)
    return template.render(
        summary=summary,
        whole=summary["class"],
        largest=largest,
        outcomes=OUTCOMES,
        feedback=feedback or {},
    )


def points(value: float | None) -> str:
    """A score as a person writes it: 3, 2.5, and a dash where there is none yet."""
    return "–" if value is None else f"{value:.2f}".rstrip("0").rstrip(".")


def counts(exercise: dict[str, Any]) -> str:
    """How many got how much, leaving out what nobody got: "6 full, 4 none"."""
    words = {"full": "full", "partial": "partial", "none": "none", "waiting": "not marked yet"}
    said = [f"{exercise[name]} {words[name]}" for name in OUTCOMES if exercise[name]]
    return ", ".join(said) or "no submission is graded yet"


def hints(exercise: dict[str, Any]) -> str:
    """How many went how far through the hints: "4 to tier 1, 2 to tier 3"."""
    return ", ".join(f"{count} to tier {tier}" for tier, count in exercise["hints_opened"].items())


def reviews(exercise: dict[str, Any]) -> str:
    """How the code-quality reviews stand: "12 given, 2 for a person"; empty without any."""
    return ", ".join(f"{count} {state}" for state, count in exercise["reviews"].items() if count)


def named_and_noted(student: dict[str, Any]) -> list[str]:
    """What to know of one student's row: named misconceptions, other failures, then notes."""
    named = {entry["exercise"] for entry in student["misconceptions"]}
    titles = [entry["title"] for entry in student["misconceptions"]]
    others = [text for exercise, text in student["messages"].items() if exercise not in named]
    return list(dict.fromkeys([*titles, *others, *student["notes"]]))


def title_of_misconception(name: str) -> str:
    """The words for a misconception's id; an id that is not known stands for itself."""
    return _misconception_titles().get(name, name)


@cache
def _misconception_titles() -> dict[str, str]:
    from attention_course.checks import MISCONCEPTIONS

    return {name: misconception.title for name, misconception in MISCONCEPTIONS.items()}


@cache
def _exercise_titles() -> dict[str, str]:
    from attention_course.checks import EXERCISES

    return {name: exercise.title for name, exercise in EXERCISES.items()}


def _is_counted(cell: GradedCell, graded: list[Submission]) -> bool:
    """Whether anyone has points for the cell yet; what nobody marked would only dilute a mean."""
    marks = [submission.marks.get(cell.name) for submission in graded]
    return not cell.by_person or any(mark and mark.score is not None for mark in marks)


def _score(submission: Submission, cells: list[GradedCell]) -> float:
    marks = [submission.marks.get(cell.name) for cell in cells]
    return sum((mark.score or 0.0) for mark in marks if mark)


def _distribution(scores: list[float], highest: float) -> list[dict[str, Any]]:
    """How many have how much: a bar for each point where points are few and whole, else tenths."""
    if not scores or highest <= 0:
        return []
    if highest <= MOST_BINS and all(float(score).is_integer() for score in [*scores, highest]):
        counts = Counter(int(score) for score in scores)
        top = max(int(highest), *counts)
        return [_bar(str(value), counts[value]) for value in range(top + 1)]
    width = highest / MOST_BINS
    counts = Counter(min(int(score / width), MOST_BINS - 1) for score in scores)
    labels = [f"{points(n * width)} to {points((n + 1) * width)}" for n in range(MOST_BINS)]
    return [_bar(labels[n], counts[n]) for n in range(MOST_BINS)]


def _bar(label: str, count: int) -> dict[str, Any]:
    return {"points": label, "count": count}


def _outcome(mark: Mark | None, cell: GradedCell) -> str:
    if mark is None or mark.score is None:
        return "waiting"
    if mark.score >= cell.max_score:
        return "full"
    return "partial" if mark.score > 0 else "none"


def _exercise(cell: GradedCell, graded: list[Submission]) -> dict[str, Any]:
    marks = [submission.marks.get(cell.name) for submission in graded]
    outcomes = Counter(_outcome(mark, cell) for mark in marks)
    scores = [mark.score for mark in marks if mark and mark.score is not None]
    named: Counter[str] = Counter()
    unnamed = 0
    for mark in marks:
        if mark and mark.verdict and mark.verdict.outcome is Outcome.FAILED:
            named.update(set(mark.verdict.misconceptions))
            unnamed += not mark.verdict.misconceptions
        elif mark and mark.error:
            unnamed += 1
    exercise = exercise_name(cell.name)
    tiers = Counter(submission.hint_tiers.get(exercise, 0) for submission in graded)
    return {
        "cell": cell.name,
        "title": _exercise_titles().get(exercise, exercise.replace("_", " ").capitalize()),
        "max_score": cell.max_score,
        "by_person": cell.by_person,
        "mean": statistics.fmean(scores) if scores else None,
        **{outcome: outcomes[outcome] for outcome in OUTCOMES},
        "misconceptions": [
            {"id": name, "title": title_of_misconception(name), "count": count}
            for name, count in sorted(named.items(), key=lambda item: (-item[1], item[0]))
        ][:LISTED_MISCONCEPTIONS],
        "more_misconceptions": max(0, len(named) - LISTED_MISCONCEPTIONS),
        "without_a_name": unnamed,
        "hints_opened": {str(tier): tiers[tier] for tier in sorted(tiers) if tier},
    }


def _needs_a_person(results: ClassResults) -> list[dict[str, Any]]:
    """What waits for a person, the same thing of several students in one row; rarest first."""
    waiting: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    cells = {cell.name: cell for cell in results.cells}
    for submission in results.submissions:
        for problem in submission.problems:
            waiting["", problem].append(submission.student)
        for name, mark in submission.marks.items():
            if submission.graded and (mark.needs_person or mark.score is None):
                reason = _why_a_person(mark, cells.get(name))
                waiting[exercise_name(name), reason].append(submission.student)
    for text, students in _said_of_everyone(results).items():
        waiting["", f"{text} (for everyone, so most likely the assignment's fault)"] = students
    rows = sorted(waiting.items(), key=lambda item: (len(item[1]), item[1], item[0]))
    return [
        {"exercise": exercise, "reason": reason, "students": students}
        for (exercise, reason), students in rows
    ]


def _said_of_everyone(results: ClassResults) -> dict[str, list[str]]:
    """Events that every graded submission shares, where there are several submissions."""
    graded = [submission for submission in results.submissions if submission.graded]
    if len(graded) < 2:
        return {}
    shared = set.intersection(*(set(submission.events) for submission in graded))
    return {text: [submission.student for submission in graded] for text in sorted(shared)}


def _why_a_person(mark: Mark, cell: GradedCell | None) -> str:
    if mark.score is None and mark.ungraded:
        return f"ungraded: {mark.ungraded}"
    if mark.score is None and mark.review:
        return mark.review
    if mark.score is None:
        return "waits for a person's mark"
    if cell is not None and cell.by_person:
        return "has a mark that nobody has confirmed"
    return "regraded after a person marked it: confirm the mark in formgrader"


def _student(submission: Submission, cells: tuple[GradedCell, ...]) -> dict[str, Any]:
    verdicts = [mark.verdict for mark in submission.marks.values() if mark.verdict]
    return {
        "student": submission.student,
        "score": submission.score if submission.graded else None,
        "marks": {
            cell.name: mark.score if submission.graded and mark else None
            for cell in cells
            for mark in [submission.marks.get(cell.name)]
        },
        "misconceptions": [
            {"exercise": verdict.exercise, "id": name, "title": title_of_misconception(name)}
            for verdict in verdicts
            for name in verdict.misconceptions
        ],
        "messages": {
            exercise_name(cell): message
            for cell, mark in submission.marks.items()
            for message in [_message(mark)]
            if message
        },
        "notes": list(dict.fromkeys([*submission.problems, *submission.events])),
        "hint_tiers": submission.hint_tiers,
    }


def _message(mark: Mark) -> str | None:
    """What was wrong in words; None for what passed or said nothing."""
    if mark.verdict is None:
        return mark.error
    return None if mark.verdict.outcome is Outcome.PASSED else mark.verdict.message
