"""A submitted notebook is rebuilt around the instructor's cells, whatever was done to it."""

from __future__ import annotations

import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from attention_course.grading.rebuild import AnotherNotebook, SourceCell, rebuild

SOURCES = [
    SourceCell("setup", "code", "import torch", locked=True),
    SourceCell("one", "code", "def one():\n    raise NotImplementedError()", solution=True),
    SourceCell("test_one", "code", "assert one() == 1", grade=True, locked=True, points=1.0),
    SourceCell("two", "code", "def two():\n    raise NotImplementedError()", solution=True),
    SourceCell("test_two", "code", "assert two() == 2", grade=True, locked=True, points=1.0),
    SourceCell("essay", "markdown", "Your words.", grade=True, solution=True, points=2.0),
    SourceCell("quality", "markdown", "Quality", task=True, locked=True, points=2.0),
]


def submitted() -> NotebookNode:
    cells = []
    for source in SOURCES:
        new = new_code_cell if source.cell_type == "code" else new_markdown_cell
        text = (
            f"def {source.grade_id}(): return '{source.grade_id}'"
            if source.solution
            else source.source
        )
        cells.append(new(text, metadata={"nbgrader": source.metadata()}))
    cells.insert(2, new_code_cell("print('my own cell')"))
    return new_notebook(cells=cells)


def ids(notebook: NotebookNode) -> list[str | None]:
    return [c.metadata.get("nbgrader", {}).get("grade_id") for c in notebook.cells]


def source_of(notebook: NotebookNode, name: str) -> str:
    return next(
        c.source for c in notebook.cells if c.metadata.get("nbgrader", {}).get("grade_id") == name
    )


def index(notebook: NotebookNode, name: str) -> int:
    return ids(notebook).index(name)


EXPECTED = ["setup", "one", None, "test_one", "two", "test_two", "essay", "quality"]


def test_an_untouched_submission_is_left_as_it_is() -> None:
    notebook = submitted()
    before = [c.source for c in notebook.cells]
    assert rebuild(notebook, SOURCES) == []
    assert ids(notebook) == EXPECTED and [c.source for c in notebook.cells] == before


@pytest.mark.parametrize("name", ["test_one", "setup", "quality", "test_two"])
def test_a_deleted_cell_of_the_instructors_is_put_back_in_its_place(name: str) -> None:
    notebook = submitted()
    del notebook.cells[index(notebook, name)]
    changes = rebuild(notebook, SOURCES)
    assert [c.grade_id for c in changes] == [name] and "put back" in changes[0].what
    found = [i for i in ids(notebook) if i]
    assert found == [i for i in EXPECTED if i]


def test_a_deleted_answer_leaves_a_gap_that_hides_nothing() -> None:
    notebook = submitted()
    one = index(notebook, "one")
    text = notebook.cells[one].source
    del notebook.cells[one]
    notebook.cells.insert(0, new_code_cell("def helper(): pass\n" + text))
    rebuild(notebook, SOURCES)
    # The student's definition stands in another cell: it is that exercise's answer.
    assert "def one" in source_of(notebook, "one")
    assert "NotImplementedError" not in "".join(c.source for c in notebook.cells)


def test_an_answer_that_is_nowhere_is_said_to_be_missing() -> None:
    notebook = submitted()
    del notebook.cells[index(notebook, "one")]
    rebuild(notebook, SOURCES)
    assert source_of(notebook, "one") == "# This cell was missing from the submission."


def test_a_renamed_answer_is_recognised_by_what_it_defines() -> None:
    notebook = submitted()
    notebook.cells[index(notebook, "one")].metadata.nbgrader.grade_id = "something"
    rebuild(notebook, SOURCES)
    assert source_of(notebook, "one") == "def one(): return 'one'"
    assert ids(notebook) == EXPECTED


def test_a_renamed_test_counts_as_deleted() -> None:
    notebook = submitted()
    cell = notebook.cells[index(notebook, "test_one")]
    cell.metadata.nbgrader.grade_id, cell.source = "mine", "pass"
    rebuild(notebook, SOURCES)
    assert source_of(notebook, "test_one") == "assert one() == 1"


