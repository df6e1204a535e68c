"""``verify()``: the final evaluation of an assignment on the notebook's own names."""

from __future__ import annotations

from attention_course import live
from attention_course.lesson.card import Card, Mood, Row
from attention_course.lesson.selfcheck import mood_of, points_text, was_tried
from attention_course.lesson.setting import in_sandbox, is_grading, notebook_names, show
from attention_course.progress import FILE_NAME, FOLDER, record
from attention_course.verdict import Outcome, Verdict

# The task cell that a reader marks; its points are in the notebook, for nbgrader.
CODE_QUALITY_POINTS = {"attention": 2, "attention_basics": 1}


def verify(assignment: str | None = None, *, review: bool | str = False) -> None:
    """Run every exercise of the assignment, show the points, and write the progress file.

    ``assignment`` is "attention" or "attention_basics"; without it, the one whose answers
    are defined in this notebook. ``review=True`` also asks the Ollama server of this machine
    how the answers read, for remarks without points; a text names the model to ask.
    """
    if in_sandbox() or is_grading():
        return
    from attention_course.checks import EXERCISES, MISSING, exercises_of, judge

    names = notebook_names()
    assignment = assignment or _guess(names)
    exercises = exercises_of(assignment) if assignment in CODE_QUALITY_POINTS else ()
    if not exercises:
        known = sorted({exercise.assignment for exercise in EXERCISES.values()})
        raise ValueError(f"no assignment {assignment!r}; the assignments are {', '.join(known)}")
    verdicts = [judge(ex, names.get(ex.answer_name, MISSING)) for ex in exercises]
    saved = record(assignment, verdicts, evaluation=True)
    live.verdicts_reached(assignment, verdicts)
    titles = [exercise.title for exercise in exercises]
    show(_card(assignment, titles, verdicts, saved.ok, saved.notes))
    if review:
        from attention_course.lesson.review_card import show_review

        model = review if isinstance(review, str) else None
        show_review(assignment, exercises, verdicts, model)


def _guess(names: dict[str, object]) -> str:
    return "attention_basics" if "SimpleAttention" in names else "attention"


def _card(
    assignment: str,
    titles: list[str],
    verdicts: list[Verdict],
    saved: bool,
    notes: tuple[str, ...],
) -> Card:
    graded = [verdict for verdict in verdicts if verdict.outcome is not Outcome.UNGRADED]
    points = sum(verdict.points for verdict in graded)
    max_points = sum(verdict.max_points for verdict in verdicts)
    passed = sum(verdict.passed for verdict in verdicts)
    open_title = next(
        (title for title, verdict in zip(titles, verdicts, strict=True) if not verdict.passed), None
    )
    if open_title is None:
        mood = Mood.PASSED
        next_step = "Save the notebook, then submit it as index.html says."
        if assignment == "attention_basics":
            next_step = "Save problem.py and the notebook, then submit the folder."
    else:
        mood = Mood.FAILED if passed or any(map(was_tried, verdicts)) else Mood.WAITING
        next_step = f"Go back to “{open_title}”; its check says what to look at."
    quality = points_text(CODE_QUALITY_POINTS[assignment], CODE_QUALITY_POINTS[assignment])
    quality = quality.split(" of ")[1]
    where = (f"Saved in {FOLDER}/{FILE_NAME}, beside this notebook.",) if saved else ()
    return Card(
        mood=mood,
        title=f"{passed} of {len(verdicts)} exercises of {assignment}",
        points=points_text(points, max_points),
        rows=tuple(
            Row(
                mood=mood_of(verdict),
                title=title,
                points=f"{0 if verdict.outcome is Outcome.UNGRADED else verdict.points:g}"
                f"/{verdict.max_points:g}",
                remark=verdict.message,
            )
            for title, verdict in zip(titles, verdicts, strict=True)
        ),
        next_step=next_step,
        small_print=(
            f"Code quality ({quality}) is marked by a reader after you submit. "
            "The grader checks all exercises again, with inputs drawn afresh.",
            *where,
            *notes,
        ),
        metadata={
            "attention_course_evaluation": {
                "assignment": assignment,
                "points": points,
                "max_points": max_points,
                "verdicts": [verdict.to_record() for verdict in verdicts],
            }
        },
    )
