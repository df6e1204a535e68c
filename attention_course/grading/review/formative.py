"""The review as remarks for the student who asks: no points, no queue, nothing kept here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from attention_course.grading.review.assess import exercise_remarks
from attention_course.grading.review.cache import StoredAnswer
from attention_course.grading.review.prompt import ReviewRequest
from attention_course.grading.review.protocol import AnswerRefused, ReviewUnavailable
from attention_course.grading.review.settings import Settings, base_url
from attention_course.grading.review.submitted import Submitted, verdict_lines

PATIENCE = 120.0  # seconds that one answer may take while a student waits


@dataclass(frozen=True, slots=True)
class Remarks:
    """Remarks by exercise; ``model`` is None where none was asked, and ``note`` says why."""

    remarks: dict[str, list[str]]
    model: str | None
    note: str = ""


def remarks_on(
    answers: Mapping[str, str],
    reference: Mapping[str, str],
    verdicts: Iterable[Mapping[str, Any]],
    model: str | None = None,
) -> Remarks:
    """What is to be said on each answer: computed always, judged where a server answers.

    Raises nothing for what the server does: ``note`` says it in a sentence.
    """
    submitted = Submitted(dict(answers), dict(reference), verdict_lines(verdicts))
    settings = Settings(answer_timeout=PATIENCE)
    if model:
        settings = replace(settings, model=model)
    try:
        base_url()
    except ValueError as error:
        return Remarks(exercise_remarks(submitted, None), None, f"OLLAMA_HOST: {error}.")
    from attention_course.grading.review.client import Reviewer

    with Reviewer(settings) as reviewer:

        def ask(request: ReviewRequest) -> StoredAnswer:
            try:
                answer = reviewer.judge(request)
                return StoredAnswer("", answer.text, None, answer.digest)
            except AnswerRefused as refused:
                return StoredAnswer("", None, str(refused), "")

        try:
            reviewer.server()
            return Remarks(exercise_remarks(submitted, ask), settings.model)
        except ReviewUnavailable as error:
            said = exercise_remarks(submitted, None)
            return Remarks(said, None, f"The remarks of a model are left out: {error}.")
