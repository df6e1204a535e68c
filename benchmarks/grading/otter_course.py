"""The same class for otter-grader 7.0, in an environment of its own.

Otter's tests are the asserts that stock nbgrader gets (:mod:`asserts`), in its format of
functions that raise; its notebooks are the stock course's without the test cells.
"""

from __future__ import annotations

import json
import subprocess
import sys
import venv
import zipfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks.grading.asserts import ASSERTS
from benchmarks.grading.classes import ASSIGNMENT, NOTEBOOK, PreparedClass

OTTER = "otter-grader==7.0.0"
WITHIN = 300.0  # seconds for its installation
TEST = '''\
OK_FORMAT = False

from otter.test_files import test_case

name = "{name}"
points = 1


@test_case()
def {name}(env):
    exec(SOURCE, dict(env))


SOURCE = """
{source}
"""
'''
LOOP = Path(__file__).with_name("otter_loop.py")


class OtterMissing(Exception):
    """otter-grader cannot be had here; the message says why."""


@dataclass(frozen=True, slots=True)
class OtterCourse:
    """otter-grader's Python, its autograder archive, and the folder of submissions."""

    python: Path
    autograder: Path
    submitted: Path

    def command(self, result: Path, students: tuple[str, ...]) -> list[str]:
        places = (self.python, LOOP, self.autograder, self.submitted, result)
        return [*map(str, places), *students]


def install(folder: Path) -> Path:
    """otter-grader's own environment in ``folder``, which shares our packages; its Python.

    Raises OtterMissing where it cannot be installed.
    """
    python = folder / "bin" / "python"
    if not python.exists():
        venv.create(folder, with_pip=False)
        # torch and the rest are those of this environment: nothing large is installed twice.
        (own,) = folder.glob("lib/python*/site-packages")
        shared = [path for path in sys.path if path.endswith("-packages")]
        (own / "shared.pth").write_text("\n".join(shared) + "\n")
    if _runs(python):
        return python
    constraints = Path(__file__).resolve().parents[2] / "constraints.txt"
    command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    try:
        done = subprocess.run(
            [*command, "--constraint", str(constraints), OTTER],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=WITHIN,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise OtterMissing(f"pip did not install {OTTER} within {WITHIN:.0f} s") from None
    if not _runs(python):
        errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        why = errors[0].removeprefix("ERROR: ") if errors else "it cannot be imported"
        raise OtterMissing(f"{OTTER} could not be installed ({why})")
    return python


def _runs(python: Path) -> bool:
    command = [str(python), "-c", "import otter.api, torch"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def make_otter_class(folder: Path, python: Path, stock: PreparedClass) -> OtterCourse:
    """Otter's archive of tests and everybody's notebook, in ``folder``."""
    folder.mkdir()
    autograder = folder / "autograder.zip"
    with zipfile.ZipFile(autograder, "w") as archive:
        for name, source in ASSERTS.items():
            text = TEST.format(name=name, source=source.replace("\\", "\\\\").strip())
            archive.writestr(f"tests/{name}.py", text)
        # No PDF of each notebook and no printed summary: they would only cost it time.
        settings = {"pdf": False, "print_summary": False, "print_score": False, "logo": False}
        archive.writestr("otter_config.json", json.dumps(settings))
    for student in stock.students:
        notebook = stock.course.root / "submitted" / student / ASSIGNMENT / NOTEBOOK
        content = json.loads(notebook.read_text(encoding="utf-8"))
        content["cells"] = [
            cell
            for cell in content["cells"]
            if not cell["metadata"].get("nbgrader", {}).get("grade_id", "").startswith("test_")
        ]
        place = folder / "submitted" / student / NOTEBOOK
        place.parent.mkdir(parents=True)
        place.write_text(json.dumps(content), encoding="utf-8")
    return OtterCourse(python, autograder, folder / "submitted")
