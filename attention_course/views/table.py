"""The text twin: the numbers of a picture as a table, in HTML and in plain text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

from attention_course.views.labels import number_style, shortened
from attention_course.views.matrices import Matrix

# A table is for reading. Beyond this it would weigh more than the lesson and be read by nobody.
MOST_ROWS = MOST_COLUMNS = 64
# In plain text; wider tables continue below themselves.
COLUMNS_A_BLOCK, LONGEST_LABEL = 12, 36


@dataclass(frozen=True, slots=True)
class Table:
    """Numbers with a label for each row and column; ``corner`` says what the labels are."""

    caption: str
    row_labels: tuple[str, ...]
    column_labels: tuple[str, ...]
    cells: tuple[tuple[str, ...], ...]
    corner: str = ""

    @property
    def left_out(self) -> str:
        """A sentence on what is not shown, or nothing."""
        rows, columns = len(self.row_labels), len(self.column_labels)
        if rows <= MOST_ROWS and columns <= MOST_COLUMNS:
            return ""
        return (
            f"Shown: the first {min(rows, MOST_ROWS)} of {rows} rows and "
            f"{min(columns, MOST_COLUMNS)} of {columns} columns. "
            "All numbers are in the view's .numbers."
        )

    def html(self) -> str:
        head = "".join(
            f'<th scope="col">{escape(label)}</th>' for label in self.column_labels[:MOST_COLUMNS]
        )
        body = "".join(
            f'<tr><th scope="row">{escape(label)}</th>'
            + "".join(f"<td>{escape(cell)}</td>" for cell in row[:MOST_COLUMNS])
            + "</tr>"
            for label, row in self._shown_rows()
        )
        corner = f"<td>{escape(self.corner)}</td>"
        note = f"<p>{escape(self.left_out)}</p>" if self.left_out else ""
        # Focusable, so that a wide table can be scrolled with the arrow keys.
        return (
            f'<div role="region" tabindex="0" aria-label="{escape(self.caption)}" '
            'style="overflow-x:auto;max-width:100%;margin:.4em 0">'
            f"<table><caption>{escape(self.caption)}</caption>"
            f"<thead><tr>{corner}{head}</tr></thead><tbody>{body}</tbody></table>{note}</div>"
        )

    def text(self) -> str:
        rows = list(self._shown_rows())
        width = max(
            [len(shortened(label, LONGEST_LABEL)) for label, _ in rows] + [len(self.corner)],
            default=0,
        )
        lines = [self.caption]
        shown = min(len(self.column_labels), MOST_COLUMNS)
        for start in range(0, shown, COLUMNS_A_BLOCK):
            block = range(start, min(start + COLUMNS_A_BLOCK, shown))
            widths = [
                max(
                    [len(shortened(self.column_labels[column], LONGEST_LABEL))]
                    + [len(row[column]) for _, row in rows]
                )
                for column in block
            ]
            heads = [shortened(self.column_labels[column], LONGEST_LABEL) for column in block]
            lines.append(_line(self.corner, heads, width, widths))
            lines += [
                _line(
                    shortened(label, LONGEST_LABEL),
                    [row[column] for column in block],
                    width,
                    widths,
                )
                for label, row in rows
            ]
        return "\n".join([*lines, *filter(None, [self.left_out])])

    def _shown_rows(self) -> list[tuple[str, tuple[str, ...]]]:
        return list(zip(self.row_labels, self.cells, strict=True))[:MOST_ROWS]


def table_of(
    caption: str,
    matrix: Matrix,
    row_labels: Sequence[str],
    column_labels: Sequence[str],
    corner: str = "query \N{DOWNWARDS ARROW} key \N{RIGHTWARDS ARROW}",
    write: Callable[[float], str] | None = None,
) -> Table:
    """The table of a matrix, all numbers written in the same style."""
    write = write or number_style(matrix)
    cells = tuple(tuple(write(float(value)) for value in row) for row in matrix)
    return Table(caption, tuple(row_labels), tuple(column_labels), cells, corner)


def _line(label: str, cells: Sequence[str], width: int, widths: Sequence[int]) -> str:
    fields = [label.rjust(width)]
    fields += [cell.rjust(wide) for cell, wide in zip(cells, widths, strict=True)]
    return "  ".join(fields).rstrip()