def test_of_a_duplicated_answer_the_last_one_counts_and_both_run() -> None:
    notebook = submitted()
    one = index(notebook, "one")
    copy = new_code_cell("def one(): return 'later'", metadata=dict(notebook.cells[one].metadata))
    notebook.cells.insert(one + 1, copy)
    rebuild(notebook, SOURCES)
    assert source_of(notebook, "one") == "def one(): return 'later'"
    assert [i for i in ids(notebook) if i] == [i for i in EXPECTED if i]
    assert any(c.source == "def one(): return 'one'" for c in notebook.cells)


def test_a_duplicated_test_runs_once() -> None:
    notebook = submitted()
    place = index(notebook, "test_one")
    notebook.cells.insert(place, notebook.cells[place].copy())
    rebuild(notebook, SOURCES)
    assert sum(c.source == "assert one() == 1" for c in notebook.cells) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"points": 99.0},
        {"grade": False},
        {"locked": False},
        {"solution": True},
        {"task": True},
        {"checksum": "0"},
        {"schema_version": 1},
        {"cell_type": "markdown"},
    ],
)
def test_metadata_of_the_submission_counts_for_nothing(change: dict[str, object]) -> None:
    notebook = submitted()
    cell = notebook.cells[index(notebook, "test_one")]
    cell.metadata.nbgrader.update(change)
    cell.metadata["tags"] = ["skip-execution"]
    rebuild(notebook, SOURCES)
    cell = notebook.cells[index(notebook, "test_one")]
    assert dict(cell.metadata.nbgrader) == SOURCES[2].metadata()
    assert "tags" not in cell.metadata


def test_an_edited_test_is_the_instructors_again() -> None:
    notebook = submitted()
    notebook.cells[index(notebook, "test_one")].source = "pass"
    changes = rebuild(notebook, SOURCES)
    assert source_of(notebook, "test_one") == "assert one() == 1"
    assert "edited" in changes[0].what


def test_a_test_that_was_moved_up_is_back_behind_its_answer() -> None:
    notebook = submitted()
    cell = notebook.cells.pop(index(notebook, "test_one"))
    notebook.cells.insert(0, cell)
    rebuild(notebook, SOURCES)
    assert index(notebook, "test_one") > index(notebook, "one")
    assert index(notebook, "test_one") < index(notebook, "test_two")


def test_a_cell_of_another_type_has_its_type_back() -> None:
    notebook = submitted()
    one, check = index(notebook, "one"), index(notebook, "test_one")
    for place in (one, check):
        cell = notebook.cells[place]
        notebook.cells[place] = new_markdown_cell(cell.source, metadata=cell.metadata)
    rebuild(notebook, SOURCES)
    assert notebook.cells[index(notebook, "one")].cell_type == "code"
    assert notebook.cells[index(notebook, "test_one")].outputs == []


def test_a_notebook_without_any_metadata_is_graded_by_what_it_defines() -> None:
    notebook = submitted()
    for cell in notebook.cells:
        cell.metadata = NotebookNode()
    rebuild(notebook, SOURCES)
    assert source_of(notebook, "two") == "def two(): return 'two'"
    assert index(notebook, "test_two") > index(notebook, "two")


def test_another_assignments_notebook_is_refused_in_one_sentence() -> None:
    strange = [new_code_cell("x = 1", metadata={"nbgrader": {"grade_id": "other"}})]
    with pytest.raises(AnotherNotebook, match=r"none of its exercise cells \(other\)"):
        rebuild(new_notebook(cells=strange), SOURCES)


def test_cell_ids_are_unique_afterwards() -> None:
    notebook = submitted()
    for cell in notebook.cells:
        cell["id"] = "same"
    rebuild(notebook, SOURCES)
    assert len({c["id"] for c in notebook.cells}) == len(notebook.cells)
