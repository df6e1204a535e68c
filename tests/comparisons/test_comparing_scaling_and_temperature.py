"""With and without scaling, and several temperatures: the numbers, against direct sums."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch

from attention_course import comparisons
from reference_attention import scaled_dot_product_scores, softmax_weights


def bits(weights: torch.Tensor) -> np.ndarray:
    return torch.special.entr(weights.double()).sum(dim=-1).numpy() / math.log(2)


def not_written(*_: Any) -> None:
    raise NotImplementedError


def broken(*_: Any) -> None:
    raise RuntimeError("mat1 and mat2 shapes\ncannot be multiplied")


def test_scaling_gives_the_numbers_of_a_direct_computation(lesson: Any) -> None:
    found = comparisons.scaling(lesson.queries, lesson.keys, lesson.tokens)
    raw = lesson.queries @ lesson.keys.T
    for kind, scores in (("raw", raw), ("scaled", raw / 8)):
        weights = torch.softmax(scores, dim=-1)
        numbers = found.numbers[kind]
        assert numbers["scores_std"] == pytest.approx(scores.double().numpy().std(), rel=1e-4)
        assert numbers["largest_weight"] == pytest.approx(float(weights.amax(-1).mean()), rel=1e-4)
        assert numbers["entropy"] == pytest.approx(bits(weights).mean(), rel=1e-3)
    assert not found.problem


def test_the_sentence_on_scaling_says_what_the_numbers_say(lesson: Any) -> None:
    found = comparisons.scaling(lesson.queries, lesson.keys, lesson.tokens)
    for kind in ("raw", "scaled"):
        assert f"{found.numbers[kind]['largest_weight']:.0%}" in found.sentence
        assert f"{found.numbers[kind]['entropy']:.2f}" in found.sentence
    assert "sharper" in found.sentence
    tiny = comparisons.scaling(lesson.queries / 100, lesson.keys / 100, lesson.tokens)
    assert "changes little" in tiny.sentence


@pytest.mark.parametrize(
    ("factor", "words"),
    [(1.0, "are not scaled"), (1 / 64, "0.0156 times the raw ones"), (8.0, "8 times the raw ones")],
)
def test_a_wrong_factor_is_seen_and_said(lesson: Any, factor: float, words: str) -> None:
    def scaled_dot_product_scores(queries: Any, keys: Any) -> Any:
        return queries @ keys.transpose(-2, -1) * factor

    found = comparisons.scaling(
        lesson.queries, lesson.keys, lesson.tokens, scores=scaled_dot_product_scores
    )
    assert words in found.sentence
    assert "√64" in found.sentence and "check.attention_scores" in found.sentence


def test_more_keys_than_queries_can_be_compared(lesson: Any) -> None:
    found = comparisons.scaling(
        lesson.queries[:2], lesson.keys, lesson.tokens[:2], key_tokens=lesson.tokens
    )
    assert np.shape(found.view.numbers["raw"]["entropy"]) == ()
    assert len(found.view.tables[0].row_labels) == 2


def test_entropies_by_temperature_are_those_of_a_direct_computation(lesson: Any) -> None:
    scores = scaled_dot_product_scores(lesson.queries, lesson.keys)[None]
    found = comparisons.temperatures(scores, lesson.tokens, temperatures=[2, 0.5])
    assert list(found.numbers) == [0.5, 2.0]
    for temperature, numbers in found.numbers.items():
        expected = bits(torch.softmax(scores[0] / temperature, dim=-1))
        np.testing.assert_allclose(numbers["entropies"], expected, atol=1e-4)
        assert f"{numbers['entropy']:.2f}" in found.sentence
    assert "grows" in found.sentence


def test_entropy_reaches_its_ends_and_minus_infinity_is_no_trouble() -> None:
    scores = torch.tensor([[0.0, 0.0, 0.0, 0.0], [0.0, -math.inf, -math.inf, -math.inf]])
    found = comparisons.temperatures(scores, ["a", "b"], key_tokens=list("wxyz"))
    assert found.numbers[1.0]["entropies"] == [pytest.approx(2.0), 0.0]
    assert "nothing to sharpen" in found.sentence


def test_a_softmax_that_gets_sharper_when_hotter_is_noticed(lesson: Any) -> None:
    def softmax_weights(scores: Any) -> Any:
        return torch.softmax(1 / scores, dim=-1)

    scores = scaled_dot_product_scores(lesson.queries, lesson.keys).abs() + 1
    found = comparisons.temperatures(scores, lesson.tokens, softmax=softmax_weights)
    assert "must flatten" in found.sentence


@pytest.mark.parametrize("answer", [not_written, broken, lambda *_: None, lambda s, *_: s[..., :2]])
def test_an_unusable_answer_gives_a_sentence_and_no_exception(lesson: Any, answer: Any) -> None:
    scores = scaled_dot_product_scores(lesson.queries, lesson.keys)
    for found in (
        comparisons.scaling(lesson.queries, lesson.keys, lesson.tokens, scores=answer),
        comparisons.scaling(lesson.queries, lesson.keys, lesson.tokens, softmax=answer),
        comparisons.temperatures(scores, lesson.tokens, softmax=answer),
    ):
        assert found.problem
        assert found.view.panels == ()
        assert "\n" not in found.sentence and "Traceback" not in found.sentence
        assert found.sentence in found._repr_mimebundle_()["text/plain"]


def test_the_words_for_an_unusable_answer_name_it_and_its_error(lesson: Any) -> None:
    def say(softmax: Any) -> str:
        return comparisons.temperatures(
            lesson.queries @ lesson.keys.T, lesson.tokens, softmax=softmax
        ).sentence

    assert say(not_written).startswith("not_written is not written yet.")
    assert "broken raised RuntimeError: mat1 and mat2 shapes cannot be multiplied." in say(broken)
    assert "your function gave nothing (None)" in say(lambda _: None)
    assert "no weights" in say(lambda s: torch.softmax(s, dim=-2))


def test_an_answer_that_changes_its_input_does_not_change_the_notebooks(lesson: Any) -> None:
    def scaled_dot_product_scores(queries: Any, keys: Any) -> Any:
        queries /= 8
        return queries @ keys.transpose(-2, -1)

    before = lesson.queries.clone()
    comparisons.scaling(
        lesson.queries, lesson.keys, lesson.tokens, scores=scaled_dot_product_scores
    )
    assert torch.equal(lesson.queries, before)


def test_interrupting_the_kernel_still_interrupts(lesson: Any) -> None:
    def stopped(*_: Any) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        comparisons.scaling(lesson.queries, lesson.keys, lesson.tokens, scores=stopped)


@pytest.mark.parametrize("chosen", [[], [0.0], [-1.0], [math.inf], range(1, 20)])
def test_impossible_temperatures_are_refused_in_one_sentence(lesson: Any, chosen: Any) -> None:
    with pytest.raises(ValueError, match="temperatures"):
        comparisons.temperatures(lesson.queries @ lesson.keys.T, lesson.tokens, temperatures=chosen)


def test_arguments_of_the_cell_that_do_not_fit_are_refused(lesson: Any) -> None:
    with pytest.raises(ValueError, match="both need d_k"):
        comparisons.scaling(lesson.queries, lesson.keys[:, :5], lesson.tokens)
    with pytest.raises(ValueError, match=r"\[2, 6, 64\]"):
        comparisons.scaling(lesson.queries.expand(2, 6, 64), lesson.keys, lesson.tokens)
    with pytest.raises(ValueError, match="tokens"):
        comparisons.scaling(lesson.queries, lesson.keys, ["one"])


def test_nothing_is_computed_where_a_submission_is_run(
    lesson: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ATTENTION_COURSE_SANDBOX", "1")
    for found in (
        comparisons.scaling(None, None, None),
        comparisons.temperatures(None, None),
        comparisons.multi_head(None, None, None),
        comparisons.against_reference(None, (), None),
    ):
        assert "text/html" not in found._repr_mimebundle_()
        assert not found.numbers


def test_pictures_and_tables_carry_the_same_comparison(lesson: Any) -> None:
    scores = scaled_dot_product_scores(lesson.queries, lesson.keys)
    for found in (
        comparisons.scaling(lesson.queries, lesson.keys, lesson.tokens),
        comparisons.temperatures(scores, lesson.tokens, softmax=softmax_weights),
    ):
        bundle = found._repr_mimebundle_()
        assert found.sentence in bundle["text/plain"]
        assert bundle["text/html"].count('role="img"') == len(found.view.panels) >= 2
        assert "<th scope=" in bundle["text/html"]
        for panel in found.view.panels:
            panel.draw()
