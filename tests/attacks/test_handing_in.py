"""A submission's files are data: no link is followed, no module of theirs is the grader's."""

from __future__ import annotations

import re
import shutil
import sys

import pytest

from ..grading.conftest import answer, plain, test
from .attack import fill
from .conftest import Run, World, everything
from .handing_in import HANDING_IN

MASTER = [answer("def double(x): return 2 * x"), test("import json, torch\nassert double(2) == 4")]


@pytest.mark.parametrize("name", HANDING_IN.names())
def test_a_hostile_folder_changes_nothing(run: Run, world: World, name: str) -> None:
    attack = HANDING_IN[name]
    shutil.rmtree(world.submission)
    world.submission.mkdir()
    (world.submission / ".ipython/profile_default/startup").mkdir(parents=True)
    attack.more["prepare"](world.submission, world)
    code = plain(fill(attack.code, world.places()))
    graded = run([code, *MASTER], folder=world.submission, cell=10, files=1000)
    text = everything(graded)
    assert re.search(attack.seen, text) and world.secret not in text, text[:3000]
    assert graded.score() == 1, text[:3000]
    assert not graded.record.ungraded and world.mark not in str(graded.cell().outputs)
    assert world.troubles() == []
    loaded = [str(getattr(module, "__file__", "")) for module in list(sys.modules.values())]
    assert not [file for file in loaded if file.startswith(str(world.root))]
    assert sum(1 for _ in world.submission.rglob("*")) < 2000
    shutil.rmtree(world.submission)
    world.submission.mkdir()
    assert run(MASTER).score() == 1
