"""Stock `nbgrader autograde` with our configuration, on a course that is not ours.

One class with everything that goes wrong in a real one. Each student gets a clear result or a
clear error, and nobody else's changes.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

pytestmark = pytest.mark.slow

Damage = Callable[[NotebookNode], None]


def cell(kind: str, source: str, grade_id: str, **flags: object) -> NotebookNode:
    nbgrader = {
        "schema_version": 3,
        "grade_id": grade_id,
        "grade": False,
        "solution": False,
        "locked": False,
        "task": False,
        **flags,
    }
    new = new_code_cell if kind == "code" else new_markdown_cell
    return new(source, metadata={"nbgrader": nbgrader})


MASTER = new_notebook(
    metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
    cells=[
        cell("code", "import math\nLIMIT = 3", "setup", locked=True),
        cell(
            "code",
            "def root(x):\n    ### BEGIN SOLUTION\n    return math.sqrt(x)\n    ### END SOLUTION",
            "root",
            solution=True,
        ),
        cell(
            "code",
            "assert root(9) == 3\n### BEGIN HIDDEN TESTS\nassert root(16) == 4\n### END HIDDEN TESTS",
            "test_root",
            grade=True,
            locked=True,
            points=2,
        ),
        cell(
            "code",
            "def count(n):\n    ### BEGIN SOLUTION\n    return list(range(n))\n    ### END SOLUTION",
            "count",
            solution=True,
        ),
        cell(
            "code",
            "score = 0\nif count(LIMIT) == [0, 1, 2]:\n    score += 1\nif count(0) == []:\n    score += 0.5\nscore",
            "test_count",
            grade=True,
            locked=True,
            points=1.5,
        ),
        cell("markdown", "Why?", "essay", grade=True, solution=True, points=3),
        cell("markdown", "Style", "style", task=True, locked=True, points=1),
    ],
)

RIGHT = {
    "root": "def root(x):\n    return x ** 0.5",
    "count": "def count(n):\n    return [i for i in range(n)]",
    "essay": "Because.",
}


def find(notebook: NotebookNode, name: str) -> NotebookNode:
    return next(c for c in notebook.cells if c.metadata.get("nbgrader", {}).get("grade_id") == name)


def write(name: str, source: str) -> Damage:
    def damage(notebook: NotebookNode) -> None:
        find(notebook, name).source = source

    return damage


def delete(name: str) -> Damage:
    return lambda notebook: notebook.cells.remove(find(notebook, name))


def duplicate(name: str) -> Damage:
    def damage(notebook: NotebookNode) -> None:
        original = find(notebook, name)
        copy = nbformat.from_dict(json.loads(json.dumps(original)))
        copy["id"] = "copy"
        notebook.cells.insert(notebook.cells.index(original) + 1, copy)

    return damage


def retag(notebook: NotebookNode) -> None:
    for name in ("test_root", "test_count"):
        find(notebook, name).metadata["tags"] = ["skip-execution"]
    find(notebook, "root").source = "def root(x): return 0"


def rename(notebook: NotebookNode) -> None:
    find(notebook, "root").metadata.nbgrader.grade_id = "wurzel"
    find(notebook, "test_count").metadata.nbgrader.grade_id = "probe"


def ungrade(notebook: NotebookNode) -> None:
    find(notebook, "test_root").metadata.nbgrader.update(grade=False, points=0, locked=False)


def other_kernel(notebook: NotebookNode) -> None:
    notebook.metadata["kernelspec"] = {"name": "no-such-kernel", "display_name": "None"}


def helpers(notebook: NotebookNode) -> None:
    notebook.cells.insert(1, new_code_cell("def my_helper(x):\n    return x ** 0.5"))
    find(notebook, "root").source = "def root(x):\n    print('root of', x)\n    return my_helper(x)"


CLASS: dict[str, tuple[Damage | None, tuple[float, float]]] = {
    "right": (None, (2, 1.5)),
    "hidden-test-only": (write("root", "def root(x): return 3"), (0, 1.5)),
    "partial-credit": (write("count", "def count(n): return [0, 1, 2]"), (2, 1)),
    "half-done": (write("count", "def count(n):\n    raise NotImplementedError()"), (2, 0)),
    "syntax-error": (write("root", "def root(x:\n    return 3"), (0, 1.5)),
    "test-deleted": (delete("test_root"), (2, 1.5)),
    "answer-deleted": (delete("root"), (0, 1.5)),
    "task-deleted": (delete("style"), (2, 1.5)),
    "test-duplicated": (duplicate("test_root"), (2, 1.5)),
    "answer-duplicated": (duplicate("root"), (2, 1.5)),
    "retagged": (retag, (0, 1.5)),
    "renamed": (rename, (2, 1.5)),
    "ungraded-by-hand": (ungrade, (2, 1.5)),
    "test-edited": (write("test_root", "pass"), (2, 1.5)),
    "other-kernel": (other_kernel, (2, 1.5)),
    "helpers-and-prints": (helpers, (2, 1.5)),
    "endless": (write("count", "def count(n):\n    while True: pass"), (2, 0)),
    "exits": (write("count", "import os\nos._exit(0)"), (2, 0)),
    "floods": (write("essay", "x" * 100_000), (2, 1.5)),
}
BROKEN = {
    "not-json": "this is no notebook",
    "empty-file": "",
    "another-notebook": nbformat.writes(
        new_notebook(cells=[cell("code", "x = 1", "somewhere-else", solution=True)])
    ),
}


def nbgrader(course: Path, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    done = subprocess.run(
        [sys.executable, "-m", "nbgrader", *arguments],
        cwd=course,
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
    )
    if check and done.returncode != 0:
        raise AssertionError(done.stderr[-4000:])
    return done


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The course after one run over the whole class, and what the run printed."""
    folder = tmp_path_factory.mktemp("course")
    root = Path(__file__).resolve().parents[2]
    config = (root / "nbgrader_config.py").read_text() + "\nc.Execute.timeout = 8\n"
    (folder / "nbgrader_config.py").write_text(config)
    (folder / "source" / "ps1").mkdir(parents=True)
    nbformat.write(MASTER, folder / "source" / "ps1" / "p1.ipynb")
    nbgrader(folder, "generate_assignment", "ps1")
    released = nbformat.read(folder / "release" / "ps1" / "p1.ipynb", as_version=4)
    for student, (damage, _) in CLASS.items():
        notebook = nbformat.from_dict(json.loads(json.dumps(released)))
        for name, source in RIGHT.items():
            find(notebook, name).source = source
        if damage is not None:
            damage(notebook)
        _hand_in(folder, student, nbformat.writes(notebook))
    for student, text in BROKEN.items():
        _hand_in(folder, student, text)
    (folder / "submitted" / "no-notebook" / "ps1").mkdir(parents=True)
    done = nbgrader(folder, "autograde", "ps1", check=False)
    return folder, done.stdout + done.stderr


