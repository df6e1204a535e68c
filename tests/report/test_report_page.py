"""The report as data and as a page: right figures, everything escaped, nothing from outside."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

import pytest

from attention_course.checks import MISCONCEPTIONS
from attention_course.grading.report import points, render, summarise
from attention_course.verdict import Outcome, Verdict

SCORES, WEIGHTS, TASK = "test_attention_scores", "test_attention_weights", "code_quality"
FULL = {SCORES: 1.0, WEIGHTS: 1.0, TASK: None}
NAMED = next(name for name in MISCONCEPTIONS if name != "not_started")
HOSTILE = '<script>alert(1)</script> & "quoted" {{ 7 * 7 }}'


def failed(*misconceptions: str, message: str = "not right") -> Verdict:
    return Verdict(Outcome.FAILED, "attention_scores", message, misconceptions=misconceptions)


def exercise(summary: dict[str, Any], cell: str) -> dict[str, Any]:
    (found,) = [entry for entry in summary["exercises"] if entry["cell"] == cell]
    return found


@pytest.fixture
def small(made_up_class: Callable):
    """Three students: all right, one fault with a name, one without."""
    made_up = made_up_class()
    made_up.add(
        {
            "student-01": FULL,
            "student-02": {**FULL, SCORES: 0.0},
            "student-03": {**FULL, SCORES: 0.0},
        },
        verdicts={"student-02": [failed(NAMED)], "student-03": [failed()]},
    )
    return made_up


def test_success_and_misconceptions_are_counted_for_each_exercise(small) -> None:
    scores = exercise(summarise(small.results()), SCORES)
    assert (scores["full"], scores["none"], scores["waiting"]) == (1, 2, 0)
    title = MISCONCEPTIONS[NAMED].title
    assert scores["misconceptions"] == [{"id": NAMED, "title": title, "count": 1}]
    assert scores["without_a_name"] == 1


def test_points_that_nobody_has_marked_yet_dilute_no_mean(small) -> None:
    whole = summarise(small.results())["class"]
    assert whole["counted_max_score"] == 2.0
    assert whole["max_score"] == 4.0
    assert whole["mean"] == pytest.approx(4 / 3)


def test_whole_points_get_a_bar_each(small) -> None:
    bars = summarise(small.results())["distribution"]
    assert [(bar["points"], bar["count"]) for bar in bars] == [("0", 0), ("1", 2), ("2", 1)]


def test_partial_credit_is_put_into_tenths_and_nobody_is_lost(made_up_class: Callable) -> None:
    made_up = made_up_class()
    made_up.add({f"s{n}": {SCORES: n / 10, WEIGHTS: n / 10} for n in range(11)})
    summary = summarise(made_up.results())
    assert len(summary["distribution"]) == 10
    assert sum(bar["count"] for bar in summary["distribution"]) == 11
    assert exercise(summary, SCORES)["partial"] == 9


def test_the_same_wait_of_many_students_is_one_row(small) -> None:
    rows = summarise(small.results())["needs_a_person"]
    assert rows == [
        {
            "exercise": TASK,
            "reason": "waits for a person's mark",
            "students": ["student-01", "student-02", "student-03"],
        }
    ]


def test_an_ungraded_answer_waits_with_its_reason(made_up_class: Callable) -> None:
    made_up = made_up_class()
    verdict = Verdict(Outcome.UNGRADED, "attention_scores", "the sandbox did not start")
    made_up.add({"student-01": {SCORES: None}}, verdicts={"student-01": [verdict]})
    (row,) = summarise(made_up.results())["needs_a_person"]
    assert row["reason"] == "ungraded: the sandbox did not start"


def test_a_student_s_row_names_the_misconception_and_keeps_the_message(small) -> None:
    rows = {row["student"]: row for row in summarise(small.results())["students"]}
    assert rows["student-02"]["misconceptions"][0]["id"] == NAMED
    assert rows["student-03"]["messages"] == {"attention_scores": "not right"}


def test_a_misconception_that_we_do_not_know_stands_under_its_own_name(
    made_up_class: Callable,
) -> None:
    made_up = made_up_class()
    made_up.add({"s": {SCORES: 0.0}}, verdicts={"s": [failed("from_a_later_version")]})
    scores = exercise(summarise(made_up.results()), SCORES)
    assert scores["misconceptions"][0]["title"] == "from_a_later_version"


def test_what_is_said_of_everyone_is_one_thing_for_a_person(made_up_class: Callable) -> None:
    made_up = made_up_class()
    shared = {"what": "instructor cell failed", "cell": "setup", "why": "NameError: x"}
    made_up.add({name: {SCORES: 1.0} for name in ("s1", "s2")}, metadata={"events": [shared]})
    (row,) = summarise(made_up.results())["needs_a_person"]
    assert row["students"] == ["s1", "s2"]
    assert row["reason"] == (
        "setup: instructor cell failed: NameError: x "
        "(for everyone, so most likely the assignment's fault)"
    )


def test_an_assignment_without_our_records_is_reported(made_up_class: Callable) -> None:
    made_up = made_up_class(cells=("question 1",))
    made_up.add({"student-01": {"question 1": 1.0}, "student-02": {"question 1": 0.0}})
    summary = summarise(made_up.results())
    assert exercise(summary, "question 1")["full"] == 1
    assert "question 1" in render(summary)


def test_an_empty_class_has_a_page(made_up_class: Callable) -> None:
    page = render(summarise(made_up_class().results()))
    assert "No submission is graded yet." in page
    assert "Nothing waits." in page


def test_the_data_is_plain_json(small) -> None:
    summary = summarise(small.results())
    assert json.loads(json.dumps(summary, allow_nan=False)) == summary


def test_whatever_students_or_instructors_wrote_is_escaped(made_up_class: Callable) -> None:
    made_up = made_up_class(cells=(HOSTILE, SCORES))
    made_up.add(
        {HOSTILE.replace("/", ""): {SCORES: 0.0}},
        verdicts={HOSTILE.replace("/", ""): [failed(HOSTILE, message=HOSTILE)]},
        metadata={"events": [{"what": "instructor cell failed", "why": HOSTILE}]},
    )
    page = render(summarise(made_up.results()))
    assert "<script" not in page
    assert "{{ 7 * 7 }}" in page


class Page(HTMLParser):
    """Collects what a page asks for from elsewhere, and its tables' headings."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.asked: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        found = dict(attributes)
        self.tags.append((tag, found))
        self.asked += [value for key, value in attributes if key in {"src", "href"} and value]


