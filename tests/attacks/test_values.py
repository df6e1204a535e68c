"""Whatever an answer returns, the course's own check says in a sentence what is wrong with it."""

from __future__ import annotations

import nbformat
import pytest

from ..grading.conftest import answer, plain, test
from .conftest import Run, everything
from .values import HOSTILE, VALUES

SETUP = plain("import torch\nfrom attention_course import check")
RIGHT = answer("def aggregate_values(w, v): return w @ v")
CHECK = test("check.value_aggregation(aggregate_values)")
GOOD = answer("def good(): return 1", "good")
TEST_GOOD = test("assert good() == 1", "test_good")
BEFORE = (
    f"{HOSTILE}\nrecursive = []\nrecursive.append(recursive)\naround = {{}}\naround['x'] = around\n"
)


def test_the_right_answer_passes(run: Run) -> None:
    assert run([SETUP, GOOD, RIGHT, CHECK, TEST_GOOD]).score() == 1


@pytest.mark.parametrize("name", VALUES.names())
def test_a_hostile_result_is_a_failure_in_words(run: Run, name: str) -> None:
    handed_in = [SETUP, GOOD, answer(BEFORE + VALUES[name].code), CHECK, TEST_GOOD]
    graded = run([SETUP, GOOD, RIGHT, CHECK, TEST_GOOD], handed_in, cell=10)
    assert graded.score() == 0 and not graded.record.ungraded, everything(graded)[:3000]
    verdicts = graded.record.verdicts
    assert [verdict["outcome"] for verdict in verdicts] == ["failed"]
    assert 10 < len(verdicts[0]["message"]) < 1500
    assert graded.score("test_good") == 1
    nbformat.writes(graded.notebook).encode("utf-8")
    assert len(everything(graded)) < 50_000
