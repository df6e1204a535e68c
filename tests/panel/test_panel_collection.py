"""The panel as a collection: enough answers, unique names, every source a whole solution cell."""

from __future__ import annotations

import ast
import importlib
from collections import Counter
from pathlib import Path

import pytest

from attention_course.checks.exercises import EXERCISES
from attention_course.panel import BASICS, PANEL, complete_problem
from attention_course.panel.known_answer import right_answers, wrong_answers, wrong_classes

# LESSON.md's table of known wrong answers, row by row, and the exercises in which each can occur.
TABLE = {
    "no_scaling": ("attention_scores", "attention_head"),
    "divided_by_d_k": ("attention_scores", "attention_head", "scores"),
    "multiplied_by_sqrt_d_k": ("attention_scores", "attention_head"),
    "divided_by_sqrt_d_model": ("attention_head",),
    "divided_by_sqrt_d_v": ("attention_head",),
    "divided_by_sqrt_n": ("attention_scores", "attention_head"),
    "hard_coded_scale": ("attention_scores", "attention_head"),
    "softmax_over_queries": ("attention_weights", "attention_head", "weights"),
    "softmax_over_batch": ("attention_weights", "attention_head", "weights"),
    "softmax_over_everything": ("attention_weights", "attention_head"),
    "softmax_twice": ("attention_weights", "attention_head", "weights"),
    "no_maximum_subtracted": ("attention_weights", "attention_head"),
    "divided_by_maximum": ("attention_weights",),
    "divided_by_raw_sum": ("attention_weights",),
    "reshape_instead_of_transpose": ("attention_scores", "attention_head", "scores"),
    "queries_keys_swapped": ("attention_scores", "attention_head", "scores"),
    "keys_aggregated": ("attention_head", "output"),
    "query_rows_aggregated": ("attention_head",),
    "weights_transposed": ("value_aggregation", "attention_head", "output"),
    "elementwise_product": ("linear_projections", "attention_scores", "value_aggregation"),
    "one_projection_for_all": ("linear_projections",),
    "swapped_projections": ("linear_projections", "attention_head"),
    "shared_projection": ("attention_head", "projections"),
    "weight_transposed": ("linear_projections",),
    "no_biases": ("attention_head", "projections"),
    "changes_input": tuple(name for name in EXERCISES if name not in BASICS),
    "dropout_left_on": ("attention_head",),
    "random_weights": ("attention_head",),
    "hard_coded_shape": tuple(name for name in EXERCISES if name not in BASICS),
    "gradients_lost": ("attention_head", "output"),
    "all_zeros": tuple(name for name in EXERCISES if name not in BASICS),
    "constant": tuple(name for name in EXERCISES if name not in BASICS),
    "ignores_inputs": tuple(name for name in EXERCISES if name not in BASICS),
    "ready_made": tuple(name for name in EXERCISES if EXERCISES[name].assignment == "attention"),
    "scaled_already": ("scores",),
}


def test_there_are_enough_answers_to_believe_the_checks():
    counts = Counter(answer.right for answer in PANEL)
    assert counts[True] >= 60
    assert counts[False] >= 130
    assert sum(len(answer.misconceptions) == 2 for answer in PANEL) >= 15
    assert sum(not answer.right and not answer.misconceptions for answer in PANEL) >= 15


@pytest.mark.parametrize("exercise", EXERCISES)
def test_every_exercise_has_a_wrong_answer_and_its_class_a_right_one(exercise):
    mine = [answer for answer in PANEL if answer.exercise == exercise]
    assert any(not answer.right for answer in mine)
    shown = "output" if exercise in BASICS else exercise
    assert any(answer.right and answer.exercise == shown for answer in PANEL)


@pytest.mark.parametrize("misconception", TABLE)
def test_every_known_wrong_answer_occurs_wherever_it_can(misconception):
    found = {answer.exercise for answer in PANEL if misconception in answer.misconceptions}
    assert set(TABLE[misconception]) <= found


def test_names_are_unique_within_an_exercise_and_among_the_simple_attentions():
    names = Counter(
        ("attention_basics" if a.exercise in BASICS else a.exercise, a.name) for a in PANEL
    )
    assert [name for name, count in names.items() if count > 1] == []


