"""A class in which everybody but two hands in a hostile notebook: the two have their marks."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from ..grading.batch.conftest import Small, generate, master
from .notebooks import NOTEBOOKS, changed

HONEST = ("a-first", "z-last")
MARKS = {"test_double": 2.0, "test_half": 1.0}


def student(name: str) -> str:
    return f"hostile-{NOTEBOOKS.names().index(name):02}"


pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::nbformat.warnings.DuplicateCellId"),
    pytest.mark.filterwarnings("ignore::nbformat.warnings.MissingIDFieldWarning"),
]


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory, repository_root: Path) -> Small:
    """The course after one run over the whole class."""
    root = tmp_path_factory.mktemp("class") / "course"
    root.mkdir()
    shutil.copy(repository_root / "nbgrader_config.py", root)
    generate(root, p1=master())
    small = Small(root)
    small.configure("c.Execute.timeout = 8")
    for name in HONEST:
        small.hand_in(name)
    wrong = {"double": "def double(x): return x", "half": "def half(x): return x"}
    for attack in NOTEBOOKS:
        place = small.hand_in(student(attack.name), wrong) / "p1.ipynb"
        place.write_bytes(changed(attack, json.loads(place.read_text())))
        # Beside it, what would lead out of the folder.
        (place.parent / "x.txt").symlink_to(root / "gradebook.db")
        os.mkfifo(place.parent / "pipe")
    small.grade()
    return small


@pytest.mark.parametrize("name", NOTEBOOKS.names())
def test_a_hostile_notebook_earns_nothing(graded: Small, name: str) -> None:
    marks = graded.automatic(student(name))
    assert {marks.get(test) for test in MARKS} <= {0.0, None}, marks
    page = graded.autograded(student(name))
    if page.exists():
        text = page.read_bytes().decode("utf-8")
        assert len(text) < 15_000_000 and '"outcome": "passed"' not in text


@pytest.mark.parametrize("name", HONEST)
def test_an_honest_neighbour_has_every_mark(graded: Small, name: str) -> None:
    assert {test: graded.automatic(name)[test] for test in MARKS} == MARKS


def test_nothing_of_the_course_has_changed(graded: Small) -> None:
    found = [path for path in (graded.root / "autograded").rglob("*") if path.is_symlink()]
    assert not found
    assert {path.name for path in graded.root.iterdir()} <= {
        "nbgrader_config.py", "gradebook.db", "source", "release", "submitted", "autograded",
        ".attention_course", "cache", "logs", ".nbgrader.log", "__pycache__", "progress", "gradebook.db-wal", "gradebook.db-shm",
    }  # fmt: skip
