"""What views take, and the one sentence they give for what they cannot take."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from attention_course import views
from attention_course.views import ViewError

TWO = ["a", "b"]
GOOD = [[0.25, 0.75], [0.5, 0.5]]


@pytest.mark.parametrize(
    "given",
    [
        GOOD,
        np.array(GOOD),
        torch.tensor(GOOD),
        torch.tensor([GOOD]),
        torch.tensor([[GOOD]]),
        torch.tensor(GOOD, requires_grad=True),
        torch.tensor(GOOD, dtype=torch.bfloat16),
        torch.tensor(GOOD, dtype=torch.float64).T.T,
        torch.tensor(GOOD).to_sparse(),
        [torch.tensor(row) for row in GOOD],
        (np.array(GOOD[0]), np.array(GOOD[1])),
    ],
    ids=lambda given: type(given).__name__,
)
def test_tensors_arrays_and_lists_of_one_matrix_are_taken(given):
    assert views.heatmap(given, TWO).numbers["weights"] == GOOD


def test_booleans_and_whole_numbers_are_taken():
    assert views.heatmap(torch.eye(2) > 0, TWO).numbers["weights"] == [[1.0, 0.0], [0.0, 1.0]]
    assert views.heatmap([[1, 0], [0, 1]], TWO).numbers["weights"] == [[1.0, 0.0], [0.0, 1.0]]


def test_the_input_is_left_as_it_is_and_its_gradient_too():
    given = torch.tensor(GOOD, requires_grad=True)
    views.heatmap(given, TWO).html()
    views.compare(given, given, TWO).html()
    assert given.requires_grad and given.grad is None and given.tolist() == GOOD


def test_other_keys_than_queries_have_tokens_of_their_own():
    view = views.heatmap(torch.rand(2, 3), TWO, key_tokens=["x", "y", "z"])
    assert view.tables[0].column_labels == ("x", "y", "z")
    view.html()


def test_a_single_token_can_be_drawn():
    for view in (views.heatmap([[1.0]], ["a"]), views.flow([[1.0]], ["a"])):
        assert "a" in view.text()
        view.html()


def test_tokens_may_be_a_tensor_of_ids_or_any_iterable():
    assert views.heatmap(GOOD, torch.tensor([3, 7])).tables[0].row_labels == ("3", "7")
    assert views.heatmap(GOOD, iter(TWO)).tables[0].row_labels == ("a", "b")


SAID = [
    (
        lambda: views.heatmap(torch.zeros(3, 2, 2), TWO),
        "weights has shape [3, 2, 2]: that is 3 matrices, and one is drawn at a time. Choose one, "
        "for example weights[0].",
    ),
    (
        lambda: views.heatmap(torch.zeros(2, 3, 2, 2), TWO),
        "weights has shape [2, 3, 2, 2]: that is 6 matrices, and one is drawn at a time. Choose "
        "one, for example weights[0, 0].",
    ),
    (
        lambda: views.heatmap(torch.zeros(4), TWO),
        "weights has shape [4]; a matrix is needed, with two dimensions (or three, the first of "
        "size 1).",
    ),
    (
        lambda: views.heatmap(torch.zeros(0, 2), TWO),
        "weights has shape [0, 2]: there is nothing in it to draw.",
    ),
    (
        lambda: views.heatmap(torch.zeros(3, 2), TWO),
        "weights has shape [3, 2], but there are 2 tokens; rows are queries, so 2 rows are needed.",
    ),
    (
        lambda: views.heatmap(torch.zeros(2, 3), TWO),
        "weights has shape [2, 3], but there are 2 tokens; columns are keys, so 2 columns are "
        "needed. Give key_tokens= if the keys are others.",
    ),
    (
        lambda: views.heatmap(torch.zeros(2, 3), TWO, key_tokens=["x"]),
        "weights has shape [2, 3], but there are 1 key_tokens; columns are keys, so 1 columns are "
        "needed.",
    ),
    (
        lambda: views.heatmap(None, TWO),
        "weights is None. Has the cell that computes it been run?",
    ),
    (
        lambda: views.heatmap((torch.zeros(2, 4), torch.zeros(2, 2)), TWO),
        "weights is a tuple of 2 tensors; give the one that is to be drawn.",
    ),
    (
        lambda: views.heatmap([[1.0], [1.0, 2.0]], TWO),
        "weights has rows of different lengths, so it is no matrix.",
    ),
    (lambda: views.heatmap("no", TWO), "weights is a str; a matrix of real numbers is needed."),
    (
        lambda: views.heatmap(torch.zeros(2, 2, dtype=torch.complex64), TWO),
        "weights holds complex numbers; a matrix of real numbers is needed.",
    ),
    (
        lambda: views.heatmap(torch.zeros(2, 2, device="meta"), TWO),
        "weights is a tensor on meta whose numbers cannot be read here.",
    ),
    (
        lambda: views.heatmap(GOOD, "a b"),
        "tokens is one text ('a b'); give a list with one text for each token, for example "
        "tokens.split().",
    ),
    (
        lambda: views.heatmap(GOOD, 2),
        "tokens is an int; give a list with one text for each token.",
    ),
    (
        lambda: views.flow([[-1.5, 1.0], [0.0, 1.0]], TWO),
        "weights holds -1.5, and a negative weight has no arrow; give the weights after softmax, "
        "or use views.heatmap for scores.",
    ),
    (
        lambda: views.steps(torch.zeros(2, 4), torch.zeros(2, 3), torch.zeros(2, 3), TWO),
        "queries has shape [2, 4] and keys [2, 3]; both need the same width d_k, or they cannot "
        "be compared.",
    ),
    (
        lambda: views.steps(torch.zeros(2, 4), torch.zeros(2, 4), torch.zeros(3, 4), TWO),
        "keys has shape [2, 4] and values [3, 4]; there must be one value for each key.",
    ),
    (
        lambda: views.compare(torch.zeros(2, 2), torch.zeros(2, 3), TWO),
        "Yours has shape [2, 2] and Reference [2, 3]; only matrices of the same shape can be "
        "compared.",
    ),
]


@pytest.mark.parametrize(("call", "said"), SAID, ids=range(len(SAID)))
def test_what_cannot_be_drawn_is_said_in_one_sentence_with_what_came_in(call, said):
    with pytest.raises(ViewError) as caught:
        call()
    assert str(caught.value) == said
    assert isinstance(caught.value, ValueError)
