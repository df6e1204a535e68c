"""The asserts that stock nbgrader grades with: plain, and right about what is right."""

from __future__ import annotations

import contextlib
import io
import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from attention_course.panel import PANEL, KnownAnswer

EXERCISES = (
    "linear_projections",
    "attention_scores",
    "attention_weights",
    "value_aggregation",
    "attention_head",
)
# Plain asserts on one call do not see these; our checks do.
UNSEEN = {
    "changes_input",
    "gradients_lost",
    "keeps_state",
    "minus_infinity_lost",
    "no_maximum_subtracted",
    "ready_made",
}


def fails(known: KnownAnswer) -> str | None:
    """What the asserts say about an answer, on stderr too; None where they pass it."""
    from benchmarks.grading.asserts import ASSERTS

    torch.manual_seed(1)
    names = {"torch": torch, "nn": nn, "F": F, "math": math}
    errors = io.StringIO()
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(errors):
        with contextlib.suppress(Exception):
            exec(known.source, names)
        try:
            exec(ASSERTS[known.exercise], names)
        except Exception as error:
            return f"{type(error).__name__}: {error}"
    return errors.getvalue() or None


@pytest.mark.parametrize("exercise", EXERCISES)
def test_every_right_answer_passes_the_asserts(exercise: str) -> None:
    right = [a for a in PANEL if a.exercise == exercise and a.right]
    assert {a.name: said for a in right if (said := fails(a))} == {}


@pytest.mark.parametrize("exercise", EXERCISES)
def test_the_asserts_refuse_all_wrong_answers_but_those_that_need_a_second_look(
    exercise: str,
) -> None:
    wrong = [a for a in PANEL if a.exercise == exercise and not a.right]
    passed = [a for a in wrong if fails(a) is None]
    unexplained = [a.name for a in passed if a.misconceptions and not UNSEEN & {*a.misconceptions}]
    assert unexplained == []
    assert len(passed) < len(wrong) / 5


def test_the_asserts_need_nothing_of_ours() -> None:
    from benchmarks.grading.asserts import ASSERTS

    assert sorted(ASSERTS) == sorted(EXERCISES)
    assert not [name for name, text in ASSERTS.items() if "attention_course" in text]
