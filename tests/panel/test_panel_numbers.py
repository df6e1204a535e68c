"""Right answers of the panel equal an oracle everywhere; wrong ones depart from it somewhere."""

from __future__ import annotations

import math

import pytest
import torch

from attention_course.panel import BASICS, PANEL

RIGHT = [answer for answer in PANEL if answer.right and not answer.noted]
NOTED = [answer for answer in PANEL if answer.noted]
WRONG = [answer for answer in PANEL if not answer.right]


def named(answer):
    return f"{answer.exercise}-{answer.name}"


def with_id(*ids):
    return [answer for answer in WRONG if answer.misconceptions and answer.misconceptions[0] in ids]


def large_and_masked(bench, known):
    """What softmax_weights makes of scores near 1e4 and of minus infinity."""
    if known.exercise != "attention_weights":
        return set()
    rng = torch.Generator().manual_seed(4)
    large = torch.randn(2, 4, 6, generator=rng) * 3 + 1e4
    masked = torch.randn(2, 4, 6, generator=rng)
    masked[..., 1] = -math.inf
    masked[0, 2, 3:] = -math.inf
    found = set()
    for name, scores in (("large scores", large), ("masked scores", masked)):
        call = bench.Answer(known).call((scores.clone(),), {}, ())
        expected = torch.softmax(scores.double(), dim=-1)
        # Near 1e4 neighbouring float32 numbers are 1e-3 apart, and so may stable answers be.
        right = call.error is None and torch.is_tensor(call.results[0])
        if not right or not bench.close(call.results[0], expected, atol=2e-3):
            found.add(name)
    return found


def large_biases(bench, known):
    """Whether a head gives NaN where its scores are well above 88, and all about the same."""
    if known.exercise not in ("attention_head", *BASICS):
        return set()
    inputs, state, sizes = bench.inputs_for(known.exercise, "batch")
    large = math.sqrt(200 / math.sqrt(len(state["query.bias"])))
    for layer in ("query", "key"):
        state[f"{layer}.weight"] = state[f"{layer}.weight"] * 0.2
        state[f"{layer}.bias"] = torch.full_like(state[f"{layer}.bias"], large)
    call = bench.Answer(known).call(inputs, state, sizes)
    if call.error or not all(torch.is_tensor(r) for r in call.results):
        return {"large scores"}
    return {"large scores"} if any(bool(r.isnan().any()) for r in call.results) else set()


def departures(bench, known):
    found = large_and_masked(bench, known) | large_biases(bench, known)
    for fixture in bench.fixtures(known.exercise):
        torch.manual_seed(1)
        found |= bench.Answer(known).departures(fixture)
    if any(name in known.source for name in bench.READY_MADE):
        found.add("ready made")
    return found


@pytest.mark.parametrize("answer", RIGHT, ids=named)
def test_a_right_answer_equals_the_oracle_on_every_shape(bench, answer):
    assert departures(bench, answer) == set()


@pytest.mark.parametrize("answer", RIGHT, ids=named)
def test_a_right_answer_is_right_on_the_prompts_shape(bench, answer):
    assert bench.Answer(answer).departures("prompt") == set()


@pytest.mark.parametrize("answer", WRONG, ids=named)
def test_a_wrong_answer_departs_from_the_oracle(bench, answer):
    assert departures(bench, answer) != set()


# --- what the names of faults say, checked on the answers that bear them ---------------------


@pytest.mark.parametrize("answer", with_id("not_started"), ids=named)
def test_an_answer_not_started_says_so_itself(bench, answer):
    call = bench.Answer(answer).call(*bench.inputs_for(answer.exercise, "batch"))
    assert isinstance(call.error, NotImplementedError)


@pytest.mark.parametrize("answer", with_id("returns_nothing"), ids=named)
def test_an_answer_that_returns_nothing_gives_none(bench, answer):
    call = bench.Answer(answer).call(*bench.inputs_for(answer.exercise, "batch"))
    assert call.error is None and call.results[0] is None


@pytest.mark.parametrize("answer", with_id("wrong_result_count"), ids=named)
def test_another_number_of_results_is_all_that_is_wrong_in_form(bench, answer):
    call = bench.Answer(answer).call(*bench.inputs_for(answer.exercise, "batch"))
    assert call.departures == {"results"}


@pytest.mark.parametrize("answer", with_id("raises", "not_transposed"), ids=named)
def test_an_answer_that_raises_does_so_for_no_other_reason(bench, answer):
    call = bench.Answer(answer).call(*bench.inputs_for(answer.exercise, "batch"))
    assert call.error is not None and not isinstance(call.error, NotImplementedError)


