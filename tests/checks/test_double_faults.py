"""Faults in pairs, from the checks' own switches: none passes, and a name that is given is true."""

from __future__ import annotations

import itertools
import math

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import nn

from attention_course.checks import Session, judge, session
from attention_course.checks.heads import HEAD_NORMALISERS, HEAD_PRODUCTS
from attention_course.checks.pipeline import NORMALISERS, PRODUCTS, SCALES, Sizes, named

SEEDS = st.integers(0, 2**32 - 1)
FEW = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
# In a function that sees queries and keys alone there is no d_model and no d_v to divide by.
SCORE_SCALES = [s for s in SCALES if s not in ("divided_by_sqrt_d_model", "divided_by_sqrt_d_v")]
SCORE_PAIRS = list(itertools.product(PRODUCTS, SCORE_SCALES))


def scores_with(product: str, scale: str):
    """The student's function with these two switches thrown."""

    def scaled_dot_product_scores(queries, keys):
        factor = SCALES[scale](Sizes(queries.shape[-2], keys.shape[-2], queries.shape[-1]))
        return PRODUCTS[product](queries, keys) * factor

    return scaled_dot_product_scores


def weights_with(inner: str, outer: str):
    """One normalisation after another; "right" alone stands for no second one."""

    def softmax_weights(attention_scores):
        first = NORMALISERS[inner](attention_scores)
        return first if outer == "right" else NORMALISERS[outer](first)

    return softmax_weights


def head_with(roles: str, product: str, scale: str, normaliser: str):
    """A head with these switches thrown."""

    class AttentionHead(nn.Module):
        def __init__(self, d_model, d_k, d_v):
            super().__init__()
            self.sizes = (d_model, d_k, d_v)
            self.query, self.key = nn.Linear(d_model, d_k), nn.Linear(d_model, d_k)
            self.value = nn.Linear(d_model, d_v)

        def forward(self, x):
            d_model, d_k, d_v = self.sizes
            made = {"q": self.query(x), "k": self.key(x), "v": self.value(x)}
            n = x.shape[-2]
            factor = SCALES[scale](Sizes(n, n, d_k, d_v, d_model))
            scores = PRODUCTS[product](made[roles[0]], made[roles[1]]) * factor
            weights = NORMALISERS[normaliser](scores)
            return weights @ made["v"], weights

    return AttentionHead


def judged(exercise: str, answer: object, seed: int):
    with session(Session(seed)):
        return judge(exercise, answer)


def truly_named(found, product: str, scale: str) -> bool:
    """Whether the names given, if any, are those of the switches."""
    if product.startswith("elementwise"):
        # It runs only where all sizes are equal, and there every scale is the right one.
        return set(found.misconceptions) <= {"elementwise_product", *named(scale)}
    return set(found.misconceptions) in (set(), set(named(product, scale)))


@pytest.mark.parametrize("product", PRODUCTS)
def test_scores_with_any_two_faults_fail_and_are_named_truly(product):
    for scale in SCORE_SCALES:
        found = judged("attention_scores", scores_with(product, scale), seed=11)
        assert found.passed == (product == scale == "right"), scale
        assert truly_named(found, product, scale), (scale, found)


def test_most_pairs_of_faults_in_scores_are_named():
    pairs = [p for p in SCORE_PAIRS if "right" not in p and not p[0].startswith("elementwise")]
    found = [judged("attention_scores", scores_with(*pair), seed=14) for pair in pairs]
    assert sum(len(verdict.misconceptions) == 2 for verdict in found) >= 0.9 * len(pairs)


def is_softmax(inner: str, outer: str) -> bool:
    """Whether two steps together are softmax after all, on scores of common size."""
    scores = torch.randn(2, 5, 7, generator=torch.Generator().manual_seed(3)).double()
    made = weights_with(inner, outer)(scores)
    return made.shape == scores.shape and torch.allclose(made, scores.softmax(-1), atol=1e-9)


@pytest.mark.parametrize("inner", NORMALISERS)
def test_two_normalisations_pass_only_where_they_are_softmax_after_all(inner):
    for outer in NORMALISERS:
        found = judged("attention_weights", weights_with(inner, outer), seed=12)
        if is_softmax(inner, outer):
            assert found.passed or found.misconceptions == ("no_maximum_subtracted",), outer
        else:
            assert not found.passed, outer


HEADS = [
    ("qk", product, scale, normaliser)
    for product in HEAD_PRODUCTS
    for scale in SCALES
    for normaliser in HEAD_NORMALISERS
    if "right" in (product, scale, normaliser)
] + [(roles, "right", scale, "right") for roles in ("qq", "kk", "kq") for scale in SCALES]
RIGHT_HEAD = ("qk", "right", "right", "right")
FAULTY_HEADS = [head for head in HEADS if head != RIGHT_HEAD]


@pytest.mark.parametrize("scale", SCALES)
def test_heads_with_up_to_two_faults_fail(scale):
    passed = [
        head
        for head in HEADS
        if head[2] == scale and judged("attention_head", head_with(*head), seed=13).passed
    ]
    assert passed == ([RIGHT_HEAD] if scale == "right" else [])


@FEW
@given(SEEDS, st.sampled_from(FAULTY_HEADS))
def test_no_seed_lets_a_faulty_head_pass(seed, switches):
    assert not judged("attention_head", head_with(*switches), seed).passed


@FEW
@given(SEEDS, st.sampled_from([p for p in SCORE_PAIRS if p != ("right", "right")]))
def test_no_seed_lets_faulty_scores_pass_or_names_them_otherwise(seed, pair):
    found = judged("attention_scores", scores_with(*pair), seed)
    assert not found.passed
    assert truly_named(found, *pair)


@FEW
@given(SEEDS, st.floats(0.05, 20).filter(lambda c: abs(c - 1) > 1e-3))
def test_scores_of_another_scale_never_pass(seed, factor):
    def answer(queries, keys):
        return factor * (queries @ keys.mT) / math.sqrt(queries.shape[-1])

    assert not judged("attention_scores", answer, seed).passed


@FEW
@given(SEEDS, st.integers(0, 2), st.floats(3e-3, 1.0), st.integers(0, 10_000))
def test_one_entry_off_by_little_is_noticed_in_each_projection(seed, which, size, place):
    def linear_projections(embeddings, W_q, W_k, W_v):
        results = [embeddings @ W for W in (W_q, W_k, W_v)]
        flat = results[which].view(-1)
        flat[place % flat.numel()] += size
        return results

    assert not judged("linear_projections", linear_projections, seed).passed
