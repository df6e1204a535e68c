"""What stands beside a message: which matrix, which shapes, how many results came back."""

from __future__ import annotations

import pytest

from .conftest import judged

PROJECT = "def linear_projections(x, W_q, W_k, W_v): return {result}"
HEAD = """
class SimpleAttention(nn.Module):
    def __init__(self, n_embd):
        super().__init__()
        self.query = nn.Linear(n_embd, n_embd)
        self.key = {key}
        self.value = nn.Linear(n_embd, n_embd)

    def forward(self, x):
        q, k, v = self.query(x), self.key(x), self.value(x)
        self.attention_weights = torch.softmax(q @ k.mT{scale}, dim=-1)
        return self.attention_weights @ v
"""


def test_a_matrix_used_twice_is_said_with_what_came_of_it():
    found = judged("linear_projections", PROJECT.format(result="(x @ W_q, x @ W_q, x @ W_v)"))
    assert found.message == (
        "One matrix serves for more than one of the three: keys come from W_q. Which matrix "
        "belongs to which?"
    )


def test_only_the_projections_that_are_scaled_are_said_to_be():
    found = judged("linear_projections", PROJECT.format(result="(x @ W_q, x @ W_k / 2, x @ W_v)"))
    assert found.misconceptions == ("scaled_projections",)
    assert found.message.startswith("Your keys are 0.5 times what the formula gives.")


@pytest.mark.parametrize(
    ("result", "got"),
    [
        ("x @ W_q", "one tensor of shape [2, 5, 3]"),
        ("(x @ W_q, x @ W_k)", "a tuple of 2"),
        ("{'queries': x @ W_q}", "a dict of 1"),
        ("iter((x @ W_q, x @ W_k, x @ W_v))", "a value of type tuple_iterator"),
    ],
)
def test_another_number_of_results_is_said_in_the_words_of_what_came(result, got):
    found = judged("linear_projections", PROJECT.format(result=result))
    assert found.misconceptions == ("wrong_result_count",)
    assert found.message == (
        f"Expected 3 results (queries, keys, values), got {got}. What is missing, or too many?"
    )


def test_an_error_comes_with_the_shapes_that_went_in_and_should_come_out():
    found = judged("value_aggregation", "def aggregate_values(w, v): return v @ w")
    assert found.misconceptions == ("raises",)
    assert found.details == (
        "It was called with attention_weights [2, 5, 7] and values [2, 7, 4]; expected [2, 5, 4].",
    )
    assert not found.message.endswith("..")


def test_a_change_in_place_says_which_argument_was_changed():
    source = "def aggregate_values(w, v):\n    r = w @ v\n    v.zero_()\n    return r"
    found = judged("value_aggregation", source)
    assert found.message == "Your code changed values in place. Which line writes into it?"


def test_one_layer_under_two_names_is_said_to_be_one():
    source = HEAD.format(key="self.query", scale="")
    found = judged("projections", source)
    assert found.misconceptions == ("shared_projection",)
    assert found.message.startswith("Query and key are one and the same layer.")


def test_another_scale_in_the_first_assignment_is_told_that_there_is_none_yet():
    source = HEAD.format(key="nn.Linear(n_embd, n_embd)", scale=" / x.shape[-1]")
    found = judged("scores", source)
    assert found.misconceptions == ("divided_by_d_k",)
    assert found.details[-1].startswith("In this assignment the scores stay unscaled")


def test_no_message_shows_a_number_of_the_secret_inputs():
    from attention_course.checks.fixtures import draw

    source = "def scaled_dot_product_scores(q, k): return q @ k.mT + 0.3 * (q @ k.mT).sin()"
    found = judged("attention_scores", source)
    shown = " ".join((found.message, *found.details))
    for tensor in draw("attention_scores", "first").inputs:
        assert not any(f"{value:.3f}" in shown for value in tensor.flatten().tolist())
