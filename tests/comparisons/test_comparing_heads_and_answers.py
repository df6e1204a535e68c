"""One head against torch's layer, and the student's answers against the reference."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import reference_attention as reference
from attention_course import comparisons
from attention_course.comparisons.timing import microseconds

ALL = (
    reference.linear_projections,
    reference.scaled_dot_product_scores,
    reference.softmax_weights,
    reference.aggregate_values,
    reference.AttentionHead,
)


class NotScaled(reference.AttentionHead):
    def forward(self, embeddings: Any) -> Any:
        queries, keys = self.query(embeddings), self.key(embeddings)
        weights = torch.softmax(queries @ keys.transpose(-2, -1), dim=-1)
        return weights @ self.value(embeddings), weights


def test_a_right_head_agrees_with_torchs_layer_with_one_head(lesson: Any) -> None:
    head = reference.AttentionHead(64, 64, 64)
    found = comparisons.multi_head(head, lesson.embeddings, lesson.tokens)
    assert max(found.numbers["output_error"], found.numbers["weights_error"]) < 1e-5
    assert "gives what yours gives" in found.sentence
    assert not found.problem


def test_each_head_equals_attention_on_its_own_features(lesson: Any) -> None:
    found = comparisons.multi_head(
        reference.AttentionHead,
        lesson.embeddings[None],
        lesson.tokens,
        n_heads=2,
        projections=lesson.projections,
    )
    for index, entropy in enumerate(found.numbers["entropies_of_heads"]):
        own = slice(32 * index, 32 * index + 32)
        scores = lesson.queries[:, own] @ lesson.keys[:, own].T / math.sqrt(32)
        expected = torch.special.entr(torch.softmax(scores, -1)).sum(-1).mean() / math.log(2)
        assert entropy == pytest.approx(float(expected), abs=1e-3)
    assert 0 < found.numbers["difference_of_heads"] < 1
    assert f"{found.numbers['difference_of_heads']:.0%}" in found.sentence


def test_a_head_without_scaling_is_sent_to_its_check(lesson: Any) -> None:
    found = comparisons.multi_head(
        NotScaled, lesson.embeddings, lesson.tokens, projections=lesson.projections
    )
    assert "check.attention_head" in found.sentence
    assert "gives what yours gives" not in found.sentence


def test_projections_are_put_into_a_copy_of_the_students_head(lesson: Any) -> None:
    head = reference.AttentionHead(64, 64, 64)
    before = head.query.weight.clone()
    comparisons.multi_head(head, lesson.embeddings, lesson.tokens, projections=lesson.projections)
    assert torch.equal(head.query.weight, before)


def test_the_notebooks_random_numbers_are_left_as_they_were(lesson: Any) -> None:
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    comparisons.multi_head(reference.AttentionHead, lesson.embeddings, lesson.tokens)
    comparisons.against_reference(
        lesson.embeddings, lesson.projections, lesson.tokens, reference.AttentionHead
    )
    assert torch.equal(torch.rand(1), expected)


class Unwritten(nn.Module):
    def __init__(self, d_model: int, d_k: int, d_v: int) -> None:
        raise NotImplementedError


class NoLayers(nn.Module):
    def __init__(self, *_: int) -> None:
        super().__init__()

    def forward(self, x: Any) -> Any:
        return x[0], x[0] @ x[0].T


@pytest.mark.parametrize(
    ("head", "words"),
    [
        (Unwritten, "Unwritten is not written yet"),
        (NoLayers, "NoLayers raised AttributeError"),
        (nn.Identity(), "must return two things"),
        (reference.AttentionHead(64, 16, 64), "d_k = d_v = d_model, here 64"),
        (None, "raised TypeError"),
    ],
)
def test_an_unusable_head_gives_a_sentence(lesson: Any, head: Any, words: str) -> None:
    found = comparisons.multi_head(head, lesson.embeddings, lesson.tokens)
    assert found.problem
    assert words in found.sentence


@pytest.mark.parametrize("n_heads", [0, 1, 3, 65])
def test_heads_must_share_out_the_features(lesson: Any, n_heads: int) -> None:
    with pytest.raises(ValueError, match="divide d_model"):
        comparisons.multi_head(
            reference.AttentionHead, lesson.embeddings, lesson.tokens, n_heads=n_heads
        )


def test_the_reference_agrees_with_itself_and_has_a_time(lesson: Any) -> None:
    found = comparisons.against_reference(
        lesson.embeddings, lesson.projections, lesson.tokens, *ALL
    )
    assert list(found.numbers) == [piece.__name__ for piece in ALL]
    for numbers in found.numbers.values():
        assert numbers["error"] == 0
        assert numbers["yours_us"] > 0 and numbers["reference_us"] > 0
    assert found.sentence.startswith("Every answer agrees with the reference exactly.")
    assert "noisy" in found.view.facts[0].text() or "differ by half" in found.view.facts[0].text()


def test_one_wrong_answer_does_not_spoil_the_others(lesson: Any) -> None:
    def softmax_weights(scores: Any) -> Any:
        return torch.softmax(scores, dim=-2)

    answers = (*ALL[:2], softmax_weights, *ALL[3:])
    found = comparisons.against_reference(
        lesson.embeddings, lesson.projections, lesson.tokens, *answers
    )
    scores = reference.scaled_dot_product_scores(lesson.queries, lesson.keys)
    expected = (torch.softmax(scores, -2) - torch.softmax(scores, -1)).abs().max()
    assert found.numbers["softmax_weights"]["error"] == pytest.approx(float(expected), abs=1e-6)
    assert f"softmax_weights by {float(expected):.2g}" in found.sentence
    assert all(found.numbers[piece.__name__]["error"] == 0 for piece in (*ALL[:2], *ALL[3:]))
    headings = [panel.heading for panel in found.view.panels]
    assert "Your weights minus the reference's weights" in headings


def test_rounding_is_called_rounding(lesson: Any) -> None:
    def softmax_weights(scores: Any) -> Any:
        return torch.softmax(scores, dim=-1)

    found = comparisons.against_reference(
        lesson.embeddings, lesson.projections, lesson.tokens, softmax_weights
    )
    assert 0 < found.numbers["softmax_weights"]["error"] < 1e-6
    assert "which is rounding" in found.sentence


def test_nan_is_never_agreement(lesson: Any) -> None:
    def softmax_weights(scores: Any) -> Any:
        weights = torch.softmax(scores, dim=-1)
        weights[..., 0, 0] = math.nan
        return weights

    found = comparisons.against_reference(
        lesson.embeddings, lesson.projections, lesson.tokens, softmax_weights
    )
    assert np.isnan(found.numbers["softmax_weights"]["error"])
    assert "Differs from the reference: softmax_weights" in found.sentence
    assert "agree" not in found.sentence


@pytest.mark.parametrize(
    ("result", "words"),
    [
        (lambda x, *_: (x, x), "gave 2 tensors; 3 are needed"),
        (lambda x, *_: x, "must return 3 tensors"),
        (lambda x, *_: (x, x, None), "gave nothing (None)"),
        (lambda x, *_: (x, x, x[..., :3]), "gave the shape [1, 6, 3]; [1, 6, 64] is needed"),
    ],
)
def test_a_wrong_result_is_described(lesson: Any, result: Any, words: str) -> None:
    def linear_projections(*arguments: Any) -> Any:
        return result(*arguments)

    found = comparisons.against_reference(
        lesson.embeddings, lesson.projections, lesson.tokens, linear_projections, *ALL[1:]
    )
    assert words in found.sentence
    assert found.problem
    assert math.isnan(found.numbers["linear_projections"]["yours_us"])
    assert found.numbers["softmax_weights"]["error"] == 0


def test_a_head_with_other_names_is_told_which(lesson: Any) -> None:
    class AttentionHead(nn.Module):
        def __init__(self, d_model: int, d_k: int, d_v: int) -> None:
            super().__init__()
            self.q = nn.Linear(d_model, d_k)

    found = comparisons.against_reference(
        lesson.embeddings, lesson.projections, lesson.tokens, AttentionHead
    )
    assert found.problem
    assert "AttentionHead raised KeyError: 'query.weight'" in found.sentence


def test_a_head_of_any_size_is_compared_with_its_own_parameters(lesson: Any) -> None:
    head = reference.AttentionHead(64, 5, 9)
    found = comparisons.against_reference(
        lesson.embeddings, lesson.projections, lesson.tokens, head
    )
    assert found.numbers["AttentionHead"]["error"] == 0


def test_functions_that_are_no_answers_are_refused_by_name(lesson: Any) -> None:
    def my_softmax(scores: Any) -> Any:
        return scores

    with pytest.raises(ValueError, match="my_softmax is none of the lesson's answers"):
        comparisons.against_reference(
            lesson.embeddings, lesson.projections, lesson.tokens, my_softmax
        )


def test_timing_is_quiet_and_counts_a_slow_answer_once(capsys: pytest.CaptureFixture[str]) -> None:
    calls = []

    def chatty(x: Any) -> Any:
        calls.append(1)
        print("hello")
        return sum(range(3_000_000)) + x

    yours, theirs = microseconds(chatty, lambda x: x, (torch.ones(1),))
    assert capsys.readouterr().out == ""
    assert len(calls) <= 6
    assert yours > theirs


def test_every_call_while_timing_has_one_thread_and_the_setting_comes_back() -> None:
    before, seen = torch.get_num_threads(), set()

    def answer(x: Any) -> Any:
        seen.add(torch.get_num_threads())
        return x

    try:
        torch.set_num_threads(2)
        microseconds(answer, answer, (torch.ones(1),))
        assert seen == {1}
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_comparisons_import_quickly_and_without_bokeh() -> None:
    import subprocess
    import sys

    program = (
        "import sys; from attention_course import comparisons; comparisons.scaling\n"
        "print('bokeh' in sys.modules, 'torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["False", "False"]
