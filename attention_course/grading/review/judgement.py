"""What a reply of the model is worth: read with suspicion, added up by us.

The model gives whole numbers and short reasons; the total is computed here. Two readings of an
answer, one of them with every string masked, must agree, or a person decides.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from attention_course.grading.review.mechanical import INCOMPLETE, Finding, MechanicalReport
from attention_course.grading.review.prompt import (
    LONGEST_REASON,
    LONGEST_REMARK,
    MOST_REMARKS,
    ReviewRequest,
    squeezed,
)
from attention_course.grading.review.rubric import CRITERIA, HIGHEST
from attention_course.grading.review.sanitize import Flag, safe_text

GAP = 2  # points of a criterion between the two readings that go to a person
MOST_SAID = 3  # findings of the computed part that are said for one exercise
SPOKEN_OF = re.compile(r"`([^`\n]{1,60})`")
# A name with an underscore is a name without backticks, too.
SPOKEN_NAME = re.compile(r"(?<![\w`])[A-Za-z]\w*_\w+(?![\w`])")
SPOKEN_LINES = re.compile(r"\blines?\s+\d{1,6}(?:\s*(?:-|–|,|to|and)\s*\d{1,6})?", re.IGNORECASE)
# What follows these is a name that the student might choose.
PROPOSED = re.compile(r"\b(?:to|as|it|like|into|named|called|say|use|be|or|with)\s*$", re.I)


class BadAnswer(ValueError):
    """A reply that does not have the form that was asked for; the message says in what."""


@dataclass(frozen=True, slots=True)
class Remark:
    """Something the student may do better, on a line that exists."""

    line: int
    text: str


@dataclass(frozen=True, slots=True)
class Judgement:
    """One reading of one answer: scores 0 to 5 by criterion, reasons, and remarks that hold.

    ``dropped`` are remarks and reasons about what is not there; ``flags`` lines that talk to
    whoever grades.
    """

    exercise: str
    criteria: dict[str, int]
    reasons: dict[str, str]
    remarks: tuple[Remark, ...] = ()
    dropped: tuple[str, ...] = ()
    flags: tuple[Flag, ...] = ()

    @property
    def share(self) -> float:
        """Of the highest score, between 0 and 1."""
        return sum(self.criteria.values()) / (HIGHEST * len(self.criteria))


@dataclass(frozen=True, slots=True)
class ReviewResult:
    """Both parts, each between 0 and 1 (``judged`` is None where nothing was judged).

    ``score`` is their sum. ``comment`` is safe as HTML and Markdown; ``for_person`` says why a
    person must look, and is empty where nobody must.
    """

    mechanical: float
    judged: float | None
    comment: str
    for_person: list[str] = field(default_factory=list)

    @property
    def score(self) -> float:
        return self.mechanical + (self.judged or 0.0)


def read_answer(request: ReviewRequest, text: str) -> Judgement:
    """Read the model's reply to ``request``; raises BadAnswer for one of another form."""
    try:
        reply = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise BadAnswer("the reply is not JSON") from error
    wanted = {f"{c}_{part}" for c in CRITERIA for part in ("score", "reason")} | {"d_remarks"}
    if not isinstance(reply, dict) or set(reply) != wanted:
        raise BadAnswer("the reply does not have the keys that were asked for")
    criteria, reasons, dropped = {}, {}, []
    for criterion in CRITERIA:
        score, reason = reply[f"{criterion}_score"], reply[f"{criterion}_reason"]
        if type(score) is not int or not 0 <= score <= HIGHEST:
            raise BadAnswer(f"{criterion} is {str(score)[:20]!r}, no whole number from 0 to 5")
        if not isinstance(reason, str):
            raise BadAnswer(f"the reason for {criterion} is no text")
        criteria[criterion] = score
        reasons[criterion] = reason.strip()[:LONGEST_REASON]
        strange = _not_there(request, reason)
        if strange:
            dropped.append(f"a reason speaks of {strange}, which is not in the answer")
            reasons[criterion] = ""
    remarks = _remarks(request, reply["d_remarks"], dropped)
    return Judgement(
        request.exercise, criteria, reasons, tuple(remarks), tuple(dropped), request.flags
    )


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _remarks(request: ReviewRequest, given: Any, dropped: list[str]) -> list[Remark]:
    if not isinstance(given, list):
        raise BadAnswer("d_remarks is no list")
    kept = []
    for item in given[:MOST_REMARKS]:
        if not isinstance(item, dict) or set(item) != {"line", "name", "text"}:
            raise BadAnswer("a remark has not the keys that were asked for")
        line, name, text = item["line"], item["name"], item["text"]
        if type(line) is not int or not isinstance(name, str) or not isinstance(text, str):
            raise BadAnswer("a remark holds values of the wrong kind")
        name = name.strip("` ()")
        strange = _not_there(request, text)
        if line not in request.lines:
            dropped.append(f"a remark speaks of line {line}, which has no code")
        elif name and not set(re.findall(r"\w+", name)) <= request.names:
            dropped.append(f"a remark speaks of {name[:40]!r}, which is not in the answer")
        elif strange:
            dropped.append(f"a remark speaks of {strange}, which is not in the answer")
        elif _gives_away(request, text):
            dropped.append("a remark quotes a line of the reference")
        elif text.strip():
            kept.append(Remark(line, text.strip()[:LONGEST_REMARK]))
    return kept


