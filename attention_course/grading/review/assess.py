"""From a submission to its review: what is computed, what is asked, and both put together."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from functools import cache
from typing import Any

from attention_course.grading.review.cache import StoredAnswer, fingerprint
from attention_course.grading.review.judgement import (
    BadAnswer,
    Judgement,
    combine,
    read_answer,
    remarks_on,
)
from attention_course.grading.review.mechanical import (
    Finding,
    MechanicalReport,
    mechanical_findings,
    plain_text,
)
from attention_course.grading.review.normal import NormalAnswer, normal
from attention_course.grading.review.prompt import PROMPT_VERSION, ReviewRequest, build_request
from attention_course.grading.review.rubric import RUBRICS
from attention_course.grading.review.sanitize import flags
from attention_course.grading.review.submitted import Submitted

# ask(exercise, masked, request): the model's answer, or the stored one.
Ask = Callable[[str, bool, ReviewRequest], StoredAnswer]
UNREAD = frozenset({"unfinished", "unreadable"})
NOT_RUN = "The numeric tests were not run."


def computed(submitted: Submitted) -> dict[str, Any]:
    """What is known with no model, as plain data: the computed part, and the comment on it."""
    report = mechanical_findings(submitted.answers, submitted.reference)
    return {
        "mechanical": report.score,
        "findings": [asdict(finding) for finding in report.findings],
        "comment": combine({}, report).comment,
    }


def assess(submitted: Submitted, known: dict[str, Any], ask: Ask) -> dict[str, Any]:
    """Ask about every answer, plain and masked, and put the readings together.

    ``known`` is what :func:`computed` said.
    """
    report = _report(known)
    judgements: dict[str, tuple[Judgement, ...]] = {}
    refused = []
    for exercise in _asked_about(submitted, report):
        try:
            judgements[exercise] = tuple(
                question.read(ask(exercise, question.request.masked, question.request))
                for question in _questions(submitted, exercise, report)
            )
        except _NoUse as why:
            refused.append(f"{exercise}: {why}")
    return _result(judgements, report, refused)


def without_a_model(
    submitted: Submitted, known: dict[str, Any], *, asks: bool
) -> dict[str, Any] | None:
    """The whole review where no model is needed for it; else None.

    That is where none may be asked, and where nothing was written that could be judged.
    """
    report = _report(known)
    if not asks:
        return _result({}, report, [])
    if any(True for _ in _asked_about(submitted, report)):
        return None
    return _result({}, report, []) | {"judged": 0.0}


def exercise_remarks(
    submitted: Submitted, ask: Callable[[ReviewRequest], StoredAnswer] | None
) -> dict[str, list[str]]:
    """Remarks by exercise as plain text, with no score: computed, and judged where ``ask`` is.

    One reading of each answer is enough here, since no marks hang on it.
    """
    report = mechanical_findings(submitted.answers, submitted.reference)
    asked = set(_asked_about(submitted, report))
    found = {}
    for exercise in submitted.answers:
        readings: tuple[Judgement, ...] = ()
        if ask is not None and exercise in asked:
            question = next(_questions(submitted, exercise, report))
            with suppress(_NoUse):  # what is computed is said all the same
                readings = (question.read(ask(question.request)),)
        said = remarks_on(exercise, report.of(exercise), readings)
        found[exercise] = [html.unescape(line) for line in said]
    return found


@cache
def form() -> str:
    """What names the form of the questions: another form may get other answers."""
    samples = [build_request(name, "pass", (), NOT_RUN, "") for name in RUBRICS]
    return f"{PROMPT_VERSION}-{fingerprint([[s.messages, s.schema] for s in samples])[:12]}"


def state_of(result: dict[str, Any]) -> str:
    """The queue's word for a result."""
    return "for_person" if result["for_person"] else "done"


class _NoUse(Exception):
    """An answer that may not count; the message says why."""


@dataclass(frozen=True, slots=True)
class _Question:
    """A request about an answer in its normal layout."""

    request: ReviewRequest
    answer: NormalAnswer

    def read(self, answer: StoredAnswer) -> Judgement:
        """The judgement in a reply, on the student's own lines; raises _NoUse."""
        if answer.text is None:
            raise _NoUse(answer.refused)
        try:
            judgement = read_answer(self.request, answer.text)
        except BadAnswer as error:
            raise _NoUse(str(error)) from error
        remarks = (replace(r, line=self.answer.own_line(r.line)) for r in judgement.remarks)
        return replace(judgement, remarks=tuple(remarks))


def _report(known: dict[str, Any]) -> MechanicalReport:
    return MechanicalReport(known["mechanical"], tuple(Finding(**f) for f in known["findings"]))


def _asked_about(submitted: Submitted, report: MechanicalReport) -> Iterator[str]:
    unread = {finding.exercise for finding in report.findings if finding.rule in UNREAD}
    for exercise in submitted.answers:
        if exercise in RUBRICS and exercise not in unread:
            yield exercise


def _questions(
    submitted: Submitted, exercise: str, report: MechanicalReport
) -> Iterator[_Question]:
    """The plain reading and the masked one; the same request where there is nothing to mask."""
    source, reference = submitted.answers[exercise], submitted.reference.get(exercise, "")
    answer = normal(plain_text(source), reference)
    facts = [replace(f, line=answer.normal_line(f.line)) for f in report.of(exercise)]
    verdict = submitted.verdicts.get(exercise, NOT_RUN)
    for masked in (False, True):
        request = build_request(exercise, answer.text, facts, verdict, reference, masked=masked)
        # Comments are gone from what the judge reads, not from what a person is shown.
        yield _Question(replace(request, flags=flags(source)), answer)


def _result(
    judgements: dict[str, tuple[Judgement, ...]], report: MechanicalReport, refused: list[str]
) -> dict[str, Any]:
    result = combine(judgements, report)
    return {
        "mechanical": report.score,
        "judged": None if refused else result.judged,
        "comment": result.comment,
        "for_person": [*refused, *result.for_person],
        "digest": "",
    }
