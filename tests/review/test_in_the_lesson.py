"""``verify(…, review=True)``: remarks without points, from the student's own server."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import IPython
import pytest

from attention_course import progress
from attention_course.lesson import verify
from attention_course.lesson.review_card import answer_sources

Start = Callable[..., Any]
Notebook = Callable[..., None]
IMPORTS = "import math\nimport torch\nimport torch.nn.functional as F\nfrom torch import nn"


@pytest.fixture
def notebook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Notebook:
    """``notebook(cell, …)``: a notebook in which these cells have run."""
    monkeypatch.chdir(tmp_path)

    def run(*cells: str) -> None:
        names: dict[str, Any] = {"In": ["", IMPORTS, *cells]}
        for cell in names["In"]:
            exec(cell, names)
        monkeypatch.setattr(IPython, "get_ipython", lambda: SimpleNamespace(user_ns=names))

    return run


AGGREGATE = "def aggregate_values(attention_weights, values):\n    tmp = attention_weights @ values\n    return tmp"


def kept() -> dict[str, Any]:
    review: dict[str, Any] = progress.read_progress()["assignments"]["attention"]["review"]
    return review


def test_the_student_s_own_server_remarks_on_each_answer(
    notebook: Notebook, stand_in: Start, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    server = stand_in()
    monkeypatch.setenv("OLLAMA_HOST", server.host)
    notebook("aggregate_values = None", AGGREGATE)
    verify("attention", review=True)
    said = capsys.readouterr().out
    assert "how your answers read (no points)" in said
    assert "Read by qwen2.5-coder:7b on your own server" in said
    assert "the name `tmp` does not say what it holds" in said
    assert len(server.chats) == 1, "one reading of each answer that was written"
    assert kept()["model"] == "qwen2.5-coder:7b"
    assert list(kept()["remarks"]) == ["value_aggregation"]


def test_without_a_server_it_says_so_and_says_what_is_computed(
    notebook: Notebook, capsys: Any
) -> None:
    notebook(AGGREGATE)
    verify("attention", review=True)
    said = capsys.readouterr().out
    assert "The remarks of a model are left out: no Ollama server answers at" in said
    assert "the name `tmp` does not say what it holds" in said
    assert kept()["model"] is None


def test_a_model_can_be_named_and_a_missing_one_is_told_how_to_get(
    notebook: Notebook, stand_in: Start, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setenv("OLLAMA_HOST", stand_in(model="other:1b").host)
    notebook(AGGREGATE)
    verify("attention", review="coder:3b")
    assert "ollama pull coder:3b" in capsys.readouterr().out


def test_nothing_is_reviewed_unless_it_is_asked_for(
    notebook: Notebook, stand_in: Start, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    server = stand_in()
    monkeypatch.setenv("OLLAMA_HOST", server.host)
    notebook(AGGREGATE)
    verify("attention")
    assert (
        server.requests == []
        and "review" not in progress.read_progress()["assignments"]["attention"]
    )
    assert "how your answers read" not in capsys.readouterr().out


def test_where_nothing_is_written_there_is_nothing_to_review(
    notebook: Notebook, capsys: Any
) -> None:
    notebook()
    verify("attention", review=True)
    assert "no answer is written yet" in capsys.readouterr().out


def test_the_last_cell_that_defines_an_answer_is_the_one_that_counts(notebook: Notebook) -> None:
    notebook(AGGREGATE, "x = 1", AGGREGATE.replace("tmp", "attended"), "y = 2")
    exercise = SimpleNamespace(name="value_aggregation", answer_name="aggregate_values")
    assert "attended" in answer_sources([exercise])["value_aggregation"]


def test_an_answer_in_problem_py_is_read_there(notebook: Notebook, tmp_path: Path) -> None:
    (tmp_path / "problem.py").write_text("class SimpleAttention:\n    pass\n")
    notebook()
    parts = [
        SimpleNamespace(name=n, answer_name="SimpleAttention") for n in ("projections", "scores")
    ]
    assert list(answer_sources(parts)) == ["problem.py"]


def test_problem_py_answers_four_exercises_and_is_asked_about_once(
    notebook: Notebook,
    stand_in: Start,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Any,
) -> None:
    from attention_course.panel import complete_problem

    server = stand_in()
    monkeypatch.setenv("OLLAMA_HOST", server.host)
    (tmp_path / "problem.py").write_text(complete_problem("bmm"))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "problem", raising=False)
    notebook("from problem import SimpleAttention")
    verify("attention_basics", review=True)
    (question,) = [body["messages"][1]["content"] for body in server.chats]
    assert question.startswith("EXERCISE problem.py")
    good = question.split("ONE GOOD ANSWER")[1].split("THE ANSWER")[0]
    assert "class SimpleAttention" in good, "the reference's own, not the rubric's sample"
    assert capsys.readouterr().out.count("problem.py:") == 1
    review = progress.read_progress()["assignments"]["attention_basics"]["review"]
    assert list(review["remarks"]) == ["problem.py"]


def test_one_cell_with_two_answers_is_asked_about_once(notebook: Notebook) -> None:
    both = AGGREGATE + "\n\ndef attention_weights(scores):\n    return scores.softmax(-1)"
    notebook(both)
    parts = [
        SimpleNamespace(name="value_aggregation", answer_name="aggregate_values"),
        SimpleNamespace(name="attention_weights", answer_name="attention_weights"),
    ]
    assert answer_sources(parts) == {"value_aggregation": both}


def test_the_progress_file_with_a_review_is_of_its_schema(notebook: Notebook) -> None:
    notebook()
    assert progress.record_review("attention", None, {"attention_scores": ["line 1: …"]}).ok
    assert kept()["remarks"] == {"attention_scores": ["line 1: …"]}
    text = progress.progress_path().read_text()
    assert json.loads(text)["assignments"]["attention"]["points"] == 0
