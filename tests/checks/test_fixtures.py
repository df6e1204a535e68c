"""Fixtures separate right from wrong; the linter refuses those that do not."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from attention_course.checks.fixtures import (
    DIMENSIONS,
    DegenerateFixture,
    draw,
    lint,
    stable_scores,
    with_large_scores,
)
from attention_course.checks.pipeline import projected, reference
from attention_course.checks.sessions import Session, session
from attention_course.checks.trial import TOLERANCE

KINDS = (
    "linear_projections",
    "attention_scores",
    "attention_weights",
    "value_aggregation",
    "attention_head",
    "simple_attention",
)


@pytest.mark.parametrize("kind", KINDS)
def test_a_secret_seed_brings_other_inputs_of_the_same_sizes(kind: str) -> None:
    public = draw(kind, "first")
    with session(Session(seed=1)):
        secret = draw(kind, "first")
    assert [x.shape for x in public.inputs] == [x.shape for x in secret.inputs]
    assert not torch.equal(public.inputs[0], secret.inputs[0])


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_seed_brings_the_same_inputs(kind: str) -> None:
    with session(Session(seed=7)):
        one = draw(kind, "second")
    with session(Session(seed=7)):
        two = draw(kind, "second")
    assert all(torch.equal(a, b) for a, b in zip(one.inputs, two.inputs, strict=True))


@pytest.mark.parametrize("name", ["first", "second", "no_batch", "two_batches", "one_token"])
def test_sizes_of_a_judging_fixture_all_differ(name: str) -> None:
    sizes = [size for size in DIMENSIONS[name].values() if size]
    assert len(set(sizes)) == len(sizes)


def test_first_and_second_fixture_share_no_size() -> None:
    one, two = DIMENSIONS["first"], DIMENSIONS["second"]
    assert all(one[name] != two[name] for name in one)


def test_equal_sizes_are_refused_with_both_names() -> None:
    fixture = draw("attention_scores", "first")
    equal = dataclasses.replace(fixture, dimensions={**fixture.dimensions, "d_k": 7})
    with pytest.raises(DegenerateFixture, match="n_k and d_k are both 7"):
        lint(equal, "attention_scores")


def test_tiny_weights_are_refused_with_their_size() -> None:
    fixture = draw("linear_projections", "first")
    tiny = (fixture.inputs[0], fixture.inputs[1] * 0.02, *fixture.inputs[2:])
    with pytest.raises(DegenerateFixture, match=r"input 2 has standard deviation 0\.01"):
        lint(dataclasses.replace(fixture, inputs=tiny), "linear_projections")


def test_biases_of_zero_are_refused() -> None:
    fixture = draw("attention_head", "first")
    state = {**(fixture.state or {}), "key.bias": torch.zeros(3)}
    with pytest.raises(DegenerateFixture, match="drops the bias would pass"):
        lint(dataclasses.replace(fixture, state=state), "attention_head")


def test_biases_are_drawn_away_from_zero() -> None:
    for seed in range(50):
        with session(Session(seed=seed)):
            state = draw("attention_head", "first").state or {}
        assert min(float(state[f"{n}.bias"].abs().min()) for n in ("query", "key", "value")) >= 0.5


@pytest.mark.parametrize("kind", KINDS)
def test_float32_noise_is_far_below_the_tolerance(kind: str) -> None:
    worst = 0.0
    for seed in range(100):
        with session(Session(seed=seed)):
            fixture = draw(kind, "second")
        exact = reference(kind, fixture.inputs, fixture.state)
        x = fixture.inputs
        if kind == "linear_projections":
            rough: tuple[torch.Tensor, ...] = (x[0] @ x[1], x[0] @ x[2], x[0] @ x[3])
        elif kind == "attention_scores":
            rough = (x[0] @ x[1].mT / x[0].shape[-1] ** 0.5,)
        elif kind == "attention_weights":
            rough = (x[0].softmax(-1),)
        elif kind == "value_aggregation":
            rough = (x[0] @ x[1],)
        else:
            state = fixture.state or {}
            q, k, v = (
                x[0] @ state[f"{n}.weight"].mT + state[f"{n}.bias"]
                for n in ("query", "key", "value")
            )
            scale = q.shape[-1] ** 0.5 if kind == "attention_head" else 1.0
            weights = (q @ k.mT / scale).softmax(-1)
            rough = (weights @ v, weights)
        gaps = ((a - b).abs().max() for a, b in zip(rough, exact, strict=True))
        worst = max(worst, *map(float, gaps))
    assert worst < TOLERANCE / 10


def test_every_row_of_the_large_scores_reaches_ten_thousand() -> None:
    assert bool((stable_scores("large").amax(-1) > 9_000).all())
    assert bool(
        torch.isnan(stable_scores("large").exp() / stable_scores("large").exp().sum(-1, True)).any()
    )


def test_every_masked_row_keeps_a_key() -> None:
    masked = torch.isinf(stable_scores("masked"))
    assert bool(masked.any(-1).all()) and not bool(masked.all(-1).any())


@pytest.mark.parametrize("kind", ["attention_head", "simple_attention"])
def test_a_heads_large_scores_overflow_exp_and_lie_close_together(kind: str) -> None:
    spreads, smallest = [], []
    for seed in range(1000):
        with session(Session(seed=seed)):
            fixture = with_large_scores(draw(kind, "first"))
        queries, keys, _ = projected(fixture.inputs[0], fixture.state or {})
        scores = queries @ keys.mT
        if kind == "attention_head":
            scores = scores / queries.shape[-1] ** 0.5
        smallest.append(float(scores.min()))
        spreads.append(float(scores.max() - scores.amax(-1).min()))
    # One maximum for all rows leaves exp(-spread) in the lowest: float32 ends at exp(-87).
    assert min(smallest) > 100
    assert max(spreads) < 50


def test_fixtures_of_one_size_share_their_parameters_and_so_an_instance() -> None:
    one, other = draw("attention_head", "first"), draw("attention_head", "one_token")
    assert one.sizes == other.sizes
    assert all(torch.equal(one.state[name], other.state[name]) for name in one.state)  # type: ignore[index, union-attr]
    assert one.inputs[0].shape != other.inputs[0].shape


def test_fixtures_are_float32_in_a_notebook_that_has_changed_the_default() -> None:
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        drawn = [draw(kind, "first") for kind in KINDS]
        scores = stable_scores("masked")
    finally:
        torch.set_default_dtype(before)
    assert all(x.dtype == torch.float32 for fixture in drawn for x in fixture.inputs)
    assert scores.dtype == torch.float32


@pytest.mark.parametrize("kind", KINDS)
def test_no_secret_seed_draws_a_degenerate_fixture(kind: str) -> None:
    for seed in range(300):
        with session(Session(seed=seed)):
            for name in DIMENSIONS:
                draw(kind, name)  # raises DegenerateFixture


@pytest.mark.parametrize("kind", ["attention_head", "simple_attention"])
def test_scores_of_no_secret_seed_lie_so_far_apart_that_one_maximum_for_all_fails(
    kind: str,
) -> None:
    spreads = []
    for seed in range(500):
        with session(Session(seed=seed)):
            for name in ("first", "second", "one_token"):
                fixture = draw(kind, name)
                queries, keys, _ = projected(fixture.inputs[0], fixture.state or {})
                scale = queries.shape[-1] ** 0.5 if kind == "attention_head" else 1.0
                best = (queries @ keys.mT / scale).amax(-1)
                spreads.append(float(best.max() - best.min()))
    assert max(spreads) < 60  # exp(-87) is the end of float32