def _hand_in(folder: Path, student: str, text: str) -> None:
    place = folder / "submitted" / student / "ps1"
    place.mkdir(parents=True)
    (place / "p1.ipynb").write_text(text)


def grades(course: Path, student: str) -> dict[str, tuple[float | None, bool]]:
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as gradebook:
        notebook = gradebook.find_submission_notebook("p1", "ps1", student)
        return {g.name: (g.auto_score, bool(g.needs_manual_grade)) for g in notebook.grades}


@pytest.mark.parametrize("student", CLASS)
def test_each_student_has_the_marks_that_the_answers_earn(
    course: tuple[Path, str], student: str
) -> None:
    found = grades(course[0], student)
    assert (found["test_root"][0], found["test_count"][0]) == CLASS[student][1]


@pytest.mark.parametrize("student", CLASS)
def test_what_a_person_grades_waits_for_a_person(course: tuple[Path, str], student: str) -> None:
    found = grades(course[0], student)
    assert found["essay"] == (None, True) and found["style"] == (None, True)


@pytest.mark.parametrize("student", BROKEN)
def test_what_is_no_notebook_of_this_assignment_is_an_error_of_its_own(
    course: tuple[Path, str], student: str
) -> None:
    folder, log = course
    assert f"There was an error processing assignment 'ps1' for student '{student}'" in log
    assert not (folder / "autograded" / student / "ps1").exists()


def test_the_log_says_what_was_put_right(course: tuple[Path, str]) -> None:
    log = course[1]
    assert "ps1/test-deleted/p1: cell test_root was missing and has been put back" in log
    assert "ps1/renamed/p1: cell root had lost its grade_id" in log
    assert "ps1/retagged/p1: cell test_root had tags, which were taken off" in log
    assert "ps1/test-edited/p1" in log


def test_a_second_run_with_force_gives_the_same_notebook(course: tuple[Path, str]) -> None:
    folder = course[0]
    path = folder / "autograded" / "right" / "ps1" / "p1.ipynb"
    before = path.read_bytes()
    nbgrader(folder, "autograde", "ps1", "--student", "right", "--force")
    assert path.read_bytes() == before


def test_feedback_shows_why_a_mark_was_lost(course: tuple[Path, str]) -> None:
    folder = course[0]
    nbgrader(folder, "generate_feedback", "ps1", "--student", "hidden-test-only")
    page = (folder / "feedback" / "hidden-test-only" / "ps1" / "p1.html").read_text()
    assert "AssertionError" in page


def test_alone_a_student_gets_the_same_marks_as_in_the_class(
    course: tuple[Path, str], tmp_path: Path
) -> None:
    folder = course[0]
    alone = tmp_path / "alone"
    shutil.copytree(
        folder, alone, ignore=shutil.ignore_patterns("autograded", "feedback", "submitted")
    )
    for student in ("partial-credit",):
        shutil.copytree(folder / "submitted" / student, alone / "submitted" / student)
    nbgrader(alone, "autograde", "ps1")
    assert grades(alone, "partial-credit") == grades(folder, "partial-credit")


def test_what_is_our_fault_waits_for_a_person_and_is_no_zero(tmp_path: Path) -> None:
    folder = tmp_path / "course"
    (folder / "source" / "ps1").mkdir(parents=True)
    root = Path(__file__).resolve().parents[2]
    shutil.copy(root / "nbgrader_config.py", folder)
    master = nbformat.from_dict(json.loads(json.dumps(MASTER)))
    find(master, "setup").source = "import math\nfrom a_module_that_is_missing import LIMIT"
    nbformat.write(master, folder / "source" / "ps1" / "p1.ipynb")
    nbgrader(folder, "generate_assignment", "ps1")
    released = nbformat.read(folder / "release" / "ps1" / "p1.ipynb", as_version=4)
    for name, source in RIGHT.items():
        find(released, name).source = source
    _hand_in(folder, "student-01", nbformat.writes(released))
    log = nbgrader(folder, "autograde", "ps1").stderr
    found = grades(folder, "student-01")
    assert found["test_count"] == (None, True)
    assert found["test_root"] == (2, False)
    assert "UNGRADED ps1/student-01/test_count: the instructor's cell setup failed" in log
    assert "Retry: nbgrader autograde ps1 --student student-01 --force" in log
