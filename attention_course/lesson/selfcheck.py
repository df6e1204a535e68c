"""``check.<exercise>(answer)``: judge an answer, say what is right or wrong, keep the score."""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING, Any

from attention_course import live
from attention_course.lesson.card import Card, Mood
from attention_course.lesson.setting import in_sandbox, is_grading, is_validating, show
from attention_course.progress import UNTRIED, record
from attention_course.verdict import Outcome, Verdict

if TYPE_CHECKING:
    from attention_course.exercise import Exercise

MOODS = {
    Outcome.PASSED: Mood.PASSED,
    Outcome.FAILED: Mood.FAILED,
    Outcome.UNGRADED: Mood.UNGRADED,
}
SEEN = (
    "Checked here: several shapes and sizes, with the same numbers in every run. "
    "Not checked here: the grader's own numbers, which are drawn afresh."
)
FAIL_NEXT = "Change your answer, run its cell again, then this one. The hints are just below."


class ExerciseCheck:
    """The self-check of one exercise; call it with your answer."""

    def __init__(self, exercise: Exercise) -> None:
        self.exercise = exercise
        self.__name__ = exercise.name
        self.__doc__ = (
            f"Check your `{exercise.answer_name}` and show what is right or wrong.\n\n"
            "Returns the points earned."
        )

    def __call__(self, answer: object) -> int | float:
        from attention_course.checks import judge

        verdict = judge(self.exercise, answer)
        notes: tuple[str, ...] = ()
        grading = is_grading()
        if not grading:
            notes = record(self.exercise.assignment, [verdict]).notes
            live.verdicts_reached(self.exercise.assignment, [verdict])
        show(verdict_card(verdict, self.exercise.title, notes=notes, grading=grading))
        if is_validating() and not verdict.passed:
            # nbgrader cuts each line of an error at 80 characters; wrapped, no word is lost.
            raise AssertionError("\n".join(wrap(verdict.message, 72)))
        return earned(verdict)

    def __repr__(self) -> str:
        return f"check.{self.exercise.name}({self.exercise.answer_name})"


class Check:
    """Self-checks by exercise: ``check.attention_scores(scaled_dot_product_scores)``."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        if in_sandbox():
            return _check_nothing
        from attention_course.checks import EXERCISES

        try:
            return ExerciseCheck(EXERCISES[name])
        except KeyError:
            raise AttributeError(
                f"there is no exercise {name!r}; the exercises are {', '.join(EXERCISES)}"
            ) from None

    def __dir__(self) -> list[str]:
        if in_sandbox():
            return []
        from attention_course.checks import EXERCISES

        return list(EXERCISES)

    def __repr__(self) -> str:
        return "check.<exercise>(your_answer): one self-check per exercise"


check = Check()


def _check_nothing(*args: object, **kwargs: object) -> None:
    """In the process that runs a submission a check is not made: the grader makes it."""


def earned(verdict: Verdict) -> int | float:
    """The points as a plain number, whole where they are whole; ungraded counts nothing yet."""
    points = 0.0 if verdict.outcome is Outcome.UNGRADED else float(verdict.points)
    return int(points) if points.is_integer() else points


def points_text(points: float, max_points: float) -> str:
    return f"{points:g} of {max_points:g} point{'' if max_points == 1 else 's'}"


def mood_of(verdict: Verdict) -> Mood:
    return MOODS[verdict.outcome] if was_tried(verdict) else Mood.WAITING


def was_tried(verdict: Verdict) -> bool:
    """False for a stub, or for a name that no cell has defined yet."""
    return UNTRIED.isdisjoint(verdict.misconceptions)


def next_step(verdict: Verdict) -> str:
    """What to do now: the hint of the recognised misconception, else where the hints are."""
    if verdict.outcome is Outcome.UNGRADED:
        return "This is not your answer's fault. Run the cell again; if it stays, tell a teacher."
    if verdict.passed or not was_tried(verdict):
        return ""
    if not verdict.misconceptions:
        return FAIL_NEXT
    from attention_course.checks import MISCONCEPTIONS

    for name in verdict.misconceptions:
        misconception = MISCONCEPTIONS.get(name)
        if misconception is not None and misconception.hint:
            return str(misconception.hint)
    return FAIL_NEXT


def verdict_card(
    verdict: Verdict, title: str, *, notes: tuple[str, ...] = (), grading: bool = False
) -> Card:
    """A verdict as the student reads it, below the check and in the feedback alike."""
    shapes = []
    if not verdict.passed:
        if verdict.expected_shape:
            shapes.append(("Expected shape", verdict.expected_shape))
        if verdict.actual_shape:
            shapes.append(("Your shape", verdict.actual_shape))
    small_print = notes
    if verdict.passed and not grading:
        small_print = (SEEN, *notes)
    points = "no points yet, none lost"
    if verdict.outcome is not Outcome.UNGRADED:
        points = points_text(verdict.points, verdict.max_points)
    return Card(
        mood=mood_of(verdict),
        title=title,
        points=points,
        paragraphs=(verdict.message, *verdict.details),
        shapes=tuple(shapes),
        next_step=next_step(verdict),
        small_print=small_print,
        metadata={"attention_course": verdict.to_record()},
    )
