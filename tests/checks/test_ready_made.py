"""What an exercise asks students to write is not accepted ready-made, wherever it stands."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from attention_course.checks import MISSING, Session, judge, session
from attention_course.checks.policy import READY_MADE, ready_made_for, ready_made_in
from attention_course.panel import PANEL

HIDDEN = "built_in_attention_by_another_name"  # a name put together at run time


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import reference_attention as r", "reference_attention"),
        ("from reference_attention.weights import softmax_weights", "reference_attention"),
        ("import torch.nn.functional as F\nF.scaled_dot_product_attention(1, 2, 3)", READY_MADE[3]),
        (
            "from torch.nn.functional import scaled_dot_product_attention as f",
            "scaled_dot_product_attention",
        ),
        ("layer = torch.nn.MultiheadAttention(4, 1)", "MultiheadAttention"),
        ("%matplotlib inline\nimport reference_attention", "reference_attention"),
    ],
)
def test_a_cell_is_searched_for_ready_made_parts(source, found):
    assert ready_made_in(source) == (found,)


@pytest.mark.parametrize(
    "source",
    [
        "torch.softmax(x, -1)",
        "# F.scaled_dot_product_attention",
        "text = 'MultiheadAttention'",
        "def scaled_dot_product_scores(q, k): ...",
        "this is no Python",
        "x = \0",
    ],
)
def test_what_only_looks_like_one_is_none(source):
    assert ready_made_in(source) == ()


def test_a_helper_in_another_cell_is_followed():
    cells = [
        "from torch.nn.functional import scaled_dot_product_attention as attend",
        "def helper(w, v):\n    return attend(w, v, v)",
        "def aggregate_values(w, v):\n    return helper(w, v)",
    ]
    assert ready_made_for("aggregate_values", cells) == ("scaled_dot_product_attention",)


def test_a_comparison_beside_the_answer_does_not_count():
    cells = [
        "import torch.nn.functional as F",
        "def aggregate_values(w, v):\n    return w @ v",
        "theirs = F.scaled_dot_product_attention(q, k, v)\nprint(aggregate_values(w, v) - theirs)",
    ]
    assert ready_made_for("aggregate_values", cells) == ()


def test_the_last_definition_counts():
    first = "def aggregate_values(w, v):\n    return F.scaled_dot_product_attention(w, v, v)"
    second = "def aggregate_values(w, v):\n    return w @ v"
    assert ready_made_for("aggregate_values", [first, second]) == ()
    assert ready_made_for("aggregate_values", [second, first]) != ()


def test_a_method_put_in_later_counts():
    cells = [
        "class AttentionHead(nn.Module):\n    def forward(self, x): ...",
        "def forward(self, x):\n    return F.scaled_dot_product_attention(x, x, x)",
        "AttentionHead.forward = forward",
    ]
    assert ready_made_for("AttentionHead", cells) == ("scaled_dot_product_attention",)


def test_definitions_inside_try_and_if_are_seen():
    source = (
        "try:\n    from reference_attention import softmax_weights\n"
        "except ImportError:\n    softmax_weights = None\n"
    )
    assert ready_made_for("softmax_weights", [source]) in ((), ("reference_attention",))
    source = "if True:\n    from reference_attention import softmax_weights"
    assert ready_made_for("softmax_weights", [source]) == ("reference_attention",)


def test_in_a_grading_session_the_cells_are_searched():
    def aggregate_values(weights, values):
        return weights @ values

    source = "def aggregate_values(w, v):\n    return F.scaled_dot_product_attention(w, v, v)"
    for answer in (aggregate_values, MISSING):
        found = judge("value_aggregation", answer)
        with session(Session(seed=3, sources=[source])) as current:
            found = judge("value_aggregation", answer)
        assert found.misconceptions == ("ready_made",)
        assert current.verdicts == [found]


@pytest.mark.parametrize(
    "answer", [a for a in PANEL if "ready_made" in a.misconceptions], ids=lambda a: a.name
)
def test_the_panels_ready_made_answers_are_found_in_their_text(answer):
    from attention_course.checks import EXERCISES

    found = ready_made_for(EXERCISES[answer.exercise].answer_name, [answer.source])
    assert bool(found) == (answer.name != HIDDEN)


def test_no_right_answer_of_the_panel_is_suspected():
    assert [a.name for a in PANEL if a.right and ready_made_in(a.source)] == []


def test_a_local_call_is_seen_whatever_its_name():
    attend = F.scaled_dot_product_attention

    def aggregate_values(weights, values):
        identity = torch.eye(weights.shape[-1]).expand(*values.shape[:-2], -1, -1)
        return attend(weights.log(), identity, values, scale=1.0)

    found = judge("value_aggregation", aggregate_values)
    assert found.misconceptions == ("ready_made",)
    assert "asks you to write it" in found.message


def test_a_local_call_of_the_judges_own_reference_is_seen():
    from attention_course.checks.pipeline import reference

    def softmax_weights(scores):
        return reference("attention_weights", (scores,), None)[0]

    assert judge("attention_weights", softmax_weights).misconceptions == ("ready_made",)


def test_a_reference_that_cannot_be_imported_while_grading_is_called_ready_made():
    def softmax_weights(scores):
        raise ModuleNotFoundError("reference_attention cannot be imported while grading")

    assert judge("attention_weights", softmax_weights).misconceptions == ("ready_made",)
