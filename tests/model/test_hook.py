"""Functions for one head, put in the place of a whole model's attention."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from reference_attention.model_utils import (
    AttentionFault,
    AttentionSteps,
    LoadedModel,
    attention_in,
    continue_text,
)

LONG = list(range(3, 40))


def logits(loaded: LoadedModel, ids: list[int]) -> Tensor:
    with torch.no_grad():
        return loaded.model(torch.tensor([ids]), use_cache=False).logits


def largest_difference(loaded: LoadedModel, ids: list[int], steps: AttentionSteps | None) -> float:
    own = logits(loaded, ids)
    with attention_in(loaded.model, steps):
        return float((logits(loaded, ids) - own).abs().max())


def test_the_reference_reproduces_the_bundled_models_logits(bundled: LoadedModel) -> None:
    assert largest_difference(bundled, LONG, None) < 1e-4


def test_the_reference_reproduces_a_distilgpt2_shaped_models_logits(
    distilgpt2_shaped: LoadedModel,
) -> None:
    assert largest_difference(distilgpt2_shaped, LONG, None) < 1e-4


def test_the_reference_reproduces_models_with_grouped_keys(grouped_keys: LoadedModel) -> None:
    assert largest_difference(grouped_keys, LONG, None) < 1e-4


def test_grouped_keys_and_rotary_positions_matter_to_these_models(
    grouped_keys: LoadedModel,
) -> None:
    flat = AttentionSteps(softmax_weights=lambda scores: torch.full_like(scores, 1 / 37))
    assert largest_difference(grouped_keys, LONG, flat) > 1e-2


@pytest.mark.parametrize(
    "changes", [{"scale_attn_by_inverse_layer_idx": True}, {"scale_attn_weights": False}]
)
def test_a_model_that_scales_in_its_own_way_is_reproduced(changes: dict[str, bool]) -> None:
    from transformers import GPT2Config, GPT2LMHeadModel

    torch.manual_seed(0)
    configuration = GPT2Config(
        n_layer=3, n_head=2, n_embd=24, vocab_size=50, initializer_range=0.3, **changes
    )
    model = GPT2LMHeadModel(configuration).eval()
    loaded = LoadedModel(model, None, "scaled", None)  # type: ignore[arg-type]
    assert largest_difference(loaded, LONG, None) < 1e-4


def test_padding_on_the_left_is_masked_as_the_model_masks_it(bundled: LoadedModel) -> None:
    ids = torch.tensor([[0, 0, 5, 9, 7], [4, 8, 15, 16, 23]])
    mask = torch.tensor([[0, 0, 1, 1, 1], [1, 1, 1, 1, 1]])
    with torch.no_grad():
        own = bundled.model(ids, attention_mask=mask).logits
        with attention_in(bundled.model):
            ours = bundled.model(ids, attention_mask=mask).logits
    assert (ours - own)[mask.bool()].abs().max() < 1e-4


def test_no_position_sees_the_future(bundled: LoadedModel) -> None:
    with attention_in(bundled.model):
        before, after = logits(bundled, [5, 9, 7, 20]), logits(bundled, [5, 9, 7, 31])
    assert torch.equal(before[:, :3], after[:, :3])


@pytest.mark.parametrize("prompt", ["The cat sat on the mat", "Tom found a key and Ana", "The"])
def test_greedy_text_is_the_same_token_for_token(bundled: LoadedModel, prompt: str) -> None:
    own = continue_text(prompt, model=bundled, new_tokens=40)
    ours = continue_text(prompt, model=bundled, attention=None, new_tokens=40)
    assert ours.ids.tolist() == own.ids.tolist()
    assert len(own.ids) > 7


def test_greedy_tokens_are_the_same_with_grouped_keys(grouped_keys: LoadedModel) -> None:
    own = continue_text([5, 9, 7], model=grouped_keys, new_tokens=20)
    ours = continue_text([5, 9, 7], model=grouped_keys, attention=None, new_tokens=20)
    assert ours.ids.tolist() == own.ids.tolist()


def test_a_right_answer_in_another_style_writes_the_same(bundled: LoadedModel) -> None:
    def scores(queries: Tensor, keys: Tensor) -> Tensor:
        return torch.einsum("bqd,bkd->bqk", queries, keys) / math.sqrt(queries.size(-1))

    def weights(attention_scores: Tensor) -> Tensor:
        shifted = (attention_scores - attention_scores.amax(-1, keepdim=True)).exp()
        return shifted / shifted.sum(-1, keepdim=True)

    steps = AttentionSteps(scaled_dot_product_scores=scores, softmax_weights=weights)
    assert continue_text(model=bundled, attention=steps).text == continue_text(model=bundled).text


def test_unscaled_attention_changes_the_text(bundled: LoadedModel) -> None:
    unscaled = AttentionSteps(scaled_dot_product_scores=lambda q, k: q @ k.transpose(-2, -1))
    assert (
        continue_text(model=bundled, attention=unscaled).text != continue_text(model=bundled).text
    )


def not_written(scores: Tensor) -> Tensor:
    raise NotImplementedError


def raises(scores: Tensor) -> Tensor:
    raise ValueError("no such axis")


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (raises, "softmax_weights, in layer 0 of the model: raised ValueError: no such axis"),
        (not_written, "softmax_weights, in layer 0 of the model: it is not written yet"),
        (
            lambda scores: scores / 0 * 0,
            "softmax_weights, in layer 0 of the model: 36 of 36 numbers are NaN",
        ),
        (
            lambda scores: scores[:, :-1],
            r"expected a tensor of shape \(1, 6, 6\), got shape \(1, 5, 6\)",
        ),
        (lambda scores: None, r"got None \(is a return missing\?\)"),
        (lambda scores: scores.tolist(), r"expected a tensor of shape .* got a list of length 1"),
    ],
)
def test_what_goes_wrong_in_a_function_is_said_and_the_model_put_back(
    bundled: LoadedModel, weights: object, message: str
) -> None:
    from transformers import AttentionInterface

    before = logits(bundled, LONG)
    names = set(AttentionInterface._global_mapping)
    with pytest.raises(AttentionFault, match=message):
        continue_text(model=bundled, attention={"softmax_weights": weights})
    assert torch.equal(logits(bundled, LONG), before)
    assert bundled.model.config._attn_implementation == "sdpa"
    assert set(AttentionInterface._global_mapping) == names


def test_a_function_that_writes_into_its_arguments_does_not_harm_the_model(
    bundled: LoadedModel,
) -> None:
    def scores(queries: Tensor, keys: Tensor) -> Tensor:
        result = queries @ keys.transpose(-2, -1) / math.sqrt(queries.shape[-1])
        queries.zero_()
        keys.zero_()
        return result

    steps = AttentionSteps(scaled_dot_product_scores=scores)
    assert largest_difference(bundled, LONG, steps) < 1e-4


def test_two_blocks_inside_one_another_keep_their_own_functions(bundled: LoadedModel) -> None:
    flat = AttentionSteps(softmax_weights=lambda scores: torch.full_like(scores, 0.01))
    own = logits(bundled, LONG)
    with attention_in(bundled.model):
        with attention_in(bundled.model, flat):
            wrong = logits(bundled, LONG)
        right = logits(bundled, LONG)
    assert (right - own).abs().max() < 1e-4 < (wrong - own).abs().max()


def test_something_that_holds_no_function_of_the_lesson_is_refused() -> None:
    with pytest.raises(TypeError, match="none of linear_projections"):
        AttentionSteps.of({"my_scores": len})
    with pytest.raises(TypeError, match="expected a function, got Tensor"):
        AttentionSteps(softmax_weights=torch.ones(2))  # type: ignore[arg-type]
