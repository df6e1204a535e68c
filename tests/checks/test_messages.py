"""What a student reads: a cause, numbers of their own, a question; never the secret inputs."""

from __future__ import annotations

import pytest

from attention_course.checks import EXERCISES, MISCONCEPTIONS, MISSING, judge
from attention_course.checks.misconceptions import message_of
from attention_course.verdict import AnswerStopped, Outcome, Ungradable

from .conftest import judged


def test_a_missing_answer_says_what_to_do() -> None:
    verdict = judge("attention_scores", MISSING)
    assert verdict.misconceptions == ("not_defined",)
    assert verdict.message == (
        "There is no scaled_dot_product_scores yet: run the cell in which you define it, then "
        "check again."
    )


def test_an_unwritten_answer_is_not_called_wrong() -> None:
    verdict = judged("attention_weights", "def softmax_weights(s): raise NotImplementedError()")
    assert (
        verdict.misconceptions == ("not_started",) and "stub is still in place" in verdict.message
    )


def test_no_scaling_is_named_with_its_question() -> None:
    verdict = judged(
        "attention_scores", "def scaled_dot_product_scores(q, k): return q @ k.transpose(-2, -1)"
    )
    assert verdict.misconceptions == ("no_scaling",)
    assert verdict.message == (
        "Your scores are sqrt(d_k) times too large. Which division of the formula is missing?"
    )


def test_a_wrong_shape_is_shown_beside_the_right_one() -> None:
    verdict = judged(
        "attention_scores",
        "def scaled_dot_product_scores(q, k): return (k @ q.mT) / q.shape[-1] ** 0.5",
    )
    assert verdict.misconceptions == ("queries_keys_swapped",)
    assert (verdict.expected_shape, verdict.actual_shape) == ("[2, 5, 7]", "[2, 7, 5]")


def test_a_fault_without_a_name_states_the_violated_property_with_numbers() -> None:
    verdict = judged(
        "attention_weights", "def softmax_weights(s): return s.softmax(-1) + 0.05 * s.sin() ** 2"
    )
    assert verdict.misconceptions == ()
    assert "sums to 1." in verdict.message and "not 1" in verdict.message


def test_an_error_is_quoted_in_one_line() -> None:
    verdict = judged("value_aggregation", "def aggregate_values(w, v): return undefined_name")
    assert verdict.message == "Your code raised NameError: name 'undefined_name' is not defined."


def test_two_faults_are_told_together() -> None:
    source = "def scaled_dot_product_scores(q, k): return k @ q.mT"
    verdict = judged("attention_scores", source)
    assert set(verdict.misconceptions) == {"queries_keys_swapped", "no_scaling"}
    assert verdict.message.startswith("Two things at once:")


def test_stopped_code_fails_and_our_own_fault_does_not() -> None:
    def stopped(*args: object) -> None:
        raise AnswerStopped("the code was stopped after 30 s")

    def ours(*args: object) -> None:
        raise Ungradable("the sandbox did not start")

    assert judge("attention_weights", stopped).misconceptions == ("stopped",)
    verdict = judge("attention_weights", ours)
    assert verdict.outcome is Outcome.UNGRADED and "no fault of yours" in verdict.message


def test_a_persons_interrupt_passes_through() -> None:
    def interrupted(*args: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        judge("attention_weights", interrupted)


@pytest.mark.parametrize("name", MISCONCEPTIONS)
def test_a_misconception_reads_well(name: str) -> None:
    misconception = MISCONCEPTIONS[name]
    assert misconception.title and misconception.hint.endswith((".", "?", "`"))
    text = message_of(name, **dict.fromkeys(("name", "error", "ratio", "row", "sum"), "X"))
    assert text.endswith((".", "?")) and "{" not in text
    for scolding in ("wrong", "stupid", "incorrect", "!"):
        assert scolding not in text.lower()


@pytest.mark.parametrize("exercise", EXERCISES)
def test_hostile_results_are_a_clear_failure(exercise: str) -> None:
    body = {
        "attention": "def {name}(*args): return {value}",
        "attention_basics": "class {name}(nn.Module):\n    def __init__(self, n): super().__init__()\n    def forward(self, x): return {value}",
    }[EXERCISES[exercise].assignment]
    if exercise == "attention_head":
        body = "class {name}(nn.Module):\n    def __init__(self, *a): super().__init__()\n    def forward(self, x): return {value}"
    for value in (
        "None",
        "'text'",
        "5",
        "[[1.0]]",
        "object()",
        "torch.zeros(1).expand(10**12)",
        "torch.zeros(2, 5, 7).to_sparse()",
        "torch.zeros(2, 5, 7, device='meta')",
        "torch.zeros(2, 5, 7, dtype=torch.complex64)",
        "type('Any', (), {'__eq__': lambda s, o: True, '__repr__': lambda s: 1 / 0})()",
        "float('nan')",
    ):
        source = body.format(name=EXERCISES[exercise].answer_name, value=value)
        verdict = judged(exercise, source)
        assert verdict.outcome is Outcome.FAILED and verdict.message, (value, verdict)
