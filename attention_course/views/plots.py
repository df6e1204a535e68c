"""The Bokeh figures behind the panels. Imported only when a picture is drawn."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any

import numpy as np
from bokeh.plotting import figure

from attention_course.views.labels import LONGEST_ON_AN_AXIS, number_style, shortened, spelled
from attention_course.views.matrices import Matrix
from attention_course.views.palettes import (
    MINUS_INFINITY,
    NOT_A_NUMBER,
    PLUS_INFINITY,
    Scale,
    ink_on,
)

# By name, because the type stubs of bokeh.models lack half of it.
models: Any = import_module("bokeh.models")

MOST_ANNOTATED = 12  # rows and columns up to which the numbers are written into the cells
WIDEST, TALLEST, LARGEST_CELL = 560, 440, 46  # pixels
LABELS_ON_AN_AXIS = 48


def plain_figure(**settings: Any) -> Any:
    """A figure without toolbar and grid, on the page's own background."""
    plot = figure(
        **{
            "tools": "",
            "toolbar_location": None,
            "background_fill_color": None,
            "border_fill_color": None,
            "outline_line_color": None,
            "min_border": 4,
            **settings,
        }
    )
    plot.grid.visible = False
    plot.axis.minor_tick_line_color = None
    plot.axis.axis_label_text_font_style = "normal"
    plot.axis.axis_label_text_font_size = "12px"
    plot.axis.major_label_text_font_size = "12px"
    return plot


def heat_figure(
    matrix: Matrix,
    rows: Sequence[str],
    columns: Sequence[str],
    scale: Scale,
    *,
    row_axis: str = "query (looks)",
    column_axis: str = "key (is looked at)",
    value: str = "weight",
    widest: int = WIDEST,
) -> Any:
    """[rows, columns] as colours, the first row on top; hover names row, column and number."""
    n_rows, n_columns = matrix.shape
    cell_width = max(1.0, min(LARGEST_CELL, widest / n_columns))
    cell_height = max(1.0, min(LARGEST_CELL, TALLEST / n_rows))
    plot = plain_figure(
        frame_width=max(60, round(cell_width * n_columns)),
        frame_height=max(90, round(cell_height * n_rows)),
        x_range=(0, n_columns),
        y_range=(n_rows, 0),
        x_axis_location="above",
        x_axis_label=column_axis,
        y_axis_label=row_axis,
    )
    # The image is float32; a scale a hair wider keeps its largest number from rounding out of it.
    low, high = np.float32(scale.low), np.float32(scale.high)
    mapper = models.LinearColorMapper(
        palette=list(scale.palette),
        low=float(np.nextafter(low, np.float32(-np.inf))),
        high=float(np.nextafter(high, np.float32(np.inf))),
        nan_color=NOT_A_NUMBER,
        low_color=MINUS_INFINITY,
        high_color=PLUS_INFINITY,
    )
    image = plot.image(
        [matrix.astype(np.float32)], x=0, y=0, dw=n_columns, dh=n_rows, color_mapper=mapper
    )
    bar = models.ColorBar(
        color_mapper=mapper,
        width=10,
        padding=4,
        title=value,
        title_text_font_size="12px",
        title_text_font_style="normal",
        background_fill_color=None,
        bar_line_color=None,
    )
    plot.add_layout(bar, "right")
    _label(plot.xaxis, columns, turned=max(map(_width, columns)) > cell_width)
    _label(plot.yaxis, rows)
    if max(n_rows, n_columns) <= MOST_ANNOTATED and cell_width > 30:
        _annotate(plot, matrix, scale)
    _hover(plot, image, rows, columns, (row_axis, column_axis, value))
    return plot


def _width(label: str) -> int:
    """About how many pixels a label takes on an axis."""
    return 7 * min(len(label), LONGEST_ON_AN_AXIS)


def _label(axis: Any, labels: Sequence[str], turned: bool = False) -> None:
    """Write the labels in the middle of the cells; not all of them where there are many."""
    every = -(-len(labels) // LABELS_ON_AN_AXIS)
    names = {i + 0.5: shortened(labels[i]) for i in range(0, len(labels), every)}
    axis.ticker = models.FixedTicker(ticks=list(names))
    axis.major_label_overrides = names
    if turned:
        axis.major_label_orientation = 0.9


def _annotate(plot: Any, matrix: Matrix, scale: Scale) -> None:
    n_rows, n_columns = matrix.shape
    write = _zero_or_nearly if scale.only_rounding else number_style(matrix, most=2)
    values = [float(value) for value in matrix.flat]
    plot.text(
        np.tile(np.arange(n_columns) + 0.5, n_rows),
        np.repeat(np.arange(n_rows) + 0.5, n_columns),
        text=[write(value) for value in values],
        text_color=[ink_on(scale.colour(value)) for value in values],
        text_align="center",
        text_baseline="middle",
        text_font_size="11px",
    )


def _zero_or_nearly(value: float) -> str:
    """Ten digits of rounding in each cell would hide that there is nothing to see."""
    return spelled(value, "0" if value == 0 else "\N{ALMOST EQUAL TO}0")


def _hover(
    plot: Any, image: Any, rows: Sequence[str], columns: Sequence[str], names: tuple[str, str, str]
) -> None:
    """The labels are kept once and looked up by place, not repeated for each cell."""
    row_axis, column_axis, value = names

    def lookup(labels: Sequence[str]) -> Any:
        code = "return labels[Math.min(labels.length - 1, Math.max(0, Math.floor(value)))]"
        return models.CustomJSHover(args={"labels": list(labels)}, code=code)

    number = models.CustomJSHover(
        code="return Number.isFinite(value) ? Number(value.toPrecision(4)).toString() : `${value}`"
    )
    plot.add_tools(
        models.HoverTool(
            renderers=[image],
            tooltips=[
                (row_axis, "$y{custom}"),
                (column_axis, "$x{custom}"),
                (value, "@image{custom}"),
            ],
            formatters={"$y": lookup(rows), "$x": lookup(columns), "@image": number},
        )
    )