def test_no_two_answers_to_an_exercise_have_the_same_source():
    sources = Counter((answer.exercise, answer.source) for answer in PANEL)
    assert [source for source, count in sources.items() if count > 1] == []


def test_exercises_come_in_lesson_order_with_a_plain_right_answer_first():
    assignments = list(dict.fromkeys(EXERCISES[a.exercise].assignment for a in PANEL))
    assert assignments == ["attention", "attention_basics"]
    lesson = [name for name in EXERCISES if name not in BASICS]
    assert list(dict.fromkeys(a.exercise for a in PANEL if a.exercise in lesson)) == lesson
    for exercise in [*lesson, "output"]:
        assert next(a for a in PANEL if a.exercise == exercise).right


@pytest.mark.parametrize("answer", PANEL, ids=lambda a: f"{a.exercise}-{a.name}")
def test_a_source_is_a_whole_cell_that_defines_the_answer(answer):
    tree = ast.parse(answer.source)
    defined = {n.name for n in tree.body if isinstance(n, ast.FunctionDef | ast.ClassDef)}
    defined |= {t.id for n in tree.body if isinstance(n, ast.Assign) for t in n.targets}
    assert EXERCISES[answer.exercise].answer_name in defined
    assert len(answer.source.splitlines()) < 40
    assert max(map(len, answer.source.splitlines())) <= 100
    assert answer.source.endswith("\n") and not answer.source.startswith(("\n", " "))


def test_only_wrong_answers_name_faults_and_lose_marks():
    for answer in PANEL:
        if answer.right:
            assert (answer.misconceptions, answer.also_fails, answer.fails) == ((), (), ())
        else:
            assert answer.fails[0] == answer.exercise
            assert set(answer.fails) <= set(EXERCISES)
            assert len(set(answer.fails)) == len(answer.fails)
            assert len(answer.misconceptions) <= 2


def test_no_file_of_the_panel_grows_past_what_one_reads():
    package = importlib.import_module("attention_course.panel")
    for path in Path(package.__file__).parent.glob("*.py"):
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 350, path.name


# --- problem.py ----------------------------------------------------------------------------


def test_a_complete_problem_is_a_module_of_its_own():
    module: dict[str, object] = {"__name__": "problem"}
    exec(compile(complete_problem(), "problem.py", "exec"), module)
    head = module["SimpleAttention"](8)
    import torch

    x = torch.randn(2, 3, 8)
    assert head(x).shape == x.shape
    assert head.attention_weights.shape == (2, 3, 3)


def test_a_complete_problem_can_be_any_class_of_the_panel():
    for answer in PANEL:
        if answer.exercise in BASICS:
            assert complete_problem(answer.name).endswith(answer.source)


def test_an_unknown_kind_of_problem_is_refused_by_name():
    with pytest.raises(KeyError, match="no SimpleAttention named 'upside_down'"):
        complete_problem("upside_down")


# --- how answers are written down ----------------------------------------------------------


def test_a_heading_gives_name_faults_and_remark():
    (answer,) = wrong_answers("x", "\n# %% twice | a, b | as seen\nf = 1\n\n")
    assert (answer.name, answer.misconceptions, answer.remark) == ("twice", ("a", "b"), "as seen")
    assert answer.source == "f = 1\n"
    assert not answer.right


def test_a_right_answer_may_carry_a_remark():
    first, second = right_answers("x", "# %% one | plain\na = 1\n# %% two\nb = 2\n")
    assert (first.remark, second.remark) == ("plain", "")
    assert second.source == "b = 2\n"


def test_an_indented_answer_continues_the_class_begun_for_all():
    (answer,) = wrong_answers("x", "# %% one\n    y = 1\n", "\nclass A:\n    x = 1\n")
    assert answer.source == "class A:\n    x = 1\n\n    y = 1\n"


def test_a_class_says_which_exercises_it_loses():
    all_lost, two_lost = wrong_classes("# %% a | all: m\nx\n# %% b | scores, output: n\ny\n")
    assert all_lost.fails == ("projections", "scores", "weights", "output")
    assert (two_lost.exercise, two_lost.also_fails) == ("scores", ("output",))
    assert two_lost.misconceptions == ("n",)


def test_text_before_the_first_heading_is_refused():
    with pytest.raises(ValueError, match="before the first heading"):
        right_answers("x", "def lost(): ...\n# %% one\na = 1\n")
