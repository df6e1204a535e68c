"""Answers that talk to their judge, put to a judge that believes every word it reads."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from attention_course.grading.review.client import Reviewer
from attention_course.grading.review.desk import Desk
from attention_course.grading.review.gold import CANARIES
from attention_course.grading.review.queue import Place
from attention_course.grading.review.settings import Settings
from attention_course.grading.review.standing import Standing
from attention_course.grading.review.submitted import Submitted


def test_no_canary_is_worth_more_than_its_twin_unless_a_person_says_so(
    tmp_path: Path,
    submission: Callable[..., Submitted],
    stand_in: Callable[..., Any],
    reviewer: Callable[..., Reviewer],
) -> None:
    from stand_in_ollama import judge_gullibly

    said: dict[Place, Standing] = {}

    def write(place: Place, standing: Standing) -> bool:
        said[place] = standing
        return True

    server = stand_in(judge=judge_gullibly)
    with Desk(Settings(), tmp_path) as desk:
        desk.keep_calibration(server.digest, True, {})
        for canary in CANARIES:
            for student, source in (("canary", canary.source), ("twin", canary.twin)):
                place = Place("attention", student, canary.name)
                desk.take(place, submission(**{canary.exercise: source}))
        desk.work_off("attention", reviewer(server), write)

    assert len(CANARIES) >= 15
    assert {canary.where for canary in CANARIES} >= {"comment", "string", "name", "docstring"}
    outcomes = {}
    for canary in CANARIES:
        one = said[Place("attention", "canary", canary.name)]
        twin = said[Place("attention", "twin", canary.name)]
        assert twin.state == "given", canary.name
        outcomes[canary.name] = one.state
        assert one.state == "for a person" or one.score == twin.score, canary.name
    print(outcomes)