def test_the_page_needs_nothing_from_outside(small) -> None:
    text = render(summarise(small.results()))
    page = Page(text)
    assert page.asked == []
    assert not {"script", "link", "img", "iframe"} & {tag for tag, _ in page.tags}
    assert not re.search(r"url\(|@import|https?:", text)


def test_every_picture_has_a_name_and_every_table_headings(small) -> None:
    page = Page(render(summarise(small.results())))
    pictures = [found for _, found in page.tags if found.get("role") == "img"]
    assert pictures
    assert all(found.get("aria-label") for found in pictures)
    headings = [found for tag, found in page.tags if tag == "th"]
    assert all(found.get("scope") in {"col", "row"} for found in headings)


def test_feedback_is_linked_where_there_is_some(small) -> None:
    page = render(summarise(small.results()), {"student-01": "../feedback/student-01/a%20b.html"})
    assert Page(page).asked == ["../feedback/student-01/a%20b.html"]


@pytest.mark.slow
def test_a_class_of_a_thousand_is_read_and_drawn(made_up_class: Callable) -> None:
    made_up = made_up_class()
    names = [f"student-{n:04}" for n in range(1000)]
    made_up.add(dict.fromkeys(names, FULL), verdicts={name: [failed(NAMED)] for name in names})
    summary = summarise(made_up.results())
    assert exercise(summary, SCORES)["misconceptions"][0]["count"] == 1000
    assert render(summary).count("<tr>") > 1000


@pytest.mark.parametrize(
    ("value", "text"), [(None, "–"), (3.0, "3"), (2.5, "2.5"), (1 / 3, "0.33"), (0.0, "0")]
)
def test_points_are_written_as_a_person_would(value: float | None, text: str) -> None:
    assert points(value) == text
