"""After a submission nothing of it runs, and the next one finds nothing of it."""

from __future__ import annotations

import platform

import pytest

from ..grading.conftest import answer, plain, test
from .attack import fill
from .conftest import LEVELS, Run, World, everything, none_left, running, unwalled
from .outliving import OUTLIVING

pytestmark = pytest.mark.skipif(platform.system() != "Linux", reason="reads /proc")
ONE = answer("def one(): return 1", "one")
TEST_ONE = test("assert one() == 1", "test_one")


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("name", OUTLIVING.names())
def test_nothing_outlives_its_submission(run: Run, world: World, name: str, level: str) -> None:
    if unwalled(level):
        pytest.skip("this machine has no such walls")
    run([ONE, TEST_ONE], isolation=level)
    before = running(world.mark)
    attack = OUTLIVING[name]
    deed = plain(fill(attack.code, world.places()))
    graded = run([ONE, deed, plain("worked = 1"), TEST_ONE], isolation=level)
    assert not none_left(world.mark, before)
    assert not graded.record.ungraded
    # What it may not even look at, it does not find.
    look = f"import ctypes, os, sys\ntry: found = {attack.more['look']}\nexcept OSError: found = 0"
    look = fill(look, world.places())
    after = run([ONE, answer(look, "look"), TEST_ONE, test("assert not found")], isolation=level)
    assert after.score() == 1 and after.score("test_one") == 1, everything(after)
    assert world.troubles() == []


def test_two_submissions_draw_different_random_numbers(run: Run) -> None:
    draw = "import random, numpy, torch\ndrawn = [random.random(), float(numpy.random.rand()), float(torch.rand(()))]"
    seen = []
    for _ in range(2):
        graded = run([answer(draw), test("print(*drawn)")])
        seen.append(graded.text().split())
    assert len({*seen[0], *seen[1]}) == 6
