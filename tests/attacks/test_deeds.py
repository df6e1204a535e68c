"""What a student's process looks for it does not find, and what it reaches for stays out of reach."""

from __future__ import annotations

import platform
import re
from functools import cache

import pytest

from ..grading.conftest import Graded, answer, plain, test
from .attack import Attack, Family, fill
from .conftest import LEVELS, Run, World, everything, none_left, running, unwalled
from .deeds import KERNEL, PRELUDE
from .escaping import ESCAPING
from .reading import READING

pytestmark = pytest.mark.skipif(
    platform.machine() not in ("x86_64", "aarch64"), reason="no numbers of system calls known"
)
DOUBLE = answer("def double(x): return 2 * x")
ASK = "try: print('GOT', repr(deed_{0}()))\nexcept BaseException as e: print('REFUSED', type(e).__name__, e)"


def tried(family: Family, level: str) -> list[Attack]:
    walls = "bubblewrap" if level == "forked" else level
    return [deed for deed in family if deed.more.get("level", walls) == walls]


CASES = [
    pytest.param(family, level, deed.name, id=f"{level}-{deed.name}")
    for family in (READING, ESCAPING)
    for level in LEVELS
    for deed in tried(family, level)
]


@pytest.fixture(scope="module")
def done(run: Run, world: World) -> object:
    """All deeds of a family, tried one after the other by one submission; made once."""

    @cache
    def grade(title: str, level: str) -> Graded:
        family = READING if title == READING.title else ESCAPING
        numbered = list(enumerate(tried(family, level)))
        bodies = [
            f"def deed_{n}():\n"
            + "".join(f"    {line}\n" for line in fill(d.code, world.places()).splitlines())
            for n, d in numbered
        ]
        hidden = f"'NEEDLE-{world.secret}'\nassert double(2) == 4"
        tests = [test(f"{ASK.format(n)}\n{hidden}", f"test_{n}") for n, _ in numbered]
        prelude = fill(PRELUDE, KERNEL)
        master = [
            plain(prelude),
            DOUBLE,
            *(answer(body, f"answer_{n}") for n, body in enumerate(bodies)),
            *tests,
        ]
        return run(master, isolation=level, cell=20, submission=60, restarts=10)

    return grade


@pytest.mark.parametrize(("family", "level", "name"), CASES)
def test_a_deed_gains_nothing(
    done: object, world: World, family: Family, level: str, name: str
) -> None:
    if unwalled(level):
        pytest.skip("this machine has no such walls")
    graded: Graded = done(family.title, level)  # type: ignore[operator]
    number = [deed.name for deed in tried(family, level)].index(name)
    text = graded.text(f"test_{number}").strip()
    assert re.search(family[name].seen, text, re.MULTILINE), text[:2000]
    assert world.secret not in text
    assert family[name].more.get("own") or graded.score(f"test_{number}") == 1, text


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("family", [READING, ESCAPING], ids=lambda family: family.title)
def test_nothing_has_changed_after_all_deeds_of_a_family(
    done: object, run: Run, world: World, family: Family, level: str
) -> None:
    if unwalled(level):
        pytest.skip("this machine has no such walls")
    run([DOUBLE, test("assert double(2) == 4")], isolation=level)
    before = running(world.mark)
    graded: Graded = done(family.title, level)  # type: ignore[operator]
    assert world.secret not in everything(graded).replace(f"NEEDLE-{world.secret}", "")
    assert world.troubles() == []
    assert not none_left(world.mark, before)
    after = run([DOUBLE, test("assert double(2) == 4")], isolation=level)
    assert after.score() == 1
