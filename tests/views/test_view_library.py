"""BokehJS travels once with each kernel session, and again with the cell that carries it."""

from __future__ import annotations

import base64
import gzip
from types import SimpleNamespace

import bokeh
import nbclient
import nbformat
import pytest

from attention_course import views
from attention_course.views import library

LIBRARY_IS_IN = 400_000


@pytest.fixture
def notebook(monkeypatch):
    """A kernel's shell as far as the library looks at it; call it to run a cell."""
    shell = SimpleNamespace(kernel=object(), execution_count=0, user_ns={"In": [""]})

    def run(source: str, cell: str | None = None) -> None:
        shell.execution_count += 1
        shell.user_ns["In"].append(source)
        metadata = {"cellId": cell} if cell else {}
        shell.get_parent = lambda: {"metadata": metadata}

    monkeypatch.setattr(library, "_shell", lambda: shell)
    library.forget()
    yield run
    library.forget()


def test_the_library_inside_is_bokehs_own_of_the_installed_version():
    script = gzip.decompress(base64.b64decode(library.packed_library())).decode("utf-8")
    assert f'"{bokeh.__version__}"' in script
    assert library.library_version() == bokeh.__version__


def test_the_first_picture_carries_the_library_and_later_ones_do_not(notebook):
    notebook("first")
    assert [library.carries_the_library() for _ in range(3)] == [True, False, False]
    notebook("second")
    assert not library.carries_the_library()


@pytest.mark.parametrize("ids", [True, False], ids=["with cell ids", "without cell ids"])
def test_the_carrying_cell_carries_it_again_when_run_again(notebook, ids):
    notebook("first", "a" if ids else None)
    library.carries_the_library()
    notebook("second", "b" if ids else None)
    library.carries_the_library()
    notebook("first", "a" if ids else None)
    assert library.carries_the_library()
    notebook("second", "b" if ids else None)
    assert not library.carries_the_library()


def test_the_carrying_cell_is_known_by_its_id_when_its_text_has_changed(notebook):
    notebook("views.heatmap(w, tokens)", "a")
    library.carries_the_library()
    notebook("views.heatmap(w, tokens, title='Weights')", "a")
    assert library.carries_the_library()


def test_outside_a_notebook_every_picture_stands_alone(weights, tokens):
    view = views.heatmap(weights, tokens)
    for _ in range(2):
        assert len(view._repr_mimebundle_()["text/html"]) > LIBRARY_IS_IN


def test_a_view_without_panels_neither_needs_nor_claims_the_library(notebook, weights, tokens):
    notebook("a sentence only")
    assert len(views.View(sentence="Nothing to draw.")._repr_mimebundle_()["text/html"]) < 2000
    notebook("a picture")
    picture = views.heatmap(weights, tokens)._repr_mimebundle_()["text/html"]
    assert len(picture) > LIBRARY_IS_IN


@pytest.mark.slow
@pytest.mark.parametrize("ids", [True, False], ids=["with cell ids", "without cell ids"])
def test_a_carrying_cell_that_no_longer_draws_hands_the_library_on(ids):
    draw = "if w: display(views.heatmap(w, ['a', 'b']))"
    notebook = nbformat.v4.new_notebook()
    notebook.cells = [
        nbformat.v4.new_code_cell(source)
        for source in (
            "from attention_course import views\nw = [[0.25, 0.75], [0.5, 0.5]]",
            draw,
            "keep, w = w, None",
            draw,
            "w = keep",
            "display(views.flow(w, ['a', 'b']))",
            "display(views.flow(w, ['a', 'b']), views.compare(w, w, ['a', 'b']))",
        )
    ]
    client = nbclient.NotebookClient(notebook, timeout=120, kernel_name="python3")
    with client.setup_kernel():
        if ids:
            # What JupyterLab sends: the fourth cell is the second one, run again.
            send, names = client.kc.session.send, iter("abcbdef")

            def with_id(stream, message, *rest, **more):
                if isinstance(message, dict) and message["msg_type"] == "execute_request":
                    message["metadata"]["cellId"] = next(names)
                return send(stream, message, *rest, **more)

            client.kc.session.send = with_id
        for index, cell in enumerate(notebook.cells):
            client.execute_cell(cell, index)
    carried = [
        [len(output["data"]["text/html"]) > LIBRARY_IS_IN for output in cell.outputs]
        for cell in notebook.cells
    ]
    assert carried == [[], [True], [], [], [], [True], [False, False]]


@pytest.mark.slow
def test_an_executed_notebook_holds_the_library_once():
    notebook = nbformat.v4.new_notebook()
    notebook.cells = [
        nbformat.v4.new_code_cell(source)
        for source in (
            "from attention_course import views\nw = [[0.25, 0.75], [0.5, 0.5]]",
            "for _ in range(2):\n    display(views.heatmap(w, ['a', 'b']))",
            "views.flow(w, ['a', 'b'])",
            "views.compare(w, w, ['a', 'b'])",
        )
    ]
    nbclient.NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    sizes = [
        len(output["data"]["text/html"])
        for cell in notebook.cells
        for output in cell.outputs
        if "data" in output
    ]
    assert len(sizes) == 4
    assert [size > LIBRARY_IS_IN for size in sizes] == [True, False, False, False]
    assert all(size < 50_000 for size in sizes[1:])
