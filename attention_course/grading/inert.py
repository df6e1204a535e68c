"""Pages for graders on which nothing of a student's is alive.

The formgrader and the feedback show notebooks as HTML. A student's output or markdown cell
could bring a script to them, which would act with the rights of whoever looks: set a mark, say.
``nbgrader_config.py`` puts both halves into the exporter of these pages::

    c.HTMLExporter.preprocessors = [InertPages]
    c.HTMLExporter.filters = {"markdown2html": inert_markdown}
"""

from __future__ import annotations

import re
from typing import Any

import bleach
from bleach.css_sanitizer import CSSSanitizer
from jinja2 import pass_context
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from nbconvert.preprocessors import Preprocessor
from nbformat import NotebookNode

TAGS = frozenset(
    {"a", "b", "blockquote", "br", "caption", "code", "col", "colgroup", "dd", "del", "details",
     "div", "dl", "dt", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "img", "ins", "kbd",
     "li", "mark", "ol", "p", "pre", "q", "s", "samp", "small", "span", "strong", "sub", "summary",
     "sup", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "tt", "u", "ul", "var"}
)  # fmt: skip
ATTRIBUTES = {
    "*": ["class", "style", "title", "lang", "dir"],
    "a": ["href"],
    "img": ["src", "alt", "width", "height"],
    "td": ["colspan", "rowspan"],
    "th": ["colspan", "rowspan", "scope"],
    "details": ["open"],
    "ol": ["start"],
}
STYLES = CSSSanitizer(
    allowed_css_properties=["color", "background-color", "font-weight", "font-style", "text-align"]
)
IMAGES = ("image/png", "image/jpeg", "image/gif")
# A tag begins with a letter, a slash or a mark; these commands of formulas make links and styles.
TAG = re.compile(r"<(?=[A-Za-z/!?])")
COMMAND = re.compile(r"\\(?=(?:href|require|style|class|cssId|html|data|unicode|includegraphics))")
LINK = re.compile(r"(?:java|vb)script\s*:|data\s*:\s*text", re.IGNORECASE)
JOINER = "\u2060"  # not to be seen: "<" and this begin no tag


class InertPages(Preprocessor):
    """Takes what is alive out of outputs and raw cells."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**{**settings, "enabled": True})

    def preprocess_cell(
        self, cell: NotebookNode, resources: Any, cell_index: int
    ) -> tuple[NotebookNode, Any]:
        if cell.cell_type == "code":
            cell.outputs = [inert_output(output) for output in cell.get("outputs", [])]
        elif cell.cell_type == "raw":
            cell.metadata.pop("raw_mimetype", None)
        return cell, resources


@pass_context
def inert_markdown(context: Any, source: str) -> str:
    """nbconvert's ``markdown2html`` with only harmless tags left, for comments and cells alike."""
    attachments = context.get("cell", {}).get("attachments", {})
    renderer = IPythonRenderer(escape=False, attachments=attachments)
    return inert_html(MarkdownWithMath(renderer=renderer).render(source))


def inert_output(output: NotebookNode) -> NotebookNode:
    """An output with plain pictures, formulas, text and tables; everything else is left out."""
    if "data" not in output:
        return output  # streams and errors are shown as text
    kept: dict[str, Any] = {}
    for kind, value in output["data"].items():
        if kind in ("text/plain", "application/json") or kind in IMAGES:
            kept[kind] = value
        elif kind == "text/html":
            kept[kind] = inert_html(_text(value))
        elif kind in ("text/markdown", "text/latex"):
            kept[kind] = _inert_text(_text(value))
    output["data"] = NotebookNode(kept or {"text/plain": "(not shown here)"})
    output["metadata"] = NotebookNode()
    return output


def inert_html(text: str) -> str:
    """``text`` with the tags and attributes of tables and formatted text only."""
    cleaned = bleach.clean(
        text,
        tags=TAGS,
        attributes=ATTRIBUTES,
        protocols=["http", "https", "mailto", "data"],
        strip=True,
        css_sanitizer=STYLES,
    )
    return LINK.sub("#", COMMAND.sub("\\\\" + JOINER, str(cleaned)))


def _inert_text(text: str) -> str:
    """``text`` that looks the same and holds no tags, and no links that are code."""
    text = TAG.sub("<" + JOINER, text)
    return LINK.sub("#", COMMAND.sub("\\\\" + JOINER, text))


def _text(value: Any) -> str:
    return "".join(map(str, value)) if isinstance(value, list) else str(value)
