"""Nothing but a right answer earns a mark, and a forger's neighbours keep theirs."""

from __future__ import annotations

import re

import pytest

from ..grading.conftest import answer, plain, test
from .conftest import Run, World, everything
from .forging import FORGING

GOOD = answer("def good(): return 1", "good")
TEST_GOOD = test("assert good() == 1", "test_good")
TESTS = {
    "test_tensor": "assert torch.allclose(double(torch.ones(3)), torch.full((3,), 2.0))",
    "test_numbers": "assert double(4) == 8\nassert abs(double(1.5) - 3.0) < 1e-9",
    "test_partial": "score = 0\nif double(2) == 4:\n    score += 1\nif double(5) == 10:\n    score += 1\nscore",
    "test_loop": "for got, want in zip(map(double, [1, 2, 7, 9, 11]), [2, 4, 14, 18, 22]):\n    assert got == want",
    "test_difference": "assert (double(torch.ones(2)) - 2).abs().max() < 1e-6",
}
MASTER = [
    plain("import torch"),
    GOOD,
    answer("def double(x):\n    return 2 * x"),
    *(test(source, name, 2) for name, source in TESTS.items()),
    TEST_GOOD,
]


def test_the_honest_answer_earns_all(run: Run) -> None:
    graded = run(MASTER)
    assert [graded.score(name) for name in TESTS] == [2] * len(TESTS)


@pytest.mark.parametrize("name", FORGING.names())
def test_a_forgery_earns_nothing(run: Run, world: World, name: str) -> None:
    attack = FORGING[name]
    wrong = "" if "double" in attack.code else "\ndef double(x):\n    return -1"
    graded = run(MASTER, [*MASTER[:2], answer(attack.code + wrong), *MASTER[3:]])
    assert sum(graded.score(name) for name in TESTS) <= attack.more.get("may", 0), everything(
        graded
    )
    assert not graded.record.ungraded
    assert re.search(attack.seen, "\n".join(graded.text(name) for name in TESTS)), everything(
        graded
    )
    assert attack.own or graded.score("test_good") == 1
    neighbour = run(MASTER)
    assert sum(neighbour.score(name) for name in TESTS) == 2 * len(TESTS)
    assert world.troubles() == []
