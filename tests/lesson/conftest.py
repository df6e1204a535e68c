"""The master and released notebooks, read once, and a way to run one in a folder of its own."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = {"attention": "lesson", "attention_basics": "attention_basics"}


def notebook_path(kind: str, assignment: str) -> Path:
    return ROOT / kind / assignment / f"{NOTEBOOKS[assignment]}.ipynb"


@pytest.fixture(scope="session")
def masters():
    return {name: nbformat.read(notebook_path("source", name), 4) for name in NOTEBOOKS}


@pytest.fixture(scope="session")
def releases():
    return {name: nbformat.read(notebook_path("release", name), 4) for name in NOTEBOOKS}


@pytest.fixture
def run_notebook(tmp_path):
    """Run a notebook to its last cell, errors not allowed, beside copies of its files."""

    def run(kind, assignment, change=None):
        folder = tmp_path / kind / assignment
        shutil.copytree(ROOT / kind / assignment, folder)
        notebook = nbformat.read(folder / f"{NOTEBOOKS[assignment]}.ipynb", 4)
        if change is not None:
            change(notebook, folder)
        # Names and shapes at the end, said by the kernel itself.
        notebook.cells.append(nbformat.v4.new_code_cell(NAMES_AT_THE_END))
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
        client = NotebookClient(
            notebook, timeout=300, resources={"metadata": {"path": str(folder)}}, allow_errors=False
        )
        client.execute(env=environment)
        return notebook, folder

    return run


NAMES_AT_THE_END = """
import json as _json
print(_json.dumps({
    name: list(value.shape) if hasattr(value, "shape") else value if isinstance(value, list) else ""
    for name, value in list(globals().items()) if not name.startswith("_")
}, default=str))
"""


def outputs_of(cell, mime="text/plain"):
    """What a run cell shows: display data and results, printed text as text/plain."""
    found = []
    for output in cell.outputs:
        if output.output_type == "stream" and mime == "text/plain":
            found.append(output.text)
        elif mime in output.get("data", {}):
            found.append(output.data[mime])
    return found


def records_of(notebook):
    """The verdict records that the checks of a run notebook left in their outputs."""
    return [
        output.metadata["attention_course"]
        for cell in notebook.cells
        if cell.cell_type == "code"
        for output in cell.outputs
        if "attention_course" in output.get("metadata", {})
    ]
