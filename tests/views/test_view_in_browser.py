"""Views in Chromium, offline: drawn, dressed for dark and light, replaced where they cannot be."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch

from attention_course import views
from attention_course.views.embedding import fragment

pytestmark = [pytest.mark.browser, pytest.mark.slow]

DARK, LIGHT = "#111111", "#ffffff"


@pytest.fixture
def opened(chromium, tmp_path: Path):
    """Open pieces of HTML as one page from disk, with no network; problems are collected."""
    contexts = []

    def open_page(*pieces: str, background: str = LIGHT, ink: str = "#000000", scripts=True):
        context = chromium.new_context(java_script_enabled=scripts, offline=True)
        contexts.append(context)
        page = context.new_page()
        page.problems = []
        page.on("pageerror", lambda error: page.problems.append(str(error)))
        page.on(
            "console",
            lambda line: line.type in ("error", "warning") and page.problems.append(line.text),
        )
        page.on("request", lambda r: r.url.startswith("http") and page.problems.append(r.url))
        path = tmp_path / "page.html"
        path.write_text(
            '<!DOCTYPE html><html><head><meta charset="utf-8"></head>'
            f'<body style="background:{background};color:{ink}">{"".join(pieces)}</body></html>',
            encoding="utf-8",
        )
        page.goto(path.as_uri())
        return page

    yield open_page
    for context in contexts:
        context.close()


DRAWN = (
    "() => [...document.querySelectorAll('[data-panel]')].every(p => p.firstElementChild) && "
    "[...document.querySelectorAll('[data-missing]')].every(n => n.hidden)"
)


def test_all_views_of_a_page_draw_with_the_library_in_the_first_only(
    opened, weights, projections, tokens
):
    made = [
        views.heatmap(weights, tokens),
        views.flow(weights, tokens),
        views.steps(*projections, tokens),
        views.compare(weights, weights + 0.01, tokens),
    ]
    page = opened(*(fragment(view, with_library=i == 0) for i, view in enumerate(made)))
    page.wait_for_function(DRAWN)
    assert page.locator("[data-panel]").count() == 9
    assert page.locator("details[open]").count() == 0
    captions = page.locator("figcaption").all_inner_texts()
    assert "3. Weights: softmax of each row" in captions and "Yours minus reference" in captions
    assert page.get_by_text("An arrow leads from a token that looks").is_visible()
    assert page.problems == []


def test_a_picture_before_the_one_that_carries_the_library_waits_for_it(opened, weights, tokens):
    view = views.heatmap(weights, tokens)
    page = opened(fragment(view, with_library=False), fragment(view, with_library=True))
    page.wait_for_function(DRAWN)
    assert page.problems == []


@pytest.mark.parametrize(("background", "ink"), [(LIGHT, "#000000"), (DARK, "#eeeeee")])
def test_labels_take_the_colour_of_the_pages_text(opened, weights, tokens, background, ink):
    view = views.flow(weights, tokens)
    heat = views.heatmap(weights, tokens)
    page = opened(view.html(), heat.html(), background=background, ink=ink)
    page.wait_for_function(DRAWN)
    page.wait_for_timeout(200)
    colours = page.evaluate(
        "() => Bokeh.documents.flatMap(d => [...d.all_models]).flatMap(m => m.tags.includes('ink')"
        " ? [m.text_color.value] : 'axis_label_text_color' in m.properties"
        " ? [m.axis_label_text_color.value ?? m.axis_label_text_color] : [])"
    )
    expected = f"rgb({', '.join(str(int(ink[i : i + 2], 16)) for i in (1, 3, 5))})"
    assert len(colours) >= 8
    assert set(colours) == {expected}


def test_a_change_of_theme_is_followed(opened, weights, tokens):
    page = opened(views.heatmap(weights, tokens).html())
    page.wait_for_function(DRAWN)
    page.evaluate(
        "() => { document.body.style.color = 'rgb(1, 2, 3)';"
        " document.body.dataset.jpThemeLight = 'false'; }"
    )
    page.wait_for_function(
        "() => [...Bokeh.documents[0].all_models].some("
        "m => JSON.stringify(m.axis_label_text_color ?? '').includes('rgb(1, 2, 3)'))"
    )


def test_without_the_library_the_table_stands_in_with_one_sentence(opened, weights, tokens):
    page = opened(fragment(views.heatmap(weights, tokens), with_library=False))
    page.wait_for_selector("details[open]", timeout=20_000)
    assert page.locator("[data-missing]").is_visible()
    assert "run it again from its first picture" in page.locator("[data-missing]").inner_text()
    assert page.locator("table").is_visible()
    assert not page.locator("figure").is_visible()


def test_a_library_that_comes_late_still_draws(opened, weights, tokens):
    late = fragment(views.heatmap(weights, tokens), with_library=True)
    page = opened(fragment(views.flow(weights, tokens), with_library=False))
    page.wait_for_selector("details[open]", timeout=20_000)
    markup, script = re.fullmatch(r"(.*)<script>(.*)</script>", late, re.DOTALL).groups()
    page.evaluate("markup => document.body.insertAdjacentHTML('beforeend', markup)", markup)
    page.evaluate("script => (0, eval)(script)", script)
    page.wait_for_function(DRAWN, timeout=20_000)


def test_without_scripts_everything_is_there_to_read(opened, weights, tokens):
    page = opened(views.heatmap(weights, tokens).html(), scripts=False)
    assert page.locator("[data-missing]").is_visible()
    assert page.locator("table").is_visible()
    assert not page.locator("figure").is_visible()


def test_an_output_put_into_the_page_after_its_script_ran_is_found(opened, weights, tokens):
    html = views.heatmap(weights, tokens).html()
    markup, script = re.fullmatch(r"(.*)<script>(.*)</script>", html, re.DOTALL).groups()
    page = opened("<p>empty</p>")
    page.evaluate("script => (0, eval)(script)", script)
    page.evaluate("markup => document.body.insertAdjacentHTML('beforeend', markup)", markup)
    page.wait_for_function(
        f"() => document.querySelector('[data-panel]') && ({DRAWN})()", timeout=20_000
    )


def test_the_pointer_reads_tokens_and_value_and_a_token_is_never_run(opened):
    hostile = "<img src=x onerror=window.hacked=1>"
    matrix = torch.tensor([[0.125, 0.875], [0.5, 0.5]])
    page = opened(views.heatmap(matrix, [hostile, "b"]).html())
    page.wait_for_function(DRAWN)
    page.wait_for_timeout(300)
    frame = page.evaluate(
        "() => { const place = document.querySelector('[data-panel]').getBoundingClientRect();"
        " const plot = Object.values(Bokeh.index)[0] ?? [...Bokeh.index][0];"
        " const box = plot.frame.bbox; return {x: place.x + box.left + 10,"
        " y: place.y + box.top + 10}; }"
    )
    page.mouse.move(frame["x"], frame["y"])
    page.mouse.move(frame["x"] + 2, frame["y"] + 2)
    page.wait_for_timeout(500)
    said = page.locator(".bk-tooltip-content").first.text_content()
    assert hostile in said and "0.125" in said and "query (looks)" in said
    assert page.evaluate("() => window.hacked") is None


def test_the_table_opens_with_the_keyboard(opened, weights, tokens):
    page = opened(views.heatmap(weights, tokens).html())
    page.wait_for_function(DRAWN)
    for _ in range(6):
        page.keyboard.press("Tab")
        if page.evaluate("() => document.activeElement.tagName") == "SUMMARY":
            break
    page.keyboard.press("Enter")
    page.wait_for_selector("details[open]")
    page.keyboard.press("Tab")
    assert page.evaluate("() => document.activeElement.getAttribute('role')") == "region"
