"""Tests of your SimpleAttention. Run in this folder: pytest test_attention.py -v

The first part runs the four graded exercises; a failure says what it saw in your numbers.
The second part is written out, so that you can read how attention is tested.
"""

import sys
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))
from problem import SimpleAttention  # noqa: E402

from attention_course.checks import judge  # noqa: E402


# --- the graded exercises -----------------------------------------------------------------


@pytest.mark.parametrize("exercise", ["projections", "scores", "weights", "output"])
def test_exercise(exercise):
    verdict = judge(exercise, SimpleAttention)
    if not verdict.passed:
        shapes = []
        if verdict.expected_shape and verdict.actual_shape:
            shapes = [f"expected shape {verdict.expected_shape}, yours {verdict.actual_shape}"]
        pytest.fail("\n".join([verdict.message, *verdict.details, *shapes]), pytrace=False)


# --- what must hold for any attention -----------------------------------------------------


@pytest.fixture
def attention():
    torch.manual_seed(0)
    try:
        return SimpleAttention(16)
    except NotImplementedError:
        pytest.fail("SimpleAttention is not written yet: begin with __init__.", pytrace=False)


def run(attention, x):
    try:
        return attention(x)
    except NotImplementedError:
        pytest.fail("forward is not written yet.", pytrace=False)


@pytest.mark.parametrize(("batch", "seq_len"), [(1, 1), (1, 6), (3, 6), (2, 20)])
def test_the_output_has_the_shape_of_the_input(attention, batch, seq_len):
    x = torch.randn(batch, seq_len, 16)
    assert run(attention, x).shape == x.shape


def test_every_row_of_the_weights_sums_to_one(attention):
    run(attention, torch.randn(2, 5, 16))
    row_sums = attention.attention_weights.sum(dim=-1)
    torch.testing.assert_close(row_sums, torch.ones(2, 5))


def test_a_single_token_gets_its_own_value(attention):
    x = torch.randn(2, 1, 16)
    torch.testing.assert_close(run(attention, x), attention.value(x))


def test_the_input_is_left_unchanged(attention):
    x = torch.randn(2, 5, 16)
    before = x.clone()
    run(attention, x)
    assert torch.equal(x, before)


def test_shuffling_the_tokens_shuffles_the_output(attention):
    x = torch.randn(1, 5, 16)
    order = torch.tensor([3, 0, 4, 1, 2])
    torch.testing.assert_close(
        run(attention, x[:, order]), run(attention, x)[:, order], atol=1e-5, rtol=1e-5
    )


def test_a_gradient_reaches_every_layer(attention):
    run(attention, torch.randn(2, 5, 16)).square().sum().backward()
    for name in ("query", "key", "value"):
        assert getattr(attention, name).weight.grad is not None, f"none reached {name}"