def _not_there(request: ReviewRequest, text: str) -> str:
    """A name or a line that is not in the answer, or nothing; a name may be proposed."""
    for found in (*SPOKEN_OF.finditer(text), *SPOKEN_NAME.finditer(text)):
        quoted = found.group(found.re.groups)
        words = set(re.findall(r"[^\W\d]\w*", quoted))
        known = words <= request.names | WELL_KNOWN
        if len(words) == 1 and not known and not PROPOSED.search(text[: found.start()]):
            return repr(quoted)
    for said in SPOKEN_LINES.findall(text):
        if not {int(number) for number in re.findall(r"\d+", said)} <= request.lines:
            return said
    return ""


def _gives_away(request: ReviewRequest, text: str) -> bool:
    """Whether a remark quotes a line of the instructor's that the student has not written."""
    said = squeezed(text)
    return any(step in said for step in request.secrets)


# What a remark may recommend without its being there.
WELL_KNOWN = frozenset(
    [
        "torch",
        "matmul",
        "transpose",
        "softmax",
        "shape",
        "size",
        "sum",
        "exp",
        "sqrt",
        "einsum",
        "bmm",
        "math",
        "nn",
        "Linear",
        "F",
        "functional",
        "dim",
        "keepdim",
        "amax",
        "max",
        "queries",
        "keys",
        "values",
        "weights",
        "scores",
        "d_k",
        "d_v",
        "d_model",
        "embeddings",
        "for",
        "range",
        "None",
        "True",
        "False",
        "self",
        "forward",
        "mT",
        "T",
    ]
)


def combine(
    judgements: Mapping[str, tuple[Judgement, ...]], mechanical: MechanicalReport
) -> ReviewResult:
    """Put both parts together. ``judgements`` maps an exercise to its plain and masked reading.

    The masked reading counts: nothing that a string says can raise it. A gap of two points
    between the readings, and text that talks to whoever grades, send the review to a person.
    """
    for_person = [f.message for f in mechanical.findings if f.rule == INCOMPLETE]
    shares = []
    for exercise, readings in judgements.items():
        plain, masked = readings[0], readings[-1]
        shares.append(masked.share)
        for criterion in CRITERIA:
            gap = abs(plain.criteria[criterion] - masked.criteria[criterion])
            if gap >= GAP:
                for_person.append(
                    f"{exercise}: with its strings masked {criterion[2:]} is "
                    f"{masked.criteria[criterion]}, with them {plain.criteria[criterion]}"
                )
        for_person += [f"{exercise}, line {flag.line}: {flag.why}" for flag in plain.flags]
    # An answer that was not written is asked about nowhere, and judged with nothing.
    unread = {f.exercise for f in mechanical.findings if f.rule in ("unfinished", "unreadable")}
    missing = [exercise for exercise in unread if exercise not in judgements]
    everything = len(shares) + len(missing)
    judged = round(sum(shares) / everything, 4) if shares else None
    return ReviewResult(mechanical.score, judged, _comment(judgements, mechanical), for_person)


def _comment(judgements: Mapping[str, tuple[Judgement, ...]], mechanical: MechanicalReport) -> str:
    places: dict[str, list[str]] = {}  # what is said, once, to where it holds
    names = list(dict.fromkeys([*(f.exercise for f in mechanical.findings), *judgements]))
    for exercise in names:
        said = remarks_on(exercise, mechanical.of(exercise), judgements.get(exercise, ()))
        for text in said:
            line, _, what = text.partition(": ")
            places.setdefault(what, []).append(f"{safe_text(exercise)}, {line}")
    if not places:
        return "The code reads well: nothing to say against it."
    return "\n\n".join(f"{'; '.join(where)}: {what}" for what, where in places.items())


def remarks_on(
    exercise: str, findings: tuple[Finding, ...], readings: tuple[Judgement, ...] = ()
) -> list[str]:
    """What is to be said on one answer, each a line of safe text: computed first, then judged."""
    said = [f"line {f.line}: {safe_text(f.message)}" for f in findings if f.cost][:MOST_SAID]
    if readings:
        # What the plain reading remarks may have been talked into it; a masked one may not.
        best = readings[-1]
        said += [f"line {remark.line}: {safe_text(remark.text)}" for remark in best.remarks]
    return said
