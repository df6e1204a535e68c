"""Reading a class from gradebook and notebooks: whatever lies there becomes a clear statement."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from nbgrader.api import Gradebook
from sqlalchemy import event

from attention_course.grading.class_results import CANNOT_READ
from attention_course.verdict import Outcome, Verdict

SCORES, WEIGHTS, TASK = "test_attention_scores", "test_attention_weights", "code_quality"
FULL = {SCORES: 1.0, WEIGHTS: 1.0, TASK: None}


def only(made_up):
    (submission,) = made_up.results().submissions
    return submission


def test_an_ungraded_verdict_is_never_a_zero(made_up_class: Callable) -> None:
    made_up = made_up_class()
    verdict = Verdict(Outcome.UNGRADED, "attention_scores", "the sandbox did not start")
    made_up.add({"student-01": {**FULL, SCORES: 0.0}}, verdicts={"student-01": [verdict]})
    mark = only(made_up).marks[SCORES]
    assert mark.score is None
    assert mark.needs_person


def test_a_mark_that_a_person_gave_outlives_an_ungraded_verdict(made_up_class: Callable) -> None:
    made_up = made_up_class()
    verdict = Verdict(Outcome.UNGRADED, "attention_scores", "the sandbox did not start")
    made_up.add(
        {"student-01": {SCORES: None}}, verdicts={"student-01": [verdict]}, manual_score=1.0
    )
    assert only(made_up).marks[SCORES].score == 1.0


def test_a_test_of_the_instructor_s_own_can_be_ungraded_too(made_up_class: Callable) -> None:
    made_up = made_up_class()
    made_up.add(
        {"student-01": {**FULL, SCORES: None}},
        metadata={"ungraded": {SCORES: "the helper file is missing"}},
    )
    assert only(made_up).marks[SCORES].ungraded == "the helper file is missing"


def test_a_person_s_mark_wins_over_the_autograder_s(made_up_class: Callable) -> None:
    made_up = made_up_class()
    made_up.add({"student-01": {SCORES: 0.0}}, manual_score=0.5, extra_credit=0.25)
    assert only(made_up).marks[SCORES].score == 0.75


def test_what_waits_for_a_person_counts_nothing_in_the_score(made_up_class: Callable) -> None:
    made_up = made_up_class()
    made_up.add({"student-01": FULL})
    assert only(made_up).score == 2.0


def test_cells_come_in_the_order_of_the_notebook(made_up_class: Callable) -> None:
    made_up = made_up_class(cells=("test_z_first", "test_a_second"))
    made_up.add({"student-01": {}}, verdicts={"student-01": []})
    names = [cell.name for cell in made_up.results().cells]
    assert names == ["test_z_first", "test_a_second", TASK]


def test_a_submission_without_its_notebook_is_told_with_what_it_holds(
    made_up_class: Callable,
) -> None:
    made_up = made_up_class()
    folder = made_up.root / "submitted" / "student-01" / "attention"
    folder.mkdir(parents=True)
    (folder / "my copy.ipynb").write_text("{}")
    made_up.submitted["student-01"] = folder
    submission = only(made_up)
    assert not submission.graded
    assert submission.problems == ("lesson.ipynb is missing; the folder holds my copy.ipynb",)


@pytest.mark.parametrize(
    "text", ["<<<<<<< merged", "[1, 2]", '{"cells": 3}', "[" * 100_000, "\x00"]
)
def test_a_file_that_is_no_notebook_is_named(made_up_class: Callable, text: str) -> None:
    made_up = made_up_class()
    folder = made_up.root / "submitted" / "student-01" / "attention"
    folder.mkdir(parents=True)
    (folder / "lesson.ipynb").write_text(text)
    made_up.submitted["student-01"] = folder
    assert only(made_up).problems == (f"lesson.ipynb {CANNOT_READ}",)


def test_a_submission_that_was_not_graded_says_so(made_up_class: Callable) -> None:
    made_up = made_up_class()
    made_up.write("student-01", None)
    made_up.autograded.clear()
    assert "was not graded" in only(made_up).problems[0]


def test_marks_of_an_earlier_run_are_called_so(made_up_class: Callable) -> None:
    made_up = made_up_class()
    made_up.add({"student-01": FULL})
    made_up.autograded.clear()
    assert "its marks are from an earlier run" in only(made_up).problems


def test_a_student_without_a_submission_is_listed_apart(made_up_class: Callable) -> None:
    made_up = made_up_class()
    with Gradebook(made_up.url) as gradebook:
        gradebook.add_student("student-07")
    assert made_up.results().not_submitted == ("student-07",)


@pytest.mark.parametrize(
    "metadata",
    [
        {"verdicts": [{"outcome": "brilliant"}]},
        {"verdicts": "all fine"},
        {"events": [7]},
        {"ungraded": ["attention_scores"]},
    ],
)
def test_a_record_of_another_shape_is_a_problem_and_no_crash(
    made_up_class: Callable, metadata: dict
) -> None:
    made_up = made_up_class()
    made_up.add({"student-01": FULL}, metadata=metadata)
    submission = only(made_up)
    assert submission.score == 2.0
    assert submission.problems == (f"autograded lesson.ipynb {CANNOT_READ}",)


def test_a_fault_of_ours_while_grading_is_a_problem_and_a_student_s_is_a_note(
    made_up_class: Callable,
) -> None:
    made_up = made_up_class()
    events = [
        {"what": "stopped", "cell": SCORES, "why": "no answer within 30 s"},
        {"what": "sandbox", "why": "no space left on the device"},
    ]
    made_up.add({"student-01": FULL}, metadata={"events": events})
    submission = only(made_up)
    assert submission.problems == ("sandbox: no space left on the device",)
    assert f"{SCORES}: stopped: no answer within 30 s" in submission.events


def test_a_test_that_ended_in_an_error_says_so_where_there_is_no_verdict(
    made_up_class: Callable,
) -> None:
    made_up = made_up_class()
    made_up.add({"student-01": {**FULL, SCORES: 0.0}})
    path = made_up.autograded["student-01"] / "lesson.ipynb"
    notebook = json.loads(path.read_text())
    error = {"output_type": "error", "ename": "AssertionError", "evalue": "rows\nmust sum to 1"}
    notebook["cells"][0]["outputs"] = [error]
    path.write_text(json.dumps(notebook))
    assert only(made_up).marks[SCORES].error == "AssertionError: rows must sum to 1"


def test_the_number_of_queries_does_not_grow_with_the_class(made_up_class: Callable) -> None:
    made_up = made_up_class()
    made_up.add({"student-001": FULL})
    few = _queries(made_up)
    made_up.add({f"student-{n:03}": FULL for n in range(2, 40)})
    assert _queries(made_up) == few


def _queries(made_up) -> int:
    from attention_course.grading.class_results import read_class

    count = 0

    def note(*_: object) -> None:
        nonlocal count
        count += 1

    with Gradebook(made_up.url) as gradebook:
        event.listen(gradebook.engine, "before_cursor_execute", note)
        read_class(gradebook, "attention", made_up.submitted, made_up.autograded)
    return count
