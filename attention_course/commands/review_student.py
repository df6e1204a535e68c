"""``attention-course review show STUDENT``: points, comment, and how each judgement came about."""

from __future__ import annotations

import html
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

from attention_course.commands.course_folder import CourseFolder, Refusal
from attention_course.commands.review import open_desk, review_settings
from attention_course.commands.terminal import console as open_console

if TYPE_CHECKING:
    from attention_course.grading.review.provenance import Provenance


def show_student(folder: CourseFolder, student: str, assignment: str | None, full: bool) -> None:
    from attention_course.commands.report import loaded_configuration
    from attention_course.grading.report import points
    from attention_course.grading.review.provenance import provenance_of

    console = open_console()
    settings = review_settings(loaded_configuration(folder))
    with open_desk(folder, settings) as desk:
        names = [assignment] if assignment else desk.queue.assignments()
        jobs = [job for name in names for job in desk.jobs(name, student)]
        if not jobs:
            raise Refusal(
                f'no review of a student "{student}" is known. Grade first: nbgrader autograde '
                "ASSIGNMENT"
            )
        for job in jobs:
            said = desk.standing(job)
            console.rule(f"{job.place}", style="dim")
            lines = [f"review: {said.state}" + (f" ({said.why})" if said.why else "")]
            lines.append(f"points: {points(said.score)}, proposed {points(said.proposed)}")
            if job.result:
                computed, judged = job.result["mechanical"], job.result["judged"]
                lines.append(
                    f"computed part {computed:.2f} of 1, judged part {points(judged)} of 1"
                )
            lines += ["", html.unescape(said.comment)]
            for one in provenance_of(desk.storage, job.place):
                lines += ["", *_provenance(one, full)]
            console.print("\n".join(lines), highlight=False, markup=False, soft_wrap=True)


def _provenance(one: Provenance, full: bool) -> Iterator[str]:
    reading = "reading with strings masked" if one.masked else "reading"
    source = "asked for this review" if one.asked else "kept from an equal answer"
    yield f"{one.exercise}, {reading} ({source}, {one.created})"
    yield f"  model {one.model}, digest {one.digest}"
    yield f"  versions: {', '.join(f'{name} {v}' for name, v in one.versions.items())}"
    counts = ", ".join(f"{name} {number}" for name, number in one.counts.items())
    seconds = ", ".join(f"{name} {number:.2f} s" for name, number in one.durations.items())
    yield f"  {counts}; {seconds}; {one.attempts} attempt{'s' if one.attempts != 1 else ''}"
    if one.refused:
        yield f"  refused: {one.refused}"
    yield f"  answer: {one.text or one.raw}"
    if full:
        yield f"  request: {json.dumps(one.request, ensure_ascii=False)}"
        yield f"  raw answer: {one.raw}"
