"""How the settings of protection and limits reach the stock command."""

from __future__ import annotations

import shutil
from pathlib import Path

import nbformat
import pytest
from traitlets import TraitError
from traitlets.config import Config

from attention_course.grading.plugins import TrustedExecute
from attention_course.grading.sandbox import REQUIRED, Unprotected, level_here

from .test_autograde_command import MASTER, RIGHT, _hand_in, find, grades, nbgrader

pytestmark = pytest.mark.slow


@pytest.fixture
def course(tmp_path: Path, repository_root: Path) -> Path:
    folder = tmp_path / "course"
    (folder / "source" / "ps1").mkdir(parents=True)
    shutil.copy(repository_root / "nbgrader_config.py", folder)
    nbformat.write(MASTER, folder / "source" / "ps1" / "p1.ipynb")
    nbgrader(folder, "generate_assignment", "ps1")
    released = nbformat.read(folder / "release" / "ps1" / "p1.ipynb", as_version=4)
    for name, source in RIGHT.items():
        find(released, name).source = source
    _hand_in(folder, "student-01", nbformat.writes(released))
    return folder


def _set(course: Path, *lines: str) -> None:
    with (course / "nbgrader_config.py").open("a") as file:
        file.write("\n" + "\n".join(lines) + "\n")


@pytest.mark.skipif(not REQUIRED, reason="nothing is required on this system")
def test_nothing_is_graded_unprotected_until_that_is_allowed(course: Path) -> None:
    _set(course, "c.TrustedExecute.isolation = 'plain'")
    done = nbgrader(course, "autograde", "ps1", check=False)
    assert done.returncode != 0
    said = [line for line in done.stderr.splitlines() if "Nothing was graded" in line]
    assert len(said) == 1 and "gradebook" in said[0]
    assert "c.TrustedExecute.required = []" in said[0]
    assert not (course / "autograded" / "student-01" / "ps1" / "p1.ipynb").exists()

    _set(course, "c.TrustedExecute.required = []")
    allowed = nbgrader(course, "autograde", "ps1")
    assert "can reach this machine's files" in allowed.stderr
    assert grades(course, "student-01")["test_root"] == (2, False)


@pytest.mark.skipif(level_here().name == "plain", reason="no protected level runs here")
def test_a_limit_of_the_configuration_is_the_limit_of_a_submission(course: Path) -> None:
    released = nbformat.read(course / "submitted/student-01/ps1/p1.ipynb", as_version=4)
    find(released, "root").source = "def root(x):\n    return len(bytearray(300 * 2**20)) ** 0"
    _hand_in_again(course, released)
    _set(course, "c.TrustedExecute.limits = {'memory': 100 * 2**20}")
    nbgrader(course, "autograde", "ps1")
    page = (course / "autograded/student-01/ps1/p1.ipynb").read_text()
    assert "MemoryError" in page
    assert grades(course, "student-01")["test_root"] == (0, False)


def _hand_in_again(course: Path, notebook: nbformat.NotebookNode) -> None:
    (course / "submitted/student-01/ps1/p1.ipynb").write_text(nbformat.writes(notebook))


def test_a_limit_that_does_not_exist_is_named() -> None:
    config = Config({"TrustedExecute": {"limits": {"memroy": 1}}})
    with pytest.raises(TraitError, match=r"no limit 'memroy'; the limits are cell, cpu, file_size"):
        TrustedExecute(config=config)


def test_another_language_is_refused_where_protection_is_required(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kernel = tmp_path / "kernels" / "other"
    kernel.mkdir(parents=True)
    (kernel / "kernel.json").write_text(
        '{"argv": ["false", "{connection_file}"], "display_name": "Other", "language": "other"}'
    )
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    config = Config({"TrustedExecute": {"required": ["files"]}})
    notebook = nbformat.v4.new_notebook(
        metadata={"kernelspec": {"name": "other", "display_name": "Other"}}
    )
    about = {"assignment": "ps1", "student": "student-01", "notebook": "p1"}
    with pytest.raises(Unprotected, match=r"ps1/student-01/p1 is no Python notebook.*required = "):
        TrustedExecute(config=config).preprocess(notebook, {"nbgrader": about})
