"""A view as a piece of HTML: offline, escaped, readable without scripts.

Without scripts (an untrusted notebook, a mail) the reader sees the title, the sentence, a
notice and the open table. The script folds the table and draws.
"""

from __future__ import annotations

import functools
import json
import uuid
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from attention_course.views.library import library_version, packed_library

if TYPE_CHECKING:
    from attention_course.views.view import Panel, View

MISSING = (
    "The picture could not be drawn here, so its numbers are below: trust the notebook, or run "
    "it again from its first picture (Restart Kernel and Run All Cells)."
)

# A page that strips styles from untrusted outputs shows its own tables instead.
STYLE = (
    ".attention-view table{border-collapse:collapse;font-size:90%;margin:0}"
    ".attention-view caption{text-align:left;padding:2px 0;color:inherit}"
    ".attention-view :is(th,td){padding:2px 8px;text-align:right;white-space:nowrap;"
    "border:1px solid rgba(127,127,127,.45)}"
    ".attention-view figure{margin:0;max-width:100%}"
    ".attention-view figcaption{font-weight:bold;padding-left:4px}"
    ".attention-view figure p{margin:0 0 .4em;padding-left:4px;font-size:85%;max-width:34em}"
    ".attention-view summary{cursor:pointer}"
    ".attention-view :focus-visible{outline:2px solid currentColor}"
)


def fragment(view: View, *, with_library: bool) -> str:
    """The HTML of one output. ``with_library``: BokehJS travels in it."""
    name = f"attention-{uuid.uuid4().hex[:12]}"
    title = f"<p><strong>{escape(view.title)}</strong></p>" if view.title else ""
    sentence = f"<p>{escape(view.sentence)}</p>" if view.sentence else ""
    facts = "".join(table.html() for table in view.facts)
    if not view.panels:
        tables = "".join(table.html() for table in view.tables)
        return (
            f'<div class="attention-view"><style>{STYLE}</style>{title}{sentence}{facts}{tables}'
            "</div>"
        )
    figures = "".join(_figure(panel) for panel in view.panels)
    tables = "".join(table.html() for table in view.tables)
    return (
        f'<div class="attention-view" data-attention-view="{name}" style="color:inherit">'
        f"<style>{STYLE}</style>{title}{sentence}{facts}"
        f'<div style="display:flex;flex-wrap:wrap;gap:8px 24px;align-items:flex-start">{figures}'
        "</div>"
        f'<p data-missing="" role="status"><em>{escape(MISSING)}</em></p>'
        f"<details open><summary>The same as a table</summary>{tables}</details></div>"
        f"<script>{_script(view, name, with_library)}</script>"
    )


def whole_page(view: View) -> str:
    """A page of its own, that follows the reader's light or dark setting."""
    title = escape(view.title or "Attention")
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        f'<meta name="color-scheme" content="light dark"><title>{title}</title></head>'
        f'<body style="font-family:sans-serif">{view.html()}</body></html>'
    )


def _figure(panel: Panel) -> str:
    # Heading and legend are words about a picture: the script writes them when it draws one.
    return (
        "<figure hidden><figcaption></figcaption>"
        f'<div data-panel="" data-heading="{escape(panel.heading)}" '
        f'data-legend="{escape(panel.legend)}" role="img" '
        f'aria-label="{escape(panel.description)}" style="overflow-x:auto"></div>'
        "<p></p></figure>"
    )


def _script(view: View, name: str, with_library: bool) -> str:
    return (
        _runtime()
        .replace("@VERSION@", library_version())
        .replace("@LIBRARY@", packed_library() if with_library else "")
        .replace("@ID@", name)
        # Last, and with every < written as an escape: no token can end the script element.
        .replace("@PICTURE@", _document(view).replace("<", "\\u003c"))
    )


def _document(view: View) -> str:
    """The panels as one Bokeh document, in JSON."""
    from bokeh.document import Document
    from bokeh.embed.util import OutputDocumentFor

    document = Document()
    figures = [panel.draw() for panel in view.panels]
    for figure in figures:
        document.add_root(figure)
    with OutputDocumentFor(figures):
        return json.dumps(document.to_json(deferred=False), separators=(",", ":"))


@functools.cache
def _runtime() -> str:
    """The script that every picture carries, without its comments and indentation."""
    source = (Path(__file__).parent / "runtime.js").read_text(encoding="utf-8")
    lines = (line.partition(" // ")[0].strip() for line in source.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("//"))
