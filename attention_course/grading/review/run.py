"""Goes on with the reviews after grading, and says in sentences what came of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from attention_course.grading.review.client import Reviewer
from attention_course.grading.review.desk import Desk, Write
from attention_course.grading.review.protocol import ReviewUnavailable
from attention_course.grading.review.settings import Settings


def finish_reviews(
    root: Path, settings: Settings, assignments: Iterable[str], write: Write
) -> Iterator[str]:
    """Review what waits in ``assignments``; yields what a grader should know, as it happens.

    Where no server answers, that takes ``settings.connect_timeout`` at most.
    """
    with Desk(settings, root) as desk:
        for assignment in sorted(assignments):
            waiting = desk.waiting([assignment])
            if not waiting:
                continue
            said = f"{_reviews(waiting)} of {assignment} {'waits' if waiting == 1 else 'wait'}"
            later = f"attention-course review {assignment}"
            if not settings.during_autograde:
                yield f"{said}: {later}"
                continue
            with Reviewer(settings) as reviewer:
                try:
                    reviewer.server()
                except ReviewUnavailable as error:
                    desk.queue.say_why(assignment, str(error))
                    yield f"{said}: {error}. All other marks are saved. Then: {later}"
                    continue
                yield (
                    f"All numeric marks are saved. Now {settings.model} reads {_reviews(waiting)} "
                    f"of {assignment}; Ctrl-C ends this, and {later} goes on"
                )
                tally = desk.work_off(assignment, reviewer, write)
            yield f"{assignment}: {tally.reviewed} reviewed with {tally.calls} calls of the model"
            if left := desk.waiting([assignment]):
                why = tally.stopped or "; ".join(tally.failed[:1]) or "another process has them"
                yield f"{_reviews(left)} still to come: {why}. Then: {later}"


def _reviews(number: int) -> str:
    return f"{number} code-quality review{'s' if number != 1 else ''}"
