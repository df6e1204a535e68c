"""What the pictures have in common: axes of tokens, a matrix of numbers as colours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor

SHOWN_LABELS = 40  # with more tokens than this, only some are written on the axes
WEIGHTS_PALETTE = "Cividis256"  # readable with every kind of colour vision, and in grey


def bokeh_models() -> Any:
    """bokeh.models, imported when a picture is made (its type stubs lack half of it)."""
    import bokeh.models

    return bokeh.models


def new_figure(**settings: Any) -> Any:
    """A Bokeh figure without grid and toolbar."""
    from bokeh.plotting import figure

    plot = figure(**{"tools": "", "toolbar_location": None, **settings})
    plot.grid.visible = False
    return plot


def label(axis: Any, names: dict[float, str]) -> None:
    """Write these names at these places of an axis, and nothing else."""
    axis.ticker = bokeh_models().FixedTicker(ticks=list(names))
    axis.major_label_overrides = names


def matrix_figure(
    matrix: Tensor, tokens: Sequence[str], title: str, palette: Any, low: float, high: float
) -> Any:
    """[queries, keys] as colours: a row for each query from the top, a column for each key."""
    n = len(tokens)
    plot = new_figure(
        title=title,
        width=400,
        height=380,
        x_range=(0, n),
        y_range=(n, 0),
        x_axis_label="key (looked at)",
        y_axis_label="query (looking)",
        tooltips=[("value", "@image{0.0000}")],
    )
    mapper = bokeh_models().LinearColorMapper(palette=palette, low=low, high=high)
    plot.image([matrix.float().numpy()], x=0, y=0, dw=n, dh=n, color_mapper=mapper)
    plot.add_layout(bokeh_models().ColorBar(color_mapper=mapper, width=10), "right")
    for axis in (plot.xaxis, plot.yaxis):
        label(axis, {i + 0.5: tokens[i] for i in range(0, n, -(-n // SHOWN_LABELS))})
    plot.xaxis.major_label_orientation = 0.9
    return plot
