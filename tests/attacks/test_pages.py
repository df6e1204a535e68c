"""No page that a grader looks at runs anything of a student's."""

from __future__ import annotations

from functools import cache
from html.parser import HTMLParser

import pytest
from nbconvert.exporters import HTMLExporter
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output, new_raw_cell
from traitlets.config import Config

from attention_course.grading.inert import InertPages, inert_html, inert_markdown

from .pages import PAGES

FORBIDDEN = {
    "script",
    "iframe",
    "svg",
    "form",
    "input",
    "style",
    "base",
    "meta",
    "link",
    "math",
    "object",
    "embed",
}


class Alive(HTMLParser):
    """Collects what a browser would run or fetch, between two marks of the page."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self.inside = False

    def handle_data(self, data: str) -> None:
        self.inside = (self.inside or "here it begins" in data) and "here it ends" not in data

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if not self.inside:
            return
        if tag in FORBIDDEN:
            self.found.append(tag)
        for name, value in attributes:
            text = "".join((value or "").split()).lower()
            if (
                name.startswith("on")
                or "javascript:" in text
                or "data:text" in text
                or "fixed" in text
            ):
                self.found.append(f"{tag} {name}={value}")


def shown(attack: object, guarded: bool = True) -> str:
    """The page of a notebook that holds the attack between two marks."""
    more, text = attack.more, attack.code  # type: ignore[attr-defined]
    output = more.get("output")
    cells = []
    if output is None and not more.get("error") and not more.get("stream"):
        cells = [
            new_markdown_cell(text),
            new_raw_cell(text, metadata={"raw_mimetype": "text/html"}),
        ]
    outputs = []
    if more.get("both"):
        outputs.append(
            new_output(
                "display_data", {"text/html": text}, metadata={"text/html": {"isolated": True}}
            )
        )
    if output:
        outputs.append(new_output("display_data", {output[0]: output[1]}))
    if more.get("error"):
        outputs.append(new_output("error", ename=text, evalue=text, traceback=[text]))
    if more.get("stream"):
        outputs.append(new_output("stream", text=text))
    begin, end = new_markdown_cell("here it begins"), new_markdown_cell("here it ends")
    notebook = new_notebook(cells=[begin, *cells, new_code_cell("1", outputs=outputs), end])
    return page_of(notebook, guarded)


def page_of(notebook: NotebookNode, guarded: bool = True) -> str:
    return str(exporter(guarded).from_notebook_node(notebook)[0])


@cache
def exporter(guarded: bool) -> HTMLExporter:
    config = Config()
    config.HTMLExporter.template_name = "classic"
    if guarded:
        config.HTMLExporter.preprocessors = [InertPages]
        config.HTMLExporter.filters = {"markdown2html": inert_markdown}
    return HTMLExporter(config=config)


@pytest.mark.parametrize("name", PAGES.names())
def test_a_page_runs_nothing_of_a_students(name: str) -> None:
    page = Alive()
    page.feed(shown(PAGES[name]))
    assert page.found == []


def test_the_same_pages_are_alive_without_the_guard() -> None:
    alive = Alive()
    for attack in PAGES:
        alive.feed(shown(attack, guarded=False))
    assert {"script", "svg", "iframe", "form"} <= set(alive.found)


def test_tables_pictures_and_formatted_text_stay() -> None:
    table = '<table><tr><td colspan="2"><b>0.5</b></td></tr></table>'
    assert 'colspan="2"><b>0.5</b>' in inert_html(table)
    assert "data:image/png" in inert_html('<img src="data:image/png;base64,AA">')


def test_hints_formulas_and_pasted_pictures_of_a_lesson_stay() -> None:
    text = (
        "# Why\n\n<details><summary>Hint</summary>**x**</details>\n\n$a < b$ ![p](attachment:p.png)"
    )
    cell = new_markdown_cell(text, attachments={"p.png": {"image/png": "AAAA"}})
    page = page_of(new_notebook(cells=[cell]))
    for kept in ("<details>", "<summary>", "<h1", "a &lt; b", "data:image/png;base64,AAAA"):
        assert kept in page
