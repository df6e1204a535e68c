"""``check`` and ``verify`` as a notebook's cell, a grader and a sandbox use them."""

import json
import subprocess
import sys

import pytest
import torch
from torch import nn

from attention_course import check, verify
from attention_course.checks import EXERCISES, MISCONCEPTIONS, Session, exercises_of, session
from attention_course.lesson import evaluation, selfcheck
from attention_course.progress import progress_path, read_progress


@pytest.fixture
def shown(monkeypatch, tmp_path):
    """A student's folder; what is shown below the cells comes here."""
    cards = []
    for module in (selfcheck, evaluation):
        monkeypatch.setattr(module, "show", cards.append)
    for name in ("ATTENTION_COURSE_SANDBOX", "NBGRADER_EXECUTION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return cards


def right(attention_weights, values):
    return attention_weights @ values


def transposed(attention_weights, values):
    return attention_weights.transpose(-2, -1) @ values


def unwritten(attention_weights, values):
    raise NotImplementedError()


def test_a_right_answer_earns_its_point_and_is_recorded(shown):
    assert repr(check.value_aggregation(right)) == "1"
    assert shown[0].text().startswith("\N{CHECK MARK} Passed: ")
    entry = read_progress()["assignments"]["attention"]["exercises"]["value_aggregation"]
    assert (entry["points"], entry["attempts"]) == (1, 1)


def test_a_wrong_answer_earns_nothing_and_is_named(shown):
    assert repr(check.value_aggregation(transposed)) == "0"
    record = shown[0].metadata["attention_course"]
    assert record["outcome"] == "failed" and record["misconceptions"]
    assert shown[0].next_step == MISCONCEPTIONS[record["misconceptions"][0]].hint


def test_a_stub_earns_nothing_and_is_no_attempt(shown):
    assert check.value_aggregation(unwritten) == 0
    assert shown[0].text().startswith("\N{HORIZONTAL ELLIPSIS} Waiting: ")
    entry = read_progress()["assignments"]["attention"]["exercises"]["value_aggregation"]
    assert entry["attempts"] == 0


def test_under_nbgrader_validate_a_failed_check_raises_its_words(shown, monkeypatch):
    monkeypatch.setenv("NBGRADER_EXECUTION", "validate")
    assert check.value_aggregation(right) == 1
    with pytest.raises(AssertionError) as raised:
        check.value_aggregation(transposed)
    lines = str(raised.value).splitlines()
    assert " ".join(lines) == shown[-1].metadata["attention_course"]["message"]
    assert max(map(len, lines)) <= 72  # nbgrader cuts longer lines off


def test_in_a_graders_session_nothing_is_written_beside_the_notebook(shown):
    with session(Session(seed=12345)) as grading:
        assert check.value_aggregation(right) == 1
        verify("attention")
    assert [verdict.exercise for verdict in grading.verdicts] == ["value_aggregation"]
    assert not progress_path().parent.exists()
    assert "Not checked here" not in shown[0].text()


def test_in_the_sandbox_checks_do_nothing_and_load_nothing(tmp_path):
    program = (
        "import sys; from attention_course import check, needs, verify\n"
        "assert check.attention_scores(3) is None and check.anything() is None\n"
        "assert verify('attention') is None\n"
        "print([m for m in sys.modules if m.startswith(('reference_attention', 'torch',"
        " 'attention_course.checks'))])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"ATTENTION_COURSE_SANDBOX": "1", "PYTHONPATH": ":".join(sys.path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "[]\n"
    assert list(tmp_path.iterdir()) == []


def test_importing_the_course_loads_nothing_heavy():
    program = (
        "import attention_course, sys; print([m for m in ('torch', 'bokeh', 'IPython', 'numpy',"
        " 'reference_attention', 'attention_course.lesson') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "[]\n"


def test_the_course_offers_what_a_lesson_imports():
    import attention_course

    assert {"check", "verify", "needs", "views", "comparisons"} <= set(dir(attention_course))
    with pytest.raises(AttributeError, match="no attribute 'cheat'"):
        _ = attention_course.cheat


def test_every_exercise_has_a_check_that_completion_finds():
    assert dir(check) == sorted(EXERCISES)
    assert repr(check.attention_scores) == "check.attention_scores(scaled_dot_product_scores)"


def test_an_unknown_exercise_lists_the_known_ones():
    with pytest.raises(
        AttributeError, match="no exercise 'attention_score'; the exercises are lin"
    ):
        _ = check.attention_score


def test_a_message_about_saving_stands_on_the_card(shown, tmp_path):
    (tmp_path / "progress").write_text("a file in the way")
    check.value_aggregation(right)
    assert "Your progress could not be saved" in shown[0].text()


# --- verify -------------------------------------------------------------------------------


@pytest.fixture
def names(monkeypatch):
    names = {}
    monkeypatch.setattr(evaluation, "notebook_names", lambda: names)
    return names


def test_verify_judges_the_notebooks_own_names(shown, names):
    names.update(aggregate_values=right, softmax_weights=lambda scores: torch.softmax(scores, -2))
    verify("attention")
    (card,) = shown
    assert card.points == "1 of 5 points"
    moods = {row.title: row.mood.word for row in card.rows}
    titles = {exercise.name: exercise.title for exercise in exercises_of("attention")}
    assert moods == {
        titles["linear_projections"]: "Waiting",
        titles["attention_scores"]: "Waiting",
        titles["attention_weights"]: "Not yet",
        titles["value_aggregation"]: "Passed",
        titles["attention_head"]: "Waiting",
    }
    assert f"Go back to “{titles['linear_projections']}”" in card.next_step
    assert "Code quality (2 points) is marked by a reader" in card.text()
    assert "Saved in progress/lesson_progress.json" in card.text()
    saved = json.loads(progress_path().read_text())["assignments"]["attention"]
    assert (saved["points"], saved["max_points"], saved["evaluations"]) == (1, 5, 1)


def test_verify_finds_the_assignment_by_itself(shown, names):
    names["SimpleAttention"] = nn.Identity
    verify()
    assert "exercises of attention_basics" in shown[0].title


def test_verify_refuses_an_assignment_that_does_not_exist(shown, names):
    with pytest.raises(
        ValueError, match=r"no assignment 'atention'; the assignments are attention, "
    ):
        verify("atention")
