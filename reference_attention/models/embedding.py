"""A Bokeh figure as a piece of HTML that needs no network, today or from a saved notebook.

BokehJS travels with the picture, compressed to about 0.5 MB, and is unpacked by the browser only
where the page does not have it yet. Beside each figure stands the same content as text, for
readers who do not see pictures and for pages whose scripts are not trusted.
"""

from __future__ import annotations

import base64
import functools
import gzip
import html
import json
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bokeh.model import Model

_SCRIPT = """
(async () => {
  const root = document.getElementById("@ID@");
  if (!window.Bokeh) {
    // One load for all pictures of a page, however many ask at once.
    window.__attentionBokeh ??= (async () => {
      const packed = Uint8Array.from(atob("@LIBRARY@"), c => c.charCodeAt(0));
      const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
      const text = await new Response(stream).text();
      const define = window.define;  // RequireJS would take the library for one of its own
      window.define = undefined;
      try { (0, eval)(text); } finally { window.define = define; }
    })();
    await window.__attentionBokeh;
  }
  const item = @ITEM@;
  const place = root.querySelector(".attention-plot");
  place.id = item.target_id = "@ID@-plot";
  await window.Bokeh.embed.embed_item(item);
  const plot = window.Bokeh.documents.find(d => d.get_model_by_name("@ID@"));
  @AFTER@
})();
"""


@functools.cache
def _library() -> str:
    import bokeh

    script = Path(bokeh.__file__).parent / "server" / "static" / "js" / "bokeh.min.js"
    # mtime 0: the same library gives the same text, and a saved notebook the same bytes.
    return base64.b64encode(gzip.compress(script.read_bytes(), 9, mtime=0)).decode()


@dataclass(frozen=True)
class Picture:
    """A figure for the notebook: ``text`` says the same in words, ``table`` in numbers.

    ``controls`` is HTML shown above the figure, and ``after`` JavaScript that wires it; there
    ``root`` is the picture's element and ``plot`` its Bokeh document.
    """

    figure: Model
    text: str
    table: str
    controls: str = ""
    after: str = ""

    def html(self) -> str:
        """A fragment for a notebook's output, self-contained."""
        from bokeh.embed import json_item

        name = f"attention-{uuid.uuid4().hex[:12]}"
        self.figure.name = name
        item = json.dumps(json_item(self.figure))
        script = (
            _SCRIPT.replace("@LIBRARY@", _library())
            .replace("@AFTER@", self.after)
            # Nothing inside the data may end the script element.
            .replace("@ITEM@", item.replace("</", "<\\/"))
            .replace("@ID@", name)
        )
        return (
            f'<div id="{name}" class="attention-picture"><p>{html.escape(self.text)}</p>'
            f'{self.controls}<div class="attention-plot"></div>'
            f"<details><summary>The same as a table</summary>{self.table}</details></div>"
            f"<script>{script}</script>"
        )

    def page(self) -> str:
        """A whole HTML page, to be written to a file."""
        return (
            '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
            f"<title>Attention</title></head><body>{self.html()}</body></html>"
        )

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return {"text/html": self.html(), "text/plain": self.text}


def html_table(header: list[str], rows: list[list[str]], caption: str) -> str:
    """An HTML table whose first column names its rows."""
    head = "".join(f'<th scope="col">{html.escape(cell)}</th>' for cell in header)
    body = "".join(
        f'<tr><th scope="row">{html.escape(first)}</th>'
        + "".join(f"<td>{html.escape(cell)}</td>" for cell in rest)
        + "</tr>"
        for first, *rest in rows
    )
    return (
        f"<table><caption>{html.escape(caption)}</caption>"
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    )
