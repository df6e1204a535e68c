"""What a review means for the gradebook: given, proposed, for a person, or still to come."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from attention_course.grading.review.cache import fingerprint
from attention_course.grading.review.queue import Job
from attention_course.grading.review.settings import Settings

# Feedback shows a missing score as 0. True before and after somebody gave the points.
BY_A_READER = "A reader gives these points; until then the score above shows 0."
GIVEN, PROPOSED, FOR_PERSON, PENDING = "given", "proposed", "for a person", "pending"
STEPS = 4  # points are given in quarters


@dataclass(frozen=True, slots=True)
class Standing:
    """A review as it stands: ``score`` is what may go into the gradebook, None while it may not.

    ``proposed`` are points that a person may want to give, ``comment`` is for the student (safe
    as Markdown and HTML), ``why`` for the grader.
    """

    state: str
    score: float | None
    proposed: float | None
    comment: str
    why: str

    @property
    def needs_person(self) -> bool:
        return self.score is None

    def mark(self) -> str:
        """A short text that differs wherever the gradebook would be told something else."""
        return fingerprint([self.score, self.comment])[:16]


def standing(job: Job, settings: Settings, calibrated: Callable[[str], str]) -> Standing:
    """How a job stands.

    ``calibrated(digest)`` is empty where a model's marks may be given, and else says why not.

    Computed anew each time, so that a calibration made later turns proposals into marks.
    """
    result = job.result or {}
    computed = job.payload.get("computed", {})
    if not job.finished:
        comment = _waiting(computed.get("comment", ""))
        return Standing(PENDING, None, None, comment, job.reason or "has not been asked for yet")
    if not result:
        comment = _waiting(computed.get("comment", ""))
        return Standing(FOR_PERSON, None, None, comment, job.reason)
    points = float(job.payload["submitted"]["points"])
    share = settings.share
    judged = result["judged"]
    proposed = None
    if judged is not None or share == 0:
        part = (1 - share) * result["mechanical"] + share * (judged or 0.0)
        proposed = round(points * part * STEPS) / STEPS
    comment = result["comment"]
    if result["for_person"]:
        return Standing(
            FOR_PERSON, None, proposed, _waiting(comment), "; ".join(result["for_person"])
        )
    digest = result.get("digest", "")
    doubt = calibrated(digest) if digest else ""
    if doubt:
        return Standing(PROPOSED, None, proposed, _waiting(comment), doubt)
    return Standing(GIVEN, proposed, proposed, comment, "")


def _waiting(comment: str) -> str:
    return "\n\n".join(filter(None, (comment, BY_A_READER)))
