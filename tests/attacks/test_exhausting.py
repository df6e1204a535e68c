"""Each deed ends within its limits, costs its own mark, and leaves no process and no file."""

from __future__ import annotations

import re
import time

import pytest

from attention_course.grading import student_side
from attention_course.grading.sandbox import level_here
from attention_course.grading.sandbox.base import MIB

from ..grading.conftest import answer, plain, test
from .conftest import Run, World, everything, none_left, running
from .exhausting import EXHAUSTING

GOOD = answer("def good(): return 1", "good")
TEST_GOOD = test("assert good() == 1", "test_good")
LIMITS = {
    "cell": 0.5,
    "submission": 20,
    "memory": 512 * MIB,
    "processes": 32,
    "scratch": 16 * MIB,
    "file_size": 4 * MIB,
    "open_files": 64,
    "files": 500,
}


@pytest.fixture(scope="module")
def baseline(run: Run, world: World) -> object:
    """The processes that are there between two submissions."""
    run([GOOD, plain("import torch"), TEST_GOOD])
    return running(world.mark)


@pytest.mark.skipif(level_here().name == "plain", reason="a plain child has no limits but time")
@pytest.mark.parametrize("name", EXHAUSTING.names())
def test_a_deed_ends_within_its_limits(
    run: Run, world: World, baseline: object, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    attack = EXHAUSTING[name]
    if "busy" in name:
        monkeypatch.setattr(student_side, "MARGIN", 0.5)  # what a test may take for itself
    asked = test(attack.more["test"])
    began = time.monotonic()
    handed_in = [GOOD, answer(attack.code, "double"), asked, TEST_GOOD]
    graded = run([GOOD, answer("", "double"), asked, TEST_GOOD], handed_in, **LIMITS)
    assert time.monotonic() - began < 3 * LIMITS["submission"]
    assert graded.score() == 0 and not graded.record.ungraded, everything(graded)[:3000]
    # On a busy machine the time limit may come first.
    assert re.search(f"{attack.seen}|time limit", graded.text()), graded.text()[:3000]
    assert attack.own or graded.score("test_good") == 1, everything(graded)[:3000]
    assert len(everything(graded)) < 6_000_000
    assert not none_left(world.mark, baseline)  # type: ignore[arg-type]
    assert world.troubles() == []
    assert run([GOOD, TEST_GOOD]).score("test_good") == 1
    assert not list(world.submission.rglob("core*"))
