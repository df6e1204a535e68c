"""What is shown of the notebook's own names, and what the reference makes of the same inputs."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from attention_course.live.encoding import LARGEST_SIDE, LONGEST_TOKEN, encode, names
from attention_course.views import ViewError

TOKENS = ["The", "cat", "sat", "on", "the", "mat"]
DRAW = torch.Generator().manual_seed(5)
QUERIES, KEYS = torch.randn(2, 6, 9, generator=DRAW)


def only(said):
    (one,) = said
    return one


@pytest.fixture
def listened(kernel):
    """A kernel to which a lab listens, with the prompt's tokens."""
    kernel.run(tokens=TOKENS)
    kernel.comm.lab_says({"type": "refresh"})
    return kernel


def test_wrong_scores_are_shown_beside_the_reference_of_the_same_inputs(listened):
    wrong = (QUERIES @ KEYS.T).unsqueeze(0)
    said = only(listened.run(queries=QUERIES, keys=KEYS, attention_scores=wrong))
    assert said.names == ["scores", "reference_scores"]
    assert said.data["d_k"] == 9 and said.data["scaled"] is True
    np.testing.assert_allclose(said.matrix("scores"), said.matrix("reference_scores") * 3, 1e-5)


def test_a_slip_in_the_scores_does_not_show_in_the_weights(listened):
    scores = torch.randn(1, 6, 6, generator=DRAW)
    names = {"attention_scores": scores, "attention_weights": torch.softmax(scores, -1)}
    said = listened.run(queries=QUERIES, keys=KEYS, **names)[-1]
    assert said.data["exercise"] == "attention_weights"
    assert said.names == ["weights", "scores", "reference_scores", "reference_weights"]
    np.testing.assert_allclose(said.matrix("weights"), said.matrix("reference_weights"), atol=1e-6)
    assert not np.allclose(said.matrix("scores"), said.matrix("reference_scores"))


def test_the_head_is_compared_with_the_lesson_s_own_projections(listened):
    x = torch.randn(6, 8, generator=DRAW)
    w_q, w_k = torch.randn(2, 8, 4, generator=DRAW)
    weights = torch.softmax((x @ w_q) @ (x @ w_k).T / 2, -1)
    said = only(listened.run(embeddings=x, W_q=w_q, W_k=w_k, head_weights=weights))
    assert said.data["exercise"] == "attention_head"
    np.testing.assert_allclose(said.matrix("weights"), said.matrix("reference_weights"), atol=1e-6)


class SimpleAttention(nn.Module):
    def __init__(self, n_embd):
        super().__init__()
        self.query = nn.Linear(n_embd, n_embd)
        self.key = nn.Linear(n_embd, n_embd)

    def forward(self, x):
        scores = self.query(x) @ self.key(x).transpose(-2, -1)
        self.attention_weights = torch.softmax(scores, dim=-1)
        return scores


def test_simple_attention_is_compared_with_its_own_parameters(listened):
    attention, x = SimpleAttention(8), torch.randn(1, 6, 8, generator=DRAW)
    scores = attention(x)
    said = listened.run(SimpleAttention=SimpleAttention, attention=attention, x=x, scores=scores)
    assert [one.data["exercise"] for one in said] == ["scores", "weights"]
    for one, name in zip(said, ("scores", "weights"), strict=True):
        assert one.data["scaled"] is False
        np.testing.assert_allclose(one.matrix(name), one.matrix(f"reference_{name}"), atol=1e-5)


def test_a_name_like_another_assignment_s_is_not_mistaken_for_it(listened):
    assert listened.run(scores=torch.ones(3, 3)) == []


def test_no_code_of_the_student_is_run(listened):
    class Attention:
        @property
        def attention_weights(self):
            raise AssertionError("was run")

    assert listened.run(SimpleAttention=Attention, attention=Attention()) == []


@pytest.mark.parametrize("keys", [None, "no tensor", torch.ones(6, 4), torch.ones(3)])
def test_without_usable_inputs_the_student_s_own_is_shown_alone(listened, keys):
    said = only(listened.run(queries=QUERIES, keys=keys, attention_scores=torch.ones(6, 6)))
    assert said.names == ["scores"]


@pytest.mark.parametrize(
    ("thing", "words"),
    [
        (None, "is None"),
        (torch.ones(3), "shape [3]"),
        (torch.ones(0, 3), "nothing in it"),
        (torch.ones(2, 2, dtype=torch.complex64), "complex"),
        ("scores", "str"),
        ([[1.0], [1.0, 2.0]], "different lengths"),
        (lambda: None, "function"),
        ({"a": 1}, "dict"),
    ],
)
def test_what_is_no_matrix_is_said_in_a_sentence(listened, thing, words):
    said = only(listened.run(attention_scores=thing, queries=QUERIES, keys=KEYS))
    assert said.data["matrices"] == [] and said.buffers == []
    assert words in said.data["notes"][0]


