"""Whatever arrives on the wire, the grader lives, and what is wrong stays wrong."""

from __future__ import annotations

import nbformat
import pytest

from ..grading.conftest import answer, plain, test
from .conftest import Run, World, everything
from .wire_frames import IN_A_CELL, WIRE

GOOD = answer("def good(): return 1", "good")
MASTER = [
    plain("import torch"),
    GOOD,
    answer("def double(x): return 2 * x"),
    test("assert double(4) == 8", "test_number"),
    test("assert torch.equal(double(torch.ones(2**19)), torch.full((2**19,), 2.0))", "test_tensor"),
    test("score = 0\nif double(3) == 6:\n    score += 1\nscore", "test_partial"),
    test("assert good() == 1", "test_good"),
]
TESTS = ("test_number", "test_tensor", "test_partial")


@pytest.mark.parametrize("name", WIRE.names())
def test_a_forged_frame_earns_nothing(run: Run, world: World, name: str) -> None:
    attack = WIRE[name]
    graded = run(MASTER, [*MASTER[:2], answer(attack.code), *MASTER[3:]], cell=0.5, submission=15)
    assert sum(graded.score(test) for test in TESTS) == 0, everything(graded)[:5000]
    assert not graded.record.ungraded
    assert "NameError" not in graded.text("test_number"), "the attack itself was not made"
    assert attack.own or graded.score("test_good") == 1, everything(graded)[:5000]
    text = nbformat.writes(graded.notebook)
    text.encode("utf-8")
    assert len(text) < 6_000_000 and '"attention_course"' not in text
    assert run(MASTER).score("test_number") == 1
    assert world.troubles() == []


@pytest.mark.parametrize("name", WIRE.names())
def test_a_frame_forged_by_a_cell_costs_its_author_at_most(run: Run, name: str) -> None:
    cells = [plain(WIRE[name].code + IN_A_CELL), plain("after = 1")]
    graded = run([*MASTER[:2], *cells, *MASTER[2:]], cell=0.5, submission=15)
    assert "Traceback" not in str(graded.notebook.cells[2].outputs), "the attack was not made"
    right = graded.score("test_number") + graded.score("test_good")
    assert WIRE[name].own or right == 2, everything(graded)[:5000]
    assert not graded.record.ungraded
    nbformat.writes(graded.notebook).encode("utf-8")
    assert len(everything(graded)) < 6_000_000
