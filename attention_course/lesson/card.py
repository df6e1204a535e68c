"""One message to the student, as HTML for the notebook and as text that says the same.

The HTML takes its text colour from the page and tints with transparent colours, so that it
reads on dark and light alike; a symbol and a word carry the meaning, colour only repeats it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from html import escape
from typing import Any

MAX_MESSAGE = 2000  # a message may quote the student's own text, of any length


class Mood(Enum):
    """Symbol, word and colour (Okabe-Ito: told apart with any colour vision)."""

    PASSED = ("\N{CHECK MARK}", "Passed", "0, 158, 115")
    FAILED = ("\N{BALLOT X}", "Not yet", "213, 94, 0")
    UNGRADED = ("?", "Not checked", "204, 121, 167")
    WAITING = ("\N{HORIZONTAL ELLIPSIS}", "Waiting", "86, 180, 233")

    @property
    def symbol(self) -> str:
        return self.value[0]

    @property
    def word(self) -> str:
        return self.value[1]

    @property
    def rgb(self) -> str:
        return self.value[2]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a card's table: an exercise, how it stands, its points, what to know."""

    mood: Mood
    title: str
    points: str
    remark: str


@dataclass(frozen=True, slots=True)
class Card:
    """What is shown below a cell: plain words in, HTML and text out."""

    mood: Mood
    title: str
    points: str = ""
    paragraphs: tuple[str, ...] = ()
    shapes: tuple[tuple[str, str], ...] = ()
    next_step: str = ""
    small_print: tuple[str, ...] = ()
    rows: tuple[Row, ...] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)

    def _repr_mimebundle_(
        self, include: object = None, exclude: object = None
    ) -> tuple[dict[str, str], dict[str, Any]]:
        return {"text/html": self.html(), "text/plain": self.text()}, dict(self.metadata)

    def __repr__(self) -> str:
        return self.text()

    def html(self) -> str:
        rgb = self.mood.rgb
        parts = [
            f'<div role="status" class="attention-course-card" style="border-left: 6px solid '
            f"rgb({rgb}); background: rgba({rgb}, 0.09); color: inherit; padding: 0.6em 1em; "
            'margin: 0.3em 0; border-radius: 3px; max-width: 52em; line-height: 1.45;">',
            f'<div style="margin: 0 0 0.3em 0;"><strong>{_icon(self.mood)} {self.mood.word}'
            f"</strong>: {_escape(self.title)}",
            f' <span style="float: right; margin-left: 1em;"><strong>{_escape(self.points)}'
            "</strong></span>"
            if self.points
            else "",
            "</div>",
        ]
        parts += [_paragraph(_escape(text)) for text in self.paragraphs]
        if self.shapes:
            parts.append(
                _paragraph(
                    "<br>".join(
                        f"{_escape(label)}: <code>{_escape(shape)}</code>"
                        for label, shape in self.shapes
                    )
                )
            )
        if self.rows:
            parts.append(self._table())
        if self.next_step:
            parts.append(_paragraph(f"<strong>Next:</strong> {_escape(self.next_step)}"))
        parts += [
            _paragraph(f'<span style="font-size: 90%;">{_escape(text)}</span>')
            for text in self.small_print
        ]
        parts.append("</div>")
        return "".join(parts)

    def _table(self) -> str:
        cell = 'style="text-align: left; padding: 0.25em 0.8em 0.25em 0; vertical-align: top;"'
        head = "".join(
            f'<th scope="col" {cell}>{name}</th>'
            for name in ("Exercise", "Result", "Points", "Remark")
        )
        body = "".join(
            f'<tr><th scope="row" {cell}>{_escape(row.title)}</th>'
            f'<td {cell}><span style="white-space: nowrap;">{_icon(row.mood)} {row.mood.word}'
            f"</span></td><td {cell}>{_escape(row.points)}</td>"
            f"<td {cell}>{_escape(row.remark)}</td></tr>"
            for row in self.rows
        )
        return (
            '<table style="border-collapse: collapse; margin: 0.4em 0; color: inherit;">'
            f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        )

    def text(self) -> str:
        head = f"{self.mood.symbol} {self.mood.word}: {_clip(self.title)}"
        lines = [head + (f"   {self.points}" if self.points else "")]
        lines += [f"  {_indented(text)}" for text in self.paragraphs]
        lines += [f"  {label}: {shape}" for label, shape in self.shapes]
        if self.rows:
            width = max(len(row.title) for row in self.rows)
            lines += [
                f"  {row.mood.symbol} {row.title:<{width}}  {row.mood.word:<11}  "
                f"{row.points}  {_indented(row.remark)}".rstrip()
                for row in self.rows
            ]
        if self.next_step:
            lines.append(f"  Next: {_indented(self.next_step)}")
        lines += [f"  {_indented(text)}" for text in self.small_print]
        return "\n".join(lines)


def _icon(mood: Mood) -> str:
    # The word stands beside it, so a screen reader need not spell the symbol.
    return f'<span aria-hidden="true" style="font-weight: bold;">{mood.symbol}</span>'


def _paragraph(html: str) -> str:
    return f'<div style="margin: 0.3em 0;">{html}</div>'


def _clip(text: str) -> str:
    if len(text) <= MAX_MESSAGE:
        return text
    return f"{text[:MAX_MESSAGE]} … ({len(text) - MAX_MESSAGE} more characters)"


def _escape(text: str) -> str:
    """Safe as HTML, and one line of text stays one line; backticks become code."""
    safe = escape(_clip(text)).replace("\n", "<br>")
    pieces = safe.split("`")
    if len(pieces) % 2 == 0:  # an odd backtick is just a character
        return safe
    return "".join(
        f"<code>{piece}</code>" if index % 2 else piece for index, piece in enumerate(pieces)
    )


def _indented(text: str) -> str:
    return _clip(text).replace("\n", "\n  ")