def test_nan_and_infinities_arrive_as_they_are(listened):
    inf = float("inf")
    matrix = torch.tensor([[float("nan"), inf], [-inf, 1e39]], dtype=torch.float64)
    arrived = only(listened.run(attention_scores=matrix)).matrix("scores")
    np.testing.assert_array_equal(arrived, np.array([[np.nan, inf], [-inf, inf]], np.float32))


@pytest.mark.parametrize(
    "thing",
    [
        [[1, 2], [3, 4]],
        np.array([[1, 2], [3, 4]]),
        torch.tensor([[1, 2], [3, 4]]),
        torch.tensor([[1, 3], [2, 4]]).T,
        torch.tensor([[1, 2], [3, 4]], dtype=torch.bfloat16),
        torch.tensor([[[1.0, 2], [3, 4]]], requires_grad=True),
        nn.Parameter(torch.tensor([[1.0, 2], [3, 4]])),
        torch.tensor([[1.0, 2], [3, 4]]).to_sparse(),
        [torch.tensor([1, 2]), torch.tensor([3, 4])],
    ],
    ids=lambda thing: type(thing).__name__,
)
def test_numbers_of_any_kind_arrive_row_by_row(listened, thing):
    said = only(listened.run(attention_scores=thing))
    assert said.matrix("scores").tolist() == [[1, 2], [3, 4]]


def test_of_a_batch_the_first_is_shown_and_said(listened):
    batch = torch.stack([torch.zeros(6, 6), torch.ones(6, 6)])
    said = only(listened.run(attention_scores=batch))
    assert (said.matrix("scores") == 0).all()
    assert "2 matrices" in said.data["notes"][0]


def test_a_larger_matrix_is_sampled_and_said(listened):
    rows = torch.arange(3000.0).unsqueeze(1).expand(3000, 5)
    said = only(listened.run(attention_scores=rows, tokens=[f"t{i}" for i in range(3000)]))
    (matrix,) = said.data["matrices"]
    assert matrix["shape"] == [LARGEST_SIDE, 5] and matrix["full_shape"] == [3000, 5]
    arrived = said.matrix("scores")[:, 0]
    assert arrived[0] == 0 and arrived[-1] == 2999 and (np.diff(arrived) > 0).all()
    assert said.data["tokens"][-1] == "t2999"
    assert "3000 x 5" in said.data["notes"][0]


def test_what_is_sent_does_not_change_with_the_student_s_next_line():
    matrix = torch.zeros(2, 2)
    encoded = encode(matrix, "scores")
    matrix += 1
    assert (encoded.numbers == 0).all()


def test_a_token_of_ten_megabytes_is_cut(listened):
    huge = ["x" * 10_000_000, "\n" * 10_000_000]
    said = only(listened.run(tokens=huge, attention_scores=torch.ones(2, 2)))
    assert [len(token) for token in said.data["tokens"]] == [LONGEST_TOKEN] * 2


@pytest.mark.parametrize(
    "tokens", [TOKENS[:4], "The cat sat on the mat", None, 3, dict.fromkeys("abcdef")]
)
def test_tokens_that_do_not_fit_are_replaced_by_numbers(listened, tokens):
    said = only(listened.run(tokens=tokens, attention_scores=torch.ones(6, 6)))
    assert said.data["tokens"] == ["0", "1", "2", "3", "4", "5"]


def test_tokens_that_are_too_few_are_said(listened):
    said = only(listened.run(tokens=TOKENS[:4], attention_scores=torch.ones(6, 6)))
    assert "6 rows, but there are 4 tokens" in said.data["notes"][0]


def test_columns_have_names_of_their_own_where_they_are_not_the_rows(listened):
    said = only(listened.run(attention_scores=torch.ones(6, 2)))
    assert said.data["tokens"] == TOKENS and said.data["key_tokens"] == ["0", "1"]
    assert only(listened.run(attention_scores=torch.ones(6, 6))).data["key_tokens"] is None


def test_tokens_of_any_kind_become_text():
    class Odd:
        def __str__(self):
            return "odd"

    assert names([1, Odd(), "\t"], 3) == ["1", "odd", "\N{RIGHTWARDS ARROW TO BAR}"]


def test_a_matrix_of_text_is_refused():
    with pytest.raises(ViewError):
        encode(np.array([["a", "b"]]), "scores")
