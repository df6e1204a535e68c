"""From a submission to its review: what is computed, what is asked, and both put together."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from functools import cache
from typing import Any

from attention_course.grading.review.cache import StoredAnswer, fingerprint
from attention_course.grading.review.judgement import (
    SPOKEN_LINES,
    BadAnswer,
    Judgement,
    combine,
    read_answer,
    remarks_on,
)
from attention_course.grading.review.mechanical import (
    Ahead,
    Finding,
    MechanicalReport,
    mechanical_findings,
    nothing_ahead,
    plain_text,
)
from attention_course.grading.review.normal import NormalAnswer, normal
from attention_course.grading.review.prompt import PROMPT_VERSION, ReviewRequest, build_request
from attention_course.grading.review.rubric import RUBRICS
from attention_course.grading.review.sanitize import Flag, flags
from attention_course.grading.review.submitted import Submitted

# ask(exercise, masked, request): the model's answer, or the stored one.
Ask = Callable[[str, bool, ReviewRequest], StoredAnswer]
UNREAD = frozenset({"unfinished", "unreadable"})
NOT_RUN = "The numeric tests were not run."


def computed(submitted: Submitted, ahead: Ahead = nothing_ahead) -> dict[str, Any]:
    """What is known with no model, as plain data: the computed part, and the comment on it."""
    report = mechanical_findings(submitted.answers, submitted.reference, ahead)
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
                _read(question, ask(exercise, question.request.masked, question.request))
                for question in questions_on(submitted, exercise, report)
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
            question = questions_on(submitted, exercise, report)[0]
            with suppress(_NoUse):  # what is computed is said all the same
                readings = (_read(question, ask(question.request)),)
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


@dataclass(frozen=True, slots=True)
class Question:
    """A request about an answer in its normal layout."""

    request: ReviewRequest
    answer: NormalAnswer

    def read(self, reply: str) -> Judgement:
        """The judgement in a reply, on the student's own lines; raises BadAnswer."""
        judgement = read_answer(self.request, reply)
        remarks = (
            replace(remark, line=self.answer.own_line(remark.line), text=self._own(remark.text))
            for remark in judgement.remarks
        )
        return replace(judgement, remarks=tuple(remarks))

    def _own(self, text: str) -> str:
        """The text with the line numbers that it names turned into the student's own."""

        def own(number: re.Match[str]) -> str:
            return str(self.answer.own_line(int(number.group())))

        return SPOKEN_LINES.sub(lambda said: re.sub(r"\d+", own, said.group()), text)


def questions_on(
    submitted: Submitted, exercise: str, report: MechanicalReport
) -> tuple[Question, Question]:
    """The plain reading and the masked one; the same request where there is nothing to mask.

    Whatever is judged is asked here, a class's answers as well as those of a calibration.
    """
    source, reference = submitted.answers[exercise], submitted.reference.get(exercise, "")
    answer = normal(plain_text(source), reference)
    facts = [replace(f, line=answer.normal_line(f.line)) for f in report.of(exercise)]
    verdict = submitted.verdicts.get(exercise, NOT_RUN)

    def question(masked: bool) -> Question:
        request = build_request(exercise, answer.text, facts, verdict, reference, masked=masked)
        return Question(replace(request, flags=_flags(source, answer, request)), answer)

    return question(False), question(True)


def _flags(source: str, answer: NormalAnswer, request: ReviewRequest) -> tuple[Flag, ...]:
    """What a person should see: in the comments, which the judge does not read, and the rest.

    In normal layout a text may come to light that was written in pieces or in escapes.
    """
    own = flags(source)
    known = {flag.why for flag in own}
    new = (flag for flag in request.flags if flag.why not in known)
    return (*own, *(replace(flag, line=answer.own_line(flag.line)) for flag in new))


class _NoUse(Exception):
    """An answer that may not count; the message says why."""


def _read(question: Question, answer: StoredAnswer) -> Judgement:
    if answer.text is None:
        raise _NoUse(answer.refused)
    try:
        return question.read(answer.text)
    except BadAnswer as error:
        raise _NoUse(str(error)) from error


def _report(known: dict[str, Any]) -> MechanicalReport:
    return MechanicalReport(known["mechanical"], tuple(Finding(**f) for f in known["findings"]))


def _asked_about(submitted: Submitted, report: MechanicalReport) -> Iterator[str]:
    unread = {finding.exercise for finding in report.findings if finding.rule in UNREAD}
    for exercise in submitted.answers:
        if exercise in RUBRICS and exercise not in unread:
            yield exercise


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
