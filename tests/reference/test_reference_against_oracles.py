"""The reference against torch's own attention and against float64 NumPy, over many shapes."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import scaled_dot_product_attention

from reference_attention import (
    AttentionHead,
    SimpleAttention,
    aggregate_values,
    linear_projections,
    scaled_dot_product_scores,
    softmax_weights,
)

# Float32 noise on inputs of this size was measured at 1.8e-6; the smallest fault at 0.08.
CLOSE = {"atol": 2e-5, "rtol": 1e-4}

sizes = st.integers(1, 7)
leading = st.lists(st.integers(1, 3), max_size=3).map(tuple)
many = settings(max_examples=60, deadline=None)


class Case(NamedTuple):
    """One draw of every tensor of an attention, in float32."""

    embeddings: torch.Tensor
    W_q: torch.Tensor
    W_k: torch.Tensor
    W_v: torch.Tensor
    queries: torch.Tensor
    keys: torch.Tensor
    values: torch.Tensor


@st.composite
def cases(draw: st.DrawFn) -> Case:
    batch = draw(leading)
    n_q, n_k, d_model, d_k, d_v = (draw(sizes) for _ in range(5))
    generator = torch.Generator().manual_seed(draw(st.integers(0, 2**31)))

    def random(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator)

    return Case(
        embeddings=random(*batch, n_q, d_model),
        W_q=random(d_model, d_k),
        W_k=random(d_model, d_k),
        W_v=random(d_model, d_v),
        queries=random(*batch, n_q, d_k),
        keys=random(*batch, n_k, d_k),
        values=random(*batch, n_k, d_v),
    )


def precise(tensor: torch.Tensor) -> np.ndarray:
    return tensor.detach().numpy().astype(np.float64)


def numpy_softmax(scores: np.ndarray) -> np.ndarray:
    exponentials = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return exponentials / exponentials.sum(axis=-1, keepdims=True)


def attend(queries: torch.Tensor, keys: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
    return aggregate_values(softmax_weights(scaled_dot_product_scores(queries, keys)), values)


@many
@given(cases())
def test_the_four_steps_equal_torch_attention(case: Case) -> None:
    expected = scaled_dot_product_attention(case.queries, case.keys, case.values)
    torch.testing.assert_close(attend(case.queries, case.keys, case.values), expected, **CLOSE)


@many
@given(cases())
def test_projections_equal_numpy_in_float64(case: Case) -> None:
    found = linear_projections(case.embeddings, case.W_q, case.W_k, case.W_v)
    for tensor, matrix in zip(found, (case.W_q, case.W_k, case.W_v), strict=True):
        expected = np.einsum("...nm,md->...nd", precise(case.embeddings), precise(matrix))
        np.testing.assert_allclose(precise(tensor), expected, **CLOSE)


@many
@given(cases())
def test_scores_equal_numpy_in_float64(case: Case) -> None:
    expected = np.einsum("...qd,...kd->...qk", precise(case.queries), precise(case.keys))
    expected /= math.sqrt(case.queries.shape[-1])
    found = scaled_dot_product_scores(case.queries, case.keys)
    np.testing.assert_allclose(precise(found), expected, **CLOSE)


@many
@given(cases(), st.sampled_from([0.0, 1.0, 30.0, 1e4]))
def test_weights_equal_numpy_and_every_row_sums_to_1(case: Case, size: float) -> None:
    scores = size * case.embeddings
    weights = softmax_weights(scores)
    np.testing.assert_allclose(precise(weights), numpy_softmax(precise(scores)), **CLOSE)
    torch.testing.assert_close(weights.sum(dim=-1), torch.ones(scores.shape[:-1]), **CLOSE)
    assert (weights >= 0).all()


@many
@given(cases())
def test_aggregation_equals_numpy_in_float64(case: Case) -> None:
    weights = softmax_weights(scaled_dot_product_scores(case.queries, case.keys))
    expected = np.einsum("...qk,...kd->...qd", precise(weights), precise(case.values))
    np.testing.assert_allclose(precise(aggregate_values(weights, case.values)), expected, **CLOSE)


@many
@given(cases())
def test_the_head_equals_torch_attention_on_its_projections(case: Case) -> None:
    head = AttentionHead(case.W_q.shape[0], case.W_q.shape[1], case.W_v.shape[1])
    attended, weights = head(case.embeddings)
    queries, keys, values = (layer(case.embeddings) for layer in (head.query, head.key, head.value))
    torch.testing.assert_close(
        attended, scaled_dot_product_attention(queries, keys, values), **CLOSE
    )
    torch.testing.assert_close(weights @ values, attended, **CLOSE)


@many
@given(cases())
def test_simple_attention_is_torch_attention_with_scale_1(case: Case) -> None:
    attention = SimpleAttention(case.embeddings.shape[-1])
    projected = (attention.query, attention.key, attention.value)
    queries, keys, values = (layer(case.embeddings) for layer in projected)
    expected = scaled_dot_product_attention(queries, keys, values, scale=1.0)
    torch.testing.assert_close(attention(case.embeddings), expected, **CLOSE)
    assert attention.attention_weights is not None
    torch.testing.assert_close(attention.attention_weights @ values, expected, **CLOSE)


@many
@given(cases())
def test_no_step_changes_its_inputs(case: Case) -> None:
    before = [tensor.clone() for tensor in case]
    scores = scaled_dot_product_scores(case.queries, case.keys)
    kept_scores = scores.clone()
    weights = softmax_weights(scores)
    kept_weights = weights.clone()
    aggregate_values(weights, case.values)
    linear_projections(case.embeddings, case.W_q, case.W_k, case.W_v)
    AttentionHead(case.W_q.shape[0], 2, 3)(case.embeddings)
    SimpleAttention(case.W_q.shape[0])(case.embeddings)
    for tensor, kept in zip(
        (*case, scores, weights), (*before, kept_scores, kept_weights), strict=True
    ):
        torch.testing.assert_close(tensor, kept, atol=0, rtol=0)


@many
@given(cases())
def test_a_batch_is_treated_entry_by_entry(case: Case) -> None:
    whole = attend(case.queries, case.keys, case.values)
    parts = [tensor.reshape(-1, *tensor.shape[-2:]) for tensor in case[4:]]
    for entry, queries, keys, values in zip(
        whole.reshape(-1, *whole.shape[-2:]), *parts, strict=True
    ):
        torch.testing.assert_close(attend(queries, keys, values), entry, **CLOSE)


def test_a_masked_key_gets_zero_weight() -> None:
    scores = torch.randn(2, 5, 7, generator=torch.Generator().manual_seed(1))
    scores[..., 3] = -math.inf
    weights = softmax_weights(scores)
    assert (weights[..., 3] == 0).all()
    torch.testing.assert_close(weights.sum(dim=-1), torch.ones(2, 5), **CLOSE)


@pytest.mark.parametrize("size", [1e4, -1e4, 3e38])
def test_weights_stay_finite_for_huge_scores(size: float) -> None:
    weights = softmax_weights(torch.tensor([[size, size, size / 2], [0.0, size, 0.0]]))
    assert torch.isfinite(weights).all()
    torch.testing.assert_close(weights.sum(dim=-1), torch.ones(2))


def test_scaling_keeps_the_spread_of_scores_near_1_at_any_width() -> None:
    generator = torch.Generator().manual_seed(3)
    for d_k in (4, 64, 1024):
        queries, keys = (torch.randn(200, d_k, generator=generator) for _ in range(2))
        assert scaled_dot_product_scores(queries, keys).std() == pytest.approx(1, abs=0.05)


def test_gradients_reach_every_parameter_of_the_head() -> None:
    inputs = torch.randn(2, 5, 6, generator=torch.Generator().manual_seed(4))
    head = AttentionHead(6, 3, 4)
    head(inputs)[0].square().sum().backward()
    for name, parameter in head.named_parameters():
        # The key's bias adds the same to a whole row of scores, and softmax ignores that.
        arrives = parameter.grad is not None and float(parameter.grad.abs().max()) > 1e-5
        assert arrives == (name != "key.bias"), name


def test_permuting_keys_and_values_together_changes_nothing() -> None:
    generator = torch.Generator().manual_seed(5)
    queries, keys, values = (torch.randn(2, n, 4, generator=generator) for n in (3, 6, 6))
    order = torch.randperm(6, generator=generator)
    expected = attend(queries, keys, values)
    torch.testing.assert_close(attend(queries, keys[:, order], values[:, order]), expected)
