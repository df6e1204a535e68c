"""From a submission to its review: what is computed, what is asked, and both put together."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from attention_course.grading.review.cache import StoredAnswer
from attention_course.grading.review.judgement import BadAnswer, combine, read_answer
from attention_course.grading.review.mechanical import MechanicalReport, mechanical_findings
from attention_course.grading.review.prompt import PROMPT_VERSION, build_request
from attention_course.grading.review.submitted import Submitted

# ask(exercise, masked, request): the model's answer, or the stored one.
Ask = Callable[[str, bool, Any], StoredAnswer]


def assess(submitted: Submitted, ask: Ask) -> dict[str, Any]:
    """Ask about every answer, plain and masked, and put the readings together."""
    report = mechanical_findings(submitted.answers, submitted.reference)
    judgements: dict[str, Any] = {}
    refused = []
    for exercise in submitted.answers:
        try:
            readings = [
                _read(ask, exercise, masked, request)
                for masked, request in _requests(submitted, exercise, report)
            ]
        except _NoUse as why:
            refused.append(f"{exercise}: {why}")
        else:
            judgements[exercise] = tuple(readings)
    return _result(judgements, report, refused)


def computed(submitted: Submitted) -> dict[str, Any]:
    """What is known with no model: the computed part, and the comment on it."""
    report = mechanical_findings(submitted.answers, submitted.reference)
    result = combine({}, report)
    return {"mechanical": report.score, "comment": result.comment}


def without_a_model(submitted: Submitted, *, asks: bool) -> dict[str, Any] | None:
    """The whole review where no model is needed for it; else None."""
    if asks and submitted.answers:
        return None
    return _result({}, mechanical_findings(submitted.answers, submitted.reference), [])


def form() -> str:
    """What names the form of the questions: another form may get other answers."""
    return PROMPT_VERSION


def state_of(result: dict[str, Any]) -> str:
    """The queue's word for a result."""
    return "for_person" if result["for_person"] else "done"


class _NoUse(Exception):
    """An answer that may not count; the message says why."""


def _requests(
    submitted: Submitted, exercise: str, report: MechanicalReport
) -> Iterator[tuple[bool, Any]]:
    facts = [finding for finding in report.findings if finding.exercise == exercise]
    for masked in (False, True):
        yield (
            masked,
            build_request(
                exercise,
                submitted.answers[exercise],
                facts,
                submitted.verdicts.get(exercise, "The numeric tests were not run."),
                submitted.reference.get(exercise, ""),
                masked=masked,
            ),
        )


def _read(ask: Ask, exercise: str, masked: bool, request: Any) -> Any:
    answer = ask(exercise, masked, request)
    if answer.text is None:
        raise _NoUse(answer.refused)
    try:
        return read_answer(request, answer.text)
    except BadAnswer as error:
        raise _NoUse(str(error)) from error


def _result(
    judgements: dict[str, Any], report: MechanicalReport, refused: list[str]
) -> dict[str, Any]:
    result = combine(judgements, report)
    return {
        "mechanical": report.score,
        "judged": None if refused else result.judged,
        "comment": result.comment,
        "for_person": [*refused, *result.for_person],
        "digest": "",
    }
