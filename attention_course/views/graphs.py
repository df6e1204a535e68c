"""The directed graph of attention: arrows between tokens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from attention_course.views.labels import number_style, shortened
from attention_course.views.matrices import Matrix, finite
from attention_course.views.palettes import BLUE, GREY, ORANGE
from attention_course.views.plots import models, plain_figure


def flow_figure(
    weights: Matrix, rows: Sequence[str], columns: Sequence[str], edges: Sequence[tuple[int, int]]
) -> Any:
    """Queries on the left, keys on the right, an arrow for each edge, thicker for more weight."""
    tallest = max(len(rows), len(columns))
    plot = plain_figure(
        frame_width=460,
        frame_height=(40 if tallest <= 14 else 22) * tallest + 40,
        x_range=(-0.55, 1.55),
        y_range=(tallest - 0.4, -1.0),
    )
    plot.axis.visible = False
    left, right = _places(len(rows), tallest), _places(len(columns), tallest)
    if edges:
        _arrows(plot, weights, (rows, columns), edges, (left, right))
    for x, places, labels, align, offset in (
        (0.0, left, rows, "right", -12),
        (1.0, right, columns, "left", 12),
    ):
        plot.scatter(np.full(len(places), x), places, size=10, color=GREY)
        _text(plot, x, places, [shortened(label) for label in labels], align, offset)
    _text(plot, 0.0, np.array([-0.7]), ["query (looks)"], "center", 0)
    _text(plot, 1.0, np.array([-0.7]), ["key (is looked at)"], "center", 0)
    return plot


def _places(count: int, tallest: int) -> Matrix:
    """Where a column of ``count`` tokens stands beside one of ``tallest``: in the middle."""
    return np.arange(count, dtype=np.float64) + (tallest - count) / 2


def _text(
    plot: Any, x: float, places: Matrix, labels: Sequence[str], align: str, offset: int
) -> None:
    renderer = plot.text(
        np.full(len(places), x),
        places,
        text=list(labels),
        text_align=align,
        text_baseline="middle",
        x_offset=offset,
        text_font_size="13px",
    )
    # The script gives text with this tag the page's own colour.
    renderer.glyph.tags = ["ink"]


def _arrows(
    plot: Any,
    weights: Matrix,
    labels: tuple[Sequence[str], Sequence[str]],
    edges: Sequence[tuple[int, int]],
    places: tuple[Matrix, Matrix],
) -> None:
    rows, columns = labels
    # Light ones first, so that the strongest lie on top.
    edges = sorted(edges, key=lambda edge: weights[edge])
    values = np.array([weights[edge] for edge in edges])
    starts = np.array([places[0][i] for i, _ in edges])
    ends = np.array([places[1][j] for _, j in edges])
    share = values / max(float(values.max()), 1e-12)
    strongest = [weights[i, j] == finite(weights[i]).max() for i, j in edges]
    write = number_style(values)
    source = models.ColumnDataSource(
        {
            "x0": np.full(len(edges), 0.03),
            "x1": np.full(len(edges), 0.96),
            "y0": starts,
            "y1": starts + 0.97 * (ends - starts),
            "width": 0.7 + 7 * share,
            "head": 6 + 8 * share,
            "alpha": 0.25 + 0.7 * share,
            "colour": [ORANGE if is_strongest else BLUE for is_strongest in strongest],
            "query": [rows[i] for i, _ in edges],
            "key": [columns[j] for _, j in edges],
            "weight": [write(float(value)) for value in values],
            # The head's triangle points up by itself; the frame is not square, so its slope
            # is measured in pixels.
            "angle": np.arctan2(
                (starts - ends) * plot.frame_height / (plot.y_range.start - plot.y_range.end),
                np.full(len(edges), plot.frame_width / (plot.x_range.end - plot.x_range.start)),
            )
            - np.pi / 2,
        }
    )
    style = {"line_width": "width", "line_alpha": "alpha", "line_color": "colour"}
    lines = plot.segment(x0="x0", y0="y0", x1="x1", y1="y1", source=source, **style)
    lines.hover_glyph = models.Segment(
        x0="x0", y0="y0", x1="x1", y1="y1", line_width="width", line_color="colour"
    )
    plot.scatter(
        "x1",
        "y1",
        source=source,
        marker="triangle",
        size="head",
        angle="angle",
        color="colour",
        alpha="alpha",
    )
    tooltips = [("query (looks)", "@query"), ("key (is looked at)", "@key"), ("weight", "@weight")]
    plot.add_tools(models.HoverTool(renderers=[lines], tooltips=tooltips))
