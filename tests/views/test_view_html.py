"""The HTML of a view: complete, offline, escaped, readable without its script."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
import torch

from attention_course import views
from attention_course.views.embedding import fragment

# Measured: 14 KB (heatmap), 28 KB (flow), 52 KB (steps), 35 KB (compare); BokehJS 468 KB.
SIZES = {"heatmap": 20_000, "flow": 36_000, "steps": 64_000, "compare": 44_000}
LIBRARY = 480_000


@pytest.fixture
def all_views(weights, projections, tokens):
    return {
        "heatmap": views.heatmap(weights, tokens, title="Weights"),
        "flow": views.flow(weights, tokens),
        "steps": views.steps(*projections, tokens),
        "compare": views.compare(weights, weights + 0.01, tokens),
    }


each_view = pytest.mark.parametrize("kind", list(SIZES))


@each_view
def test_nothing_is_fetched(all_views, read_back, kind):
    page = read_back(all_views[kind].page())
    assert not page.all("link")
    assert all("src" not in script for script in page.all("script"))
    own = read_back(fragment(all_views[kind], with_library=False))
    assert not any(re.search(r"https?://", script) for script in own.scripts)
    assert not any(
        value and re.search(r"https?://", value)
        for _, attributes in page.tags
        for value in attributes.values()
    )


@each_view
def test_a_picture_stays_small_and_the_library_below_half_a_megabyte(all_views, kind):
    bare = len(fragment(all_views[kind], with_library=False))
    assert bare < SIZES[kind]
    assert len(fragment(all_views[kind], with_library=True)) - bare < LIBRARY


@each_view
def test_without_scripts_the_notice_shows_and_the_table_is_open(all_views, read_back, kind):
    page = read_back(fragment(all_views[kind], with_library=True))
    (details,) = page.all("details")
    assert "open" in details
    (notice,) = [tag for tag in page.all("p") if "data-missing" in tag]
    assert "hidden" not in notice
    assert "trust the notebook, or run it again" in page.text
    assert all("hidden" in figure for figure in page.all("figure"))
    # A front end that cleans untrusted outputs may drop "hidden": then no words may be in them.
    assert "Colour:" not in page.text and "An arrow" not in page.text


@each_view
def test_each_panel_says_what_it_shows_to_who_cannot_see_it(all_views, read_back, kind):
    page = read_back(fragment(all_views[kind], with_library=False))
    panels = [tag for tag in page.all("div") if "data-panel" in tag]
    assert len(panels) == len(all_views[kind].panels)
    for panel in panels:
        assert panel["role"] == "img"
        assert len(panel["aria-label"]) > 40


@each_view
def test_tables_have_captions_and_header_cells_with_a_scope(all_views, read_back, kind):
    page = read_back(fragment(all_views[kind], with_library=False))
    assert len(page.all("caption")) == len(page.tables) == len(all_views[kind].tables)
    assert {header["scope"] for header in page.all("th")} == {"row", "col"}


@each_view
def test_wide_tables_can_be_scrolled_by_keyboard(all_views, read_back, kind):
    page = read_back(fragment(all_views[kind], with_library=False))
    regions = [tag for tag in page.all("div") if tag.get("role") == "region"]
    assert len(regions) == len(page.tables)
    assert all(region["tabindex"] == "0" and region["aria-label"] for region in regions)


@each_view
def test_colours_and_arrows_are_explained_in_words(all_views, read_back, kind):
    page = read_back(fragment(all_views[kind], with_library=False))
    legends = [tag["data-legend"] for tag in page.all("div") if "data-panel" in tag]
    for legend in legends:
        assert legend.startswith(("Colour: ", "An arrow leads from a token that looks"))


def test_axes_say_that_rows_are_queries_and_columns_keys(all_views):
    figure = all_views["heatmap"].panels[0].draw()
    assert figure.yaxis[0].axis_label.startswith("query")
    assert figure.xaxis[0].axis_label.startswith("key")
    assert "Rows are queries, columns are keys." in all_views["heatmap"].sentence


HOSTILE = ["</script><b>", "<img src=x onerror=alert(1)>", "&amp;", "\"'", "<!--", "@ID@"]


@pytest.mark.parametrize("kind", ["heatmap", "flow", "steps", "compare"])
def test_tokens_and_titles_cannot_become_markup(weights, projections, read_back, kind):
    title = "<b>bold</b></script>"
    view = {
        "heatmap": lambda: views.heatmap(weights, HOSTILE, title=title),
        "flow": lambda: views.flow(weights, HOSTILE, title=title),
        "steps": lambda: views.steps(*projections, HOSTILE, title=title),
        "compare": lambda: views.compare(weights, weights, HOSTILE, title=title),
    }[kind]()
    html = fragment(view, with_library=False)
    page = read_back(html)
    assert not page.all("img") and not page.all("b")
    assert len(page.scripts) == 1 and html.endswith("})();</script>")
    assert "<" not in _picture(page.scripts[0])
    assert title in page.text
    assert page.tables[0][1][0] == HOSTILE[0]


def _picture(script: str) -> str:
    """The JSON of the figures inside the script."""
    return re.search(r"PICTURE = (\{.*?\}), PACKED", script, re.DOTALL).group(1)


def test_the_same_view_shown_twice_has_two_names(weights, tokens):
    view = views.heatmap(weights, tokens)
    names = [re.search(r'data-attention-view="([^"]+)"', view.html()).group(1) for _ in range(2)]
    assert names[0] != names[1]


def test_importing_views_loads_neither_bokeh_nor_torch():
    code = (
        "import sys, attention_course.views; "
        "print([name for name in ('bokeh', 'torch', 'IPython') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_making_a_view_from_arrays_loads_no_bokeh_until_it_is_shown():
    code = (
        "import sys, attention_course.views as views\n"
        "view = views.heatmap([[1.0, 0.0], [0.5, 0.5]], ['a', 'b'])\n"
        "view.text()\n"
        "print('bokeh' in sys.modules, 'torch' in sys.modules)\n"
        "view.html()\n"
        "print('bokeh' in sys.modules, 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False", "True", "False"]


@pytest.mark.parametrize("kind", list(SIZES))
def test_nothing_is_drawn_while_a_submission_is_graded(monkeypatch, kind):
    monkeypatch.setenv("ATTENTION_COURSE_SANDBOX", "1")
    wrong = torch.zeros(3, 5, 7)  # not even looked at
    view = {
        "heatmap": lambda: views.heatmap(wrong, None),
        "flow": lambda: views.flow(wrong, None),
        "steps": lambda: views.steps(wrong, wrong, wrong, None),
        "compare": lambda: views.compare(wrong, None, None),
    }[kind]()
    assert view._repr_mimebundle_() == {
        "text/plain": "(pictures are not drawn while a submission is graded)"
    }
    assert view.html() == ""


def test_a_view_made_before_grading_is_not_drawn_in_it_either(monkeypatch, weights, tokens):
    view = views.heatmap(weights, tokens)
    monkeypatch.setenv("ATTENTION_COURSE_SANDBOX", "1")
    assert list(view._repr_mimebundle_()) == ["text/plain"]
