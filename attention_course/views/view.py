"""A picture for the notebook: panels to draw, a sentence, and the same numbers as tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from attention_course.views.matrices import drawing_is_off
from attention_course.views.table import Table

NOT_DRAWN = "(pictures are not drawn while a submission is graded)"


@dataclass(frozen=True, slots=True)
class Panel:
    """One drawing: a heading, what it shows for who cannot see it, how to read its colours.

    ``draw`` makes the Bokeh figure; it is called only when the picture is shown.
    """

    heading: str
    description: str
    legend: str
    draw: Callable[[], Any]


@dataclass(frozen=True, slots=True)
class View:
    """What the functions of this room return; a notebook shows it as the last line of a cell.

    ``numbers`` holds what is drawn as nested lists, by name. ``facts`` are small tables that
    stand open above the picture, ``tables`` the picture's twin, folded below it.
    """

    title: str = ""
    sentence: str = ""
    panels: tuple[Panel, ...] = ()
    tables: tuple[Table, ...] = ()
    facts: tuple[Table, ...] = ()
    numbers: Mapping[str, Any] = field(default_factory=dict)

    def html(self) -> str:
        """A piece of HTML that needs nothing but itself, the drawing library included."""
        from attention_course.views.embedding import fragment

        return "" if drawing_is_off() else fragment(self, with_library=True)

    def page(self) -> str:
        """A whole HTML page, to be written to a file."""
        from attention_course.views.embedding import whole_page

        return whole_page(self)

    def text(self) -> str:
        """The title, the sentence and every table as plain text."""
        if drawing_is_off():
            return NOT_DRAWN
        parts = [self.title, self.sentence]
        parts += [table.text() for table in (*self.facts, *self.tables)]
        return "\n\n".join(filter(None, parts))

    def __repr__(self) -> str:
        return self.text()

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        if drawing_is_off():
            return {"text/plain": NOT_DRAWN}
        from attention_course.views.embedding import fragment
        from attention_course.views.library import carries_the_library

        return {
            "text/html": fragment(self, with_library=bool(self.panels) and carries_the_library()),
            "text/plain": self.text(),
        }