@pytest.mark.parametrize("answer", with_id("changes_input"), ids=named)
def test_an_answer_that_changes_its_input_is_right_otherwise(bench, answer):
    # A head that writes over what its layers keep for backward() loses the gradient by that.
    assert departures(bench, answer) - {"gradient"} == {"changed input"}


@pytest.mark.parametrize("answer", with_id("keeps_state"), ids=named)
def test_an_answer_that_keeps_state_gives_another_result_the_second_time(bench, answer):
    assert "second call" in bench.Answer(answer).departures("batch")


@pytest.mark.parametrize(
    "answer", with_id("random_result", "random_weights", "dropout_left_on"), ids=named
)
def test_an_answer_left_to_chance_gives_another_result_each_time(bench, answer):
    found = {frozenset(bench.Answer(answer).departures("batch")) for _ in range(3)}
    assert all("second call" in departed for departed in found)


@pytest.mark.parametrize("answer", with_id("gradients_lost"), ids=named)
def test_an_answer_that_loses_gradients_has_the_right_numbers(bench, answer):
    assert departures(bench, answer) == {"gradient"}


@pytest.mark.parametrize("answer", with_id("ready_made"), ids=named)
def test_a_ready_made_answer_has_the_right_numbers(bench, answer):
    assert bench.Answer(answer).departures("batch") <= {"ready made"}


@pytest.mark.parametrize("answer", with_id("wrong_dtype"), ids=named)
def test_a_wrong_type_of_number_is_seen_in_the_result(bench, answer):
    assert "dtype" in bench.Answer(answer).departures("batch")


@pytest.mark.parametrize("answer", with_id("nan_result"), ids=named)
def test_a_result_that_is_not_a_number_is_nan_on_plain_inputs(bench, answer):
    assert "nan" in bench.Answer(answer).departures("batch")


@pytest.mark.parametrize("answer", with_id("no_batch"), ids=named)
def test_an_answer_without_batches_is_right_for_one_sentence_alone(bench, answer):
    if answer.exercise not in BASICS:
        assert bench.Answer(answer).departures("one sentence") == set()
    assert bench.Answer(answer).departures("batch") != set()


@pytest.mark.parametrize("answer", NOTED, ids=named)
def test_an_answer_for_three_dimensions_fails_with_two_and_with_four(bench, answer):
    assert bench.Answer(answer).departures("batch") == set()
    assert bench.Answer(answer).departures("one sentence") != set()
    assert bench.Answer(answer).departures("two batches") != set()


@pytest.mark.parametrize("answer", with_id("hard_coded_shape", "hard_coded_scale"), ids=named)
def test_a_hard_coded_answer_is_right_on_the_prompt_alone(bench, answer):
    known = bench.Answer(answer)
    if answer.exercise == "linear_projections":  # there the prompt has no batch dimension
        (x, *matrices), state, sizes = bench.inputs_for(answer.exercise, "prompt")
        inputs = (x[0], *matrices)
        call = known.call(inputs, state, sizes)
        expected = bench.oracle(answer.exercise, inputs, state)
        assert all(bench.close(r, e) for r, e in zip(call.results, expected, strict=True))
    else:
        assert known.departures("prompt") == set()
    assert known.departures("batch") != set()


@pytest.mark.parametrize("answer", with_id("no_maximum_subtracted"), ids=named)
def test_an_answer_that_overflows_is_right_for_small_scores(bench, answer):
    assert bench.Answer(answer).departures("batch") == set()
    assert "large scores" in departures(bench, answer)


@pytest.mark.parametrize("answer", with_id("minus_infinity_lost"), ids=named)
def test_an_answer_that_loses_minus_infinity_is_right_for_all_other_scores(bench, answer):
    assert departures(bench, answer) == {"masked scores"}


@pytest.mark.parametrize("answer", with_id("all_zeros", "constant"), ids=named)
def test_an_answer_of_zeros_or_constants_has_no_other_entry(bench, answer):
    call = bench.Answer(answer).call(*bench.inputs_for(answer.exercise, "batch"))
    for result in call.results:
        assert float(result.detach().std()) < 1e-6
        assert (float(result.flatten()[0]) == 0) is (answer.misconceptions[0] == "all_zeros")


@pytest.mark.parametrize("answer", with_id("ignores_inputs"), ids=named)
def test_an_answer_that_ignores_its_inputs_is_the_same_for_any(bench, answer):
    known = bench.Answer(answer)
    first = known.call(*bench.inputs_for(answer.exercise, "batch")).results
    second = known.call(*bench.inputs_for(answer.exercise, "other batch")).results
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))
