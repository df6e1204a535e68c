"""One head of a model, stage by stage, and all heads at once."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

import reference_attention
from reference_attention.model_utils import (
    AttentionSteps,
    LoadedModel,
    adapt_dimensions,
    causal_mask,
    compare_attention_implementations,
    head_inputs,
    observed,
)

PROMPT = [11, 4, 9, 30, 2, 17, 8]


def test_every_stage_of_the_reference_agrees(bundled: LoadedModel) -> None:
    comparison = compare_attention_implementations(
        model=bundled, layer=3, attention_head=reference_attention.AttentionHead
    )
    assert [stage.name for stage in comparison.stages] == [
        "queries",
        "keys",
        "values",
        "scores",
        "weights",
        "output",
        "AttentionHead weights",
        "AttentionHead output",
    ]
    assert comparison.agrees
    assert comparison.first_difference is None
    assert comparison.tokens == ("The", "cat", "sat", "on", "the", "mat")


@pytest.mark.parametrize(("layer", "head"), [(0, 0), (2, 7), (5, 11)])
def test_any_head_of_a_wide_model_agrees(
    distilgpt2_shaped: LoadedModel, layer: int, head: int
) -> None:
    comparison = compare_attention_implementations(
        model=distilgpt2_shaped,
        prompt=PROMPT,
        layer=layer,
        head=head,
        attention_head=reference_attention.AttentionHead,
    )
    assert comparison.agrees, comparison.table()
    assert comparison.head_errors is not None
    assert comparison.head_errors.shape == (6, 12)
    assert comparison.head_errors.max() < 1e-4


@pytest.mark.parametrize("head", [0, 2, 3, 5])
def test_heads_that_share_keys_and_turn_by_position_agree(
    grouped_keys: LoadedModel, head: int
) -> None:
    comparison = compare_attention_implementations(
        model=grouped_keys, prompt=PROMPT, layer=1, head=head
    )
    assert comparison.agrees, comparison.table()


def swapped(embeddings: Tensor, W_q: Tensor, W_k: Tensor, W_v: Tensor) -> tuple[Tensor, ...]:
    return embeddings @ W_k, embeddings @ W_q, embeddings @ W_v


@pytest.mark.parametrize(
    ("steps", "stage"),
    [
        (AttentionSteps(linear_projections=swapped), "queries"),
        (AttentionSteps(scaled_dot_product_scores=lambda q, k: q @ k.mT), "scores"),
        (AttentionSteps(softmax_weights=lambda s: torch.softmax(s, -2)), "weights"),
        (AttentionSteps(softmax_weights=lambda s: s.softmax(-1).softmax(-1)), "weights"),
        (AttentionSteps(aggregate_values=lambda w, v: w.mT @ v), "output"),
    ],
)
def test_the_first_stage_that_differs_is_named(
    bundled: LoadedModel, steps: AttentionSteps, stage: str
) -> None:
    comparison = compare_attention_implementations(steps, model=bundled, layer=3)
    assert comparison.first_difference == stage
    assert f"{stage} is the first stage that differs" in comparison.sentence
    assert not comparison.agrees


def test_a_fault_that_shows_only_where_there_are_several_heads_is_not_called_agreement(
    distilgpt2_shaped: LoadedModel,
) -> None:
    def by_place(scores: Tensor) -> Tensor:
        return scores.softmax(-1) * (1 + torch.arange(len(scores))[:, None, None] / 100)

    comparison = compare_attention_implementations(
        AttentionSteps(softmax_weights=by_place), model=distilgpt2_shaped, prompt=PROMPT
    )
    assert not comparison.agrees
    assert "every stage agrees, but not everywhere: the output of layer" in comparison.sentence


def test_a_function_that_fails_is_part_of_the_answer(bundled: LoadedModel) -> None:
    def scores(queries: Tensor, keys: Tensor) -> Tensor:
        return queries @ keys

    comparison = compare_attention_implementations(
        {"scaled_dot_product_scores": scores}, model=bundled
    )
    assert comparison.first_difference == "scaled_dot_product_scores"
    assert [stage.name for stage in comparison.stages] == ["queries", "keys", "values"]
    assert "raised RuntimeError" in comparison.sentence
    assert comparison.head_errors is None


def test_a_head_class_without_its_scale_is_found(bundled: LoadedModel) -> None:
    class Unscaled(nn.Module):
        def __init__(self, d_model: int, d_k: int, d_v: int) -> None:
            super().__init__()
            self.query, self.key = nn.Linear(d_model, d_k), nn.Linear(d_model, d_k)
            self.value = nn.Linear(d_model, d_v)

        def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
            weights = torch.softmax(self.query(x) @ self.key(x).mT, -1)
            return weights @ self.value(x), weights

    comparison = compare_attention_implementations(model=bundled, layer=3, attention_head=Unscaled)
    assert comparison.first_difference == "AttentionHead weights"


def test_a_head_class_that_is_not_written_yet_is_part_of_the_answer(bundled: LoadedModel) -> None:
    class Empty(nn.Module):
        def __init__(self, d_model: int, d_k: int, d_v: int) -> None:
            raise NotImplementedError

    comparison = compare_attention_implementations(model=bundled, attention_head=Empty)
    assert comparison.fault is not None
    assert "AttentionHead, in layer 0 of the model: it is not written yet" in str(comparison.fault)


@torch.no_grad()
def test_the_lessons_head_is_a_head_of_the_bundled_model(bundled: LoadedModel) -> None:
    """In the lesson's own sizes, [6, 64] and [64, 64], and by the lesson's own calls."""
    layer = 4
    ids = bundled.token_ids("The cat sat on the mat")
    embeddings = head_inputs(bundled.model, ids, layer).embeddings
    head = adapt_dimensions(bundled.model, layer, 0)
    assert embeddings.shape == (1, 6, 64)
    assert head.W_q.shape == head.W_k.shape == head.W_v.shape == (64, 64)
    queries, keys, values = reference_attention.linear_projections(
        embeddings, head.W_q, head.W_k, head.W_v
    )
    scores = reference_attention.scaled_dot_product_scores(queries, keys) + causal_mask(6)
    weights = reference_attention.softmax_weights(scores)
    traces = []
    with observed(bundled.model, traces):
        bundled.model(ids, use_cache=False)
    assert torch.allclose(weights, traces[layer].weights[:, 0], atol=1e-5)
    output = reference_attention.aggregate_values(weights, values)
    assert torch.allclose(output, traces[layer].output[:, 0], atol=1e-5)


def test_a_wide_model_comes_down_to_one_heads_width(distilgpt2_shaped: LoadedModel) -> None:
    head = adapt_dimensions(distilgpt2_shaped, layer=2, head=5)
    assert head.W_q.shape == (768, 64)
    assert (head.d_model, head.d_k) == (768, 64)
    fused = distilgpt2_shaped.model.transformer.h[2].attn.c_attn
    assert torch.equal(head.W_k, fused.weight[:, 768 + 5 * 64 : 768 + 6 * 64])
    assert head.b_v.abs().max() > 0


def test_the_cut_out_weights_are_copies(bundled: LoadedModel) -> None:
    before = adapt_dimensions(bundled, 0, 0).W_q
    adapt_dimensions(bundled, 0, 0).W_q.zero_()
    assert torch.equal(adapt_dimensions(bundled, 0, 0).W_q, before)


def test_heads_of_one_group_share_their_keys(grouped_keys: LoadedModel) -> None:
    of_group = [adapt_dimensions(grouped_keys, 0, head) for head in range(6)]
    assert [head.key_head for head in of_group] == [0, 0, 0, 1, 1, 1]
    assert torch.equal(of_group[3].W_k, of_group[5].W_k)
    assert not torch.equal(of_group[3].W_q, of_group[5].W_q)


def test_a_head_that_is_not_there_is_refused_with_the_range(bundled: LoadedModel) -> None:
    with pytest.raises(IndexError, match="layer 8, head 0: the model has layers 0 to 7"):
        adapt_dimensions(bundled, 8)
    with pytest.raises(IndexError, match="heads 0 to 0"):
        compare_attention_implementations(model=bundled, head=1)


def test_a_comparison_says_its_stages_as_a_table(bundled: LoadedModel) -> None:
    table = compare_attention_implementations(model=bundled).table()
    assert table.splitlines()[1].split()[:3] == ["queries", "[6,", "64]"]
    assert "every stage agrees" in table


def test_the_tolerance_grows_with_the_numbers_that_are_compared(bundled: LoadedModel) -> None:
    comparison = compare_attention_implementations(
        {"scaled_dot_product_scores": lambda q, k: q @ k.mT / math.sqrt(64) * (1 + 1e-6)},
        model=bundled,
        layer=2,
    )
    assert comparison.agrees
